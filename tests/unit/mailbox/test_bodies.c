/* Bodies, read-ahead, sizes and deletes end to end. */
#include "rig.h"

#include "postern/base/thread.h"

#include <string.h>

extern const struct unit_test body_tests[];

static void open_synced(struct rig *r, unsigned messages)
{
    rig_init(r, messages);
    rig_open(r);
    rig_sync(r);
    exchange_counts(r->exchange, NULL);
}

static void check_body(struct mailbox_body *b, const char *id)
{
    struct error e = ERROR_INIT;
    char want[256], have[256];
    exchange_mime(id, want);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    ssize_t n = mailbox_body_read(b, 0, have, sizeof have, &e);
    CU_ASSERT_EQUAL(n, (ssize_t)strlen(want));
    CU_ASSERT(n >= 0 && memcmp(have, want, (size_t)n) == 0);
    CU_ASSERT_EQUAL(mailbox_body_wire_size(b), strlen(want));
}

/* Never more than the slots of a mailbox; how soon the fourth connection is up is a matter of the
 * machine. */
static void check_abreast(struct rig *r)
{
    unsigned most = exchange_most_abreast(r->exchange);
    CU_ASSERT(most >= 2 && most <= 4);
}

struct fetcher {
    struct rig *rig;
    pthread_t thread;
    struct mailbox_body *body;
};

static void *fetch(void *arg)
{
    struct fetcher *f = arg;
    struct error e = ERROR_INIT;
    struct wait w;
    struct mailbox_reader *reader = mailbox_reader_new(f->rig->folder);
    if (wait_init(&w, &e)) {
        f->body = mailbox_reader_body(reader, 101, &w, &e);
        wait_close(&w);
    }
    mailbox_reader_free(&reader);
    return NULL;
}

#define FETCHERS 8
static void test_single_flight(void)
{
    struct rig r;
    struct fetcher fetchers[FETCHERS];
    struct error e = ERROR_INIT;
    open_synced(&r, 2);
    exchange_lock(r.exchange)->mime_delay_ms = 150;
    exchange_unlock(r.exchange);
    for (int i = 0; i < FETCHERS; i++) {
        fetchers[i] = (struct fetcher){.rig = &r};
        CU_ASSERT_FATAL(thread_start(&fetchers[i].thread, "fetcher", THREAD_STACK_WORKER, fetch,
                                     &fetchers[i], &e));
    }
    for (int i = 0; i < FETCHERS; i++) {
        pthread_join(fetchers[i].thread, NULL);
        check_body(fetchers[i].body, "m-0001");
        mailbox_body_unref(&fetchers[i].body);
    }
    CU_ASSERT_EQUAL(exchange_counts(r.exchange, NULL), 1);
    rig_close(&r);
    rig_free(&r);
}

/* Reads all messages as POP3 does. */
static void read_all(struct rig *r, unsigned count)
{
    struct error e = ERROR_INIT;
    struct mailbox_reader *reader = mailbox_reader_new(r->folder);
    uint32_t uids[64];
    for (unsigned i = 0; i < count; i++)
        uids[i] = 101 + i;
    for (unsigned i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof id, "m-%04u", i + 1);
        mailbox_reader_sequence(reader, uids + i, count - i);
        struct mailbox_body *body = mailbox_reader_body(reader, uids[i], &r->wait, &e);
        check_body(body, id);
        mailbox_body_unref(&body);
    }
    mailbox_reader_free(&reader);
}

static void test_read_ahead(void)
{
    struct rig r;
    open_synced(&r, 60);
    exchange_lock(r.exchange)->mime_delay_ms = 30;
    exchange_unlock(r.exchange);
    read_all(&r, 60);
    CU_ASSERT_EQUAL(exchange_counts(r.exchange, NULL), 60);
    check_abreast(&r);
    read_all(&r, 60); /* cached */
    CU_ASSERT_EQUAL(exchange_counts(r.exchange, NULL), 0);
    rig_close(&r);
    rig_free(&r);
}

/* What was read ahead is fetched once even where no cache keeps it. */
static void test_no_cache(void)
{
    struct rig r;
    rig_init(&r, 30);
    r.cache_max = 0;
    rig_open(&r);
    rig_sync(&r);
    exchange_counts(r.exchange, NULL);
    read_all(&r, 30);
    CU_ASSERT_EQUAL(exchange_counts(r.exchange, NULL), 30);
    rig_close(&r);
    rig_free(&r);
}

