/* Names that need not exist: taking them apart, and making the folders that they name. */
#include "names.h"
#include "tree_write.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX 300 /* Exchange Online's depth */

static bool refuse(const char *why, struct error *e)
{
    return error_set(e, ERROR_CANNOT, "no folder can have this name: %s", why);
}

static bool add_level(const char *text, size_t len, struct arena *arena, struct tree_path *out,
                      struct error *e)
{
    struct buf display = BUF_INIT(NAME_LEVEL_MAX);
    bool top = !out->inbox && out->count == 0;
    if (len == 0)
        return refuse("a level is empty", e);
    if (out->count == LEVELS_MAX)
        return refuse("it has too many levels", e);
    bool ok = name_decode(text, len, top, &display) ||
              refuse("a level is too long, or has a '=XX' that stands for nothing", e);
    if (ok)
        out->levels[out->count++] = arena_strdup(arena, buf_str(&display));
    buf_free(&display);
    return ok;
}

bool path_parse(const char *name, struct arena *arena, struct tree_path *out, struct error *e)
{
    char *own = name_canonical(name);
    size_t len = strlen(own);
    memset(out, 0, sizeof *out);
    if (len > 0 && own[len - 1] == '/')
        own[--len] = '\0';
    out->name = arena_strdup(arena, own);
    out->levels = arena_alloc(arena, LEVELS_MAX * sizeof *out->levels);
    free(own);
    if (name_is_inbox(out->name))
        return error_set(e, ERROR_EXISTS, "INBOX is there already");
    out->inbox = name_below_inbox(out->name);
    const char *at = out->inbox ? strchr(out->name, '/') + 1 : out->name;
    for (bool ok = true; ok;) {
        size_t n = strcspn(at, "/");
        ok = add_level(at, n, arena, out, e);
        if (ok && at[n] == '\0')
            return true;
        at += n + 1;
    }
    return false;
}

struct new_row {
    const char *id, *parent_id, *name;
};

static void enter_row(void *arg, struct tree_rows *rows)
{
    const struct new_row *new = arg;
    struct tree_row *row = tree_rows_enter(rows, new->id);
    row->parent_id = tree_rows_keep(rows, new->parent_id);
    row->name = tree_rows_keep(rows, new->name);
    row->children = row->total = row->unread = 0;
}

/* The deepest folder of the path that the tree has; *have: how many levels it is deep. */
static const struct mailbox_node *deepest(const struct mailbox_tree *t,
                                          const struct tree_path *path, size_t count, size_t *have)
{
    const struct mailbox_node *node = path->inbox ? mailbox_tree_find(t, "INBOX") : NULL;
    for (*have = 0; *have < count; (*have)++) {
        const char *level = path->levels[*have];
        const struct mailbox_node *child = tree_find_child(t, node, level, strlen(level));
        if (!child)
            break;
        node = child;
    }
    return node;
}

/* Makes one level; *id goes from the parent's to the new folder's. */
static bool make_level(struct mailbox_account *a, const char *root, const char *name,
                       bool must_be_new, char **id, struct wait *w, struct error *e)
{
    char *child = NULL;
    bool ok = write_create(a, *id, name, &child, w, e);
    if (!ok && e->kind == ERROR_EXISTS && !must_be_new) {
        /* The tree did not show it: it is new, or hidden. */
        struct error exists = *e;
        error_clear(e);
        int found = find_child(a, *id, name, &child, w, e);
        ok = found == 1;
        if (found == 0)
            *e = exists;
    }
    if (!ok)
        return false;
    struct new_row row = {.id = child, .parent_id = *id ? *id : root, .name = name};
    ok = tree_edit(a, enter_row, &row, w, e);
    free(*id);
    *id = child;
    return ok;
}

bool path_make(struct mailbox_account *a, const struct mailbox_tree *t,
               const struct tree_path *path, size_t count, bool must_be_new, char **id,
               struct wait *w, struct error *e)
{
    size_t have;
    const struct mailbox_node *node = deepest(t, path, count, &have);
    char *root = tree_well_known(a, "msgfolderroot", w, e);
    bool ok = root != NULL;
    *id = node ? xstrdup(node->graph_id) : NULL;
    if (ok && have == count && must_be_new)
        ok = error_set(e, ERROR_EXISTS, "there is a folder of this name already");
    for (size_t i = have; ok && i < count; i++)
        ok = make_level(a, root, path->levels[i], must_be_new && i + 1 == count, id, w, e);
    if (ok && !*id) {
        *id = root;
        root = NULL;
    }
    free(root);
    if (!ok) {
        free(*id);
        *id = NULL;
    }
    return ok;
}

bool mailbox_folder_create(struct mailbox_account *a, const char *name, struct wait *w,
                           struct error *e)
{
    struct arena *arena = arena_new();
    struct tree_path path;
    struct mailbox_tree *t = NULL;
    char *id = NULL;
    bool ok = path_parse(name, arena, &path, e) && (t = tree_now(a, w, e)) &&
              path_make(a, t, &path, path.count, true, &id, w, e);
    free(id);
    mailbox_tree_unref(&t);
    arena_free(&arena);
    return ok;
}
