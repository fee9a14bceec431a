/* Originals of appended messages, and the journal of messages being made. */
#include "../unit.h"
#include "db_util.h"
#include "scratch.h"

#include "postern/base/clock.h"
#include "postern/store/original.h"

#include <stdlib.h>
#include <string.h>

extern const struct unit_test original_tests[];

#define A_WHILE ((int64_t)11 * 60 * CLOCK_SECOND)

static const char *dir;
static struct store_db *db;
static int64_t folder;
static struct error e;

static void reopen(void)
{
    bool fresh;
    error_clear(&e);
    store_db_close(&db);
    db = db_open(dir, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
}

static void begin(void)
{
    dir = scratch_make();
    reopen();
    folder = db_folder(db, "folder");
}

static void end(void)
{
    store_db_close(&db);
    scratch_remove();
}

static struct store_spool *spool_of(const char *text)
{
    struct store_spool *s = store_spool_new(db, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT(store_spool_append(s, text, strlen(text), &e));
    return s;
}

static void keep(const char *text, const char *id)
{
    const struct store_original original = {
        .size = (int64_t)strlen(text), .received_ms = 1234, .flags = STORE_SEEN};
    struct store_spool *s = spool_of(text);
    CU_ASSERT(store_original_keep(db, s, id, &original, &e));
    store_spool_free(&s);
}

static bool is_kept(const char *id, const char *text)
{
    char have[64] = "";
    struct store_body *b = store_original_open(db, id, &e);
    if (!b)
        return false;
    ssize_t n = store_body_read(b, 0, have, sizeof have - 1, &e);
    store_body_unref(&b);
    return n == (ssize_t)strlen(text) && strcmp(have, text) == 0;
}

static void test_kept(void)
{
    struct store_original found;
    begin();
    CU_ASSERT_EQUAL(store_original_find(db, "a", &found, &e), 0);
    CU_ASSERT_PTR_NULL(store_original_open(db, "a", &e));
    keep("hello", "a");
    CU_ASSERT_EQUAL(store_original_find(db, "a", &found, &e), 1);
    CU_ASSERT(found.size == 5 && found.received_ms == 1234 && found.flags == STORE_SEEN);
    reopen();
    CU_ASSERT(is_kept("a", "hello"));
    CU_ASSERT(store_original_drop(db, "a", &e));
    CU_ASSERT(store_original_drop(db, "a", &e));
    CU_ASSERT_FALSE(is_kept("a", "hello"));
    CU_ASSERT_EQUAL(e.kind, ERROR_NONE);
    end();
}

/* A message that had to be made once more has another id; its first original goes. */
static void test_kept_twice(void)
{
    const struct store_original original = {.size = 3, .received_ms = INT64_MIN};
    begin();
    struct store_spool *s = spool_of("abc");
    CU_ASSERT_NSTRING_EQUAL(store_spool_map(s, &e), "abc", 3);
    CU_ASSERT(store_original_keep(db, s, "first", &original, &e));
    CU_ASSERT(store_original_drop(db, "first", &e));
    CU_ASSERT(store_original_keep(db, s, "second", &original, &e));
    store_spool_free(&s);
    CU_ASSERT_FALSE(is_kept("first", "abc"));
    CU_ASSERT(is_kept("second", "abc"));
    end();
}

static void test_copied(void)
{
    begin();
    keep("hello", "a");
    CU_ASSERT(store_original_copy(db, "a", "b", &e));
    CU_ASSERT(store_original_copy(db, "none", "c", &e));
    CU_ASSERT(store_original_drop(db, "a", &e));
    CU_ASSERT(is_kept("b", "hello"));
    CU_ASSERT_FALSE(is_kept("c", "hello"));
    end();
}

static void test_torn(void)
{
    struct store_original found;
    uint8_t digest[SHA256_SIZE];
    char name[2 * SHA256_SIZE + 1];
    begin();
    keep("hello", "a");
    sha256("a", sizeof "a", digest);
    hex_encode(digest, sizeof digest, name);
    const char *path = scratch_path("%s/originals/%s", store_db_dir(db) + strlen(dir) + 1, name);
    CU_ASSERT(scratch_flip(path, 0, 1));
    CU_ASSERT_PTR_NULL(store_original_open(db, "a", &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_NONE);
    CU_ASSERT_EQUAL(store_original_find(db, "a", &found, &e), 0);
    CU_ASSERT_FALSE(scratch_exists(path));
    end();
}

/* What a killed process had spooled goes with the next start. */
static void test_spools(void)
{
    begin();
    struct store_spool *s = spool_of("half");
    const char *tmp = scratch_path("%s/originals/tmp", store_db_dir(db) + strlen(dir) + 1);
    CU_ASSERT_EQUAL(scratch_count(tmp, ""), 1);
    reopen();
    CU_ASSERT_EQUAL(scratch_count(tmp, ""), 0);
    store_spool_free(&s);
    s = spool_of("");
    CU_ASSERT_STRING_EQUAL(store_spool_map(s, &e), "");
    store_spool_free(&s);
    CU_ASSERT_EQUAL(scratch_count(tmp, ""), 0);
    store_spool_free(&s);
    end();
}

static int due(int64_t now_ms)
{
    char *ids[4];
    int n = store_original_due(db, now_ms, ids, 4, &e);
    for (int i = 0; i < n; i++)
        free(ids[i]);
    return n;
}

static void test_looked_after(void)
{
    struct store_message m = db_message(1, "a");
    begin();
    keep("hello", "a");
    int64_t now = clock_wall_ms();
    CU_ASSERT_EQUAL(due(now), 0);
    CU_ASSERT_EQUAL(due(now + A_WHILE), 1);
    struct store_tx *tx = store_tx_begin(db, &e);
    CU_ASSERT(store_tx_put(tx, folder, &m, &e) && store_tx_commit(&tx, &e));
    CU_ASSERT(store_original_lives(db, "a", now + 5 * A_WHILE, &e));
    CU_ASSERT_EQUAL(due(INT64_MAX), 0); /* its row is there */
    tx = store_tx_begin(db, &e);
    CU_ASSERT(store_tx_expunge(tx, folder, 1, 2, &e) && store_tx_commit(&tx, &e));
    CU_ASSERT_EQUAL(due(now), 0); /* it may just have moved */
    CU_ASSERT_EQUAL(due(now + A_WHILE), 1);
    CU_ASSERT(store_original_lives(db, "a", now + 5 * A_WHILE, &e));
    CU_ASSERT_EQUAL(due(now + A_WHILE), 0);
    CU_ASSERT_EQUAL(due(now + 5 * A_WHILE), 1);
    end();
}

struct rows {
    int count;
    char graph_id[16], mark[16];
};

static bool count_row(void *arg, const struct store_making *m)
{
    struct rows *rows = arg;
    rows->count++;
    snprintf(rows->graph_id, sizeof rows->graph_id, "%s", m->graph_id ? m->graph_id : "none");
    snprintf(rows->mark, sizeof rows->mark, "%s", m->mark ? m->mark : "none");
    return true;
}

static struct rows rows_now(void)
{
    struct rows rows = {0};
    CU_ASSERT(store_making_each(db, count_row, &rows, &e));
    return rows;
}

static void test_journal(void)
{
    struct store_making m = {.folder = "f", .mark = "m"};
    begin();
    CU_ASSERT(store_making_begin(db, &m, &e));
    CU_ASSERT_EQUAL(rows_now().count, 0); /* somebody is at work on it */
    reopen();
    struct rows rows = rows_now();
    CU_ASSERT_EQUAL(rows.count, 1);
    CU_ASSERT_STRING_EQUAL(rows.graph_id, "none");
    CU_ASSERT_STRING_EQUAL(rows.mark, "m");
    CU_ASSERT(store_making_end(db, m.key, &e));
    CU_ASSERT_EQUAL(rows_now().count, 0);
    m.mark = NULL;
    CU_ASSERT(store_making_begin(db, &m, &e));
    CU_ASSERT(store_making_known(db, m.key, "made", &e));
    CU_ASSERT(store_making_abandon(db, m.key, &e));
    rows = rows_now();
    CU_ASSERT_STRING_EQUAL(rows.graph_id, "made");
    CU_ASSERT_STRING_EQUAL(rows.mark, "none");
    end();
}

const struct unit_test original_tests[] = {
    {"kept over restarts, and dropped", test_kept},
    {"kept under another id", test_kept_twice},
    {"copied", test_copied},
    {"a torn file", test_torn},
    {"spools", test_spools},
    {"looked after when the message leaves", test_looked_after},
    {"the journal", test_journal},
    {NULL, NULL},
};
