/* Sync end to end, requests counted. */
#include "rig.h"

#include "postern/base/clock.h"
#include "postern/base/thread.h"

#include <string.h>

extern const struct unit_test sync_tests[];

static void test_budgets(void)
{
    struct rig r;
    rig_init(&r, 1200);
    rig_open(&r);
    /* 2 * ceil(N / 500) + 3, the GET of the folder and the mark included. */
    unsigned open = exchange_counts(r.exchange, NULL);
    CU_ASSERT_EQUAL(open, 1);
    CU_ASSERT(open + rig_sync(&r) <= 2 * 3 + 3);
    CU_ASSERT_EQUAL(rig_count(&r), 1200);
    CU_ASSERT_EQUAL(rig_uid(&r, 0), 101); /* Exchange's own numbers */
    CU_ASSERT_EQUAL(rig_uid(&r, 1199), 1300);
    CU_ASSERT_EQUAL(mailbox_folder_uidnext(r.folder), 1301);
    CU_ASSERT_EQUAL(rig_sync(&r), 1); /* nothing new */
    exchange_deliver(r.exchange, 1);
    CU_ASSERT(rig_sync(&r) <= 2);
    CU_ASSERT_EQUAL(rig_uid(&r, 1200), 1301);
    exchange_deliver(r.exchange, 30);
    CU_ASSERT_EQUAL(rig_sync(&r), 2); /* one listing for all */
    CU_ASSERT_EQUAL(rig_uid(&r, 1230), 1331);
    exchange_set_read(r.exchange, "m-0001", true);
    CU_ASSERT_EQUAL(rig_sync(&r), 2); /* its extended properties may have changed too */
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_SEEN);
    rig_close(&r);
    exchange_counts(r.exchange, NULL);
    rig_open(&r); /* a restart asks nothing to know the folder */
    CU_ASSERT_EQUAL(exchange_counts(r.exchange, NULL), 0);
    CU_ASSERT_EQUAL(rig_count(&r), 1231);
    CU_ASSERT_EQUAL(rig_sync(&r), 1);
    CU_ASSERT_EQUAL(rig_uid(&r, 1230), 1331);
    rig_close(&r);
    rig_free(&r);
}

static void test_removed(void)
{
    struct rig r;
    rig_init(&r, 5);
    rig_open(&r);
    rig_sync(&r);
    exchange_take_away(r.exchange, "m-0002");
    CU_ASSERT_EQUAL(rig_sync(&r), 1);
    CU_ASSERT_EQUAL(rig_count(&r), 4);
    exchange_put_back(r.exchange, "m-0002", false);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_count(&r), 5);
    CU_ASSERT_EQUAL(rig_uid(&r, 4), 106); /* never the old one */
    CU_ASSERT_EQUAL(mailbox_folder_uidnext(r.folder), 107);
    rig_close(&r);
    rig_free(&r);
}

static void test_lost_state(void)
{
    struct rig r;
    rig_init(&r, 7);
    rig_open(&r);
    rig_sync(&r);
    uint32_t uidvalidity = mailbox_folder_uidvalidity(r.folder);
    rig_close(&r);
    rig_lose_state(&r);
    rig_open(&r);
    CU_ASSERT_EQUAL(mailbox_folder_uidvalidity(r.folder), uidvalidity);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_uid(&r, 6), 107);
    /* The last message goes while the state is lost: UIDNEXT stays above it all the same. */
    rig_close(&r);
    rig_lose_state(&r);
    exchange_take_away(r.exchange, "m-0007");
    rig_open(&r);
    rig_sync(&r);
    CU_ASSERT_EQUAL(mailbox_folder_uidnext(r.folder), 108);
    rig_close(&r);
    rig_free(&r);
}

static void test_diverged(void)
{
    struct rig r;
    char mark[64];
    rig_init(&r, 3);
    rig_open(&r);
    rig_sync(&r);
    uint32_t uidvalidity = mailbox_folder_uidvalidity(r.folder);
    exchange_mark(r.exchange, mark);
    CU_ASSERT_PTR_NOT_NULL(strstr(mark, ";exact"));
    exchange_lock(r.exchange)->no_articles = true;
    exchange_unlock(r.exchange);
    exchange_deliver(r.exchange, 2);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_uid(&r, 2), 103);
    CU_ASSERT_EQUAL(rig_uid(&r, 4), 105); /* our own */
    CU_ASSERT_EQUAL(mailbox_folder_uidvalidity(r.folder), uidvalidity);
    exchange_mark(r.exchange, mark);
    CU_ASSERT_PTR_NOT_NULL(strstr(mark, ";diverged"));
    rig_close(&r);
    rig_lose_state(&r);
    rig_open(&r);
    CU_ASSERT(mailbox_folder_uidvalidity(r.folder) > uidvalidity);
    rig_close(&r);
    rig_free(&r);
}

