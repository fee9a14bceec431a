/* Migrations: each step from an older file, and files of the future. */
#include "../../../src/store/schema.h"

#include "../unit.h"
#include "db_util.h"
#include "scratch.h"

#include <string.h>

static sqlite3 *open_raw(const char *path)
{
    sqlite3 *h = NULL;
    if (sqlite3_open(path, &h) != SQLITE_OK)
        abort();
    return h;
}

static int version_of(sqlite3 *h)
{
    int version = -1;
    return schema_read_version(h, &version) == SQLITE_OK ? version : -1;
}

/* What an older program wrote for each version, so that a step meets real rows: entry i is run on
 * a file of version i. Every new step gets one. */
static const char *const old_rows[] = {
    "",
    "INSERT INTO folder VALUES (1, 'old', 7, 3, 9, 0, 1, 1, 'link', NULL, NULL, 1, 1);"
    "INSERT INTO message VALUES (1, 1, 'a', 1, 0, 0, 1, -1, -1, 5, 'k', 'Work');"
    "INSERT INTO message VALUES (2, 1, 'b', 2, 0, 0, 2, -1, 70, 5, 'k', 'a=3Db');",
    "INSERT INTO folder VALUES (1, 'old', 7, 4, 9, 0, 1, 1, 'link', NULL, NULL, 1, 1, 2);"
    "INSERT INTO message VALUES (1, 1, 'c', 3, 0, 0, 3, -1, -1, 5, 'k', '', 0, 0);",
    "INSERT INTO folder (key, graph_id, uidvalidity, uidnext, modseq, uid_mode, synced, marked, "
    "listing_done, delta_done) VALUES (1, 'old', 1, 9, 1, 0, 1, 0, 0, 0);"
    "INSERT INTO message (folder, graph_id, uid, flags, received, article, estimate, size, modseq, "
    "change_key, keywords) VALUES (1, 'm', 5, 0, 0, 5, -1, -1, 1, '', '');",
    "INSERT INTO alias VALUES ('path:Archive', 'a'), ('inbox', 'i');",
    "INSERT INTO making VALUES (1, 'f', 0, 'mark', '', NULL, 7, 1), (2, 'f', 2, 'v', '9', 'g', 7, "
    "1);",
    "INSERT INTO folder (key, graph_id, uidvalidity, uidnext, modseq, uid_mode, synced, marked, "
    "listing_done, delta_done) VALUES (1, 'old', 1, 9, 1, 0, 1, 0, 0, 0);",
};

static void test_each_step(void)
{
    CU_ASSERT_EQUAL_FATAL(sizeof old_rows / sizeof old_rows[0], (size_t)schema_version);
    for (int from = 0; from < schema_version; from++) {
        const char *root = scratch_make();
        const char *path = db_path(root);
        remove(path);
        sqlite3 *h = open_raw(path);
        CU_ASSERT_EQUAL(schema_migrate(h, schema_steps, 0, from), SQLITE_OK);
        CU_ASSERT_EQUAL(sqlite3_exec(h, old_rows[from], NULL, NULL, NULL), SQLITE_OK);
        CU_ASSERT_EQUAL(version_of(h), from);
        sqlite3_close(h);

        bool fresh;
        struct error e = ERROR_INIT;
        struct store_db *db = db_open(root, &fresh, &e);
        CU_ASSERT_PTR_NOT_NULL_FATAL(db);
        CU_ASSERT(db_fill(db, db_folder(db, "f"), 1, 3));
        store_db_close(&db);
        h = open_raw(path);
        CU_ASSERT_EQUAL(version_of(h), schema_version);
        sqlite3_close(h);
        scratch_remove();
    }
}

static void test_failed_step_leaves_a_whole_one(void)
{
    static const char *const steps[] = {
        "CREATE TABLE a (x); INSERT INTO a VALUES (1);",
        "ALTER TABLE a ADD COLUMN y; UPDATE a SET y = 2; INSERT INTO nowhere VALUES (1);",
        "CREATE TABLE c (x)",
    };
    scratch_make();
    sqlite3 *h = open_raw(scratch_path("x.db"));
    CU_ASSERT_EQUAL(schema_migrate(h, steps, 0, 3), SQLITE_ERROR);
    CU_ASSERT_EQUAL(version_of(h), 1);
    CU_ASSERT(sqlite3_get_autocommit(h));
    CU_ASSERT_EQUAL(sqlite3_exec(h, "SELECT x FROM a", NULL, NULL, NULL), SQLITE_OK);
    CU_ASSERT_NOT_EQUAL(sqlite3_exec(h, "SELECT y FROM a", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(h);
    scratch_remove();
}

static void test_newer_file_is_left_alone(void)
{
    bool fresh;
    struct error e = ERROR_INIT;
    const char *root = scratch_make();
    const char *path = db_path(root);
    sqlite3 *h = open_raw(path);
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", schema_version + 1);
    CU_ASSERT_EQUAL(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(h);

    char before[4096], after[4096];
    FILE *f = fopen(path, "rb");
    CU_ASSERT_EQUAL(fread(before, 1, sizeof before, f), sizeof before);
    fclose(f);
    off_t size = scratch_size(path);
    CU_ASSERT_PTR_NULL(db_open(root, &fresh, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_LOCAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "newer program"));
    CU_ASSERT_EQUAL(scratch_size(path), size);
    f = fopen(path, "rb");
    CU_ASSERT_EQUAL(fread(after, 1, sizeof after, f), sizeof after);
    fclose(f);
    CU_ASSERT_EQUAL(memcmp(before, after, sizeof before), 0);
    h = open_raw(path);
    CU_ASSERT_EQUAL(version_of(h), schema_version + 1);
    sqlite3_close(h);
    scratch_remove();
}

extern const struct unit_test schema_tests[];
const struct unit_test schema_tests[] = {
    {"each step from an older file", test_each_step},
    {"a failed step leaves the one before it", test_failed_step_leaves_a_whole_one},
    {"a newer file is refused and left alone", test_newer_file_is_left_alone},
    {NULL, NULL},
};
