#include "../unit.h"

#include "postern/base/alloc.h"
#include "postern/mime/subject.h"

#include <stdlib.h>
#include <string.h>

static void check(const char *in, const char *want, bool want_reply)
{
    struct buf out = BUF_INIT(1000);
    bool reply = !want_reply;
    CU_ASSERT(mime_base_subject(in, strlen(in), &out, &reply));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), want);
    CU_ASSERT_EQUAL(reply, want_reply);
    if (strcmp(buf_str(&out), want) != 0)
        printf("\n\"%s\" gave \"%s\", not \"%s\"\n", in, buf_str(&out), want);
    buf_free(&out);
}

static void test_plain(void)
{
    check("", "", false);
    check("  \r\n ", "", false);
    check(" Hello   world\r\n\tagain ", "HELLO WORLD AGAIN", false);
    check("=?utf-8?q?Re=3A_gr=C3=BC=C3=9Fe?=",
          "GRU\xcc\x88\xc3\x9f"
          "E",
          true);
    check("reply", "REPLY", false);
    check("fw", "FW", false);
}

static void test_leaders(void)
{
    check("Re: a", "A", true);
    check("RE:a", "A", true);
    check("fw : a", "A", true);
    check("Fwd [list] : a", "A", true);
    check("re[2]: a", "A", true);
    check("Re: Fwd: re: a", "A", true);
    check("[list] Re: a", "A", true);
    check("[one] [two] re: [three] fw: a", "A", true);
    check("Re:", "", true);
    check("Reg: a", "REG: A", false);
}

static void test_blobs(void)
{
    check("[list] a", "A", false);
    check("[one][two] a", "A", false);
    check("[one] [two]", "[TWO]", false);
    check("[one]", "[ONE]", false);
    check("[one", "[ONE", false);
    check("[on[e] a", "[ON[E] A", false);
    check("[]a", "A", false);
}

static void test_trailers_and_forwards(void)
{
    check("a (fwd)", "A", true);
    check("a (FWD)(fwd)  ", "A", true);
    check("(fwd)", "", true);
    check("a (fw)", "A (FW)", false);
    check("[Fwd: a]", "A", true);
    check("[fwd: [fwd: re: a (fwd)]]", "A", true);
    check("[fwd: a", "[FWD: A", false);
    check("[fwd:]", "", true);
}

/* Many marks cost no more than their length. */
static void test_long(void)
{
    enum { LENGTH = 300000 };
    char *text = xmalloc(LENGTH + 1);
    struct buf out = BUF_INIT((size_t)LENGTH * MIME_SUBJECT_GROWTH);
    bool reply;
    for (size_t i = 0; i < LENGTH; i++)
        text[i] = "[]"[i % 2];
    CU_ASSERT(mime_base_subject(text, LENGTH, &out, &reply));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), "[]");
    for (size_t i = 0; i < LENGTH; i++)
        text[i] = "re:"[i % 3];
    buf_clear(&out);
    CU_ASSERT(mime_base_subject(text, LENGTH, &out, &reply));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), "");
    buf_free(&out);
    free(text);
}

extern const struct unit_test subject_tests[];
const struct unit_test subject_tests[] = {
    {"plain", test_plain},         {"marks in front", test_leaders},
    {"tags of lists", test_blobs}, {"marks behind and around", test_trailers_and_forwards},
    {"long", test_long},           {NULL, NULL},
};
