#include "success.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/encode.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define SETS      1024
#define WAYS      4
#define KEY_SIZE  32
#define INPUT_MAX ((size_t)64 * 1024)

struct slot {
    uint8_t mac[SUCCESS_MAC];
    int64_t until_ms; /* 0: empty */
};

struct success_cache {
    uint8_t key[KEY_SIZE];
    struct slot slots[SETS][WAYS];
};

struct success_cache *success_new(void)
{
    struct success_cache *s = xcalloc(1, sizeof *s);
    random_bytes(s->key, sizeof s->key);
    return s;
}

void success_free(struct success_cache **s)
{
    if (*s)
        explicit_bzero(*s, sizeof **s);
    free(*s);
    *s = NULL;
}

void success_mac(const struct success_cache *s, const char *name, const char *password,
                 const char *hash, uint8_t out[SUCCESS_MAC])
{
    struct buf text = BUF_INIT(INPUT_MAX);
    /* All of it at once: growing would leave copies of the password behind. */
    buf_reserve(&text, strlen(name) + strlen(password) + strlen(hash) + 3);
    buf_append(&text, name, strlen(name) + 1);
    buf_append(&text, password, strlen(password) + 1);
    buf_append(&text, hash, strlen(hash) + 1);
    unsigned len = SUCCESS_MAC;
    if (text.overflow || !HMAC(EVP_sha256(), s->key, KEY_SIZE, (const unsigned char *)text.data,
                               text.len, out, &len))
        random_bytes(out, SUCCESS_MAC); /* matches nothing */
    buf_free_secret(&text);
}

static struct slot *set_of(struct success_cache *s, const uint8_t mac[SUCCESS_MAC])
{
    return s->slots[(mac[0] | mac[1] << 8) % SETS];
}

bool success_known(struct success_cache *s, const uint8_t mac[SUCCESS_MAC], int64_t now)
{
    struct slot *set = set_of(s, mac);
    for (int i = 0; i < WAYS; i++) {
        if (set[i].until_ms > now && secret_equal(set[i].mac, SUCCESS_MAC, mac, SUCCESS_MAC)) {
            set[i].until_ms = now + SUCCESS_KEPT_MS;
            return true;
        }
    }
    return false;
}

void success_remember(struct success_cache *s, const uint8_t mac[SUCCESS_MAC], int64_t now)
{
    if (success_known(s, mac, now))
        return;
    struct slot *set = set_of(s, mac), *oldest = &set[0];
    for (int i = 1; i < WAYS; i++) {
        if (set[i].until_ms < oldest->until_ms)
            oldest = &set[i];
    }
    memcpy(oldest->mac, mac, SUCCESS_MAC);
    oldest->until_ms = now + SUCCESS_KEPT_MS;
}
