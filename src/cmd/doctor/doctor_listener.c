/* The side of the clients: certificates, listeners, what is weakened. */
#include "doctor.h"

#include "postern/base/clock.h"
#include "weak.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DAY_MS     (24 * 3600 * (int64_t)CLOCK_SECOND)
#define CONNECT_MS 3000
#define RSA_MIN    2048
#define TLS_1_2    0x0303

/* --- certificates --- */

static void look_at_dates(struct doctor *d, const char *step, const char *path,
                          const struct certificate *c, const char *renew)
{
    char from[CLOCK_ISO_SIZE], until[CLOCK_ISO_SIZE];
    int64_t now = clock_wall_ms();
    clock_format_iso(c->from_ms, from);
    clock_format_iso(c->until_ms, until);
    long long days = (c->until_ms - now) / DAY_MS;
    if (now >= c->until_ms) {
        steps_add(d->steps, STEP_FAIL, step, "%s expired on %.10s", path, until);
        steps_fix(d->steps, "%s", renew);
    } else if (now < c->from_ms) {
        steps_add(d->steps, STEP_FAIL, step, "%s is good from %s on only", path, from);
        steps_fix(d->steps, "set this machine's clock, or wait");
    } else if (days < DOCTOR_WARN_DAYS) {
        steps_add(d->steps, STEP_WARN, step, "%s expires in %lld days, on %.10s", path, days,
                  until);
        steps_fix(d->steps, "%s", renew);
    } else {
        steps_add(d->steps, STEP_OK, step, "%s: good until %.10s, %s, from %s", path, until, c->key,
                  c->self_signed ? "itself" : c->issuer);
    }
}

void doctor_certificate(struct doctor *d, const char *step, const char *path, bool names,
                        const char *renew)
{
    struct certificate c;
    struct error e = ERROR_INIT;
    if (!certificate_read(path, &c, &e)) {
        steps_add(d->steps, STEP_FAIL, step, "%s", e.text);
        steps_fix(d->steps, "let the user that runs postern read it");
        return;
    }
    look_at_dates(d, step, path, &c, renew);
    if (c.is_rsa && c.bits < RSA_MIN) {
        steps_add(d->steps, STEP_WARN, step, "%s: an RSA key of %d bits is refused by many", path,
                  c.bits);
        steps_fix(d->steps, "make a new one with %d bits or more", RSA_MIN);
    }
    if (!names)
        return;
    if (c.names[0]) {
        steps_add(d->steps, STEP_NOTE, step, "%s serves the names %s", path, c.names);
    } else {
        steps_add(d->steps, STEP_WARN, step, "%s names no host (subjectAltName)", path);
        steps_fix(d->steps,
                  "today's clients refuse it; make one that names the host they connect to");
    }
    if (c.chain == 1 && !c.self_signed) {
        steps_add(d->steps, STEP_WARN, step, "%s holds no intermediate certificates", path);
        steps_fix(d->steps, "append those of %s, unless clients trust it directly", c.issuer);
    }
}

static void look_at_certificates(struct doctor *d)
{
    const struct config_tls *tls = &d->config->tls;
    bool legacy = false, rsa = false;
    for (size_t i = 0; i < d->config->listener_count; i++)
        legacy = legacy || (d->config->listeners[i].legacy_tls &&
                            d->config->listeners[i].min_version < TLS_1_2);
    for (size_t i = 0; i < tls->certificate_count; i++) {
        struct certificate c;
        struct error e = ERROR_INIT;
        doctor_certificate(d, "certificate", tls->certificates[i], true,
                           "renew it, then reload postern (SIGHUP)");
        rsa = rsa || (certificate_read(tls->certificates[i], &c, &e) && c.is_rsa);
    }
    if (legacy && !rsa) {
        steps_add(d->steps, STEP_FAIL, "certificate",
                  "a listener accepts TLS 1.0 or 1.1, but none of the certificates is RSA");
        steps_fix(d->steps, "add an RSA certificate: devices of that time know nothing else");
    }
}

