#include "../unit.h"

#include "postern/mime/transfer.h"

#include <string.h>

static const struct {
    const char *encoding;
    const char *in;
    const char *out;
} cases[] = {
    {"7bit", "a=41\r\n", "a=41\r\n"},
    {"unheard-of", "QUJD", "QUJD"},
    {" BASE64 ", "QUJD", "ABC"},
    {"base64 (comment)", "QUJD\r\nREVG\r\n", "ABCDEF"},
    {"base64;", "Q U\tJ!D", "ABC"},
    {"base64x", "QUJD", "QUJD"},
    {"base64", "QQ==QUI=QUJD", "AABABC"},
    {"base64", "QUJ", "AB"},
    {"base64", "Q", ""},
    {"base64", "====", ""},
    {"quoted-printable", "a=3Db=3db", "a=b=b"},
    {"quoted-printable", "soft=\r\nbreak=\nhere= \t\r\n.", "softbreakhere."},
    {"quoted-printable", "trailing \t\r\nwhite \n", "trailing\r\nwhite\n"},
    {"quoted-printable", "  lead and  mid", "  lead and  mid"},
    {"quoted-printable", "bad=zz =4 =", "bad=zz =4 "},
    {"quoted-printable", "end=  ", "end"},
    {"quoted-printable", "end=\r", "end"},
    {"quoted-printable", "end \t", "end"},
    {"quoted-printable", "= 41", "= 41"},
    {"quoted-printable", "a \rb", "a \rb"},
};

static void test_cases(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = BUF_INIT(100);
        enum mime_transfer encoding =
            mime_transfer_of(cases[i].encoding, strlen(cases[i].encoding));
        CU_ASSERT(mime_transfer_decode(encoding, cases[i].in, strlen(cases[i].in), &out));
        CU_ASSERT_STRING_EQUAL(buf_str(&out), cases[i].out);
        buf_free(&out);
    }
}

static void test_cap(void)
{
    struct buf out = BUF_INIT(2);
    CU_ASSERT(mime_base64_decode("QUI=", 4, &out));
    CU_ASSERT(!mime_base64_decode("QUI=", 4, &out));
    buf_clear(&out);
    CU_ASSERT(!mime_quoted_printable_decode("a  b", 4, &out));
    buf_clear(&out);
    CU_ASSERT(!mime_q_decode("abc", 3, &out));
    buf_free(&out);
}

extern const struct unit_test transfer_tests[];
const struct unit_test transfer_tests[] = {
    {"base64 and quoted-printable", test_cases},
    {"over the cap", test_cap},
    {NULL, NULL},
};
