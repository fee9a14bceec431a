/* Changing flags, and what others change, in front of the mailbox of exchange.h. */
#include "../unit.h"
#include "rig.h"

#include "postern/base/clock.h"
#include "postern/mailbox/flags.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

extern const struct unit_test flags_tests[];

static const char *keywords_at(struct rig *r, size_t index)
{
    static char out[128];
    struct mailbox_view *view = mailbox_folder_view(r->folder);
    snprintf(out, sizeof out, "%s", mailbox_view_at(view, index)->keywords);
    mailbox_view_unref(&view);
    return out;
}

static uint64_t modseq_at(struct rig *r, size_t index)
{
    struct mailbox_view *view = mailbox_folder_view(r->folder);
    uint64_t modseq = mailbox_view_at(view, index)->modseq;
    mailbox_view_unref(&view);
    return modseq;
}

/* As a client said, and not Graph. */
#define TOLD_DRAFT (MAILBOX_DRAFT | MAILBOX_DRAFT_CONTRARY)

#define OUTCOMES_MAX 300
static enum mailbox_outcome outcomes[OUTCOMES_MAX];

/* STORE on the first messages; returns the requests. */
static unsigned store(struct rig *r, size_t count, enum mailbox_flag_op op, uint32_t flags,
                      const char *keywords, uint64_t since, bool expected)
{
    struct mailbox_flag_change change = {.op = op, .flags = flags, .keywords = keywords};
    struct error e = ERROR_INIT;
    uint32_t uids[OUTCOMES_MAX];
    for (size_t i = 0; i < count; i++)
        uids[i] = rig_uid(r, i);
    exchange_counts(r->exchange, NULL);
    bool ok = mailbox_store(r->folder, uids, count, &change, since, outcomes, &r->wait, &e);
    if (ok != expected)
        fprintf(stderr, "store: %s: %s\n", error_kind_name(e.kind), e.text);
    CU_ASSERT_EQUAL(ok, expected);
    CU_ASSERT_EQUAL(e.kind != ERROR_NONE, !expected);
    return exchange_counts(r->exchange, NULL);
}

static unsigned add(struct rig *r, size_t count, uint32_t flags)
{
    return store(r, count, MAILBOX_FLAGS_ADD, flags, "", MAILBOX_ANY_MODSEQ, true);
}

static void check_state(struct rig *r, const char *id, const char *expected)
{
    char state[320];
    exchange_state(r->exchange, id, state);
    CU_ASSERT_STRING_EQUAL(state, expected);
}

static void open_with(struct rig *r, unsigned messages)
{
    rig_init(r, messages);
    rig_open(r);
    rig_sync(r);
}

static void finish(struct rig *r)
{
    rig_close(r);
    rig_free(r);
}

static void test_each_flag(void)
{
    struct rig r;
    open_with(&r, 2);
    CU_ASSERT_EQUAL(add(&r, 1, MAILBOX_SEEN | MAILBOX_FLAGGED | MAILBOX_DELETED), 1);
    check_state(&r, "m-0001", "read flagged deleted 0 ");
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_SEEN | MAILBOX_FLAGGED | MAILBOX_DELETED);
    CU_ASSERT_EQUAL(rig_flags(&r, 1), 0);
    CU_ASSERT_EQUAL(add(&r, 1, MAILBOX_SEEN | MAILBOX_FLAGGED), 1); /* nothing to change: a look */
    CU_ASSERT_EQUAL(outcomes[0], MAILBOX_DONE);
    CU_ASSERT_EQUAL(add(&r, 1, MAILBOX_ANSWERED), 1);
    CU_ASSERT_EQUAL(add(&r, 1, MAILBOX_FORWARDED), 1);
    check_state(&r, "m-0001", "read flagged deleted 104 ");
    CU_ASSERT(rig_flags(&r, 0) & MAILBOX_ANSWERED); /* kept, though the property tells one */
    store(&r, 1, MAILBOX_FLAGS_REMOVE, MAILBOX_FORWARDED, "", MAILBOX_ANY_MODSEQ, true);
    check_state(&r, "m-0001", "read flagged deleted 102 ");
    store(&r, 1, MAILBOX_FLAGS_REPLACE, MAILBOX_SEEN | MAILBOX_DRAFT, "", MAILBOX_ANY_MODSEQ, true);
    check_state(&r, "m-0001", "read 0 ");
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_SEEN | TOLD_DRAFT);
    rig_close(&r);
    rig_open(&r);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_SEEN | TOLD_DRAFT); /* it was committed */
    finish(&r);
}

