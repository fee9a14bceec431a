/*
 * From names to folders. INBOX and the other well-known names cost one request each and are
 * remembered; a path is looked up in the tree, read by mailFolders/delta (flat, the whole
 * mailbox) or by listings level by level where that is absent.
 */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Exchange Online's own limits are 10,000 subfolders and a depth of 300. */
#define FOLDERS_MAX 50000
#define DEPTH_MAX   300
#define PAGES_MAX   5000 /* of one list; empty ones are normal */
#define ALIAS_PATH  "path:"
#define INBOX       "inbox"
#define ROOT        "msgfolderroot"

struct node {
    char *id, *parent_id, *name;
    bool leaf;
};

struct tree {
    struct node *nodes;
    size_t count, cap;
};

static void tree_clear(struct tree *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free(t->nodes[i].id);
        free(t->nodes[i].parent_id);
        free(t->nodes[i].name);
    }
    free(t->nodes);
    memset(t, 0, sizeof *t);
}

static bool tree_add(struct tree *t, const struct graph_folder *g, struct error *e)
{
    if (g->removed || g->search_folder || g->hidden || !g->name || !g->parent_id)
        return true;
    if (t->count == FOLDERS_MAX)
        return error_set(e, ERROR_TOO_BIG, "the mailbox has more than %d folders", FOLDERS_MAX);
    if (t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->nodes = xreallocarray(t->nodes, t->cap, sizeof *t->nodes);
    }
    t->nodes[t->count++] = (struct node){.id = xstrdup(g->id),
                                         .parent_id = xstrdup(g->parent_id),
                                         .name = xstrdup(g->name),
                                         .leaf = g->child_count == 0};
    return true;
}

/* Reads the pages that start with the call into the tree. */
static bool read_pages(struct mailbox_account *a, struct graph_call *call, const char *parent_id,
                       bool is_delta, struct tree *t, struct wait *w, struct error *e)
{
    unsigned pages = 0;
    bool ok = true;
    while (call) {
        struct graph_folder_page page = {0};
        ok = graph_call_wait(call, w, e) && graph_folder_page_decode(call, &page, e);
        graph_call_free(&call);
        for (size_t i = 0; ok && i < page.count; i++)
            ok = tree_add(t, &page.folders[i], e);
        if (ok && page.next_link && ++pages > PAGES_MAX)
            ok = error_set(e, ERROR_ANSWER, "Graph's list of folders does not end");
        if (ok && page.next_link)
            call = is_delta ? graph_folder_delta_start(a->user, as_of(a, w), page.next_link)
                            : graph_folder_list_start(a->user, as_of(a, w), parent_id, NULL, false,
                                                      page.next_link);
        graph_folder_page_free(&page);
    }
    return ok;
}

static bool read_listings(struct mailbox_account *a, struct tree *t, struct wait *w,
                          struct error *e)
{
    bool ok = read_pages(a, graph_folder_list_start(a->user, as_of(a, w), NULL, NULL, false, NULL),
                         NULL, false, t, w, e);
    for (size_t i = 0; ok && i < t->count; i++) {
        if (t->nodes[i].leaf)
            continue;
        char *parent = xstrdup(t->nodes[i].id); /* the array moves as it grows */
        ok = read_pages(a, graph_folder_list_start(a->user, as_of(a, w), parent, NULL, false, NULL),
                        parent, false, t, w, e);
        free(parent);
    }
    return ok;
}

/* Refused, or a server that fails, where another request may do. */
static bool may_do_without(const struct error *e)
{
    return e->kind == ERROR_REQUEST || e->kind == ERROR_TEMPORARY;
}

static bool read_tree(struct mailbox_account *a, struct tree *t, struct wait *w, struct error *e)
{
    if (read_pages(a, graph_folder_delta_start(a->user, as_of(a, w), NULL), NULL, true, t, w, e))
        return true;
    if (!may_do_without(e) && e->kind != ERROR_FOLDER_GONE && e->kind != ERROR_MAILBOX_GONE)
        return false;
    log_info("no folder delta here (%s); listings serve", e->code);
    error_clear(e);
    tree_clear(t);
    return read_listings(a, t, w, e);
}

