#include "../unit.h"

#include "postern/base/alloc.h"
#include "postern/base/arena.h"
#include "postern/base/file.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/postern-test-XXXXXX";

static char *in_dir(const char *name)
{
    return xasprintf("%s/%s", dir, name);
}

static void test_private_file(void)
{
    struct error e = ERROR_INIT;
    struct buf b = BUF_INIT(5);
    struct stat st;
    CU_ASSERT_PTR_NOT_NULL(mkdtemp(dir));
    char *path = in_dir("secret");
    CU_ASSERT(file_write_private(path, "hello", 5, &e));
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
    CU_ASSERT(file_read(path, &b, &e));
    CU_ASSERT_STRING_EQUAL(buf_str(&b), "hello");
    CU_ASSERT(file_write_private(path, "hello!", 6, &e));
    buf_clear(&b);
    CU_ASSERT(!file_read(path, &b, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_TOO_BIG);
    unlink(path);
    CU_ASSERT(!file_read(path, &b, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
    buf_free(&b);
    free(path);
}

static void test_write_fails(void)
{
    struct error e = ERROR_INIT;
    CU_ASSERT(!file_write_private("/nonexistent/dir/file", "x", 1, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_LOCAL);
}

static void test_private_dir(void)
{
    struct error e = ERROR_INIT;
    struct stat st;
    char *outer = in_dir("a"), *inner = in_dir("a/b/c");
    CU_ASSERT(file_make_private_dir(inner, &e));
    CU_ASSERT(file_make_private_dir(inner, &e));
    chmod(outer, 0755);
    CU_ASSERT(file_make_private_dir(outer, &e));
    CU_ASSERT_EQUAL(stat(outer, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0700);
    char *file = in_dir("a/b/c/file");
    CU_ASSERT(file_write_private(file, "", 0, &e));
    CU_ASSERT(!file_make_private_dir(file, &e));
    unlink(file);
    rmdir(inner);
    char *middle = in_dir("a/b");
    rmdir(middle);
    rmdir(outer);
    rmdir(dir);
    free(middle);
    free(file);
    free(inner);
    free(outer);
}

static void test_arena(void)
{
    struct arena *a = arena_new();
    for (int round = 0; round < 3; round++) {
        char *big = arena_alloc(a, 100000);
        char *small = arena_strdup(a, "abc");
        CU_ASSERT_EQUAL(big[0] | big[99999], 0);
        memset(big, 'x', 100000);
        CU_ASSERT_STRING_EQUAL(small, "abc");
        CU_ASSERT_STRING_EQUAL(arena_strndup(a, "abcdef", 2), "ab");
        CU_ASSERT_STRING_EQUAL(arena_printf(a, "%d-%s", 7, "x"), "7-x");
        for (int i = 0; i < 1000; i++)
            memset(arena_alloc(a, 24), 0xff, 24);
        CU_ASSERT_STRING_EQUAL(small, "abc");
        arena_clear(a);
    }
    arena_free(&a);
    CU_ASSERT_PTR_NULL(a);
    arena_free(&a);
}

extern const struct unit_test file_tests[];
const struct unit_test file_tests[] = {
    {"private files", test_private_file},
    {"a write that fails", test_write_fails},
    {"private directories", test_private_dir},
    {"arena", test_arena},
    {NULL, NULL},
};