/* Our own word, which Graph is neither told nor asked. */
static void test_draft_is_told(void)
{
    struct rig r;
    open_with(&r, 200);
    uint64_t before = modseq_at(&r, 0);
    CU_ASSERT_EQUAL(add(&r, 150, MAILBOX_DRAFT), 0);
    for (size_t i = 0; i < 200; i++)
        CU_ASSERT_EQUAL(rig_flags(&r, i), i < 150 ? TOLD_DRAFT : 0);
    CU_ASSERT(modseq_at(&r, 0) > before && modseq_at(&r, 150) == before);
    uint64_t told = modseq_at(&r, 0);
    CU_ASSERT_EQUAL(add(&r, 1, MAILBOX_DRAFT), 0); /* nothing new */
    CU_ASSERT_EQUAL(modseq_at(&r, 0), told);
    store(&r, 1, MAILBOX_FLAGS_REMOVE, MAILBOX_DRAFT, "", before, true);
    CU_ASSERT_EQUAL(outcomes[0], MAILBOX_MODIFIED);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), TOLD_DRAFT);
    CU_ASSERT_EQUAL(add(&r, 1, MAILBOX_SEEN), 1);
    exchange_set_read(r.exchange, "m-0002", true);
    rig_sync(&r);
    rig_close(&r);
    rig_open(&r);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), TOLD_DRAFT | MAILBOX_SEEN);
    CU_ASSERT_EQUAL(rig_flags(&r, 1), TOLD_DRAFT | MAILBOX_SEEN);
    CU_ASSERT_EQUAL(store(&r, 1, MAILBOX_FLAGS_REMOVE, MAILBOX_DRAFT, "", MAILBOX_ANY_MODSEQ, true),
                    0);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_SEEN);
    exchange_edit(r.exchange, "m-0003", 900); /* no draft to Graph, so not an edited one */
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_uid(&r, 2), 103);
    finish(&r);
}

/* A draft stays one to us where it is not told as one. */
static void test_draft_is_not_told(void)
{
    struct rig r;
    rig_init(&r, 0);
    exchange_lock(r.exchange)->drafts = true;
    exchange_unlock(r.exchange);
    exchange_deliver(r.exchange, 1);
    rig_open(&r);
    rig_sync(&r);
    CU_ASSERT_EQUAL(store(&r, 1, MAILBOX_FLAGS_REMOVE, MAILBOX_DRAFT, "", MAILBOX_ANY_MODSEQ, true),
                    0);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_DRAFT_CONTRARY);
    exchange_set_read(r.exchange, "m-0001", true);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_DRAFT_CONTRARY | MAILBOX_SEEN);
    uint32_t uid = rig_uid(&r, 0);
    exchange_edit(r.exchange, "m-0001", 900);
    rig_sync(&r);
    CU_ASSERT(rig_uid(&r, 0) > uid);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_DRAFT | MAILBOX_SEEN); /* as Graph has it */
    finish(&r);
}

