/* The vault as its users see it. Its bytes and the changing of keys: test_vault_file.c. */
#include "../unit.h"
#include "scratch.h"
#include "vault_util.h"

#include "postern/base/file.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void check_same(const struct sign_in *a, const struct sign_in *b)
{
    CU_ASSERT(same(a->refresh_token, b->refresh_token));
    CU_ASSERT(same(a->access_token, b->access_token));
    CU_ASSERT(same(a->scope, b->scope));
    CU_ASSERT(same(a->user, b->user));
    CU_ASSERT(same(a->ended, b->ended));
    CU_ASSERT_EQUAL(a->access_expires_ms, b->access_expires_ms);
    CU_ASSERT_EQUAL(a->since_ms, b->since_ms);
    CU_ASSERT_EQUAL(a->renewed_ms, b->renewed_ms);
}

static void test_round_trip(void)
{
    struct store_vault *v = vault_begin();
    const struct sign_in_vault *f = store_vault_functions(v);
    const struct sign_in whole = {.refresh_token = (char *)"0.refresh",
                                  .access_token = (char *)"ey.access",
                                  .access_expires_ms = INT64_C(1790000000123),
                                  .scope = (char *)"Mail.ReadWrite",
                                  .user = (char *)"Ren\xc3\xa9@contoso.com",
                                  .since_ms = 1,
                                  .renewed_ms = -1,
                                  .ended = (char *)""};
    const struct sign_in few = {.ended = (char *)"AADSTS700082: expired"};
    struct sign_in back;
    struct error e = ERROR_INIT;
    CU_ASSERT(f->load(f->arg, "contoso", "a@b.c", &back, &e));
    CU_ASSERT(!back.refresh_token && !back.ended);
    CU_ASSERT(f->save(f->arg, "contoso", "Alice@Contoso.com", &whole, &e));
    CU_ASSERT(f->save(f->arg, "Contoso", "alice@contoso.com", &few, &e));
    CU_ASSERT(f->load(f->arg, "contoso", "aliCE@contoso.COM", &back, &e));
    check_same(&back, &whole);
    sign_in_clear(&back);
    CU_ASSERT(f->load(f->arg, "Contoso", "alice@contoso.com", &back, &e));
    check_same(&back, &few);
    sign_in_clear(&back);
    CU_ASSERT_EQUAL(scratch_mode(scratch_path("state/sign-ins")), 0700);
    const char *file = scratch_find(scratch_path("state/sign-ins"), "");
    CU_ASSERT_EQUAL(scratch_mode(file), 0600);
    CU_ASSERT_EQUAL(scratch_count(scratch_path("state/sign-ins"), ""), 2);
    vault_end(&v);
}

static void test_nothing_in_the_clear(void)
{
    struct store_vault *v = vault_begin();
    struct buf first = BUF_INIT(4096), second = BUF_INIT(4096);
    struct error e = ERROR_INIT;
    CU_ASSERT(vault_put(v, "bob@contoso.com", "refresh-me-not", &e));
    CU_ASSERT_FATAL(file_read(vault_only_file(), &first, &e));
    CU_ASSERT_PTR_NULL(memmem(first.data, first.len, "refresh", 7));
    CU_ASSERT(vault_put(v, "bob@contoso.com", "refresh-me-not", &e));
    CU_ASSERT_FATAL(file_read(vault_only_file(), &second, &e));
    /* Another nonce, so nothing of the text is the same. */
    CU_ASSERT_EQUAL(first.len, second.len);
    CU_ASSERT(memcmp(first.data + first.len - 32, second.data + second.len - 32, 32) != 0);
    buf_free(&first);
    buf_free(&second);
    vault_end(&v);
}

