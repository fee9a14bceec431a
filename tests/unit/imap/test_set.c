#include "../unit.h"

#include "set.h"

#include "sync/view_build.h"

#include <string.h>

static struct arena *arena;

/* Messages with these UIDs, ended by 0. */
static struct mailbox_view *view_of(const uint32_t *uids)
{
    struct view_builder *b = view_builder_new();
    for (; *uids; uids++)
        view_builder_add(b, &(struct mailbox_entry){.uid = *uids});
    return view_builder_finish(&b);
}

/* What a set finds, as a set of UIDs; "BAD" if it is none or names what is not there. */
static const char *found(const char *text, const struct mailbox_view *view, bool uid)
{
    static struct buf out = BUF_INIT(1 << 20);
    struct imap_set set;
    struct imap_found f = {0};
    buf_clear(&out);
    if (!imap_set_parse(text, arena, &set))
        return "BAD";
    if (uid)
        imap_set_find_uids(&set, view, arena, &f);
    else if (!imap_set_find(&set, view, arena, &f))
        return "BAD";
    for (size_t i = 0; i < f.count; i++) {
        CU_ASSERT_EQUAL(mailbox_view_at(view, f.indices[i])->uid, f.uids[i]);
        CU_ASSERT_TRUE(i == 0 || f.uids[i - 1] < f.uids[i]);
    }
    imap_set_write(f.uids, f.count, &out);
    return buf_str(&out);
}

static void test_syntax(void)
{
    static const char *const good[] = {"1",   "*",       "1:*",       "*:1",          "4294967295",
                                       "7:3", "1,2,3:4", "*:*,1,1,1", "4294967295:*", NULL};
    static const char *const bad[] = {"",      "0",    "1,",  ",1", "1:",         ":1",
                                      "1:2:3", "a",    "1 2", "-1", "4294967296", "1:0",
                                      "01x",   "1,,2", "**",  "$",  NULL};
    struct imap_set set;
    arena = arena_new();
    for (const char *const *s = good; *s; s++)
        CU_ASSERT_TRUE(imap_set_parse(*s, arena, &set));
    for (const char *const *s = bad; *s; s++)
        CU_ASSERT_FALSE(imap_set_parse(*s, arena, &set));
    CU_ASSERT_TRUE(imap_set_parse("7:3,*:5", arena, &set));
    CU_ASSERT_EQUAL(set.count, 2);
    CU_ASSERT_EQUAL(set.ranges[0].low, 3);
    CU_ASSERT_EQUAL(set.ranges[0].high, 7);
    arena_free(&arena);
}

static void test_numbers(void)
{
    static const uint32_t uids[] = {5, 6, 9, 20, 21, 0}, none[] = {0};
    struct mailbox_view *view = view_of(uids), *empty = view_of(none);
    arena = arena_new();
    CU_ASSERT_STRING_EQUAL(found("1:*", view, false), "5:6,9,20:21");
    CU_ASSERT_STRING_EQUAL(found("*", view, false), "21");
    CU_ASSERT_STRING_EQUAL(found("5:*", view, false), "21");
    CU_ASSERT_STRING_EQUAL(found("*:4,1,1:1", view, false), "5,20:21");
    CU_ASSERT_STRING_EQUAL(found("3,2:4,1", view, false), "5:6,9,20");
    CU_ASSERT_STRING_EQUAL(found("6", view, false), "BAD");
    CU_ASSERT_STRING_EQUAL(found("4294967295:*", view, false), "BAD");
    CU_ASSERT_STRING_EQUAL(found("1:*", empty, false), "BAD");
    CU_ASSERT_STRING_EQUAL(found("*", empty, false), "BAD");
    arena_free(&arena);
    mailbox_view_unref(&view);
    mailbox_view_unref(&empty);
}

