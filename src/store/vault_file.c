#include "vault_file.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_SIZE    7
#define KEY_ID_OFFSET (VAULT_NONCE_OFFSET + VAULT_NONCE_SIZE)
#define NAMES_OFFSET  (KEY_ID_OFFSET + VAULT_KEY_ID_SIZE)
#define TAG_SIZE      16
#define TIME_SIZE     8

static const char magic[MAGIC_SIZE + 1] = "PostSgn";
static const char version = '1';

/* The fields by the byte that stands for each; never to be renumbered. */
static const struct {
    uint8_t id;
    size_t offset;
    bool is_time;
} fields[] = {
    {1, offsetof(struct sign_in, refresh_token), false},
    {2, offsetof(struct sign_in, access_token), false},
    {3, offsetof(struct sign_in, access_expires_ms), true},
    {4, offsetof(struct sign_in, scope), false},
    {5, offsetof(struct sign_in, user), false},
    {6, offsetof(struct sign_in, since_ms), true},
    {7, offsetof(struct sign_in, renewed_ms), true},
    {8, offsetof(struct sign_in, ended), false},
};
#define FIELD_COUNT (sizeof fields / sizeof *fields)

static void put_number(struct buf *out, uint64_t value, int size)
{
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
        buf_putc(out, (char)(value >> shift));
}

/* The unread part of some bytes. */
struct rest {
    const uint8_t *data;
    size_t len;
};

static bool take_number(struct rest *r, int size, uint64_t *value)
{
    if (r->len < (size_t)size)
        return false;
    *value = 0;
    for (int i = 0; i < size; i++)
        *value = *value << 8 | r->data[i];
    r->data += size;
    r->len -= (size_t)size;
    return true;
}

static const char *take_bytes(struct rest *r, uint64_t len)
{
    const char *bytes = (const char *)r->data;
    if (len > r->len)
        return NULL;
    r->data += len;
    r->len -= (size_t)len;
    return bytes;
}

/* A name is text that can be shown, so that a file made by somebody else plays no tricks. */
static bool take_name(struct rest *r, char out[VAULT_NAME_MAX + 1])
{
    uint64_t len;
    if (!take_number(r, 2, &len) || len == 0 || len > VAULT_NAME_MAX)
        return false;
    const char *name = take_bytes(r, len);
    if (!name)
        return false;
    for (uint64_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] < ' ' || name[i] == 127)
            return false;
    }
    memcpy(out, name, (size_t)len);
    out[len] = '\0';
    return true;
}

bool vault_head_read(const void *data, size_t len, struct vault_head *out, struct error *e)
{
    struct rest r = {data, len};
    if (len < MAGIC_SIZE + 1 || memcmp(data, magic, MAGIC_SIZE) != 0)
        return error_set(e, ERROR_SIGN_IN, "this is no stored sign-in");
    if (r.data[MAGIC_SIZE] != (uint8_t)version)
        return error_set(e, ERROR_CANNOT,
                         "this sign-in was stored by a later version of postern; use that one, "
                         "or sign in anew under another state-dir");
    const char *start = take_bytes(&r, NAMES_OFFSET);
    if (!start || !take_name(&r, out->tenant) || !take_name(&r, out->account) || r.len < TAG_SIZE)
        return error_set(e, ERROR_SIGN_IN, "this stored sign-in is cut short or damaged");
    memcpy(out->key_id, start + KEY_ID_OFFSET, VAULT_KEY_ID_SIZE);
    out->len = len - r.len;
    return true;
}

static bool read_field(struct rest *r, struct sign_in *out)
{
    uint64_t id, len, time;
    if (!take_number(r, 1, &id) || !take_number(r, 4, &len))
        return false;
    const char *bytes = take_bytes(r, len);
    for (size_t i = 0; bytes && i < FIELD_COUNT; i++) {
        void *at = (char *)out + fields[i].offset;
        if (fields[i].id != id)
            continue;
        struct rest value = {(const uint8_t *)bytes, (size_t)len};
        if (fields[i].is_time) {
            if (len != TIME_SIZE || !take_number(&value, TIME_SIZE, &time))
                return false;
            *(int64_t *)at = (int64_t)time;
            return true;
        }
        if (*(char **)at || memchr(bytes, '\0', (size_t)len))
            return false;
        *(char **)at = xstrndup(bytes, (size_t)len);
        return true;
    }
    return false;
}

