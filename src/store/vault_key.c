#include "vault_key.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_DIGITS   ((size_t)2 * VAULT_KEY_SIZE)
#define KEY_FILE_MAX 512 /* two keys, and line ends of any taste */
#define FOR_OTHERS   (S_IROTH | S_IWOTH)

static void name_key(struct vault_key *key)
{
    static const char label[] = "postern key id";
    uint8_t text[sizeof label + VAULT_KEY_SIZE], digest[SHA256_SIZE];
    memcpy(text, label, sizeof label);
    memcpy(text + sizeof label, key->secret, VAULT_KEY_SIZE);
    sha256(text, sizeof text, digest);
    memcpy(key->id, digest, VAULT_KEY_ID_SIZE);
    explicit_bzero(text, sizeof text);
}

void vault_key_make(struct vault_key *out)
{
    random_bytes(out->secret, sizeof out->secret);
    name_key(out);
}

void vault_keys_wipe(struct vault_keys *keys)
{
    explicit_bzero(keys, sizeof *keys);
}

static bool parse(const char *text, struct vault_keys *out)
{
    static const char blank[] = " \t\r\n";
    out->count = 0;
    for (text += strspn(text, blank); *text; text += strspn(text, blank)) {
        struct vault_key *key = &out->key[out->count];
        size_t len = strcspn(text, blank);
        if (out->count == VAULT_KEYS_MAX || len != KEY_DIGITS ||
            !hex_decode(text, len, key->secret))
            return false;
        name_key(key);
        out->count++;
        text += len;
    }
    return out->count > 0;
}

static void refuse(struct error *e)
{
    error_turn(e, ERROR_SIGN_IN);
    error_prefix(e, "the user that runs postern must be able to read the key of stored sign-ins: ");
}

bool vault_keys_read(const char *path, struct vault_keys *out, struct error *e)
{
    struct buf text = BUF_INIT(KEY_FILE_MAX);
    struct file_owner owner;
    bool ok = false;
    if (!file_owner_of(path, &owner))
        error_set(e, ERROR_SIGN_IN, "cannot read the key of stored sign-ins, %s: %s%s", path,
                  strerror(errno), errno == ENOENT ? "; postern login makes one" : "");
    else if (owner.mode & FOR_OTHERS)
        error_set(e, ERROR_SIGN_IN,
                  "%s can be read or changed by every user of this machine, so it protects "
                  "nothing; chmod o-rwx it, then postern token rotate-key",
                  path);
    else if (!buf_reserve(&text, KEY_FILE_MAX) || !file_read(path, &text, e))
        refuse(e);
    else if (strlen(buf_str(&text)) != text.len || !parse(buf_str(&text), out))
        error_set(e, ERROR_SIGN_IN,
                  "%s must hold a key as %zu hexadecimal digits on one line, and nothing else; "
                  "openssl rand -hex %d makes one",
                  path, KEY_DIGITS, VAULT_KEY_SIZE);
    else
        ok = true;
    if (!ok)
        vault_keys_wipe(out);
    buf_free_secret(&text);
    return ok;
}

static bool write_as(const char *path, const struct file_owner *owner,
                     const struct vault_keys *keys, struct error *e)
{
    char text[VAULT_KEYS_MAX * (KEY_DIGITS + 1) + 1];
    for (unsigned i = 0; i < keys->count; i++) {
        hex_encode(keys->key[i].secret, VAULT_KEY_SIZE, text + i * (KEY_DIGITS + 1));
        text[i * (KEY_DIGITS + 1) + KEY_DIGITS] = '\n';
    }
    bool ok = file_write_as(path, owner, text, keys->count * (KEY_DIGITS + 1), e);
    explicit_bzero(text, sizeof text);
    return ok;
}

bool vault_keys_write(const char *path, const struct vault_keys *keys, struct error *e)
{
    struct file_owner owner;
    if (!file_owner_of(path, &owner))
        return error_set(e, ERROR_LOCAL, "cannot look at %s: %s", path, strerror(errno));
    return write_as(path, &owner, keys, e);
}

/* A key is used from the moment that it has its name, so it gets that only when it is whole, and
 * never from another that has it already. */
bool vault_keys_begin(const char *path, const struct file_owner *owner, struct error *e)
{
    struct vault_keys keys = {.count = 1};
    struct error why = ERROR_INIT;
    if (access(path, F_OK) == 0)
        return true;
    char *whole = xasprintf("%s.new", path);
    vault_key_make(&keys.key[0]);
    bool ok = write_as(whole, owner, &keys, &why);
    if (!ok)
        error_set(e, why.kind, "cannot make the key of stored sign-ins: %s%s", why.text,
                  geteuid() == 0 ? "" : "; root can, and gives it to the user of the service");
    vault_keys_wipe(&keys);
    if (ok && link(whole, path) < 0 && errno != EEXIST && access(path, F_OK) < 0)
        ok = error_set(e, ERROR_LOCAL, "cannot make %s: %s", path, strerror(errno));
    unlink(whole);
    ok = ok && file_sync_dir_of(path, e);
    free(whole);
    return ok;
}
