/*
 * COPY commands of one mailbox beside each other. A copy whose answer was lost is looked for by its
 * Message-ID, which it shares with every other copy of that message: one of another client must not
 * be taken for it, or two are told of one copy, and undoing the lost one takes the other's away. So
 * nobody looks while requests are on their way, and two do not look at once: then each copy either
 * is known to be somebody's or is nobody's yet.
 */
#include "internal.h"

void copies_join(struct mailbox_account *a)
{
    pthread_mutex_lock(&a->lock);
    if (a->copies.commands++ == 0)
        a->copies.made = table_new();
    pthread_mutex_unlock(&a->lock);
}

void copies_leave(struct mailbox_account *a)
{
    pthread_mutex_lock(&a->lock);
    if (--a->copies.commands == 0)
        table_free(&a->copies.made);
    pthread_mutex_unlock(&a->lock);
}

void copies_made(struct mailbox_account *a, const char *graph_id)
{
    pthread_mutex_lock(&a->lock);
    table_put(a->copies.made, graph_id, a);
    pthread_mutex_unlock(&a->lock);
}

bool copies_is_made(struct mailbox_account *a, const char *graph_id)
{
    pthread_mutex_lock(&a->lock);
    bool made = table_get(a->copies.made, graph_id) != NULL;
    pthread_mutex_unlock(&a->lock);
    return made;
}

static bool may_send(const struct account_copies *c)
{
    return c->lookers == 0;
}

static bool may_look(const struct account_copies *c)
{
    return c->senders == 0 && !c->looking;
}

/* Called and left with the lock held. */
static bool await(struct mailbox_account *a, bool (*may)(const struct account_copies *c),
                  struct wait *w, struct error *e)
{
    bool ok = true;
    wait_list_add(&a->copies.waiters, w);
    while (ok && !may(&a->copies)) {
        pthread_mutex_unlock(&a->lock);
        ok = wait_sleep(w, e);
        pthread_mutex_lock(&a->lock);
    }
    wait_list_remove(&a->copies.waiters, w);
    return ok;
}

bool copies_begin_sending(struct mailbox_account *a, struct wait *w, struct error *e)
{
    pthread_mutex_lock(&a->lock);
    bool ok = await(a, may_send, w, e);
    a->copies.senders += ok;
    pthread_mutex_unlock(&a->lock);
    return ok;
}

void copies_end_sending(struct mailbox_account *a)
{
    pthread_mutex_lock(&a->lock);
    a->copies.senders--;
    wait_list_notify_all(&a->copies.waiters);
    pthread_mutex_unlock(&a->lock);
}

static void stop_looking(struct mailbox_account *a)
{
    a->copies.lookers--;
    wait_list_notify_all(&a->copies.waiters);
}

bool copies_begin_looking(struct mailbox_account *a, struct wait *w, struct error *e)
{
    pthread_mutex_lock(&a->lock);
    a->copies.lookers++;
    bool ok = await(a, may_look, w, e);
    if (ok)
        a->copies.looking = true;
    else
        stop_looking(a);
    pthread_mutex_unlock(&a->lock);
    return ok;
}

void copies_end_looking(struct mailbox_account *a)
{
    pthread_mutex_lock(&a->lock);
    a->copies.looking = false;
    stop_looking(a);
    pthread_mutex_unlock(&a->lock);
}
