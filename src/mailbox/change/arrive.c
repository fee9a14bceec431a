/*
 * UIDs of messages that Postern itself put into a folder. Only a round gives UIDs, and a delta
 * tells of writes with some delay; so whoever needs a UID now leaves the ids with the folder, and
 * the next round, whoever leads it, asks for them.
 */
#include "internal.h"

#include "postern/base/alloc.h"

#include <stdlib.h>

/* Rounds until a message that Graph made is given up: it was moved on, or deleted. */
#define ROUNDS_MAX 3

static void expect(struct mailbox_folder *f, const char *const *ids, size_t count,
                   const uint32_t *uids)
{
    struct mailbox_account *a = f->account;
    pthread_mutex_lock(&a->lock);
    f->arrivals = xreallocarray(f->arrivals, f->arrival_count + count + 1, sizeof *f->arrivals);
    for (size_t i = 0; i < count; i++)
        if (ids[i] && !uids[i])
            f->arrivals[f->arrival_count++] = xstrdup(ids[i]);
    pthread_mutex_unlock(&a->lock);
}

/* What the store has by now; *missing counts the rest. */
static bool look_up(struct mailbox_folder *f, const char *const *ids, size_t count, uint32_t *uids,
                    size_t *missing, struct error *e)
{
    *missing = 0;
    for (size_t i = 0; i < count; i++) {
        struct store_message m;
        char *own;
        int64_t retired_ms;
        if (!ids[i] || uids[i])
            continue;
        int found = store_message_find(f->account->db, f->key, ids[i], &m, &own, &retired_ms, e);
        if (found < 0) {
            account_check(f->account);
            return false;
        }
        if (found)
            uids[i] = m.uid; /* 0 while a first sync has it staged */
        free(own);
        *missing += uids[i] == 0;
    }
    return true;
}

bool arrive(struct mailbox_folder *f, const char *const *ids, size_t count, uint32_t *uids,
            struct wait *w, struct error *e)
{
    size_t missing = count;
    for (size_t i = 0; i < count; i++)
        uids[i] = 0;
    for (int round = 0; missing > 0 && round < ROUNDS_MAX; round++) {
        expect(f, ids, count, uids);
        if (!mailbox_folder_sync(f, false, w, e) || !look_up(f, ids, count, uids, &missing, e))
            return false;
    }
    return true;
}

/* Takes the list away, so that each id is asked for once. */
static char **take(struct mailbox_folder *f, size_t *count)
{
    pthread_mutex_lock(&f->account->lock);
    char **ids = f->arrivals;
    *count = f->arrival_count;
    f->arrivals = NULL;
    f->arrival_count = 0;
    pthread_mutex_unlock(&f->account->lock);
    return ids;
}

/* Does this round, or an earlier one, know it already? 1, 0; -1: error. */
static int is_known(struct mailbox_folder *f, struct merge *m, const char *id, struct error *e)
{
    struct store_message row;
    char *own = NULL;
    int64_t retired_ms;
    if (merge_find(m, id))
        return 1;
    int found = store_message_find(f->account->db, f->key, id, &row, &own, &retired_ms, e);
    free(own);
    return found;
}

bool arrive_meet(struct mailbox_folder *f, struct merge *m, struct wait *w, struct error *e)
{
    size_t count, n = 0;
    char **ids = take(f, &count);
    const char **asked = xcalloc(count + 1, sizeof *asked);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        int known = is_known(f, m, ids[i], e);
        ok = known >= 0 && (known || sync_enter(f, m, ids[i], e));
        if (ok && !known)
            asked[n++] = ids[i];
    }
    ok = ok && fetch_by_id(f, m, asked, n, w, e);
    for (size_t i = 0; i < count; i++)
        free(ids[i]);
    free(ids);
    free(asked);
    return ok;
}
