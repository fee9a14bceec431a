#include "compose.h"

#include "postern/base/clock.h"
#include "postern/mime/address.h"
#include "postern/mime/charset.h"
#include "postern/mime/date.h"
#include "postern/mime/header.h"
#include "postern/mime/structure.h"
#include "postern/mime/word.h"

#include <string.h>
#include <strings.h>

#define TEXT_MAX       ((size_t)64 * 1024) /* of one field as text */
#define NAME_MAX_BYTES 255
#define PROPERTIES_MAX 8
#define ID_MAX         998

struct work {
    const char *message;
    size_t header_len;
    struct mime_structure parts;
    struct arena *arena;
    struct composed *out;
    size_t body; /* the part that becomes the body; MIME_NO_PART: none */
    size_t unnamed;
};

/* ---- header fields ---- */

static const char *kept(struct work *w, struct buf *text)
{
    const char *copy = arena_strndup(w->arena, buf_str(text), text->len);
    buf_free(text);
    return copy;
}

/* Bytes of a header field as one line of valid text, nothing else decoded. */
static const char *line_of(struct work *w, const char *bytes, size_t len)
{
    struct buf text = BUF_INIT(3 * TEXT_MAX), line = BUF_INIT(3 * TEXT_MAX);
    if (len <= TEXT_MAX && mime_charset_to_utf8(NULL, 0, bytes, len, &text))
        mime_text_append_line(buf_str(&text), text.len, &line);
    buf_free(&text);
    return kept(w, &line);
}

static const char *field_text(struct work *w, const char *name)
{
    struct mime_field field;
    struct buf text = BUF_INIT(TEXT_MAX);
    if (!mime_field_find(w->message, w->header_len, name, &field))
        return NULL;
    mime_text_decode(field.value, field.value_len, &text);
    return kept(w, &text);
}

static void add_person(struct work *w, const struct mime_address *from, struct graph_people *people)
{
    struct buf address = BUF_INIT(TEXT_MAX), name = BUF_INIT(TEXT_MAX);
    struct graph_person *p = &people->items[people->count];
    if (mime_address_spec(from, &address) && address.len) {
        p->address = line_of(w, buf_str(&address), address.len);
        if (from->name && mime_text_decode(from->name, strlen(from->name), &name) && name.len)
            p->name = arena_strdup(w->arena, buf_str(&name));
        people->count++;
    }
    buf_free(&address);
    buf_free(&name);
}

/* All fields of that name together, up to `max` people. */
static void read_people(struct work *w, const char *name, size_t max, struct graph_people *people)
{
    struct mime_field field;
    size_t pos = 0;
    people->items = arena_alloc(w->arena, max * sizeof *people->items);
    while (people->count < max && mime_field_next(w->message, w->header_len, &pos, &field)) {
        struct mime_addresses list;
        if (!mime_field_is(&field, name))
            continue;
        mime_addresses_parse(field.value, field.value_len, w->arena, &list);
        for (size_t i = 0; i < list.count && people->count < max; i++) {
            bool mark = !list.items[i].host;
            if (!mark)
                add_person(w, &list.items[i], people);
        }
    }
}

static void add_property(struct work *w, const char *id, const char *value)
{
    struct graph_new *m = &w->out->message;
    if (value && *value)
        m->properties[m->property_count++] = (struct graph_pair){.name = id, .value = value};
}

static const char *header_text(struct work *w)
{
    size_t raw = w->header_len < COMPOSE_HEADER_MAX ? w->header_len : COMPOSE_HEADER_MAX;
    struct buf text = BUF_INIT(COMPOSE_HEADER_MAX * 3);
    mime_charset_to_utf8(NULL, 0, w->message, raw, &text);
    if (raw < w->header_len || text.len > COMPOSE_HEADER_MAX) {
        if (text.len > COMPOSE_HEADER_MAX)
            text.len = COMPOSE_HEADER_MAX;
        while (text.len > 0 && text.data[text.len - 1] != '\n')
            text.len--;
        w->out->lossy = "header";
    }
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\0')
            text.data[i] = ' ';
    return kept(w, &text);
}

