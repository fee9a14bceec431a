#include "db_util.h"
#include "scratch.h"

#include <stdio.h>
#include <string.h>

struct store_db *db_open(const char *state_dir, bool *fresh, struct error *e)
{
    return store_db_open(state_dir, "contoso", "alerts@contoso.com", fresh, e);
}

const char *db_path(const char *state_dir)
{
    bool fresh;
    struct error e = ERROR_INIT;
    struct store_db *db = db_open(state_dir, &fresh, &e);
    const char *path = db ? scratch_path("%s/mail.db", strstr(store_db_dir(db), "mailboxes")) : "";
    store_db_close(&db);
    return path;
}

int64_t db_folder(struct store_db *db, const char *graph_id)
{
    struct error e = ERROR_INIT;
    struct store_folder f = {.graph_id = (char *)graph_id, .uidvalidity = 7, .uidnext = 1};
    return store_folder_insert(db, &f, &e) ? f.key : 0;
}

struct store_message db_message(uint32_t uid, const char *graph_id)
{
    return (struct store_message){.graph_id = graph_id,
                                  .uid = uid,
                                  .received_ms = 1000 * (int64_t)uid,
                                  .article = uid,
                                  .estimate = -1,
                                  .size = -1,
                                  .modseq = 100 + uid,
                                  .change_key = "CQAAABYAAAB",
                                  .keywords = ""};
}

bool db_fill(struct store_db *db, int64_t folder, uint32_t first, uint32_t last)
{
    struct error e = ERROR_INIT;
    struct store_tx *tx = store_tx_begin(db, &e);
    bool ok = tx != NULL;
    for (uint32_t uid = first; ok && uid <= last; uid++) {
        char id[160];
        snprintf(id, sizeof id, "id-%u-%0120u", uid, uid * 2654435761u);
        struct store_message m = db_message(uid, id);
        ok = store_tx_put(tx, folder, &m, &e);
    }
    if (ok)
        return store_tx_commit(&tx, &e);
    store_tx_rollback(&tx);
    return false;
}

struct collect {
    uint32_t *uids;
    int count, max;
};

static bool collect_one(void *arg, const struct store_message *m)
{
    struct collect *c = arg;
    if (c->count < c->max)
        c->uids[c->count] = m->uid;
    c->count++;
    return true;
}

int db_uids(struct store_db *db, int64_t folder, uint32_t *uids, int max)
{
    struct error e = ERROR_INIT;
    struct collect c = {uids, 0, max};
    return store_message_each(db, folder, collect_one, &c, &e) ? c.count : -1;
}
