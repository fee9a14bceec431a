#include "../unit.h"

#include "door.h"

#include "postern/base/clock.h"
#include "postern/base/thread.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOON 100 /* ms; what must not happen is waited for this long */

static struct door_options usual;

static void expect_line(struct door *d, size_t max, const char *want)
{
    char *line = NULL;
    size_t len = 0;
    CU_ASSERT_EQUAL(session_conn_line(d->conn, max, 5000, &line, &len), SESSION_LINE_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    CU_ASSERT_STRING_EQUAL(line, want);
    CU_ASSERT_EQUAL(len, strlen(want));
}

static enum session_line line_kind(struct door *d, size_t max, int64_t timeout)
{
    char *line;
    size_t len;
    return session_conn_line(d->conn, max, timeout, &line, &len);
}

static void test_lines(void)
{
    struct door d;
    door_open(&d, &usual);
    door_say(&d, "one\r\ntwo\n\r\n\rfour\r\r\nhal");
    expect_line(&d, 100, "one");
    expect_line(&d, 100, "two");
    expect_line(&d, 100, "");
    expect_line(&d, 100, "\rfour\r"); /* a bare CR is an ordinary byte */
    door_say(&d, "f\r\n");
    expect_line(&d, 100, "half");
    CU_ASSERT_EQUAL(session_conn_bytes_in(d.conn), 25);
    door_say(&d, "rest without end");
    shutdown(d.client, SHUT_WR);
    CU_ASSERT_EQUAL(line_kind(&d, 100, 5000), SESSION_LINE_EOF);
    door_close(&d);
}

static void test_limits(void)
{
    static const char nul[] = "a\0b\r\nnext\r\n";
    struct door d;
    door_open(&d, &usual);
    door_say(&d, "12345\r\n123456\r\n12345\n123456\nok\r\n");
    expect_line(&d, 5, "12345");
    CU_ASSERT_EQUAL(line_kind(&d, 5, 5000), SESSION_LINE_TOO_LONG);
    expect_line(&d, 5, "12345");
    CU_ASSERT_EQUAL(line_kind(&d, 5, 5000), SESSION_LINE_TOO_LONG);
    expect_line(&d, 5, "ok");
    door_send(&d, nul, sizeof nul - 1);
    CU_ASSERT_EQUAL(line_kind(&d, 100, 5000), SESSION_LINE_NUL);
    expect_line(&d, 100, "next");
    door_close(&d);
}

/* Of a line that is too long its two ends are handed out, however it came. */
static void test_edges(void)
{
    struct buf want = BUF_INIT(4 * SESSION_LINE_EDGE), sent = BUF_INIT(1 << 20);
    static const size_t lengths[] = {
        6, SESSION_LINE_EDGE, 2 * SESSION_LINE_EDGE, 200, 2 * SESSION_LINE_EDGE + 1, 4096, 100000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct door d;
        char *line = NULL;
        size_t len = 0, n = lengths[i];
        buf_clear(&sent);
        buf_clear(&want);
        for (size_t k = 0; k < n; k++) {
            buf_putc(&sent, (char)('a' + k % 26));
            if (k < SESSION_LINE_EDGE || k + SESSION_LINE_EDGE >= n)
                buf_putc(&want, (char)('a' + k % 26));
        }
        buf_puts(&sent, "\r\nnext\r\n");
        door_open(&d, &usual);
        door_send(&d, sent.data, sent.len);
        CU_ASSERT_EQUAL(session_conn_line(d.conn, 5, 5000, &line, &len), SESSION_LINE_TOO_LONG);
        CU_ASSERT_EQUAL(len, want.len);
        CU_ASSERT_STRING_EQUAL(line, buf_str(&want));
        expect_line(&d, 100, "next");
        door_close(&d);
    }
    buf_free(&want);
    buf_free(&sent);
}

/* Bytes of a literal between lines, NULs and all. */
static void test_bytes(void)
{
    static const char input[] = "one {5}\r\na\0\r\nb rest\r\nlast";
    struct door d;
    const char *data;
    size_t len;
    door_open(&d, &usual);
    door_send(&d, input, sizeof input - 1);
    expect_line(&d, 100, "one {5}");
    CU_ASSERT_EQUAL(session_conn_bytes(d.conn, 2, 5000, &data, &len), SESSION_LINE_OK);
    CU_ASSERT_EQUAL(len, 2);
    CU_ASSERT_EQUAL(memcmp(data, "a", 2), 0);
    CU_ASSERT_EQUAL(session_conn_bytes(d.conn, 3, 5000, &data, &len), SESSION_LINE_OK);
    CU_ASSERT_EQUAL(len, 3);
    CU_ASSERT_EQUAL(memcmp(data, "\r\nb", 3), 0);
    expect_line(&d, 100, " rest");
    CU_ASSERT_EQUAL(session_conn_bytes(d.conn, 100, 5000, &data, &len), SESSION_LINE_OK);
    CU_ASSERT_EQUAL(len, 4);
    CU_ASSERT_EQUAL(session_conn_bytes(d.conn, 100, 0, &data, &len), SESSION_LINE_TIMEOUT);
    door_stop(&d);
    CU_ASSERT_EQUAL(session_conn_bytes(d.conn, 100, 5000, &data, &len), SESSION_LINE_STOP);
    door_close(&d);
}

/* A notice wakes who asked for it, what came of a line is kept, and none is lost beside input. */
static void test_notice(void)
{
    struct door d;
    char *line;
    size_t len;
    door_open(&d, &usual);
    door_say(&d, "DO");
    wait_notify(session_conn_wait(d.conn));
    CU_ASSERT_EQUAL(session_conn_line_or_notice(d.conn, 100, 5000, &line, &len),
                    SESSION_LINE_NOTIFIED);
    CU_ASSERT_EQUAL(session_conn_line_or_notice(d.conn, 100, 10, &line, &len),
                    SESSION_LINE_TIMEOUT);
    wait_notify(session_conn_wait(d.conn));
    door_say(&d, "NE\r\n");
    CU_ASSERT_EQUAL(session_conn_line_or_notice(d.conn, 100, 5000, &line, &len), SESSION_LINE_OK);
    CU_ASSERT_STRING_EQUAL(line, "DONE");
    CU_ASSERT_EQUAL(session_conn_line_or_notice(d.conn, 100, 5000, &line, &len),
                    SESSION_LINE_NOTIFIED);
    wait_notify(session_conn_wait(d.conn));
    CU_ASSERT_EQUAL(line_kind(&d, 100, 10), SESSION_LINE_TIMEOUT); /* who did not ask sleeps on */
    door_close(&d);
}

/* The time is for the whole line: a byte now and then does not stretch it. */
struct dribble {
    struct door *door;
    atomic_bool done;
};

static void *dribble(void *arg)
{
    struct dribble *d = arg;
    while (!atomic_load(&d->done)) {
        door_say(d->door, "x");
        poll(NULL, 0, 50);
    }
    return NULL;
}

static void test_timeout(void)
{
    struct door d;
    struct error e = ERROR_INIT;
    struct dribble dribbling = {.door = &d};
    pthread_t thread;
    door_open(&d, &usual);
    CU_ASSERT_EQUAL(line_kind(&d, 100, 20), SESSION_LINE_TIMEOUT);
    CU_ASSERT_EQUAL(line_kind(&d, 100, 0), SESSION_LINE_TIMEOUT);
    if (!thread_start(&thread, "dribble", THREAD_STACK_SESSION, dribble, &dribbling, &e))
        abort();
    int64_t start = clock_mono_ms();
    CU_ASSERT_EQUAL(line_kind(&d, 100000, 200), SESSION_LINE_TIMEOUT);
    CU_ASSERT_TRUE(clock_mono_ms() - start >= 200);
    CU_ASSERT_TRUE(clock_mono_ms() - start < 5000);
    atomic_store(&dribbling.done, true);
    pthread_join(thread, NULL);
    door_close(&d);
}

static void *stop_soon(void *arg)
{
    door_stop(arg);
    return NULL;
}

static void test_stop(void)
{
    struct door d;
    struct error e = ERROR_INIT;
    pthread_t thread;
    door_open(&d, &usual);
    CU_ASSERT_FALSE(session_conn_stopping(d.conn));
    if (!thread_start(&thread, "stop", THREAD_STACK_SESSION, stop_soon, &d, &e))
        abort();
    CU_ASSERT_EQUAL(line_kind(&d, 100, 5000), SESSION_LINE_STOP);
    pthread_join(thread, NULL);
    CU_ASSERT_TRUE(session_conn_stopping(d.conn));
    door_say(&d, "more\r\n");
    CU_ASSERT_EQUAL(line_kind(&d, 100, 5000), SESSION_LINE_STOP);
    CU_ASSERT_TRUE(session_conn_printf(d.conn, "goodbye\r\n")); /* still heard */
    CU_ASSERT_TRUE(session_conn_flush(d.conn));
    door_close(&d);
}

/* Output waits in the buffer until the session waits for the client. */
static void test_output(void)
{
    struct buf heard = BUF_INIT(4096);
    struct door d;
    char byte;
    door_open(&d, &usual);
    session_conn_printf(d.conn, "%s %d\r\n", "+OK", 1);
    session_conn_write(d.conn, "+OK 2\r\n", 7);
    CU_ASSERT_EQUAL(recv(d.client, &byte, 1, MSG_DONTWAIT), -1);
    CU_ASSERT_EQUAL(line_kind(&d, 100, 0), SESSION_LINE_TIMEOUT);
    CU_ASSERT_STRING_EQUAL(door_hear(&d, "2\r\n", &heard), "+OK 1\r\n+OK 2\r\n");
    CU_ASSERT_EQUAL(session_conn_bytes_out(d.conn), 14);
    session_conn_printf(d.conn, "last words");
    session_conn_free(&d.conn);
    CU_ASSERT_STRING_EQUAL(door_hear(&d, "", &heard), "last words");
    door_close(&d);
    buf_free(&heard);
}

static void test_never_reads(void)
{
    struct door_options impatient = {.timeout_ms = SOON};
    struct door d;
    char piece[4096] = {0};
    bool ok = true;
    door_open(&d, &impatient);
    for (int i = 0; ok && i < 10000; i++)
        ok = session_conn_write(d.conn, piece, sizeof piece);
    CU_ASSERT_FALSE(ok);
    CU_ASSERT_FALSE(session_conn_write(d.conn, "x", 1));
    CU_ASSERT_EQUAL(line_kind(&d, 100, 5000), SESSION_LINE_FAILED);
    door_close(&d);
}

static void test_vanishes(void)
{
    struct door d;
    struct error e = ERROR_INIT;
    door_open(&d, &usual);
    shutdown(d.client, SHUT_RDWR);
    close(d.client);
    d.client = -1;
    CU_ASSERT_FALSE(wait_sleep(session_conn_wait(d.conn), &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_CANCELED);
    CU_ASSERT_EQUAL(line_kind(&d, 100, 5000), SESSION_LINE_EOF);
    session_conn_printf(d.conn, "anybody there?\r\n");
    CU_ASSERT_FALSE(session_conn_flush(d.conn));
    door_close(&d);
}

static void test_names(void)
{
    struct door_options options = {.address = "192.0.2.7"};
    char state[SESSION_STATE_SIZE];
    struct door d;
    door_open(&d, &options);
    CU_ASSERT_STRING_EQUAL(session_conn_id(d.conn), "p3-1");
    CU_ASSERT_STRING_EQUAL(session_conn_address(d.conn), "192.0.2.7");
    CU_ASSERT_EQUAL(session_conn_sockaddr(d.conn)->sa_family, AF_INET);
    session_conn_set_state(d.conn, "RETR 7");
    session_conn_state(d.conn, state);
    CU_ASSERT_STRING_EQUAL(state, "RETR 7");
    door_close(&d);
}

/* ---- TLS ---- */

struct tls_client {
    struct door *door;
    const char *says;
    int max_version;
    char heard[256];
    bool connected;
};

static void *tls_client(void *arg)
{
    struct tls_client *t = arg;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(ctx, 0);
    if (t->max_version) {
        SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(ctx, t->max_version);
    }
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, t->door->client);
    t->connected = SSL_connect(ssl) == 1;
    if (t->connected) {
        size_t got = 0;
        SSL_write(ssl, t->says, (int)strlen(t->says));
        SSL_read_ex(ssl, t->heard, sizeof t->heard - 1, &got);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return NULL;
}

static void with_tls(int max_version, bool want)
{
    struct door_certificate c;
    struct error e = ERROR_INIT;
    struct door d;
    pthread_t thread;
    door_certificate_make(&c);
    struct door_options options = {.tls = door_tls(&c), .no_plaintext_login = true};
    door_open(&d, &options);
    CU_ASSERT_TRUE(session_conn_tls_offered(d.conn));
    CU_ASSERT_FALSE(session_conn_tls_active(d.conn));
    CU_ASSERT_FALSE(session_conn_login_allowed(d.conn));

    /* What came before the handshake must not count as said inside TLS (RFC 2595 section 2). */
    struct tls_client client = {.door = &d, .says = "NOOP\r\nQUIT\r\n", .max_version = max_version};
    door_say(&d, "STLS\r\nUSER injected\r\n");
    expect_line(&d, 100, "STLS");
    if (!thread_start(&thread, "tls", THREAD_STACK_WORKER, tls_client, &client, &e))
        abort();
    CU_ASSERT_EQUAL(session_conn_starttls(d.conn, &e), want);
    if (want) {
        CU_ASSERT_TRUE(session_conn_tls_active(d.conn));
        CU_ASSERT_FALSE(session_conn_tls_offered(d.conn));
        CU_ASSERT_TRUE(session_conn_login_allowed(d.conn));
        expect_line(&d, 100, "NOOP");
        session_conn_printf(d.conn, "+OK\r\n");
        expect_line(&d, 100, "QUIT");
        session_conn_flush(d.conn);
        CU_ASSERT_EQUAL(line_kind(&d, 100, 5000), SESSION_LINE_EOF);
    } else {
        CU_ASSERT_EQUAL(e.kind, ERROR_CANCELED);
        CU_ASSERT_EQUAL(line_kind(&d, 100, 5000), SESSION_LINE_FAILED);
    }
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(client.connected, want);
    CU_ASSERT_STRING_EQUAL(client.heard, want ? "+OK\r\n" : "");
    door_close(&d);
    session_tls_unref(&options.tls);
    door_certificate_remove(&c);
}

static void test_tls(void)
{
    with_tls(0, true);
    with_tls(TLS1_2_VERSION, true);
    with_tls(TLS1_1_VERSION, false);
}

static void test_tls_garbage(void)
{
    struct door_certificate c;
    struct error e = ERROR_INIT;
    struct door d;
    door_certificate_make(&c);
    struct door_options options = {.tls = door_tls(&c), .timeout_ms = SOON};
    door_open(&d, &options);
    CU_ASSERT_FALSE(session_conn_starttls(d.conn, &e)); /* a client that says nothing */
    CU_ASSERT_EQUAL(e.kind, ERROR_TIMEOUT);
    door_close(&d);
    door_open(&d, &options);
    /* Said in the handshake's place, whoever comes first: it is thrown away or no TLS at all. */
    door_say(&d, "USER alice\r\nPASS secret\r\n");
    CU_ASSERT_FALSE(session_conn_starttls(d.conn, &e));
    CU_ASSERT_PTR_NULL(strstr(e.text, "secret"));
    door_close(&d);
    session_tls_unref(&options.tls);
    door_certificate_remove(&c);
}

static void test_tls_files(void)
{
    struct door_certificate c;
    struct error e = ERROR_INIT;
    door_certificate_make(&c);
    char *none = (char *)"/nonexistent.pem", *certificate = c.certificate, *key = c.key;
    struct config_tls wrong = {&none, 1, &key, 1, 0};
    CU_ASSERT_PTR_NULL(session_tls_new(&wrong, NULL, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/nonexistent.pem"));
    wrong = (struct config_tls){&certificate, 1, &certificate, 1, 0};
    CU_ASSERT_PTR_NULL(session_tls_new(&wrong, NULL, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "private key"));
    door_certificate_remove(&c);
}

const struct unit_test conn_tests[] = {
    {"lines", test_lines},
    {"limits of a line", test_limits},
    {"both ends of a long line", test_edges},
    {"bytes", test_bytes},
    {"notices", test_notice},
    {"timeouts", test_timeout},
    {"stop", test_stop},
    {"output", test_output},
    {"a client that never reads", test_never_reads},
    {"a client that vanishes", test_vanishes},
    {"names", test_names},
    {"TLS", test_tls},
    {"TLS with garbage", test_tls_garbage},
    {"TLS files", test_tls_files},
    {NULL, NULL},
};
