#include "postern/base/thread.h"

#include <signal.h>
#include <string.h>

bool thread_start(pthread_t *thread, const char *name, size_t stack, void *(*fn)(void *), void *arg,
                  struct error *e)
{
    pthread_attr_t attr;
    sigset_t all, old;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, stack);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(thread, &attr, fn, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (rc)
        return error_set(e, ERROR_LOCAL, "cannot start a thread (%s): %s; raise the limit of tasks",
                         name, strerror(rc));
    pthread_setname_np(*thread, name);
    return true;
}
