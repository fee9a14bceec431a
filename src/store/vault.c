#include "vault_inside.h"

#include "postern/base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_LEN (PATH_KEY_SIZE - 1)

bool vault_place_init(struct vault_place *p, const struct store_vault *v, const char *tenant,
                      const char *account, struct error *e)
{
    char name[PATH_KEY_SIZE];
    memset(p, 0, sizeof *p);
    if (!*tenant || !*account || strlen(tenant) > VAULT_NAME_MAX ||
        strlen(account) > VAULT_NAME_MAX) {
        error_set(e, ERROR_LOCAL,
                  "the names of a tenant and an account have 1 to %d bytes, not %zu and %zu",
                  VAULT_NAME_MAX, strlen(tenant), strlen(account));
        return false;
    }
    p->tenant = tenant;
    p->account = xstrdup(account);
    for (char *c = p->account; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    path_key(name, tenant, p->account, NULL);
    p->path = xasprintf("%s/%s", v->dir, name);
    return true;
}

void vault_place_free(struct vault_place *p)
{
    free(p->account);
    free(p->path);
}

bool vault_is_sign_in(const char *name)
{
    return strlen(name) == NAME_LEN && strspn(name, "0123456789abcdef") == NAME_LEN;
}

/* A file serves under its own name only. */
static bool is_in_place(const struct vault_head *head, const char *path)
{
    char name[PATH_KEY_SIZE];
    path_key(name, head->tenant, head->account, NULL);
    return strcmp(path + strlen(path) - NAME_LEN, name) == 0;
}

static bool unseal(const struct store_vault *v, const struct vault_keys *keys,
                   const struct vault_head *head, const struct buf *file, struct sign_in *out,
                   struct error *e)
{
    struct vault_keys ours;
    if (keys)
        return vault_unseal(keys, head, file->data, file->len, out, e);
    bool ok = vault_keys_read(v->key_path, &ours, e) &&
              vault_unseal(&ours, head, file->data, file->len, out, e);
    vault_keys_wipe(&ours);
    return ok;
}

/* 1: read, 0: there is none, -1: `e`. */
static int read_file(const struct store_vault *v, const char *path, struct buf *out,
                     struct error *e)
{
    struct file_owner ignored;
    struct vault_rights was = vault_assume_owner(v);
    bool missing = !file_owner_of(path, &ignored) && errno == ENOENT;
    bool ok = !missing && file_read(path, out, e);
    vault_resume(&was);
    return missing ? 0 : ok ? 1 : -1;
}

int vault_read(const struct store_vault *v, const struct vault_keys *keys, const char *path,
               struct vault_head *head, struct sign_in *out, struct error *e)
{
    struct buf file = BUF_INIT(VAULT_FILE_MAX);
    memset(out, 0, sizeof *out);
    head->tenant[0] = head->account[0] = '\0';
    int found = read_file(v, path, &file, e);
    if (found > 0) {
        bool ok = vault_head_read(buf_str(&file), file.len, head, e) &&
                  (is_in_place(head, path) ||
                   error_set(e, ERROR_SIGN_IN, "this sign-in was stored under another name")) &&
                  unseal(v, keys, head, &file, out, e);
        if (!ok) {
            error_prefix(e, "%s: ", path);
            found = -1;
        }
    }
    buf_free(&file);
    return found;
}

bool vault_write(const struct store_vault *v, const struct vault_keys *keys,
                 const struct vault_place *p, const struct sign_in *s, struct error *e)
{
    struct buf file = BUF_INIT(VAULT_FILE_MAX);
    bool ok = vault_seal(&keys->key[0], p->tenant, p->account, s, &file, e);
    if (ok) {
        struct vault_rights was = vault_assume_owner(v);
        ok = file_write_private(p->path, file.data, file.len, e);
        vault_resume(&was);
    }
    buf_free(&file);
    return ok;
}

static bool lock(void *arg, const char *tenant, const char *account, void **hold, struct error *e)
{
    const struct store_vault *v = arg;
    struct vault_place p;
    int fd;
    error_clear(e);
    bool ok = vault_place_init(&p, v, tenant, account, e) && vault_make_dir(v, e) &&
              vault_lock(v, basename(p.path), &fd, e);
    vault_place_free(&p);
    if (!ok)
        return false;
    int *held = xmalloc(sizeof *held);
    *held = fd;
    *hold = held;
    return true;
}

static void unlock(void *arg, void **hold)
{
    int *held = *hold;
    (void)arg;
    if (!held)
        return;
    close(*held);
    free(held);
    *hold = NULL;
}

static bool load(void *arg, const char *tenant, const char *account, struct sign_in *out,
                 struct error *e)
{
    struct vault_place p;
    struct vault_head head;
    memset(out, 0, sizeof *out);
    bool ok = vault_place_init(&p, arg, tenant, account, e) &&
              vault_read(arg, NULL, p.path, &head, out, e) >= 0;
    vault_place_free(&p);
    return ok;
}

/* What we cannot read may be worth more than what we bring: the wrong key is in place. */
static bool may_replace(const struct store_vault *v, const struct vault_place *p, struct error *e)
{
    struct vault_head head;
    struct sign_in old;
    int found = vault_read(v, NULL, p->path, &head, &old, e);
    sign_in_clear(&old);
    return found >= 0;
}

/* A file that was not there yet when the key was changed was passed over: what is written with a
 * key that is not the newest any more is written once more. */
static bool write_with_newest(const struct store_vault *v, const struct vault_place *p,
                              const struct sign_in *s, struct error *e)
{
    struct vault_keys keys, now = {0};
    bool ok = vault_keys_read(v->key_path, &keys, e), newest = false;
    while (ok && !newest) {
        ok = vault_write(v, &keys, p, s, e) && vault_keys_read(v->key_path, &now, e);
        newest = ok && memcmp(keys.key[0].id, now.key[0].id, sizeof now.key[0].id) == 0;
        keys = now;
    }
    vault_keys_wipe(&keys);
    vault_keys_wipe(&now);
    return ok;
}

static bool save(void *arg, const char *tenant, const char *account, const struct sign_in *s,
                 struct error *e)
{
    const struct store_vault *v = arg;
    struct vault_place p;
    bool ok = vault_place_init(&p, v, tenant, account, e) && vault_make_dir(v, e) &&
              may_replace(v, &p, e) && write_with_newest(v, &p, s, e);
    vault_place_free(&p);
    return ok || error_prefix(e, "cannot store the sign-in of %s: ", account);
}

/* The nonce: random, and another one for each writing. */
static uint64_t version(void *arg, const char *tenant, const char *account)
{
    struct vault_place p;
    struct error ignored = ERROR_INIT;
    uint64_t number = 0;
    int fd = -1;
    struct vault_rights was = vault_assume_owner(arg);
    if (vault_place_init(&p, arg, tenant, account, &ignored))
        fd = open(p.path, O_RDONLY | O_CLOEXEC);
    vault_place_free(&p);
    vault_resume(&was);
    if (fd < 0)
        return 0;
    bool whole = pread(fd, &number, sizeof number, VAULT_NONCE_OFFSET) == (ssize_t)sizeof number;
    close(fd);
    return whole && number ? number : 1;
}

static void find_key(struct store_vault *v, const char *key_file, const char *config_path)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    if (key_file) {
        v->key_path = xstrdup(key_file);
        return;
    }
    if (credentials) {
        v->key_path = xasprintf("%s/token-key", credentials);
        v->key_is_credential = access(v->key_path, F_OK) == 0;
        if (v->key_is_credential)
            return;
        free(v->key_path);
    }
    char *config = xstrdup(config_path);
    v->key_path = xasprintf("%s/token.key", dirname(config));
    free(config);
}

