#include "summary.h"

#include "postern/base/buf.h"
#include "postern/mime/address.h"
#include "postern/mime/date.h"
#include "postern/mime/subject.h"
#include "postern/mime/transfer.h"
#include "postern/mime/word.h"

#include <string.h>
#include <strings.h>

static bool find(const char *mime, size_t len, const char *name, struct mime_field *field)
{
    size_t header = mime_header_size(mime, len);
    return mime_field_find(mime, header < SUMMARY_HEADER_MAX ? header : SUMMARY_HEADER_MAX, name,
                           field);
}

static const char *decoded(struct arena *arena, const char *value, size_t len)
{
    struct buf out = BUF_INIT(SUMMARY_HEADER_MAX);
    mime_text_decode(value, len, &out);
    char *text = arena_strdup(arena, buf_str(&out));
    buf_free(&out);
    return text;
}

const char *summary_text(struct arena *arena, const char *mime, size_t len, const char *name)
{
    struct mime_field field;
    return find(mime, len, name, &field) ? decoded(arena, field.value, field.value_len) : NULL;
}

const char *summary_topic(struct arena *arena, const char *mime, size_t len)
{
    struct mime_field field;
    struct buf out = BUF_INIT(SUMMARY_HEADER_MAX);
    bool reply;
    if (find(mime, len, "Subject", &field))
        mime_base_subject(field.value, field.value_len, &out, &reply);
    char *topic = arena_strdup(arena, buf_str(&out));
    buf_free(&out);
    return topic;
}

const char *summary_raw(struct arena *arena, const char *mime, size_t len, const char *name)
{
    struct mime_field field;
    if (!find(mime, len, name, &field))
        return NULL;
    struct buf out = BUF_INIT(SUMMARY_HEADER_MAX);
    mime_text_append_line(field.value, field.value_len, &out);
    const char *s = buf_str(&out);
    size_t n = strlen(s);
    while (*s == ' ') {
        s++;
        n--;
    }
    while (n > 0 && s[n - 1] == ' ')
        n--;
    char *text = arena_strndup(arena, s, n);
    buf_free(&out);
    return text;
}

static bool parse_addresses(struct arena *arena, const char *mime, size_t len, const char *name,
                            struct mime_addresses *list)
{
    struct mime_field field;
    if (!find(mime, len, name, &field))
        return false;
    mime_addresses_parse(field.value, field.value_len, arena, list);
    return true;
}

static const char *spec(struct arena *arena, const struct mime_address *a)
{
    struct buf raw = BUF_INIT(SUMMARY_HEADER_MAX), clean = BUF_INIT(SUMMARY_HEADER_MAX);
    mime_address_spec(a, &raw);
    mime_text_append_line(buf_str(&raw), raw.len, &clean);
    char *text = arena_strdup(arena, buf_str(&clean));
    buf_free(&raw);
    buf_free(&clean);
    return text;
}

struct json_object *summary_recipients(struct arena *arena, const char *mime, size_t len,
                                       const char *name)
{
    struct json_object *array = json_object_new_array();
    struct mime_addresses list = {0};
    if (!parse_addresses(arena, mime, len, name, &list))
        return array;
    for (size_t i = 0; i < list.count; i++) {
        const struct mime_address *a = &list.items[i];
        if (!a->host)
            continue;
        const char *address = spec(arena, a);
        const char *shown = a->name ? decoded(arena, a->name, strlen(a->name)) : address;
        struct json_object *email = json_object_new_object();
        json_object_object_add(email, "name", json_object_new_string(shown));
        json_object_object_add(email, "address", json_object_new_string(address));
        struct json_object *one = json_object_new_object();
        json_object_object_add(one, "emailAddress", email);
        json_object_array_add(array, one);
    }
    return array;
}

const char *summary_address(struct arena *arena, const char *mime, size_t len, const char *name)
{
    struct mime_addresses list = {0};
    parse_addresses(arena, mime, len, name, &list);
    for (size_t i = 0; i < list.count; i++) {
        if (list.items[i].host)
            return spec(arena, &list.items[i]);
    }
    return NULL;
}

int64_t summary_sent(const char *mime, size_t len, int64_t fallback_ms)
{
    struct mime_field field;
    struct mime_date date;
    if (find(mime, len, "Date", &field) && mime_date_parse(field.value, field.value_len, &date))
        return date.wall_ms;
    return fallback_ms;
}

bool summary_has_attachments(const char *mime, size_t len)
{
    struct mime_field field;
    static const char mixed[] = "multipart/mixed";
    if (!find(mime, len, "Content-Type", &field))
        return false;
    for (size_t i = 0; i + sizeof mixed - 1 <= field.value_len; i++) {
        if (strncasecmp(field.value + i, mixed, sizeof mixed - 1) == 0)
            return true;
    }
    return false;
}

/* Line ends and tabs stay, other control characters become spaces. */
const char *summary_lines(struct arena *arena, const char *s, size_t take)
{
    struct buf out = BUF_INIT(SUMMARY_BODY_MAX * 4);
    if (take > SUMMARY_BODY_MAX)
        take = SUMMARY_BODY_MAX;
    while (take > 0) {
        size_t n = 0;
        while (n < take && s[n] != '\n' && s[n] != '\r' && s[n] != '\t')
            n++;
        mime_text_append_line(s, n, &out);
        if (n < take)
            buf_putc(&out, s[n++]);
        s += n;
        take -= n;
    }
    char *text = arena_strdup(arena, buf_str(&out));
    buf_free(&out);
    return text;
}

const char *summary_body(struct arena *arena, const char *mime, size_t len)
{
    struct mime_field field;
    size_t start = mime_header_size(mime, len);
    size_t take = len - start < SUMMARY_BODY_MAX ? len - start : SUMMARY_BODY_MAX;
    struct buf decoded_body = BUF_INIT(SUMMARY_BODY_MAX);
    enum mime_transfer encoding = MIME_TRANSFER_NONE;
    if (find(mime, len, "Content-Transfer-Encoding", &field))
        encoding = mime_transfer_of(field.value, field.value_len);
    mime_transfer_decode(encoding, mime + start, take, &decoded_body);
    const char *text = summary_lines(arena, buf_str(&decoded_body), decoded_body.len);
    buf_free(&decoded_body);
    return text;
}

const char *summary_characters(struct arena *arena, const char *text, size_t count)
{
    size_t bytes = 0;
    for (size_t characters = 0; text[bytes]; bytes++) {
        if (((unsigned char)text[bytes] & 0xc0) != 0x80 && characters++ == count)
            break;
    }
    return arena_strndup(arena, text, bytes);
}
