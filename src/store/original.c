#include "postern/store/original.h"

#include "body_file.h"

#include "postern/base/alloc.h"
#include "postern/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
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
    void *map; /* NULL: not mapped */
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
