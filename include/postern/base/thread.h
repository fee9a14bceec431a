/*
 * Threads with a small stack and all signals blocked (main takes them).
 */
#ifndef POSTERN_BASE_THREAD_H
#define POSTERN_BASE_THREAD_H

#include "postern/base/error.h"

#include <pthread.h>
#include <stdbool.h>

#define THREAD_STACK_SESSION ((size_t)256 * 1024)
#define THREAD_STACK_WORKER  ((size_t)1024 * 1024)

/* `name` (15 bytes at most) shows in ps and gdb. False: no thread could be had. */
bool thread_start(pthread_t *thread, const char *name, size_t stack, void *(*fn)(void *), void *arg,
                  struct error *e);
/* Gives the pages of the calling thread's stack that are not in use back to the system: for a
 * thread that is about to wait for long. */
void thread_trim_stack(void);

#endif
