#include "compose.h"

#include "postern/base/encode.h"
#include "postern/mime/date.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Bytes of UTF-8 in one encoded word: 75 characters with "=?utf-8?B?" and "?=" (RFC 2047). */
#define WORD_BYTES    45
#define BASE64_LINE   57
#define COMPOSED_MAX  ((size_t)512 * 1024 * 1024)
#define BOUNDARY_SIZE 40

static const char *string_of(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_string))
        return NULL;
    return json_object_get_string(v);
}

static bool is_plain(const char *s)
{
    for (; *s; s++) {
        if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
            return false;
    }
    return true;
}

/* Text of a field, as encoded words where it is not plain ASCII. */
static void put_text(struct buf *out, const char *s)
{
    if (is_plain(s) && !strstr(s, "=?")) {
        buf_puts(out, s);
        return;
    }
    size_t len = strlen(s);
    for (size_t at = 0; at < len;) {
        size_t n = len - at < WORD_BYTES ? len - at : WORD_BYTES;
        while (n > 1 && at + n < len && ((unsigned char)s[at + n] & 0xc0) == 0x80)
            n--;
        buf_puts(out, at ? "\r\n =?utf-8?B?" : "=?utf-8?B?");
        base64_encode(s + at, n, out);
        buf_puts(out, "?=");
        at += n;
    }
}

static void put_quoted(struct buf *out, const char *s)
{
    buf_putc(out, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *s);
    }
    buf_putc(out, '"');
}

static void put_person(struct buf *out, struct json_object *one, bool first)
{
    struct json_object *email = NULL;
    if (!json_object_object_get_ex(one, "emailAddress", &email))
        return;
    const char *name = string_of(email, "name");
    const char *address = string_of(email, "address");
    buf_puts(out, first ? "" : ",\r\n ");
    if (name && *name && is_plain(name)) {
        put_quoted(out, name);
        buf_putc(out, ' ');
    } else if (name && *name) {
        put_text(out, name);
        buf_putc(out, ' ');
    }
    buf_printf(out, "<%s>", address && is_plain(address) ? address : "");
}

static void put_people(struct buf *out, struct json_object *message, const char *member,
                       const char *field)
{
    struct json_object *v = NULL;
    if (!json_object_object_get_ex(message, member, &v) || !v)
        return;
    bool list = json_object_is_type(v, json_type_array);
    size_t count = list ? json_object_array_length(v) : 1;
    if (count == 0)
        return;
    buf_printf(out, "%s: ", field);
    for (size_t i = 0; i < count; i++)
        put_person(out, list ? json_object_array_get_idx(v, i) : v, i == 0);
    buf_puts(out, "\r\n");
}

static void put_headers(struct buf *out, struct json_object *message)
{
    struct json_object *list = NULL;
    if (!json_object_object_get_ex(message, "internetMessageHeaders", &list))
        return;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        const char *name = string_of(one, "name");
        const char *value = string_of(one, "value");
        if (!name || !value)
            continue;
        buf_printf(out, "%s: ", name);
        put_text(out, value);
        buf_puts(out, "\r\n");
    }
}

static void put_base64(struct buf *out, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len; at += BASE64_LINE) {
        base64_encode(bytes + at, len - at < BASE64_LINE ? len - at : BASE64_LINE, out);
        buf_puts(out, "\r\n");
    }
}

static void put_body(struct buf *out, struct json_object *message)
{
    struct json_object *body = NULL;
    const char *type = NULL, *content = NULL;
    if (json_object_object_get_ex(message, "body", &body)) {
        type = string_of(body, "contentType");
        content = string_of(body, "content");
    }
    bool html = type && strcasecmp(type, "html") == 0;
    buf_printf(out, "Content-Type: text/%s; charset=\"utf-8\"\r\n", html ? "html" : "plain");
    buf_puts(out, "Content-Transfer-Encoding: base64\r\n\r\n");
    put_base64(out, content ? content : "", content ? strlen(content) : 0);
}