static void test_no_right_to_mark(void)
{
    struct rig r;
    rig_init(&r, 3);
    exchange_lock(r.exchange)->no_marks = 403;
    exchange_unlock(r.exchange);
    rig_open(&r);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_count(&r), 3);
    CU_ASSERT_EQUAL(rig_sync(&r), 1); /* not tried again and again */
    rig_close(&r);
    rig_free(&r);
}

/* The mark is not worth a single message: whatever becomes of it, mail is served. */
static void test_mark_refused(void)
{
    static const int statuses[] = {400, 404, 405, 500, 501};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct rig r;
        rig_init(&r, 3);
        struct exchange_faults *faults = exchange_lock(r.exchange);
        faults->no_marks = statuses[i];
        faults->no_articles = true;
        exchange_unlock(r.exchange);
        exchange_deliver(r.exchange, 1);
        rig_open(&r);
        rig_sync(&r);
        CU_ASSERT_EQUAL(rig_count(&r), 4);
        exchange_deliver(r.exchange, 1);
        CU_ASSERT_EQUAL(rig_sync(&r), 2); /* the delta and the message, no mark */
        CU_ASSERT_EQUAL(rig_count(&r), 5);
        rig_close(&r);
        rig_free(&r);
    }
}

static void test_folder_without_properties(void)
{
    static const int statuses[] = {400, 500};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct rig r;
        rig_init(&r, 3);
        exchange_lock(r.exchange)->no_properties = statuses[i];
        exchange_unlock(r.exchange);
        rig_open(&r);
        rig_sync(&r);
        CU_ASSERT_EQUAL(rig_count(&r), 3);
        rig_close(&r);
        rig_free(&r);
    }
}

/* New messages are found though the listing that would tell of all at once is refused. */
static void test_filter_refused(void)
{
    static const int statuses[] = {400, 500, 501};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct rig r;
        rig_init(&r, 3);
        exchange_lock(r.exchange)->no_filter = statuses[i];
        exchange_unlock(r.exchange);
        rig_open(&r);
        rig_sync(&r);
        exchange_deliver(r.exchange, 5);
        rig_sync(&r);
        CU_ASSERT_EQUAL(rig_count(&r), 8);
        CU_ASSERT_EQUAL(rig_uid(&r, 7), 108);
        rig_close(&r);
        rig_free(&r);
    }
}

static void test_listing_refused(void)
{
    struct rig r;
    rig_init(&r, 12);
    exchange_lock(r.exchange)->no_listing = 400;
    exchange_unlock(r.exchange);
    rig_open(&r);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_count(&r), 12);
    CU_ASSERT_EQUAL(rig_uid(&r, 11), 112);
    rig_close(&r);
    rig_free(&r);
}

/* The right to write was taken away before the numbers failed: the mark says "exact" still. */
static void test_mark_cannot_be_corrected(void)
{
    struct rig r;
    rig_init(&r, 3);
    rig_open(&r);
    rig_sync(&r);
    uint32_t uidvalidity = mailbox_folder_uidvalidity(r.folder);
    struct exchange_faults *faults = exchange_lock(r.exchange);
    faults->no_marks = 403;
    faults->no_articles = true;
    exchange_unlock(r.exchange);
    exchange_deliver(r.exchange, 1);
    rig_sync(&r);
    CU_ASSERT(mailbox_folder_uidvalidity(r.folder) > uidvalidity);
    CU_ASSERT_EQUAL(rig_uid(&r, 3), 104);
    rig_close(&r);
    rig_free(&r);
}

