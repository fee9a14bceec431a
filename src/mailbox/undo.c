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

struct undo {
    struct mailbox_account *account;
    const struct undo_item *items;
    unsigned char *tries;
    bool *moving; /* permanentDelete is not to be had */
    struct wait *wait;
};

static struct graph_call *send_removal(struct undo *u, size_t index)
{
    struct graph_user *user = u->account->user;
    const char *id = u->items[index].graph_id;
    u->tries[index]++;
    return u->moving[index] ? graph_move_start(user, as_of(u, u->wait), id, RECOVERABLE_ITEMS)
                            : graph_purge_start(user, as_of(u, u->wait), id);
}

static void end(struct undo *u, size_t index)
{
    struct error e = ERROR_INIT;
    const struct undo_item *item = &u->items[index];
    struct store_db *db = u->account->db;
    if ((item->graph_id && !store_original_drop(db, item->graph_id, &e)) ||
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
    if (graph_call_outcome(ended, &e) || e.kind == ERROR_GONE) {
        end(u, index);
        return NULL;
    }
    if (e.kind == ERROR_UNKNOWN_WRITE && u->tries[index] < TRIES_MAX)
        return send_removal(u, index);
    if (!u->moving[index] && e.kind != ERROR_CANCELED) { /* only the global cloud has it */
        u->moving[index] = true;
        u->tries[index] = 0;
        return send_removal(u, index);
    }
    give_up(u, index, &e);
    return NULL;
}

void undo_made(struct mailbox_account *a, const struct undo_item *items, size_t count,
               struct wait *w)
{
    static const struct abreast what = {.start = start, .next = next, .abandon = give_up};
    struct undo u = {.account = a, .items = items, .wait = w};
    u.tries = xcalloc(count + 1, sizeof *u.tries);
    u.moving = xcalloc(count + 1, sizeof *u.moving);
    abreast_run(&what, &u, count, w);
    free(u.tries);
    free(u.moving);
}
