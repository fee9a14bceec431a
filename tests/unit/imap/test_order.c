#include "../unit.h"

#include "fake_mailbox.h"
#include "talk.h"

#include "order.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_MS ((int64_t)3600000)

/* ---- SORT ---- */

static void furnish(void)
{
    fake_reset();
    fake_add("Subject: Re: b\r\nFrom: zoe@x\r\nTo: m@x\r\nDate: Fri, 2 Jan 1970 00:00 +0000\r\n\r\n"
             "long long\r\n")
        ->received_ms = 3 * HOUR_MS;
    fake_add("Subject: A\r\nFrom: Anna <Bea@x>\r\nCc: c@x\r\nDate: Thu, 1 Jan 1970 03:30 +0300\r\n"
             "\r\n")
        ->received_ms = 2 * HOUR_MS;
    fake_add("Subject: [x] a (fwd)\r\nFrom: bea@y\r\n\r\n")->received_ms = HOUR_MS;
}

static void check_sort(const char *keys, const char *numbers)
{
    char *input = xasprintf("a SORT (%s) UTF-8 ALL\r\n", keys);
    char *want = xasprintf("* SORT %s\r\na OK ", numbers);
    const char *got = talk_selected(input);
    CU_ASSERT_NSTRING_EQUAL(got, want, strlen(want));
    if (strncmp(got, want, strlen(want)) != 0)
        printf("\n%s gave %snot %s\n", keys, got, want);
    free(input);
    free(want);
}

static void test_sort(void)
{
    furnish();
    check_sort("ARRIVAL", "3 2 1");
    check_sort("DATE", "2 3 1"); /* 00:30, INTERNALDATE 01:00, the next day */
    check_sort("SUBJECT", "2 3 1");
    check_sort("REVERSE SUBJECT", "1 2 3"); /* those that are equal stay in order */
    check_sort("SUBJECT REVERSE ARRIVAL", "2 3 1");
    check_sort("REVERSE SUBJECT ARRIVAL", "1 3 2");
    check_sort("FROM", "2 3 1");
    check_sort("CC", "1 3 2");
    check_sort("TO", "2 3 1");
    check_sort("SIZE", "3 2 1");
    fake.headers_asked = 0;
    check_sort("ARRIVAL SIZE", "3 2 1");
    CU_ASSERT_EQUAL(fake.headers_asked, 0);
}

static void test_sort_results(void)
{
    furnish();
    fake.messages[0].uid = 7;
    fake.messages[1].uid = 8;
    fake.messages[2].uid = 9;
    CU_ASSERT_STRING_EQUAL(talk_selected("a UID SORT (ARRIVAL) US-ASCII 1:2\r\n"),
                           "* SORT 8 7\r\na OK sorted 2\r\n");
    CU_ASSERT_STRING_EQUAL(
        talk_selected("a UID SORT RETURN (MIN MAX ALL COUNT) (SUBJECT) UTF-8 ALL\r\n"),
        "* ESEARCH (TAG \"a\") UID MIN 8 MAX 7 COUNT 3 ALL 8:9,7\r\na OK sorted 3\r\n");
    CU_ASSERT_STRING_EQUAL(talk_selected("a SORT (DATE) UTF-8 SUBJECT none\r\n"),
                           "* SORT\r\na OK sorted 0\r\n");
    for (size_t i = 0; i < 3; i++)
        fake.messages[i].modseq = 5 + i;
    fake_publish();
    CU_ASSERT_PTR_NOT_NULL(strstr(talk_selected("a SORT (REVERSE ARRIVAL) UTF-8 MODSEQ 6\r\n"),
                                  "* SORT 2 3 (MODSEQ 7)\r\na OK"));
    fake.messages[1].text = NULL; /* gone */
    CU_ASSERT_STRING_EQUAL(talk_selected("a SORT (SUBJECT) UTF-8 ALL\r\n"),
                           "* SORT 3 1\r\na OK sorted 2\r\n");
}