static void test_uids(void)
{
    static const uint32_t uids[] = {5, 6, 9, 20, 4294967294, 0}, none[] = {0};
    struct mailbox_view *view = view_of(uids), *empty = view_of(none);
    arena = arena_new();
    CU_ASSERT_STRING_EQUAL(found("1:*", view, true), "5:6,9,20,4294967294");
    CU_ASSERT_STRING_EQUAL(found("1:4", view, true), "");
    CU_ASSERT_STRING_EQUAL(found("7:8,10:19", view, true), "");
    CU_ASSERT_STRING_EQUAL(found("6:9,8:20,9", view, true), "6,9,20");
    CU_ASSERT_STRING_EQUAL(found("4294967295:*", view, true), "4294967294");
    CU_ASSERT_STRING_EQUAL(found("*", view, true), "4294967294");
    CU_ASSERT_STRING_EQUAL(found("*:4294967294", view, true), "4294967294");
    CU_ASSERT_STRING_EQUAL(found("21:*", view, true), "4294967294");
    CU_ASSERT_STRING_EQUAL(found("1:*", empty, true), "");
    arena_free(&arena);
    mailbox_view_unref(&view);
    mailbox_view_unref(&empty);
}

/* 100,000 ranges that all name the same messages cost no more than the messages. */
static void test_many_ranges(void)
{
    static const uint32_t uids[] = {1, 2, 3, 0};
    struct mailbox_view *view = view_of(uids);
    struct buf text = BUF_INIT(1 << 21);
    struct imap_set set;
    arena = arena_new();
    for (int i = 0; i < 100000; i++)
        buf_puts(&text, i ? ",1:*" : "1:*");
    CU_ASSERT_STRING_EQUAL(found(buf_str(&text), view, false), "1:3");
    CU_ASSERT_STRING_EQUAL(found(buf_str(&text), view, true), "1:3");
    buf_clear(&text);
    for (int i = 0; i < IMAP_SET_RANGES_MAX; i++)
        buf_puts(&text, i ? ",7" : "7");
    CU_ASSERT_TRUE(imap_set_parse(buf_str(&text), arena, &set));
    buf_puts(&text, ",7");
    CU_ASSERT_FALSE(imap_set_parse(buf_str(&text), arena, &set));
    buf_free(&text);
    arena_free(&arena);
    mailbox_view_unref(&view);
}

static void test_write(void)
{
    static const uint32_t numbers[] = {1, 2, 3, 5, 7, 8, 4294967294, 4294967295};
    struct buf out = BUF_INIT(64), small = BUF_INIT(4);
    CU_ASSERT_TRUE(imap_set_write(numbers, 0, &out));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), "");
    CU_ASSERT_TRUE(imap_set_write(numbers, 8, &out));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), "1:3,5,7:8,4294967294:4294967295");
    CU_ASSERT_FALSE(imap_set_write(numbers, 8, &small));
    buf_free(&out);
    buf_free(&small);
}

static void test_has(void)
{
    struct imap_set set;
    arena = arena_new();
    CU_ASSERT_TRUE(imap_set_parse("9,4:2,3:5,*,12:11", arena, &set));
    struct imap_set flat = imap_set_flatten(&set, 20, arena);
    for (uint32_t n = 0; n < 25; n++) {
        bool in = (n >= 2 && n <= 5) || n == 9 || n == 11 || n == 12 || n == 20;
        CU_ASSERT_EQUAL(imap_set_has(&flat, n), in);
    }
    CU_ASSERT_FALSE(imap_set_has(&flat, UINT32_MAX));
    CU_ASSERT_FALSE(imap_set_has(&(struct imap_set){0}, 1));
    arena_free(&arena);
}

const struct unit_test set_tests[] = {
    {"syntax", test_syntax},
    {"sequence numbers", test_numbers},
    {"UIDs", test_uids},
    {"many ranges", test_many_ranges},
    {"writing", test_write},
    {"a number in a set", test_has},
    {NULL, NULL},
};
