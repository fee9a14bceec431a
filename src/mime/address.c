#include "postern/mime/address.h"

#include <string.h>

/* The parser's state. The buffers cannot overflow: each is as large as the value. */
struct parser {
    const char *p;
    const char *end;
    struct arena *arena;
    struct mime_addresses *list;
    size_t cap;
    bool in_group;
    bool spaced;        /* white space or a comment was passed before what comes now */
    struct buf comment; /* the last one passed */
    struct buf words;   /* the phrase or local part being read */
    struct buf host;
    struct buf route;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

/* Adds one byte of text; a line end or NUL cannot be part of any. */
static void add_char(struct buf *b, char c)
{
    if (c != '\r' && c != '\n' && c != '\0')
        buf_putc(b, c);
}

/* At the byte behind "(": comments nest, so their depth is counted. */
static void read_comment(struct parser *s)
{
    buf_clear(&s->comment);
    for (int depth = 1; s->p < s->end; s->p++) {
        char c = *s->p;
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        if (depth == 0) {
            s->p++;
            return;
        }
        if (c == '\\' && s->end - s->p > 1)
            c = *++s->p;
        add_char(&s->comment, c);
    }
}

/* Passes white space and comments (CFWS). */
static void skip_filling(struct parser *s)
{
    s->spaced = false;
    while (s->p < s->end && (is_blank(*s->p) || *s->p == '(')) {
        s->spaced = true;
        if (*s->p++ == '(')
            read_comment(s);
    }
}

/* At the byte behind the opening quote. */
static void read_quoted(struct parser *s, struct buf *out)
{
    for (; s->p < s->end; s->p++) {
        char c = *s->p;
        if (c == '"') {
            s->p++;
            return;
        }
        if (c == '\\' && s->end - s->p > 1)
            c = *++s->p;
        add_char(out, c);
    }
}

/* What white space and comments between two words are: a space in a phrase; in an address nothing
 * around a dot (RFC 5322 section 4.4), and elsewhere a fault to be seen. */
enum joint { JOIN_PHRASE, JOIN_SPEC };

/* Reads words and quoted strings up to one of `stops`. Filling at the ends is passed. */
static void read_words(struct parser *s, const char *stops, enum joint joint, struct buf *out)
{
    for (bool first = true;; first = false) {
        skip_filling(s);
        if (s->p == s->end || strchr(stops, *s->p))
            return;
        bool dotted = *s->p == '.' || (out->len > 0 && out->data[out->len - 1] == '.');
        if (joint == JOIN_PHRASE ? !first && out->len > 0 : s->spaced && !first && !dotted)
            buf_putc(out, ' ');
        if (*s->p == '"') {
            s->p++;
            read_quoted(s, out);
            continue;
        }
        while (s->p < s->end && !is_blank(*s->p) && *s->p != '(' && *s->p != '"' &&
               !strchr(stops, *s->p))
            buf_putc(out, *s->p++);
    }
}

static bool is_domain_char(char c)
{
    return !is_blank(c) && !strchr("(),;:<>@[]\\\"", c);
}

/* Words with dots between them; around a dot there may be filling (RFC 5322 section 4.4). */
static void read_domain(struct parser *s)
{
    do {
        while (s->p < s->end && is_domain_char(*s->p))
            buf_putc(&s->host, *s->p++);
        skip_filling(s);
    } while (s->p < s->end && s->host.len > 0 && is_domain_char(*s->p) &&
             (*s->p == '.' || s->host.data[s->host.len - 1] == '.'));
}

/* A domain, or a literal "[...]" in which none of the stops counts. What else stands before a stop
 * is passed over. */
static void read_host(struct parser *s, const char *stops)
{
    buf_clear(&s->host);
    skip_filling(s);
    if (s->p < s->end && *s->p == '[') {
        while (s->p < s->end && *s->p != ']')
            add_char(&s->host, *s->p++);
        if (s->p < s->end)
            add_char(&s->host, *s->p++);
        skip_filling(s);
    } else {
        read_domain(s);
    }
    while (s->p < s->end && !strchr(stops, *s->p)) {
        s->p++;
        skip_filling(s);
    }
}

static const char *keep(struct parser *s, const struct buf *b)
{
    return arena_strndup(s->arena, buf_str(b), b->len);
}

/* Marks are added beyond the limit too, so that every group is closed. */
static void add(struct parser *s, struct mime_address address)
{
    struct mime_addresses *list = s->list;
    if (list->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 4;
        struct mime_address *grown = arena_alloc(s->arena, s->cap * sizeof *grown);
        if (list->count)
            memcpy(grown, list->items, list->count * sizeof *grown);
        list->items = grown;
    }
    list->items[list->count++] = address;
}

/* "@route,@route:" of an angle address; false, and nothing read, if none stands there. */
static bool read_route(struct parser *s)
{
    const char *start = s->p;
    buf_clear(&s->route);
    while (s->p < s->end && (*s->p == '@' || *s->p == ',')) {
        if (*s->p++ == '@') {
            read_host(s, ",:>");
            buf_printf(&s->route, "%s@%s", s->route.len ? "," : "", buf_str(&s->host));
        }
        skip_filling(s);
    }
    if (s->route.len && s->p < s->end && *s->p == ':') {
        s->p++;
        return true;
    }
    s->p = start; /* "<@host>" */
    return false;
}

static bool skip_run(struct parser *s, char c)
{
    const char *start = s->p;
    while (s->p < s->end && *s->p == c)
        s->p++;
    return s->p > start;
}

/* At "<"; the phrase has been read. */
static void read_angle(struct parser *s, struct mime_address *a)
{
    a->name = s->words.len ? keep(s, &s->words) : NULL;
    buf_clear(&s->words);
    skip_run(s, '<');
    skip_filling(s);
    if (read_route(s))
        a->adl = keep(s, &s->route);
    read_words(s, "@,;>", JOIN_SPEC, &s->words);
    a->mailbox = keep(s, &s->words);
    if (skip_run(s, '@')) {
        read_host(s, ",;>");
        a->host = keep(s, &s->host);
    }
    skip_run(s, '>');
    skip_filling(s); /* a comment here belongs to this address */
    while (s->p < s->end && !strchr(",;<", *s->p)) {
        s->p++;
        skip_filling(s);
    }
}

/* "local@host" without brackets, at `start`. As a phrase it has been read, but filling counts
 * differently here. "a@b <c@d>" is a phrase after all. */
static void read_spec(struct parser *s, const char *start, struct mime_address *a)
{
    s->p = start;
    buf_clear(&s->words);
    read_words(s, "@", JOIN_SPEC, &s->words);
    a->mailbox = keep(s, &s->words);
    skip_run(s, '@');
    read_host(s, ",;<");
    a->host = keep(s, &s->host);
    if (s->p < s->end && *s->p == '<') {
        buf_putc(&s->words, '@');
        buf_append(&s->words, buf_str(&s->host), s->host.len);
        read_angle(s, a);
    }
}

/* Reads one address or the opening of a group. Something stands there. A phrase alone is somebody's
 * name, a single word a mailbox of this host. */
static void read_address(struct parser *s)
{
    struct mime_address a = {.host = ""};
    const char *start = s->p;
    buf_clear(&s->words);
    read_words(s, s->in_group ? ",;<@" : ",:;<@", JOIN_PHRASE, &s->words);
    char stop = s->p < s->end ? *s->p : ',';
    if (stop == ':') {
        s->p++;
        s->in_group = true;
        add(s, (struct mime_address){.mailbox = keep(s, &s->words)});
        return;
    }
    if (stop == '<')
        read_angle(s, &a);
    else if (stop == '@')
        read_spec(s, start, &a);
    else if (*start == '"' || strchr(buf_str(&s->words), ' '))
        a = (struct mime_address){.name = keep(s, &s->words), .mailbox = "", .host = ""};
    else
        a.mailbox = keep(s, &s->words);
    if (!a.name && s->comment.len)
        a.name = keep(s, &s->comment);
    add(s, a);
}

static void close_group(struct parser *s)
{
    if (s->in_group)
        add(s, (struct mime_address){.host = NULL});
    s->in_group = false;
}

void mime_addresses_parse(const char *value, size_t len, struct arena *arena,
                          struct mime_addresses *list)
{
    *list = (struct mime_addresses){.items = NULL};
    struct parser s = {.p = value,
                       .end = value + len,
                       .arena = arena,
                       .list = list,
                       .comment = BUF_INIT(len),
                       .words = BUF_INIT(len),
                       .host = BUF_INIT(len),
                       .route = BUF_INIT(len)};
    while (!list->cut) {
        buf_clear(&s.comment);
        skip_filling(&s);
        if (s.p == s.end)
            break;
        if (*s.p == ';')
            close_group(&s);
        if (*s.p == ',' || *s.p == ';')
            s.p++;
        else if (list->count < MIME_ADDRESSES_MAX)
            read_address(&s);
        else
            list->cut = true;
    }
    close_group(&s);
    buf_free(&s.comment);
    buf_free(&s.words);
    buf_free(&s.host);
    buf_free(&s.route);
}

/* A local part of atoms and single dots needs no quoting (RFC 5322 section 3.2.3). */
static bool is_dot_atom(const char *local)
{
    if (!*local || *local == '.' || local[strlen(local) - 1] == '.' || strstr(local, ".."))
        return false;
    for (; *local; local++) {
        if ((unsigned char)*local <= ' ' || *local == 0x7f || strchr("()<>[]:;@\\,\"", *local))
            return false;
    }
    return true;
}

bool mime_address_spec(const struct mime_address *address, struct buf *out)
{
    if (is_dot_atom(address->mailbox)) {
        buf_puts(out, address->mailbox);
    } else {
        buf_putc(out, '"');
        for (const char *c = address->mailbox; *c; c++) {
            if (*c == '"' || *c == '\\')
                buf_putc(out, '\\');
            buf_putc(out, *c);
        }
        buf_putc(out, '"');
    }
    if (*address->host) {
        buf_putc(out, '@');
        buf_puts(out, address->host);
    }
    return !out->overflow;
}
