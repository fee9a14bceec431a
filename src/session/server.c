#include "postern/session/server.h"

#include "address.h"
#include "admission.h"
#include "counts.h"
#include "listener.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/base/thread.h"
#include "postern/session/inventory.h"
#include "postern/session/login.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define ACCEPT_PAUSE_MS   1000 /* after accept failed for want of something */
#define WRITE_TIMEOUT_MS  (5 * 60 * CLOCK_SECOND)
#define KEEPALIVE_IDLE_S  120
#define KEEPALIVE_EVERY_S 30
#define KEEPALIVE_COUNT   4
#define FIRST_ID          1
#define NOTES_AT_ONCE     1000

/* One connection and its thread. In `running` until its session is over, then in `over` until
 * the main thread has joined it. */
struct session {
    struct session *next;
    struct session_server *server;
    pthread_t thread;
    int fd;
    struct session_conn *conn; /* set and cleared under the lock */
    const struct session_protocol *protocol;
    struct config *config;
    const struct config_listener *listener; /* inside config */
    char key[ADDRESS_SIZE];                 /* of the client, once it is known and counted */
    uint64_t noted; /* the turn of session_server_note_clients() that was here, under the lock */
};

struct session_server {
    const struct session_protocol *protocols;
    size_t protocol_count;
    struct mailbox_registry *mailboxes;
    struct inventory *inventory; /* NULL: none */
    struct session_gate *gate;
    struct counts *counts;
    struct session_stop stop;

    struct config *config; /* the main thread's, with the listeners made from it */
    struct listener_set listeners;
    int spare_fd; /* given up for a moment when descriptors run out */
    uint64_t next_id;

    pthread_mutex_t lock; /* guards what follows */
    struct session *running;
    struct session *over;
    uint64_t note_turn;
    int over_fd; /* eventfd: something came into `over` */
};

