#include "../unit.h"

#include "postern/base/clock.h"
#include "postern/base/thread.h"
#include "postern/base/wait.h"

#include <sys/socket.h>
#include <unistd.h>

static struct wait fresh(void)
{
    struct wait w;
    struct error e = ERROR_INIT;
    CU_ASSERT(wait_init(&w, &e));
    return w;
}

/* A notification that comes before the sleep is not lost. */
static void test_notified_before(void)
{
    struct wait w = fresh();
    struct error e = ERROR_INIT;
    wait_notify(&w);
    wait_notify(&w);
    CU_ASSERT(wait_sleep(&w, &e));
    w.deadline_ms = clock_mono_ms() + 5;
    CU_ASSERT(!wait_sleep(&w, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_TIMEOUT);
    wait_close(&w);
}

static void *notifier(void *arg)
{
    wait_notify(arg);
    return NULL;
}

static void test_notified_by_thread(void)
{
    struct wait w = fresh();
    struct error e = ERROR_INIT;
    pthread_t thread;
    w.deadline_ms = clock_mono_ms() + 60000;
    CU_ASSERT(thread_start(&thread, "notifier", THREAD_STACK_WORKER, notifier, &w, &e));
    CU_ASSERT(wait_sleep(&w, &e));
    pthread_join(thread, NULL);
    wait_close(&w);
}

static void test_client_reset(void)
{
    int pair[2];
    struct wait w = fresh();
    struct error e = ERROR_INIT;
    CU_ASSERT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    w.client_fd = pair[0];
    CU_ASSERT(!wait_ended(&w, &e));
    close(pair[1]); /* a Unix socket whose peer is closed says HUP at once */
    CU_ASSERT(!wait_sleep(&w, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_CANCELED);
    close(pair[0]);
    wait_close(&w);
}

/* FIN alone may be "printf … | nc -N": the wait goes on for a grace time and does not spin. */
static void test_client_half_closed(void)
{
    int pair[2];
    struct wait w = fresh();
    struct error e = ERROR_INIT;
    CU_ASSERT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    w.client_fd = pair[0];
    shutdown(pair[1], SHUT_WR);
    clock_test_set(1000, 0);
    CU_ASSERT(wait_sleep(&w, &e));
    CU_ASSERT_EQUAL(w.half_closed_ms, 1000);
    clock_test_set(1000 + WAIT_HALF_CLOSED_MS - 1, 0);
    wait_notify(&w);
    CU_ASSERT(wait_sleep(&w, &e));
    clock_test_set(1000 + WAIT_HALF_CLOSED_MS, 0);
    wait_notify(&w);
    CU_ASSERT(!wait_sleep(&w, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_CANCELED);
    clock_test_off();
    close(pair[0]);
    close(pair[1]);
    wait_close(&w);
}

static void test_stop(void)
{
    atomic_bool stop = false;
    struct wait w = fresh();
    struct error e = ERROR_INIT;
    w.stop = &stop;
    CU_ASSERT(!wait_ended(&w, &e));
    atomic_store(&stop, true);
    wait_notify(&w);
    CU_ASSERT(!wait_sleep(&w, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_CANCELED);
    wait_close(&w);
}

static void test_list(void)
{
    struct wait waits[6];
    struct wait_list list = {0};
    struct error e = ERROR_INIT;
    for (int i = 0; i < 6; i++) {
        waits[i] = fresh();
        waits[i].deadline_ms = 0;
        wait_list_add(&list, &waits[i]);
    }
    wait_list_remove(&list, &waits[2]);
    wait_list_remove(&list, &waits[2]);
    CU_ASSERT_EQUAL(list.count, 5);
    wait_list_notify_all(&list);
    for (int i = 0; i < 6; i++) {
        uint64_t n = 0;
        ssize_t got = read(waits[i].event_fd, &n, sizeof n);
        CU_ASSERT_EQUAL(got > 0, i != 2);
        CU_ASSERT(wait_ended(&waits[i], &e));
        wait_close(&waits[i]);
    }
    wait_list_free(&list);
}

extern const struct unit_test wait_tests[];
const struct unit_test wait_tests[] = {
    {"notified before the sleep", test_notified_before},
    {"notified by another thread", test_notified_by_thread},
    {"a client that resets", test_client_reset},
    {"a client that half-closes", test_client_half_closed},
    {"the service stops", test_stop},
    {"a list of waiters", test_list},
    {NULL, NULL},
};
