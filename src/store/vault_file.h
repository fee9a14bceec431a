/*
 * A stored sign-in as the bytes of its file (pure functions).
 *
 *      0   8   "PostSgn" and the version of the format, '1'
 *      8  12   nonce, random for each writing
 *     20   8   which key
 *     28       tenant, then account: 2 bytes of length, most significant first, and as many bytes
 *              AES-256-GCM (NIST SP 800-38D) of the fields; all before it is additional data
 *    -16  16   tag
 *
 * A field is one byte that says which, 4 bytes of length, the value.
 */
#ifndef POSTERN_STORE_VAULT_FILE_H
#define POSTERN_STORE_VAULT_FILE_H

#include "postern/base/buf.h"
#include "postern/base/sign_in.h"
#include "vault_key.h"

#define VAULT_NONCE_OFFSET 8
#define VAULT_NONCE_SIZE   12
#define VAULT_NAME_MAX     512 /* bytes of a tenant's or an account's name */
#define VAULT_FILE_MAX     ((size_t)256 << 10)

struct vault_head {
    uint8_t key_id[VAULT_KEY_ID_SIZE];
    char tenant[VAULT_NAME_MAX + 1];
    char account[VAULT_NAME_MAX + 1];
    size_t len; /* where the secret begins */
};

/* What can be told without a key. ERROR_SIGN_IN: no sign-in, cut short, or of a later version of
 * postern (then ERROR_CANNOT). */
bool vault_head_read(const void *data, size_t len, struct vault_head *out, struct error *e);
/* Decrypts what stands behind the head. ERROR_SIGN_IN: another key, or damaged. */
bool vault_unseal(const struct vault_keys *keys, const struct vault_head *head, const void *data,
                  size_t len, struct sign_in *out, struct error *e);
/* A whole file into the empty `out`; the names have 1 to VAULT_NAME_MAX bytes. ERROR_TOO_BIG. */
bool vault_seal(const struct vault_key *key, const char *tenant, const char *account,
                const struct sign_in *s, struct buf *out, struct error *e);

/* What is encrypted. On false `out` is empty. */
bool vault_fields_read(const void *data, size_t len, struct sign_in *out);
void vault_fields_write(const struct sign_in *s, struct buf *out);

#endif
