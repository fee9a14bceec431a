#include "postern/base/thread.h"

#include <signal.h>
#include <string.h>

static bool start(pthread_t *thread, bool detached, const char *name, size_t stack,
                  void *(*fn)(void *), void *arg, struct error *e)
{
    pthread_attr_t attr;
    sigset_t all, old;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, stack);
    if (detached)
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(thread, &attr, fn, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (rc)
        return error_set(e, ERROR_LOCAL, "cannot start a thread (%s): %s; raise the limit of tasks",
                         name, strerror(rc));
    if (!detached)
        pthread_setname_np(*thread, name);
    return true;
}

bool thread_start(pthread_t *thread, const char *name, size_t stack, void *(*fn)(void *), void *arg,
                  struct error *e)
{
    return start(thread, false, name, stack, fn, arg, e);
}

bool thread_start_detached(const char *name, size_t stack, void *(*fn)(void *), void *arg,
                           struct error *e)
{
    pthread_t thread;
    return start(&thread, true, name, stack, fn, arg, e);
}