static const char *date_text(struct work *w)
{
    struct mime_field field;
    struct mime_date date;
    if (!mime_field_find(w->message, w->header_len, "Date", &field) ||
        !mime_date_parse(field.value, field.value_len, &date))
        return NULL;
    char *text = arena_alloc(w->arena, CLOCK_ISO_SIZE);
    clock_format_iso(date.wall_ms, text);
    return text;
}

static enum graph_importance importance(struct work *w)
{
    const char *text = field_text(w, "Importance"), *priority = field_text(w, "X-Priority");
    if ((text && strcasecmp(text, "high") == 0) ||
        (!text && priority && strchr("12", *priority) && *priority))
        return GRAPH_HIGH;
    if ((text && strcasecmp(text, "low") == 0) ||
        (!text && priority && strchr("45", *priority) && *priority))
        return GRAPH_LOW;
    return GRAPH_NORMAL;
}

/* Exchange's own would be taken for its word. */
static bool is_custom_header(const struct mime_field *field)
{
    static const char *const reserved[] = {"x-ms-", "x-microsoft", "x-forefront", "x-priority"};
    if (field->name_len < 3 || field->name_len > NAME_MAX_BYTES ||
        strncasecmp(field->name, "x-", 2) != 0)
        return false;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strncasecmp(field->name, reserved[i], strlen(reserved[i])) == 0)
            return false;
    return true;
}

static void read_custom_headers(struct work *w)
{
    struct graph_new *m = &w->out->message;
    struct mime_field field;
    size_t pos = 0;
    m->headers = arena_alloc(w->arena, GRAPH_HEADERS_MAX * sizeof *m->headers);
    while (m->header_count < GRAPH_HEADERS_MAX &&
           mime_field_next(w->message, w->header_len, &pos, &field)) {
        struct buf text = BUF_INIT(ID_MAX);
        if (is_custom_header(&field) && mime_text_decode(field.value, field.value_len, &text) &&
            text.len)
            m->headers[m->header_count++] =
                (struct graph_pair){.name = arena_strndup(w->arena, field.name, field.name_len),
                                    .value = arena_strdup(w->arena, buf_str(&text))};
        buf_free(&text);
    }
}

const char *compose_message_id(const char *message, size_t len, struct arena *a)
{
    struct mime_field field;
    struct buf text = BUF_INIT(ID_MAX);
    const char *id = NULL;
    if (mime_field_find(message, mime_header_size(message, len), "Message-ID", &field) &&
        mime_text_decode(field.value, field.value_len, &text)) {
        const char *open = strchr(buf_str(&text), '<'), *close = open ? strchr(open, '>') : NULL;
        if (close)
            id = arena_strndup(a, open, (size_t)(close - open) + 1);
    }
    buf_free(&text);
    return id;
}

static void read_header(struct work *w, size_t len)
{
    struct graph_new *m = &w->out->message;
    const char *subject = field_text(w, "Subject");
    m->subject = subject ? subject : "";
    read_people(w, "From", 1, &m->from);
    read_people(w, "Sender", 1, &m->sender);
    read_people(w, "To", COMPOSE_PEOPLE_MAX, &m->to);
    read_people(w, "Cc", COMPOSE_PEOPLE_MAX, &m->cc);
    read_people(w, "Bcc", COMPOSE_PEOPLE_MAX, &m->bcc);
    read_people(w, "Reply-To", COMPOSE_PEOPLE_MAX, &m->reply_to);
    if (m->sender.count == 0)
        m->sender = m->from;
    m->importance = importance(w);
    m->message_id = compose_message_id(w->message, len, w->arena);
    read_custom_headers(w);
    m->properties =
        arena_alloc(w->arena, (PROPERTIES_MAX + COMPOSE_SPARE_PROPERTIES) * sizeof *m->properties);
    add_property(w, "String 0x007D", header_text(w));
    add_property(w, "SystemTime 0x0039", date_text(w));
    add_property(w, "String 0x1035", m->message_id);
    add_property(w, "String 0x1039", field_text(w, "References"));
    add_property(w, "String 0x1042", field_text(w, "In-Reply-To"));
}

/* ---- parts ---- */

static const struct mime_part *part_at(const struct work *w, size_t index)
{
    return &w->parts.parts[index];
}

