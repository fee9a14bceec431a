#include "../unit.h"
#include "scratch.h"

#include "postern/store/state.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* 0 if another process gets the lock, 1 if it is refused with our pid in the text. */
static int lock_elsewhere(const char *dir)
{
    char pid[32];
    snprintf(pid, sizeof pid, "process %ld:", (long)getpid());
    pid_t child = fork();
    if (child == 0) {
        struct error e = ERROR_INIT;
        struct store_lock *l = store_state_lock(dir, &e);
        bool locked = l != NULL;
        store_state_unlock(&l);
        if (locked)
            _exit(0);
        _exit(e.kind == ERROR_LOCAL && strstr(e.text, pid) ? 1 : 2);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_second_process(void)
{
    struct error e = ERROR_INIT;
    long pid = 0;
    scratch_make();
    const char *dir = scratch_path("new/state");
    CU_ASSERT_FALSE(store_state_is_locked(dir, &pid));
    struct store_lock *l = store_state_lock(dir, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l);
    CU_ASSERT_EQUAL(scratch_mode(dir), 0700);
    CU_ASSERT_EQUAL(scratch_mode(scratch_path("new/state/lock")), 0600);
    CU_ASSERT_EQUAL(lock_elsewhere(dir), 1);
    CU_ASSERT_PTR_NULL(store_state_lock(dir, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_LOCAL);
    CU_ASSERT_TRUE(store_state_is_locked(dir, &pid));
    CU_ASSERT_EQUAL(pid, (long)getpid());
    store_state_unlock(&l);
    CU_ASSERT_PTR_NULL(l);
    CU_ASSERT_FALSE(store_state_is_locked(dir, &pid));
    CU_ASSERT_EQUAL(lock_elsewhere(dir), 0);
    store_state_unlock(&l);
    scratch_remove();
}

static void test_file_in_the_way(void)
{
    struct error e = ERROR_INIT;
    const char *root = scratch_make();
    CU_ASSERT_EQUAL(symlink("elsewhere", scratch_path("lock")), 0);
    CU_ASSERT_PTR_NULL(store_state_lock(root, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_LOCAL);
    CU_ASSERT_FALSE(scratch_exists(scratch_path("elsewhere")));
    scratch_remove();
}

extern const struct unit_test state_tests[];
const struct unit_test state_tests[] = {
    {"a second process is refused and told the pid", test_second_process},
    {"a link in place of the lock is not followed", test_file_in_the_way},
    {NULL, NULL},
};
