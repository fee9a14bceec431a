/*
 * The vault: stored sign-ins of persons, STATE/sign-ins/NAME, one encrypted file each.
 *
 * AES-256-GCM, a random nonce for each writing, tenant and account as additional data, so that a
 * file serves under no other name. Written to a temporary name, fsynced, renamed, directory
 * fsynced. The key comes from a file or a systemd credential, never from the program.
 * One file may hold two keys, the new one first, while rotate-key has not rewritten everything.
 */
#ifndef POSTERN_STORE_VAULT_H
#define POSTERN_STORE_VAULT_H

#include "postern/base/sign_in.h"

struct store_vault;

/* `key_file` NULL: $CREDENTIALS_DIRECTORY/token-key if there, else token.key beside
 * `config_path`. `make_key`: makes it where it is missing; only that can fail. A missing or unusable
 * key is no error yet: load and save say so (ERROR_SIGN_IN, as for a sign-in that is damaged or
 * encrypted with another key; save overwrites none of these). The file is read each time. Keys and
 * sign-ins have mode 0600; made by root they belong to the owner of the state directory, so that the
 * service can read them. */
struct store_vault *store_vault_open(const char *state_dir, const char *key_file,
                                     const char *config_path, bool make_key, struct error *e);
void store_vault_close(struct store_vault **v);
/* The functions for graph_client_set_vault(); good as long as the vault. Any thread. */
const struct sign_in_vault *store_vault_functions(struct store_vault *v);

/* Where the key is or would be; good as long as the vault. */
const char *store_vault_key_path(const struct store_vault *v);
/* Is there a key that can be used? */
bool store_vault_check_key(const struct store_vault *v, struct error *e);

/* Every stored sign-in, readable or not (`s` NULL, `e` says why; names that cannot be told are
 * ""). */
bool store_vault_each(struct store_vault *v,
                      void (*fn)(void *arg, const char *tenant, const char *account,
                                 const struct sign_in *s, const struct error *e),
                      void *arg, struct error *e);
/* A person has just signed in: saves it under its lock. Waits for whoever renews the old one. */
bool store_vault_put(struct store_vault *v, const char *tenant, const char *account,
                     const struct sign_in *s, struct error *e);
/* ERROR_GONE: there is none. Waits for whoever renews it just now. */
bool store_vault_remove(struct store_vault *v, const char *tenant, const char *account,
                        struct error *e);
/* A new key: written beside the old one, every sign-in encrypted anew, the old one taken out. Cut
 * off at any point both keys still serve, and it can be repeated. */
bool store_vault_rotate_key(struct store_vault *v, struct error *e);

#endif
