#include "../unit.h"

#include "address.h"
#include "door.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/thread.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TURNED_AWAY "-ERR full\r\n"

/* A protocol that says its greeting, gives lines back and can be told to be busy. */
static atomic_int busy_ms;
static atomic_bool working;

static bool work(struct session_conn *conn)
{
    struct wait *w = session_conn_wait(conn);
    struct error e = ERROR_INIT;
    int ms = atomic_load(&busy_ms);
    w->deadline_ms = clock_mono_ms() + ms;
    atomic_store(&working, true);
    while (ms && wait_sleep(w, &e))
        continue;
    return e.kind != ERROR_CANCELED;
}

static void echo_run(struct session_conn *conn, struct mailbox_registry *mailboxes,
                     const struct config *config)
{
    char *line;
    size_t len;
    enum session_line got;
    (void)mailboxes;
    session_conn_printf(conn, "hello %zu\r\n", config->login_count);
    while ((got = session_conn_line(conn, 100, 10000, &line, &len)) == SESSION_LINE_OK) {
        if (!work(conn))
            return; /* cut off */
        session_conn_printf(conn, "%s\r\n", line);
    }
    if (got == SESSION_LINE_STOP)
        session_conn_printf(conn, "stopping\r\n");
    session_conn_flush(conn);
}

static const struct session_protocol protocols[] = {
    {.protocol = PROTOCOL_POP3, .run = echo_run, .too_many = TURNED_AWAY}};

struct service {
    struct session_server *server;
    int stop_fd;
    pthread_t thread;
};

static void *accept_thread(void *arg)
{
    struct service *s = arg;
    struct error e = ERROR_INIT;
    CU_ASSERT_TRUE(session_server_accept(s->server, s->stop_fd, &e));
    return NULL;
}

/* Port 0 is nothing for a config file; the kernel chooses one for the test. */
static struct config *any_port(const char *text)
{
    struct config *c = door_config(text);
    for (size_t i = 0; i < c->listener_count; i++) {
        struct sockaddr_in *in = (void *)&c->listeners[i].sockaddr;
        if (in->sin_family == AF_INET)
            in->sin_port = 0;
    }
    return c;
}

static void accept_on(struct service *s)
{
    struct error e = ERROR_INIT;
    s->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (!thread_start(&s->thread, "accept", THREAD_STACK_WORKER, accept_thread, s, &e))
        abort();
}

static void accept_off(struct service *s)
{
    uint64_t one = 1;
    CU_ASSERT_EQUAL(write(s->stop_fd, &one, sizeof one), (ssize_t)sizeof one);
    pthread_join(s->thread, NULL);
    close(s->stop_fd);
}

static void service_start(struct service *s, const char *text)
{
    struct error e = ERROR_INIT;
    struct config *config = any_port(text);
    atomic_store(&busy_ms, 0);
    s->server = session_server_new(protocols, 1, NULL, NULL);
    CU_ASSERT_TRUE_FATAL(session_server_configure(s->server, config, &e));
    config_unref(&config);
    accept_on(s);
}

static void service_stop(struct service *s)
{
    accept_off(s);
    session_server_stop(s->server);
    CU_ASSERT_EQUAL(session_server_count(s->server), 0);
    session_server_free(&s->server);
    CU_ASSERT_PTR_NULL(s->server);
}

/* A client: only the door's client half is used. */
static void dial(struct service *s, struct door *d)
{
    struct sockaddr_storage address;
    memset(d, 0, sizeof *d);
    CU_ASSERT_TRUE_FATAL(session_server_bound(s->server, 0, &address));
    d->client = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(
        connect(d->client, (struct sockaddr *)&address, sizeof(struct sockaddr_in)), 0);
}

static void hang_up(struct door *d)
{
    close(d->client);
}

#define CONFIG(limits, listener, logins)                                                           \
    "state-dir = \"/nonexistent\"\nlimits {\n" limits "\n}\n" DOOR_TENANT listener logins
#define ALICE DOOR_LOGIN("alice", "")

