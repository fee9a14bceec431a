#include "../../../src/mailbox/sync/merge.h"
#include "../unit.h"

#include "postern/base/clock.h"

#include <stdio.h>
#include <string.h>

extern const struct unit_test merge_tests[];

static uint32_t seed;

static uint32_t next_random(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* The naive model: a server with at most this many messages, and what a client was told. */
#define IDS 120
struct model {
    struct {
        bool alive;
        bool present, removed; /* reported in the coming round */
        bool moved;            /* left the folder since the last round */
        int64_t article;
        bool read;
    } server[IDS];
    struct row told[IDS]; /* uid 0: not in the client's folder */
    int64_t article_next;
    struct merge_uids uids;
    bool with_gaps; /* some messages have no article number */
};

static void id_of(int i, char out[16])
{
    snprintf(out, 16, "id-%03d", i);
}

static int index_of(const char *id)
{
    return (int)strtol(id + 3, NULL, 10);
}

static struct graph_message message_of(const struct model *m, int i, const char *id, bool whole)
{
    struct graph_message g = {.id = id, .has = GRAPH_HAS_READ, .is_read = m->server[i].read};
    if (whole) {
        g.has |= GRAPH_HAS_SIZE;
        g.size = 900;
    }
    if (whole && m->server[i].article > 0) {
        g.has |= GRAPH_HAS_ARTICLE;
        g.article = m->server[i].article;
    }
    return g;
}

static void arrive(struct model *m, int i)
{
    bool gap = m->with_gaps && next_random(20) == 0;
    m->server[i].alive = true;
    m->server[i].present = true;
    m->server[i].read = next_random(2);
    m->server[i].article = gap ? 0 : m->article_next++;
}

static void happen(struct model *m)
{
    int i = (int)next_random(IDS);
    if (!m->server[i].alive) {
        arrive(m, i);
    } else if (next_random(3) == 0) {
        m->server[i].read = !m->server[i].read;
        m->server[i].present = true;
    } else {
        m->server[i].alive = false;
        m->server[i].removed = true;
        m->server[i].moved = true;
        if (next_random(4) == 0)
            arrive(m, i); /* moved out and back within one round */
    }
}

static struct merge_item *enter(struct model *m, struct merge *merge, int i, const char *id)
{
    struct merge_item *item = merge_find(merge, id);
    if (item || m->told[i].uid == 0)
        return item ? item : merge_enter(merge, id, NULL, false);
    struct row known = m->told[i];
    known.id = strdup(id);
    return merge_enter(merge, id, &known, false);
}

/* The delta of a round: shuffled by a random start, some items twice. */
static void tell_delta(struct model *m, struct merge *merge)
{
    int start = (int)next_random(IDS);
    for (int n = 0; n < 2 * IDS; n++) {
        int i = (start + n) % IDS;
        char id[16];
        id_of(i, id);
        if (n >= IDS && next_random(3))
            continue;
        if (m->server[i].removed) {
            struct graph_message gone = {.id = id, .removed = true};
            merge_delta(enter(m, merge, i, id), &gone);
        }
        if (m->server[i].present && m->server[i].alive) {
            struct graph_message g = message_of(m, i, id, false);
            merge_delta(enter(m, merge, i, id), &g);
        }
    }
}

static void tell_all(struct model *m, struct merge *merge)
{
    for (int i = 0; i < IDS; i++) {
        char id[16];
        id_of(i, id);
        if (m->told[i].uid)
            enter(m, merge, i, id);
        struct graph_message g = message_of(m, i, id, true), d = message_of(m, i, id, false);
        if (m->server[i].alive && next_random(10)) /* pages shift: some are missed */
            merge_listed(enter(m, merge, i, id), &g);
        if (m->server[i].alive)
            merge_delta(enter(m, merge, i, id), &d);
    }
}

static void settle(struct model *m, struct merge *merge, const char **ids, size_t count,
                   bool listing)
{
    for (size_t n = 0; n < count; n++) {
        int i = index_of(ids[n]);
        struct graph_message g = message_of(m, i, ids[n], true);
        struct merge_item *item = merge_find(merge, ids[n]);
        if (!listing || next_random(4) == 0)
            merge_answer(item, m->server[i].alive ? &g : NULL);
        else if (m->server[i].alive)
            merge_listed(item, &g);
    }
}

static void take_over(struct model *m, const struct merge_result *result, uint32_t uidnext_before)
{
    for (size_t n = 0; n < result->expunge_count; n++) {
        bool found = false;
        for (int i = 0; i < IDS && !found; i++) {
            if (m->told[i].uid != result->expunges[n])
                continue;
            m->told[i].uid = 0;
            found = true;
        }
        CU_ASSERT(found);
    }
    for (size_t n = 0; n < result->put_count; n++) {
        const struct row *r = result->puts[n];
        int i = index_of(r->id);
        /* A new UID is above all given; a change keeps the old one. */
        CU_ASSERT(m->told[i].uid == 0 ? r->uid >= uidnext_before : r->uid == m->told[i].uid);
        m->told[i] = *r;
        m->told[i].id = m->told[i].change_key = m->told[i].keywords = NULL;
    }
}

static void check_model(struct model *m, const uint32_t *uids_before)
{
    for (int i = 0; i < IDS; i++) {
        if ((m->told[i].uid != 0) != m->server[i].alive)
            CU_FAIL_FATAL("the client's folder is not the server's");
        if (m->told[i].uid >= m->uids.uidnext)
            CU_FAIL("UIDNEXT is not above every UID");
        if (m->server[i].alive && ((m->told[i].flags & MAILBOX_SEEN) != 0) != m->server[i].read)
            CU_FAIL("flags differ");
        if (uids_before[i] && m->server[i].alive && m->told[i].uid != uids_before[i] &&
            !m->server[i].moved)
            CU_FAIL("a message that stayed lost its UID");
        if (m->uids.mode == STORE_UID_EXACT && m->told[i].uid &&
            m->told[i].uid != m->server[i].article)
            CU_FAIL("exact mode, other number");
        m->server[i].present = m->server[i].removed = m->server[i].moved = false;
    }
}

static void run_round(struct model *m)
{
    bool full = next_random(10) == 0;
    struct merge *merge = merge_new(full ? MERGE_FULL : MERGE_ROUND);
    struct merge_wants wants;
    struct merge_result result;
    uint32_t before[IDS], uidnext = m->uids.uidnext;
    for (int i = 0; i < IDS; i++)
        before[i] = m->told[i].uid;
    if (full)
        tell_all(m, merge);
    else
        tell_delta(m, merge);
    merge_wants(merge, &wants);
    settle(m, merge, wants.listing, wants.listing_count, true);
    settle(m, merge, wants.ask, wants.ask_count, false);
    merge_wants_free(&wants);
    merge_wants(merge, &wants);
    settle(m, merge, wants.listing, wants.listing_count, false);
    merge_wants_free(&wants);
    merge_finish(merge, &m->uids, &result);
    take_over(m, &result, uidnext);
    check_model(m, before);
    merge_result_free(&result);
    merge_free(&merge);
}

static void run_histories(bool with_gaps)
{
    for (uint32_t run = 1; run <= 40; run++) {
        struct model *m = calloc(1, sizeof *m);
        seed = run * 7919;
        m->article_next = 1 + next_random(1000);
        m->uids = (struct merge_uids){.uidnext = 1, .mode = STORE_UID_EXACT};
        m->with_gaps = with_gaps;
        for (int round = 0; round < 60; round++) {
            for (uint32_t n = next_random(12); n > 0; n--)
                happen(m);
            run_round(m);
        }
        CU_ASSERT_EQUAL(m->uids.mode, with_gaps ? STORE_UID_DIVERGED : STORE_UID_EXACT);
        free(m);
    }
}

static void test_histories_exact(void)
{
    run_histories(false);
}

static void test_histories_diverging(void)
{
    run_histories(true);
}

/* A round with one unknown item. */
static struct merge_item *one_item(struct merge **m, enum merge_kind kind, bool retired)
{
    *m = merge_new(kind);
    return merge_enter(*m, "a", NULL, retired);
}

static void check_wants(struct merge *m, size_t listing, size_t ask)
{
    struct merge_wants wants;
    merge_wants(m, &wants);
    CU_ASSERT_EQUAL(wants.listing_count, listing);
    CU_ASSERT_EQUAL(wants.ask_count, ask);
    merge_wants_free(&wants);
}

static void test_late_echo(void)
{
    struct merge *m;
    struct graph_message present = {.id = "a"};
    struct merge_uids uids = {.uidnext = 9, .mode = STORE_UID_EXACT};
    struct merge_result result;
    struct merge_item *item = one_item(&m, MERGE_ROUND, true);
    merge_delta(item, &present);
    check_wants(m, 0, 1); /* deleted a moment ago: not believed */
    merge_answer(item, NULL);
    check_wants(m, 0, 0);
    merge_finish(m, &uids, &result);
    CU_ASSERT_EQUAL(result.put_count + result.expunge_count + result.drop_count, 0);
    CU_ASSERT_EQUAL(uids.uidnext, 9);
    merge_result_free(&result);
    merge_free(&m);
}

static void test_removed_and_unknown(void)
{
    struct merge *m;
    struct graph_message removed = {.id = "a", .removed = true};
    struct merge_uids uids = {.uidnext = 1, .mode = STORE_UID_EXACT};
    struct merge_result result;
    merge_delta(one_item(&m, MERGE_ROUND, false), &removed);
    check_wants(m, 0, 0);
    merge_finish(m, &uids, &result);
    CU_ASSERT_EQUAL(result.put_count + result.expunge_count, 0);
    merge_result_free(&result);
    merge_free(&m);
}

/* Pages of a listing shift while mail leaves: a message that it does not show is asked for. */
static void test_listing_alone(void)
{
    struct merge *m = merge_new(MERGE_FULL_LISTING);
    struct graph_message present = {.id = "a"};
    struct merge_uids uids = {.uidnext = 9, .mode = STORE_UID_EXACT};
    struct merge_result result;
    struct merge_item *items[2];
    const char *const ids[] = {"a", "b"};
    for (uint32_t i = 0; i < 2; i++) {
        struct row row;
        row_init(&row, ids[i]);
        row.uid = i + 1;
        row.article = ROW_ARTICLE_NONE;
        items[i] = merge_enter(m, ids[i], &row, false);
    }
    check_wants(m, 0, 2);
    merge_answer(items[0], &present);
    merge_answer(items[1], NULL);
    check_wants(m, 0, 0);
    merge_finish(m, &uids, &result);
    CU_ASSERT_EQUAL(result.put_count, 0);
    CU_ASSERT_EQUAL_FATAL(result.expunge_count, 1);
    CU_ASSERT_EQUAL(result.expunges[0], 2);
    merge_result_free(&result);
    merge_free(&m);
}

static void test_article_limits(void)
{
    static const int64_t articles[] = {0, 1, 4, 5, INT32_MAX, (int64_t)INT32_MAX + 1};
    static const bool exact[] = {false, false, false, true, true, false};
    for (size_t i = 0; i < sizeof articles / sizeof *articles; i++) {
        struct merge *m;
        struct graph_message g = {.id = "a", .has = GRAPH_HAS_ARTICLE, .article = articles[i]};
        struct merge_uids uids = {.uidnext = 5, .mode = STORE_UID_EXACT};
        struct merge_result result;
        merge_answer(one_item(&m, MERGE_ROUND, false), &g);
        merge_finish(m, &uids, &result);
        CU_ASSERT_EQUAL(uids.mode, exact[i] ? STORE_UID_EXACT : STORE_UID_DIVERGED);
        CU_ASSERT_EQUAL(result.puts[0]->uid, exact[i] ? (uint32_t)articles[i] : 5);
        CU_ASSERT_EQUAL(uids.uidnext, result.puts[0]->uid + 1);
        merge_result_free(&result);
        merge_free(&m);
    }
}

/* Staged rows tell which source had seen them, so that a restart can go on. */
static void test_staged(void)
{
    for (unsigned sources = 0; sources < 4; sources++) {
        struct graph_message g = {.id = "a", .has = GRAPH_HAS_CHANGE_KEY, .change_key = "k"};
        struct merge *m;
        struct merge_item *item = one_item(&m, MERGE_FULL, false);
        struct store_message staged;
        struct row row;
        if (sources & 1)
            merge_delta(item, &g);
        if (sources & 2)
            merge_listed(item, &g);
        merge_staged(item, &staged);
        row_from_store(&row, &staged);
        merge_free(&m);
        m = merge_new(MERGE_FULL);
        merge_enter(m, "a", &row, false);
        check_wants(m, 0, sources == 1 || sources == 2);
        struct merge_uids uids = {.uidnext = 1, .mode = STORE_UID_EXACT};
        struct merge_result result;
        merge_finish(m, &uids, &result);
        CU_ASSERT_EQUAL(result.drop_count, sources == 0);
        CU_ASSERT_EQUAL(result.put_count, sources != 0);
        merge_result_free(&result);
        merge_free(&m);
    }
}

/* A delta that tells no version: what it leaves out may have changed too, unless we wrote. */
static void test_no_version_told(void)
{
    for (int ours = 0; ours < 2; ours++) {
        struct graph_message g = {.id = "a", .has = GRAPH_HAS_READ};
        struct merge *m = merge_new(MERGE_ROUND);
        struct row known;
        row_init(&known, "a");
        known.uid = 1;
        known.written = ours ? clock_wall_ms() : 0;
        merge_delta(merge_enter(m, "a", &known, false), &g);
        check_wants(m, !ours, 0);
        merge_free(&m);
    }
}

static void test_keywords(void)
{
    const char *categories[] = {"Work", "Red category", "a=b", "\xc3\xa9", NULL};
    struct graph_message g = {.id = "a", .has = GRAPH_HAS_CATEGORIES, .categories = categories};
    struct row row;
    row_init(&row, "a");
    row_apply(&row, &g, false);
    CU_ASSERT_STRING_EQUAL(row.keywords, "Work Red=20category a=b =C3=A9");
    categories[0] = NULL;
    row_apply(&row, &g, false);
    CU_ASSERT_STRING_EQUAL(row.keywords, "");
    row_clear(&row);
}

static void test_partial_items(void)
{
    struct row row;
    struct mailbox_entry entry;
    struct graph_message all = {.id = "a",
                                .has = GRAPH_HAS_READ | GRAPH_HAS_FLAG | GRAPH_HAS_SIZE |
                                       GRAPH_HAS_IMAP_DELETED | GRAPH_HAS_VERB,
                                .is_read = true,
                                .flag_status = "flagged",
                                .size = 1000,
                                .verb = 102,
                                .imap_deleted = true};
    struct graph_message part = {.id = "a", .has = GRAPH_HAS_READ, .is_read = false};
    row_init(&row, "a");
    row_apply(&row, &all, true);
    row_apply(&row, &part, false);
    CU_ASSERT_EQUAL(row.flags, MAILBOX_FLAGGED | MAILBOX_ANSWERED | MAILBOX_DELETED);
    CU_ASSERT_EQUAL(row.article, ROW_ARTICLE_NONE);
    row_entry(&row, &entry);
    CU_ASSERT(!entry.size_exact && entry.size > 1400);
    row.size = 77;
    row_entry(&row, &entry);
    CU_ASSERT(entry.size_exact && entry.size == 77);
    row_apply(&row, &part, true); /* a server that shows no properties at all says nothing */
    CU_ASSERT_EQUAL(row.flags, MAILBOX_FLAGGED | MAILBOX_ANSWERED | MAILBOX_DELETED);
    part.has |= GRAPH_HAS_SIZE;
    row_apply(&row, &part, true); /* a whole answer without the property: not deleted */
    CU_ASSERT_EQUAL(row.flags, MAILBOX_FLAGGED);
    row_clear(&row);
    CU_ASSERT_EQUAL(row_told_estimate(-1), -1);
}

const struct unit_test merge_tests[] = {
    {"random histories, numbers of Exchange", test_histories_exact},
    {"random histories, numbers that fail", test_histories_diverging},
    {"a late echo of our own delete", test_late_echo},
    {"removed before it was known", test_removed_and_unknown},
    {"a listing alone", test_listing_alone},
    {"limits of article numbers", test_article_limits},
    {"staged rows", test_staged},
    {"no version is told", test_no_version_told},
    {"categories as keywords", test_keywords},
    {"partial items", test_partial_items},
    {NULL, NULL},
};
