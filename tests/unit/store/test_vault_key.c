/* Keys that are missing, wrong, open to others, or being changed; files that are not what they
 * should be. */
#include "../unit.h"
#include "scratch.h"
#include "vault_util.h"

#include "postern/base/file.h"
#include "vault_file.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each writing waits for the disk. */
#define KILLS     40
#define ROTATIONS 10

#define ONE "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define TWO "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void write_key(const char *text)
{
    struct error e = ERROR_INIT;
    CU_ASSERT(file_write_private(scratch_path("token.key"), text, strlen(text), &e));
}

static void test_missing(void)
{
    struct error e = ERROR_INIT;
    scratch_make();
    struct store_vault *v = vault_again();
    CU_ASSERT_PTR_NOT_NULL_FATAL(v);
    CU_ASSERT_STRING_EQUAL(vault_get(v, "alice"), "(none)");
    CU_ASSERT(!store_vault_check_key(v, &e));
    CU_ASSERT(!vault_put(v, "alice", "token", &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "postern login makes one"));
    CU_ASSERT_EQUAL(scratch_count(scratch_path("state/sign-ins"), ""), 0);
    vault_end(&v);
    /* A directory in which none can be made. */
    scratch_make();
    CU_ASSERT_PTR_NULL(
        store_vault_open(scratch_path("state"), scratch_path("no/where/key"), "", true, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_LOCAL);
    scratch_remove();
}

static void test_shapes(void)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {ONE, true},
        {ONE "\n", true},
        {"\r\n  " ONE "\r\n\r\n" TWO "\r\n", true},
        {"", false},
        {"\n", false},
        {"x" ONE, false},
        {ONE "0", false},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n", false},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg\n", false},
        {ONE "\n" TWO "\n" ONE "\n", false},
        {ONE "\nkey\n", false},
    };
    struct error e = ERROR_INIT;
    struct store_vault *v = vault_begin();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_key(cases[i].text);
        CU_ASSERT_EQUAL(store_vault_check_key(v, &e), cases[i].good);
        CU_ASSERT_EQUAL(vault_put(v, "alice", "token", &e), cases[i].good);
        unlink(vault_only_file());
        CU_ASSERT(cases[i].good || e.kind == ERROR_SIGN_IN);
    }
    CU_ASSERT(file_write_private(scratch_path("token.key"), ONE "\0\n", 66, &e));
    CU_ASSERT(!store_vault_check_key(v, &e));
    char big[513];
    memset(big, '\n', sizeof big);
    memcpy(big, ONE, 64);
    CU_ASSERT(file_write_private(scratch_path("token.key"), big, 512, &e));
    CU_ASSERT(store_vault_check_key(v, &e));
    CU_ASSERT(file_write_private(scratch_path("token.key"), big, 513, &e));
    CU_ASSERT(!store_vault_check_key(v, &e));
    vault_end(&v);
}

static void test_open_to_others(void)
{
    static const struct {
        mode_t mode;
        bool good;
    } cases[] = {{0600, true}, {0400, true}, {0640, true}, {0604, false}, {0602, false}};
    struct error e = ERROR_INIT;
    struct store_vault *v = vault_begin();
    CU_ASSERT_EQUAL(scratch_mode(scratch_path("token.key")), 0600);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_EQUAL(chmod(scratch_path("token.key"), cases[i].mode), 0);
        CU_ASSERT_EQUAL(store_vault_check_key(v, &e), cases[i].good);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "every user"));
    vault_end(&v);
}