static void test_names(void)
{
    struct store_vault *v = vault_begin();
    const struct sign_in_vault *f = store_vault_functions(v);
    const struct sign_in s = {.refresh_token = (char *)"r"};
    struct sign_in back;
    struct error e = ERROR_INIT;
    char name[514];
    memset(name, 'n', sizeof name);
    name[512] = '\0';
    CU_ASSERT(f->save(f->arg, name, name, &s, &e));
    CU_ASSERT(f->load(f->arg, name, name, &back, &e));
    CU_ASSERT_STRING_EQUAL(back.refresh_token, "r");
    sign_in_clear(&back);
    name[512] = 'n';
    name[513] = '\0';
    CU_ASSERT(!f->save(f->arg, name, "a", &s, &e));
    CU_ASSERT(!f->save(f->arg, "a", name, &s, &e));
    CU_ASSERT(!f->load(f->arg, "a", name, &back, &e));
    CU_ASSERT(!f->save(f->arg, "", "a", &s, &e));
    CU_ASSERT(!f->save(f->arg, "a", "", &s, &e));
    CU_ASSERT_EQUAL(f->version(f->arg, "", ""), 0);
    vault_end(&v);
}

static void test_size(void)
{
    struct store_vault *v = vault_begin();
    const struct sign_in_vault *f = store_vault_functions(v);
    size_t size = (size_t)256 << 10;
    char *token = malloc(size + 1);
    struct sign_in s = {.refresh_token = token}, back;
    struct error e = ERROR_INIT;
    memset(token, 't', size);
    token[size] = '\0';
    CU_ASSERT(!f->save(f->arg, "t", "a", &s, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_TOO_BIG);
    CU_ASSERT_EQUAL(f->version(f->arg, "t", "a"), 0);
    token[size - 512] = '\0';
    CU_ASSERT(f->save(f->arg, "t", "a", &s, &e));
    CU_ASSERT(f->load(f->arg, "t", "a", &back, &e));
    CU_ASSERT(same(back.refresh_token, token));
    sign_in_clear(&back);
    free(token);
    vault_end(&v);
}

static void test_version(void)
{
    struct store_vault *v = vault_begin();
    const struct sign_in_vault *f = store_vault_functions(v);
    struct error e = ERROR_INIT;
    uint64_t seen[10];
    CU_ASSERT_EQUAL(f->version(f->arg, "contoso", "a"), 0);
    for (int i = 0; i < 10; i++) {
        CU_ASSERT(vault_put(v, "a", "same", &e));
        seen[i] = f->version(f->arg, "contoso", "A");
        CU_ASSERT_NOT_EQUAL(seen[i], 0);
        for (int j = 0; j < i; j++)
            CU_ASSERT_NOT_EQUAL(seen[i], seen[j]);
        CU_ASSERT_EQUAL(f->version(f->arg, "contoso", "a"), seen[i]);
    }
    CU_ASSERT(store_vault_remove(v, "contoso", "a", &e));
    CU_ASSERT_EQUAL(f->version(f->arg, "contoso", "a"), 0);
    vault_end(&v);
}

/* 0: another process got the lock, 1: another has it, 2: an error. */
static int lock_elsewhere(const struct sign_in_vault *f, const char *account)
{
    pid_t child = fork();
    if (child == 0) {
        struct error e = ERROR_INIT;
        void *hold;
        bool locked = f->lock(f->arg, "contoso", account, &hold, &e);
        _exit(locked ? 0 : e.kind == ERROR_NONE ? 1 : 2);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_lock(void)
{
    struct store_vault *v = vault_begin();
    const struct sign_in_vault *f = store_vault_functions(v);
    struct error e = ERROR_INIT;
    void *hold = NULL, *other = NULL;
    error_set(&e, ERROR_LOCAL, "of before");
    CU_ASSERT(f->lock(f->arg, "contoso", "alice", &hold, &e));
    CU_ASSERT(!f->lock(f->arg, "contoso", "ALICE", &other, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_NONE);
    CU_ASSERT_EQUAL(lock_elsewhere(f, "alice"), 1);
    CU_ASSERT_EQUAL(lock_elsewhere(f, "bob"), 0);
    f->unlock(f->arg, &hold);
    CU_ASSERT_PTR_NULL(hold);
    f->unlock(f->arg, &hold);
    /* The one that got it ended without letting go. */
    CU_ASSERT_EQUAL(lock_elsewhere(f, "alice"), 0);
    CU_ASSERT_EQUAL(lock_elsewhere(f, "alice"), 0);
    vault_end(&v);
}

static void test_leftovers(void)
{
    struct store_vault *v = vault_begin();
    const struct sign_in_vault *f = store_vault_functions(v);
    struct error e = ERROR_INIT;
    void *hold;
    CU_ASSERT(vault_put(v, "alice", "token", &e));
    char name[SCRATCH_PATH];
    snprintf(name, sizeof name, "%.400s.tmp-Ab3dEf", vault_only_file());
    CU_ASSERT(file_write_private(name, "x", 1, &e));
    CU_ASSERT(f->lock(f->arg, "contoso", "alice", &hold, &e));
    CU_ASSERT(!scratch_exists(name));
    f->unlock(f->arg, &hold);
    CU_ASSERT_STRING_EQUAL(vault_get(v, "alice"), "token");
    vault_end(&v);
}

struct seen {
    int good, bad;
    char text[1024];
};

static void see(void *arg, const char *tenant, const char *account, const struct sign_in *s,
                const struct error *e)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);
    seen->good += s != NULL;
    seen->bad += s == NULL;
    snprintf(seen->text + len, sizeof seen->text - len, "[%s/%s/%s]", tenant, account,
             s ? s->refresh_token : e->text);
}

static void test_each_and_remove(void)
{
    struct store_vault *v = vault_begin();
    struct error e = ERROR_INIT;
    struct seen none = {0}, all = {0}, damaged = {0}, left = {0};
    CU_ASSERT(store_vault_each(v, see, &none, &e));
    CU_ASSERT_EQUAL(none.good + none.bad, 0);
    CU_ASSERT(!store_vault_remove(v, "contoso", "alice", &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_GONE);
    CU_ASSERT(vault_put(v, "Alice", "one", &e));
    char *file = strdup(vault_only_file());
    CU_ASSERT(vault_put(v, "bob", "two", &e));
    CU_ASSERT(store_vault_each(v, see, &all, &e));
    CU_ASSERT_EQUAL(all.good, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(all.text, "[contoso/alice/one]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(all.text, "[contoso/bob/two]"));
    CU_ASSERT(scratch_flip(file, -1, 1));
    CU_ASSERT(store_vault_each(v, see, &damaged, &e));
    CU_ASSERT_EQUAL(damaged.good, 1);
    CU_ASSERT_EQUAL(damaged.bad, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(damaged.text, "[contoso/alice/"));
    CU_ASSERT_PTR_NOT_NULL(strstr(damaged.text, "damaged"));
    CU_ASSERT(store_vault_remove(v, "contoso", "aLICe", &e));
    CU_ASSERT(store_vault_each(v, see, &left, &e));
    CU_ASSERT_EQUAL(left.good, 1);
    CU_ASSERT_EQUAL(left.bad, 0);
    free(file);
    vault_end(&v);
}

/* A process that saves until it is killed, and tells each time. */
static _Noreturn void save_for_ever(struct store_vault *v, int tell, unsigned round)
{
    struct error e = ERROR_INIT;
    for (unsigned i = 1;; i++) {
        char token[64];
        uint32_t number = i;
        snprintf(token, sizeof token, "%u.%u", round, i);
        if (!vault_put(v, "alice", token, &e) || write(tell, &number, sizeof number) < 0)
            _exit(1);
    }
}

static void test_killed(void)
{
    struct store_vault *v = vault_begin();
    struct error e = ERROR_INIT;
    CU_ASSERT(vault_put(v, "alice", "0.0", &e));
    for (unsigned round = 0; round < 100; round++) {
        int ends[2];
        uint32_t told = 0, number;
        CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0)
            save_for_ever(v, ends[1], round);
        close(ends[1]);
        for (unsigned i = 0; i <= round % 3; i++)
            CU_ASSERT_EQUAL(read(ends[0], &told, sizeof told), sizeof told);
        kill(child, SIGKILL);
        while (read(ends[0], &number, sizeof number) == sizeof number)
            told = number;
        waitpid(child, NULL, 0);
        close(ends[0]);
        unsigned found_round = 0, found = 0;
        CU_ASSERT_EQUAL(sscanf(vault_get(v, "alice"), "%u.%u", &found_round, &found), 2);
        CU_ASSERT_EQUAL(found_round, round);
        CU_ASSERT(found == told || found == told + 1);
    }
    /* What they left behind goes with the next lock. */
    const struct sign_in_vault *f = store_vault_functions(v);
    void *hold;
    CU_ASSERT(f->lock(f->arg, "contoso", "alice", &hold, &e));
    CU_ASSERT_EQUAL(scratch_count(scratch_path("state/sign-ins"), "tmp-"), 0);
    f->unlock(f->arg, &hold);
    vault_end(&v);
}

static void test_owner(void)
{
    struct error e = ERROR_INIT;
    struct stat st;
    if (geteuid() != 0)
        return;
    CU_ASSERT_EQUAL(chmod(scratch_make(), 0711), 0);
    CU_ASSERT_EQUAL(mkdir(scratch_path("state"), 0700), 0);
    CU_ASSERT_EQUAL(chown(scratch_path("state"), 65534, 65533), 0);
    struct store_vault *v =
        store_vault_open(scratch_path("state"), NULL, scratch_path("postern.conf"), true, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(v);
    const struct sign_in_vault *f = store_vault_functions(v);
    void *hold;
    CU_ASSERT(f->lock(f->arg, "contoso", "alice", &hold, &e));
    CU_ASSERT(vault_put(v, "alice", "token", &e));
    f->unlock(f->arg, &hold);
    const char *paths[] = {scratch_path("token.key"), scratch_path("state/sign-ins"),
                           scratch_find(scratch_path("state/sign-ins"), ".lock")};
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(stat(paths[i], &st), 0);
        CU_ASSERT_EQUAL(st.st_uid, 65534);
        CU_ASSERT_EQUAL(st.st_gid, 65533);
        CU_ASSERT_EQUAL(st.st_mode & 077, 0);
    }
    CU_ASSERT_EQUAL(stat(vault_only_file(), &st), 0);
    CU_ASSERT_EQUAL(st.st_uid, 65534);
    /* A key that root keeps for itself, since the service has it as a credential. */
    CU_ASSERT_EQUAL(chown(scratch_path("token.key"), 0, 0), 0);
    CU_ASSERT(store_vault_rotate_key(v, &e));
    CU_ASSERT(vault_put(v, "alice", "other token", &e));
    CU_ASSERT_STRING_EQUAL(vault_get(v, "alice"), "other token");
    vault_end(&v);
}

/* The owner of the state directory has put a link where root is about to write. */
static void test_trap(void)
{
    struct error e = ERROR_INIT;
    struct stat st;
    if (geteuid() != 0)
        return;
    CU_ASSERT_EQUAL(chmod(scratch_make(), 0711), 0);
    CU_ASSERT_EQUAL(mkdir(scratch_path("state"), 0700) + mkdir(scratch_path("roots"), 0700), 0);
    CU_ASSERT_EQUAL(symlink("../roots", scratch_path("state/sign-ins")), 0);
    CU_ASSERT_EQUAL(lchown(scratch_path("state/sign-ins"), 65534, 65533), 0);
    CU_ASSERT_EQUAL(chown(scratch_path("state"), 65534, 65533), 0);
    struct store_vault *v =
        store_vault_open(scratch_path("state"), NULL, scratch_path("postern.conf"), true, &e);
    const struct sign_in_vault *f = store_vault_functions(v);
    void *hold;
    CU_ASSERT(!f->lock(f->arg, "contoso", "alice", &hold, &e));
    CU_ASSERT(!vault_put(v, "alice", "token", &e));
    CU_ASSERT(!store_vault_rotate_key(v, &e));
    CU_ASSERT_EQUAL(scratch_count(scratch_path("roots"), ""), 0);
    CU_ASSERT_EQUAL(stat(scratch_path("roots"), &st), 0);
    CU_ASSERT_EQUAL(st.st_uid, 0);
    vault_end(&v);
}

extern const struct unit_test vault_tests[];
const struct unit_test vault_tests[] = {
    {"what is saved is loaded, whatever the case of the account", test_round_trip},
    {"nothing is in the clear, nothing twice the same", test_nothing_in_the_clear},
    {"names up to their limit, and over it", test_names},
    {"tokens up to the limit, and over it", test_size},
    {"the version changes with each writing", test_version},
    {"one lock for threads and processes, which never waits", test_lock},
    {"what a killed process was writing is removed", test_leftovers},
    {"all of them, the unreadable too; removing", test_each_and_remove},
    {"kill -9 while saving, 100 times", test_killed},
    {"what root makes belongs to the owner of the state directory", test_owner},
    {"root does not follow what that owner has linked", test_trap},
    {NULL, NULL},
};
