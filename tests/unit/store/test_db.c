/* Opening, folders, aliases, permissions. */
#include "../unit.h"
#include "db_util.h"
#include "scratch.h"

#include <string.h>
#include <sys/stat.h>

static void test_folder_round_trip(void)
{
    bool fresh = false;
    struct error e = ERROR_INIT;
    const char *root = scratch_make();
    struct store_db *db = db_open(root, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    CU_ASSERT(fresh);
    struct store_folder f = {.graph_id = (char *)"inbox-id",
                             .uidvalidity = UINT32_MAX,
                             .uidnext = 5,
                             .modseq = INT64_MAX,
                             .uid_mode = STORE_UID_DIVERGED,
                             .resume_delta = (char *)"https://x/delta?$skiptoken=a'b",
                             .delta_done = true};
    CU_ASSERT(store_folder_insert(db, &f, &e));
    CU_ASSERT(f.key > 0);
    CU_ASSERT_FALSE(store_folder_insert(db, &f, &e)); /* an id is unique */

    struct store_tx *tx = store_tx_begin(db, &e);
    f.synced = f.marked = true;
    f.delta_link = (char *)"https://x/delta?$deltatoken=z";
    f.resume_delta = NULL;
    CU_ASSERT(store_tx_folder(tx, &f, &e));
    CU_ASSERT(store_tx_commit(&tx, &e));
    CU_ASSERT_PTR_NULL(tx);
    store_db_close(&db);
    CU_ASSERT_PTR_NULL(db);

    db = db_open(root, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    CU_ASSERT_FALSE(fresh);
    struct store_folder g;
    CU_ASSERT_EQUAL(store_folder_find(db, "inbox-id", &g, &e), 1);
    CU_ASSERT_EQUAL(g.key, f.key);
    CU_ASSERT_EQUAL(g.uidvalidity, UINT32_MAX);
    CU_ASSERT_EQUAL(g.modseq, INT64_MAX);
    CU_ASSERT_EQUAL(g.uid_mode, STORE_UID_DIVERGED);
    CU_ASSERT(g.synced && g.marked && g.delta_done && !g.listing_done);
    CU_ASSERT_STRING_EQUAL(g.delta_link, f.delta_link);
    CU_ASSERT_PTR_NULL(g.resume_delta);
    store_folder_free(&g);
    CU_ASSERT_EQUAL(store_folder_find(db, "Inbox-id", &g, &e), 0); /* ids know case */
    store_db_close(&db);
    scratch_remove();
}

static void test_folder_delete(void)
{
    bool fresh;
    struct error e = ERROR_INIT;
    struct store_db *db = db_open(scratch_make(), &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    int64_t one = db_folder(db, "one"), two = db_folder(db, "two");
    CU_ASSERT(db_fill(db, one, 1, 10) && db_fill(db, two, 1, 3));
    CU_ASSERT(store_folder_delete(db, one, &e));
    CU_ASSERT_EQUAL(db_uids(db, one, NULL, 0), 0);
    CU_ASSERT_EQUAL(db_uids(db, two, NULL, 0), 3);

    struct store_folder gone = {.key = one, .graph_id = (char *)"one"};
    struct store_tx *tx = store_tx_begin(db, &e);
    CU_ASSERT_FALSE(store_tx_folder(tx, &gone, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_FOLDER_GONE);
    CU_ASSERT_FALSE(store_tx_commit(&tx, &e));
    store_db_close(&db);
    scratch_remove();
}

static void test_alias(void)
{
    bool fresh;
    struct error e = ERROR_INIT;
    const char *root = scratch_make();
    struct store_db *db = db_open(root, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    char *id = NULL;
    CU_ASSERT_EQUAL(store_alias_get(db, "inbox", &id, &e), 0);
    CU_ASSERT_PTR_NULL(id);
    CU_ASSERT(store_alias_set(db, "inbox", "a", &e));
    CU_ASSERT(store_alias_set(db, "inbox", "b", &e));
    store_db_close(&db);
    db = db_open(root, &fresh, &e);
    CU_ASSERT_EQUAL_FATAL(store_alias_get(db, "inbox", &id, &e), 1);
    CU_ASSERT_STRING_EQUAL(id, "b");
    free(id);
    CU_ASSERT(store_alias_set(db, "path:In", "b", &e));
    CU_ASSERT(store_alias_set(db, "path:Out", "c", &e));
    CU_ASSERT(store_alias_forget(db, "b", &e));
    CU_ASSERT_EQUAL(store_alias_get(db, "inbox", &id, &e), 0);
    CU_ASSERT_EQUAL(store_alias_get(db, "path:In", &id, &e), 0);
    CU_ASSERT_EQUAL(store_alias_get(db, "path:Out", &id, &e), 1);
    free(id);
    store_db_close(&db);
    scratch_remove();
}

static void check_modes(const char *dir)
{
    CU_ASSERT_EQUAL(scratch_mode(dir), 0700);
    CU_ASSERT_EQUAL(scratch_count(dir, "mail.db"), 3);
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"mail.db", "mail.db-wal", "mail.db-shm"};
        char path[SCRATCH_PATH];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        CU_ASSERT_EQUAL(scratch_mode(path), 0600);
    }
}

static void test_permissions(void)
{
    bool fresh;
    struct error e = ERROR_INIT;
    static const mode_t umasks[] = {0, 077};
    for (size_t i = 0; i < 2; i++) {
        mode_t old = umask(umasks[i]);
        struct store_db *db = db_open(scratch_make(), &fresh, &e);
        CU_ASSERT_PTR_NOT_NULL_FATAL(db);
        CU_ASSERT(db_fill(db, db_folder(db, "f"), 1, 3));
        check_modes(store_db_dir(db));
        store_db_close(&db);
        umask(old);
        scratch_remove();
    }
}

static void test_wide_open_file_is_narrowed(void)
{
    bool fresh;
    struct error e = ERROR_INIT;
    const char *root = scratch_make();
    const char *path = db_path(root);
    chmod(path, 0644);
    struct store_db *db = db_open(root, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    CU_ASSERT(store_alias_set(db, "a", "b", &e));
    check_modes(store_db_dir(db));
    store_db_close(&db);
    scratch_remove();
}

static void test_mailboxes_are_apart(void)
{
    bool fresh;
    struct error e = ERROR_INIT;
    const char *root = scratch_make();
    struct store_db *a = store_db_open(root, "ab", "c", &fresh, &e);
    struct store_db *b = store_db_open(root, "a", "bc", &fresh, &e);
    CU_ASSERT_FATAL(a && b);
    CU_ASSERT_STRING_NOT_EQUAL(store_db_dir(a), store_db_dir(b));
    store_db_close(&a);
    store_db_close(&b);
    scratch_remove();
}

extern const struct unit_test db_tests[];
const struct unit_test db_tests[] = {
    {"a folder survives closing", test_folder_round_trip},
    {"a forgotten folder takes its messages along", test_folder_delete},
    {"aliases", test_alias},
    {"files are ours alone under any umask", test_permissions},
    {"a file open to others is narrowed", test_wide_open_file_is_narrowed},
    {"two mailboxes never share a file", test_mailboxes_are_apart},
    {NULL, NULL},
};
