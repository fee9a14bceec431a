/*
 * Deleting folders. Nothing is destroyed that was not named: a folder with folders in it is not
 * deleted, and delete means move to Deleted Items unless the login's `expunge` says otherwise.
 */
#include "names.h"
#include "tree_write.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "X 2" … "X 999" */
#define COPIES_MAX 1000
/* Somebody else may take the free name first. */
#define ATTEMPTS_MAX 3

#define TRASH "deleteditems"

struct removal {
    struct mailbox_account *account;
    const struct mailbox_tree *tree;
    const struct mailbox_node *node;
    const char *display;
    struct wait *wait;
};

static void note_child(void *arg, const struct graph_folder *child)
{
    bool *found = arg;
    *found = *found || !(child->hidden || child->search_folder);
}

static bool check_children(const struct removal *r, struct error *e)
{
    bool found = r->node->has_children;
    if (!found && !each_child(r->account, r->node->graph_id, note_child, &found, r->wait, e))
        return false;
    return !found ||
           error_set(e, ERROR_HAS_CHILDREN,
                     "there are folders in \"%s\"; delete or move those first", r->node->name);
}

static bool is_in_trash(const struct removal *r)
{
    const struct mailbox_node *up = r->node;
    while ((up = tree_parent(r->tree, up)))
        if (up->use == MAILBOX_USE_TRASH)
            return true;
    return false;
}

/* ---- a free name ---- */

struct taken {
    struct arena *arena;
    const char **names;
    size_t count, cap;
};

static void take_name(void *arg, const struct graph_folder *child)
{
    struct taken *t = arg;
    if (!child->name)
        return;
    if (t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->names = xreallocarray(t->names, t->cap, sizeof *t->names);
    }
    t->names[t->count++] = arena_strdup(t->arena, child->name);
}

static bool is_free(const struct removal *r, const struct taken *t, const char *name)
{
    const struct mailbox_node *parent = tree_parent(r->tree, r->node);
    for (size_t i = 0; i < t->count; i++)
        if (strcasecmp(t->names[i], name) == 0)
            return false;
    return !tree_find_child(r->tree, parent, name, strlen(name));
}

/* "X 2" or the next one that is free in the trash and where the folder is now; the caller frees
 * it. */
static char *free_name(const struct removal *r, const char *trash, struct error *e)
{
    struct taken taken = {.arena = arena_new()};
    char *name = NULL;
    bool ok = each_child(r->account, trash, take_name, &taken, r->wait, e);
    for (unsigned n = 2; ok && !name && n < COPIES_MAX; n++) {
        name = xasprintf("%s %u", r->display, n);
        if (!is_free(r, &taken, name)) {
            free(name);
            name = NULL;
        }
    }
    if (ok && !name)
        error_set(e, ERROR_EXISTS, "Deleted Items has too many folders of this name");
    free(taken.names);
    arena_free(&taken.arena);
    return name;
}

/* Renamed first, so that it never bears in Deleted Items a name that is taken. */
static bool move_renamed(const struct removal *r, const char *trash, char **name, struct error *e)
{
    const char *id = r->node->graph_id;
    struct error undo = ERROR_INIT;
    *name = free_name(r, trash, e);
    if (!*name || !write_rename(r->account, id, *name, r->wait, e))
        return false;
    if (write_move(r->account, id, trash, r->wait, e))
        return true;
    if (!write_rename(r->account, id, r->display, r->wait, &undo))
        error_prefix(e, "the folder could not be deleted and is called \"%s\" now: ", *name);
    return false;
}

/* *name: what it is called there; the caller frees it. */
static bool move_to_trash(const struct removal *r, const char *trash, char **name, struct error *e)
{
    *name = xstrdup(r->display);
    bool ok = write_move(r->account, r->node->graph_id, trash, r->wait, e);
    for (unsigned i = 0; !ok && e->kind == ERROR_EXISTS && i < ATTEMPTS_MAX; i++) {
        error_clear(e);
        free(*name);
        ok = move_renamed(r, trash, name, e);
    }
    return ok;
}

/* ---- the ways ---- */

struct moved_row {
    const char *id, *parent_id, *name;
};

static void move_row(void *arg, struct tree_rows *rows)
{
    const struct moved_row *moved = arg;
    struct tree_row *row = tree_rows_find(rows, moved->id);
    if (row && !moved->parent_id) {
        tree_rows_remove(rows, moved->id);
    } else if (row) {
        row->parent_id = tree_rows_keep(rows, moved->parent_id);
        row->name = tree_rows_keep(rows, moved->name);
    }
}

bool tree_moved(struct mailbox_account *a, const char *id, const char *parent_id_or_null,
                const char *name, struct wait *w, struct error *e)
{
    struct moved_row moved = {.id = id, .parent_id = parent_id_or_null, .name = name};
    return tree_edit(a, move_row, &moved, w, e);
}

static bool remove_for_good(const struct removal *r, bool permanent, struct error *e)
{
    const char *id = r->node->graph_id;
    return write_delete(r->account, id, permanent, r->wait, e) &&
           tree_moved(r->account, id, NULL, NULL, r->wait, e);
}

static bool remove_to_trash(const struct removal *r, enum config_expunge how, struct error *e)
{
    const char *id = r->node->graph_id;
    char *trash = tree_well_known(r->account, TRASH, r->wait, e), *name = NULL;
    bool ok = trash && move_to_trash(r, trash, &name, e) &&
              tree_moved(r->account, id, trash, name, r->wait, e);
    /* Where Graph's DELETE puts a folder is said nowhere; from Deleted Items it goes to Recoverable
     * Items. */
    if (ok && how == EXPUNGE_RECOVERABLE)
        ok = remove_for_good(r, false, e);
    free(trash);
    free(name);
    return ok;
}

bool mailbox_folder_delete(struct mailbox_account *a, const char *name, enum config_expunge how,
                           struct wait *w, struct error *e)
{
    struct mailbox_tree *t = tree_now(a, w, e);
    bool ok = false;
    if (!t)
        return false;
    struct removal r = {.account = a, .tree = t, .wait = w, .node = mailbox_tree_find(t, name)};
    if (r.node)
        r.display = tree_row_of(t, r.node)->name;
    if (!r.node)
        error_set(e, ERROR_FOLDER_GONE, "there is no folder \"%s\"", name);
    else if (r.node->use != MAILBOX_USE_NONE)
        error_set(e, ERROR_CANNOT, "\"%s\" is a folder that Exchange needs", r.node->name);
    else if (!check_children(&r, e))
        ok = false;
    else if (how == EXPUNGE_PERMANENT)
        ok = remove_for_good(&r, true, e);
    else if (is_in_trash(&r))
        ok = remove_for_good(&r, false, e);
    else
        ok = remove_to_trash(&r, how, e);
    if (ok)
        log_info("folder \"%s\" deleted", r.node->name);
    mailbox_tree_unref(&t);
    return ok;
}
