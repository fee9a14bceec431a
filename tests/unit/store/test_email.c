/* What copies tell as their EMAILID. */
#include "../unit.h"
#include "db_util.h"
#include "scratch.h"

#include "postern/base/clock.h"
#include "postern/store/email_db.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)24 * 3600 * CLOCK_SECOND)

static const char *dir;
static struct store_db *db;
static struct error e;

static void open_again(void)
{
    bool fresh;
    store_db_close(&db);
    db = db_open(dir, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
}

static void begin(void)
{
    error_clear(&e);
    dir = scratch_make();
    open_again();
}

static void end(void)
{
    store_db_close(&db);
    scratch_remove();
}

static void check(const char *id, const char *want_id)
{
    uint8_t digest[SHA256_SIZE], want[SHA256_SIZE], email[SHA256_SIZE];
    sha256(id, strlen(id), digest);
    sha256(want_id, strlen(want_id), want);
    CU_ASSERT_FATAL(store_email_of(db, digest, email, &e));
    CU_ASSERT_EQUAL(memcmp(email, want, SHA256_SIZE), 0);
}

static int by_digest(const void *a, const void *b)
{
    return memcmp(a, b, SHA256_SIZE);
}

static void check_bearers(const char *email_id, const char *const *ids, size_t count)
{
    uint8_t email[SHA256_SIZE], want[4][SHA256_SIZE];
    struct buf found = BUF_INIT(sizeof want);
    for (size_t i = 0; i < count; i++)
        sha256(ids[i], strlen(ids[i]), want[i]);
    qsort(want, count, SHA256_SIZE, by_digest);
    sha256(email_id, strlen(email_id), email);
    CU_ASSERT(store_email_bearers(db, email, &found, &e));
    CU_ASSERT_EQUAL_FATAL(found.len, count * SHA256_SIZE);
    CU_ASSERT_EQUAL(memcmp(buf_str(&found), want, found.len), 0);
    buf_free(&found);
}

static void test_copies(void)
{
    begin();
    check("a", "a");
    CU_ASSERT(store_email_copy(db, "a", "b", &e));
    CU_ASSERT(store_email_copy(db, "b", "c", &e)); /* of a copy */
    CU_ASSERT(store_email_copy(db, "x", "b", &e)); /* the first one stays */
    open_again();
    check("a", "a");
    check("b", "a");
    check("c", "a");
    check("x", "x");
    end();
}

static void test_bearers(void)
{
    uint8_t email[SHA256_SIZE];
    struct buf small = BUF_INIT(2 * SHA256_SIZE);
    begin();
    check_bearers("a", (const char *const[]){"a"}, 1);
    CU_ASSERT(store_email_copy(db, "a", "b", &e));
    CU_ASSERT(store_email_copy(db, "a", "c", &e));
    check_bearers("a", (const char *const[]){"a", "b", "c"}, 3);
    check_bearers("b", NULL, 0);
    sha256("a", 1, email);
    CU_ASSERT_FALSE(store_email_bearers(db, email, &small, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_TOO_BIG);
    buf_free(&small);
    end();
}

static void put(int64_t folder, uint32_t uid, const char *id)
{
    struct store_message m = db_message(uid, id);
    struct store_tx *tx = store_tx_begin(db, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tx);
    CU_ASSERT(store_tx_put(tx, folder, &m, &e));
    CU_ASSERT(store_tx_commit(&tx, &e));
}

static void expunge(int64_t folder, uint32_t uid)
{
    struct store_tx *tx = store_tx_begin(db, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tx);
    CU_ASSERT(store_tx_expunge(tx, folder, uid, 9, &e));
    CU_ASSERT(store_tx_commit(&tx, &e));
}

/* Opened again in so many days from now. */
static void open_in(int days)
{
    clock_test_set(clock_mono_ms(), clock_wall_ms() + days * DAY_MS);
    open_again();
}

/* A message that lives keeps it for good; one that left its folder may have moved. */
static void test_gone(void)
{
    begin();
    int64_t there = db_folder(db, "there"), beyond = db_folder(db, "beyond");
    CU_ASSERT(store_email_copy(db, "a", "never-seen", &e));
    CU_ASSERT(store_email_copy(db, "a", "stays", &e));
    CU_ASSERT(store_email_copy(db, "a", "moves", &e));
    CU_ASSERT(store_email_copy(db, "a", "goes", &e));
    put(there, 1, "stays");
    put(there, 2, "moves");
    put(there, 3, "goes");
    put(beyond, 1, "moves");
    expunge(there, 2);
    expunge(there, 3);
    open_in(89);
    check("never-seen", "a");
    check("goes", "a");
    open_in(2);
    check("never-seen", "never-seen");
    check("goes", "goes");
    check("stays", "a");
    check("moves", "a");
    end();
    clock_test_off();
}

const struct unit_test email_tests[] = {
    {"a copy tells what its source does", test_copies},
    {"who tells an id", test_bearers},
    {"rows outlive their message for a while", test_gone},
    {NULL, NULL},
};
