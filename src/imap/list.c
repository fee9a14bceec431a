/*
 * LIST and LSUB (RFC 3501 sections 6.3.8 and 6.3.9), with LIST-EXTENDED (RFC 5258), LIST-STATUS
 * (RFC 5819), SPECIAL-USE (RFC 6154) and CHILDREN (RFC 3348).
 */
#include "list.h"
#include "commands.h"
#include "folders.h"
#include "pattern.h"
#include "respond.h"
#include "utf7.h"

#include "postern/base/alloc.h"
#include "postern/base/table.h"

#include <stdlib.h>
#include <string.h>

#define RESPONSE_MAX ((size_t)128 * 1024)

/* A name that may be listed. */
struct entry {
    const char *name;
    const struct mailbox_node *node; /* NULL: there is no such folder */
    bool subscribed;
    bool matches;          /* one of the patterns */
    bool child_subscribed; /* a name below it is, of those that count */
};

struct listing {
    struct imap_session *session;
    struct imap_list_request *request;
    struct mailbox_tree *tree;
    int64_t since_ms;
    struct entry **entries;
    size_t count, cap;
    struct table *by_name;
};

/* ---- the names ---- */

static struct entry *add_entry(struct listing *l, const char *name, size_t len)
{
    struct entry *entry = arena_alloc(l->session->arena, sizeof *entry);
    entry->name = arena_strndup(l->session->arena, name, len);
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->entries = xreallocarray(l->entries, l->cap, sizeof *l->entries);
    }
    l->entries[l->count++] = entry;
    table_put(l->by_name, entry->name, entry);
    for (size_t i = 0; !entry->matches && i < l->request->pattern_count; i++)
        entry->matches = imap_pattern_match(l->request->patterns[i], entry->name);
    return entry;
}

static void add_orphan(void *arg, const char *name)
{
    add_entry(arg, name, strlen(name))->subscribed = true;
}

/* Tells every parent of the name, whether there is such a folder or not. */
static void mark_parents(struct listing *l, const char *name)
{
    for (const char *end = strrchr(name, '/'); end > name;
         end = memrchr(name, '/', (size_t)(end - name))) {
        char *parent = xasprintf("%.*s", (int)(end - name), name);
        struct entry *entry = table_get(l->by_name, parent);
        free(parent);
        if (!entry)
            entry = add_entry(l, name, (size_t)(end - name));
        entry->child_subscribed = true;
        if (!memchr(name, '/', (size_t)(end - name)))
            return;
    }
}

static void collect(struct listing *l)
{
    const struct imap_list_request *r = l->request;
    for (size_t i = 0; i < mailbox_tree_count(l->tree); i++) {
        const struct mailbox_node *node = mailbox_tree_at(l->tree, i);
        struct entry *entry = add_entry(l, node->name, strlen(node->name));
        entry->node = node;
        entry->subscribed = node->subscribed;
    }
    if (!(r->select & IMAP_LIST_SUBSCRIBED))
        return;
    mailbox_tree_orphans(l->tree, add_orphan, l);
    bool parents = r->select & IMAP_LIST_RECURSIVE;
    if (r->lsub)
        parents = r->pattern_count > 0 && strchr(r->patterns[0], '%');
    /* LSUB with a '%' tells a parent for a name that it does not tell itself. */
    for (size_t i = 0, count = l->count; parents && i < count; i++)
        if (l->entries[i]->subscribed && !(r->lsub && l->entries[i]->matches))
            mark_parents(l, l->entries[i]->name);
}

/* ---- the responses ---- */

static const char *const uses[] = {
    [MAILBOX_USE_ARCHIVE] = "\\Archive", [MAILBOX_USE_DRAFTS] = "\\Drafts",
    [MAILBOX_USE_JUNK] = "\\Junk",       [MAILBOX_USE_SENT] = "\\Sent",
    [MAILBOX_USE_TRASH] = "\\Trash",
};

static const char *use_of(const struct entry *entry)
{
    return entry->node ? uses[entry->node->use] : NULL;
}

static void put_attribute(struct buf *out, const char *attribute)
{
    if (out->data[out->len - 1] != '(')
        buf_putc(out, ' ');
    buf_puts(out, attribute);
}

