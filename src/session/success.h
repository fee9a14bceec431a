/*
 * Recent successful logins, remembered as an HMAC-SHA256 of name, password and stored hash under
 * a random key of this process: a client that signs in each minute costs no password hash, and a
 * core file or a swapped page gives no password away. Fixed memory. Not locked.
 */
#ifndef SESSION_SUCCESS_H
#define SESSION_SUCCESS_H

#include <stdbool.h>
#include <stdint.h>

/* From the last success on; a little above the ten minutes at which many clients poll. */
#define SUCCESS_KEPT_MS (12 * 60 * 1000)
#define SUCCESS_MAC     32

struct success_cache;

struct success_cache *success_new(void);
void success_free(struct success_cache **s);
/* Pure; needs no lock. */
void success_mac(const struct success_cache *s, const char *name, const char *password,
                 const char *hash, uint8_t out[SUCCESS_MAC]);
/* Known and not too old? Then its time starts anew. */
bool success_known(struct success_cache *s, const uint8_t mac[SUCCESS_MAC], int64_t now);
void success_remember(struct success_cache *s, const uint8_t mac[SUCCESS_MAC], int64_t now);

#endif
