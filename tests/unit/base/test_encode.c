#include "../unit.h"

#include "postern/base/encode.h"

#include <string.h>

static const char *b64(const char *in)
{
    static struct buf b = BUF_INIT(1000);
    buf_clear(&b);
    base64_encode(in, strlen(in), &b);
    return buf_str(&b);
}

static bool takes(const char *text)
{
    struct buf b = BUF_INIT(1000);
    bool ok = base64_decode(text, strlen(text), &b);
    buf_free(&b);
    return ok;
}

/* RFC 4648 section 10. */
static void test_base64(void)
{
    CU_ASSERT_STRING_EQUAL(b64(""), "");
    CU_ASSERT_STRING_EQUAL(b64("f"), "Zg==");
    CU_ASSERT_STRING_EQUAL(b64("fo"), "Zm8=");
    CU_ASSERT_STRING_EQUAL(b64("foobar"), "Zm9vYmFy");
    CU_ASSERT(takes(""));
    CU_ASSERT(takes("Zg=="));
    CU_ASSERT(!takes("Zg="));
    CU_ASSERT(!takes("Zg"));
    CU_ASSERT(!takes("Zh=="));
    CU_ASSERT(!takes("Z==="));
    CU_ASSERT(!takes("Zm 9"));
    CU_ASSERT(!takes("Zm9v\n"));
    CU_ASSERT(!takes("=Zm8"));
}

static void test_base64_all_bytes(void)
{
    unsigned char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    for (size_t len = 0; len <= 256; len++) {
        struct buf text = BUF_INIT(1000), back = BUF_INIT(1000);
        CU_ASSERT(base64url_encode(all, len, &text));
        CU_ASSERT(base64url_decode(buf_str(&text), text.len, &back));
        CU_ASSERT(back.len == len && memcmp(buf_str(&back), all, len) == 0);
        buf_free(&text);
        buf_free(&back);
    }
}

static void test_hex_and_sha(void)
{
    uint8_t digest[SHA256_SIZE], back[SHA256_SIZE];
    char text[2 * SHA256_SIZE + 1];
    sha256("abc", 3, digest);
    hex_encode(digest, sizeof digest, text);
    CU_ASSERT_STRING_EQUAL(text,
                           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CU_ASSERT(hex_decode(text, strlen(text), back));
    CU_ASSERT(memcmp(digest, back, sizeof back) == 0);
    CU_ASSERT(!hex_decode("0g", 2, back));
    CU_ASSERT(!hex_decode("000", 3, back));
}

static void test_guid(void)
{
    char made[GUID_SIZE];
    guid_make(made);
    CU_ASSERT(guid_is(made));
    CU_ASSERT(guid_is("0A0b0c0d-1111-2222-3333-44445555aaaF"));
    CU_ASSERT(!guid_is(""));
    CU_ASSERT(!guid_is("0a0b0c0d-1111-2222-3333-44445555aaa"));
    CU_ASSERT(!guid_is("0a0b0c0d-1111-2222-3333-44445555aaaa0"));
    CU_ASSERT(!guid_is("0a0b0c0d-1111-2222-3333-44445555aaag"));
    CU_ASSERT(!guid_is("0a0b0c0d01111-2222-3333-44445555aaaa"));
    CU_ASSERT(!guid_is("{0a0b0c0d-1111-2222-3333-44445555aa}"));
}

static void test_secret_equal(void)
{
    CU_ASSERT(secret_equal("abc", 3, "abc", 3));
    CU_ASSERT(!secret_equal("abc", 3, "abd", 3));
    CU_ASSERT(!secret_equal("abc", 3, "abcd", 4));
    CU_ASSERT(secret_equal("", 0, "", 0));
}

extern const struct unit_test encode_tests[];
const struct unit_test encode_tests[] = {
    {"base64, strict", test_base64},
    {"base64url, every byte and length", test_base64_all_bytes},
    {"hexadecimal and SHA-256", test_hex_and_sha},
    {"GUIDs", test_guid},
    {"secrets compare", test_secret_equal},
    {NULL, NULL},
};
