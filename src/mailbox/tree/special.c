/*
 * Well-known folders: their ids by one GET each (mailFolder: well-known names), remembered; those
 * that the mailbox does not have, too.
 */
#include "tree_keep.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

#include <stdlib.h>
#include <string.h>

#define ROOT "msgfolderroot"
/* What is remembered of a folder that the mailbox does not have. */
#define ABSENT ""

static const struct {
    const char *name;
    enum mailbox_use use; /* NONE: the root */
} well_known[] = {
    {ROOT, MAILBOX_USE_NONE},
    {"inbox", MAILBOX_USE_INBOX},
    {"deleteditems", MAILBOX_USE_TRASH},
    {"sentitems", MAILBOX_USE_SENT},
    {"drafts", MAILBOX_USE_DRAFTS},
    {"junkemail", MAILBOX_USE_JUNK},
    {"archive", MAILBOX_USE_ARCHIVE},
};
#define COUNT (sizeof well_known / sizeof *well_known)

/* A remembered name; NULL with e->kind NONE if it is not. */
static char *recall(struct mailbox_account *a, const char *name, struct error *e)
{
    char *id = NULL;
    error_clear(e);
    if (store_alias_get(a->db, name, &id, e) < 0)
        account_check(a);
    return id;
}

static bool remember(struct mailbox_account *a, const char *name, const char *id, struct error *e)
{
    bool ok = store_alias_set(a->db, name, id, e);
    if (!ok)
        account_check(a);
    return ok;
}

void special_clear(struct tree_special *special)
{
    free(special->root);
    for (int use = 0; use <= MAILBOX_USE_TRASH; use++)
        free(special->uses[use]);
    memset(special, 0, sizeof *special);
}

bool special_recall(struct mailbox_account *a, struct tree_special *out, bool *complete,
                    struct error *e)
{
    memset(out, 0, sizeof *out);
    *complete = true;
    for (size_t i = 0; i < COUNT; i++) {
        char *id = recall(a, well_known[i].name, e);
        if (!id && e->kind != ERROR_NONE) {
            special_clear(out);
            return false;
        }
        *complete = *complete && id;
        if (id && strcmp(id, ABSENT) == 0) {
            free(id);
            id = NULL;
        }
        *(well_known[i].use ? &out->uses[well_known[i].use] : &out->root) = id;
    }
    return true;
}

/* One of them is answered, or is not there. */
static bool take(struct mailbox_account *a, const char *name, const struct graph_folder *g,
                 struct error *error, struct error *e)
{
    if (g->id)
        return remember(a, name, g->id, e);
    /* A name that this cloud does not know is refused as malformed. */
    if (error->kind == ERROR_FOLDER_GONE || error->kind == ERROR_GONE ||
        error->kind == ERROR_REQUEST)
        return remember(a, name, ABSENT, e);
    *e = *error;
    return false;
}

static bool ask_one(struct mailbox_account *a, const char *name, struct wait *w, struct error *e)
{
    struct arena *arena = arena_new();
    struct graph_folder g = {0};
    struct error own = ERROR_INIT;
    struct graph_call *call = graph_folder_start(a->user, as_of(a, w), name, false);
    if (!graph_call_wait(call, w, &own) || !graph_folder_decode(call, arena, &g, &own))
        g.id = NULL;
    graph_call_free(&call);
    bool ok = take(a, name, &g, &own, e);
    arena_free(&arena);
    return ok;
}

/* Those that a batch leaves open, or all if batches are refused, are asked for one by one. */
static bool ask_some(struct mailbox_account *a, const char *const *names, size_t count,
                     struct wait *w, struct error *e)
{
    struct graph_folder found[GRAPH_BATCH_ABREAST] = {0};
    struct error errors[GRAPH_BATCH_ABREAST] = {0}, whole = ERROR_INIT, ended = ERROR_INIT;
    struct arena *arena = arena_new();
    bool ok = true, batched = false;
    if (count > 1) {
        struct graph_call *call = graph_folder_batch_start(a->user, as_of(a, w), names, count);
        batched = graph_call_wait(call, w, &whole) &&
                  graph_folder_batch_decode(call, arena, found, errors, count, &whole);
        graph_call_free(&call);
        if (!batched && !wait_ended(w, &ended))
            log_debug("well-known folders are asked for one by one: %s", whole.text);
    }
    for (size_t i = 0; ok && i < count; i++)
        ok = (batched && take(a, names[i], &found[i], &errors[i], e)) || ask_one(a, names[i], w, e);
    arena_free(&arena);
    return ok;
}

bool special_ask(struct mailbox_account *a, bool absent, struct wait *w, struct error *e)
{
    const char *names[GRAPH_BATCH_ABREAST];
    size_t count = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT; i++) {
        char *id = recall(a, well_known[i].name, e);
        bool known = id && (*id || !absent);
        ok = id || e->kind == ERROR_NONE;
        free(id);
        if (!known)
            names[count++] = well_known[i].name;
        if (ok && (count == GRAPH_BATCH_ABREAST || (i + 1 == COUNT && count > 0))) {
            ok = ask_some(a, names, count, w, e);
            count = 0;
        }
    }
    return ok;
}

char *tree_well_known(struct mailbox_account *a, const char *name, struct wait *w, struct error *e)
{
    char *id = recall(a, name, e);
    if (!id && e->kind == ERROR_NONE && ask_one(a, name, w, e))
        id = recall(a, name, e);
    if (id && strcmp(id, ABSENT) == 0) {
        free(id);
        id = NULL;
        error_set(e, ERROR_FOLDER_GONE, "the mailbox %s has no folder %s", a->mailbox, name);
    }
    return id;
}

bool tree_is_inbox(struct mailbox_folder *f)
{
    struct error e = ERROR_INIT;
    char *id = recall(f->account, "inbox", &e);
    bool same = id && strcmp(id, f->graph_id) == 0;
    free(id);
    return same;
}
