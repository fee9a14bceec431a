#include "postern/base/logins_file.h"

#include "config_text.h"
#include "config_tree.h"

#include "postern/base/alloc.h"
#include "postern/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define INDENT "    "

static void forget(struct config_report *r)
{
    config_report_tell(r, "", NULL, NULL, NULL);
}

/* ---- where it stands ---- */

/* The place of a value in a text, or where one is to be put in. */
struct place {
    size_t at, len;
    bool inserted;
};

/* Behind the brace that closes the one before *p; *last is that brace. */
static bool skip_braces(const char **p, struct config_token *last)
{
    unsigned depth = 1;
    while (depth && config_next_token(p, last))
        depth += config_token_is(last, "{") ? 1u : config_token_is(last, "}") ? -1u : 0;
    return depth == 0;
}

/* Looks through the section behind whose brace *p is. */
static bool find_password(const char *text, const char **p, struct place *out)
{
    struct config_token t, key = {"", 0};
    *out = (struct place){.at = (size_t)(*p - text), .inserted = true};
    while (config_next_token(p, &t) && !config_token_is(&t, "}")) {
        bool value = config_token_is(&t, "=");
        if (value && !config_next_token(p, &t))
            return false;
        const char *start = t.start;
        if (config_token_is(&t, "{") && !skip_braces(p, &t))
            return false;
        if (value && config_token_is(&key, "password"))
            *out = (struct place){.at = (size_t)(start - text),
                                  .len = (size_t)(t.start + t.len - start)};
        key = t;
    }
    return true;
}

/* The password of the n-th login section, counted from 0. `text` has no comments. */
static bool find_nth(const char *text, size_t n, struct place *out)
{
    const char *p = text;
    struct config_token t, before = {"", 0}, first = {"", 0};
    while (config_next_token(&p, &t)) {
        if (config_token_is(&t, "{") && config_token_is(&first, "login")) {
            if (n-- == 0)
                return find_password(text, &p, out);
        }
        if (config_token_is(&t, "{") && !skip_braces(&p, &t))
            return false;
        first = before;
        before = t;
    }
    return false;
}

/* How many login sections stand before that of the login; false: there is none. */
static bool count_before(const struct config_tree *tree, const char *login, size_t *n)
{
    *n = 0;
    for (size_t i = SECTION_FIRST_TITLED; i < tree->count; i++) {
        if (tree->sections[i].kind != SECTION_LOGIN)
            continue;
        if (strcmp(tree->sections[i].title, login) == 0)
            return true;
        (*n)++;
    }
    return false;
}

/* ---- the new text ---- */

static bool same_section(const struct config_section *a, const struct config_section *b,
                         const char *but)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct config_entry *x = &a->entries[i], *y = config_tree_get(b, x->setting->name);
        if (but && strcmp(x->setting->name, but) == 0)
            continue;
        if (!y || x->count != y->count)
            return false;
        for (size_t v = 0; v < x->count; v++) {
            if (strcmp(x->values[v], y->values[v]) != 0)
                return false;
        }
    }
    return true;
}

/* Does the text say what the tree says, but for the one password? */
static bool is_as_meant(const char *text, const struct config_tree *before, const char *login,
                        const char *hash)
{
    struct config_report r = {0};
    struct config_tree after = {0};
    config_tree_parse(&after, text, &r);
    bool ok = r.faults == 0 && after.count == before->count;
    for (size_t i = 0; ok && i < after.count; i++) {
        const struct config_section *a = &before->sections[i], *b = &after.sections[i];
        bool meant = a->kind == SECTION_LOGIN && a->title && strcmp(a->title, login) == 0;
        const char *but = meant ? "password" : NULL;
        const struct config_entry *password = config_tree_get(b, "password");
        ok = a->kind == b->kind && (!a->title || strcmp(a->title, b->title) == 0) &&
             same_section(a, b, but) && same_section(b, a, but) &&
             (!meant || (password && strcmp(password->values[0], hash) == 0));
    }
    config_tree_free(&after);
    forget(&r);
    return ok;
}

