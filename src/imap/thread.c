/* THREAD (RFC 5256). */
#include "commands.h"
#include "order.h"
#include "respond.h"

/* A number with what may surround it: a space, parentheses of its own and of a node above it. */
#define NUMBER_OCTETS 16
#define FRAME_OCTETS  16

typedef struct thread_node *build_fn(const struct order_item *items, size_t count, struct arena *a);

static const struct {
    const char *name;
    build_fn *build;
    unsigned wants;
} algorithms[] = {
    {"REFERENCES", thread_by_references, ORDER_DATE | ORDER_SUBJECT | ORDER_IDS},
    {"ORDEREDSUBJECT", thread_by_subject, ORDER_DATE | ORDER_SUBJECT},
};

static void put_threads(struct imap_session *s, const struct thread_node *root, size_t count)
{
    struct buf out = BUF_INIT(FRAME_OCTETS + count * NUMBER_OCTETS);
    buf_puts(&out, root->first ? "* THREAD " : "* THREAD");
    thread_write(root, &out);
    buf_puts(&out, "\r\n");
    imap_send(s, &out);
    buf_free(&out);
}

void imap_thread(struct imap_session *s, const struct imap_command *c)
{
    struct search_refusal refusal = {0};
    struct error e = ERROR_INIT;
    struct imap_found found;
    struct order_item *items;
    size_t count, i = 0, known = sizeof algorithms / sizeof *algorithms;
    while (i < known && !imap_arg_is_atom(c->args, algorithms[i].name))
        i++;
    if (i == known) {
        imap_bad(s, c, "THREAD wants REFERENCES or ORDEREDSUBJECT");
        return;
    }
    if (!order_search(s, c, c->args + 1, &found))
        return;
    if (!order_read(s, c->uid, &found, algorithms[i].wants, &items, &count, &refusal, &e)) {
        search_refuse(s, c, &refusal, &e);
        return;
    }
    put_threads(s, algorithms[i].build(items, count, s->arena), count);
    imap_done(s, c, NULL, "threaded %zu", count);
}