/* For the service to read, whoever it is. */
static bool begin_key(const struct store_vault *v, struct error *e)
{
    struct file_owner owner = {geteuid(), getegid(), 0600};
    if (!file_make_private_dir(v->state_dir, e))
        return false;
    if (owner.uid == 0 && file_owner_of(v->state_dir, &owner))
        owner.mode = 0600;
    return vault_keys_begin(v->key_path, &owner, e);
}

struct store_vault *store_vault_open(const char *state_dir, const char *key_file,
                                     const char *config_path, bool make_key, struct error *e)
{
    struct store_vault *v = xcalloc(1, sizeof *v);
    v->state_dir = xstrdup(state_dir);
    v->dir = xasprintf("%s/sign-ins", state_dir);
    v->functions = (struct sign_in_vault){v, lock, unlock, load, save, version};
    find_key(v, key_file, config_path);
    if (make_key && !v->key_is_credential && !begin_key(v, e))
        store_vault_close(&v);
    return v;
}

void store_vault_close(struct store_vault **v)
{
    if (!*v)
        return;
    free((*v)->state_dir);
    free((*v)->dir);
    free((*v)->key_path);
    free(*v);
    *v = NULL;
}

const struct sign_in_vault *store_vault_functions(struct store_vault *v)
{
    return &v->functions;
}

