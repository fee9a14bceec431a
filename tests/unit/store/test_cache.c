/* The body cache. */
#include "../unit.h"
#include "scratch.h"

#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/store/body_cache.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRAILER 48
#define MINUTE  ((int64_t)60 * CLOCK_SECOND)

static struct store_cache *cache;
static struct error e;

static void begin(size_t max)
{
    error_clear(&e);
    cache = store_cache_open(scratch_make(), max, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
    struct log_settings log = {LOG_LEVEL_INFO, LOG_TEXT, scratch_path("log")};
    CU_ASSERT(log_open(&log, &e));
}

static void reopen(size_t max)
{
    store_cache_close(&cache);
    CU_ASSERT_PTR_NULL(cache);
    cache = store_cache_open(scratch_path("."), max, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
}

static void end(void)
{
    struct log_settings log = {LOG_LEVEL_INFO, LOG_TEXT, "stderr"};
    CU_ASSERT(log_open(&log, &e));
    store_cache_close(&cache);
    scratch_remove();
}

/* `size` bytes of `fill` under `id`. */
static struct store_body *add(const char *id, char fill, size_t size)
{
    char piece[1000];
    struct error err = ERROR_INIT;
    memset(piece, fill, sizeof piece);
    struct store_writer *w = store_writer_new(cache, "t", "m", id, &err);
    bool ok = w != NULL;
    for (size_t at = 0; ok && at < size; at += sizeof piece)
        ok = store_writer_append(w, piece, size - at < sizeof piece ? size - at : sizeof piece,
                                 &err);
    if (ok)
        return store_writer_finish(&w, &err);
    store_writer_abort(&w);
    return NULL;
}

static void add_only(const char *id, char fill, size_t size)
{
    struct store_body *b = add(id, fill, size);
    CU_ASSERT_PTR_NOT_NULL(b);
    store_body_unref(&b);
}

static struct store_body *get(const char *id)
{
    struct error err = ERROR_INIT;
    struct store_body *b = store_cache_get(cache, "t", "m", id, &err);
    CU_ASSERT(b || err.kind == ERROR_NONE);
    return b;
}

static bool has(const char *id)
{
    struct store_body *b = get(id);
    bool found = b != NULL;
    store_body_unref(&b);
    return found;
}

/* All `size` bytes are one letter; that letter, or 0. */
static char letter(const struct store_body *b, size_t size)
{
    char piece[4096], first = 0;
    struct error err = ERROR_INIT;
    if (!b || store_body_size(b) != size)
        return 0;
    for (size_t at = 0; at < size;) {
        ssize_t n = store_body_read(b, at, piece, sizeof piece, &err);
        if (n <= 0)
            return 0;
        first = at ? first : piece[0];
        for (ssize_t i = 0; i < n; i++) {
            if (piece[i] != first)
                return 0;
        }
        at += (size_t)n;
    }
    return first;
}

/* The only file of the cache. */
static const char *only_file(void)
{
    for (unsigned i = 0; i < 256; i++) {
        const char *file = scratch_find(scratch_path("bodies/%02x", i), "");
        if (file)
            return file;
    }
    return "";
}

static void test_round_trip(void)
{
    begin(100000);
    struct store_body *b = add("x", 'a', 10000), *other;
    CU_ASSERT_EQUAL(letter(b, 10000), 'a');
    other = store_body_ref(b);
    store_body_unref(&b);
    CU_ASSERT_PTR_NULL(b);
    CU_ASSERT_EQUAL(letter(other, 10000), 'a');
    char piece[8];
    CU_ASSERT_EQUAL(store_body_read(other, 9996, piece, 8, &e), 4);
    CU_ASSERT_EQUAL(store_body_read(other, 10000, piece, 8, &e), 0);
    CU_ASSERT_EQUAL(store_body_read(other, UINT64_MAX, piece, 8, &e), 0);
    store_body_unref(&other);
    CU_ASSERT_EQUAL(store_cache_bytes(cache), 10000 + TRAILER);
    reopen(100000);
    CU_ASSERT_EQUAL(store_cache_bytes(cache), 10000 + TRAILER);
    b = get("x");
    CU_ASSERT_EQUAL(letter(b, 10000), 'a');
    store_body_unref(&b);
    CU_ASSERT_FALSE(has("X"));
    CU_ASSERT_PTR_NULL(store_cache_get(cache, "tm", "", "x", &e));
    add_only("empty", 'a', 0);
    b = get("empty");
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    CU_ASSERT_EQUAL(store_body_size(b), 0);
    store_body_unref(&b);
    end();
}

static void test_permissions(void)
{
    mode_t old = umask(0);
    begin(100000);
    add_only("x", 'a', 10);
    CU_ASSERT_EQUAL(scratch_mode(only_file()), 0600);
    CU_ASSERT_EQUAL(scratch_mode(scratch_path("bodies")), 0700);
    CU_ASSERT_EQUAL(scratch_mode(scratch_path("bodies/tmp")), 0700);
    CU_ASSERT_EQUAL(scratch_mode(scratch_path("bodies/%.2s", strstr(only_file(), "bodies/") + 7)),
                    0700);
    umask(old);
    end();
}

static void check_damage(off_t flip_at, off_t cut_by)
{
    begin(100000);
    add_only("x", 'a', 5000);
    const char *file = only_file();
    bool hurt =
        cut_by ? truncate(file, scratch_size(file) - cut_by) == 0 : scratch_flip(file, flip_at, 1);
    CU_ASSERT(hurt);
    CU_ASSERT_FALSE(has("x"));
    CU_ASSERT_FALSE(scratch_exists(file));
    CU_ASSERT_EQUAL(store_cache_bytes(cache), 0);
    CU_ASSERT(scratch_size(scratch_path("log")) > 0);
    add_only("x", 'b', 5000);
    CU_ASSERT(has("x"));
    end();
}

static void test_damage(void)
{
    check_damage(0, 0);
    check_damage(4999, 0);
    check_damage(-1, 0);            /* the digest */
    check_damage(-TRAILER + 15, 0); /* the length */
    check_damage(-TRAILER, 0);      /* the magic */
    check_damage(0, 1);
    check_damage(0, 4096);
    check_damage(0, 5000 + TRAILER); /* an empty file */
}

static void test_removed_by_hand(void)
{
    begin(100000);
    add_only("x", 'a', 50);
    CU_ASSERT_EQUAL(unlink(only_file()), 0);
    CU_ASSERT_FALSE(has("x"));
    CU_ASSERT_EQUAL(store_cache_bytes(cache), 0);
    end();
}

static void test_eviction_order(void)
{
    begin(3 * (1000 + TRAILER));
    add_only("a", 'a', 1000);
    add_only("b", 'b', 1000);
    add_only("c", 'c', 1000);
    CU_ASSERT_EQUAL(store_cache_bytes(cache), 3 * (1000 + TRAILER)); /* the cap is met */
    CU_ASSERT(has("a"));                                             /* now b is the oldest */
    add_only("d", 'd', 1);
    CU_ASSERT_FALSE(has("b"));
    CU_ASSERT(has("a") && has("c") && has("d"));
    store_cache_set_max(cache, 1000 + TRAILER + 1 + TRAILER);
    CU_ASSERT(has("c") && has("d"));
    CU_ASSERT_FALSE(has("a"));
    store_cache_set_max(cache, 1 + TRAILER);
    CU_ASSERT(has("d"));
    CU_ASSERT_FALSE(has("c"));
    store_cache_set_max(cache, TRAILER);
    CU_ASSERT_EQUAL(store_cache_bytes(cache), 0);
    end();
}

/* A restart knows the order of use by the files' times. */
static void test_order_survives(void)
{
    int64_t now = clock_wall_ms();
    clock_test_set(0, now);
    begin(100000);
    add_only("a", 'a', 1000);
    struct timespec day_ago[2] = {{.tv_sec = now / 1000 - 86400}, {.tv_sec = now / 1000 - 86400}};
    const char *file = only_file();
    add_only("b", 'b', 1000);
    CU_ASSERT_EQUAL(utimensat(0, file, day_ago, 0), 0);
    reopen(100000);
    clock_test_set(0, now + 20 * MINUTE);
    CU_ASSERT(has("a"));
    clock_test_off();
    reopen(1000 + TRAILER);
    CU_ASSERT(has("a"));
    CU_ASSERT_FALSE(has("b"));
    end();
}

static void test_larger_than_the_cap(void)
{
    begin(1000 + TRAILER);
    add_only("kept", 'k', 100);
    struct store_body *big = add("big", 'x', 1001);
    CU_ASSERT_EQUAL(letter(big, 1001), 'x');
    CU_ASSERT_FALSE(has("big"));
    CU_ASSERT(has("kept"));
    store_body_unref(&big);
    add_only("fits", 'f', 1000);
    CU_ASSERT(has("fits"));
    CU_ASSERT_FALSE(has("kept"));
    end();
}

static void test_no_cache(void)
{
    begin(0);
    struct store_body *b = add("x", 'a', 10000);
    CU_ASSERT_EQUAL(letter(b, 10000), 'a');
    CU_ASSERT_FALSE(has("x"));
    CU_ASSERT_EQUAL(scratch_count(scratch_path("bodies/tmp"), ""), 0);
    CU_ASSERT_STRING_EQUAL(scratch_find(scratch_path("bodies"), ""), scratch_path("bodies/tmp"));
    store_body_unref(&b);
    end();
}

static void test_held_body_outlives_eviction(void)
{
    begin(100000);
    struct store_body *b = add("x", 'a', 10000);
    store_cache_set_max(cache, 0);
    CU_ASSERT_FALSE(has("x"));
    CU_ASSERT_EQUAL(letter(b, 10000), 'a');
    store_cache_close(&cache);
    CU_ASSERT_EQUAL(letter(b, 10000), 'a');
    store_body_unref(&b);
    end();
}

static void test_leftovers(void)
{
    begin(100000);
    struct store_writer *w = store_writer_new(cache, "t", "m", "x", &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    CU_ASSERT(store_writer_append(w, "abc", 3, &e));
    CU_ASSERT_EQUAL(scratch_count(scratch_path("bodies/tmp"), ""), 1);
    store_writer_abort(&w);
    CU_ASSERT_PTR_NULL(w);
    CU_ASSERT_EQUAL(scratch_count(scratch_path("bodies/tmp"), ""), 0);
    fclose(fopen(scratch_path("bodies/tmp/abcdef"), "w"));
    add_only("x", 'a', 3);
    fclose(fopen(scratch_path("bodies/note"), "w")); /* not ours: left alone */
    reopen(100000);
    CU_ASSERT_EQUAL(scratch_count(scratch_path("bodies/tmp"), ""), 0);
    CU_ASSERT(scratch_exists(scratch_path("bodies/note")));
    CU_ASSERT(has("x"));
    end();
}

static void test_two_writers(void)
{
    begin(100000);
    struct store_writer *a = store_writer_new(cache, "t", "m", "x", &e);
    struct store_writer *b = store_writer_new(cache, "t", "m", "x", &e);
    CU_ASSERT_FATAL(a && b);
    CU_ASSERT(store_writer_append(a, "aaaa", 4, &e) && store_writer_append(b, "bb", 2, &e));
    struct store_body *first = store_writer_finish(&a, &e);
    struct store_body *last = store_writer_finish(&b, &e);
    CU_ASSERT_EQUAL(letter(first, 4), 'a');
    CU_ASSERT_EQUAL(letter(last, 2), 'b');
    CU_ASSERT_EQUAL(store_cache_bytes(cache), 2 + TRAILER);
    struct store_body *kept = get("x");
    CU_ASSERT_EQUAL(letter(kept, 2), 'b');
    store_body_unref(&first);
    store_body_unref(&last);
    store_body_unref(&kept);
    end();
}

static void test_full_disk(void)
{
    struct rlimit old, tight;
    begin(10000000);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    tight = old;
    tight.rlim_cur = 5000;
    setrlimit(RLIMIT_FSIZE, &tight);
    struct store_writer *w = store_writer_new(cache, "t", "m", "x", &e);
    char piece[3000] = {0};
    CU_ASSERT(store_writer_append(w, piece, sizeof piece, &e));
    CU_ASSERT_FALSE(store_writer_append(w, piece, sizeof piece, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_LOCAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "free space"));
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    CU_ASSERT_FALSE(store_writer_append(w, piece, 1, &e)); /* a hole in it is not filled later */
    CU_ASSERT_PTR_NULL(store_writer_finish(&w, &e));
    CU_ASSERT_PTR_NULL(w);
    CU_ASSERT_EQUAL(e.kind, ERROR_LOCAL);
    CU_ASSERT_EQUAL(scratch_count(scratch_path("bodies/tmp"), ""), 0);
    CU_ASSERT_FALSE(has("x"));
    end();
}

#define THREADS 4
#define ROUNDS  150
#define IDS     5

static atomic_int wrong;

static void *reader_and_writer(void *arg)
{
    unsigned turn = (unsigned)(size_t)arg;
    for (int i = 0; i < ROUNDS; i++) {
        char id[2] = {(char)('a' + (turn * 7 + (unsigned)i) % IDS), '\0'};
        struct error err = ERROR_INIT;
        struct store_body *b = store_cache_get(cache, "t", "m", id, &err);
        if (!b && err.kind == ERROR_NONE)
            b = add(id, id[0], 3000);
        if (letter(b, 3000) != id[0])
            atomic_fetch_add(&wrong, 1);
        store_body_unref(&b);
        if (i % 10 == 0)
            add_only(id, id[0], 3000);
    }
    return NULL;
}

static void test_threads(void)
{
    begin(3 * (3000 + TRAILER)); /* less than all: there is eviction all the time */
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, reader_and_writer, (void *)i);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
    CU_ASSERT(store_cache_bytes(cache) <= 3 * (3000 + TRAILER));
    CU_ASSERT_EQUAL(scratch_size(scratch_path("log")), 0); /* nobody took another's for rotten */
    end();
}

extern const struct unit_test cache_tests[];
const struct unit_test cache_tests[] = {
    {"a body round trip", test_round_trip},
    {"files are ours alone", test_permissions},
    {"torn and rotten files are not served", test_damage},
    {"a file removed by hand", test_removed_by_hand},
    {"eviction order, the cap on both sides", test_eviction_order},
    {"the order survives a restart", test_order_survives},
    {"a body larger than the cap", test_larger_than_the_cap},
    {"a cap of 0 keeps nothing", test_no_cache},
    {"a held body outlives eviction", test_held_body_outlives_eviction},
    {"left-over temporary files", test_leftovers},
    {"two writers of one message", test_two_writers},
    {"a full disk", test_full_disk},
    {"readers and writers at once", test_threads},
    {NULL, NULL},
};
