#include "compose.h"

#include "postern/base/encode.h"
#include "postern/mime/date.h"

#include <string.h>

/* Bytes of UTF-8 in one encoded word: 75 characters with "=?utf-8?B?" and "?=" (RFC 2047). */
#define WORD_BYTES   45
#define BASE64_LINE  57
#define COMPOSED_MAX ((size_t)8 * 1024 * 1024)

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

static void put_person(struct buf *out, struct json_object *one, bool first)
{
    struct json_object *email = NULL;
    if (!json_object_object_get_ex(one, "emailAddress", &email))
        return;
    const char *name = string_of(email, "name");
    const char *address = string_of(email, "address");
    buf_puts(out, first ? "" : ",\r\n ");
    if (name && *name && is_plain(name))
        buf_printf(out, "\"%s\" ", name);
    else if (name && *name)
        put_text(out, name);
    buf_printf(out, "%s<%s>", name && *name && !is_plain(name) ? " " : "", address ? address : "");
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

static void put_body(struct buf *out, struct json_object *message)
{
    struct json_object *body = NULL;
    const char *type = NULL, *content = NULL;
    if (json_object_object_get_ex(message, "body", &body)) {
        type = string_of(body, "contentType");
        content = string_of(body, "content");
    }
    bool html = type && strcmp(type, "html") == 0;
    buf_printf(out,
               "MIME-Version: 1.0\r\nContent-Type: text/%s; charset=utf-8\r\n"
               "Content-Transfer-Encoding: base64\r\n\r\n",
               html ? "html" : "plain");
    size_t len = content ? strlen(content) : 0;
    for (size_t at = 0; at < len; at += BASE64_LINE) {
        base64_encode(content + at, len - at < BASE64_LINE ? len - at : BASE64_LINE, out);
        buf_puts(out, "\r\n");
    }
}

void compose_mime(struct json_object *message, int64_t now_ms, struct buf *out)
{
    char date[MIME_DATE_SIZE], guid[GUID_SIZE];
    mime_date_format(now_ms, 0, date);
    guid_make(guid);
    const char *id = string_of(message, "internetMessageId");
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
    if (id && is_plain(id))
        buf_printf(out, "Message-ID: %s\r\n", id);
    else
        buf_printf(out, "Message-ID: <%s@contoso.com>\r\n", guid);
    put_headers(out, message);
    put_body(out, message);
}
