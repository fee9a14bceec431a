/*
 * The keys of the vault: a file of one line of 64 hexadecimal digits, or of two while the key is
 * being changed, the new one first. Who may read the file may read every stored sign-in.
 */
#ifndef POSTERN_STORE_VAULT_KEY_H
#define POSTERN_STORE_VAULT_KEY_H

#include "postern/base/file.h"

#include <stdint.h>

#define VAULT_KEY_SIZE    32 /* AES-256 */
#define VAULT_KEY_ID_SIZE 8
#define VAULT_KEYS_MAX    2

struct vault_key {
    uint8_t secret[VAULT_KEY_SIZE];
    uint8_t id[VAULT_KEY_ID_SIZE]; /* tells which key it is and nothing else about it */
};

struct vault_keys {
    struct vault_key key[VAULT_KEYS_MAX]; /* the first encrypts, each decrypts */
    unsigned count;
};

/* From a system whose randomness is good. */
void vault_key_make(struct vault_key *out);
/* ERROR_SIGN_IN: it is missing, others may read it, or it holds no keys. */
bool vault_keys_read(const char *path, struct vault_keys *out, struct error *e);
/* Replaces the file; owner and permissions stay. */
bool vault_keys_write(const char *path, const struct vault_keys *keys, struct error *e);
/* Makes a key where there is no file yet; of two at once one wins, and both are content. */
bool vault_keys_begin(const char *path, const struct file_owner *owner, struct error *e);
void vault_keys_wipe(struct vault_keys *keys);

#endif