static void test_keywords(void)
{
    struct rig r;
    open_with(&r, 1);
    CU_ASSERT_EQUAL(store(&r, 1, MAILBOX_FLAGS_ADD, 0, "Work a=20b", MAILBOX_ANY_MODSEQ, true), 2);
    check_state(&r, "m-0001", "0 [\"Work\",\"a b\"]");
    CU_ASSERT_STRING_EQUAL(keywords_at(&r, 0), "Work a=20b");
    store(&r, 1, MAILBOX_FLAGS_ADD, 0, "WORK c", MAILBOX_ANY_MODSEQ, true);
    CU_ASSERT_STRING_EQUAL(keywords_at(&r, 0), "Work a=20b c");
    store(&r, 1, MAILBOX_FLAGS_REMOVE, 0, "work", MAILBOX_ANY_MODSEQ, true);
    check_state(&r, "m-0001", "0 [\"a b\",\"c\"]");
    store(&r, 1, MAILBOX_FLAGS_ADD, 0, "=FF", MAILBOX_ANY_MODSEQ, false);
    CU_ASSERT_EQUAL(outcomes[0], MAILBOX_FAILED);
    store(&r, 1, MAILBOX_FLAGS_REPLACE, MAILBOX_SEEN, "", MAILBOX_ANY_MODSEQ, true);
    check_state(&r, "m-0001", "read 0 []");
    CU_ASSERT_STRING_EQUAL(keywords_at(&r, 0), "");
    finish(&r);
}

static void test_echoes_cost_nothing(void)
{
    struct rig r;
    open_with(&r, 200);
    exchange_gather(r.exchange, 4);
    CU_ASSERT_EQUAL(add(&r, 200, MAILBOX_SEEN), 200);
    CU_ASSERT_EQUAL(exchange_most_abreast(r.exchange), 4);
    CU_ASSERT_EQUAL(rig_sync(&r), 1);
    /* The same, told late: asked for, in one listing, and not undone. */
    exchange_lock(r.exchange)->stale = true;
    exchange_unlock(r.exchange);
    add(&r, 200, MAILBOX_FLAGGED);
    store(&r, 2, MAILBOX_FLAGS_REMOVE, MAILBOX_SEEN, "", MAILBOX_ANY_MODSEQ, true);
    CU_ASSERT(rig_sync(&r) <= 2);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_FLAGGED);
    CU_ASSERT_EQUAL(rig_flags(&r, 199), MAILBOX_FLAGGED | MAILBOX_SEEN);
    finish(&r);
}

static void test_others_change(void)
{
    struct rig r;
    open_with(&r, 30);
    exchange_set_properties(r.exchange, "m-0002", true, 103);
    CU_ASSERT_EQUAL(rig_sync(&r), 2);
    CU_ASSERT_EQUAL(rig_flags(&r, 1), MAILBOX_DELETED | MAILBOX_ANSWERED);
    uint64_t before = modseq_at(&r, 4), whole = mailbox_folder_modseq(r.folder);
    exchange_set_read(r.exchange, "m-0005", true);
    exchange_set_properties(r.exchange, "m-0002", false, 0);
    exchange_set_properties(r.exchange, "m-0003", false, 104);
    exchange_deliver(r.exchange, 3);
    CU_ASSERT_EQUAL(rig_sync(&r), 2); /* one listing for what is new and what changed */
    CU_ASSERT_EQUAL(rig_flags(&r, 1), 0);
    CU_ASSERT_EQUAL(rig_flags(&r, 2), MAILBOX_FORWARDED);
    CU_ASSERT(modseq_at(&r, 4) > before);
    CU_ASSERT(mailbox_folder_modseq(r.folder) > whole);
    /* What no client sees is no news. */
    whole = mailbox_folder_modseq(r.folder);
    exchange_edit(r.exchange, "m-0005", 900);
    rig_sync(&r);
    CU_ASSERT_EQUAL(mailbox_folder_modseq(r.folder), whole);
    CU_ASSERT_EQUAL(rig_sync(&r), 1);
    finish(&r);
}