static void test_resync(void)
{
    struct rig r;
    struct exchange_counts counts;
    rig_init(&r, 40);
    rig_open(&r);
    rig_sync(&r);
    exchange_take_away(r.exchange, "m-0003");
    exchange_take_away(r.exchange, "m-0004");
    exchange_put_back(r.exchange, "m-0004", false); /* another number */
    exchange_set_read(r.exchange, "m-0005", true);
    exchange_lock(r.exchange)->dead_links = 1;
    exchange_unlock(r.exchange);
    exchange_counts(r.exchange, NULL);
    struct error e = ERROR_INIT;
    CU_ASSERT_FATAL(mailbox_folder_sync(r.folder, false, &r.wait, &e));
    exchange_counts(r.exchange, &counts);
    CU_ASSERT_EQUAL(counts.listing, 1);
    CU_ASSERT_EQUAL(rig_count(&r), 39);
    CU_ASSERT_EQUAL(rig_uid(&r, 1), 102);
    CU_ASSERT_EQUAL(rig_uid(&r, 2), 105);
    CU_ASSERT_EQUAL(rig_flags(&r, 2), MAILBOX_SEEN);
    CU_ASSERT_EQUAL(rig_uid(&r, 38), 141);
    CU_ASSERT_EQUAL(rig_sync(&r), 1);
    rig_close(&r);
    rig_free(&r);
}

static void test_empty_pages(void)
{
    struct rig r;
    rig_init(&r, 25);
    struct exchange_faults *faults = exchange_lock(r.exchange);
    faults->empty_pages = true;
    faults->page = 10;
    exchange_unlock(r.exchange);
    rig_open(&r);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_count(&r), 25);
    exchange_deliver(r.exchange, 15);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_count(&r), 40);
    CU_ASSERT_EQUAL(rig_uid(&r, 39), 140);
    rig_close(&r);
    rig_free(&r);
}

static void test_no_delta(void)
{
    struct rig r;
    rig_init(&r, 12);
    exchange_lock(r.exchange)->no_delta = true;
    exchange_unlock(r.exchange);
    rig_open(&r);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_count(&r), 12);
    exchange_take_away(r.exchange, "m-0001");
    exchange_deliver(r.exchange, 1);
    exchange_set_read(r.exchange, "m-0002", true);
    CU_ASSERT_EQUAL(rig_sync(&r), 2); /* the listing, and where the missing one is */
    CU_ASSERT_EQUAL(rig_count(&r), 12);
    CU_ASSERT_EQUAL(rig_uid(&r, 0), 102);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_SEEN);
    CU_ASSERT_EQUAL(rig_uid(&r, 11), 113);
    rig_close(&r);
    rig_free(&r);
}

/* A second client joins the listing that the first has left. */
static void test_no_delta_joined(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    rig_init(&r, 12);
    struct exchange_faults *faults = exchange_lock(r.exchange);
    faults->no_delta = true;
    faults->page = 2;
    faults->delay_ms = 30;
    exchange_unlock(r.exchange);
    rig_open(&r);
    r.wait.deadline_ms = clock_mono_ms() + 60;
    CU_ASSERT_FALSE(mailbox_folder_sync(r.folder, false, &r.wait, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_TIMEOUT);
    r.wait.deadline_ms = CLOCK_NEVER;
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_count(&r), 12);
    rig_close(&r);
    rig_free(&r);
}

/* A client that does not wait, a service that ends, a start that goes on where it stopped. */
static void test_interrupted(void)
{
    struct rig r;
    struct exchange_counts before, after;
    struct error e = ERROR_INIT;
    rig_init(&r, 200);
    struct exchange_faults *faults = exchange_lock(r.exchange);
    faults->page = 10;
    faults->delay_ms = 60;
    exchange_unlock(r.exchange);
    rig_open(&r);
    exchange_counts(r.exchange, NULL);
    r.wait.deadline_ms = clock_mono_ms() + 700;
    CU_ASSERT_FALSE(mailbox_folder_sync(r.folder, false, &r.wait, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, " of about 200 messages"));
    CU_ASSERT_EQUAL(rig_count(&r), 0); /* nothing is shown before it is whole */
    rig_close(&r);
    exchange_counts(r.exchange, &before);
    CU_ASSERT(before.delta > 2 && before.listing > 2);
    r.wait.deadline_ms = CLOCK_NEVER;
    rig_open(&r);
    CU_ASSERT_FATAL(mailbox_folder_sync(r.folder, false, &r.wait, &e));
    exchange_counts(r.exchange, &after);
    CU_ASSERT_EQUAL(rig_count(&r), 200);
    CU_ASSERT_EQUAL(rig_uid(&r, 199), 300);
    CU_ASSERT(after.delta < 20 && after.listing < 20);
    rig_close(&r);
    rig_free(&r);
}

