/* Display names to IMAP levels and back; trees of rows. */
#include "../../../src/mailbox/tree/names.h"
#include "../../../src/mailbox/tree/tree_build.h"
#include "../unit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

extern const struct unit_test names_tests[];

static const char *encoded(const char *display, bool top)
{
    static char out[4096];
    struct buf level = BUF_INIT(sizeof out - 1);
    CU_ASSERT(name_encode(display, top, &level));
    snprintf(out, sizeof out, "%s", buf_str(&level));
    buf_free(&level);
    return out;
}

/* NULL: refused. */
static const char *decoded(const char *level, bool top)
{
    static char out[4096];
    struct buf display = BUF_INIT(sizeof out - 1);
    bool ok = name_decode(level, strlen(level), top, &display);
    snprintf(out, sizeof out, "%s", buf_str(&display));
    buf_free(&display);
    return ok ? out : NULL;
}

static void test_known(void)
{
    static const struct {
        const char *display, *level;
        bool top;
    } pairs[] = {
        {"Archive", "Archive", true},
        {"2026/Q1", "2026=2FQ1", false},
        {"a=b", "a=b", false},
        {"a=2Fb", "a=3D2Fb", false},
        {"=2f", "=2f", false},
        {"=", "=", false},
        {"==41", "==3D41", false},
        {"INBOX", "=49NBOX", true},
        {"inbox", "=69nbox", true},
        {"INBOX", "INBOX", false},
        {"a\tb\x7f", "a=09b=7F", false},
        {"Gr\xc3\xbc\xc3\x9f", "Gr\xc3\xbc\xc3\x9f", true},
        {"/", "=2F", true},
        {" x ", " x ", true},
        {"=\n", "==0A", false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        CU_ASSERT_STRING_EQUAL(encoded(pairs[i].display, pairs[i].top), pairs[i].level);
        const char *back = decoded(pairs[i].level, pairs[i].top);
        CU_ASSERT_PTR_NOT_NULL_FATAL(back);
        CU_ASSERT_STRING_EQUAL(back, pairs[i].display);
    }
    CU_ASSERT_STRING_EQUAL(encoded("", true), "=00");
}

/* Names that no display name gives: two names would mean one folder. */
static void test_refused(void)
{
    static const char *const levels[] = {"",     "=41",   "a=2Fb=7A", "=49NBOX", "=00", "a=00",
                                         "\x01", "a\x7f", "a/b",      "=3D",     "=3Dx"};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        CU_ASSERT_PTR_NULL(decoded(levels[i], false));
    CU_ASSERT_PTR_NULL(decoded("InBoX", true));
    CU_ASSERT_PTR_NOT_NULL(decoded("InBoX", false));
    char level[NAME_LEVEL_MAX + 2];
    memset(level, 'x', sizeof level);
    level[NAME_LEVEL_MAX + 1] = '\0';
    CU_ASSERT_PTR_NULL(decoded(level, true));
    level[NAME_LEVEL_MAX] = '\0';
    CU_ASSERT_PTR_NOT_NULL(decoded(level, true));
}

/* What is likely to be mistaken for something else. */
static void fill(char *out, size_t max, unsigned *seed)
{
    static const char *const pieces[] = {"=",     "/", "2",  "F", "3D", "INBOX",
                                         "inbox", "a", "\n", " ", "0"};
    size_t count = 1 + ((*seed = *seed * 1103515245 + 12345) >> 16) % 6;
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        *seed = *seed * 1103515245 + 12345;
        const char *piece = pieces[(*seed >> 16) % (sizeof pieces / sizeof *pieces)];
        snprintf(out + strlen(out), max - strlen(out), "%s", piece);
    }
}

static void test_random(void)
{
    unsigned seed = 7;
    for (unsigned i = 0; i < 100000; i++) {
        char name[64], level[256];
        bool top = i % 2;
        fill(name, sizeof name, &seed);
        /* Every display name goes there and back … */
        snprintf(level, sizeof level, "%s", encoded(name, top));
        CU_ASSERT_PTR_NULL(strchr(level, '/'));
        CU_ASSERT_FALSE(top && strcasecmp(level, "INBOX") == 0);
        const char *back = decoded(level, top);
        CU_ASSERT_PTR_NOT_NULL_FATAL(back);
        CU_ASSERT_STRING_EQUAL(back, name);
        /* … and every level that is one comes back. */
        back = decoded(name, top);
        if (back) {
            char display[256];
            snprintf(display, sizeof display, "%s", back);
            CU_ASSERT_STRING_EQUAL(encoded(display, top), name);
        }
    }
}

static void test_inbox(void)
{
    char *canonical = name_canonical("iNbOx/Child");
    CU_ASSERT_STRING_EQUAL(canonical, "INBOX/Child");
    free(canonical);
    canonical = name_canonical("inboxes");
    CU_ASSERT_STRING_EQUAL(canonical, "inboxes");
    free(canonical);
    CU_ASSERT(name_is_inbox("Inbox"));
    CU_ASSERT_FALSE(name_is_inbox("Inbox/"));
    CU_ASSERT(name_below_inbox("Inbox/"));
}

/* ---- trees ---- */

static void put(struct tree_rows *rows, const char *id, const char *parent, const char *name)
{
    const struct graph_folder g = {
        .id = id, .parent_id = parent, .name = name, .child_count = -1, .total = 3, .unread = 1};
    tree_rows_apply(rows, &g);
}