static bool is_text(const struct mime_part *p, const char *subtype)
{
    return p->kind == MIME_LEAF && mime_value_is(&p->content_type, "text", subtype) &&
           strcasecmp(p->disposition.type, "attachment") != 0;
}

/* The outermost multipart/alternative around a part; MIME_NO_PART: none. */
static size_t alternatives_of(const struct work *w, size_t index)
{
    size_t found = MIME_NO_PART;
    for (size_t up = part_at(w, index)->parent; up != MIME_NO_PART; up = part_at(w, up)->parent)
        if (mime_value_is(&part_at(w, up)->content_type, "multipart", "alternative"))
            found = up;
    return found;
}

static bool is_inside(const struct work *w, size_t index, size_t outer)
{
    size_t up = part_at(w, index)->parent;
    while (up != MIME_NO_PART && up != outer)
        up = part_at(w, up)->parent;
    return up != MIME_NO_PART;
}

/* Not part of an attached message, and of a multipart/related only its root. */
static bool may_be_body(const struct work *w, size_t index)
{
    for (size_t at = index, up = part_at(w, at)->parent; up != MIME_NO_PART;
         at = up, up = part_at(w, at)->parent)
        if (part_at(w, up)->kind == MIME_MESSAGE ||
            (mime_value_is(&part_at(w, up)->content_type, "multipart", "related") &&
             part_at(w, up)->first_child != at))
            return false;
    return true;
}

/* What stands first is the body; where it has an HTML form beside it, that. Text that stands
 * further behind is a file like others. */
static size_t find_body(const struct work *w)
{
    size_t first = MIME_NO_PART, around = MIME_NO_PART;
    for (size_t i = 0; i < w->parts.count; i++) {
        bool html = is_text(part_at(w, i), "html");
        if ((!html && !is_text(part_at(w, i), "plain")) || !may_be_body(w, i))
            continue;
        if (first == MIME_NO_PART) {
            first = i;
            around = alternatives_of(w, i);
            if (html || around == MIME_NO_PART)
                return i;
        } else if (html && is_inside(w, i, around)) {
            return i;
        }
    }
    return first;
}

/* Is the part another form of the body? */
static bool is_alternative(const struct work *w, size_t index)
{
    static const char *const forms[] = {"plain", "html", "enriched", "richtext", "x-amp-html"};
    size_t around = alternatives_of(w, w->body);
    bool text = false;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        text = text || is_text(part_at(w, index), forms[i]);
    return text && around != MIME_NO_PART && is_inside(w, index, around);
}

