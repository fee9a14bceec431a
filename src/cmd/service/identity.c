#include "identity.h"

#include "postern/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WALK_FILES 16 /* directories that a walk keeps open */
#define LOG_MODE   0640

static bool fail(struct error *e, const struct identity *id, const char *what)
{
    return error_set(e, ERROR_LOCAL, "cannot %s user \"%s\": %s", what, id->name, strerror(errno));
}

bool identity_find(const struct config *c, struct identity *out, struct error *e)
{
    *out = (struct identity){.name = c->user};
    if (!c->user && c->group)
        return error_set(e, ERROR_LOCAL, "'group' is set and 'user' is not; set both, or 'user'");
    if (!c->user)
        return true;
    const struct passwd *user = getpwnam(c->user);
    if (!user)
        return error_set(e, ERROR_LOCAL, "there is no user \"%s\"; make it, or set 'user' to one",
                         c->user);
    out->uid = user->pw_uid;
    out->gid = user->pw_gid;
    const struct group *group = c->group ? getgrnam(c->group) : NULL;
    if (c->group && !group)
        return error_set(e, ERROR_LOCAL, "there is no group \"%s\"; make it, or set 'group' to one",
                         c->group);
    if (group)
        out->gid = group->gr_gid;
    out->change = geteuid() == 0 && out->uid != 0;
    return true;
}

/* ---- whose files are whose ---- */

/* The walk has no other way to tell what it is for. */
static const struct identity *walker;

#define ANY_TYPE 0

/* Gives one file of root's away, if it is of this type: not one that the name only leads to, nor
 * one that has another name too. */
static int give_file(const char *path, mode_t type, const struct identity *id)
{
    struct stat st;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    int rc = fstat(fd, &st);
    if (rc == 0 && st.st_uid == 0 && (type == ANY_TYPE || (st.st_mode & S_IFMT) == type) &&
        (st.st_nlink == 1 || S_ISDIR(st.st_mode)))
        rc = fchownat(fd, "", id->uid, id->gid, AT_EMPTY_PATH);
    close(fd);
    return rc;
}

/* The user opens it, so that root writes through no name that the user has made; all that root
 * does is to make it, where the user cannot. */
static bool give_log(const struct identity *id, const char *path, struct error *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, LOG_MODE);
    if (fd >= 0)
        close(fd);
    return give_file(path, S_IFREG, id) == 0 || fail(e, id, "give the log's file to");
}

static int on_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return give_file(path, ANY_TYPE, walker);
}

/* A directory that is still root's and closed to others holds only what root put there. */
static bool give_state(const struct identity *id, const char *dir, struct error *e)
{
    struct stat st;
    if (stat(dir, &st) < 0)
        return fail(e, id, "look at the state directory for");
    if (st.st_uid == id->uid)
        return true;
    if (st.st_uid != 0)
        return error_set(e, ERROR_LOCAL,
                         "the state directory %s belongs neither to root nor to user \"%s\"; "
                         "chown -R it to that user",
                         dir, id->name);
    walker = id;
    if (nftw(dir, on_file, WALK_FILES, FTW_PHYS | FTW_DEPTH | FTW_MOUNT) != 0)
        return fail(e, id, "give the state directory to");
    return true;
}

bool identity_give(const struct identity *id, const struct config *c, struct error *e)
{
    if (id->name && !id->change && geteuid() != id->uid)
        return error_set(e, ERROR_LOCAL,
                         "only root can become user \"%s\": start it as root or as that user, or "
                         "take 'user' out",
                         id->name);
    if (!id->change)
        return true;
    if (!file_make_private_dir(c->state_dir, e))
        return false;
    if (log_target_is_file(c->log.target) && !give_log(id, c->log.target, e))
        return false;
    return give_state(id, c->state_dir, e);
}

/* ---- who we are ---- */

bool identity_assume(const struct identity *id, struct error *e)
{
    if (!id->change)
        return true;
    if (initgroups(id->name, id->gid) < 0 || setegid(id->gid) < 0 || seteuid(id->uid) < 0)
        return fail(e, id, "act as");
    return true;
}

void identity_resume(const struct identity *id)
{
    if (!id->change)
        return;
    /* Failing leaves fewer rights, which shows at what needs them. */
    int ignored = seteuid(0) | setegid(0) | setgroups(0, NULL);
    (void)ignored;
}

bool identity_drop(const struct identity *id, const struct config *c, struct error *e)
{
    if (!id->change)
        return true;
    for (size_t i = 0; i < c->listener_count; i++) {
        const struct sockaddr_un *un = (const void *)&c->listeners[i].sockaddr;
        if (un->sun_family == AF_UNIX && give_file(un->sun_path, S_IFSOCK, id) < 0)
            return fail(e, id, "give a Unix socket to");
    }
    if (initgroups(id->name, id->gid) < 0 || setresgid(id->gid, id->gid, id->gid) < 0 ||
        setresuid(id->uid, id->uid, id->uid) < 0)
        return fail(e, id, "become");
    /* Root's capabilities went with its user id; whether they did is worth a look. */
    if (setuid(0) == 0 || seteuid(0) == 0)
        return error_set(e, ERROR_LOCAL, "user \"%s\" can become root again", id->name);
    return true;
}

/* ---- what a reload will need ---- */

static bool readable(const char *path)
{
    return !path || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0;
}

void identity_each_unreadable(const struct identity *id, const struct config *c,
                              void (*fn)(void *arg, const char *path, const char *user), void *arg)
{
    struct error e = ERROR_INIT;
    if (!id->change || !identity_assume(id, &e))
        return;
    const struct config_tls *tls = &c->tls;
    const char *const single[] = {c->path, c->logins_file};
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        if (!readable(single[i]))
            fn(arg, single[i], id->name);
    }
    for (size_t i = 0; i < tls->certificate_count; i++) {
        if (!readable(tls->certificates[i]))
            fn(arg, tls->certificates[i], id->name);
        if (!readable(tls->private_keys[i]))
            fn(arg, tls->private_keys[i], id->name);
    }
    for (size_t i = 0; i < c->tenant_count; i++) {
        const char *const files[] = {c->tenants[i].certificate, c->tenants[i].private_key,
                                     c->tenants[i].federated_token_file, c->tenants[i].ca_file};
        for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
            if (!readable(files[k]))
                fn(arg, files[k], id->name);
        }
    }
    identity_resume(id);
}