static void test_edited_drafts(void)
{
    struct rig r;
    rig_init(&r, 0);
    exchange_lock(r.exchange)->drafts = true;
    exchange_unlock(r.exchange);
    exchange_deliver(r.exchange, 3);
    rig_open(&r);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_DRAFT);
    add(&r, 1, MAILBOX_FLAGGED); /* our own change is none of content */
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_uid(&r, 0), 101);
    exchange_set_read(r.exchange, "m-0002", true); /* nor is one of flags */
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_uid(&r, 1), 102);
    exchange_edit(r.exchange, "m-0002", 900);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_count(&r), 3);
    CU_ASSERT_EQUAL(rig_uid(&r, 1), 103);
    CU_ASSERT_EQUAL(rig_uid(&r, 2), 104);
    exchange_edit(r.exchange, "m-0003", 950);
    exchange_set_read(r.exchange, "m-0003", true); /* both at once: the size tells */
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_uid(&r, 2), 105);
    CU_ASSERT_EQUAL(rig_flags(&r, 2), MAILBOX_DRAFT | MAILBOX_SEEN);
    finish(&r);
}

static void test_success_is_not_memory(void)
{
    struct rig r;
    open_with(&r, 3);
    add(&r, 3, MAILBOX_SEEN);
    exchange_set_read(r.exchange, "m-0002", false); /* nobody has told us yet */
    CU_ASSERT_EQUAL(add(&r, 3, MAILBOX_SEEN), 3);   /* a round that finds it, the write */
    CU_ASSERT(outcomes[0] == MAILBOX_DONE && outcomes[1] == MAILBOX_DONE);
    check_state(&r, "m-0002", "read 0 ");
    exchange_set_read(r.exchange, "m-0003", false);
    CU_ASSERT_EQUAL(add(&r, 3, MAILBOX_SEEN | MAILBOX_FLAGGED), 3); /* told with the other flag */
    check_state(&r, "m-0003", "read flagged 0 ");
    exchange_take_away(r.exchange, "m-0001");
    CU_ASSERT_EQUAL(add(&r, 3, MAILBOX_FLAGGED), 1);
    CU_ASSERT(outcomes[0] == MAILBOX_GONE && outcomes[2] == MAILBOX_DONE);
    finish(&r);
}

static void test_conflicts(void)
{
    struct rig r;
    open_with(&r, 1);
    exchange_lock(r.exchange)->conflicts = 1;
    exchange_unlock(r.exchange);
    CU_ASSERT_EQUAL(add(&r, 1, MAILBOX_SEEN), 3); /* the write, a look, the write */
    check_state(&r, "m-0001", "read 0 ");
    exchange_lock(r.exchange)->conflicts = 2;
    exchange_unlock(r.exchange);
    store(&r, 1, MAILBOX_FLAGS_ADD, MAILBOX_FLAGGED, "", MAILBOX_ANY_MODSEQ, false);
    CU_ASSERT_EQUAL(outcomes[0], MAILBOX_FAILED);
    check_state(&r, "m-0001", "read 0 ");
    finish(&r);
}

static void test_partial_failure(void)
{
    struct rig r;
    open_with(&r, 6);
    exchange_lock(r.exchange)->forbidden = "m-0002";
    exchange_unlock(r.exchange);
    exchange_take_away(r.exchange, "m-0004"); /* an immutable id goes with its message */
    store(&r, 6, MAILBOX_FLAGS_ADD, MAILBOX_SEEN, "", MAILBOX_ANY_MODSEQ, false);
    for (size_t i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(outcomes[i], i == 1   ? MAILBOX_FAILED
                                     : i == 3 ? MAILBOX_GONE
                                              : MAILBOX_DONE);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_SEEN);
    CU_ASSERT_EQUAL(rig_flags(&r, 1), 0);
    CU_ASSERT_EQUAL(rig_flags(&r, 5), MAILBOX_SEEN);
    /* What is gone makes the next look at the folder a real one. */
    struct error e = ERROR_INIT;
    CU_ASSERT(mailbox_folder_refresh(r.folder, false, &r.wait, &e));
    CU_ASSERT_EQUAL(rig_count(&r), 5);
    finish(&r);
}

