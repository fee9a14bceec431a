#include "body_file.h"
#include "postern/store/body_cache.h"

#include "postern/base/alloc.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_CHUNK ((size_t)64 * 1024)

static const uint8_t magic[8] = {'P', 'o', 's', 't', 'B', 'd', 'y', '1'};

struct store_body {
    atomic_uint refs;
    int fd;
    uint64_t size;
};

void body_trailer_make(uint8_t out[BODY_TRAILER_SIZE], uint64_t size,
                       const uint8_t digest[SHA256_SIZE])
{
    memcpy(out, magic, sizeof magic);
    for (int i = 0; i < 8; i++)
        out[sizeof magic + (size_t)i] = (uint8_t)(size >> (56 - 8 * i));
    memcpy(out + sizeof magic + 8, digest, SHA256_SIZE);
}

/* pread(2) until `len` bytes are there, the file ends, or it fails (-1, errno). */
static ssize_t read_at(int fd, void *out, size_t len, uint64_t offset)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = pread(fd, (char *)out + got, len - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* 1: hashed `size` bytes, 0: the file is shorter, -1: errno. */
static int hash_content(int fd, uint64_t size, uint8_t digest[SHA256_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t *chunk = xmalloc(READ_CHUNK);
    int result = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) ? 1 : -1;
    for (uint64_t at = 0; result == 1 && at < size;) {
        size_t want = size - at < READ_CHUNK ? (size_t)(size - at) : READ_CHUNK;
        ssize_t n = read_at(fd, chunk, want, at);
        if (n < 0)
            result = -1;
        else if ((size_t)n < want || !EVP_DigestUpdate(ctx, chunk, want))
            result = 0;
        at += want;
    }
    if (result == 1 && !EVP_DigestFinal_ex(ctx, digest, NULL))
        result = -1;
    int cause = errno;
    EVP_MD_CTX_free(ctx);
    free(chunk);
    errno = cause;
    return result;
}

int body_file_check(int fd, uint64_t *size, struct error *e)
{
    uint8_t found[BODY_TRAILER_SIZE], expected[BODY_TRAILER_SIZE], digest[SHA256_SIZE];
    struct stat st;
    int result = 0;
    if (fstat(fd, &st) < 0) {
        result = -1;
    } else if (st.st_size >= (off_t)BODY_TRAILER_SIZE) {
        *size = (uint64_t)st.st_size - BODY_TRAILER_SIZE;
        ssize_t n = read_at(fd, found, sizeof found, *size);
        result = n < 0 ? -1 : n < (ssize_t)sizeof found ? 0 : hash_content(fd, *size, digest);
    }
    if (result < 0)
        error_set(e, ERROR_LOCAL, "cannot read a cached body: %s", strerror(errno));
    if (result != 1)
        return result;
    body_trailer_make(expected, *size, digest);
    return memcmp(found, expected, sizeof found) == 0;
}

struct store_body *body_new(int fd, uint64_t size)
{
    struct store_body *b = xmalloc(sizeof *b);
    atomic_init(&b->refs, 1);
    b->fd = fd;
    b->size = size;
    return b;
}

struct store_body *store_body_ref(struct store_body *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void store_body_unref(struct store_body **b)
{
    if (!*b)
        return;
    if (atomic_fetch_sub_explicit(&(*b)->refs, 1, memory_order_acq_rel) == 1) {
        close((*b)->fd);
        free(*b);
    }
    *b = NULL;
}

uint64_t store_body_size(const struct store_body *b)
{
    return b->size;
}

ssize_t store_body_read(const struct store_body *b, uint64_t offset, void *out, size_t len,
                        struct error *e)
{
    if (offset >= b->size)
        return 0;
    if (len > b->size - offset)
        len = (size_t)(b->size - offset);
    ssize_t n = read_at(b->fd, out, len, offset);
    if (n < 0)
        error_set(e, ERROR_LOCAL, "cannot read a cached body: %s", strerror(errno));
    else if ((size_t)n < len)
        error_set(e, ERROR_LOCAL, "a cached body became shorter while it was read");
    return n < 0 || (size_t)n < len ? -1 : n;
}