static void test_sort_bad_input(void)
{
    static const char *const bad[] = {"",
                                      "(DATE)",
                                      "(DATE) UTF-8",
                                      "() UTF-8 ALL",
                                      "(REVERSE) UTF-8 ALL",
                                      "(REVERSE REVERSE DATE) UTF-8 ALL",
                                      "(DATE REVERSE) UTF-8 ALL",
                                      "(FOO) UTF-8 ALL",
                                      "DATE UTF-8 ALL",
                                      "(DATE) (UTF-8) ALL",
                                      "(DATE)UTF-8 ALL",
                                      "RETURN (DATE) UTF-8 ALL"};
    furnish();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *input = xasprintf("a SORT %s\r\n", bad[i]);
        CU_ASSERT_NSTRING_EQUAL(talk_selected(input), "a BAD ", 6);
        free(input);
    }
    CU_ASSERT_NSTRING_EQUAL(talk_selected("a SORT (DATE) x-none ALL\r\n"), "a NO [BADCHARSET (",
                            18);
    error_set(&fake.headers_error, ERROR_TEMPORARY, "503");
    CU_ASSERT_NSTRING_EQUAL(talk_selected("a SORT (DATE) UTF-8 ALL\r\n"), "a NO [UNAVAILABLE] ",
                            19);
}

/* ---- THREAD ---- */

/* "id:reference,reference:subject" of one message each, sent one after another; a subject with
 * "Re:" in front is a reply. */
static size_t read_items(const char *text, struct order_item *items, struct arena *a)
{
    size_t count = 0;
    char *copy = arena_strdup(a, text), *save, *part;
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        struct order_item *item = &items[count];
        const char *id = strsep(&word, ":");
        char *references = strsep(&word, ":");
        const char **ids = arena_alloc(a, 20 * sizeof *ids);
        *item = (struct order_item){.number = (uint32_t)count + 1,
                                    .index = (uint32_t)count,
                                    .sent_ms = (int64_t)count,
                                    .id = *id ? id : NULL,
                                    .subject = word ? word : "",
                                    .references = ids};
        if (strncmp(item->subject, "Re:", 3) == 0) {
            item->subject += 3;
            item->reply = true;
        }
        while (references && (part = strsep(&references, ",")))
            if (*part)
                ids[item->reference_count++] = part;
        count++;
    }
    return count;
}

typedef struct thread_node *build_fn(const struct order_item *, size_t, struct arena *);

static void check_threads(build_fn *build, const char *text, const char *want)
{
    struct arena *a = arena_new();
    struct order_item items[32];
    struct buf out = BUF_INIT(1000);
    size_t count = read_items(text, items, a);
    CU_ASSERT(thread_write(build(items, count, a), &out));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), want);
    if (strcmp(buf_str(&out), want) != 0)
        printf("\n%s gave %s, not %s\n", text, buf_str(&out), want);
    buf_free(&out);
    arena_free(&a);
}

static void check_references(const char *text, const char *want)
{
    check_threads(thread_by_references, text, want);
}

static void test_references(void)
{
    check_references("", "");
    check_references("a::", "(1)");
    check_references("a:: b:a: c:a,b:", "(1 2 3)");
    check_references("a:: b:a: c:a: d:c:", "(1 (2)(3 4))");
    check_references("b:a: a::", "(2 1)");
    check_references("c:a,b: d:b:", "((1)(2))"); /* a and b are not there */
    check_references("c:a,b: b:a:", "(2 1)");    /* nor is a, and nobody misses it */
    check_references("a:: c:a,b: d:a,b:", "(1 (2)(3))");
    check_references("a:: a:: b:a:", "(1 3)(2)"); /* one id twice: the second has none */
    check_references(":: ::", "(1)(2)");
    /* The first link stays, but what a message says itself counts more. */
    check_references("a:: b:a: c:x,b: x::", "(1 2 3)(4)");
    check_references("x:a,c: a:: b:: c:b:", "(2)(3 4 1)");
}

static void test_circles(void)
{
    check_references("a:a:", "(1)");
    check_references("a:b: b:a:", "(2 1)");
    check_references("a:c: b:a: c:b:", "(3 1 2)");
    check_references("a:b,c,b: c:a:", "(1 2)");
}

static void test_subjects(void)
{
    check_references("a::x b::Re:x", "(1 2)");
    check_references("a::Re:x b::x", "(2 1)");
    check_references("a::x b::x", "((1)(2))");
    check_references("a::Re:x b::Re:x", "((1)(2))");
    check_references("a::x b::Re:x c::Re:x d:a:y", "(1 (2)(3)(4))");
    check_references("a:g:x b:g:x c::x", "((1)(2)(3))"); /* g is not there: c joins */
    check_references("a:g:x b:g:x c:h:x d:h:x", "((1)(2)(3)(4))");
    check_references("a:: b::", "(1)(2)"); /* without a subject nothing is one */
}

