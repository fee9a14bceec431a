/* Removing for good what a failed COPY or APPEND had made. */
#include "abreast.h"
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"
#include "postern/store/original.h"

#include <stdlib.h>

#define RECOVERABLE_ITEMS "recoverableitemsdeletions"
/* Removing what is gone already does no harm, so a lost answer is met by asking again. */
#define TRIES_MAX 3

enum way { WAY_PURGE, WAY_RECOVERABLE };

struct removal {
    enum way way;
    unsigned tries; /* this way */
    bool looking;   /* the call asks whether it is there */
};

struct undo {
    struct mailbox_account *account;
    const struct undo_item *items;
    struct removal *removals; /* one for each item */
    struct wait *wait;
};

static struct graph_call *send_removal(struct undo *u, size_t index)
{
    struct graph_user *user = u->account->user;
    struct graph_as as = as_of(u, u->wait);
    struct removal *r = &u->removals[index];
    const char *id = u->items[index].graph_id;
    r->tries++;
    r->looking = false;
    return r->way == WAY_RECOVERABLE ? graph_move_start(user, as, id, RECOVERABLE_ITEMS)
                                     : graph_purge_start(user, as, id);
}

static void end(struct undo *u, size_t index)
{
    struct error e = ERROR_INIT;
    const struct undo_item *item = &u->items[index];
    struct store_db *db = u->account->db;
    if ((u->removals[index].tries && !store_original_drop(db, item->graph_id, &e)) ||
        (item->making && !store_making_end(db, item->making, &e)))
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot record that a message was removed");
}

static void give_up(void *arg, size_t index, const struct error *cause)
{
    struct undo *u = arg;
    struct error e = ERROR_INIT;
    int64_t key = u->items[index].making;
    log_error_value(LOG_LEVEL_WARNING, cause,
                    "a message of a failed command could not be removed; it is tried again later");
    if (key && !store_making_abandon(u->account->db, key, &e))
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot record that a message must be removed");
}

static struct graph_call *start(void *arg, size_t index)
{
    struct undo *u = arg;
    if (u->items[index].graph_id)
        return send_removal(u, index);
    end(u, index);
    return NULL;
}

static struct graph_call *next(void *arg, size_t index, struct graph_call *ended)
{
    struct undo *u = arg;
    struct error e = ERROR_INIT;
    struct removal *r = &u->removals[index];
    bool ok = graph_call_outcome(ended, &e);
    if (r->looking ? e.kind == ERROR_GONE : ok) {
        end(u, index);
        return NULL;
    }
    /* 404: it is gone, or this way does not exist here. */
    if (!r->looking && e.kind == ERROR_GONE) {
        r->looking = true;
        return graph_identity_start(u->account->user, as_of(u, u->wait), u->items[index].graph_id);
    }
    if (e.kind == ERROR_UNKNOWN_WRITE && r->tries < TRIES_MAX)
        return send_removal(u, index);
    /* Only the global cloud has permanentDelete. */
    if (r->way == WAY_PURGE && e.kind != ERROR_CANCELED && !abreast_is_outage(&e)) {
        *r = (struct removal){.way = WAY_RECOVERABLE};
        return send_removal(u, index);
    }
    if (ok)
        error_set(&e, ERROR_TEMPORARY, "there is nowhere to move a message to that must go");
    give_up(u, index, &e);
    return NULL;
}

void undo_made(struct mailbox_account *a, const struct undo_item *items, size_t count,
               struct wait *w)
{
    static const struct abreast what = {.start = start, .next = next, .abandon = give_up};
    struct undo u = {.account = a, .items = items, .wait = w};
    u.removals = xcalloc(count + 1, sizeof *u.removals);
    abreast_run(&what, &u, count, w);
    free(u.removals);
}