static void test_lost_answers(void)
{
    struct rig r;
    open_with(&r, 3);
    exchange_lock(r.exchange)->lose_updates = 1;
    exchange_unlock(r.exchange);
    add(&r, 1, MAILBOX_SEEN);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_SEEN);
    exchange_lock(r.exchange)->drop_updates = 1;
    exchange_unlock(r.exchange);
    store(&r, 1, MAILBOX_FLAGS_ADD, MAILBOX_DELETED, "", MAILBOX_ANY_MODSEQ, false);
    CU_ASSERT_EQUAL(outcomes[0], MAILBOX_FAILED);
    exchange_lock(r.exchange)->ignore_updates = true;
    exchange_unlock(r.exchange);
    store(&r, 2, MAILBOX_FLAGS_ADD, MAILBOX_FLAGGED, "", MAILBOX_ANY_MODSEQ, false);
    CU_ASSERT_EQUAL(outcomes[0], MAILBOX_FAILED);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_SEEN);
    finish(&r);
}

static void test_unchanged_since(void)
{
    struct rig r;
    open_with(&r, 3);
    uint64_t since = mailbox_folder_modseq(r.folder);
    CU_ASSERT(since > 0);
    exchange_set_read(r.exchange, "m-0002", true);
    store(&r, 3, MAILBOX_FLAGS_ADD, MAILBOX_FLAGGED, "", since, true);
    CU_ASSERT_EQUAL(outcomes[0], MAILBOX_DONE);
    CU_ASSERT_EQUAL(outcomes[1], MAILBOX_MODIFIED);
    CU_ASSERT_EQUAL(rig_flags(&r, 1), MAILBOX_SEEN);
    CU_ASSERT_EQUAL(rig_flags(&r, 2), MAILBOX_FLAGGED);
    store(&r, 3, MAILBOX_FLAGS_ADD, MAILBOX_DELETED, "", 0, true);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(outcomes[i], MAILBOX_MODIFIED);
    finish(&r);
}

static void test_recent_and_told_sizes(void)
{
    struct rig r;
    uint32_t from, to, uid = 101, size = 4711;
    struct error e = ERROR_INIT;
    open_with(&r, 2);
    mailbox_folder_recent(r.folder, false, &from, &to);
    CU_ASSERT(from <= 101 && to == 103);
    mailbox_folder_recent(r.folder, true, &from, &to);
    CU_ASSERT(from <= 101 && to == 103);
    exchange_deliver(r.exchange, 1);
    rig_sync(&r);
    CU_ASSERT(mailbox_note_told_sizes(r.folder, &uid, &size, 1, &e));
    size = 4712;
    CU_ASSERT(mailbox_note_told_sizes(r.folder, &uid, &size, 1, &e)); /* the first one stays */
    add(&r, 1, MAILBOX_SEEN);
    rig_close(&r);
    rig_open(&r);
    mailbox_folder_recent(r.folder, true, &from, &to);
    CU_ASSERT(from == 103 && to == 104);
    struct mailbox_view *view = mailbox_folder_view(r.folder);
    CU_ASSERT_EQUAL(mailbox_view_at(view, 0)->told_size, 4711);
    mailbox_view_unref(&view);
    finish(&r);
}

#define WRITERS 4
#define EACH    6

struct writer {
    struct rig *rig;
    char letter;
    pthread_t thread;
};

/* Adds keywords of its own to the same messages as the others. */
static void *add_words(void *arg)
{
    struct writer *writer = arg;
    struct wait w;
    struct error e = ERROR_INIT;
    uint32_t uids[2] = {101, 102};
    enum mailbox_outcome done[2];
    if (!wait_init(&w, &e))
        return NULL;
    for (int i = 0; i < EACH; i++) {
        char word[] = {writer->letter, (char)('0' + i), '\0'};
        struct mailbox_flag_change change = {.op = MAILBOX_FLAGS_ADD, .keywords = word};
        mailbox_store(writer->rig->folder, uids, 2, &change, MAILBOX_ANY_MODSEQ, done, &w, &e);
    }
    wait_close(&w);
    return NULL;
}

