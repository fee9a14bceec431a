/* What is on this machine: the state directory and the variables of the environment. */
#include "doctor.h"

#include "control/control.h"
#include "postern/base/alloc.h"
#include "postern/store/state.h"
#include "service/identity.h"

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

static const char *text_of(struct json_object *o, const char *name)
{
    struct json_object *value;
    return json_object_object_get_ex(o, name, &value) && value ? json_object_get_string(value) : "";
}

/* What the running service says of the identities for which it has no token. */
static void look_at_identities(struct doctor *d, struct json_object *status)
{
    struct json_object *all;
    if (!json_object_object_get_ex(status, "identities", &all) ||
        !json_object_is_type(all, json_type_array))
        return;
    for (size_t i = 0; i < json_object_array_length(all); i++) {
        struct json_object *one = json_object_array_get_idx(all, i);
        const char *state = text_of(one, "state"), *account = text_of(one, "account");
        bool person = strcmp(state, "needs-login") == 0;
        if (!person && strcmp(state, "failing") != 0)
            continue;
        steps_add(d->steps, STEP_WARN, "serve", "has no token of %s, tenant \"%s\" (%s): %s",
                  *account ? account : "the application itself", text_of(one, "tenant"),
                  person ? "needs login" : "failing", text_of(one, "reason"));
        steps_fix(d->steps, "the steps below tell whether it is still so; a changed secret needs a "
                            "reload (SIGHUP)");
    }
}

static void look_at_service(struct doctor *d, long pid)
{
    const char *const request[] = {"status", NULL};
    struct json_object *status = NULL;
    struct error e = ERROR_INIT;
    if (control_ask(d->config->state_dir, request, &status, &e) == CONTROL_ANSWERED) {
        steps_add(d->steps, STEP_OK, "serve", "runs as process %ld, %s, with %s sessions", pid,
                  text_of(status, "version"), text_of(status, "sessions"));
        look_at_identities(d, status);
    } else {
        steps_add(d->steps, STEP_WARN, "serve", "runs as process %ld, but cannot be asked: %s", pid,
                  e.text);
        steps_fix(d->steps, "run doctor as the user that runs serve, or as root");
    }
    json_object_put(status);
}

bool doctor_state(struct doctor *d)
{
    long pid = 0;
    look_at_state_dir(d);
    bool served = store_state_is_locked(d->config->state_dir, &pid);
    if (served) {
        look_at_service(d, pid);
    } else {
        steps_add(d->steps, STEP_WARN, "serve", "does not run on %s", d->config->state_dir);
        steps_fix(d->steps, "systemctl start postern, or run: postern serve -c %s",
                  d->config->path);
    }
    return served;
}

static void add_unreadable(void *arg, const char *path, const char *user)
{
    struct doctor *d = arg;
    steps_add(d->steps, STEP_FAIL, "files", "user = %s cannot read %s", user, path);
    steps_fix(d->steps, "chgrp %s %s && chmod g+r %s", user, path, path);
}

void doctor_files(struct doctor *d)
{
    struct identity id;
    struct error e = ERROR_INIT;
    if (!identity_find(d->config, &id, &e)) {
        steps_add(d->steps, STEP_FAIL, "files", "%s", e.text);
        return;
    }
    identity_each_unreadable(&id, d->config, add_unreadable, d);
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

static const char *no_proxy(void)
{
    const char *none = getenv("no_proxy");
    none = none ? none : getenv("NO_PROXY");
    return none ? none : "";
}

const char *doctor_proxy(void)
{
    /* The order in which libcurl looks for the proxy of an https URL; the first one counts. */
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strcmp(no_proxy(), "*") == 0 ? NULL : names[i];
    }
    return NULL;
}

void doctor_proxies(struct doctor *d)
{
    const char *name = doctor_proxy(), *none = no_proxy();
    const char *value = name ? getenv(name) : NULL;
    if (!value)
        return;
    char *shown = without_password(value);
    steps_add(d->steps, STEP_NOTE, "proxy", "%s=%s is in force%s%s", name, shown,
              *none ? ", except for " : "", none);
    free(shown);
}