static void test_serve(void)
{
    struct buf heard = BUF_INIT(4096);
    struct service s;
    struct door a, b;
    service_start(&s, CONFIG("", DOOR_LISTENER, ALICE));
    dial(&s, &a);
    dial(&s, &b);
    door_say(&a, "one\r\n");
    CU_ASSERT_STRING_EQUAL(door_hear(&a, "one\r\n", &heard), "hello 1\r\none\r\n");
    door_say(&b, "two\r\n");
    CU_ASSERT_STRING_EQUAL(door_hear(&b, "two\r\n", &heard), "hello 1\r\ntwo\r\n");
    CU_ASSERT_EQUAL(session_server_count(s.server), 2);
    hang_up(&a);
    /* Idle at the stop: told so at once. */
    int64_t start = clock_mono_ms();
    service_stop(&s);
    CU_ASSERT_TRUE(clock_mono_ms() - start < 5000);
    CU_ASSERT_STRING_EQUAL(door_hear(&b, "", &heard), "stopping\r\n");
    hang_up(&b);
    buf_free(&heard);
}

static void test_limits(void)
{
    struct buf heard = BUF_INIT(4096);
    struct service s;
    struct door a, b, c;
    service_start(&s, CONFIG("max-connections = 2", DOOR_LISTENER, ALICE));
    dial(&s, &a);
    dial(&s, &b);
    door_hear(&a, "\r\n", &heard);
    door_hear(&b, "\r\n", &heard);
    dial(&s, &c);
    CU_ASSERT_STRING_EQUAL(door_hear(&c, "", &heard), TURNED_AWAY);
    hang_up(&c);
    /* A place that became free is given again. */
    shutdown(a.client, SHUT_WR);
    CU_ASSERT_STRING_EQUAL(door_hear(&a, "", &heard), "");
    hang_up(&a);
    for (int i = 0; i < 1000 && session_server_count(s.server) > 1; i++)
        poll(NULL, 0, 5);
    dial(&s, &a);
    CU_ASSERT_STRING_EQUAL(door_hear(&a, "\r\n", &heard), "hello 1\r\n");
    hang_up(&a);
    hang_up(&b);
    service_stop(&s);

    service_start(&s, CONFIG("max-connections-per-address = 1", DOOR_LISTENER, ALICE));
    dial(&s, &a);
    door_hear(&a, "\r\n", &heard);
    dial(&s, &b);
    CU_ASSERT_STRING_EQUAL(door_hear(&b, "", &heard), TURNED_AWAY);
    hang_up(&a);
    hang_up(&b);
    service_stop(&s);
    buf_free(&heard);
}

static void test_networks(void)
{
    struct buf heard = BUF_INIT(4096);
    struct service s;
    struct door a;
    service_start(&s, CONFIG("",
                             "listener \"pop\" {\n protocol = pop3\n address = \"127.0.0.1:1110\"\n"
                             " networks = { \"192.0.2.0/24\" }\n}\n",
                             ALICE));
    dial(&s, &a);
    CU_ASSERT_STRING_EQUAL(door_hear(&a, "", &heard), "");
    hang_up(&a);
    service_stop(&s);
    buf_free(&heard);
}

/* The socket stays, so does a running session; what is new sees the new config. A config that
 * cannot be put in force changes nothing. */