static struct mailbox_tree *built(struct tree_rows *rows)
{
    static char root[] = "root", inbox[] = "i", trash[] = "t", gone[] = "Gone", shown[] = "Shown";
    struct tree_special special = {.root = root};
    struct tree_subscription items[] = {{gone, true}, {shown, false}};
    const struct tree_subscriptions subscriptions = {.items = items, .count = 2};
    special.uses[MAILBOX_USE_INBOX] = inbox;
    special.uses[MAILBOX_USE_TRASH] = trash;
    return tree_build(rows, &special, &subscriptions);
}

static void count_orphan(void *arg, const char *name)
{
    CU_ASSERT_STRING_EQUAL(name, "Gone");
    (*(int *)arg)++;
}

static void test_tree(void)
{
    static const char *const wanted[] = {"INBOX", "INBOX/x", "=49nbox", "Deleted",
                                         "Shown", "Shown/b", "Shown a"};
    struct tree_rows *rows = tree_rows_new(NULL);
    int orphans = 0;
    put(rows, "root", "root", "top"); /* Graph gives the root itself as its parent */
    put(rows, "i", "root", "Posteingang");
    put(rows, "x", "i", "x");
    put(rows, "n", "root", "Inbox");
    put(rows, "t", "root", "Deleted");
    put(rows, "s", "root", "Shown");
    put(rows, "a", "root", "Shown a");
    put(rows, "b", "s", "b");
    put(rows, "c", "d", "circle");
    put(rows, "d", "c", "circle");
    put(rows, "o", "nowhere", "orphan");
    put(rows, "h", "root", "hidden");
    put(rows, "hh", "h", "below hidden");
    tree_rows_find(rows, "h")->hidden = true;
    struct mailbox_tree *t = built(rows);
    CU_ASSERT_EQUAL_FATAL(mailbox_tree_count(t), sizeof wanted / sizeof *wanted);
    /* '/' goes before all else, so that children stand right behind their parent. */
    for (size_t i = 0; i < mailbox_tree_count(t); i++) {
        const struct mailbox_node *node = mailbox_tree_at(t, i);
        CU_ASSERT_STRING_EQUAL(node->name, wanted[i]);
        CU_ASSERT_PTR_EQUAL(mailbox_tree_find(t, wanted[i]), node);
        CU_ASSERT_PTR_EQUAL(tree_find_id(t, node->graph_id), node);
        CU_ASSERT_EQUAL(node->subscribed, strcmp(node->name, "Shown") != 0);
    }
    CU_ASSERT_EQUAL(mailbox_tree_find(t, "inbox")->use, MAILBOX_USE_INBOX);
    CU_ASSERT_EQUAL(mailbox_tree_find(t, "Deleted")->use, MAILBOX_USE_TRASH);
    CU_ASSERT(mailbox_tree_find(t, "Shown")->has_children);
    CU_ASSERT_FALSE(mailbox_tree_find(t, "Shown a")->has_children);
    CU_ASSERT_PTR_EQUAL(mailbox_tree_find(t, "shown/B"), mailbox_tree_find(t, "Shown/b"));
    CU_ASSERT_PTR_NULL(mailbox_tree_find(t, "shown/c"));
    CU_ASSERT_PTR_EQUAL(tree_parent(t, mailbox_tree_find(t, "Shown/b")),
                        mailbox_tree_find(t, "Shown"));
    CU_ASSERT_PTR_NULL(tree_parent(t, mailbox_tree_find(t, "Shown")));
    CU_ASSERT_PTR_EQUAL(tree_find_child(t, NULL, "shown", 5), mailbox_tree_find(t, "Shown"));
    mailbox_tree_orphans(t, count_orphan, &orphans);
    CU_ASSERT_EQUAL(orphans, 1);
    mailbox_tree_unref(&t);
    tree_rows_unref(&rows);
}

/* A later page may tell only what changed. */
static void test_partial(void)
{
    struct tree_rows *rows = tree_rows_new(NULL);
    put(rows, "s", "root", "Shown");
    struct tree_rows *later = tree_rows_new(rows);
    const struct graph_folder moved = {
        .id = "s", .parent_id = "i", .child_count = -1, .total = 9, .unread = -1};
    tree_rows_apply(later, &moved);
    const struct tree_row *row = tree_rows_find(later, "s");
    CU_ASSERT_STRING_EQUAL(row->name, "Shown");
    CU_ASSERT_STRING_EQUAL(row->parent_id, "i");
    CU_ASSERT_EQUAL(row->total, 9);
    CU_ASSERT_EQUAL(row->unread, 1);
    CU_ASSERT_STRING_EQUAL(tree_rows_find(rows, "s")->parent_id, "root");
    const struct graph_folder removed = {.id = "s", .removed = true};
    tree_rows_apply(later, &removed);
    CU_ASSERT_PTR_NULL(tree_rows_find(later, "s"));
    tree_rows_unref(&rows);
    tree_rows_unref(&later);
}

const struct unit_test names_tests[] = {
    {"names that are known", test_known},
    {"names that are refused", test_refused},
    {"names at random, both ways", test_random},
    {"INBOX in any case", test_inbox},
    {"a tree of rows", test_tree},
    {"rows that change in part", test_partial},
    {NULL, NULL},
};
