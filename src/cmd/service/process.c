#include "process.h"

#include "config.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

/* glibc makes up to 8 arenas a core, each growing to what its busiest moment took. */
#define MALLOC_ARENAS 4

/* Each connection has its socket and the eventfd of its wait, and may read a body. */
#define FILES_PER_CONNECTION 3
#define FILES_BESIDES        256 /* databases, upstream connections, the log */

static void hide_memory(void)
{
    /* LeakSanitizer looks at the process from a second one, which must be allowed to. */
#ifndef PROCESS_SANITIZED
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

void process_harden(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    hide_memory();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
#ifdef HAVE_MALLOPT
    mallopt(M_ARENA_MAX, MALLOC_ARENAS);
#endif
}

void process_settle(void)
{
    hide_memory();
    if (geteuid() == 0)
        log_warning("running as root: whoever breaks in has the whole machine; set 'user', or "
                    "start it as a user of its own");
}

void process_raise_files(const struct config *config)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    rlim_t want = (rlim_t)config->limits.max_connections * FILES_PER_CONNECTION + FILES_BESIDES;
    if (files.rlim_max < want)
        log_warning("%ju open files are allowed, but max-connections = %u could need %ju; raise "
                    "LimitNOFILE or lower max-connections",
                    (uintmax_t)files.rlim_max, config->limits.max_connections, (uintmax_t)want);
}

int process_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int process_next_signal(int signal_fd)
{
    struct signalfd_siginfo info;
    return read(signal_fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

#ifdef HAVE_SYSTEMD

void process_notify_ready(void)
{
    sd_notify(0, "READY=1");
}

void process_notify_reloading(void)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_ms() * 1000);
}

void process_notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

#else

void process_notify_ready(void)
{
}

void process_notify_reloading(void)
{
}

void process_notify_stopping(void)
{
}

#endif
