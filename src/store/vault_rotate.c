/*
 * A new key. Three steps, each of which may be the last for a while: the new key is put before the
 * old one; each sign-in is encrypted with it; the old one is taken out. Whoever saves between them
 * reads the key file anew, under the lock of its sign-in, and again once it is written, so that
 * nothing is encrypted with the old key once its turn has passed, nor if it never had one.
 */
#include "vault_inside.h"

#include "postern/base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where two keys are there already, a rotation was cut off: it goes on with its new key. */
static bool begin(const struct store_vault *v, struct vault_keys *keys, struct error *e)
{
    vault_sweep(v->key_path);
    if (!vault_keys_read(v->key_path, keys, e))
        return false;
    if (keys->count == VAULT_KEYS_MAX)
        return true;
    keys->key[1] = keys->key[0];
    keys->count = VAULT_KEYS_MAX;
    vault_key_make(&keys->key[0]);
    return vault_keys_write(v->key_path, keys, e);
}

/* What neither key opens does not need the old one; what a later version wrote may. */
static bool encrypt_anew(const struct store_vault *v, const struct vault_keys *keys,
                         const char *name, struct error *e)
{
    char *path = xasprintf("%s/%s", v->dir, name);
    struct vault_head head;
    struct vault_place p;
    struct sign_in s = {0};
    int fd;
    bool ok = vault_lock_wait(v, name, &fd, e);
    if (ok) {
        int found = vault_read(v, keys, path, &head, &s, e);
        if (found > 0 && memcmp(head.key_id, keys->key[0].id, sizeof head.key_id) != 0) {
            ok = vault_place_init(&p, v, head.tenant, head.account, e) &&
                 vault_write(v, keys, &p, &s, e);
            vault_place_free(&p);
        } else if (found < 0) {
            ok = e->kind == ERROR_SIGN_IN;
        }
        close(fd);
    }
    sign_in_clear(&s);
    free(path);
    return ok;
}

static bool encrypt_all_anew(const struct store_vault *v, const struct vault_keys *keys,
                             struct error *e)
{
    bool ok = true;
    DIR *d = opendir(v->dir);
    if (!d)
        return error_set(e, ERROR_LOCAL, "cannot read %s: %s", v->dir, strerror(errno));
    for (struct dirent *entry; ok && (entry = readdir(d));) {
        if (vault_is_sign_in(entry->d_name))
            ok = encrypt_anew(v, keys, entry->d_name, e);
    }
    closedir(d);
    return ok;
}

/* Of two at once the second is told. */
static bool lock_keys(const struct store_vault *v, int *fd, struct error *e)
{
    bool ok = vault_make_dir(v, e) && vault_lock(v, "key", fd, e);
    if (!ok && e->kind == ERROR_NONE)
        error_set(e, ERROR_CONFLICT, "another postern token rotate-key runs just now");
    return ok;
}

bool store_vault_rotate_key(struct store_vault *v, struct error *e)
{
    struct vault_keys keys = {0};
    int fd;
    if (v->key_is_credential)
        return error_set(e, ERROR_CANNOT,
                         "%s is a credential of systemd, which is not changed in its place; name "
                         "the file that it comes from with key-file",
                         v->key_path);
    if (!store_vault_check_key(v, e) || !lock_keys(v, &fd, e))
        return false;
    bool ok = begin(v, &keys, e) && encrypt_all_anew(v, &keys, e);
    if (ok) {
        keys.count = 1;
        ok = vault_keys_write(v->key_path, &keys, e);
    }
    vault_keys_wipe(&keys);
    close(fd);
    return ok || error_prefix(e, "the key was not changed; it can be tried again: ");
}
