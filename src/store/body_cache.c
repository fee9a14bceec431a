#include "postern/store/body_cache.h"

#include "body_file.h"
#include "path.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/file.h"
#include "postern/base/log.h"
#include "postern/base/table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How stale the time of a file may be: a restart forgets at most this much of the order. */
#define TOUCH_INTERVAL_MS ((int64_t)10 * 60 * CLOCK_SECOND)
#define FAN_OUT_DIGITS    2
#define TMP_DIR           "tmp"

/* A file of the cache. The list is in order of use, the most recent first. */
struct entry {
    struct entry *prev, *next;
    uint64_t size; /* with the trailer */
    uint64_t serial;
    int64_t touched_ms; /* the file's time, wall */
    char key[PATH_KEY_SIZE];
};

struct store_cache {
    char *dir;
    pthread_mutex_t mutex; /* guards all below; renames and unlinks happen under it too */
    struct table *index;
    struct entry *newest, *oldest;
    uint64_t bytes;
    uint64_t max;
    uint64_t last_serial;
};

struct store_writer {
    struct store_cache *cache;
    char key[PATH_KEY_SIZE];
    char *tmp; /* NULL: unlinked already */
    int fd;
    uint64_t size;
    EVP_MD_CTX *digest;
    bool failed;
};

static char *entry_path(const struct store_cache *c, const char *key)
{
    return xasprintf("%s/%.*s/%s", c->dir, FAN_OUT_DIGITS, key, key);
}

static void link_newest(struct store_cache *c, struct entry *n)
{
    n->prev = NULL;
    n->next = c->newest;
    *(c->newest ? &c->newest->prev : &c->oldest) = n;
    c->newest = n;
}

static void unlink_entry(struct store_cache *c, struct entry *n)
{
    *(n->prev ? &n->prev->next : &c->newest) = n->next;
    *(n->next ? &n->next->prev : &c->oldest) = n->prev;
}

static void index_add(struct store_cache *c, const char *key, uint64_t size, int64_t touched_ms)
{
    struct entry *n = xcalloc(1, sizeof *n);
    memcpy(n->key, key, PATH_KEY_SIZE);
    n->size = size;
    n->serial = ++c->last_serial;
    n->touched_ms = touched_ms;
    link_newest(c, n);
    table_put(c->index, key, n);
    c->bytes += size;
}

static void index_remove(struct store_cache *c, struct entry *n)
{
    unlink_entry(c, n);
    table_remove(c->index, n->key);
    c->bytes -= n->size;
    free(n);
}

static void remove_file(struct store_cache *c, struct entry *n)
{
    char *path = entry_path(c, n->key);
    if (unlink(path) < 0 && errno != ENOENT)
        log_error("cannot remove the cached body %s: %s; remove it by hand", path, strerror(errno));
    free(path);
    index_remove(c, n);
}

static void evict_locked(struct store_cache *c)
{
    while (c->bytes > c->max && c->oldest)
        remove_file(c, c->oldest);
}

/* What a scan found, to be put in order of time. */
struct found {
    int64_t touched_ms;
    uint64_t size;
    char key[PATH_KEY_SIZE];
};

struct scan {
    struct found *items;
    size_t count, cap;
};

static bool is_key(const char *name, const char *fan_out)
{
    return strlen(name) == PATH_KEY_SIZE - 1 &&
           strspn(name, "0123456789abcdef") == PATH_KEY_SIZE - 1 &&
           strncmp(name, fan_out, FAN_OUT_DIGITS) == 0;
}

