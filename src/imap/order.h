/*
 * SORT and THREAD from the inside (RFC 5256): what of a message decides its place, read for all
 * messages that a search found. Everything lives in the command's arena.
 */
#ifndef IMAP_ORDER_H
#define IMAP_ORDER_H

#include "search.h"

/* What must be known; INTERNALDATE always is. */
enum {
    ORDER_DATE = 1 << 0,
    ORDER_SUBJECT = 1 << 1,
    ORDER_FROM = 1 << 2,
    ORDER_TO = 1 << 3,
    ORDER_CC = 1 << 4,
    ORDER_SIZE = 1 << 5,
    ORDER_IDS = 1 << 6
};

struct order_item {
    uint32_t number; /* as it is told: sequence number or UID */
    uint32_t index;  /* in the announced view */
    int64_t arrival_ms;
    int64_t sent_ms; /* of the Date field; INTERNALDATE if that says none (RFC 5256 section 2.2) */
    int64_t size;
    /* Mapped for comparing (mime/casemap.h), "" if there is none. */
    const char *subject, *from, *to, *cc;
    bool reply;                    /* by its subject */
    const char *id;                /* NULL: none */
    const char *const *references; /* oldest first */
    size_t reference_count;
};

/* Reads what `wants` says of the messages found. *items is in the order of the view; messages that
 * have gone are left out. False: as search_run(). */
bool order_read(struct imap_session *s, bool uid, const struct imap_found *found, unsigned wants,
                struct order_item **items, size_t *count, struct search_refusal *refusal,
                struct error *e);

/* The two arguments that SORT and THREAD end with, a charset and search keys, and the search.
 * NULL: the command has been answered. */
const struct search_program *order_search(struct imap_session *s, const struct imap_command *c,
                                          const struct imap_arg *args, struct imap_found *found);

/* ---- thread_build.c: pure ---- */

/* One message, or what holds together messages that answer one which is not there. */
struct thread_node {
    const struct order_item *item; /* NULL: not there */
    struct thread_node *parent, *first, *next;
    struct thread_node *last; /* private: of the parts */
};

/* Both return the root of all threads, itself no message, its parts and theirs in order. */
struct thread_node *thread_by_references(const struct order_item *items, size_t count,
                                         struct arena *a);
struct thread_node *thread_by_subject(const struct order_item *items, size_t count,
                                      struct arena *a);
/* "(2)(3 6 (4 23)(44 7 96))" */
bool thread_write(const struct thread_node *root, struct buf *out);

#endif
