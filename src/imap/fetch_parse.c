/* The arguments of FETCH (RFC 3501 section 9: fetch-att; RFC 3516 section 4; RFC 7162 section
 * 3.1.4.1). */
#include "fetch.h"
#include "respond.h"

#include "postern/base/buf.h"

#include <string.h>
#include <strings.h>

#define ITEMS_MAX  1000 /* of one command */
#define FIELDS_MAX 1000 /* of one section */
#define MACRO_MAX  5    /* what a macro stands for */
/* Of one item as told back; the fields' names make it long. */
#define LABEL_MAX ((size_t)64 * 1024)

struct parser {
    const struct imap_arg *at;
    struct arena *arena;
    struct fetch_request *out;
    size_t room; /* items that fit */
    const char *wrong;
};

static bool fail(struct parser *p, const char *wrong)
{
    p->wrong = wrong;
    return false;
}

static bool over_limit(struct parser *p, const char *wrong)
{
    p->out->over_limit = true;
    return fail(p, wrong);
}

static bool add(struct parser *p, struct fetch_item item, unsigned needs)
{
    if (p->out->count == p->room)
        return over_limit(p, "Too many items in one FETCH");
    p->out->items[p->out->count++] = item;
    p->out->needs |= needs;
    return true;
}

static const struct {
    const char *name;
    enum fetch_kind kind;
    unsigned needs;
} simple[] = {
    {"UID", FETCH_UID, 0},
    {"FLAGS", FETCH_FLAGS, 0},
    {"INTERNALDATE", FETCH_INTERNALDATE, 0},
    {"RFC822.SIZE", FETCH_SIZE, FETCH_NEEDS_SIZE},
    {"MODSEQ", FETCH_MODSEQ, 0},
    {"EMAILID", FETCH_EMAILID, 0},
    {"THREADID", FETCH_THREADID, 0},
    {"ENVELOPE", FETCH_ENVELOPE, FETCH_NEEDS_ENVELOPE},
    {"BODY", FETCH_BODY, FETCH_NEEDS_STRUCTURE},
    {"BODYSTRUCTURE", FETCH_BODYSTRUCTURE, FETCH_NEEDS_STRUCTURE},
};

/* The items of RFC 822 by another name (RFC 3501 section 6.4.5). */
static const struct {
    const char *name;
    enum section_kind kind;
    bool sets_seen;
} old[] = {
    {"RFC822", SECTION_WHOLE, true},
    {"RFC822.HEADER", SECTION_HEADER, false},
    {"RFC822.TEXT", SECTION_TEXT, true},
};

static const struct {
    const char *name;
    const char *items[MACRO_MAX + 1];
} macros[] = {
    {"ALL", {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"}},
    {"FAST", {"FLAGS", "INTERNALDATE", "RFC822.SIZE"}},
    {"FULL", {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"}},
};

static bool has_kind(const struct fetch_request *r, enum fetch_kind kind)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->items[i].kind == kind)
            return true;
    return false;
}

/* True: `name` is one, and it was added (or *ok is false). One that is asked for twice is told
 * once. */
static bool take_simple(struct parser *p, const char *name, bool *ok)
{
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++) {
        if (strcasecmp(name, simple[i].name) != 0)
            continue;
        struct fetch_item item = {.kind = simple[i].kind, .label = simple[i].name};
        *ok = has_kind(p->out, item.kind) || add(p, item, simple[i].needs);
        return true;
    }
    for (size_t i = 0; i < sizeof old / sizeof *old; i++) {
        if (strcasecmp(name, old[i].name) != 0)
            continue;
        struct fetch_item item = {
            .kind = FETCH_SECTION, .label = old[i].name, .section = {.kind = old[i].kind}};
        p->out->sets_seen = p->out->sets_seen || old[i].sets_seen;
        *ok = add(p, item, FETCH_NEEDS_BODY);
        return true;
    }
    return false;
}

static bool take_macro(struct parser *p, const char *name, bool *ok)
{
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++) {
        if (strcasecmp(name, macros[i].name) != 0)
            continue;
        *ok = true;
        for (size_t k = 0; macros[i].items[k]; k++)
            take_simple(p, macros[i].items[k], ok);
        return true;
    }
    return false;
}

