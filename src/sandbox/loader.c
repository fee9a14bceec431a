#include "loader.h"

#include "summary.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define MBOX_MAX ((size_t)2 * 1024 * 1024 * 1024)

struct load {
    struct folder *folder;
    const char *path;
    struct error *e;
};

/* Received now unless the message says when it was sent. */
static bool add(struct load *l, const char *text, size_t len, int64_t received_ms, bool is_read)
{
    if (received_ms == INT64_MIN)
        received_ms = summary_sent(text, len, clock_wall_ms() / 1000 * 1000);
    const struct message_new n = {.mime = text,
                                  .size = len,
                                  .received_ms = received_ms,
                                  .is_read = is_read,
                                  .at_start = true};
    return message_add(l->folder, &n) ||
           error_set(l->e, ERROR_QUOTA, "%s: the mailbox is full", l->path);
}

static bool load_file(struct load *l, const char *path, bool is_read)
{
    struct buf text = BUF_INIT(MESSAGE_MAX);
    bool ok = file_read(path, &text, l->e) && add(l, buf_str(&text), text.len, INT64_MIN, is_read);
    buf_free(&text);
    return ok;
}

static bool add_from_mbox(void *arg, const char *text, size_t len, int64_t received_ms)
{
    return add(arg, text, len, received_ms, false);
}

static bool load_mbox(struct load *l, const char *path)
{
    struct buf text = BUF_INIT(MBOX_MAX);
    bool ok = file_read(path, &text, l->e);
    if (ok && text.len > 0 && !mbox_split(text.data, text.len, add_from_mbox, l)) {
        ok = false;
        if (l->e->kind == ERROR_NONE)
            error_set(l->e, ERROR_LOCAL,
                      "%s: not an mbox (it must begin with \"From \"), not an .eml file, or a "
                      "message in it is too large",
                      path);
    }
    buf_free(&text);
    return ok;
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), k = strlen(suffix);
    return n >= k && strcasecmp(name + n - k, suffix) == 0;
}

static int only_eml(const struct dirent *d)
{
    return has_suffix(d->d_name, ".eml");
}

static int no_dots(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

/* Every file of a directory in the order of their names. `flags`: a Maildir's cur, where the name
 * tells what was seen. */
static bool load_directory(struct load *l, const char *path, int (*want)(const struct dirent *d),
                           bool flags)
{
    struct dirent **names = NULL;
    int n = scandir(path, &names, want, alphasort);
    if (n < 0)
        return error_set(l->e, ERROR_LOCAL, "%s: %s", path, strerror(errno));
    bool ok = true;
    for (int i = 0; i < n; i++) {
        char *file = xasprintf("%s/%s", path, names[i]->d_name);
        const char *info = strstr(names[i]->d_name, ":2,");
        ok = ok && load_file(l, file, flags && info && strchr(info, 'S'));
        free(file);
        free(names[i]);
    }
    free(names);
    return ok;
}

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool loader_load(struct folder *f, const char *path, struct error *e)
{
    struct load l = {.folder = f, .path = path, .e = e};
    if (!is_directory(path))
        return has_suffix(path, ".eml") ? load_file(&l, path, false) : load_mbox(&l, path);
    char *cur = xasprintf("%s/cur", path);
    char *new = xasprintf("%s/new", path);
    bool ok;
    if (is_directory(cur) && is_directory(new))
        ok = load_directory(&l, cur, no_dots, true) && load_directory(&l, new, no_dots, false);
    else
        ok = load_directory(&l, path, only_eml, false);
    free(cur);
    free(new);
    return ok;
}