static void test_reload(void)
{
    struct buf heard = BUF_INIT(4096);
    struct error e = ERROR_INIT;
    struct sockaddr_storage before, after;
    struct service s;
    struct door a, b;
    service_start(&s, CONFIG("", DOOR_LISTENER, ALICE));
    session_server_bound(s.server, 0, &before);
    dial(&s, &a);
    door_hear(&a, "\r\n", &heard);
    accept_off(&s);

    struct config *two = any_port(CONFIG("", DOOR_LISTENER, ALICE DOOR_LOGIN("bob", "")));
    CU_ASSERT_TRUE(session_server_configure(s.server, two, &e));
    config_unref(&two);
    session_server_bound(s.server, 0, &after);
    CU_ASSERT_TRUE(address_equal((struct sockaddr *)&before, (struct sockaddr *)&after));

    struct config *bad = any_port(CONFIG("", DOOR_LISTENER, ALICE));
    /* TEST-NET-1 is no address of this machine. */
    inet_pton(AF_INET, "192.0.2.1",
              &((struct sockaddr_in *)(void *)&bad->listeners[0].sockaddr)->sin_addr);
    CU_ASSERT_FALSE(session_server_configure(s.server, bad, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "listener \"pop\""));
    config_unref(&bad);

    accept_on(&s);
    door_say(&a, "still there\r\n");
    CU_ASSERT_STRING_EQUAL(door_hear(&a, "\r\n", &heard), "still there\r\n");
    dial(&s, &b);
    CU_ASSERT_STRING_EQUAL(door_hear(&b, "\r\n", &heard), "hello 2\r\n");
    hang_up(&a);
    hang_up(&b);
    service_stop(&s);
    buf_free(&heard);
}

static void *stop_thread(void *arg)
{
    service_stop(arg);
    return NULL;
}

/* What is being answered may finish within the grace time; after it, it is cut off. */
static void busy_at_stop(const char *limits, int busy, const char *want)
{
    struct buf heard = BUF_INIT(4096);
    struct error e = ERROR_INIT;
    struct service s;
    struct door a;
    pthread_t stopper;
    service_start(&s, limits);
    dial(&s, &a);
    door_hear(&a, "\r\n", &heard);
    atomic_store(&busy_ms, busy);
    atomic_store(&working, false);
    door_say(&a, "work\r\n");
    while (!atomic_load(&working))
        poll(NULL, 0, 1);
    int64_t start = clock_mono_ms();
    if (!thread_start(&stopper, "stop", THREAD_STACK_WORKER, stop_thread, &s, &e))
        abort();
    CU_ASSERT_STRING_EQUAL(door_hear(&a, "", &heard), want);
    pthread_join(stopper, NULL);
    CU_ASSERT_TRUE(clock_mono_ms() - start < 15000);
    hang_up(&a);
    buf_free(&heard);
}

static void test_grace(void)
{
    busy_at_stop(CONFIG("grace = 20s", DOOR_LISTENER, ALICE), 400, "work\r\nstopping\r\n");
    busy_at_stop(CONFIG("grace = 0s", DOOR_LISTENER, ALICE), 60000, "");
}

static void test_addresses(void)
{
    static const struct {
        const char *text, *formatted, *key;
        bool loopback;
    } cases[] = {
        {"127.9.9.9", "127.9.9.9", "127.9.9.9", true},
        {"192.0.2.7", "192.0.2.7", "192.0.2.7", false},
        {"::1", "::1", "::", true},
        {"::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7", false},
        {"::ffff:127.0.0.1", "127.0.0.1", "127.0.0.1", true},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage a = {0};
        char text[ADDRESS_SIZE], key[ADDRESS_SIZE];
        a.ss_family = strchr(cases[i].text, ':') ? AF_INET6 : AF_INET;
        void *where = a.ss_family == AF_INET6 ? (void *)&((struct sockaddr_in6 *)&a)->sin6_addr
                                              : (void *)&((struct sockaddr_in *)&a)->sin_addr;
        CU_ASSERT_EQUAL(inet_pton(a.ss_family, cases[i].text, where), 1);
        address_format((struct sockaddr *)&a, text);
        address_key((struct sockaddr *)&a, key);
        CU_ASSERT_STRING_EQUAL(text, cases[i].formatted);
        CU_ASSERT_STRING_EQUAL(key, cases[i].key);
        CU_ASSERT_EQUAL(address_loopback((struct sockaddr *)&a), cases[i].loopback);
    }
}

const struct unit_test server_tests[] = {
    {"serving", test_serve},
    {"limits", test_limits},
    {"networks of a listener", test_networks},
    {"reload", test_reload},
    {"grace", test_grace},
    {"addresses", test_addresses},
    {NULL, NULL},
};