/* --- addresses --- */

static bool wait_for(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    return poll(&p, 1, CONNECT_MS) == 1;
}

static int open_socket(const struct config_listener *l)
{
    return socket(l->sockaddr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* 0 or an errno. */
static int try_connect(int fd, const struct config_listener *l)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (connect(fd, (const struct sockaddr *)&l->sockaddr, l->sockaddr_len) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    if (!wait_for(fd, POLLOUT))
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

/* Only where we are let in, and where the server speaks first. */
static bool greets(const struct config_listener *l)
{
    return l->tls != TLS_IMPLICIT && !l->proxy_count && !l->network_count;
}

static bool is_greeted(int fd, const struct config_listener *l)
{
    char text[4] = "";
    const char *want = l->protocol == PROTOCOL_IMAP ? "* O" : "+OK";
    return wait_for(fd, POLLIN) && recv(fd, text, 3, MSG_PEEK) == 3 && strcmp(text, want) == 0;
}

static void look_at_running(struct doctor *d, const struct config_listener *l, int fd)
{
    int error = try_connect(fd, l);
    if (error) {
        steps_add(d->steps, STEP_FAIL, "address", "%s does not answer: %s", l->address,
                  strerror(error));
        steps_fix(d->steps, "postern serve reads a change of listeners at a reload (SIGHUP); its "
                            "log says what kept it from listening");
    } else if (greets(l) && !is_greeted(fd, l)) {
        steps_add(d->steps, STEP_FAIL, "address", "%s is open, but gives no greeting of %s",
                  l->address, l->protocol == PROTOCOL_IMAP ? "IMAP" : "POP3");
        steps_fix(d->steps, "another program listens there, or max-connections is reached");
    } else {
        steps_add(d->steps, STEP_OK, "address", "%s answers", l->address);
    }
}

static const char *advice_for(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "another program listens there (ss -ltnp names it): stop it, or take another port";
    case EACCES:
        return "ports below 1024 need root at the start, or the capability CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
        return "this machine has no such address (ip address lists them)";
    default:
        return "check the address";
    }
}

static void look_at_free(struct doctor *d, const struct config_listener *l, int fd)
{
    int yes = 1;
    if (l->sockaddr.ss_family == AF_UNIX) {
        steps_add(d->steps, STEP_SKIP, "address", "%s: serve does not run", l->address);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (const struct sockaddr *)&l->sockaddr, l->sockaddr_len) == 0 &&
        listen(fd, 1) == 0) {
        steps_add(d->steps, STEP_OK, "address", "%s is free", l->address);
        return;
    }
    int error = errno;
    steps_add(d->steps, STEP_FAIL, "address", "%s cannot be taken: %s", l->address,
              strerror(error));
    steps_fix(d->steps, "%s", advice_for(error));
}

static void look_at_listener(struct doctor *d, const struct config_listener *l, bool served)
{
    steps_subject(d->steps, "listener \"%s\"", l->name);
    if (!l->sockaddr_len) {
        steps_add(d->steps, STEP_NOTE, "address", "%s comes from systemd", l->address);
        return;
    }
    int fd = open_socket(l);
    if (fd < 0) {
        steps_add(d->steps, STEP_FAIL, "address", "%s: %s", l->address, strerror(errno));
        steps_fix(d->steps, "%s", advice_for(errno));
        return;
    }
    if (served)
        look_at_running(d, l, fd);
    else
        look_at_free(d, l, fd);
    close(fd);
}

static void add_weakness(void *arg, int line, const char *text)
{
    struct doctor *d = arg;
    steps_add(d->steps, STEP_WARN, "weakened", "%s:%d: %s", d->config->path, line, text);
}

void doctor_listeners(struct doctor *d, bool served)
{
    look_at_certificates(d);
    weak_each(d->config, add_weakness, d);
    for (size_t i = 0; i < d->config->listener_count; i++)
        look_at_listener(d, &d->config->listeners[i], served);
    steps_subject(d->steps, "%s", "");
}