/* Parts whose meaning is in their exact bytes or in their place in the structure. */
static const char *lossy_type(const struct mime_part *p)
{
    static const struct {
        const char *type, *subtype;
    } types[] = {
        {"multipart", "signed"},         {"multipart", "encrypted"},
        {"multipart", "report"},         {"application", "pkcs7-mime"},
        {"application", "x-pkcs7-mime"}, {"application", "pgp-encrypted"},
        {"message", "partial"},          {"message", "external-body"},
        {"message", "delivery-status"},  {"message", "disposition-notification"},
        {"application", "ms-tnef"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (mime_value_is(&p->content_type, types[i].type, types[i].subtype))
            return types[i].subtype;
    if (mime_value_is(&p->content_type, "text", "calendar") &&
        mime_param_get(&p->content_type, "method"))
        return "calendar";
    return NULL;
}

static const char *extension(const struct mime_part *p)
{
    static const struct {
        const char *type, *subtype, *extension;
    } known[] = {
        {"text", "plain", "txt"},     {"text", "html", "html"},     {"text", "calendar", "ics"},
        {"message", "rfc822", "eml"}, {"message", "global", "eml"}, {"image", "png", "png"},
        {"image", "jpeg", "jpg"},     {"image", "gif", "gif"},      {"application", "pdf", "pdf"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (mime_value_is(&p->content_type, known[i].type, known[i].subtype))
            return known[i].extension;
    return "bin";
}

static const char *file_name(struct work *w, const struct mime_part *p)
{
    struct buf name = BUF_INIT(TEXT_MAX);
    if ((mime_param_decode(&p->disposition, "filename", &name) ||
         mime_param_decode(&p->content_type, "name", &name)) &&
        name.len && name.len <= NAME_MAX_BYTES)
        return kept(w, &name);
    buf_free(&name);
    return arena_printf(w->arena, "attachment-%zu.%s", ++w->unnamed, extension(p));
}

/* "image/png" as valid text; a type with odd bytes is any type. */
static const char *type_name(struct work *w, const struct mime_part *p)
{
    const struct mime_value *v = &p->content_type;
    const char *name = arena_printf(w->arena, "%s/%s", v->type, v->subtype ? v->subtype : "");
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return "application/octet-stream";
    return v->type[0] && v->subtype && v->subtype[0] ? name : "application/octet-stream";
}

/* Without its angle brackets, as Graph and "cid:" have it. */
static const char *content_id(struct work *w, const struct mime_part *p)
{
    if (!p->id)
        return NULL;
    const char *text = p->id + (*p->id == '<');
    size_t len = strlen(text);
    len -= len && text[len - 1] == '>';
    return len && len <= ID_MAX ? line_of(w, text, len) : NULL;
}

static void add_file(struct work *w, const struct mime_part *p)
{
    const struct graph_new *m = &w->out->message;
    struct compose_file *f = &w->out->files[w->out->file_count++];
    f->name = file_name(w, p);
    f->content_type = type_name(w, p);
    f->content_id = content_id(w, p);
    f->raw = w->message + p->body.start;
    f->raw_len = p->body.len;
    f->encoding =
        p->encoding ? mime_transfer_of(p->encoding, strlen(p->encoding)) : MIME_TRANSFER_NONE;
    if (f->content_id && m->html)
        f->is_inline = strstr(m->body, arena_printf(w->arena, "cid:%s", f->content_id)) != NULL;
}

static void read_body(struct work *w)
{
    struct graph_new *m = &w->out->message;
    struct buf decoded = BUF_INIT(COMPOSE_BODY_MAX), text = BUF_INIT(COMPOSE_BODY_MAX);
    m->body = "";
    if (w->body == MIME_NO_PART)
        return;
    const struct mime_part *p = part_at(w, w->body);
    const char *charset = mime_param_get(&p->content_type, "charset");
    enum mime_transfer encoding =
        p->encoding ? mime_transfer_of(p->encoding, strlen(p->encoding)) : MIME_TRANSFER_NONE;
    m->html = mime_value_is(&p->content_type, "text", "html");
    w->out->too_big =
        !mime_transfer_decode(encoding, w->message + p->body.start, p->body.len, &decoded) ||
        !mime_charset_to_utf8(charset, charset ? strlen(charset) : 0, buf_str(&decoded),
                              decoded.len, &text);
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\0')
            text.data[i] = ' ';
    buf_free(&decoded);
    m->body = kept(w, &text);
}

static void read_files(struct work *w)
{
    struct composed *out = w->out;
    out->files = arena_alloc(w->arena, (w->parts.count + 1) * sizeof *out->files);
    for (size_t i = 0, skip = MIME_NO_PART; i < w->parts.count; i++) {
        const struct mime_part *p = part_at(w, i);
        /* An attached message goes as a whole. */
        if (skip != MIME_NO_PART && p->depth > part_at(w, skip)->depth)
            continue;
        skip = p->kind == MIME_MESSAGE ? i : MIME_NO_PART;
        if (!out->lossy)
            out->lossy = lossy_type(p);
        if (p->kind != MIME_MULTIPART && i != w->body &&
            (w->body == MIME_NO_PART || !is_alternative(w, i)))
            add_file(w, p);
    }
    if (w->parts.cut)
        out->lossy = "structure";
}

void compose(const char *message, size_t len, struct arena *a, struct composed *out)
{
    struct work w = {.message = message, .arena = a, .out = out};
    memset(out, 0, sizeof *out);
    w.header_len = mime_header_size(message, len);
    mime_structure_parse(message, len, a, &w.parts);
    read_header(&w, len);
    w.body = find_body(&w);
    read_body(&w);
    read_files(&w);
}

bool compose_file_decode(const struct compose_file *file, struct buf *out)
{
    return mime_transfer_decode(file->encoding, file->raw, file->raw_len, out);
}