static void test_dead_resume_link(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    rig_init(&r, 100);
    struct exchange_faults *faults = exchange_lock(r.exchange);
    faults->page = 10;
    faults->delay_ms = 20;
    exchange_unlock(r.exchange);
    rig_open(&r);
    r.wait.deadline_ms = clock_mono_ms() + 120;
    CU_ASSERT_FALSE(mailbox_folder_sync(r.folder, false, &r.wait, &e));
    rig_close(&r);
    faults = exchange_lock(r.exchange);
    faults->dead_links = 1;
    faults->delay_ms = 0;
    exchange_unlock(r.exchange);
    exchange_take_away(r.exchange, "m-0001");
    r.wait.deadline_ms = CLOCK_NEVER;
    rig_open(&r);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_count(&r), 99);
    CU_ASSERT_EQUAL(rig_uid(&r, 0), 102);
    rig_close(&r);
    rig_free(&r);
}

/* Many who ask at once. */
struct asker {
    struct rig *rig;
    pthread_t thread;
    bool ok;
};

static void *ask(void *arg)
{
    struct asker *asker = arg;
    struct error e = ERROR_INIT;
    struct wait w;
    if (wait_init(&w, &e)) {
        asker->ok = mailbox_folder_sync(asker->rig->folder, false, &w, &e);
        wait_close(&w);
    }
    return NULL;
}

#define ASKERS 12
/* Requests that it takes to sync a folder for all of them. */
static unsigned ask_at_once(struct rig *r)
{
    struct asker askers[ASKERS];
    struct error e = ERROR_INIT;
    exchange_lock(r->exchange)->delay_ms = 100;
    exchange_unlock(r->exchange);
    exchange_counts(r->exchange, NULL);
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.rig = r};
        CU_ASSERT_FATAL(
            thread_start(&askers[i].thread, "asker", THREAD_STACK_WORKER, ask, &askers[i], &e));
    }
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(askers[i].thread, NULL);
        CU_ASSERT(askers[i].ok);
    }
    return exchange_counts(r->exchange, NULL);
}

static void test_shared_round(void)
{
    struct rig r;
    rig_init(&r, 3);
    rig_open(&r);
    rig_sync(&r);
    /* One under way when most of them came, and the next for those. */
    CU_ASSERT(ask_at_once(&r) <= 3);
    rig_close(&r);
    rig_free(&r);
}

/* Without delta each sync is a listing; they are shared in the same way. */
static void test_shared_listing(void)
{
    struct rig r;
    rig_init(&r, 3);
    exchange_lock(r.exchange)->no_delta = true;
    exchange_unlock(r.exchange);
    rig_open(&r);
    rig_sync(&r);
    CU_ASSERT(ask_at_once(&r) <= 3);
    CU_ASSERT_EQUAL(rig_count(&r), 3);
    rig_close(&r);
    rig_free(&r);
}

/* The leader's client goes away: another who waits takes over. */
static void test_leader_leaves(void)
{
    struct rig r;
    struct asker asker = {.rig = &r};
    struct error e = ERROR_INIT;
    rig_init(&r, 3);
    rig_open(&r);
    rig_sync(&r);
    exchange_deliver(r.exchange, 1);
    exchange_lock(r.exchange)->delay_ms = 200;
    exchange_unlock(r.exchange);
    CU_ASSERT_FATAL(thread_start(&asker.thread, "asker", THREAD_STACK_WORKER, ask, &asker, &e));
    r.wait.deadline_ms = clock_mono_ms() + 50;
    mailbox_folder_sync(r.folder, false, &r.wait, &e);
    pthread_join(asker.thread, NULL);
    CU_ASSERT(asker.ok);
    CU_ASSERT_EQUAL(rig_count(&r), 4);
    rig_close(&r);
    rig_free(&r);
}

const struct unit_test sync_tests[] = {
    {"request budgets and a restart", test_budgets},
    {"removed and back", test_removed},
    {"a lost state directory keeps UIDs", test_lost_state},
    {"numbers that fail", test_diverged},
    {"no right to mark the folder", test_no_right_to_mark},
    {"a mark that is refused or fails", test_mark_refused},
    {"a mark that cannot be corrected", test_mark_cannot_be_corrected},
    {"a folder without properties", test_folder_without_properties},
    {"$filter is refused", test_filter_refused},
    {"the listing is refused", test_listing_refused},
    {"410: a resync keeps UIDs", test_resync},
    {"empty pages", test_empty_pages},
    {"no delta: listings serve", test_no_delta},
    {"no delta: two at once", test_no_delta_joined},
    {"an interrupted first sync", test_interrupted},
    {"a resume link that died", test_dead_resume_link},
    {"many ask at once", test_shared_round},
    {"many ask at once where there is no delta", test_shared_listing},
    {"a leader leaves", test_leader_leaves},
    {NULL, NULL},
};
