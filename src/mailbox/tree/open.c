/*
 * From names to folders: an IMAP name, or POP3's path of display names, to a Graph id by the kept
 * tree, and from there to the folder's object.
 */
#include "names.h"
#include "tree_keep.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/store/tree_db.h"

#include <stdlib.h>
#include <string.h>

#define INBOX     "inbox"
#define DEPTH_MAX 300

/* ---- asking for a folder ---- */

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
    if (!ok && (e->kind == ERROR_REQUEST || e->kind == ERROR_TEMPORARY)) {
        log_debug("%s is asked for without its properties: %s", id_or_name, e->text);
        error_clear(e);
        ok = ask_folder(a, id_or_name, false, arena, g, w, e);
    }
    if (!ok && e->kind == ERROR_GONE)
        error_turn(e, ERROR_FOLDER_GONE);
    return ok;
}

bool tree_ask(struct mailbox_account *a, const char *id, struct arena *arena,
              struct graph_folder *g, struct wait *w, struct error *e)
{
    if (ask_folder(a, id, false, arena, g, w, e))
        return true;
    if (e->kind == ERROR_GONE)
        error_turn(e, ERROR_FOLDER_GONE);
    return false;
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

/* What the store knows of the inbox or of an id. 1: *f is open; 0: Graph must be asked; -1: error.
 * `id` NULL: the inbox. */
static int find_known(struct mailbox_account *a, const char *id, const char *path,
                      struct mailbox_folder **f, struct error *e)
{
    char *inbox = NULL;
    int known = id ? 1 : store_alias_get(a->db, INBOX, &inbox, e);
    if (known == 1)
        known = folder_load(a, id ? id : inbox, path, f, e);
    else if (known < 0)
        account_check(a);
    free(inbox);
    return known;
}

/* Asks Graph for the folder and enters it into the store. */
static struct mailbox_folder *make(struct mailbox_account *a, const char *id, const char *path,
                                   struct wait *w, struct error *e)
{
    struct arena *arena = arena_new();
    struct graph_folder g;
    struct mailbox_folder *f = NULL;
    bool ok = get_folder(a, id ? id : INBOX, arena, &g, w, e);
    if (ok && !id && !store_alias_set(a->db, INBOX, g.id, e)) {
        account_check(a);
        ok = false;
    }
    if (ok && folder_load(a, g.id, path, &f, e) == 0)
        f = folder_make(a, &g, path, e);
    arena_free(&arena);
    return f;
}

/* The folder of an id; NULL: the inbox, whose id need not be known. */
static struct mailbox_folder *open_id(struct mailbox_account *a, const char *id, const char *path,
                                      struct wait *w, struct error *e)
{
    struct mailbox_folder *f = NULL;
    if (find_known(a, id, path, &f, e) == 0 && take_turn(a, w, e)) {
        if (find_known(a, id, path, &f, e) == 0)
            f = make(a, id, path, w, e);
        end_turn(a);
    }
    return f;
}

/* ---- by the tree ---- */

typedef const struct mailbox_node *find_fn(const struct mailbox_tree *t, const char *name);

/* The folder of a node, under its name. */
static struct mailbox_folder *open_node(struct mailbox_account *a, const struct mailbox_node *node,
                                        struct wait *w, struct error *e)
{
    struct mailbox_folder *f = open_id(a, node->graph_id, node->name, w, e);
    if (f && !validity_claim(f, node->name, e))
        mailbox_folder_release(&f);
    return f;
}

/* The folder that `find` finds in the kept tree or, if it is not there or gone, in the present
 * one. */
static struct mailbox_folder *open_by(struct mailbox_account *a, const char *name, find_fn *find,
                                      struct wait *w, struct error *e)
{
    struct mailbox_tree *t = NULL;
    struct mailbox_folder *f = NULL;
    if (!tree_kept(a, &t, e))
        return NULL;
    pthread_mutex_lock(&a->lock);
    bool stale = a->tree.stale_ms > 0 && a->tree.began_ms <= a->tree.stale_ms;
    pthread_mutex_unlock(&a->lock);
    const struct mailbox_node *node = t && !stale ? find(t, name) : NULL;
    if (node)
        f = open_node(a, node, w, e);
    bool again = !node || (!f && e->kind == ERROR_FOLDER_GONE);
    mailbox_tree_unref(&t);
    if (!again)
        return f;
    error_clear(e);
    t = tree_now(a, w, e);
    node = t ? find(t, name) : NULL;
    if (node)
        f = open_node(a, node, w, e);
    else if (t)
        error_set(e, ERROR_FOLDER_GONE, "the mailbox %s has no folder \"%s\"", a->mailbox, name);
    mailbox_tree_unref(&t);
    return f;
}

/* A display name may itself hold a '/', so the longest first component is tried last but tried. */
static const struct mailbox_node *walk(const struct mailbox_tree *t,
                                       const struct mailbox_node *from, const char *path,
                                       unsigned depth)
{
    if (depth > DEPTH_MAX)
        return NULL;
    for (const char *end = strchrnul(path, '/');; end = strchrnul(end + 1, '/')) {
        const struct mailbox_node *child = tree_find_child(t, from, path, (size_t)(end - path));
        const struct mailbox_node *found =
            child && *end ? walk(t, child, end + 1, depth + 1) : child;
        if (found || !*end)
            return found;
    }
}

/* INBOX/… starts at the inbox, whatever its name is. */
static const struct mailbox_node *find_path(const struct mailbox_tree *t, const char *path)
{
    const struct mailbox_node *inbox = name_below_inbox(path) ? mailbox_tree_find(t, INBOX) : NULL;
    return inbox ? walk(t, inbox, strchr(path, '/') + 1, 0) : walk(t, NULL, path, 0);
}

struct mailbox_folder *mailbox_folder_open(struct mailbox_account *a, const char *path,
                                           struct wait *w, struct error *e)
{
    if (name_is_inbox(path))
        return open_id(a, NULL, path, w, e);
    return open_by(a, path, find_path, w, e);
}

struct mailbox_folder *mailbox_tree_open(struct mailbox_account *a, const char *name,
                                         struct wait *w, struct error *e)
{
    if (!name_is_inbox(name))
        return open_by(a, name, mailbox_tree_find, w, e);
    struct mailbox_folder *f = open_id(a, NULL, "INBOX", w, e);
    if (f && !validity_claim(f, "INBOX", e))
        mailbox_folder_release(&f);
    return f;
}

void mailbox_folder_digest(struct mailbox_folder *f, uint8_t digest[SHA256_SIZE])
{
    sha256(f->graph_id, strlen(f->graph_id), digest);
}

void mailbox_node_digest(const struct mailbox_node *node, uint8_t digest[SHA256_SIZE])
{
    sha256(node->graph_id, strlen(node->graph_id), digest);
}