bool vault_fields_read(const void *data, size_t len, struct sign_in *out)
{
    struct rest r = {data, len};
    memset(out, 0, sizeof *out);
    while (r.len > 0) {
        if (!read_field(&r, out)) {
            sign_in_clear(out);
            return false;
        }
    }
    return true;
}

void vault_fields_write(const struct sign_in *s, struct buf *out)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const void *at = (const char *)s + fields[i].offset;
        const char *text = fields[i].is_time ? NULL : *(char *const *)at;
        if (!fields[i].is_time && !text)
            continue;
        put_number(out, fields[i].id, 1);
        put_number(out, text ? strlen(text) : TIME_SIZE, 4);
        if (text)
            buf_puts(out, text);
        else
            put_number(out, (uint64_t) * (const int64_t *)at, TIME_SIZE);
    }
}

bool vault_unseal(const struct vault_keys *keys, const struct vault_head *head, const void *data,
                  size_t len, struct sign_in *out, struct error *e)
{
    const uint8_t *file = data;
    const struct vault_key *key = NULL;
    size_t secret = len - head->len - TAG_SIZE;
    uint8_t tag[TAG_SIZE];
    int n = 0;
    for (unsigned i = 0; i < keys->count && !key; i++) {
        if (memcmp(keys->key[i].id, head->key_id, VAULT_KEY_ID_SIZE) == 0)
            key = &keys->key[i];
    }
    memset(out, 0, sizeof *out);
    if (!key)
        return error_set(e, ERROR_SIGN_IN,
                         "this sign-in is encrypted with another key; put the key file back that "
                         "it was stored with, or revoke it and sign in again");
    memcpy(tag, file + len - TAG_SIZE, TAG_SIZE);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t *plain = xmalloc(secret);
    bool ok = ctx &&
              EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->secret,
                                 file + VAULT_NONCE_OFFSET) == 1 &&
              EVP_DecryptUpdate(ctx, NULL, &n, file, (int)head->len) == 1 &&
              EVP_DecryptUpdate(ctx, plain, &n, file + head->len, (int)secret) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
              EVP_DecryptFinal_ex(ctx, plain + n, &n) == 1 && vault_fields_read(plain, secret, out);
    EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();
    explicit_bzero(plain, secret);
    free(plain);
    return ok || error_set(e, ERROR_SIGN_IN,
                           "this stored sign-in is damaged; revoke it and sign in again");
}

static void put_name(struct buf *out, const char *name)
{
    put_number(out, strlen(name), 2);
    buf_puts(out, name);
}

static bool encrypt(const struct vault_key *key, const uint8_t *nonce, const struct buf *plain,
                    struct buf *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t *at = (uint8_t *)out->data + out->len;
    int n = 0;
    bool ok = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->secret, nonce) == 1 &&
              EVP_EncryptUpdate(ctx, NULL, &n, (uint8_t *)out->data, (int)out->len) == 1 &&
              EVP_EncryptUpdate(ctx, at, &n, (const uint8_t *)plain->data, (int)plain->len) == 1 &&
              EVP_EncryptFinal_ex(ctx, at + n, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, at + plain->len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();
    out->len += plain->len + TAG_SIZE;
    return ok;
}

bool vault_seal(const struct vault_key *key, const char *tenant, const char *account,
                const struct sign_in *s, struct buf *out, struct error *e)
{
    uint8_t nonce[VAULT_NONCE_SIZE];
    struct buf plain = BUF_INIT(VAULT_FILE_MAX);
    random_bytes(nonce, sizeof nonce);
    buf_append(out, magic, MAGIC_SIZE);
    buf_putc(out, version);
    buf_append(out, nonce, sizeof nonce);
    buf_append(out, key->id, sizeof key->id);
    put_name(out, tenant);
    put_name(out, account);
    buf_reserve(&plain, VAULT_FILE_MAX); /* at once: growing would leave copies behind */
    vault_fields_write(s, &plain);
    bool ok = !plain.overflow && buf_reserve(out, plain.len + TAG_SIZE);
    if (!ok)
        error_set(e, ERROR_TOO_BIG, "the tokens of %s are larger than %zu bytes", account,
                  VAULT_FILE_MAX);
    else if (!encrypt(key, nonce, &plain, out))
        ok = error_set(e, ERROR_LOCAL, "OpenSSL cannot encrypt with AES-256-GCM");
    buf_free_secret(&plain);
    return ok;
}
