/* SORT (RFC 5256) and its extended results (RFC 5267 section 3). */
#include "commands.h"
#include "order.h"
#include "respond.h"

#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 32 /* repeated keys change nothing, so that more are a fault */

enum sort_by { BY_ARRIVAL, BY_CC, BY_DATE, BY_FROM, BY_SIZE, BY_SUBJECT, BY_TO };

struct sort_key {
    enum sort_by by;
    bool reverse;
};

struct sort_order {
    struct sort_key keys[KEYS_MAX];
    size_t count;
    unsigned wants; /* ORDER_DATE … */
};

static const struct {
    const char *name;
    enum sort_by by;
    unsigned wants;
} names[] = {
    {"ARRIVAL", BY_ARRIVAL, 0},    {"CC", BY_CC, ORDER_CC},
    {"DATE", BY_DATE, ORDER_DATE}, {"FROM", BY_FROM, ORDER_FROM},
    {"SIZE", BY_SIZE, ORDER_SIZE}, {"SUBJECT", BY_SUBJECT, ORDER_SUBJECT},
    {"TO", BY_TO, ORDER_TO},
};

static bool parse_order(const struct imap_arg *arg, struct sort_order *order)
{
    bool reverse = false;
    *order = (struct sort_order){.count = 0};
    if (arg->type != IMAP_ARG_LIST)
        return false;
    for (const struct imap_arg *k = arg->list; k->type != IMAP_ARG_END; k++) {
        if (!reverse && imap_arg_is_atom(k, "REVERSE")) {
            reverse = true;
            continue;
        }
        size_t i = 0;
        while (i < sizeof names / sizeof *names && !imap_arg_is_atom(k, names[i].name))
            i++;
        if (i == sizeof names / sizeof *names || order->count == KEYS_MAX)
            return false;
        order->keys[order->count++] = (struct sort_key){names[i].by, reverse};
        order->wants |= names[i].wants;
        reverse = false;
    }
    return order->count > 0 && !reverse;
}

static int compare_numbers(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_by(enum sort_by by, const struct order_item *a, const struct order_item *b)
{
    switch (by) {
    case BY_ARRIVAL:
        return compare_numbers(a->arrival_ms, b->arrival_ms);
    case BY_CC:
        return strcmp(a->cc, b->cc);
    case BY_DATE:
        return compare_numbers(a->sent_ms, b->sent_ms);
    case BY_FROM:
        return strcmp(a->from, b->from);
    case BY_SIZE:
        return compare_numbers(a->size, b->size);
    case BY_SUBJECT:
        return strcmp(a->subject, b->subject);
    case BY_TO:
        return strcmp(a->to, b->to);
    }
    return 0;
}

/* Messages that the keys do not tell apart stay in the order of the mailbox, REVERSE or not. */
static int compare(const void *x, const void *y, void *arg)
{
    const struct order_item *a = x, *b = y;
    const struct sort_order *order = arg;
    for (size_t i = 0; i < order->count; i++) {
        int c = compare_by(order->keys[i].by, a, b);
        if (c != 0)
            return order->keys[i].reverse ? -c : c;
    }
    return compare_numbers(a->index, b->index);
}

void imap_sort(struct imap_session *s, const struct imap_command *c)
{
    const struct imap_arg *args = c->args;
    struct search_refusal refusal = {0};
    struct error e = ERROR_INIT;
    struct sort_order order;
    struct imap_found found;
    struct order_item *items;
    size_t count;
    unsigned options;
    if (!search_return_options(&args, &options) || args->type == IMAP_ARG_END ||
        !parse_order(args, &order)) {
        imap_bad(s, c, "SORT wants RETURN options or none, sort keys, a charset and search keys");
        return;
    }
    const struct search_program *p = order_search(s, c, args + 1, &found);
    if (!p)
        return;
    if (!order_read(s, c->uid, &found, order.wants, &items, &count, &refusal, &e)) {
        search_refuse(s, c, &refusal, &e);
        return;
    }
    qsort_r(items, count, sizeof *items, compare, &order);
    for (size_t i = 0; i < count; i++) {
        found.uids[i] = items[i].number;
        found.indices[i] = items[i].index;
    }
    uint64_t modseq = p->modseq ? search_highest_modseq(s, found.indices, count, options) : 0;
    if (options)
        search_put_extended(s, c, options, found.uids, count, modseq);
    else
        search_put_plain(s, "SORT", found.uids, count, modseq);
    imap_done(s, c, NULL, "sorted %zu", count);
}
