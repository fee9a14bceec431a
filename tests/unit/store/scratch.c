#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[SCRATCH_PATH / 4];

const char *scratch_make(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(root, sizeof root, "%.80s/postern-store-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(root);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void scratch_remove(void)
{
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static char *next_buffer(void)
{
    static char buffers[4][SCRATCH_PATH];
    static unsigned turn;
    return buffers[turn++ % 4];
}

const char *scratch_path(const char *fmt, ...)
{
    char *out = next_buffer();
    va_list ap;
    int n = snprintf(out, SCRATCH_PATH, "%s/", root);
    va_start(ap, fmt);
    vsnprintf(out + n, SCRATCH_PATH - (size_t)n, fmt, ap);
    va_end(ap);
    return out;
}

bool scratch_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

mode_t scratch_mode(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

off_t scratch_size(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 ? st.st_size : -1;
}

bool scratch_flip(const char *path, off_t offset, size_t len)
{
    int fd = open(path, O_RDWR);
    unsigned char *bytes = malloc(len);
    if (offset < 0)
        offset += scratch_size(path);
    bool ok = fd >= 0 && bytes && pread(fd, bytes, len, offset) == (ssize_t)len;
    for (size_t i = 0; ok && i < len; i++)
        bytes[i] = (unsigned char)~bytes[i];
    ok = ok && pwrite(fd, bytes, len, offset) == (ssize_t)len;
    free(bytes);
    if (fd >= 0)
        close(fd);
    return ok;
}

int scratch_count(const char *dir, const char *part)
{
    DIR *d = opendir(dir);
    int count = 0;
    for (struct dirent *entry; d && (entry = readdir(d));)
        count += entry->d_name[0] != '.' && strstr(entry->d_name, part) != NULL;
    if (d)
        closedir(d);
    return count;
}

const char *scratch_find(const char *dir, const char *part)
{
    DIR *d = opendir(dir);
    char *out = NULL;
    for (struct dirent *entry; d && !out && (entry = readdir(d));) {
        if (entry->d_name[0] != '.' && strstr(entry->d_name, part)) {
            out = next_buffer();
            snprintf(out, SCRATCH_PATH, "%.240s/%.255s", dir, entry->d_name);
        }
    }
    if (d)
        closedir(d);
    return out;
}
