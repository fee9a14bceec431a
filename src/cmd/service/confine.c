#include "confine.h"

#include "config.h"
#include "postern/base/alloc.h"
#include "postern/base/log.h"
#include "process.h"

#include <errno.h>
#include <string.h>

/* A sanitizer runs a program to name the places of its report. */
#if defined(HAVE_LINUX_LANDLOCK_H) && !defined(PROCESS_SANITIZED)

#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* Without it a rename from one directory to another is refused, even inside the state directory. */
#define ABI_WITH_REFER    2
#define ABI_WITH_TRUNCATE 3
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define CHANGES                                                                                    \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |  \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REFER)
#define NEVER                                                                                      \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_FIFO |    \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

struct fence {
    int ruleset;
    uint64_t changes;
    bool ok;
};

static void allow(struct fence *f, const char *directory)
{
    int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct landlock_path_beneath_attr rule = {.allowed_access = f->changes, .parent_fd = fd};
    f->ok &= fd >= 0 &&
             syscall(SYS_landlock_add_rule, f->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    if (fd >= 0)
        close(fd);
}

static void allow_beside(struct fence *f, const char *file)
{
    char *copy = xstrdup(file);
    allow(f, dirname(copy));
    free(copy);
}

static void allow_config(struct fence *f, const struct config *c)
{
    allow(f, c->state_dir);
    if (log_target_is_file(c->log.target))
        allow_beside(f, c->log.target);
    for (size_t i = 0; i < c->listener_count; i++) {
        const struct sockaddr_un *un = (const void *)&c->listeners[i].sockaddr;
        if (un->sun_family == AF_UNIX)
            allow_beside(f, un->sun_path);
    }
}

void confine_writes(const struct config *c)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < ABI_WITH_REFER) {
        log_debug("this kernel has no Landlock, or an old one: the rights of files alone say what "
                  "may be written");
        return;
    }
    struct fence f = {.changes = CHANGES, .ok = true};
    if (abi >= ABI_WITH_TRUNCATE)
        f.changes |= LANDLOCK_ACCESS_FS_TRUNCATE;
    struct landlock_ruleset_attr handled = {.handled_access_fs = f.changes | NEVER};
    f.ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (f.ruleset >= 0)
        allow_config(&f, c);
    if (f.ruleset >= 0 && f.ok && syscall(SYS_landlock_restrict_self, f.ruleset, 0) == 0)
        log_info("confined by Landlock: nothing is written but beneath %s and where log and "
                 "sockets are, and no program is run",
                 c->state_dir);
    else
        log_warning("could not be confined by Landlock: %s", strerror(errno));
    if (f.ruleset >= 0)
        close(f.ruleset);
}

#else

void confine_writes(const struct config *c)
{
    (void)c;
}

#endif