static void scan_dir(struct store_cache *c, const char *fan_out, struct scan *scan)
{
    char *path = xasprintf("%s/%s", c->dir, fan_out);
    DIR *d = opendir(path);
    struct stat st;
    for (struct dirent *entry; d && (entry = readdir(d));) {
        if (!is_key(entry->d_name, fan_out) ||
            fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
            continue;
        if (scan->count == scan->cap) {
            scan->cap = scan->cap ? scan->cap * 2 : 256;
            scan->items = xreallocarray(scan->items, scan->cap, sizeof *scan->items);
        }
        struct found *f = &scan->items[scan->count++];
        f->touched_ms = (int64_t)st.st_mtim.tv_sec * CLOCK_SECOND + st.st_mtim.tv_nsec / 1000000;
        f->size = (uint64_t)st.st_size;
        memcpy(f->key, entry->d_name, PATH_KEY_SIZE);
    }
    if (d)
        closedir(d);
    free(path);
}

static int by_time(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return (x->touched_ms > y->touched_ms) - (x->touched_ms < y->touched_ms);
}

static void scan_all(struct store_cache *c)
{
    struct scan scan = {0};
    char fan_out[FAN_OUT_DIGITS + 1];
    for (unsigned i = 0; i < 256; i++) {
        snprintf(fan_out, sizeof fan_out, "%02x", i & 0xff);
        scan_dir(c, fan_out, &scan);
    }
    if (scan.count > 0)
        qsort(scan.items, scan.count, sizeof *scan.items, by_time);
    for (size_t i = 0; i < scan.count; i++)
        index_add(c, scan.items[i].key, scan.items[i].size, scan.items[i].touched_ms);
    free(scan.items);
}

struct store_cache *store_cache_open(const char *state_dir, size_t max_size, struct error *e)
{
    struct store_cache *c = xcalloc(1, sizeof *c);
    pthread_mutex_init(&c->mutex, NULL);
    c->dir = xasprintf("%s/bodies", state_dir);
    c->index = table_new();
    c->max = max_size;
    char *tmp = xasprintf("%s/" TMP_DIR, c->dir);
    bool ok = file_make_private_dir(c->dir, e) && file_make_private_dir(tmp, e);
    path_empty(tmp);
    free(tmp);
    if (!ok) {
        store_cache_close(&c);
        return NULL;
    }
    scan_all(c);
    evict_locked(c);
    return c;
}

void store_cache_close(struct store_cache **c)
{
    if (!*c)
        return;
    for (struct entry *n = (*c)->newest, *next; n; n = next) {
        next = n->next;
        free(n);
    }
    table_free(&(*c)->index);
    pthread_mutex_destroy(&(*c)->mutex);
    free((*c)->dir);
    free(*c);
    *c = NULL;
}

void store_cache_set_max(struct store_cache *c, size_t max_size)
{
    pthread_mutex_lock(&c->mutex);
    c->max = max_size;
    evict_locked(c);
    pthread_mutex_unlock(&c->mutex);
}

void store_cache_evict(struct store_cache *c)
{
    pthread_mutex_lock(&c->mutex);
    evict_locked(c);
    pthread_mutex_unlock(&c->mutex);
}

size_t store_cache_bytes(struct store_cache *c)
{
    pthread_mutex_lock(&c->mutex);
    size_t bytes = (size_t)c->bytes;
    pthread_mutex_unlock(&c->mutex);
    return bytes;
}

/* Puts an entry at the head of the list and, now and then, that into the file's time. */
static void mark_used(struct store_cache *c, struct entry *n, int fd)
{
    int64_t now = clock_wall_ms();
    unlink_entry(c, n);
    link_newest(c, n);
    if (now - n->touched_ms < TOUCH_INTERVAL_MS)
        return;
    struct timespec when = {.tv_sec = now / CLOCK_SECOND, .tv_nsec = now % CLOCK_SECOND * 1000000};
    const struct timespec times[2] = {when, when};
    if (futimens(fd, times) == 0)
        n->touched_ms = now;
}

/* The file of a key, open; -1 with e->kind NONE if there is none. *serial tells whether it is
 * still the same one later. */
static int open_entry(struct store_cache *c, const char *key, uint64_t *serial, struct error *e)
{
    int fd = -1;
    pthread_mutex_lock(&c->mutex);
    struct entry *n = table_get(c->index, key);
    if (n) {
        char *path = entry_path(c, key);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0) {
            *serial = n->serial;
            mark_used(c, n, fd);
        } else if (errno == ENOENT) {
            index_remove(c, n);
        } else {
            error_set(e, ERROR_LOCAL, "cannot open the cached body %s: %s", path, strerror(errno));
        }
        free(path);
    }
    pthread_mutex_unlock(&c->mutex);
    return fd;
}

static void discard(struct store_cache *c, const char *key, uint64_t serial)
{
    pthread_mutex_lock(&c->mutex);
    struct entry *n = table_get(c->index, key);
    if (n && n->serial == serial) {
        log_warning("the cached body %s/%.*s/%s is damaged; it is removed and fetched again",
                    c->dir, FAN_OUT_DIGITS, key, key);
        remove_file(c, n);
    }
    pthread_mutex_unlock(&c->mutex);
}

struct store_body *store_cache_get(struct store_cache *c, const char *tenant, const char *mailbox,
                                   const char *graph_id, struct error *e)
{
    char key[PATH_KEY_SIZE];
    uint64_t serial = 0, size = 0;
    error_clear(e);
    path_key(key, tenant, mailbox, graph_id, NULL);
    int fd = open_entry(c, key, &serial, e);
    if (fd < 0)
        return NULL;
    int sound = body_file_check(fd, &size, e);
    if (sound == 1)
        return body_new(fd, size);
    close(fd);
    /* A disk that cannot read a file is no better than a rotten file: fetch it again. */
    if (sound < 0)
        log_error_value(LOG_LEVEL_ERROR, e, "check the disk");
    error_clear(e);
    discard(c, key, serial);
    return NULL;
}

bool store_cache_has(struct store_cache *c, const char *tenant, const char *mailbox,
                     const char *graph_id)
{
    char key[PATH_KEY_SIZE];
    path_key(key, tenant, mailbox, graph_id, NULL);
    pthread_mutex_lock(&c->mutex);
    bool has = table_get(c->index, key) != NULL;
    pthread_mutex_unlock(&c->mutex);
    return has;
}

