/*
 * A mailbox as Graph shows it, for the tests of mailbox/: one inbox with messages, delta and
 * listing in pages, MIME, move, delete, our mark; behind the small HTTPS server of the graph
 * tests. What can go wrong is switched on by the test. Its functions may be called at any time.
 */
#ifndef POSTERN_TESTS_MAILBOX_EXCHANGE_H
#define POSTERN_TESTS_MAILBOX_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXCHANGE_INBOX "AAinbox"
#define EXCHANGE_TRASH "AAtrash"
/* "Archive" and its child "2026/Q1", below the root beside the inbox, which is "Posteingang". */
#define EXCHANGE_ARCHIVE "AAarchive"
#define EXCHANGE_QUARTER "AAquarter"

struct exchange;

/* Guarded by exchange_lock(); plain fields, since a test sets them between requests. */
struct exchange_faults {
    unsigned page;     /* items in a page; 0: 500 */
    unsigned delay_ms; /* before each answer */
    int64_t age_ms;    /* changes are dated so long ago */
    unsigned mime_delay_ms;
    unsigned lose_moves; /* so many moves are done and not answered */
    unsigned drop_moves; /* so many are neither done nor answered */
    unsigned dead_links; /* so many nextLinks and deltaLinks answer 410 */
    unsigned fail_mime;  /* so many downloads end before their length */
    bool empty_pages;    /* each delta page comes after an empty one */
    bool late;           /* what was moved away is still told as present */
    bool no_articles;    /* 0x0E23 is missing on new messages */
    bool no_delta;       /* 400, as where delta is absent */
    bool top_delta;      /* that of folders tells the first level, and nobody counts children */
    /* Statuses of what is refused, 0: it is not. */
    int no_marks;          /* PATCH of the folder */
    int no_properties;     /* the folder with $expand */
    int no_listing;        /* listings of messages */
    int no_filter;         /* the same with $filter */
    bool no_trash;         /* moves answer 404 for want of their destination */
    const char *forbidden; /* moves and changes of this message answer 403 */
    unsigned lose_updates; /* so many changes are made and their answer is cut short */
    unsigned drop_updates; /* so many are not made, and the answer is cut short */
    unsigned conflicts;    /* so many changes are answered with 412 and not made */
    bool ignore_updates;   /* changes are answered with 200 and not made */
    bool stale;            /* deltas tell the state before the last PATCH */
    bool drafts;           /* what is delivered is a draft */
};

struct exchange_counts {
    unsigned delta, listing, message, mime, move, remove, folder;
    unsigned patch, update; /* of the folder; of messages */
};

struct exchange *exchange_start(void);
void exchange_stop(struct exchange **x);
const char *exchange_url(const struct exchange *x);
const char *exchange_ca(const struct exchange *x);
struct exchange_faults *exchange_lock(struct exchange *x);
void exchange_unlock(struct exchange *x);

/* Adds messages; ids are "m-0001" … in order of arrival, articles from 101 on. */
void exchange_deliver(struct exchange *x, unsigned count);
/* Another client's doings. */
void exchange_set_read(struct exchange *x, const char *id, bool read);
void exchange_set_properties(struct exchange *x, const char *id, bool deleted, int verb);
/* Nothing that a client sees but the change key, and the size perhaps. */
void exchange_edit(struct exchange *x, const char *id, int size);
/* "read flagged deleted 102 [ "Work" ]", as far as it is. */
void exchange_state(struct exchange *x, const char *id, char out[320]);
/* No draft any more. */
void exchange_send(struct exchange *x, const char *id);
void exchange_take_away(struct exchange *x, const char *id);
void exchange_put_back(struct exchange *x, const char *id, bool same_article);
/* The folder a message is in, "" if it is destroyed. */
const char *exchange_where(struct exchange *x, const char *id);
/* The MIME text, and our mark on the inbox ("" if none). */
void exchange_mime(const char *id, char out[256]);
void exchange_mark(struct exchange *x, char out[64]);
/* Requests since the last call; their sum, tokens aside. */
unsigned exchange_counts(struct exchange *x, struct exchange_counts *out);
void exchange_gather(struct exchange *x, unsigned count); /* server_gather() */
unsigned exchange_most_abreast(struct exchange *x);

#endif