/* A parameter, by RFC 2231 where it is not plain. */
static void put_parameter(struct buf *out, const char *name, const char *value)
{
    if (is_plain(value) && !strpbrk(value, "\"\\")) {
        buf_printf(out, ";\r\n\t%s=\"%s\"", name, value);
        return;
    }
    buf_printf(out, ";\r\n\t%s*=utf-8''", name);
    for (; *value; value++) {
        bool same = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
                           *value) != NULL;
        buf_printf(out, same ? "%c" : "%%%02X", (unsigned char)*value);
    }
}

static void put_attachment(struct buf *out, const struct attachment *a)
{
    if (a->kind == ATTACHMENT_ITEM) {
        buf_puts(out, "Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n");
        buf_append(out, a->bytes, a->size);
        buf_puts(out, "\r\n");
        return;
    }
    buf_printf(out, "Content-Type: %s",
               a->content_type && is_plain(a->content_type) ? a->content_type
                                                            : "application/octet-stream");
    put_parameter(out, "name", a->name);
    buf_printf(out, "\r\nContent-Disposition: %s", a->is_inline ? "inline" : "attachment");
    put_parameter(out, "filename", a->name);
    if (a->content_id && is_plain(a->content_id))
        buf_printf(out, a->content_id[0] == '<' ? "\r\nContent-ID: %s" : "\r\nContent-ID: <%s>",
                   a->content_id);
    buf_puts(out, "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    put_base64(out, a->bytes, a->size);
}

/* From the message id, so that a message inside another one has a boundary of its own. */
static void make_boundary(const struct content *x, char out[BOUNDARY_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    char hex[2 * 8 + 1];
    const char *id = string_of(x->members, "internetMessageId");
    sha256(id ? id : "", id ? strlen(id) : 0, digest);
    hex_encode(digest, 8, hex);
    snprintf(out, BOUNDARY_SIZE, "_000_%s_sandbox_", hex);
}

static void put_parts(struct buf *out, const struct content *x)
{
    char boundary[BOUNDARY_SIZE];
    bool all_inline = true;
    make_boundary(x, boundary);
    for (size_t i = 0; i < x->count; i++)
        all_inline = all_inline && x->items[i].is_inline;
    buf_printf(out, "Content-Type: multipart/%s;\r\n\tboundary=\"%s\"\r\n\r\n--%s\r\n",
               all_inline ? "related" : "mixed", boundary, boundary);
    put_body(out, x->members);
    for (size_t i = 0; i < x->count; i++) {
        buf_printf(out, "\r\n--%s\r\n", boundary);
        put_attachment(out, &x->items[i]);
    }
    buf_printf(out, "\r\n--%s--\r\n", boundary);
}

static void put_field(struct buf *out, const char *name, const char *value)
{
    if (value && is_plain(value))
        buf_printf(out, "%s: %s\r\n", name, value);
}

void compose_mime(const struct content *x, struct buf *out)
{
    char date[MIME_DATE_SIZE];
    struct json_object *message = x->members;
    mime_date_format(x->sent_ms, 0, date);
    const char *subject = string_of(message, "subject");
    buf_init(out, COMPOSED_MAX);
    put_people(out, message, "from", "From");
    put_people(out, message, "sender", "Sender");
    put_people(out, message, "toRecipients", "To");
    put_people(out, message, "ccRecipients", "Cc");
    put_people(out, message, "bccRecipients", "Bcc");
    put_people(out, message, "replyTo", "Reply-To");
    buf_puts(out, "Subject: ");
    put_text(out, subject ? subject : "");
    buf_printf(out, "\r\nDate: %s\r\n", date);
    put_field(out, "Message-ID", string_of(message, "internetMessageId"));
    put_field(out, "References", x->references);
    put_field(out, "In-Reply-To", x->in_reply_to);
    put_headers(out, message);
    buf_puts(out, "MIME-Version: 1.0\r\n");
    if (x->count > 0)
        put_parts(out, x);
    else
        put_body(out, message);
}
