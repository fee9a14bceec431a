/*
 * The file of a stored sign-in, three ways by the first byte: the whole file as it stands; what a
 * good key would have decrypted; and fields that are written, encrypted, bent and read back.
 */
#include "../fuzz.h"

#include "vault_file.h"

#include <string.h>

static struct vault_keys keys;

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void read_file(const uint8_t *data, size_t size)
{
    struct vault_head head;
    struct sign_in s;
    struct error e = ERROR_INIT;
    if (!vault_head_read(data, size, &head, &e)) {
        FUZZ_CHECK(e.kind != ERROR_NONE);
        return;
    }
    FUZZ_CHECK(head.len < size && *head.tenant && *head.account);
    /* Nobody but we has the key. */
    FUZZ_CHECK(!vault_unseal(&keys, &head, data, size, &s, &e));
    FUZZ_CHECK(!s.refresh_token && !s.access_token && !s.ended);
}

static void read_fields(const uint8_t *data, size_t size)
{
    struct sign_in s, again;
    struct buf out = BUF_INIT(VAULT_FILE_MAX);
    if (vault_fields_read(data, size, &s)) {
        vault_fields_write(&s, &out);
        FUZZ_CHECK(vault_fields_read(buf_str(&out), out.len, &again));
        FUZZ_CHECK(same(s.refresh_token, again.refresh_token) && same(s.ended, again.ended));
        FUZZ_CHECK(s.since_ms == again.since_ms && s.renewed_ms == again.renewed_ms);
        sign_in_clear(&again);
    }
    sign_in_clear(&s);
    buf_free(&out);
}

/* Two bytes say where a bit is turned; past the end: nowhere. */
static void seal(const uint8_t *data, size_t size)
{
    struct vault_head head;
    struct sign_in back;
    struct error e = ERROR_INIT;
    struct buf file = BUF_INIT(VAULT_FILE_MAX);
    if (size < 2)
        return;
    size_t at = (size_t)data[0] << 8 | data[1];
    char *token = strndup((const char *)data + 2, size - 2);
    struct sign_in s = {.refresh_token = token};
    if (vault_seal(&keys.key[0], "t", "a", &s, &file, &e)) {
        bool bent = at < file.len;
        if (bent)
            file.data[at] ^= 1;
        bool good = vault_head_read(file.data, file.len, &head, &e) &&
                    vault_unseal(&keys, &head, file.data, file.len, &back, &e);
        FUZZ_CHECK(good == !bent);
        FUZZ_CHECK(!good || same(back.refresh_token, token));
        if (good)
            sign_in_clear(&back);
    }
    buf_free(&file);
    free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (keys.count == 0)
        vault_key_make(&keys.key[0]);
    keys.count = 1;
    if (data[0] == 'f')
        read_file(data + 1, size - 1);
    else if (data[0] == 'p')
        read_fields(data + 1, size - 1);
    else
        seal(data + 1, size - 1);
    return 0;
}
