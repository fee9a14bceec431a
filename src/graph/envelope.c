/* The fields of an ENVELOPE of a message's properties, for mail that bears no header block: what
 * was sent, drafts. Graph pages: message, recipient, emailAddress. */
#include "decode.h"
#include "json.h"

#include "postern/base/clock.h"
#include "postern/base/encode.h"
#include "postern/mime/date.h"

#include <string.h>

#define RECIPIENTS_MAX 10000                     /* of one field */
#define BLOCK_MAX      ((size_t)4 * 1024 * 1024) /* of one message */
/* Octets of text in an encoded word (RFC 2047 section 2: 75 characters in all). */
#define WORD_TEXT 45

static bool is_plain(const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p < 0x20 || *p > 0x7e)
            return false;
    return !strstr(text, "=?");
}

/* The longest piece of UTF-8 that fits a word. */
static size_t piece_of(const char *text)
{
    size_t len = strlen(text);
    if (len <= WORD_TEXT)
        return len;
    len = WORD_TEXT;
    while (len > 1 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static void put_words(struct buf *out, const char *text)
{
    for (size_t n; *text; text += n) {
        n = piece_of(text);
        buf_puts(out, "=?utf-8?B?");
        base64_encode(text, n, out);
        buf_puts(out, text[n] ? "?= " : "?=");
    }
}

static void put_phrase(struct buf *out, const char *name)
{
    if (!is_plain(name)) {
        put_words(out, name);
        return;
    }
    buf_putc(out, '"');
    for (; *name; name++) {
        if (*name == '"' || *name == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *name);
    }
    buf_putc(out, '"');
}

/* An address as it is, but for what would end it. */
static void put_spec(struct buf *out, const char *address)
{
    buf_putc(out, '<');
    for (; *address; address++)
        if ((unsigned char)*address > ' ' && !strchr("<>", *address))
            buf_putc(out, *address);
    buf_putc(out, '>');
}

static void put_recipient(struct buf *out, struct json_object *recipient)
{
    struct json_object *email = NULL;
    if (!json_object_is_type(recipient, json_type_object) ||
        !json_object_object_get_ex(recipient, "emailAddress", &email))
        return;
    const char *name = json_peek_string(email, "name");
    const char *address = json_peek_string(email, "address");
    if (name && *name && (!address || strcmp(name, address) != 0)) {
        put_phrase(out, name);
        buf_putc(out, ' ');
    }
    put_spec(out, address ? address : "");
}

/* A recipient or a list of them; a member of another shape is passed over. */
static void put_recipients(struct buf *out, const char *field, struct json_object *item,
                           const char *member)
{
    struct json_object *list = NULL;
    if (!json_object_object_get_ex(item, member, &list) || !list)
        return;
    bool many = json_object_is_type(list, json_type_array);
    size_t count = many ? json_object_array_length(list) : 1;
    for (size_t i = 0; i < count && i < RECIPIENTS_MAX; i++) {
        buf_puts(out, i ? ", " : field);
        put_recipient(out, many ? json_object_array_get_idx(list, i) : list);
    }
    if (count)
        buf_puts(out, "\r\n");
}

static void put_text(struct buf *out, const char *field, const char *text)
{
    if (!text)
        return;
    buf_puts(out, field);
    if (is_plain(text))
        buf_puts(out, text);
    else
        put_words(out, text);
    buf_puts(out, "\r\n");
}

static void put_date(struct buf *out, const char *iso)
{
    int64_t wall_ms;
    char date[MIME_DATE_SIZE];
    if (!iso || !clock_parse_iso(iso, strlen(iso), &wall_ms))
        return;
    mime_date_format(wall_ms, 0, date);
    buf_printf(out, "Date: %s\r\n", date);
}

bool decode_envelope(struct json_object *item, struct arena *a, const char **block, struct error *e)
{
    const char *reply_to;
    struct buf out = BUF_INIT(BLOCK_MAX);
    *block = NULL;
    if (!property_find(item, "String 0x1042", a, &reply_to, e))
        return false;
    put_date(&out, json_peek_string(item, "sentDateTime"));
    put_text(&out, "Subject: ", json_peek_string(item, "subject"));
    put_recipients(&out, "From: ", item, "from");
    put_recipients(&out, "Sender: ", item, "sender");
    put_recipients(&out, "Reply-To: ", item, "replyTo");
    put_recipients(&out, "To: ", item, "toRecipients");
    put_recipients(&out, "Cc: ", item, "ccRecipients");
    put_recipients(&out, "Bcc: ", item, "bccRecipients");
    put_text(&out, "In-Reply-To: ", reply_to);
    put_text(&out, "Message-ID: ", json_peek_string(item, "internetMessageId"));
    buf_puts(&out, "\r\n");
    if (!out.overflow)
        *block = arena_strdup(a, buf_str(&out));
    buf_free(&out);
    return true;
}
