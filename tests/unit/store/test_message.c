/* Messages and transactions. */
#include "../unit.h"
#include "db_util.h"
#include "scratch.h"

#include "postern/base/buf.h"
#include "postern/base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static struct store_db *db;
static int64_t folder;
static struct error e;

static void begin(void)
{
    bool fresh;
    error_clear(&e);
    db = db_open(scratch_make(), &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    folder = db_folder(db, "folder");
}

static void end(void)
{
    store_db_close(&db);
    scratch_remove();
}

static bool put(const struct store_message *m)
{
    struct store_tx *tx = store_tx_begin(db, &e);
    bool ok = tx && store_tx_put(tx, folder, m, &e);
    if (ok)
        return store_tx_commit(&tx, &e);
    store_tx_rollback(&tx);
    return false;
}

static void test_round_trip(void)
{
    begin();
    struct store_message in = {.graph_id = "AAkA=_-",
                               .uid = UINT32_MAX,
                               .flags = STORE_SEEN | STORE_DELETED,
                               .received_ms = -5,
                               .article = -2,
                               .estimate = 1,
                               .size = INT64_C(5000000000),
                               .modseq = INT64_MAX,
                               .change_key = "ck",
                               .keywords = "$a b"};
    struct store_message out;
    char *own, *id;
    int64_t retired;
    CU_ASSERT(put(&in));
    CU_ASSERT_EQUAL_FATAL(store_message_find(db, folder, "AAkA=_-", &out, &own, &retired, &e), 1);
    CU_ASSERT_STRING_EQUAL(out.graph_id, in.graph_id);
    CU_ASSERT_EQUAL(out.uid, in.uid);
    CU_ASSERT_EQUAL(out.flags, in.flags);
    CU_ASSERT_EQUAL(out.received_ms, in.received_ms);
    CU_ASSERT_EQUAL(out.article, in.article);
    CU_ASSERT_EQUAL(out.estimate, in.estimate);
    CU_ASSERT_EQUAL(out.size, in.size);
    CU_ASSERT_EQUAL(out.modseq, in.modseq);
    CU_ASSERT_STRING_EQUAL(out.change_key, "ck");
    CU_ASSERT_STRING_EQUAL(out.keywords, "$a b");
    CU_ASSERT_EQUAL(retired, 0);
    free(own);
    CU_ASSERT_EQUAL_FATAL(store_message_id_by_uid(db, folder, UINT32_MAX, &id, &e), 1);
    CU_ASSERT_STRING_EQUAL(id, "AAkA=_-");
    free(id);
    CU_ASSERT_EQUAL(store_message_id_by_uid(db, folder, 1, &id, &e), 0);
    CU_ASSERT_EQUAL(store_message_find(db, folder, "aakA=_-", &out, &own, &retired, &e), 0);
    CU_ASSERT_PTR_NULL(own);
    end();
}

static bool append_id(void *arg, const struct store_message *m)
{
    struct buf *ids = arg;
    return buf_puts(ids, m->graph_id) && ids->len < ids->max;
}

static void test_order(void)
{
    begin();
    struct store_message m = db_message(9, "f");
    CU_ASSERT(put(&m));
    m = db_message(8, "e");
    CU_ASSERT(put(&m));
    m = db_message(0, "d");
    m.article = -1;
    CU_ASSERT(put(&m));
    m = db_message(0, "c");
    m.article = 5;
    m.received_ms = 2;
    CU_ASSERT(put(&m));
    m.graph_id = "b";
    m.received_ms = 1;
    CU_ASSERT(put(&m));
    m.graph_id = "a";
    m.article = 4;
    CU_ASSERT(put(&m));
    struct buf all = BUF_INIT(10), some = BUF_INIT(3);
    CU_ASSERT(store_message_each(db, folder, append_id, &all, &e));
    CU_ASSERT_STRING_EQUAL(buf_str(&all), "abcdef");
    CU_ASSERT(store_message_each(db, folder, append_id, &some, &e)); /* stopped when it is full */
    CU_ASSERT_STRING_EQUAL(buf_str(&some), "abc");
    buf_free(&all);
    buf_free(&some);
    end();
}

static void test_given_uid_and_size_stay(void)
{
    begin();
    struct store_message m = db_message(0, "x"), out;
    char *own;
    int64_t retired;
    CU_ASSERT(put(&m));
    m.uid = 4;
    CU_ASSERT(put(&m));
    CU_ASSERT(store_message_set_size(db, folder, 4, 1234, &e));
    CU_ASSERT(store_message_set_size(db, folder, 4, 99, &e));
    CU_ASSERT(store_message_set_size(db, folder, 77, 99, &e));
    m.uid = 0;
    m.flags = STORE_SEEN;
    CU_ASSERT(put(&m));
    CU_ASSERT_EQUAL(store_message_find(db, folder, "x", &out, &own, &retired, &e), 1);
    CU_ASSERT_EQUAL(out.uid, 4);
    CU_ASSERT_EQUAL(out.size, 1234);
    CU_ASSERT_EQUAL(out.flags, STORE_SEEN);
    free(own);
    m.uid = 5; /* other content: another UID, whose size is not known yet */
    CU_ASSERT(put(&m));
    CU_ASSERT_EQUAL(store_message_find(db, folder, "x", &out, &own, &retired, &e), 1);
    CU_ASSERT_EQUAL(out.uid, 5);
    CU_ASSERT_EQUAL(out.size, -1);
    free(own);
    struct store_message twin = db_message(5, "y");
    CU_ASSERT_FALSE(put(&twin));
    CU_ASSERT_EQUAL(e.kind, ERROR_LOCAL);
    end();
}

static void test_expunge(void)
{
    begin();
    struct store_message m = db_message(4, "x"), out;
    char *own;
    int64_t retired;
    CU_ASSERT(put(&m));
    clock_test_set(0, 5000);
    struct store_tx *tx = store_tx_begin(db, &e);
    CU_ASSERT(store_tx_expunge(tx, folder, 4, 200, &e));
    CU_ASSERT(store_tx_expunge(tx, folder, 4, 201, &e)); /* gone already */
    m.uid = 6;
    CU_ASSERT(store_tx_put(tx, folder, &m, &e)); /* it came back */
    CU_ASSERT(store_tx_commit(&tx, &e));
    CU_ASSERT_EQUAL(store_message_find(db, folder, "x", &out, &own, &retired, &e), 1);
    CU_ASSERT_EQUAL(out.uid, 6);
    CU_ASSERT_EQUAL(retired, 5000);
    free(own);
    clock_test_set(0, 9000);
    tx = store_tx_begin(db, &e);
    CU_ASSERT(store_tx_expunge(tx, folder, 6, 202, &e));
    CU_ASSERT(store_tx_commit(&tx, &e));
    clock_test_off();
    CU_ASSERT_EQUAL(store_message_find(db, folder, "x", &out, &own, &retired, &e), 0);
    CU_ASSERT_EQUAL(retired, 9000);
    end();
}

/* The day on which a UID is retired, and whether 90 days and a moment later it is still known. */
static void test_old_tombstones(void)
{
    const int64_t day = 24 * 3600 * CLOCK_SECOND;
    struct store_message out;
    char *own;
    bool fresh;
    int64_t retired;
    error_clear(&e);
    const char *root = scratch_make();
    db = db_open(root, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    folder = db_folder(db, "folder");
    const char *const ids[] = {"old", "young"};
    for (uint32_t i = 0; i < 2; i++) {
        struct store_message m = db_message(i + 1, ids[i]);
        CU_ASSERT(put(&m));
        clock_test_set(0, 1000 * day + i);
        struct store_tx *tx = store_tx_begin(db, &e);
        CU_ASSERT(store_tx_expunge(tx, folder, i + 1, 200, &e));
        CU_ASSERT(store_tx_commit(&tx, &e));
    }
    store_db_close(&db);
    clock_test_set(0, 1090 * day + 1);
    db = db_open(root, &fresh, &e);
    clock_test_off();
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    CU_ASSERT_EQUAL(store_message_find(db, folder, "old", &out, &own, &retired, &e), 0);
    CU_ASSERT_EQUAL(retired, 0);
    CU_ASSERT_EQUAL(store_message_find(db, folder, "young", &out, &own, &retired, &e), 0);
    CU_ASSERT_EQUAL(retired, 1000 * day + 1);
    end();
}

static void test_elsewhere(void)
{
    begin();
    int64_t other = db_folder(db, "other");
    CU_ASSERT(db_fill(db, folder, 1, 2));
    struct store_message m = db_message(3, "here");
    CU_ASSERT(put(&m));
    CU_ASSERT_EQUAL(store_message_elsewhere(db, folder, "here", &e), 0);
    CU_ASSERT_EQUAL(store_message_elsewhere(db, other, "here", &e), 1);
    CU_ASSERT_EQUAL(store_message_elsewhere(db, other, "nowhere", &e), 0);
    struct store_tx *tx = store_tx_begin(db, &e);
    CU_ASSERT(store_tx_expunge(tx, folder, 3, 200, &e) && store_tx_commit(&tx, &e));
    CU_ASSERT_EQUAL(store_message_elsewhere(db, folder, "here", &e), 0);
    CU_ASSERT_EQUAL(store_message_elsewhere(db, other, "here", &e), 1);
    end();
}

static void test_unstage(void)
{
    begin();
    static const char *const ids[] = {"a", "b", "c"};
    uint32_t uids[4];
    struct store_message given = db_message(1, "given");
    CU_ASSERT(put(&given));
    for (int i = 0; i < 3; i++) {
        struct store_message m = db_message(0, ids[i]);
        CU_ASSERT(put(&m));
    }
    struct store_tx *tx = store_tx_begin(db, &e);
    CU_ASSERT(store_tx_unstage(tx, folder, "a", &e));
    CU_ASSERT(store_tx_unstage(tx, folder, "given", &e));
    CU_ASSERT_EQUAL(db_uids(db, folder, uids, 4), 3);
    CU_ASSERT(store_tx_unstage(tx, folder, NULL, &e));
    CU_ASSERT(store_tx_commit(&tx, &e));
    CU_ASSERT_EQUAL(db_uids(db, folder, uids, 4), 1);
    CU_ASSERT_EQUAL(uids[0], 1);
    end();
}

static void test_rollback(void)
{
    begin();
    struct store_message m = db_message(1, "x");
    struct store_tx *tx = store_tx_begin(db, &e);
    CU_ASSERT(store_tx_put(tx, folder, &m, &e));
    CU_ASSERT_PTR_NULL(store_tx_begin(db, &e)); /* one at a time */
    CU_ASSERT_EQUAL(db_uids(db, folder, NULL, 0), 1);
    store_tx_rollback(&tx);
    CU_ASSERT_PTR_NULL(tx);
    store_tx_rollback(&tx);
    CU_ASSERT_EQUAL(db_uids(db, folder, NULL, 0), 0);

    struct store_message twin = db_message(1, "y");
    tx = store_tx_begin(db, &e);
    CU_ASSERT(store_tx_put(tx, folder, &m, &e));
    CU_ASSERT_FALSE(store_tx_put(tx, folder, &twin, &e));
    twin.uid = 2;
    CU_ASSERT_FALSE(store_tx_put(tx, folder, &twin, &e));
    CU_ASSERT_FALSE(store_tx_commit(&tx, &e));
    CU_ASSERT_EQUAL(db_uids(db, folder, NULL, 0), 0);
    CU_ASSERT(put(&m));
    end();
}

#define THREADS 4
#define ROUNDS  30

static atomic_uint next_uid = 1;
static atomic_int torn;

static void *writer(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t uid = atomic_fetch_add(&next_uid, 2);
        if (!db_fill(db, folder, uid, uid + 1))
            atomic_fetch_add(&torn, 1);
        /* Pairs are committed together, so nobody ever counts an odd number. */
        if (db_uids(db, folder, NULL, 0) % 2 != 0)
            atomic_fetch_add(&torn, 1);
    }
    return NULL;
}

static void test_threads(void)
{
    begin();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, writer, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(atomic_load(&torn), 0);
    CU_ASSERT_EQUAL(db_uids(db, folder, NULL, 0), 2 * THREADS * ROUNDS);
    end();
}

/* Speed is printed for whoever asks, never asserted. */
static void test_large_folder(void)
{
    begin();
    const uint32_t count = getenv("STORE_TEST_MESSAGES")
                               ? (uint32_t)strtoul(getenv("STORE_TEST_MESSAGES"), NULL, 10)
                               : 5000;
    int64_t start = clock_mono_ms();
    for (uint32_t uid = 1; uid <= count; uid += 500)
        CU_ASSERT_FATAL(db_fill(db, folder, uid, uid + 499));
    int64_t filled = clock_mono_ms();
    CU_ASSERT_EQUAL(db_uids(db, folder, NULL, 0), (int)count);
    int64_t walked = clock_mono_ms();
    store_db_close(&db);
    bool fresh;
    int64_t closed = clock_mono_ms();
    db = db_open(scratch_path("."), &fresh, &e);
    int64_t opened = clock_mono_ms();
    CU_ASSERT_EQUAL(db_uids(db, folder, NULL, 0), (int)count);
    int64_t again = clock_mono_ms();
    if (getenv("UNIT_VERBOSE"))
        printf("\n    %u messages: put %lld ms, walk %lld ms, open %lld ms, walk %lld ms ", count,
               (long long)(filled - start), (long long)(walked - filled),
               (long long)(opened - closed), (long long)(again - opened));
    end();
}

extern const struct unit_test message_tests[];
const struct unit_test message_tests[] = {
    {"a message round trip", test_round_trip},
    {"staged first, then by UID", test_order},
    {"a UID and a size that were given stay", test_given_uid_and_size_stay},
    {"expunge leaves a tombstone", test_expunge},
    {"old tombstones go when the database is opened", test_old_tombstones},
    {"in another folder, now or before", test_elsewhere},
    {"unstage", test_unstage},
    {"rollback, and no commit after a failure", test_rollback},
    {"threads see whole transactions", test_threads},
    {"a large folder", test_large_folder},
    {NULL, NULL},
};