struct session_server *session_server_new(const struct session_protocol *protocols, size_t count,
                                          struct mailbox_registry *mailboxes,
                                          struct inventory *inventory)
{
    struct session_server *s = xcalloc(1, sizeof *s);
    s->protocols = protocols;
    s->protocol_count = count;
    s->mailboxes = mailboxes;
    s->inventory = inventory;
    s->gate = session_gate_new(mailboxes);
    s->counts = counts_new();
    s->next_id = FIRST_ID;
    s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    s->over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

bool session_server_configure(struct session_server *s, struct config *config, struct error *e)
{
    struct listener_set set;
    if (!listener_set_open(&set, config, &s->listeners, e))
        return false;
    listener_set_close(&s->listeners, &set);
    s->listeners = set;
    struct config *old = s->config;
    s->config = config_ref(config);
    config_unref(&old);
    session_gate_configure(s->gate, config);
    return true;
}

void session_server_set_logins(struct session_server *s, struct config *config)
{
    session_gate_configure(s->gate, config);
}

bool session_server_bound(const struct session_server *s, size_t index,
                          struct sockaddr_storage *address)
{
    socklen_t len = sizeof *address;
    return index < s->listeners.count &&
           getsockname(s->listeners.items[index].fd, (struct sockaddr *)address, &len) == 0;
}

/* ---- a session's life ---- */

static void wake_main(struct session_server *s)
{
    uint64_t one = 1;
    ssize_t ignored = write(s->over_fd, &one, sizeof one);
    (void)ignored;
}

/* The thread's last act: out of the list first, so that a stop never touches a closed socket. */
static void session_end(struct session *session)
{
    struct session_server *s = session->server;
    struct session_conn *conn = session->conn;
    struct session **p;
    pthread_mutex_lock(&s->lock);
    for (p = &s->running; *p != session; p = &(*p)->next)
        continue;
    *p = session->next;
    session->conn = NULL;
    pthread_mutex_unlock(&s->lock);

    session_conn_free(&conn);

    pthread_mutex_lock(&s->lock);
    session->next = s->over;
    s->over = session;
    pthread_mutex_unlock(&s->lock);
    /* Last: whoever sees that none is left finds all of them in `over`. */
    counts_leave(s->counts, session->key);
    wake_main(s);
}

/* The kernel's word on who is at the other end of a Unix socket. */
static void log_connected(const struct session *session)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (session_conn_sockaddr(session->conn)->sa_family == AF_UNIX &&
        getsockopt(session->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
        log_info("connected: by the socket of listener \"%s\", process %ld of user %lu",
                 session->listener->name, (long)peer.pid, (unsigned long)peer.uid);
    else
        log_debug("connected: from %s", session_conn_address(session->conn));
}

static bool welcome(struct session *session)
{
    const struct admission admission = {.listener = session->listener,
                                        .limits = &session->config->limits,
                                        .counts = session->server->counts,
                                        .too_many = session->protocol->too_many};
    struct error e = ERROR_INIT;
    if (session->listener->proxy_count &&
        !admission_by_proxy(&admission, session->conn, session->key))
        return false;
    log_connected(session);
    if (session->listener->tls != TLS_IMPLICIT || session_conn_starttls(session->conn, &e))
        return true;
    log_error_value(LOG_LEVEL_INFO, &e, "connection from %s ended",
                    session_conn_address(session->conn));
    return false;
}

static void *session_thread(void *arg)
{
    struct session *session = arg;
    struct session_conn *conn = session->conn;
    log_set_session(session_conn_id(conn));
    if (welcome(session))
        session->protocol->run(conn, session->server->mailboxes, session->config);
    session_end(session);
    return NULL;
}

/* Joins the threads that are over. */
static void reap(struct session_server *s)
{
    uint64_t ignored_count;
    ssize_t ignored = read(s->over_fd, &ignored_count, sizeof ignored_count);
    (void)ignored;
    pthread_mutex_lock(&s->lock);
    struct session *over = s->over;
    s->over = NULL;
    pthread_mutex_unlock(&s->lock);
    while (over) {
        struct session *next = over->next;
        pthread_join(over->thread, NULL);
        config_unref(&over->config);
        free(over);
        over = next;
    }
}

/* ---- accepting ---- */

static const struct session_protocol *protocol_of(const struct session_server *s,
                                                  const struct config_listener *l)
{
    for (size_t i = 0; i < s->protocol_count; i++) {
        if (s->protocols[i].protocol == l->protocol)
            return &s->protocols[i];
    }
    return NULL;
}

static void set_options(int fd)
{
    int on = 1, idle = KEEPALIVE_IDLE_S, every = KEEPALIVE_EVERY_S, count = KEEPALIVE_COUNT;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

/* Says the protocol's line if it fits into the socket at once, and closes. */
static void turn_away(int fd, const char *line)
{
    if (line)
        send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    close(fd);
}

static struct session_conn *make_conn(struct session_server *s, int fd, const struct listener *l,
                                      const struct sockaddr *peer, socklen_t len, struct error *e)
{
    const struct config_limits *limits = &s->config->limits;
    char id[32];
    snprintf(id, sizeof id, "%s-%llx", l->config->protocol == PROTOCOL_POP3 ? "p3" : "im",
             (unsigned long long)s->next_id++);
    struct session_conn_settings settings = {
        .id = id,
        .address = peer,
        .address_len = len,
        .tls_mode = l->config->tls,
        .tls = l->tls,
        .plaintext_login =
            admission_plaintext(l->config, peer) || (l->loopback && !l->config->proxy_count),
        .listed = l->config->network_count > 0,
        .gate = s->gate,
        .client = inventory_client_new(s->inventory, l->config, peer),
        .stop = &s->stop,
        .handshake_timeout_ms = limits->login_timeout_ms,
        .write_timeout_ms = limits->idle_timeout_ms < WRITE_TIMEOUT_MS ? limits->idle_timeout_ms
                                                                       : WRITE_TIMEOUT_MS};
    return session_conn_new(fd, &settings, e);
}

/* The session is listed before its thread runs; both under the lock, since the thread may be over
 * before thread_start() has told its name here. */
static bool start(struct session_server *s, struct session *session, struct error *e)
{
    pthread_mutex_lock(&s->lock);
    bool ok = thread_start(&session->thread, session_conn_id(session->conn), THREAD_STACK_SESSION,
                           session_thread, session, e);
    if (ok) {
        session->next = s->running;
        s->running = session;
    }
    pthread_mutex_unlock(&s->lock);
    return ok;
}

/* `key`: as it was counted, "" if the client is not known yet. */
static bool serve(struct session_server *s, int fd, const struct listener *l,
                  const struct sockaddr *peer, socklen_t len, const char *key)
{
    struct error e = ERROR_INIT;
    struct session *session = xcalloc(1, sizeof *session);
    session->server = s;
    session->fd = fd;
    session->protocol = protocol_of(s, l->config);
    session->listener = l->config;
    session->config = config_ref(s->config);
    snprintf(session->key, sizeof session->key, "%s", key);
    session->conn = make_conn(s, fd, l, peer, len, &e);
    if (session->conn && start(s, session, &e))
        return true;
    log_error_value(LOG_LEVEL_ERROR, &e, "a connection was turned away");
    counts_leave(s->counts, key);
    session_conn_free(&session->conn);
    config_unref(&session->config);
    free(session);
    return false;
}

/* False: something is lacking that the next connection would lack too. */
static bool admit(struct session_server *s, int fd, const struct listener *l,
                  const struct sockaddr *peer, socklen_t len)
{
    const struct config_listener *lc = l->config;
    const struct session_protocol *protocol = protocol_of(s, lc);
    char address[ADDRESS_SIZE], key[ADDRESS_SIZE];
    address_format(peer, address);
    address_key(peer, key);
    const char *why = protocol ? admission_refusal(lc, peer) : "its protocol is not served";
    if (why) {
        log_info("listener \"%s\": %s may not connect: %s", lc->name, address, why);
        inventory_turned_away(s->inventory, lc, peer, why);
        turn_away(fd, NULL);
        return true;
    }
    const struct admission admission = {.listener = lc,
                                        .limits = &s->config->limits,
                                        .counts = s->counts,
                                        .too_many = protocol->too_many};
    const char *over = admission_count(&admission, key);
    if (over) {
        log_warning("listener \"%s\": %s turned away, %s is reached", lc->name, address, over);
        inventory_turned_away(s->inventory, lc, peer, over);
        /* In the middle of a TLS handshake a line of text would be noise. */
        turn_away(fd, lc->tls == TLS_IMPLICIT ? NULL : protocol->too_many);
        return true;
    }
    set_options(fd);
    return serve(s, fd, l, peer, len, lc->proxy_count ? "" : key);
}

/* Descriptors have run out: one client is let in by the spare one and closed, so that it knows,
 * and accept does not spin on it. */
static void drop_one(struct session_server *s, int listen_fd)
{
    if (s->spare_fd >= 0)
        close(s->spare_fd);
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* False: accepting should pause. */
static bool accept_one(struct session_server *s, const struct listener *l)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    memset(&peer, 0, sizeof peer);
    int fd = accept4(l->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC);
    if (fd >= 0)
        return admit(s, fd, l, (struct sockaddr *)&peer, len);
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
        return true; /* that client is gone already, or nobody was there */
    log_error("listener \"%s\": cannot accept: %s; raise the limit of open files (LimitNOFILE) or "
              "lower max-connections",
              l->config->name, strerror(errno));
    drop_one(s, l->fd);
    return false;
}

bool session_server_accept(struct session_server *s, int stop_fd, struct error *e)
{
    size_t listeners = s->listeners.count;
    struct pollfd *fds = xcalloc(listeners + 2, sizeof *fds);
    bool ok = true, pause = false;
    fds[0] = (struct pollfd){.fd = stop_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = s->over_fd, .events = POLLIN};
    for (size_t i = 0; i < listeners; i++)
        fds[i + 2] = (struct pollfd){.fd = s->listeners.items[i].fd, .events = POLLIN};
    while (!fds[0].revents) {
        int n = poll(fds, pause ? 2 : listeners + 2, pause ? ACCEPT_PAUSE_MS : -1);
        if (n < 0 && errno != EINTR) {
            ok = error_set(e, ERROR_LOCAL, "cannot wait for connections: %s", strerror(errno));
            break;
        }
        if (n > 0 && fds[1].revents)
            reap(s);
        bool paused = pause;
        pause = false;
        for (size_t i = 0; n > 0 && !paused && i < listeners; i++) {
            if (fds[i + 2].revents && !accept_one(s, &s->listeners.items[i]))
                pause = true;
        }
    }
    free(fds);
    return ok;
}

/* ---- stopping ---- */

static void notify_all(struct session_server *s)
{
    pthread_mutex_lock(&s->lock);
    for (struct session *i = s->running; i; i = i->next)
        wait_notify(session_conn_wait(i->conn));
    pthread_mutex_unlock(&s->lock);
}

/* Joins sessions until none is left or the time is over. */
static bool wait_for_sessions(struct session_server *s, int64_t deadline)
{
    for (;;) {
        reap(s);
        if (session_server_count(s) == 0) {
            reap(s); /* what came into `over` between the two looks */
            return true;
        }
        int64_t left = deadline - clock_mono_ms();
        if (left <= 0)
            return false;
        struct pollfd fd = {.fd = s->over_fd, .events = POLLIN};
        poll(&fd, 1, left > INT32_MAX ? -1 : (int)left);
    }
}

static void cut_off(struct session_server *s)
{
    pthread_mutex_lock(&s->lock);
    for (struct session *i = s->running; i; i = i->next) {
        char state[SESSION_STATE_SIZE];
        session_conn_state(i->conn, state);
        log_warning("stopping: session %s is cut off after the grace time (%s)",
                    session_conn_id(i->conn), state);
        shutdown(i->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&s->lock);
}

void session_server_stop(struct session_server *s)
{
    int64_t grace = s->config ? s->config->limits.grace_ms : 0;
    listener_set_close(&s->listeners, NULL);
    atomic_store(&s->stop.asked, true);
    notify_all(s);
    if (wait_for_sessions(s, clock_mono_ms() + grace))
        return;
    atomic_store(&s->stop.now, true);
    cut_off(s);
    notify_all(s);
    wait_for_sessions(s, CLOCK_NEVER);
}

void session_server_free(struct session_server **server)
{
    struct session_server *s = *server;
    if (!s)
        return;
    listener_set_close(&s->listeners, NULL);
    session_gate_free(&s->gate);
    counts_free(&s->counts);
    config_unref(&s->config);
    if (s->spare_fd >= 0)
        close(s->spare_fd);
    close(s->over_fd);
    pthread_mutex_destroy(&s->lock);
    free(s);
    *server = NULL;
}

unsigned session_server_count(struct session_server *s)
{
    return counts_total(s->counts);
}

/* ---- the inventory ---- */

/* The sessions of a batch leave their notes under the lock, in memory; the disk comes after. */
void session_server_note_clients(struct session_server *s)
{
    if (!s->inventory)
        return;
    pthread_mutex_lock(&s->lock);
    uint64_t turn = ++s->note_turn;
    pthread_mutex_unlock(&s->lock);
    unsigned batch;
    do {
        batch = 0;
        pthread_mutex_lock(&s->lock);
        for (struct session *i = s->running; i && batch < NOTES_AT_ONCE; i = i->next) {
            if (i->noted >= turn)
                continue;
            i->noted = turn;
            session_conn_leave_client(i->conn);
            batch++;
        }
        pthread_mutex_unlock(&s->lock);
        inventory_flush(s->inventory);
    } while (batch == NOTES_AT_ONCE);
}
