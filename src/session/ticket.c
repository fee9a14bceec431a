#include "ticket.h"

#include "gate.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

#include <stdlib.h>

struct session_ticket {
    struct session_gate *gate;
    struct config *config;
    const struct config_login *login; /* inside config, or `guest` */
    struct config_login guest;
    char *mailbox;
    char *subject, *bearer, *user; /* of a client's own token */
    struct principal principal;
    char *counted; /* whose sessions it is one of */
};

static void ticket_free(struct session_ticket *t)
{
    config_unref(&t->config);
    free(t->mailbox);
    free(t->subject);
    free(t->user);
    free(t->counted);
    secret_free(t->bearer);
    free(t);
}

/* On behalf of the token's owner. */
static void add_token(struct session_ticket *t, const struct ticket_facts *f)
{
    t->subject = xstrdup(f->subject);
    t->user = xstrdup(f->user);
    t->bearer = xstrdup(f->bearer);
    t->principal =
        (struct principal){.tenant = f->tenant->name, .subject = t->subject, .bearer = t->bearer};
    if (t->login)
        return;
    t->guest = *f->tenant->guest;
    t->guest.name = t->user;
    t->guest.mailbox = t->mailbox;
    t->login = &t->guest;
}

struct session_ticket *ticket_open(const struct ticket_facts *f)
{
    struct session_ticket *t = xcalloc(1, sizeof *t);
    t->gate = f->gate;
    t->config = config_ref(f->config);
    t->login = f->login;
    t->mailbox = xstrdup(f->mailbox);
    if (f->subject)
        add_token(t, f);
    else
        t->principal = config_login_principal(t->login);
    /* The owner of a token may have the name of a login. */
    t->counted = t->login == &t->guest ? principal_key(&t->principal) : xstrdup(t->login->name);
    unsigned max = t->login->max_connections ? t->login->max_connections
                                             : t->config->limits.max_connections_per_login;
    if (gate_count_in(t->gate, t->counted, max))
        return t;
    ticket_free(t);
    return NULL;
}

const struct config_login *session_ticket_login(const struct session_ticket *t)
{
    return t->login;
}

const char *session_ticket_mailbox(const struct session_ticket *t)
{
    return t->mailbox;
}

const struct principal *session_ticket_principal(const struct session_ticket *t)
{
    return &t->principal;
}

const struct config *session_ticket_config(const struct session_ticket *t)
{
    return t->config;
}

void session_ticket_release(struct session_ticket **ticket)
{
    struct session_ticket *t = *ticket;
    if (!t)
        return;
    gate_count_out(t->gate, t->counted);
    log_set_login(NULL);
    log_set_mailbox(NULL);
    ticket_free(t);
    *ticket = NULL;
}
