#include "postern/mime/structure.h"

#include "postern/mime/header.h"

#include <string.h>
#include <strings.h>

/* A part whose end has not been seen. A part is open as long as those inside it. */
struct open_part {
    size_t index;
    size_t last_child;
    const char *boundary; /* NULL: not a multipart, or its closing boundary was seen */
    size_t boundary_len;
    size_t body_line; /* number of the line on which the body begins */
};

struct parser {
    const char *message;
    struct arena *arena;
    struct mime_structure *out;
    size_t cap;
    size_t line; /* number of the line being looked at */
    bool in_header;
    size_t depth; /* of open parts */
    struct open_part open[MIME_DEPTH_MAX + 1];
};

static struct open_part *innermost(struct parser *s)
{
    return &s->open[s->depth - 1];
}

/* Valid until the next part is added. */
static struct mime_part *part_of(struct parser *s, const struct open_part *o)
{
    return &s->out->parts[o->index];
}

static size_t add_part(struct parser *s, struct mime_part part)
{
    struct mime_structure *out = s->out;
    if (out->count == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 8;
        struct mime_part *grown = arena_alloc(s->arena, s->cap * sizeof *grown);
        if (out->count)
            memcpy(grown, out->parts, out->count * sizeof *grown);
        out->parts = grown;
    }
    out->parts[out->count] = part;
    return out->count++;
}

/* Is there room for one more part inside of `depth` others? */
static bool has_room(struct parser *s, size_t depth)
{
    bool room = depth <= MIME_DEPTH_MAX && s->out->count < MIME_PARTS_MAX;
    s->out->cut = s->out->cut || !room;
    return room;
}

/* Begins a part inside the innermost open one, or the message itself; its header is at `start`. */
static void open_part(struct parser *s, size_t start)
{
    struct mime_part part = {.kind = MIME_LEAF,
                             .parent = s->depth ? innermost(s)->index : MIME_NO_PART,
                             .first_child = MIME_NO_PART,
                             .next_sibling = MIME_NO_PART,
                             .depth = s->depth,
                             .header = {.start = start}};
    size_t index = add_part(s, part);
    if (s->depth) {
        struct open_part *parent = innermost(s);
        if (parent->last_child == MIME_NO_PART)
            s->out->parts[parent->index].first_child = index;
        else
            s->out->parts[parent->last_child].next_sibling = index;
        parent->last_child = index;
    }
    s->open[s->depth++] = (struct open_part){.index = index, .last_child = MIME_NO_PART};
    s->in_header = true;
}

static const char *keep_text(struct parser *s, const struct mime_field *f)
{
    const char *p = f->value, *end = f->value + f->value_len;
    while (p < end && strchr(" \t\r\n", *p) && *p)
        p++;
    while (end > p && strchr(" \t\r\n", end[-1]) && end[-1])
        end--;
    char *text = arena_alloc(s->arena, (size_t)(end - p) + 1), *to = text;
    for (; p < end; p++) {
        if (*p != '\r' && *p != '\n' && *p != '\0')
            *to++ = *p;
    }
    return text;
}

/* The first field of a name counts. */
static void take_field(struct parser *s, const struct mime_field *f, struct mime_part *part)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {{"Content-ID", &part->id},
                 {"Content-Description", &part->description},
                 {"Content-MD5", &part->md5},
                 {"Content-Language", &part->language},
                 {"Content-Location", &part->location}};
    if (f->name_len < 8 || strncasecmp(f->name, "Content-", 8) != 0)
        return;
    if (mime_field_is(f, "Content-Type") && !part->type_given) {
        mime_value_parse(f->value, f->value_len, s->arena, &part->content_type);
        part->type_given = part->content_type.type[0] && part->content_type.subtype &&
                           part->content_type.subtype[0];
    } else if (mime_field_is(f, "Content-Disposition") && !part->disposition.type[0]) {
        mime_value_parse(f->value, f->value_len, s->arena, &part->disposition);
    } else if (mime_field_is(f, "Content-Transfer-Encoding") && !part->encoding) {
        struct mime_value value; /* what some writers put around the word is left out */
        mime_value_parse(f->value, f->value_len, s->arena, &value);
        part->encoding = value.type[0] ? value.type : NULL;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!*texts[i].text && mime_field_is(f, texts[i].name))
            *texts[i].text = keep_text(s, f);
    }
}

static void read_header(struct parser *s, struct mime_part *part)
{
    const char *header = s->message + part->header.start;
    size_t pos = 0;
    struct mime_field f;
    part->disposition.type = "";
    while (mime_field_next(header, part->header.len, &pos, &f))
        take_field(s, &f, part);
    if (part->type_given)
        return;
    bool in_digest =
        part->parent != MIME_NO_PART &&
        mime_value_is(&s->out->parts[part->parent].content_type, "multipart", "digest");
    part->content_type = in_digest ? (struct mime_value){.type = "message", .subtype = "rfc822"}
                                   : (struct mime_value){.type = "text", .subtype = "plain"};
}