static void test_crossing_writers(void)
{
    struct rig r;
    struct writer writers[WRITERS];
    open_with(&r, 2);
    exchange_lock(r.exchange)->delay_ms = 3;
    exchange_unlock(r.exchange);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.rig = &r, .letter = (char)('a' + i)};
        CU_ASSERT_EQUAL(pthread_create(&writers[i].thread, NULL, add_words, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i].thread, NULL);
    rig_sync(&r);
    /* Each adds to what the others have: nothing is lost that was said to be done. */
    for (size_t index = 0; index < 2; index++)
        CU_ASSERT_EQUAL(strlen(keywords_at(&r, index)), WRITERS * EACH * 3 - 1);
    finish(&r);
}

/* Waits until the flags of the first message are these, woken by news of the folder. */
static bool hears_of(struct rig *r, uint32_t flags)
{
    struct error e = ERROR_INIT;
    r->wait.deadline_ms = clock_mono_ms() + 10000;
    while (rig_flags(r, 0) != flags && wait_sleep(&r->wait, &e))
        continue;
    r->wait.deadline_ms = CLOCK_NEVER;
    return rig_flags(r, 0) == flags;
}

static bool housekeep(void *arg)
{
    mailbox_registry_tick(((struct rig *)arg)->registry);
    return true;
}

static void test_watching(void)
{
    struct rig r;
    struct wait other;
    struct error e = ERROR_INIT;
    struct mailbox_flag_change change = {
        .op = MAILBOX_FLAGS_ADD, .flags = MAILBOX_FLAGGED, .keywords = ""};
    open_with(&r, 1);
    uint32_t uid = rig_uid(&r, 0);
    CU_ASSERT_FATAL(wait_init(&other, &e));
    mailbox_watch(r.folder, false, &r.wait);
    mailbox_watch(r.folder, true, &other);
    CU_ASSERT(mailbox_store(r.folder, &uid, 1, &change, MAILBOX_ANY_MODSEQ, outcomes, &other, &e));
    CU_ASSERT(hears_of(&r, MAILBOX_FLAGGED)); /* at once, whoever did it */
    exchange_counts(r.exchange, NULL);
    for (int i = 0; i < 5; i++)
        mailbox_registry_tick(r.registry); /* not due */
    CU_ASSERT(mailbox_folder_refresh(r.folder, false, &r.wait, &e));
    CU_ASSERT_EQUAL(exchange_counts(r.exchange, NULL), 0);
    exchange_set_read(r.exchange, "m-0001", true);
    mailbox_registry_set_poll_interval(r.registry, 0); /* the least there is */
    r.wait.tick = housekeep;
    r.wait.tick_arg = &r;
    CU_ASSERT(hears_of(&r, MAILBOX_FLAGGED | MAILBOX_SEEN)); /* by polling */
    mailbox_unwatch(r.folder, &other);
    mailbox_unwatch(r.folder, &r.wait);
    wait_close(&other);
    finish(&r);
}

const struct unit_test flags_tests[] = {
    {"each flag", test_each_flag},
    {"\\Draft that Graph does not know", test_draft_is_told},
    {"a draft that is not told as one", test_draft_is_not_told},
    {"keywords", test_keywords},
    {"echoes of our own writes", test_echoes_cost_nothing},
    {"what others change", test_others_change},
    {"edited drafts", test_edited_drafts},
    {"what another changed and nobody told", test_success_is_not_memory},
    {"conflicts", test_conflicts},
    {"partial failure", test_partial_failure},
    {"lost answers", test_lost_answers},
    {"UNCHANGEDSINCE", test_unchanged_since},
    {"recent and told sizes", test_recent_and_told_sizes},
    {"sessions that change one message at once", test_crossing_writers},
    {"watching", test_watching},
    {NULL, NULL},
};