static void test_no_read_ahead(void)
{
    struct rig r;
    rig_init(&r, 10);
    r.read_ahead = 0;
    rig_open(&r);
    rig_sync(&r);
    exchange_counts(r.exchange, NULL);
    read_all(&r, 10);
    CU_ASSERT_EQUAL(exchange_counts(r.exchange, NULL), 10);
    rig_close(&r);
    rig_free(&r);
}

static void test_sizes(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    uint32_t uids[20];
    int64_t sizes[20];
    open_synced(&r, 20);
    exchange_take_away(r.exchange, "m-0003");
    rig_sync(&r);
    struct mailbox_reader *reader = mailbox_reader_new(r.folder);
    for (unsigned i = 0; i < 20; i++)
        uids[i] = 101 + i;
    CU_ASSERT(mailbox_reader_sizes(reader, uids, 20, sizes, &r.wait, &e));
    CU_ASSERT_EQUAL(exchange_counts(r.exchange, NULL), 19);
    CU_ASSERT_EQUAL(sizes[2], -1);
    char want[256];
    exchange_mime("m-0020", want);
    CU_ASSERT_EQUAL(sizes[19], (int64_t)strlen(want));
    struct mailbox_view *view = mailbox_folder_view(r.folder);
    CU_ASSERT(mailbox_view_at(view, 0)->size_exact); /* in the view at once */
    mailbox_view_unref(&view);
    CU_ASSERT(mailbox_reader_sizes(reader, uids, 20, sizes, &r.wait, &e));
    CU_ASSERT_EQUAL(exchange_counts(r.exchange, NULL), 0);
    mailbox_reader_free(&reader);
    rig_close(&r);
    rig_open(&r); /* and kept */
    view = mailbox_folder_view(r.folder);
    CU_ASSERT(mailbox_view_at(view, 18)->size_exact);
    CU_ASSERT_EQUAL(mailbox_view_at(view, 18)->size, (int64_t)strlen(want));
    mailbox_view_unref(&view);
    rig_close(&r);
    rig_free(&r);
}