static void test_by_date(void)
{
    struct arena *a = arena_new();
    struct order_item items[32];
    struct buf out = BUF_INIT(100);
    size_t count = read_items("a:: b:a: c:a: d::", items, a);
    items[0].sent_ms = 50;
    items[1].sent_ms = 9;
    items[2].sent_ms = 8;
    items[3].sent_ms = 50;
    thread_write(thread_by_references(items, count, a), &out);
    CU_ASSERT_STRING_EQUAL(buf_str(&out), "(1 (3)(2))(4)");
    buf_free(&out);
    arena_free(&a);
}

static void test_ordered_subject(void)
{
    check_threads(thread_by_subject, "", "");
    check_threads(thread_by_subject, "::b ::a ::Re:b", "(1 3)(2)");
    check_threads(thread_by_subject, "::b ::a ::Re:b ::b", "(1 (3)(4))(2)");
}

/* As deep as it can be, in both directions, and as wide. */
static void test_large(void)
{
    enum { COUNT = 100000 };
    struct order_item *items = xcalloc(COUNT, sizeof *items);
    for (int way = 0; way < 3; way++) {
        struct arena *a = arena_new();
        struct buf out = BUF_INIT((size_t)COUNT * 16);
        for (size_t i = 0; i < COUNT; i++) {
            size_t number = way == 1 ? COUNT - i : i + 1;
            const char **above = arena_alloc(a, sizeof *above);
            *above = arena_printf(a, "%zu", way == 2 ? (size_t)0 : number - 1);
            items[i] = (struct order_item){.number = (uint32_t)number,
                                           .index = (uint32_t)i,
                                           .sent_ms = (int64_t)i,
                                           .subject = "",
                                           .id = arena_printf(a, "%zu", number),
                                           .references = above,
                                           .reference_count = 1};
        }
        CU_ASSERT(thread_write(thread_by_references(items, COUNT, a), &out));
        const char *start = way == 2 ? "((1)(2)(3)" : "(1 2 3 4 ";
        CU_ASSERT_NSTRING_EQUAL(buf_str(&out), start, strlen(start));
        const char *end = way == 2 ? "(100000))" : " 100000)";
        CU_ASSERT(out.len > 9 && strcmp(out.data + out.len - strlen(end), end) == 0);
        buf_free(&out);
        arena_free(&a);
    }
    free(items);
}

static void test_thread_command(void)
{
    fake_reset();
    fake_add("Message-ID: <1@x>\r\nSubject: a\r\n\r\n");
    fake_add("Message-ID: <2@x>\r\nIn-Reply-To: <1@x> and <9@x>\r\nSubject: Re: a\r\n\r\n");
    fake_add("Message-ID: <3@x>\r\nReferences: <1@x>\r\n <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\n");
    fake_add("Subject: b\r\n\r\n");
    CU_ASSERT_STRING_EQUAL(talk_selected("a THREAD REFERENCES UTF-8 ALL\r\n"),
                           "* THREAD (1 2 3)(4)\r\na OK threaded 4\r\n");
    CU_ASSERT_STRING_EQUAL(talk_selected("a UID THREAD ORDEREDSUBJECT UTF-8 NOT 3\r\n"),
                           "* THREAD (1 2)(4)\r\na OK threaded 3\r\n");
    CU_ASSERT_STRING_EQUAL(talk_selected("a THREAD REFERENCES UTF-8 SUBJECT none\r\n"),
                           "* THREAD\r\na OK threaded 0\r\n");
    CU_ASSERT_NSTRING_EQUAL(talk_selected("a THREAD REFS UTF-8 ALL\r\n"), "a BAD ", 6);
    CU_ASSERT_NSTRING_EQUAL(talk_selected("a THREAD REFERENCES\r\n"), "a BAD ", 6);
    CU_ASSERT_NSTRING_EQUAL(talk_selected("a THREAD\r\n"), "a BAD ", 6);
}

extern const struct unit_test order_tests[];
const struct unit_test order_tests[] = {
    {"SORT", test_sort},
    {"results of SORT", test_sort_results},
    {"bad input of SORT", test_sort_bad_input},
    {"who answers whom", test_references},
    {"circles", test_circles},
    {"threads of one subject", test_subjects},
    {"by date", test_by_date},
    {"by subject alone", test_ordered_subject},
    {"large", test_large},
    {"THREAD", test_thread_command},
    {NULL, NULL},
};