/* NULL: there is none, or an empty one. In pieces ("boundary*0") it is one too (RFC 2231). */
static const char *boundary_of(struct parser *s, const struct mime_part *part)
{
    const char *boundary = mime_param_get(&part->content_type, "boundary");
    if (!boundary) {
        struct buf pieces = BUF_INIT(part->header.len);
        if (mime_param_decode(&part->content_type, "boundary", &pieces))
            boundary = arena_strndup(s->arena, buf_str(&pieces), pieces.len);
        buf_free(&pieces);
    }
    return boundary && *boundary ? boundary : NULL;
}

/* The innermost part's header ends and its body begins at `pos`, on line `line`. */
static void end_header(struct parser *s, size_t pos, size_t line)
{
    struct open_part *o = innermost(s);
    struct mime_part *part = part_of(s, o);
    part->header.len = pos - part->header.start;
    part->body.start = pos;
    o->body_line = line;
    s->in_header = false;
    read_header(s, part);
    if (strcasecmp(part->content_type.type, "multipart") == 0) {
        o->boundary = boundary_of(s, part);
        o->boundary_len = o->boundary ? strlen(o->boundary) : 0;
    } else if (mime_value_is(&part->content_type, "message", "rfc822") && has_room(s, s->depth)) {
        part->kind = MIME_MESSAGE;
        open_part(s, pos);
    }
}

/* Closes the open parts down to `depth` of them, before the line at `pos`. With `delimited` the
 * line end before it belongs to that line (RFC 2046 section 5.1.1), be it that of a blank line
 * behind a header, but not that of a header's line. */
static void close_parts(struct parser *s, size_t depth, size_t pos, bool delimited)
{
    size_t end = pos;
    bool in_field = s->in_header && part_of(s, innermost(s))->header.start < pos;
    if (delimited && !in_field && end > 0 && s->message[end - 1] == '\n')
        end -= end > 1 && s->message[end - 2] == '\r' ? 2 : 1;
    /* Twice: a message part without a blank line holds a message that ends here too. */
    for (int i = 0; i < 2 && s->in_header && s->depth > depth; i++)
        end_header(s, pos, s->line);
    bool ended = end == pos && pos > 0 && s->message[end - 1] == '\n';
    for (; s->depth > depth; s->depth--) {
        struct open_part *o = innermost(s);
        struct mime_part *part = part_of(s, o);
        if (part->header.start > end)
            part->header.start = end;
        if (part->body.start > end)
            part->body.start = end;
        part->header.len = part->body.start - part->header.start;
        part->body.len = end - part->body.start;
        if (part->body.len > 0)
            part->body_lines = s->line - o->body_line - !ended;
    }
}

/* Is the line a boundary of the open part at `*level`, counted from the outermost? It need only
 * begin with one (RFC 2046 section 5.1.1), and where it does with several the longest is meant. */
static bool is_boundary(const struct parser *s, const char *line, size_t len, size_t *level,
                        bool *closing)
{
    size_t best = 0;
    if (len < 3 || line[0] != '-' || line[1] != '-')
        return false;
    for (size_t i = s->depth; i-- > 0;) {
        const struct open_part *o = &s->open[i];
        if (!o->boundary || o->boundary_len <= best || o->boundary_len > len - 2 ||
            memcmp(line + 2, o->boundary, o->boundary_len) != 0)
            continue;
        best = o->boundary_len;
        *level = i;
    }
    *closing = len - 2 - best >= 2 && memcmp(line + 2 + best, "--", 2) == 0;
    return best > 0;
}

/* The line from `pos` to `next` is a boundary. */
static void take_boundary(struct parser *s, size_t level, bool closing, size_t pos, size_t next)
{
    if (!closing && !has_room(s, level + 1))
        return;
    close_parts(s, level + 1, pos, true);
    if (closing) {
        s->open[level].boundary = NULL;
        return;
    }
    part_of(s, innermost(s))->kind = MIME_MULTIPART;
    open_part(s, next);
}

void mime_structure_parse(const char *message, size_t len, struct arena *arena,
                          struct mime_structure *out)
{
    struct parser s = {.message = message, .arena = arena, .out = out};
    *out = (struct mime_structure){.parts = NULL};
    open_part(&s, 0);
    for (size_t pos = 0, next; pos < len; pos = next, s.line++) {
        const char *line = message + pos;
        const char *lf = memchr(line, '\n', len - pos);
        size_t level, size = lf ? (size_t)(lf - line) + 1 : len - pos;
        bool closing;
        next = pos + size;
        if (is_boundary(&s, line, size, &level, &closing))
            take_boundary(&s, level, closing, pos, next);
        else if (s.in_header && (line[0] == '\n' || (size == 2 && line[0] == '\r' && lf)))
            end_header(&s, next, s.line + 1);
    }
    close_parts(&s, 0, len, false);
}