/* "(From To)": the names in the arena. */
static bool take_fields(struct parser *p, struct fetch_section *section)
{
    const struct imap_arg *list = p->at;
    if (list->type != IMAP_ARG_LIST || list->count == 0)
        return fail(p, "HEADER.FIELDS needs a list of field names");
    if (list->count > FIELDS_MAX)
        return over_limit(p, "Too many field names");
    const char **names = arena_alloc(p->arena, (list->count + 1) * sizeof *names);
    for (size_t i = 0; i < list->count; i++) {
        names[i] = imap_arg_astring(&list->list[i]);
        if (!names[i])
            return fail(p, "A field name must be an atom or a string");
    }
    section->fields = names;
    p->at++;
    return true;
}

/* "<5.10>" of what is asked for, or "<5>", which clients send that want all the rest; nothing if
 * there is none. */
static bool take_partial(struct parser *p, const char *text, struct fetch_item *item)
{
    if (!*text)
        return true;
    const char *dot = strchr(text, '.'), *end = text + strlen(text) - 1;
    const char *stop = dot && dot < end ? dot : end;
    struct imap_arg offset = {.type = IMAP_ARG_ATOM}, length = {.type = IMAP_ARG_ATOM};
    item->partial = *text == '<' && end > text && *end == '>';
    item->length = INT64_MAX;
    if (item->partial) {
        offset.len = (size_t)(stop - text - 1);
        offset.text = arena_strndup(p->arena, text + 1, offset.len);
        length.len = stop < end ? (size_t)(end - stop - 1) : 0;
        length.text = arena_strndup(p->arena, stop + 1, length.len);
        item->partial = imap_arg_number64(&offset, &item->offset) &&
                        (stop == end || imap_arg_number64(&length, &item->length));
    }
    if (!item->partial || item->length == 0)
        return fail(p, "A partial range is written <offset.length>, the length not 0");
    return true;
}

static const char *label_of(struct parser *p, const char *name, const struct fetch_item *item,
                            const char *section)
{
    struct buf label = BUF_INIT(LABEL_MAX);
    buf_printf(&label, "%s[%s", name, section);
    for (size_t i = 0; item->section.fields && item->section.fields[i]; i++) {
        const char *field = item->section.fields[i];
        buf_puts(&label, i ? " " : " (");
        imap_put_astring(&label, field);
    }
    buf_puts(&label, item->section.fields ? ")]" : "]");
    if (item->partial)
        buf_printf(&label, "<%llu>", (unsigned long long)item->offset);
    const char *text = label.overflow ? NULL : arena_strdup(p->arena, buf_str(&label));
    buf_free(&label);
    return text;
}

/* A top-level choice of fields needs no body. */
static unsigned needs_of(const struct fetch_item *item)
{
    bool fields = item->section.kind == SECTION_FIELDS || item->section.kind == SECTION_FIELDS_NOT;
    return fields && item->kind == FETCH_SECTION && item->section.depth == 0 ? FETCH_NEEDS_HEADER
                                                                             : FETCH_NEEDS_BODY;
}

static const struct {
    const char *name;  /* as asked for */
    const char *label; /* as told */
    enum fetch_kind kind;
    bool sets_seen;
} bracketed[] = {
    {"BODY", "BODY", FETCH_SECTION, true},
    {"BODY.PEEK", "BODY", FETCH_SECTION, false},
    {"BINARY", "BINARY", FETCH_BINARY, true},
    {"BINARY.PEEK", "BINARY", FETCH_BINARY, false},
    {"BINARY.SIZE", "BINARY.SIZE", FETCH_BINARY_SIZE, false},
};