static void test_sources(void)
{
    struct error e = ERROR_INIT;
    const char *conf = "/nowhere/postern.conf";
    scratch_make();
    CU_ASSERT_EQUAL(mkdir(scratch_path("credentials"), 0700), 0);
    setenv("CREDENTIALS_DIRECTORY", scratch_path("credentials"), 1);
    struct store_vault *v = store_vault_open(scratch_path("state"), NULL, conf, false, &e);
    CU_ASSERT_STRING_EQUAL(store_vault_key_path(v), "/nowhere/token.key");
    store_vault_close(&v);
    CU_ASSERT(file_write_private(scratch_path("credentials/token-key"), ONE, 64, &e));
    v = store_vault_open(scratch_path("state"), NULL, conf, true, &e);
    CU_ASSERT_STRING_EQUAL(store_vault_key_path(v), scratch_path("credentials/token-key"));
    CU_ASSERT(vault_put(v, "alice", "token", &e));
    CU_ASSERT(!store_vault_rotate_key(v, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "credential"));
    CU_ASSERT_STRING_EQUAL(vault_get(v, "alice"), "token");
    store_vault_close(&v);
    v = store_vault_open(scratch_path("state"), scratch_path("mine"), conf, true, &e);
    CU_ASSERT_STRING_EQUAL(store_vault_key_path(v), scratch_path("mine"));
    CU_ASSERT(scratch_exists(scratch_path("mine")));
    CU_ASSERT_EQUAL(scratch_count(scratch_path("."), "mine"), 1);
    store_vault_close(&v);
    unsetenv("CREDENTIALS_DIRECTORY");
    v = store_vault_open(scratch_path("state"), NULL, "postern.conf", false, &e);
    CU_ASSERT_STRING_EQUAL(store_vault_key_path(v), "./token.key");
    vault_end(&v);
}

