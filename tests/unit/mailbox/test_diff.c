/* What two generations tell of each other, against the naive way: each message looked up. */
#include "../../../src/mailbox/sync/view_build.h"
#include "../unit.h"

#include <stdio.h>
#include <string.h>

extern const struct unit_test diff_tests[];

static uint32_t seed = 99;

static uint32_t next_random(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static const char *const words[] = {"", "Work", "Work $Label1", "=C3=A4"};

#define TEXT_SIZE 32

/* The keywords are a copy of their own. */
static struct mailbox_entry random_entry(uint32_t uid, char text[TEXT_SIZE])
{
    snprintf(text, TEXT_SIZE, "%s", words[next_random(4)]);
    return (struct mailbox_entry){.uid = uid, .flags = next_random(4), .keywords = text};
}

static struct mailbox_view *random_view(uint32_t count)
{
    struct view_builder *b = view_builder_new();
    for (uint32_t uid = 1; uid <= count; uid++) {
        char text[TEXT_SIZE];
        struct mailbox_entry entry = random_entry(uid, text);
        view_builder_add(b, &entry);
    }
    return view_builder_finish(&b);
}

/* The next generation: some change, some go, some come. */
static struct mailbox_view *next_view(const struct mailbox_view *v, uint32_t *uidnext)
{
    char text[64][TEXT_SIZE];
    struct view_change changes[64];
    size_t n = 0;
    uint32_t uid = 1 + next_random(*uidnext);
    memset(changes, 0, sizeof changes);
    for (; n < 40 && uid < *uidnext; uid += 1 + next_random(30)) {
        changes[n].entry = random_entry(uid, text[n]);
        changes[n].expunged = next_random(3) == 0 || !mailbox_view_find(v, uid, NULL);
        n++;
    }
    for (uint32_t more = next_random(20); more > 0; more--, n++)
        changes[n].entry = random_entry((*uidnext)++, text[n]);
    return view_apply(v, changes, n);
}

struct told {
    size_t index;
    const struct mailbox_entry *was, *now;
};

struct list {
    struct told told[8192];
    size_t count, stop;
};

static bool note(void *arg, size_t index, const struct mailbox_entry *was,
                 const struct mailbox_entry *now)
{
    struct list *list = arg;
    list->told[list->count++] = (struct told){index, was, now};
    return list->count != list->stop;
}

static void naive(const struct mailbox_view *old, const struct mailbox_view *now, struct list *list)
{
    size_t count = mailbox_view_count(old);
    for (size_t i = 0; i < count; i++) {
        const struct mailbox_entry *was = mailbox_view_at(old, i);
        const struct mailbox_entry *is = mailbox_view_find(now, was->uid, NULL);
        if (!is || is->flags != was->flags || strcmp(is->keywords, was->keywords) != 0)
            note(list, i, was, is);
    }
    for (size_t i = 0; i < mailbox_view_count(now); i++)
        if (!mailbox_view_find(old, mailbox_view_at(now, i)->uid, NULL))
            note(list, count++, NULL, mailbox_view_at(now, i));
}

static void check_diff(const struct mailbox_view *old, const struct mailbox_view *now)
{
    static struct list expected, got;
    expected.count = got.count = expected.stop = got.stop = 0;
    naive(old, now, &expected);
    mailbox_view_diff(old, now, note, &got);
    CU_ASSERT_EQUAL_FATAL(got.count, expected.count);
    for (size_t i = 0; i < got.count; i++)
        if (got.told[i].index != expected.told[i].index ||
            got.told[i].was != expected.told[i].was || got.told[i].now != expected.told[i].now)
            CU_FAIL_FATAL("the difference is not the naive one");
    if (got.count > 1) {
        got.stop = got.count / 2;
        got.count = 0;
        mailbox_view_diff(old, now, note, &got);
        CU_ASSERT_EQUAL(got.count, got.stop);
    }
}

static void test_histories(void)
{
    for (int round = 0; round < 60; round++) {
        uint32_t uidnext = 1 + next_random(2000);
        struct mailbox_view *first = random_view(uidnext - 1), *v = mailbox_view_ref(first);
        for (int i = 0; i < 8; i++) {
            struct mailbox_view *next = next_view(v, &uidnext);
            check_diff(v, next);
            check_diff(first, next);
            check_diff(next, next);
            mailbox_view_unref(&v);
            v = next;
        }
        mailbox_view_unref(&first);
        mailbox_view_unref(&v);
    }
}

/* What was adopted is as the newest has it, all else as it was. */
static void test_adopting(void)
{
    for (int round = 0; round < 60; round++) {
        uint32_t uidnext = 1 + next_random(2000), uids[500];
        struct mailbox_view *old = random_view(uidnext - 1);
        struct mailbox_view *now = next_view(old, &uidnext);
        size_t n = 0;
        for (uint32_t uid = 1; uid < uidnext && n < 500; uid += 1 + next_random(20))
            uids[n++] = uid;
        struct mailbox_view *v = mailbox_view_adopt(old, now, uids, n);
        CU_ASSERT_EQUAL_FATAL(mailbox_view_count(v), mailbox_view_count(old));
        for (size_t i = 0, k = 0; i < mailbox_view_count(v); i++) {
            const struct mailbox_entry *got = mailbox_view_at(v, i);
            const struct mailbox_entry *expected = mailbox_view_at(old, i);
            while (k < n && uids[k] < expected->uid)
                k++;
            const struct mailbox_entry *newer = mailbox_view_find(now, expected->uid, NULL);
            if (k < n && uids[k] == expected->uid && newer)
                expected = newer;
            if (got->uid != expected->uid || got->flags != expected->flags ||
                got->keywords != expected->keywords)
                CU_FAIL_FATAL("an adopted generation has a wrong message");
        }
        mailbox_view_unref(&old);
        mailbox_view_unref(&now);
        CU_ASSERT(mailbox_view_count(v) == 0 || mailbox_view_at(v, 0)->keywords != NULL);
        mailbox_view_unref(&v);
    }
}

static void test_one_copy_of_keywords(void)
{
    struct view_builder *b = view_builder_new();
    char one[] = "Work b", two[] = "Work b";
    view_builder_add(b, &(struct mailbox_entry){.uid = 1, .keywords = one});
    view_builder_add(b, &(struct mailbox_entry){.uid = 2, .keywords = two});
    view_builder_add(b, &(struct mailbox_entry){.uid = 3});
    struct mailbox_view *v = view_builder_finish(&b);
    memset(one, 'x', sizeof one - 1);
    const char *kept = mailbox_view_at(v, 0)->keywords;
    CU_ASSERT_STRING_EQUAL(kept, "Work b");
    CU_ASSERT_PTR_EQUAL(mailbox_view_at(v, 1)->keywords, kept);
    CU_ASSERT_STRING_EQUAL(mailbox_view_at(v, 2)->keywords, "");
    mailbox_view_unref(&v);
}

const struct unit_test diff_tests[] = {
    {"differences of random histories", test_histories},
    {"adopting some messages", test_adopting},
    {"one copy of keywords", test_one_copy_of_keywords},
    {NULL, NULL},
};
