/* Mailboxes as principals open them: who shares what. */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>
#include <string.h>

/* UPNs are compared without case; object ids are hexadecimal. */
static char *make_key(const char *owner, const char *mailbox)
{
    char *key = xasprintf("%s\n%s", owner, mailbox);
    for (char *p = key + strlen(owner); *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    return key;
}

static struct graph_box *box_get(struct graph_tenant *t, const char *mailbox)
{
    char *key = make_key(t->name, mailbox);
    struct graph_box *b = table_get(t->client->boxes, key);
    if (b) {
        free(key);
        return b;
    }
    b = xcalloc(1, sizeof *b);
    b->key = key;
    b->tenant = t;
    b->sched.tenant = &t->sched;
    b->sched.max = t->max_concurrent;
    table_put(t->client->boxes, key, b);
    return b;
}

static struct graph_user *new_user(struct graph_client *c, const struct principal *who,
                                   const char *mailbox, char *key)
{
    struct graph_user *u = xcalloc(1, sizeof *u);
    u->client = c;
    u->identity = identity_get(c, who);
    u->tenant = u->identity->tenant;
    u->box = box_get(u->tenant, mailbox);
    u->key = key;
    u->mailbox = xstrdup(mailbox);
    u->identity->users++;
    u->box->users++;
    table_put(c->users, key, u);
    return u;
}

struct graph_user *graph_user_get(struct graph_client *client, const struct principal *who,
                                  const char *mailbox)
{
    char *owner = principal_key(who);
    char *key = make_key(owner, mailbox);
    free(owner);
    pthread_mutex_lock(&client->lock);
    struct graph_user *u = table_get(client->users, key);
    if (u)
        free(key);
    else
        u = new_user(client, who, mailbox, key);
    if (who->subject && who->bearer)
        identity_bring(u->identity, who->bearer);
    u->refs++;
    pthread_mutex_unlock(&client->lock);
    upstream_wake(&client->upstream);
    return u;
}

static void free_user(struct graph_user *u)
{
    free(u->key);
    free(u->mailbox);
    free(u);
}

static void free_box(struct graph_box *b)
{
    free(b->key);
    free(b);
}

/* Clients name themselves and what they open: what is theirs goes with their last session, token
 * and all. What stands in the configuration stays. */
void user_release(struct graph_user *u)
{
    struct graph_client *c = u->client;
    if (--u->refs || !u->identity->subject)
        return;
    struct graph_box *b = u->box;
    table_remove(c->users, u->key);
    if (--u->identity->users == 0)
        identity_free(u->identity);
    if (--b->users == 0 && b->sched.pause_until_ms <= clock_mono_ms()) {
        table_remove(c->boxes, b->key);
        free_box(b);
    }
    free_user(u);
}

void graph_user_unref(struct graph_user **user)
{
    struct graph_user *u = *user;
    if (!u)
        return;
    struct graph_client *c = u->client;
    pthread_mutex_lock(&c->lock);
    user_release(u);
    pthread_mutex_unlock(&c->lock);
    *user = NULL;
}

static bool free_each_user(void *arg, const char *key, void *value)
{
    (void)arg;
    (void)key;
    free_user(value);
    return true;
}

static bool free_each_box(void *arg, const char *key, void *value)
{
    (void)arg;
    (void)key;
    free_box(value);
    return true;
}

void user_free_all(struct graph_client *c)
{
    table_each(c->users, free_each_user, NULL);
    table_free(&c->users);
    table_each(c->boxes, free_each_box, NULL);
    table_free(&c->boxes);
}