static void test_wrong_key(void)
{
    struct error e = ERROR_INIT;
    struct store_vault *v = vault_begin();
    write_key(ONE);
    CU_ASSERT(vault_put(v, "alice", "token", &e));
    off_t size = scratch_size(vault_only_file());
    write_key(TWO);
    CU_ASSERT_PTR_NOT_NULL(strstr(vault_get(v, "alice"), "another key"));
    CU_ASSERT(!vault_put(v, "alice", "other", &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
    CU_ASSERT_EQUAL(scratch_size(vault_only_file()), size);
    write_key(TWO "\n" ONE);
    CU_ASSERT_STRING_EQUAL(vault_get(v, "alice"), "token");
    vault_end(&v);
}

/* Puts these bytes in the place of a stored sign-in: it is told, and not overwritten. */
static void check_spoiled(struct store_vault *v, const void *data, size_t len, const char *why)
{
    struct error e = ERROR_INIT;
    struct buf now = BUF_INIT(VAULT_FILE_MAX);
    int fd = open(vault_only_file(), O_WRONLY | O_TRUNC);
    CU_ASSERT(file_write_all(fd, data, len));
    close(fd);
    const char *told = vault_get(v, "alice");
    CU_ASSERT_PTR_NOT_NULL(strstr(told, why));
    CU_ASSERT_PTR_NOT_NULL(strstr(told, "state/sign-ins/"));
    CU_ASSERT(!vault_put(v, "alice", "other", &e));
    CU_ASSERT(file_read(vault_only_file(), &now, &e));
    CU_ASSERT(now.len == len && memcmp(buf_str(&now), data, len) == 0);
    buf_free(&now);
}

static void test_spoiled(void)
{
    struct error e = ERROR_INIT;
    struct store_vault *v = vault_begin();
    struct buf good = BUF_INIT(VAULT_FILE_MAX);
    CU_ASSERT(vault_put(v, "alice", "token", &e));
    CU_ASSERT(file_read(vault_only_file(), &good, &e));
    for (size_t i = 0; i < good.len; i++) {
        struct buf bad = BUF_INIT(VAULT_FILE_MAX);
        buf_append(&bad, good.data, good.len);
        bad.data[i] ^= 0x20;
        check_spoiled(v, bad.data, bad.len, ": this ");
        buf_free(&bad);
        check_spoiled(v, good.data, i, ": this ");
    }
    check_spoiled(v, "hello", 5, "no stored sign-in");
    good.data[7] = '2';
    check_spoiled(v, good.data, good.len, "later version");
    good.data[7] = '1';
    buf_putc(&good, 'x');
    check_spoiled(v, good.data, good.len, "damaged");
    buf_free(&good);
    vault_end(&v);
}

static void test_under_another_name(void)
{
    struct error e = ERROR_INIT;
    struct store_vault *v = vault_begin();
    CU_ASSERT(vault_put(v, "bob", "of bob", &e));
    char *bobs = strdup(vault_only_file());
    CU_ASSERT_EQUAL(rename(bobs, scratch_path("kept")), 0);
    CU_ASSERT(vault_put(v, "alice", "of alice", &e));
    CU_ASSERT_EQUAL(rename(scratch_path("kept"), vault_only_file()), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(vault_get(v, "alice"), "another name"));
    free(bobs);
    vault_end(&v);
}

static unsigned count_keys(void)
{
    struct vault_keys keys = {0};
    struct error e = ERROR_INIT;
    CU_ASSERT(vault_keys_read(scratch_path("token.key"), &keys, &e));
    return keys.count;
}

static void test_rotate(void)
{
    struct error e = ERROR_INIT;
    struct store_vault *v = vault_begin(), *running = vault_again();
    struct buf before = BUF_INIT(512), after = BUF_INIT(512);
    CU_ASSERT(vault_put(v, "alice", "one", &e) && vault_put(v, "bob", "two", &e));
    CU_ASSERT_EQUAL(chmod(scratch_path("token.key"), 0640), 0);
    CU_ASSERT(file_read(scratch_path("token.key"), &before, &e));
    CU_ASSERT(store_vault_rotate_key(v, &e));
    CU_ASSERT(file_read(scratch_path("token.key"), &after, &e));
    CU_ASSERT_EQUAL(after.len, before.len);
    CU_ASSERT_STRING_NOT_EQUAL(buf_str(&before), buf_str(&after));
    CU_ASSERT_EQUAL(scratch_mode(scratch_path("token.key")), 0640);
    CU_ASSERT_STRING_EQUAL(vault_get(running, "alice"), "one");
    CU_ASSERT_STRING_EQUAL(vault_get(running, "bob"), "two");
    CU_ASSERT(vault_put(running, "bob", "three", &e));
    CU_ASSERT_STRING_EQUAL(vault_get(v, "bob"), "three");
    /* With the old one alone nothing opens. */
    write_key(buf_str(&before));
    CU_ASSERT_PTR_NOT_NULL(strstr(vault_get(v, "alice"), "another key"));
    buf_free(&before);
    buf_free(&after);
    store_vault_close(&running);
    vault_end(&v);
}

static void test_rotate_cut_off(void)
{
    struct error e = ERROR_INIT;
    struct store_vault *v = vault_begin();
    write_key(ONE);
    CU_ASSERT(vault_put(v, "alice", "one", &e) && vault_put(v, "bob", "two", &e));
    /* After the first step, after a part of the second, after all of it. */
    write_key(TWO "\n" ONE);
    CU_ASSERT_STRING_EQUAL(vault_get(v, "alice"), "one");
    CU_ASSERT(vault_put(v, "bob", "two", &e));
    CU_ASSERT(file_write_private(scratch_path("token.key.tmp-000000"), ONE, 64, &e));
    CU_ASSERT(store_vault_rotate_key(v, &e));
    CU_ASSERT_EQUAL(count_keys(), 1);
    CU_ASSERT_EQUAL(scratch_count(scratch_path("."), "token.key"), 1);
    write_key(TWO);
    CU_ASSERT_STRING_EQUAL(vault_get(v, "alice"), "one");
    CU_ASSERT_STRING_EQUAL(vault_get(v, "bob"), "two");
    vault_end(&v);
}

static void test_rotate_beside_damage(void)
{
    struct error e = ERROR_INIT;
    struct store_vault *v = vault_begin();
    CU_ASSERT(vault_put(v, "alice", "one", &e));
    char *alices = strdup(vault_only_file());
    CU_ASSERT(scratch_flip(alices, -1, 1));
    CU_ASSERT(vault_put(v, "bob", "two", &e));
    CU_ASSERT(store_vault_rotate_key(v, &e));
    CU_ASSERT_EQUAL(count_keys(), 1);
    CU_ASSERT_STRING_EQUAL(vault_get(v, "bob"), "two");
    CU_ASSERT(scratch_exists(alices));
    /* A later version of postern may well be able to read it with the old key. */
    CU_ASSERT(file_write_private(alices, "PostSgn2", 8, &e));
    CU_ASSERT(!store_vault_rotate_key(v, &e));
    CU_ASSERT_EQUAL(count_keys(), 2);
    CU_ASSERT_STRING_EQUAL(vault_get(v, "bob"), "two");
    free(alices);
    vault_end(&v);
}

static void test_rotate_killed(void)
{
    struct error e = ERROR_INIT;
    struct store_vault *v = vault_begin();
    for (int round = 0; round < KILLS; round++) {
        char token[32], one = '1';
        int ends[2];
        snprintf(token, sizeof token, "token %d", round);
        CU_ASSERT(vault_put(v, "alice", token, &e) && vault_put(v, "bob", token, &e));
        CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
        pid_t child = fork();
        while (child == 0) {
            if (!store_vault_rotate_key(v, &e) || write(ends[1], &one, 1) < 0)
                _exit(1);
        }
        close(ends[1]);
        for (int i = 0; i < round % 3; i++)
            CU_ASSERT_EQUAL(read(ends[0], &one, 1), 1);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(ends[0]);
        CU_ASSERT_STRING_EQUAL(vault_get(v, "alice"), token);
        CU_ASSERT_STRING_EQUAL(vault_get(v, "bob"), token);
    }
    CU_ASSERT(store_vault_rotate_key(v, &e));
    CU_ASSERT_EQUAL(count_keys(), 1);
    CU_ASSERT_EQUAL(scratch_count(scratch_path("."), "token.key"), 1);
    vault_end(&v);
}

/* Another process saves all the while, as a running service does. */
static void test_rotate_under_load(void)
{
    struct error e = ERROR_INIT;
    struct store_vault *v = vault_begin();
    const struct sign_in_vault *f = store_vault_functions(v);
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    CU_ASSERT(vault_put(v, "alice", "0", &e));
    pid_t child = fork();
    if (child == 0) {
        char stop, token[32];
        close(ends[1]);
        for (unsigned i = 1;; i++) {
            void *hold;
            unsigned was;
            while (!f->lock(f->arg, "contoso", "alice", &hold, &e))
                continue;
            if (sscanf(vault_get(v, "alice"), "%u", &was) != 1 || was != i - 1)
                _exit(1);
            snprintf(token, sizeof token, "%u", i);
            if (!vault_put(v, "alice", token, &e))
                _exit(2);
            f->unlock(f->arg, &hold);
            struct pollfd fd = {.fd = ends[0], .events = POLLIN};
            if (poll(&fd, 1, 0) > 0 && read(ends[0], &stop, 1) == 0)
                _exit(0);
        }
    }
    close(ends[0]);
    for (int i = 0; i < ROTATIONS; i++)
        CU_ASSERT(store_vault_rotate_key(v, &e));
    close(ends[1]);
    int status = -1;
    waitpid(child, &status, 0);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CU_ASSERT_STRING_NOT_EQUAL(vault_get(v, "alice"), "0");
    vault_end(&v);
}

extern const struct unit_test vault_key_tests[];
const struct unit_test vault_key_tests[] = {
    {"no key: nothing is stored, and it is told", test_missing},
    {"what a key file may hold", test_shapes},
    {"a key that others may read is none", test_open_to_others},
    {"where the key comes from", test_sources},
    {"the wrong key overwrites nothing", test_wrong_key},
    {"each bit and each length is checked, nothing is overwritten", test_spoiled},
    {"a file serves under its own name only", test_under_another_name},
    {"a new key", test_rotate},
    {"a new key, cut off and repeated", test_rotate_cut_off},
    {"a new key beside files that cannot be read", test_rotate_beside_damage},
    {"kill -9 while changing the key, again and again", test_rotate_killed},
    {"a new key while another process saves", test_rotate_under_load},
    {NULL, NULL},
};
