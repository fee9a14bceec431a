/* What is on this machine: the state directory and the variables of the environment. */
#include "doctor.h"

#include "postern/base/alloc.h"
#include "postern/store/state.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)
/* Databases want to grow: below the one they may not, below the other it is soon so. */
#define SPACE_FAIL (32 * MIB)
#define SPACE_WARN (256 * MIB)

static void look_at_owner(struct doctor *d, const struct stat *st)
{
    const char *path = d->config->state_dir;
    const char *user = d->config->user;
    const struct passwd *pw = user ? getpwnam(user) : NULL;
    if (pw && pw->pw_uid != st->st_uid) {
        steps_add(d->steps, STEP_FAIL, "state-dir", "%s does not belong to user = %s", path, user);
        steps_fix(d->steps, "chown -R %s %s", user, path);
    } else if (!pw && geteuid() != 0 && st->st_uid != geteuid()) {
        pw = getpwuid(st->st_uid);
        steps_add(d->steps, STEP_WARN, "state-dir", "%s belongs to %s, and this is another user",
                  path, pw ? pw->pw_name : "an unknown user");
        steps_fix(d->steps, "run doctor as that user (sudo -u %s postern doctor), or as root",
                  pw ? pw->pw_name : "USER");
    } else if (st->st_mode & 077) {
        steps_add(d->steps, STEP_WARN, "state-dir", "%s is open to others (mode %04o)", path,
                  (unsigned)st->st_mode & 07777);
        steps_fix(d->steps, "chmod 700 %s", path);
    } else {
        steps_add(d->steps, STEP_OK, "state-dir", "%s", path);
    }
}

static void look_at_space(struct doctor *d)
{
    struct statvfs fs;
    if (statvfs(d->config->state_dir, &fs) < 0)
        return;
    uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    unsigned long long mib = free_bytes / MIB;
    if (free_bytes < SPACE_FAIL)
        steps_add(d->steps, STEP_FAIL, "disk", "%llu MiB are free in %s", mib,
                  d->config->state_dir);
    else if (free_bytes < SPACE_WARN || free_bytes < d->config->cache_max_size / 4)
        steps_add(d->steps, STEP_WARN, "disk", "%llu MiB are free in %s", mib,
                  d->config->state_dir);
    else
        steps_add(d->steps, STEP_OK, "disk", "%llu MiB are free", mib);
    if (free_bytes < SPACE_FAIL || free_bytes < SPACE_WARN ||
        free_bytes < d->config->cache_max_size / 4)
        steps_fix(d->steps, "free some, or lower max-size of the section cache");
}

static void look_at_state_dir(struct doctor *d)
{
    const char *path = d->config->state_dir;
    struct stat st;
    errno = 0;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        look_at_owner(d, &st);
        look_at_space(d);
    } else if (errno == ENOENT) {
        steps_add(d->steps, STEP_NOTE, "state-dir", "%s is not there yet; serve makes it", path);
    } else {
        steps_add(d->steps, STEP_FAIL, "state-dir", "%s is no directory that can be used", path);
        steps_fix(d->steps, "give postern a directory of its own in state-dir");
    }
}

bool doctor_state(struct doctor *d)
{
    long pid = 0;
    look_at_state_dir(d);
    bool served = store_state_is_locked(d->config->state_dir, &pid);
    if (served) {
        steps_add(d->steps, STEP_OK, "serve", "runs as process %ld", pid);
    } else {
        steps_add(d->steps, STEP_WARN, "serve", "does not run on %s", d->config->state_dir);
        steps_fix(d->steps, "systemctl start postern, or run: postern serve -c %s",
                  d->config->path);
    }
    return served;
}

/* "http://user:password@proxy:3128" without the password. */
static char *without_password(const char *url)
{
    const char *begin = strstr(url, "://");
    begin = begin ? begin + 3 : url;
    const char *end = begin + strcspn(begin, "/?#");
    const char *at = NULL;
    for (const char *p = begin; p < end; p++) {
        if (*p == '@')
            at = p;
    }
    const char *colon = at ? memchr(begin, ':', (size_t)(at - begin)) : NULL;
    return colon ? xasprintf("%.*s:***%s", (int)(colon - url), url, at) : xstrdup(url);
}

void doctor_proxies(struct doctor *d)
{
    /* The order in which libcurl looks for the proxy of an https URL; the first one counts. */
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    const char *none = getenv("no_proxy");
    none = none ? none : getenv("NO_PROXY");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (!value || !*value)
            continue;
        char *shown = without_password(value);
        steps_add(d->steps, STEP_NOTE, "proxy", "%s=%s is in force%s%s", names[i], shown,
                  none && *none ? ", except for " : "", none ? none : "");
        free(shown);
        return;
    }
}