static const struct node *find_child(const struct tree *t, const char *parent_id, const char *name,
                                     size_t len)
{
    const struct node *alike = NULL;
    for (size_t i = 0; i < t->count; i++) {
        const struct node *n = &t->nodes[i];
        if (strcmp(n->parent_id, parent_id) != 0 || strlen(n->name) != len)
            continue;
        if (memcmp(n->name, name, len) == 0)
            return n;
        if (strncasecmp(n->name, name, len) == 0)
            alike = n; /* Exchange itself does not tell them apart */
    }
    return alike;
}

/* A display name may itself hold a '/', so the longest first component is tried last but tried. */
static const char *walk(const struct tree *t, const char *from, const char *path, unsigned depth)
{
    if (depth > DEPTH_MAX)
        return NULL;
    for (const char *end = strchrnul(path, '/');; end = strchrnul(end + 1, '/')) {
        const struct node *n = find_child(t, from, path, (size_t)(end - path));
        const char *id = !n ? NULL : *end ? walk(t, n->id, end + 1, depth + 1) : n->id;
        if (id || !*end)
            return id;
    }
}

static bool ask_folder(struct mailbox_account *a, const char *id_or_name, bool properties,
                       struct arena *arena, struct graph_folder *g, struct wait *w, struct error *e)
{
    struct graph_call *call = graph_folder_start(a->user, as_of(a, w), id_or_name, properties);
    bool ok = graph_call_wait(call, w, e) && graph_folder_decode(call, arena, g, e);
    graph_call_free(&call);
    return ok;
}

/* GETs a folder; *arena holds what *g points to. Its properties are no reason to fail. */
static bool get_folder(struct mailbox_account *a, const char *id_or_name, struct arena *arena,
                       struct graph_folder *g, struct wait *w, struct error *e)
{
    bool ok = ask_folder(a, id_or_name, true, arena, g, w, e);
    if (!ok && may_do_without(e)) {
        log_debug("%s is asked for without its properties: %s", id_or_name, e->text);
        error_clear(e);
        ok = ask_folder(a, id_or_name, false, arena, g, w, e);
    }
    if (!ok && e->kind == ERROR_GONE)
        e->kind = ERROR_FOLDER_GONE;
    return ok;
}

/* A remembered name; NULL with e->kind NONE if it is not. */
static char *recall(struct mailbox_account *a, const char *alias, struct error *e)
{
    char *id = NULL;
    error_clear(e);
    int found = store_alias_get(a->db, alias, &id, e);
    if (found < 0)
        account_check(a);
    return id;
}

static bool remember(struct mailbox_account *a, const char *alias, const char *id, struct error *e)
{
    bool ok = store_alias_set(a->db, alias, id, e);
    if (!ok)
        account_check(a);
    return ok;
}

/* All names of the folder, since logins may call it differently. */
static void forget(struct mailbox_account *a, const char *id)
{
    struct error e = ERROR_INIT;
    if (store_alias_forget(a->db, id, &e))
        return;
    account_check(a);
    log_error_value(LOG_LEVEL_WARNING, &e, "cannot forget where a folder was");
}

char *tree_well_known(struct mailbox_account *a, const char *name, struct wait *w, struct error *e)
{
    struct graph_folder g;
    char *id = recall(a, name, e);
    if (id || e->kind != ERROR_NONE)
        return id;
    struct arena *arena = arena_new();
    if (get_folder(a, name, arena, &g, w, e) && remember(a, name, g.id, e))
        id = xstrdup(g.id);
    arena_free(&arena);
    return id;
}

static bool is_inbox(const char *path)
{
    return strcasecmp(path, INBOX) == 0;
}

