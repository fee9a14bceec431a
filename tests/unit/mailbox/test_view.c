#include "../../../src/mailbox/sync/view_build.h"
#include "../unit.h"

#include <string.h>

extern const struct unit_test view_tests[];

/* The naive model: a plain array, changed in place. */
#define MODEL_MAX 4000
struct model {
    struct mailbox_entry entries[MODEL_MAX];
    size_t count;
};

static uint32_t seed = 12345;

static uint32_t next_random(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void model_change(struct model *m, const struct view_change *c)
{
    size_t at = 0;
    while (at < m->count && m->entries[at].uid < c->entry.uid)
        at++;
    bool found = at < m->count && m->entries[at].uid == c->entry.uid;
    if (c->expunged) {
        if (found)
            memmove(m->entries + at, m->entries + at + 1, (--m->count - at) * sizeof m->entries[0]);
        return;
    }
    if (!found) {
        memmove(m->entries + at + 1, m->entries + at, (m->count++ - at) * sizeof m->entries[0]);
    }
    m->entries[at] = c->entry;
}

static void check_same(const struct model *m, const struct mailbox_view *v)
{
    CU_ASSERT_EQUAL_FATAL(mailbox_view_count(v), m->count);
    for (size_t i = 0; i < m->count; i++) {
        const struct mailbox_entry *e = mailbox_view_at(v, i);
        size_t index = SIZE_MAX;
        if (e->uid != m->entries[i].uid || e->flags != m->entries[i].flags ||
            mailbox_view_find(v, e->uid, &index) != e || index != i) {
            CU_FAIL_FATAL("view and model differ");
        }
    }
    CU_ASSERT_PTR_NULL(mailbox_view_at(v, m->count));
}

static struct mailbox_view *empty_view(void)
{
    struct view_builder *b = view_builder_new();
    return view_builder_finish(&b);
}

static void test_empty(void)
{
    struct mailbox_view *v = empty_view();
    CU_ASSERT_EQUAL(mailbox_view_count(v), 0);
    CU_ASSERT_PTR_NULL(mailbox_view_at(v, 0));
    CU_ASSERT_PTR_NULL(mailbox_view_find(v, 1, NULL));
    struct view_change gone = {.entry.uid = 7, .expunged = true};
    struct mailbox_view *w = view_apply(v, &gone, 1);
    CU_ASSERT_EQUAL(mailbox_view_count(w), 0);
    mailbox_view_unref(&w);
    mailbox_view_unref(&v);
    CU_ASSERT_PTR_NULL(v);
    mailbox_view_unref(&v);
}

static void test_chunk_limits(void)
{
    for (uint32_t n = VIEW_CHUNK_MAX - 1; n <= VIEW_CHUNK_MAX + 1; n++) {
        struct view_builder *b = view_builder_new();
        for (uint32_t i = 1; i <= n; i++)
            view_builder_add(b, &(struct mailbox_entry){.uid = i * 2});
        struct mailbox_view *v = view_builder_finish(&b);
        CU_ASSERT_EQUAL(mailbox_view_count(v), n);
        CU_ASSERT_EQUAL(mailbox_view_at(v, n - 1)->uid, n * 2);
        CU_ASSERT_PTR_NULL(mailbox_view_find(v, 3, NULL));
        CU_ASSERT_PTR_NULL(mailbox_view_find(v, n * 2 + 1, NULL));
        struct view_change grown = {.entry.uid = n * 2 + 2};
        struct mailbox_view *w = view_apply(v, &grown, 1);
        CU_ASSERT_EQUAL(mailbox_view_count(w), n + 1);
        CU_ASSERT_EQUAL(mailbox_view_at(w, n)->uid, n * 2 + 2);
        mailbox_view_unref(&v);
        mailbox_view_unref(&w);
    }
}

static size_t random_changes(struct view_change *changes, uint32_t *uidnext)
{
    size_t count = 1 + next_random(20);
    uint32_t uid = 1 + next_random(*uidnext);
    for (size_t i = 0; i < count; i++) {
        memset(&changes[i], 0, sizeof changes[i]);
        uid += 1 + next_random(next_random(4) ? 3 : 200);
        changes[i].entry.uid = uid < *uidnext ? uid : (*uidnext)++;
        if (uid >= *uidnext)
            uid = *uidnext - 1;
        changes[i].entry.flags = next_random(64);
        changes[i].expunged = next_random(5) < 2;
    }
    return count;
}

static void test_random_histories(void)
{
    struct model *m = calloc(1, sizeof *m);
    struct mailbox_view *v = empty_view();
    uint32_t uidnext = 1;
    for (int round = 0; round < 2000 && m->count < MODEL_MAX - 64; round++) {
        struct view_change changes[32];
        struct model *before = NULL;
        size_t count = random_changes(changes, &uidnext);
        for (size_t i = 0; i < count; i++)
            model_change(m, &changes[i]);
        if (round % 100 == 0) {
            before = malloc(sizeof *before);
            before->count = mailbox_view_count(v);
            for (size_t i = 0; i < before->count; i++)
                before->entries[i] = *mailbox_view_at(v, i);
        }
        struct mailbox_view *next = view_apply(v, changes, count);
        if (before)
            check_same(before, v); /* an older generation is never touched */
        free(before);
        mailbox_view_unref(&v);
        v = next;
        check_same(m, v);
    }
    CU_ASSERT(m->count > 100);
    mailbox_view_unref(&v);
    free(m);
}

static void test_sharing(void)
{
    struct view_builder *b = view_builder_new();
    for (uint32_t i = 1; i <= 100 * VIEW_CHUNK_MAX; i++)
        view_builder_add(b, &(struct mailbox_entry){.uid = i});
    struct mailbox_view *v = view_builder_finish(&b);
    struct view_change change = {.entry = {.uid = 5000, .flags = MAILBOX_SEEN}};
    struct mailbox_view *w = view_apply(v, &change, 1);
    CU_ASSERT_EQUAL(view_shared_chunks(v, w), 99);
    CU_ASSERT_EQUAL(mailbox_view_find(v, 5000, NULL)->flags, 0);
    CU_ASSERT_EQUAL(mailbox_view_find(w, 5000, NULL)->flags, MAILBOX_SEEN);
    mailbox_view_unref(&v);
    CU_ASSERT_EQUAL(mailbox_view_at(w, 99 * VIEW_CHUNK_MAX)->uid, 99 * VIEW_CHUNK_MAX + 1);
    mailbox_view_unref(&w);
    CU_ASSERT(sizeof(struct mailbox_entry) <= 80);
}

static void test_since(void)
{
    enum { MESSAGES = 1000, FROM = 300 };
    struct view_builder *b = view_builder_new();
    for (uint32_t uid = 1; uid <= MESSAGES; uid++)
        view_builder_add(b, &(struct mailbox_entry){.uid = uid, .received_ms = uid});
    struct mailbox_view *v = view_builder_finish(&b);
    struct mailbox_view *all = mailbox_view_since(v, INT64_MIN), *same = mailbox_view_since(v, 1);
    struct mailbox_view *some = mailbox_view_since(v, FROM);
    struct mailbox_view *none = mailbox_view_since(v, MESSAGES + 1);
    CU_ASSERT_PTR_EQUAL(all, v);
    CU_ASSERT_PTR_EQUAL(same, v);
    CU_ASSERT_EQUAL(mailbox_view_count(some), MESSAGES - FROM + 1);
    CU_ASSERT_EQUAL(mailbox_view_at(some, 0)->uid, FROM);
    CU_ASSERT_PTR_NULL(mailbox_view_find(some, FROM - 1, NULL));
    CU_ASSERT_TRUE(view_shared_chunks(v, some) >= 2);
    CU_ASSERT_EQUAL(mailbox_view_count(none), 0);
    mailbox_view_unref(&all);
    mailbox_view_unref(&same);
    mailbox_view_unref(&some);
    mailbox_view_unref(&none);
    mailbox_view_unref(&v);
}

const struct unit_test view_tests[] = {
    {"an empty view", test_empty},
    {"chunk limits", test_chunk_limits},
    {"random histories against an array", test_random_histories},
    {"generations share chunks", test_sharing},
    {"since a day", test_since},
    {NULL, NULL},
};
