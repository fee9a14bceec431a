/*
 * RENAME (RFC 3501 section 6.3.5): Graph has one call for another name and one for another parent,
 * so a rename may take two, and is undone if the second fails.
 */
#include "names.h"
#include "tree_write.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"
#include "postern/base/log.h"
#include "postern/mailbox/transfer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 3

/* One call and the one that undoes it. */
struct step {
    bool moves; /* to another parent; else to another name */
    const char *to, *back;
};

struct renaming {
    struct mailbox_account *account;
    const char *id;
    struct wait *wait;
    struct step steps[STEPS_MAX];
    size_t count;
    char *between; /* a name for the time between two steps */
};

static void add_step(struct renaming *r, bool moves, const char *to, const char *back)
{
    r->steps[r->count++] = (struct step){.moves = moves, .to = to, .back = back};
}

/* Chooses the order, so that the folder never meets another one of its name on the way. */
static void plan(struct renaming *r, const struct mailbox_tree *t, const struct mailbox_node *node,
                 const char *new_parent, const char *new_name)
{
    const struct tree_row *row = tree_row_of(t, node);
    const struct mailbox_node *from = tree_parent(t, node), *to = tree_find_id(t, new_parent);
    bool moves = strcmp(row->parent_id, new_parent) != 0;
    bool renames = strcmp(row->name, new_name) != 0;
    const struct mailbox_node *here = tree_find_child(t, from, new_name, strlen(new_name));
    const struct mailbox_node *there = tree_find_child(t, to, row->name, strlen(row->name));
    bool late = here && here != node; /* the new name is taken at the old place */
    if (moves && renames && late && there) {
        char guid[GUID_SIZE];
        guid_make(guid);
        r->between = xasprintf("%s (%s)", new_name, guid);
        add_step(r, false, r->between, row->name);
        add_step(r, true, new_parent, row->parent_id);
        add_step(r, false, new_name, r->between);
        return;
    }
    if (renames && !(moves && late))
        add_step(r, false, new_name, row->name);
    if (moves)
        add_step(r, true, new_parent, row->parent_id);
    if (renames && moves && late)
        add_step(r, false, new_name, row->name);
}

static bool take_step(const struct renaming *r, bool moves, const char *to, struct error *e)
{
    return moves ? write_move(r->account, r->id, to, r->wait, e)
                 : write_rename(r->account, r->id, to, r->wait, e);
}

static bool run(const struct renaming *r, struct error *e)
{
    struct error undo = ERROR_INIT;
    size_t done = 0;
    while (done < r->count && take_step(r, r->steps[done].moves, r->steps[done].to, e))
        done++;
    if (done == r->count)
        return true;
    while (done > 0) {
        const struct step *s = &r->steps[--done];
        if (!take_step(r, s->moves, s->back, &undo)) {
            log_error_value(LOG_LEVEL_WARNING, &undo, "a rename that failed could not be undone");
            return error_prefix(e, "only a part was done, list the folders to see it: ");
        }
    }
    return false;
}

static bool rename_to(struct mailbox_account *a, const struct mailbox_tree *t,
                      const struct mailbox_node *node, const struct tree_path *to, struct wait *w,
                      struct error *e)
{
    struct renaming r = {.account = a, .id = node->graph_id, .wait = w};
    const char *name = to->levels[to->count - 1];
    char *parent = NULL;
    bool ok = path_make(a, t, to, to->count - 1, false, &parent, w, e);
    if (ok) {
        plan(&r, t, node, parent, name);
        ok = run(&r, e) && tree_moved(a, node->graph_id, parent, name, w, e);
    }
    free(r.between);
    free(parent);
    return ok;
}

/* ---- INBOX ---- */

/* All that is shown. */
static bool move_all(struct mailbox_folder *from, struct mailbox_folder *to, int64_t since_ms,
                     struct wait *w, struct error *e)
{
    if (!mailbox_folder_sync(from, false, w, e))
        return false;
    struct mailbox_view *whole = mailbox_folder_view(from);
    struct mailbox_view *view = mailbox_view_since(whole, since_ms);
    size_t count = mailbox_view_count(view);
    uint32_t *uids = xcalloc(count + 1, sizeof *uids);
    struct mailbox_transfer *moved = xcalloc(count + 1, sizeof *moved);
    for (size_t i = 0; i < count; i++)
        uids[i] = mailbox_view_at(view, i)->uid;
    bool ok = count == 0 || mailbox_move(from, uids, count, to, moved, w, e);
    if (!ok)
        error_prefix(e, "not all messages were moved: ");
    free(moved);
    free(uids);
    mailbox_view_unref(&view);
    mailbox_view_unref(&whole);
    return ok;
}

/* Its messages move, it stays, and so do the folders in it. */
static bool rename_inbox(struct mailbox_account *a, const struct tree_path *to, int64_t since_ms,
                         struct wait *w, struct error *e)
{
    if (!mailbox_folder_create(a, to->name, w, e))
        return false;
    struct mailbox_folder *from = mailbox_tree_open(a, "INBOX", w, e);
    struct mailbox_folder *dest = from ? mailbox_tree_open(a, to->name, w, e) : NULL;
    bool ok = dest && move_all(from, dest, since_ms, w, e);
    mailbox_folder_release(&from);
    mailbox_folder_release(&dest);
    return ok;
}

static bool is_inside(const char *name, const char *of)
{
    size_t len = strlen(of);
    return strncmp(name, of, len) == 0 && name[len] == '/';
}

bool mailbox_folder_rename(struct mailbox_account *a, const char *from, const char *to,
                           int64_t since_ms, struct wait *w, struct error *e)
{
    struct arena *arena = arena_new();
    struct tree_path path;
    bool ok = false;
    struct mailbox_tree *t = path_parse(to, arena, &path, e) ? tree_now(a, w, e) : NULL;
    const struct mailbox_node *node = t ? mailbox_tree_find(t, from) : NULL;
    const struct mailbox_node *there = t ? mailbox_tree_find(t, path.name) : NULL;
    bool respelled = there && there == node && strcmp(node->name, path.name) != 0;
    if (!t)
        ok = false;
    else if (!node)
        error_set(e, ERROR_FOLDER_GONE, "there is no folder \"%s\"", from);
    else if (there && !respelled)
        error_set(e, ERROR_EXISTS, "there is a folder \"%s\" already", path.name);
    else if (node->use == MAILBOX_USE_INBOX)
        ok = rename_inbox(a, &path, since_ms, w, e);
    else if (node->use != MAILBOX_USE_NONE)
        error_set(e, ERROR_CANNOT, "\"%s\" is a folder that Exchange needs", node->name);
    else if (is_inside(path.name, node->name))
        error_set(e, ERROR_CANNOT, "a folder cannot be moved into itself");
    else
        ok = rename_to(a, t, node, &path, w, e);
    mailbox_tree_unref(&t);
    arena_free(&arena);
    return ok;
}