static bool write_failed(struct store_writer *w, struct error *e)
{
    w->failed = true;
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
        return error_set(e, ERROR_LOCAL,
                         "no room for a message in %s: free space on its file system, raise its "
                         "quota, or lower the size of the cache",
                         w->cache->dir);
    return error_set(e, ERROR_LOCAL, "cannot write a message to %s: %s", w->cache->dir,
                     strerror(errno));
}

static bool keeps_nothing(struct store_cache *c)
{
    pthread_mutex_lock(&c->mutex);
    bool nothing = c->max == 0;
    pthread_mutex_unlock(&c->mutex);
    return nothing;
}

static void drop_name(struct store_writer *w)
{
    if (w->tmp)
        unlink(w->tmp);
    free(w->tmp);
    w->tmp = NULL;
}

struct store_writer *store_writer_new(struct store_cache *c, const char *tenant,
                                      const char *mailbox, const char *graph_id, struct error *e)
{
    struct store_writer *w = xcalloc(1, sizeof *w);
    w->cache = c;
    path_key(w->key, tenant, mailbox, graph_id, NULL);
    w->tmp = xasprintf("%s/" TMP_DIR "/XXXXXX", c->dir);
    w->digest = EVP_MD_CTX_new();
    if (!w->digest || !EVP_DigestInit_ex(w->digest, EVP_sha256(), NULL))
        alloc_out_of_memory();
    w->fd = mkostemp(w->tmp, O_CLOEXEC); /* 0600 */
    if (w->fd < 0) {
        write_failed(w, e);
        free(w->tmp);
        w->tmp = NULL;
        store_writer_abort(&w);
        return NULL;
    }
    if (keeps_nothing(c))
        drop_name(w);
    return w;
}

bool store_writer_append(struct store_writer *w, const void *data, size_t len, struct error *e)
{
    if (w->failed)
        return error_set(e, ERROR_LOCAL, "an earlier write of this message to %s failed",
                         w->cache->dir);
    if (!file_write_all(w->fd, data, len))
        return write_failed(w, e);
    EVP_DigestUpdate(w->digest, data, len);
    w->size += len;
    return true;
}

/* Gives the file its name in the cache. The last of two writers of one message wins; the other's
 * body lives on without a name. False with errno: it has none. */
static bool publish(struct store_writer *w)
{
    struct store_cache *c = w->cache;
    struct error e = ERROR_INIT;
    char *path = entry_path(c, w->key);
    char *dir = xasprintf("%s/%.*s", c->dir, FAN_OUT_DIGITS, w->key);
    pthread_mutex_lock(&c->mutex);
    bool ok = (mkdir(dir, 0700) == 0 || errno == EEXIST) && rename(w->tmp, path) == 0;
    if (ok) {
        struct entry *old = table_get(c->index, w->key);
        if (old)
            index_remove(c, old);
        index_add(c, w->key, w->size + BODY_TRAILER_SIZE, clock_wall_ms());
        evict_locked(c);
    } else {
        error_set(&e, ERROR_LOCAL, "%s: %s", path, strerror(errno));
    }
    pthread_mutex_unlock(&c->mutex);
    if (!ok)
        log_error_value(LOG_LEVEL_WARNING, &e, "a body could not be kept in the cache");
    free(path);
    free(dir);
    return ok;
}

static bool fits(struct store_writer *w)
{
    pthread_mutex_lock(&w->cache->mutex);
    bool ok = w->size + BODY_TRAILER_SIZE <= w->cache->max;
    pthread_mutex_unlock(&w->cache->mutex);
    return ok;
}

struct store_body *store_writer_finish(struct store_writer **writer, struct error *e)
{
    struct store_writer *w = *writer;
    uint8_t digest[SHA256_SIZE], trailer[BODY_TRAILER_SIZE];
    bool ok = !w->failed;
    if (!ok)
        error_set(e, ERROR_LOCAL, "an earlier write of this message to %s failed", w->cache->dir);
    if (ok && w->tmp && fits(w)) {
        EVP_DigestFinal_ex(w->digest, digest, NULL);
        body_trailer_make(trailer, w->size, digest);
        ok = file_write_all(w->fd, trailer, sizeof trailer) || write_failed(w, e);
        if (ok && publish(w)) {
            free(w->tmp);
            w->tmp = NULL;
        }
    }
    struct store_body *b = ok ? body_new(w->fd, w->size) : NULL;
    if (b)
        w->fd = -1;
    store_writer_abort(writer);
    return b;
}

void store_writer_abort(struct store_writer **writer)
{
    struct store_writer *w = *writer;
    if (!w)
        return;
    drop_name(w);
    if (w->fd >= 0)
        close(w->fd);
    EVP_MD_CTX_free(w->digest);
    free(w);
    *writer = NULL;
}
