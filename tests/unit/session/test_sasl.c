#include "../unit.h"

#include "sasl_parse.h"

#include "postern/session/sasl.h"

#include <string.h>

typedef bool parser(char *data, size_t len, const char **name, const char **secret);

/* What the parser makes of the bytes: "NAME|SECRET", or "malformed". */
static const char *parse(parser *fn, const char *data, size_t len)
{
    static char result[256];
    char copy[256] = {0};
    const char *name = NULL, *secret = NULL;
    memcpy(copy, data, len);
    if (!fn(copy, len, &name, &secret))
        return "malformed";
    snprintf(result, sizeof result, "%s|%s", name, secret);
    return result;
}

#define PARSES(fn, text, expected)                                                                 \
    CU_ASSERT_STRING_EQUAL(parse(fn, text, sizeof(text) - 1), expected)
#define FAILS(fn, text) PARSES(fn, text, "malformed")

static void test_plain(void)
{
    PARSES(sasl_parse_plain, "\0alice\0secret", "alice|secret");
    PARSES(sasl_parse_plain, "alice\0alice\0se cret", "alice|se cret");
    FAILS(sasl_parse_plain, "bob\0alice\0secret");
    FAILS(sasl_parse_plain, "\0alice\0sec\0ret");
    FAILS(sasl_parse_plain, "\0alice\0");
    FAILS(sasl_parse_plain, "\0\0secret");
    FAILS(sasl_parse_plain, "\0alice");
    FAILS(sasl_parse_plain, "alice");
    FAILS(sasl_parse_plain, "");
}

#define DIGEST "b913a602c7eda7a495b4e6e7334d3890"

static void test_cram_md5(void)
{
    PARSES(sasl_parse_cram_md5, "tim " DIGEST, "tim|" DIGEST);
    PARSES(sasl_parse_cram_md5, "tim b. " DIGEST, "tim b.|" DIGEST);
    FAILS(sasl_parse_cram_md5, " " DIGEST);
    FAILS(sasl_parse_cram_md5, DIGEST);
    FAILS(sasl_parse_cram_md5, "tim " DIGEST "0");
    FAILS(sasl_parse_cram_md5, "tim " DIGEST " ");
    FAILS(sasl_parse_cram_md5, "tim b913");
    FAILS(sasl_parse_cram_md5, "tim g913a602c7eda7a495b4e6e7334d3890");
    FAILS(sasl_parse_cram_md5, "t\0m " DIGEST);
    FAILS(sasl_parse_cram_md5, "tim " DIGEST "\0");
    FAILS(sasl_parse_cram_md5, "");
}

/* Written apart, since \x01a would be one character. */
#define A "\x01"

static void test_xoauth2(void)
{
    PARSES(sasl_parse_xoauth2, "user=a@b.c" A "auth=Bearer ya29.vF9-_~+/==" A A,
           "a@b.c|ya29.vF9-_~+/==");
    PARSES(sasl_parse_xoauth2, "auth=bearer  tok" A "user=a=b" A A, "a=b|tok");
    PARSES(sasl_parse_xoauth2, "user=a" A "host=x" A "auth=Bearer tok" A A, "a|tok");
    FAILS(sasl_parse_xoauth2, "user=a" A "auth=Bearer tok" A);
    FAILS(sasl_parse_xoauth2, "user=a" A "auth=Bearer tok");
    FAILS(sasl_parse_xoauth2, "user=a" A "auth=Bearer tok" A A A);
    FAILS(sasl_parse_xoauth2, "user=a" A "auth=Bearer tok" A A "x");
    FAILS(sasl_parse_xoauth2, "user=a" A "auth=Bearer " A A);
    FAILS(sasl_parse_xoauth2, "user=a" A "auth=Bearer t ok" A A);
    FAILS(sasl_parse_xoauth2, "user=a" A "auth=Bearer t\r\nX: y" A A);
    FAILS(sasl_parse_xoauth2, "user=a" A "auth=Bearer t=k" A A);
    FAILS(sasl_parse_xoauth2, "user=a" A "auth=Basic tok" A A);
    FAILS(sasl_parse_xoauth2, "user=" A "auth=Bearer tok" A A);
    FAILS(sasl_parse_xoauth2, "auth=Bearer tok" A A);
    FAILS(sasl_parse_xoauth2, "user=a" A A);
    FAILS(sasl_parse_xoauth2, "user=a" A "user=b" A "auth=Bearer tok" A A);
    FAILS(sasl_parse_xoauth2, "user=a" A "auth=Bearer tok" A "auth=Bearer tok" A A);
    FAILS(sasl_parse_xoauth2, "user" A "auth=Bearer tok" A A);
    FAILS(sasl_parse_xoauth2, "us\0er=a" A "auth=Bearer tok" A A);
    FAILS(sasl_parse_xoauth2, A);
}

static void test_oauthbearer(void)
{
    PARSES(sasl_parse_oauthbearer, "n,a=a@b.c," A "host=h" A "port=143" A "auth=Bearer tok" A A,
           "a@b.c|tok");
    PARSES(sasl_parse_oauthbearer, "y,," A "auth=Bearer tok" A A, "|tok");
    PARSES(sasl_parse_oauthbearer, "n,a=a=2Cb=3Dc," A "auth=Bearer tok" A A, "a,b=c|tok");
    PARSES(sasl_parse_oauthbearer, "n,," A "user=eve" A "auth=Bearer tok" A A, "|tok");
    FAILS(sasl_parse_oauthbearer, "p=tls-unique,," A "auth=Bearer tok" A A);
    FAILS(sasl_parse_oauthbearer, "n,a=," A "auth=Bearer tok" A A);
    FAILS(sasl_parse_oauthbearer, "n,a=a=2cb," A "auth=Bearer tok" A A);
    FAILS(sasl_parse_oauthbearer, "n,b=x," A "auth=Bearer tok" A A);
    FAILS(sasl_parse_oauthbearer, "n,a=x" A "auth=Bearer tok" A A);
    FAILS(sasl_parse_oauthbearer, "n,a=x,auth=Bearer tok" A A);
    FAILS(sasl_parse_oauthbearer, "n,," A A);
    FAILS(sasl_parse_oauthbearer, "n,," A "auth=" A A);
    FAILS(sasl_parse_oauthbearer, "n,," A "auth=Bearer tok" A);
    FAILS(sasl_parse_oauthbearer, A); /* what acknowledges an error is no response */
    FAILS(sasl_parse_oauthbearer, "");
}

/* Never the same, and of a form that a client can cut out of a greeting. */
static void test_challenge(void)
{
    char first[SESSION_CHALLENGE_SIZE], second[SESSION_CHALLENGE_SIZE];
    session_challenge(first);
    session_challenge(second);
    CU_ASSERT_STRING_NOT_EQUAL(first, second);
    CU_ASSERT_EQUAL(first[0], '<');
    CU_ASSERT_EQUAL(first[strlen(first) - 1], '>');
    CU_ASSERT_PTR_NOT_NULL(strchr(first, '@'));
    CU_ASSERT_PTR_NULL(strpbrk(first, " \r\n"));
}

const struct unit_test sasl_tests[] = {
    {"PLAIN", test_plain},         {"CRAM-MD5", test_cram_md5},
    {"XOAUTH2", test_xoauth2},     {"OAUTHBEARER", test_oauthbearer},
    {"challenge", test_challenge}, {NULL, NULL},
};