/* The atom at p->at with a bracket in it, and what follows. */
static bool take_bracketed(struct parser *p, const char *bracket)
{
    const char *name = p->at->text, *section = bracket + 1, *close = strchr(section, ']');
    size_t which = 0, count = sizeof bracketed / sizeof *bracketed;
    while (which < count &&
           (strlen(bracketed[which].name) != (size_t)(bracket - name) ||
            strncasecmp(bracketed[which].name, name, (size_t)(bracket - name)) != 0))
        which++;
    size_t len = close ? (size_t)(close - section) : strlen(section);
    struct fetch_item item = {0};
    if (which == count || !section_parse(section, len, p->arena, &item.section))
        return fail(p, which == count ? "Unknown item" : "Malformed section");
    bool fields = item.section.kind == SECTION_FIELDS || item.section.kind == SECTION_FIELDS_NOT;
    item.kind = bracketed[which].kind;
    if (fields == (close != NULL))
        return fail(p,
                    fields ? "HEADER.FIELDS needs a list of field names" : "A section ends with ]");
    p->at++;
    if (fields && (!take_fields(p, &item.section)))
        return false;
    if (fields) {
        if (p->at->type != IMAP_ARG_ATOM || !p->at->glued || p->at->text[0] != ']')
            return fail(p, "A section ends with ]");
        close = p->at++->text;
    }
    if (!take_partial(p, close + 1, &item))
        return false;
    if (item.partial && item.kind == FETCH_BINARY_SIZE)
        return fail(p, "BINARY.SIZE has no partial range");
    char *told = arena_strndup(p->arena, section, len);
    for (char *t = told; *t; t++)
        *t = (char)(*t >= 'a' && *t <= 'z' ? *t - 'a' + 'A' : *t);
    item.label = label_of(p, bracketed[which].label, &item, told);
    if (!item.label)
        return over_limit(p, "Too many field names");
    p->out->sets_seen = p->out->sets_seen || bracketed[which].sets_seen;
    return add(p, item, needs_of(&item));
}

/* One item, which may be several arguments. */
static bool take_item(struct parser *p, bool macro_allowed)
{
    bool ok = true;
    if (p->at->type != IMAP_ARG_ATOM)
        return fail(p, "An item is an atom");
    const char *bracket = strchr(p->at->text, '[');
    if (bracket)
        return take_bracketed(p, bracket);
    const char *name = p->at++->text;
    if (take_simple(p, name, &ok) || (macro_allowed && take_macro(p, name, &ok)))
        return ok;
    return fail(p, "Unknown item");
}

/* "(CHANGEDSINCE 12345)" */
static bool take_modifiers(struct parser *p)
{
    const struct imap_arg *list = p->at;
    if (list->type != IMAP_ARG_LIST || list->count != 2 ||
        !imap_arg_is_atom(&list->list[0], "CHANGEDSINCE") ||
        !imap_arg_number64(&list->list[1], &p->out->changed_since))
        return fail(p, "The one modifier is (CHANGEDSINCE modseq)");
    p->out->changed_since_given = true;
    p->at++;
    return true;
}

const char *fetch_parse(const struct imap_command *c, struct arena *a, struct fetch_request *out)
{
    struct parser p = {.arena = a, .out = out};
    *out = (struct fetch_request){0};
    if (c->count < 2)
        return "FETCH needs a sequence set and items";
    const struct imap_arg *items = &c->args[1];
    bool listed = items->type == IMAP_ARG_LIST, ok = true;
    size_t asked = listed ? items->count : 1;
    p.room = 1 + (asked < ITEMS_MAX ? asked : ITEMS_MAX) + MACRO_MAX;
    out->items = arena_alloc(a, (p.room + 1) * sizeof *out->items); /* MODSEQ may be added */
    p.at = listed ? items->list : items;
    if (c->uid)
        out->items[out->count++] = (struct fetch_item){.kind = FETCH_UID, .label = "UID"};
    if (!listed) {
        ok = take_item(&p, true);
    } else if (items->count == 0) {
        ok = fail(&p, "No items");
    } else {
        while (ok && p.at->type != IMAP_ARG_END)
            ok = take_item(&p, items->count == 1);
        p.at = items + 1;
    }
    if (ok && p.at->type != IMAP_ARG_END)
        ok = take_modifiers(&p);
    if (ok && p.at->type != IMAP_ARG_END)
        return "Too many arguments";
    if (ok && out->changed_since_given && !has_kind(out, FETCH_MODSEQ))
        out->items[out->count++] = (struct fetch_item){.kind = FETCH_MODSEQ, .label = "MODSEQ"};
    out->wants_modseq = has_kind(out, FETCH_MODSEQ);
    return p.wrong;
}