static void test_gone_and_broken(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    open_synced(&r, 2);
    struct mailbox_reader *reader = mailbox_reader_new(r.folder);
    CU_ASSERT_PTR_NULL(mailbox_reader_body(reader, 999, &r.wait, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_GONE);
    /* Cut short: asked for again, never delivered. */
    exchange_lock(r.exchange)->fail_mime = 1;
    exchange_unlock(r.exchange);
    struct mailbox_body *body = mailbox_reader_body(reader, 101, &r.wait, &e);
    check_body(body, "m-0001");
    mailbox_body_unref(&body);
    mailbox_reader_free(&reader);
    rig_close(&r);
    rig_free(&r);
}

static void test_delete(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    struct exchange_counts counts;
    struct mailbox_delete_result result;
    uint32_t uids[20];
    open_synced(&r, 30);
    for (unsigned i = 0; i < 20; i++)
        uids[i] = 101 + i;
    exchange_take_away(r.exchange, "m-0002"); /* somebody else was faster */
    struct exchange_faults *faults = exchange_lock(r.exchange);
    faults->lose_moves = 2;
    faults->delay_ms = 30;
    exchange_unlock(r.exchange);
    CU_ASSERT(mailbox_delete(r.folder, uids, 20, EXPUNGE_DELETED_ITEMS, &r.wait, &result, &e));
    CU_ASSERT_EQUAL(result.deleted, 20);
    CU_ASSERT_EQUAL(result.failed, 0);
    exchange_counts(r.exchange, &counts);
    CU_ASSERT_EQUAL(counts.delta, 1);
    CU_ASSERT_EQUAL(counts.move, 19);   /* none is repeated … */
    CU_ASSERT_EQUAL(counts.message, 2); /* … those without an answer are looked for */
    CU_ASSERT_EQUAL(counts.folder, 0);
    check_abreast(&r);
    CU_ASSERT_STRING_EQUAL(exchange_where(r.exchange, "m-0001"), EXCHANGE_TRASH);
    CU_ASSERT_EQUAL(rig_count(&r), 10); /* before the next round */
    CU_ASSERT_EQUAL(rig_sync(&r), 1);
    CU_ASSERT_EQUAL(rig_count(&r), 10);
    rig_close(&r);
    rig_free(&r);
}

static void test_delete_repeats(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    struct exchange_counts counts;
    struct mailbox_delete_result result;
    uint32_t uid = 101;
    open_synced(&r, 2);
    exchange_lock(r.exchange)->drop_moves = 2;
    exchange_unlock(r.exchange);
    CU_ASSERT(mailbox_delete(r.folder, &uid, 1, EXPUNGE_DELETED_ITEMS, &r.wait, &result, &e));
    exchange_counts(r.exchange, &counts);
    CU_ASSERT_EQUAL(counts.move, 3);
    CU_ASSERT_EQUAL(counts.message, 2);
    exchange_lock(r.exchange)->drop_moves = 3;
    exchange_unlock(r.exchange);
    uid = 102;
    CU_ASSERT_FALSE(mailbox_delete(r.folder, &uid, 1, EXPUNGE_DELETED_ITEMS, &r.wait, &result, &e));
    CU_ASSERT_EQUAL(result.failed, 1);
    CU_ASSERT_EQUAL(e.kind, ERROR_TEMPORARY);
    CU_ASSERT_EQUAL(rig_count(&r), 1); /* still there, and said so */
    rig_close(&r);
    rig_free(&r);
}

/* 404 to a move may be about the destination: no proof that the message is gone. */
static void test_delete_nowhere(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    struct mailbox_delete_result result;
    uint32_t uid = 101;
    open_synced(&r, 2);
    exchange_lock(r.exchange)->no_trash = true;
    exchange_unlock(r.exchange);
    CU_ASSERT_FALSE(mailbox_delete(r.folder, &uid, 1, EXPUNGE_DELETED_ITEMS, &r.wait, &result, &e));
    CU_ASSERT_EQUAL(result.deleted, 0);
    CU_ASSERT_EQUAL(result.failed, 1);
    CU_ASSERT_EQUAL(rig_count(&r), 2);
    rig_close(&r);
    rig_free(&r);
}

static void test_partial_failure(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    struct mailbox_delete_result result;
    uint32_t uids[] = {101, 102, 103, 104, 105, 106};
    open_synced(&r, 6);
    exchange_lock(r.exchange)->forbidden = "m-0004";
    exchange_unlock(r.exchange);
    CU_ASSERT_FALSE(mailbox_delete(r.folder, uids, 6, EXPUNGE_DELETED_ITEMS, &r.wait, &result, &e));
    CU_ASSERT_EQUAL(result.deleted, 5);
    CU_ASSERT_EQUAL(result.failed, 1);
    CU_ASSERT_EQUAL(e.kind, ERROR_DENIED);
    CU_ASSERT_EQUAL(rig_count(&r), 1);
    CU_ASSERT_EQUAL(rig_uid(&r, 0), 104);
    rig_close(&r);
    rig_free(&r);
}

/* The delta is behind and tells what we deleted as present. */
static void test_late_delta(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    struct mailbox_delete_result result;
    uint32_t uid = 102;
    open_synced(&r, 3);
    CU_ASSERT(mailbox_delete(r.folder, &uid, 1, EXPUNGE_DELETED_ITEMS, &r.wait, &result, &e));
    exchange_lock(r.exchange)->late = true;
    exchange_unlock(r.exchange);
    CU_ASSERT_EQUAL(rig_sync(&r), 2); /* the delta, and one look */
    CU_ASSERT_EQUAL(rig_count(&r), 2);
    CU_ASSERT_EQUAL(mailbox_folder_uidnext(r.folder), 104);
    rig_close(&r);
    rig_free(&r);
}

const struct unit_test body_tests[] = {
    {"one download for all", test_single_flight},
    {"read-ahead", test_read_ahead},
    {"read-ahead without a cache", test_no_cache},
    {"without read-ahead", test_no_read_ahead},
    {"exact sizes", test_sizes},
    {"gone and broken bodies", test_gone_and_broken},
    {"deletes", test_delete},
    {"deletes whose answers are lost", test_delete_repeats},
    {"deletes without a place to go", test_delete_nowhere},
    {"deletes that fail in part", test_partial_failure},
    {"a delta that is late", test_late_delta},
    {NULL, NULL},
};
