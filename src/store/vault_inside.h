/* What the files of the vault share. */
#ifndef POSTERN_STORE_VAULT_INSIDE_H
#define POSTERN_STORE_VAULT_INSIDE_H

#include "postern/store/vault.h"

#include "path.h"
#include "vault_file.h"

struct store_vault {
    char *state_dir;
    char *dir; /* STATE/sign-ins */
    char *key_path;
    bool key_is_credential; /* systemd's copy, which nobody writes */
    struct sign_in_vault functions;
};

/* One stored sign-in, or the place for one. */
struct vault_place {
    const char *tenant;
    char *account; /* without case */
    char *path;
};

bool vault_place_init(struct vault_place *p, const struct store_vault *v, const char *tenant,
                      const char *account, struct error *e);
void vault_place_free(struct vault_place *p);

/* The name belongs to a sign-in, and not to a lock or to a temporary file. */
bool vault_is_sign_in(const char *name);
/* Root works in the state directory as its owner, for that one may have put links there: between
 * these two, which do not nest, this thread's rights on files are the owner's. The key is read with
 * our own, which may be more. */
struct vault_rights {
    bool changed;
};
struct vault_rights vault_assume_owner(const struct store_vault *v);
void vault_resume(const struct vault_rights *was);

/* STATE/sign-ins. */
bool vault_make_dir(const struct store_vault *v, struct error *e);
/* Reads and decrypts the file at `path`, with these keys or (NULL) those of the key file. 1: done,
 * 0: there is none, -1: `e`, and *head is filled if it could be read (else its names are ""). */
int vault_read(const struct store_vault *v, const struct vault_keys *keys, const char *path,
               struct vault_head *head, struct sign_in *out, struct error *e);
/* Under the lock of its place. */
bool vault_write(const struct store_vault *v, const struct vault_keys *keys,
                 const struct vault_place *p, const struct sign_in *s, struct error *e);

/* The exclusive lock STATE/sign-ins/NAME.lock: *fd on true; false without an error: another has
 * it. What a killed process was writing when it held it is removed. close() unlocks. */
bool vault_lock(const struct store_vault *v, const char *name, int *fd, struct error *e);
/* The same, but waits for it as long as any holder can need it. */
bool vault_lock_wait(const struct store_vault *v, const char *name, int *fd, struct error *e);
/* Removes the temporary files of `path` that a killed process left. */
void vault_sweep(const char *path);

#endif
