#include "fake_vault.h"

#include "../unit.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

static void copy(struct sign_in *to, const struct sign_in *from)
{
    *to = *from;
    to->refresh_token = xstrdup_null(from->refresh_token);
    to->access_token = xstrdup_null(from->access_token);
    to->scope = xstrdup_null(from->scope);
    to->user = xstrdup_null(from->user);
    to->ended = xstrdup_null(from->ended);
}

static bool lock(void *arg, const char *tenant, const char *account, void **hold, struct error *e)
{
    struct fake_vault *v = arg;
    (void)tenant;
    (void)account;
    (void)e;
    pthread_mutex_lock(&v->mutex);
    bool ok = !v->locked;
    v->locked = true;
    v->busy += !ok;
    pthread_mutex_unlock(&v->mutex);
    if (ok)
        *hold = v;
    return ok;
}

static void unlock(void *arg, void **hold)
{
    struct fake_vault *v = arg;
    pthread_mutex_lock(&v->mutex);
    CU_ASSERT(v->locked && *hold == v);
    v->locked = false;
    pthread_mutex_unlock(&v->mutex);
    *hold = NULL;
}

static bool load(void *arg, const char *tenant, const char *account, struct sign_in *out,
                 struct error *e)
{
    struct fake_vault *v = arg;
    (void)tenant;
    (void)account;
    pthread_mutex_lock(&v->mutex);
    CU_ASSERT(v->locked);
    v->loads++;
    bool ok = !v->refuse_loads;
    if (ok)
        copy(out, &v->stored);
    else
        error_set(e, ERROR_LOCAL, "the key is not that of the sign-in");
    pthread_mutex_unlock(&v->mutex);
    return ok;
}

static bool save(void *arg, const char *tenant, const char *account, const struct sign_in *s,
                 struct error *e)
{
    struct fake_vault *v = arg;
    (void)tenant;
    (void)account;
    pthread_mutex_lock(&v->mutex);
    CU_ASSERT(v->locked);
    bool ok = !v->refuse_saves;
    if (ok) {
        sign_in_clear(&v->stored);
        copy(&v->stored, s);
        v->version++;
        v->saves++;
    } else {
        error_set(e, ERROR_LOCAL, "no space is left");
    }
    pthread_mutex_unlock(&v->mutex);
    return ok;
}

static uint64_t version(void *arg, const char *tenant, const char *account)
{
    struct fake_vault *v = arg;
    (void)tenant;
    (void)account;
    pthread_mutex_lock(&v->mutex);
    uint64_t now = v->version;
    pthread_mutex_unlock(&v->mutex);
    return now;
}

void fake_vault_open(struct fake_vault *v)
{
    *v = (struct fake_vault){.functions = {.arg = v,
                                           .lock = lock,
                                           .unlock = unlock,
                                           .load = load,
                                           .save = save,
                                           .version = version}};
    pthread_mutex_init(&v->mutex, NULL);
}

void fake_vault_close(struct fake_vault *v)
{
    CU_ASSERT(!v->locked);
    sign_in_clear(&v->stored);
    pthread_mutex_destroy(&v->mutex);
}

void fake_vault_sign_in(struct fake_vault *v, const char *refresh, const char *access,
                        int64_t life_ms)
{
    pthread_mutex_lock(&v->mutex);
    sign_in_clear(&v->stored);
    v->stored.refresh_token = xstrdup(refresh);
    v->stored.access_token = xstrdup_null(access);
    v->stored.access_expires_ms = clock_wall_ms() + life_ms;
    v->version++;
    pthread_mutex_unlock(&v->mutex);
}

struct sign_in fake_vault_look(struct fake_vault *v)
{
    struct sign_in now = {0};
    pthread_mutex_lock(&v->mutex);
    copy(&now, &v->stored);
    pthread_mutex_unlock(&v->mutex);
    return now;
}
