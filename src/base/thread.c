#include "postern/base/thread.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

void thread_trim_stack(void)
{
    pthread_attr_t attr;
    void *lowest;
    size_t size;
    char here;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (pthread_getattr_np(pthread_self(), &attr) != 0)
        return;
    /* The page below the current one stays: it serves this call and the next few. */
    uintptr_t end = ((uintptr_t)&here & ~(page - 1)) - page;
    if (pthread_attr_getstack(&attr, &lowest, &size) == 0 && end > (uintptr_t)lowest)
        madvise(lowest, end - (uintptr_t)lowest, MADV_DONTNEED);
    pthread_attr_destroy(&attr);
}
