/* What is known of a message for good. */
#include "../unit.h"
#include "db_util.h"
#include "scratch.h"

#include "postern/store/fact_db.h"

#include <string.h>

enum { HEADER = 1, STRUCTURE = 2 };

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
    CU_ASSERT_FATAL(db_fill(db, folder, 1, 3));
}

static void end(void)
{
    store_db_close(&db);
    scratch_remove();
}

static bool put(uint32_t uid, int kind, const char *text)
{
    return store_fact_put(db, folder, uid, kind, text, strlen(text), &e);
}

/* NULL: it is not known. */
static void check(uint32_t uid, int kind, const char *want)
{
    struct buf out = BUF_INIT(100);
    CU_ASSERT_EQUAL(store_fact_get(db, folder, uid, kind, &out, &e), want != NULL);
    CU_ASSERT_STRING_EQUAL(buf_str(&out), want ? want : "");
    buf_free(&out);
}

static void expunge(uint32_t uid)
{
    struct store_tx *tx = store_tx_begin(db, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tx);
    CU_ASSERT(store_tx_expunge(tx, folder, uid, 9, &e));
    CU_ASSERT(store_tx_commit(&tx, &e));
}

static void test_first_stays(void)
{
    begin();
    check(1, HEADER, NULL);
    CU_ASSERT(put(1, HEADER, "one"));
    CU_ASSERT(put(1, HEADER, "two"));
    CU_ASSERT(put(1, STRUCTURE, ""));
    check(1, HEADER, "one");
    check(1, STRUCTURE, "");
    check(2, HEADER, NULL);
    end();
}

static void test_bytes(void)
{
    struct buf out = BUF_INIT(8), small = BUF_INIT(3);
    begin();
    CU_ASSERT(store_fact_put(db, folder, 2, HEADER, "a\0\xff\n", 4, &e));
    CU_ASSERT_EQUAL(store_fact_get(db, folder, 2, HEADER, &out, &e), 1);
    CU_ASSERT_EQUAL(out.len, 4);
    CU_ASSERT_EQUAL(memcmp(out.data, "a\0\xff\n", 4), 0);
    CU_ASSERT_EQUAL(store_fact_get(db, folder, 2, HEADER, &small, &e), -1);
    CU_ASSERT_EQUAL(e.kind, ERROR_TOO_BIG);
    buf_free(&out);
    buf_free(&small);
    end();
}

static void test_goes_with_its_message(void)
{
    begin();
    CU_ASSERT(put(1, HEADER, "one"));
    CU_ASSERT(put(2, HEADER, "two"));
    expunge(1);
    check(1, HEADER, NULL);
    check(2, HEADER, "two");
    CU_ASSERT(put(1, HEADER, "late")); /* nothing is kept of what is not there */
    check(1, HEADER, NULL);
    CU_ASSERT(store_folder_delete(db, folder, &e));
    check(2, HEADER, NULL);
    end();
}

/* A resync that gives the message another UID: what was told of the old one is not told again. */
static void test_another_uid(void)
{
    begin();
    struct store_message m = db_message(50, "same");
    struct store_tx *tx = store_tx_begin(db, &e);
    CU_ASSERT_FATAL(tx && store_tx_put(tx, folder, &m, &e) && store_tx_commit(&tx, &e));
    CU_ASSERT(put(50, HEADER, "old"));
    m.uid = 51;
    tx = store_tx_begin(db, &e);
    CU_ASSERT_FATAL(tx && store_tx_put(tx, folder, &m, &e) && store_tx_commit(&tx, &e));
    check(50, HEADER, NULL);
    check(51, HEADER, NULL);
    CU_ASSERT(put(51, HEADER, "new"));
    check(51, HEADER, "new");
    end();
}

extern const struct unit_test fact_tests[];
const struct unit_test fact_tests[] = {
    {"the first one stays", test_first_stays},
    {"any bytes", test_bytes},
    {"facts go with their message", test_goes_with_its_message},
    {"another UID", test_another_uid},
    {NULL, NULL},
};
