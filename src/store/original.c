#include "postern/store/original.h"

#include "body_file.h"
#include "original_file.h"
#include "path.h"

#include "postern/base/alloc.h"
#include "postern/base/file.h"
#include "postern/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct store_spool {
    struct store_db *db;
    char *tmp;
    int fd;
    uint64_t size;
    EVP_MD_CTX *digest;
    bool failed;
    bool ended; /* the trailer is written */
    void *map;  /* NULL: not mapped */
};

static bool write_failed(struct store_spool *s, struct error *e)
{
    s->failed = true;
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
        return error_set(e, ERROR_LOCAL,
                         "no room for an appended message in %s: free space on its file system or "
                         "raise its quota",
                         store_db_dir(s->db));
    return error_set(e, ERROR_LOCAL, "cannot write an appended message to %s: %s",
                     store_db_dir(s->db), strerror(errno));
}

struct store_spool *store_spool_new(struct store_db *db, struct error *e)
{
    struct store_spool *s = xcalloc(1, sizeof *s);
    char *dir = xasprintf("%s/originals/tmp", store_db_dir(db));
    s->db = db;
    s->fd = -1;
    s->digest = EVP_MD_CTX_new();
    if (!s->digest || !EVP_DigestInit_ex(s->digest, EVP_sha256(), NULL))
        alloc_out_of_memory();
    if (file_make_private_dir(dir, e)) {
        s->tmp = xasprintf("%s/XXXXXX", dir);
        s->fd = mkostemp(s->tmp, O_CLOEXEC); /* 0600 */
        if (s->fd < 0) {
            write_failed(s, e);
            free(s->tmp);
            s->tmp = NULL;
        }
    }
    free(dir);
    if (s->fd < 0)
        store_spool_free(&s);
    return s;
}

bool store_spool_append(struct store_spool *s, const void *data, size_t len, struct error *e)
{
    if (s->failed)
        return error_set(e, ERROR_LOCAL, "an earlier write of this message to %s failed",
                         store_db_dir(s->db));
    if (!file_write_all(s->fd, data, len))
        return write_failed(s, e);
    EVP_DigestUpdate(s->digest, data, len);
    s->size += len;
    return true;
}

uint64_t store_spool_size(const struct store_spool *s)
{
    return s->size;
}

const char *store_spool_map(struct store_spool *s, struct error *e)
{
    if (s->failed) {
        error_set(e, ERROR_LOCAL, "an earlier write of this message to %s failed",
                  store_db_dir(s->db));
        return NULL;
    }
    if (s->size == 0)
        return "";
    if (!s->map) {
        void *map = mmap(NULL, (size_t)s->size, PROT_READ, MAP_PRIVATE, s->fd, 0);
        if (map == MAP_FAILED) {
            error_set(e, ERROR_LOCAL, "cannot read an appended message back: %s", strerror(errno));
            return NULL;
        }
        s->map = map;
    }
    return s->map;
}

void store_spool_free(struct store_spool **spool)
{
    struct store_spool *s = *spool;
    *spool = NULL;
    if (!s)
        return;
    if (s->map)
        munmap(s->map, (size_t)s->size);
    if (s->tmp)
        unlink(s->tmp);
    if (s->fd >= 0)
        close(s->fd);
    free(s->tmp);
    EVP_MD_CTX_free(s->digest);
    free(s);
}

static char *path_of(struct store_db *db, const char *graph_id)
{
    char key[PATH_KEY_SIZE];
    path_key(key, graph_id, NULL);
    return xasprintf("%s/originals/%s", store_db_dir(db), key);
}

/* The name of a file that was just given to it outlives a power failure. */
static bool sync_dir(struct store_db *db, struct error *e)
{
    char *dir = xasprintf("%s/originals", store_db_dir(db));
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok)
        error_set(e, ERROR_LOCAL, "cannot write to %s: %s", dir, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(dir);
    return ok;
}

static bool end_spool(struct store_spool *s, struct error *e)
{
    uint8_t digest[SHA256_SIZE], trailer[BODY_TRAILER_SIZE];
    if (s->failed)
        return error_set(e, ERROR_LOCAL, "an earlier write of this message to %s failed",
                         store_db_dir(s->db));
    if (s->ended)
        return true;
    EVP_DigestFinal_ex(s->digest, digest, NULL);
    body_trailer_make(trailer, s->size, digest);
    s->ended = file_write_all(s->fd, trailer, sizeof trailer) && fsync(s->fd) == 0;
    return s->ended || write_failed(s, e);
}

/* A second name, since the message may have to be made once more, under another id. */
bool original_name_spool(struct store_spool *s, const char *graph_id, struct error *e)
{
    if (!end_spool(s, e))
        return false;
    char *path = path_of(s->db, graph_id);
    unlink(path);
    bool ok = link(s->tmp, path) == 0 || write_failed(s, e);
    free(path);
    return ok && sync_dir(s->db, e);
}

bool original_link(struct store_db *db, const char *from_id, const char *to_id, struct error *e)
{
    char *from = path_of(db, from_id), *to = path_of(db, to_id);
    bool ok = link(from, to) == 0 || errno == EEXIST ||
              error_set(e, ERROR_LOCAL, "cannot keep the original of a copy in %s: %s",
                        store_db_dir(db), strerror(errno));
    free(from);
    free(to);
    return ok && sync_dir(db, e);
}

void original_unlink(struct store_db *db, const char *graph_id)
{
    char *path = path_of(db, graph_id);
    if (unlink(path) < 0 && errno != ENOENT)
        log_error("cannot remove %s: %s; remove it by hand", path, strerror(errno));
    free(path);
}

struct store_body *store_original_open(struct store_db *db, const char *graph_id, struct error *e)
{
    struct store_original known;
    uint64_t size = 0;
    error_clear(e);
    if (store_original_find(db, graph_id, &known, e) != 1)
        return NULL;
    char *path = path_of(db, graph_id);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int sound = fd < 0 ? 0 : body_file_check(fd, &size, e);
    if (sound < 0)
        log_error_value(LOG_LEVEL_ERROR, e, "check the disk");
    if (sound != 1) {
        log_warning("the original %s of an appended message is damaged or missing; from now on "
                    "the message is as Microsoft 365 has it",
                    path);
        error_clear(e);
        store_original_drop(db, graph_id, e);
        if (fd >= 0)
            close(fd);
    }
    free(path);
    return sound == 1 ? body_new(fd, size) : NULL;
}

void original_remove_spools(const char *dir)
{
    char *path = xasprintf("%s/originals/tmp", dir);
    path_empty(path);
    free(path);
}