const char *store_vault_key_path(const struct store_vault *v)
{
    return v->key_path;
}

bool store_vault_check_key(const struct store_vault *v, struct error *e)
{
    struct vault_keys keys;
    bool ok = vault_keys_read(v->key_path, &keys, e);
    vault_keys_wipe(&keys);
    return ok;
}

bool store_vault_each(struct store_vault *v,
                      void (*fn)(void *arg, const char *tenant, const char *account,
                                 const struct sign_in *s, const struct error *e),
                      void *arg, struct error *e)
{
    DIR *d = opendir(v->dir);
    if (!d && errno == ENOENT)
        return true;
    if (!d)
        return error_set(e, ERROR_LOCAL, "cannot read %s: %s", v->dir, strerror(errno));
    for (struct dirent *entry; (entry = readdir(d));) {
        struct error why = ERROR_INIT;
        struct vault_head head;
        struct sign_in s;
        if (!vault_is_sign_in(entry->d_name))
            continue;
        char *path = xasprintf("%s/%s", v->dir, entry->d_name);
        int found = vault_read(v, NULL, path, &head, &s, &why);
        if (found != 0)
            fn(arg, head.tenant, head.account, found > 0 ? &s : NULL, &why);
        sign_in_clear(&s);
        free(path);
    }
    closedir(d);
    return true;
}

bool store_vault_put(struct store_vault *v, const char *tenant, const char *account,
                     const struct sign_in *s, struct error *e)
{
    struct vault_place p;
    int fd;
    bool ok = vault_place_init(&p, v, tenant, account, e) && vault_make_dir(v, e) &&
              vault_lock_wait(v, basename(p.path), &fd, e);
    vault_place_free(&p);
    if (!ok)
        return false;
    ok = save(v, tenant, account, s, e);
    close(fd);
    return ok;
}

/* Under its lock. */
static bool remove_file(const struct store_vault *v, const char *path, struct error *e)
{
    struct vault_rights was = vault_assume_owner(v);
    bool ok = unlink(path) == 0 || errno == ENOENT ||
              error_set(e, ERROR_LOCAL, "cannot remove %s: %s", path, strerror(errno));
    ok = ok && file_sync_dir(v->dir, e);
    vault_resume(&was);
    return ok;
}

bool store_vault_remove(struct store_vault *v, const char *tenant, const char *account,
                        struct error *e)
{
    struct vault_place p;
    struct file_owner ignored;
    int fd;
    bool ok = vault_place_init(&p, v, tenant, account, e);
    if (ok && !file_owner_of(p.path, &ignored))
        ok = error_set(e, errno == ENOENT ? ERROR_GONE : ERROR_LOCAL,
                       "no sign-in of %s is stored for tenant \"%s\": %s", account, tenant,
                       strerror(errno));
    if (ok && (ok = vault_lock_wait(v, basename(p.path), &fd, e))) {
        ok = remove_file(v, p.path, e);
        close(fd);
    }
    vault_place_free(&p);
    return ok;
}