/* The id of a path in the tree; INBOX/… starts at the inbox whatever its name is. */
static char *resolve_path(struct mailbox_account *a, const char *path, struct wait *w,
                          struct error *e)
{
    size_t inbox = strlen(INBOX);
    bool below_inbox = strncasecmp(path, INBOX "/", inbox + 1) == 0;
    struct tree t = {0};
    char *start = tree_well_known(a, below_inbox ? INBOX : ROOT, w, e);
    const char *found = NULL;
    if (start && read_tree(a, &t, w, e)) {
        found = walk(&t, start, below_inbox ? path + inbox + 1 : path, 0);
        if (!found)
            error_set(e, ERROR_FOLDER_GONE,
                      "the mailbox %s has no folder \"%s\"; check the login's folder", a->mailbox,
                      path);
    }
    char *id = xstrdup_null(found);
    tree_clear(&t);
    free(start);
    return id;
}

static char *alias_of(const char *path)
{
    return is_inbox(path) ? xstrdup(INBOX) : xasprintf(ALIAS_PATH "%s", path);
}

/* Asks Graph for the folder and enters it into the store. */
static struct mailbox_folder *make(struct mailbox_account *a, const char *alias, const char *id,
                                   const char *path, struct wait *w, struct error *e)
{
    struct arena *arena = arena_new();
    struct graph_folder g;
    struct mailbox_folder *f = NULL;
    int known = -1;
    if (get_folder(a, id, arena, &g, w, e) && remember(a, alias, g.id, e))
        known = folder_load(a, g.id, path, &f, e);
    if (known == 0)
        f = folder_make(a, &g, path, e);
    arena_free(&arena);
    return f;
}

/* One at a time: at boot a session and the background often want the same folder, and the second
 * finds what the first was told. False: the wait ended. */
static bool take_turn(struct mailbox_account *a, struct wait *w, struct error *e)
{
    bool ok = true;
    pthread_mutex_lock(&a->lock);
    if (a->resolving)
        wait_list_add(&a->resolvers, w);
    while (ok && a->resolving) {
        pthread_mutex_unlock(&a->lock);
        ok = wait_sleep(w, e);
        pthread_mutex_lock(&a->lock);
    }
    wait_list_remove(&a->resolvers, w);
    if (ok)
        a->resolving = true;
    pthread_mutex_unlock(&a->lock);
    return ok;
}

static void end_turn(struct mailbox_account *a)
{
    pthread_mutex_lock(&a->lock);
    a->resolving = false;
    wait_list_notify_all(&a->resolvers);
    pthread_mutex_unlock(&a->lock);
}

/* What the store knows. 1: *f is open; 0: Graph must be asked, *id is the folder's where it was
 * remembered; -1: error. */
static int find_known(struct mailbox_account *a, const char *alias, const char *path, char **id,
                      struct mailbox_folder **f, struct error *e)
{
    free(*id);
    *id = recall(a, alias, e);
    if (*id)
        return folder_load(a, *id, path, f, e);
    return e->kind == ERROR_NONE ? 0 : -1;
}

static struct mailbox_folder *ask(struct mailbox_account *a, const char *alias, const char *path,
                                  char **id, struct wait *w, struct error *e)
{
    if (!*id && !is_inbox(path) && !(*id = resolve_path(a, path, w, e)))
        return NULL;
    return make(a, alias, *id ? *id : INBOX, path, w, e);
}

struct mailbox_folder *mailbox_folder_open(struct mailbox_account *a, const char *path,
                                           struct wait *w, struct error *e)
{
    struct mailbox_folder *f = NULL;
    char *alias = alias_of(path), *id = NULL;
    if (find_known(a, alias, path, &id, &f, e) == 0 && take_turn(a, w, e)) {
        if (find_known(a, alias, path, &id, &f, e) == 0)
            f = ask(a, alias, path, &id, w, e);
        end_turn(a);
    }
    if (!f && e->kind == ERROR_FOLDER_GONE && id)
        forget(a, id);
    free(alias);
    free(id);
    return f;
}

bool tree_is_inbox(struct mailbox_folder *f)
{
    struct error e = ERROR_INIT;
    char *id = recall(f->account, INBOX, &e);
    bool same = id && strcmp(id, f->graph_id) == 0;
    free(id);
    return same;
}

void tree_forget(struct mailbox_folder *f)
{
    forget(f->account, f->graph_id);
}
