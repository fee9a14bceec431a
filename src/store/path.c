#include "path.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

void path_key(char out[PATH_KEY_SIZE], ...)
{
    struct buf all = BUF_INIT(SIZE_MAX / 2);
    uint8_t digest[SHA256_SIZE];
    va_list ap;
    va_start(ap, out);
    for (const char *s; (s = va_arg(ap, const char *));)
        buf_append(&all, s, strlen(s) + 1);
    va_end(ap);
    sha256(all.data, all.len, digest);
    hex_encode(digest, sizeof digest, out);
    buf_free(&all);
}

void path_empty(const char *dir)
{
    DIR *d = opendir(dir);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(d), entry->d_name, 0);
    }
    if (d)
        closedir(d);
}