static bool rewrite(const char *text, size_t nth, const char *hash, struct buf *out)
{
    struct place place;
    char *bare = xstrdup(text);
    config_blank_comments(bare);
    bool ok = find_nth(bare, nth, &place);
    secret_free(bare);
    if (!ok)
        return false;
    /* All at once: growing would leave copies of hashes behind. */
    buf_reserve(out, strlen(text) + strlen(hash) + sizeof "\n" INDENT "password = ''");
    buf_append(out, text, place.at);
    buf_printf(out, place.inserted ? "\n" INDENT "password = '%s'" : "'%s'", hash);
    /* What stood behind the brace on its line gets one of its own. */
    if (place.inserted && !strchr("\r\n", text[place.at]))
        buf_puts(out, "\n");
    buf_puts(out, text + place.at + place.len);
    return !out->overflow;
}

enum logins_change logins_text_set_password(const char *text, const char *login, const char *hash,
                                            struct buf *out, struct error *e)
{
    struct config_report r = {0};
    struct config_tree tree = {0};
    enum logins_change result = LOGINS_FAILED;
    size_t nth;
    config_tree_parse(&tree, text, &r);
    if (r.faults > 0)
        error_set(e, ERROR_CANNOT, "line %d: %s", r.remarks[0].line, r.remarks[0].text);
    else if (!count_before(&tree, login, &nth))
        result = LOGINS_NOT_THERE;
    else if (rewrite(text, nth, hash, out) && is_as_meant(buf_str(out), &tree, login, hash))
        result = LOGINS_CHANGED;
    else
        error_set(e, ERROR_CANNOT,
                  "the password of login \"%s\" cannot be told from its surroundings; write it "
                  "on a line of its own",
                  login);
    config_tree_free(&tree);
    forget(&r);
    return result;
}

/* ---- the file ---- */

/* Opens and locks what is at the path; whoever replaced it meanwhile has let go of the old one. */
static int open_locked(const char *path, struct stat *st, struct error *e)
{
    for (;;) {
        struct stat now;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            error_set(e, ERROR_LOCAL, "cannot open %s: %s", path, strerror(errno));
            return -1;
        }
        while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
            continue;
        if (fstat(fd, st) == 0 && stat(path, &now) == 0 && now.st_dev == st->st_dev &&
            now.st_ino == st->st_ino)
            return fd;
        close(fd);
    }
}

static enum logins_change change(const char *path, const struct stat *st, const char *login,
                                 const char *hash, struct error *e)
{
    struct buf text = BUF_INIT(CONFIG_FILE_MAX), fresh = BUF_INIT(CONFIG_FILE_MAX);
    const struct file_owner owner = {st->st_uid, st->st_gid, st->st_mode & 07777};
    enum logins_change result = LOGINS_FAILED;
    if (file_read(path, &text, e)) {
        if (strlen(buf_str(&text)) != text.len)
            error_set(e, ERROR_CANNOT, "the file holds a NUL byte; it is not a text file");
        else
            result = logins_text_set_password(buf_str(&text), login, hash, &fresh, e);
        if (result == LOGINS_FAILED)
            error_prefix(e, "%s: ", path);
    }
    if (result == LOGINS_CHANGED && !file_write_as(path, &owner, fresh.data, fresh.len, e))
        result = LOGINS_FAILED;
    buf_free_secret(&text);
    buf_free_secret(&fresh);
    return result;
}

enum logins_change logins_file_set_password(const char *path, const char *login, const char *hash,
                                            struct error *e)
{
    enum logins_change result = LOGINS_FAILED;
    struct stat st;
    char *real = realpath(path, NULL);
    int fd = open_locked(real ? real : path, &st, e);
    if (fd >= 0) {
        result = change(real ? real : path, &st, login, hash, e);
        close(fd);
    }
    free(real);
    return result;
}

char *logins_file_of(const char *config_path)
{
    struct buf text = BUF_INIT(CONFIG_FILE_MAX);
    struct config_report r = {0};
    struct config_tree tree = {0};
    struct error e = ERROR_INIT;
    char *path = NULL;
    if (file_read(config_path, &text, &e)) {
        config_tree_parse(&tree, buf_str(&text), &r);
        const struct config_entry *entry =
            config_tree_get(&tree.sections[SECTION_TOP], "logins-file");
        if (entry && entry->values[0][0])
            path = xstrdup(entry->values[0]);
        config_tree_free(&tree);
        forget(&r);
    }
    buf_free_secret(&text);
    return path;
}
