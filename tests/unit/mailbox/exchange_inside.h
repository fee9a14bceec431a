/* What the files of exchange.h share. All with the exchange's lock held. */
#ifndef POSTERN_TESTS_MAILBOX_EXCHANGE_INSIDE_H
#define POSTERN_TESTS_MAILBOX_EXCHANGE_INSIDE_H

#include "exchange.h"

#include "../graph/server.h"

#include "postern/base/buf.h"

#include <pthread.h>

#define MAILS_MAX   4096
#define ANSWERS_MAX 8192
#define ANSWER_MAX  (4 << 20)

struct mail {
    char id[16];
    const char *folder;
    int64_t article; /* 0: none */
    bool read, flagged, draft, deleted, was_in_inbox;
    bool old_read; /* before the last PATCH */
    int verb, size;
    char categories[256]; /* JSON */
    unsigned change;      /* when it last changed */
    unsigned old_change;  /* before the last PATCH, 0: none */
    int64_t modified_ms;
};

struct exchange {
    struct server *server;
    pthread_mutex_t lock;
    struct exchange_faults faults;
    struct exchange_counts counts;
    struct mail mails[MAILS_MAX];
    size_t count;
    int64_t article_next;
    unsigned change;
    char mark[64];
    char *answers[ANSWERS_MAX]; /* bodies must outlive their sending */
    size_t answer_count;
};

/* Takes the text over; it lives as long as the exchange. */
struct server_reply exchange_json(struct exchange *x, int status, struct buf *body);
struct server_reply exchange_failure(struct exchange *x, int status, const char *code);

/* The folders below `parent_or_null`, or all by delta; nothing changed `since` a link. */
struct server_reply exchange_folders(struct exchange *x, const char *parent_or_null, bool since);
struct server_reply exchange_folder(struct exchange *x, const char *target);
/* A PATCH of a folder: takes the mark. */
struct server_reply exchange_patch(struct exchange *x, const struct server_request *request);

#endif