static void put_attributes(const struct listing *l, const struct entry *entry, struct buf *out)
{
    const struct imap_list_request *r = l->request;
    bool told = r->lsub ? entry->subscribed : entry->node != NULL;
    if (!told)
        put_attribute(out, r->lsub ? "\\Noselect" : "\\NonExistent");
    if (entry->node)
        put_attribute(out, entry->node->has_children ? "\\HasChildren" : "\\HasNoChildren");
    if (use_of(entry))
        put_attribute(out, use_of(entry));
    if (entry->subscribed && !r->lsub && ((r->select | r->give) & IMAP_LIST_SUBSCRIBED))
        put_attribute(out, "\\Subscribed");
}

static void tell(const struct listing *l, const struct entry *entry)
{
    struct buf out = BUF_INIT(RESPONSE_MAX);
    bool recursive = l->request->select & IMAP_LIST_RECURSIVE;
    buf_printf(&out, "* %s (", l->request->lsub ? "LSUB" : "LIST");
    put_attributes(l, entry, &out);
    buf_puts(&out, ") \"/\" ");
    imap_put_mailbox(&out, entry->name);
    if (recursive && entry->child_subscribed)
        buf_puts(&out, " (\"CHILDINFO\" (\"SUBSCRIBED\"))");
    buf_puts(&out, "\r\n");
    imap_send(l->session, &out);
    buf_free(&out);
}

static bool is_selected(const struct listing *l, const struct entry *entry)
{
    const struct imap_list_request *r = l->request;
    if (!entry->matches)
        return false;
    if ((r->select & IMAP_LIST_SPECIAL) && !use_of(entry))
        return false;
    if (!(r->select & IMAP_LIST_SUBSCRIBED))
        return entry->node != NULL;
    return entry->subscribed || entry->child_subscribed;
}

/* Those that fail are left out (RFC 5819 section 2): the client has the name and may ask again. */
static void tell_status(struct listing *l, const char *const *names, size_t count)
{
    struct error *errors = xcalloc(count + 1, sizeof *errors);
    if (l->request->status && count > 0)
        imap_tell_status(l->session, names, count, l->request->status, l->since_ms, errors);
    free(errors);
}

static void tell_all(struct listing *l)
{
    const char **names = xcalloc(l->count + 1, sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (!is_selected(l, l->entries[i]))
            continue;
        tell(l, l->entries[i]);
        if (l->entries[i]->node)
            names[count++] = l->entries[i]->name;
    }
    tell_status(l, names, count);
    free(names);
}

static const char *what_is_asked(struct imap_session *s, const struct imap_list_request *r)
{
    const char *what = r->lsub ? "LSUB" : "LIST";
    for (size_t i = 0; i < r->pattern_count; i++)
        what = arena_printf(s->arena, "%s %s", what, r->patterns[i]);
    return what;
}

static void list(struct imap_session *s, const struct imap_command *c, bool lsub)
{
    struct imap_list_request r = {.lsub = lsub};
    struct error e = ERROR_INIT;
    if (!imap_list_parse(s, c, &r))
        return;
    if (r.delimiter) {
        imap_untagged(s, "%s (\\Noselect) \"/\" \"\"", c->verb->name);
        imap_done(s, c, NULL, "%s completed", c->verb->name);
        return;
    }
    struct listing l = {.session = s, .request = &r};
    l.since_ms = imap_tree_since(s, what_is_asked(s, &r));
    l.tree = mailbox_tree_get(s->account, l.since_ms, imap_wait(s), &e);
    if (!l.tree) {
        imap_fail(s, c, &e);
        return;
    }
    l.by_name = table_new();
    collect(&l);
    tell_all(&l);
    table_free(&l.by_name);
    free(l.entries);
    mailbox_tree_unref(&l.tree);
    imap_done(s, c, NULL, "%s completed", c->verb->name);
}

void imap_list(struct imap_session *s, const struct imap_command *c)
{
    list(s, c, false);
}

void imap_lsub(struct imap_session *s, const struct imap_command *c)
{
    list(s, c, true);
}
