/*
 * The mail calls of Graph v1.0 that Postern uses: building the request, decoding the answer.
 * `*_start` return a call for graph_call_wait(); `*_decode` read an ended, successful call on
 * the thread that asked. Decoders take missing members, extra members, any order, any hex
 * spelling of property ids, strings for booleans and numbers; an answer that is cut short or of
 * the wrong shape, or has a link to another origin, is ERROR_ANSWER. Strings of decoded values live
 * in the page's arena.
 *
 * `fair_key` and `background` come from the struct graph_as.
 */
#ifndef POSTERN_GRAPH_MAIL_H
#define POSTERN_GRAPH_MAIL_H

#include "postern/base/arena.h"
#include "postern/graph/client.h"

/* On whose behalf a call is made. */
struct graph_as {
    const void *fair_key;
    bool background;
};

/* Which members of a message an answer held. */
enum {
    GRAPH_HAS_READ = 1 << 0,
    GRAPH_HAS_DRAFT = 1 << 1,
    GRAPH_HAS_FLAG = 1 << 2,
    GRAPH_HAS_CATEGORIES = 1 << 3,
    GRAPH_HAS_RECEIVED = 1 << 4,
    GRAPH_HAS_CHANGE_KEY = 1 << 5,
    GRAPH_HAS_PARENT = 1 << 6,
    GRAPH_HAS_ARTICLE = 1 << 7,      /* Integer 0x0E23 */
    GRAPH_HAS_SIZE = 1 << 8,         /* Integer or Long 0x0E08 */
    GRAPH_HAS_VERB = 1 << 9,         /* Integer 0x1081 */
    GRAPH_HAS_IMAP_DELETED = 1 << 10 /* {00062008-…} Id 0x8570 */
};

/* PidTagLastVerbExecuted. */
enum {
    GRAPH_VERB_NONE = 0,
    GRAPH_VERB_REPLY = 102,
    GRAPH_VERB_REPLY_ALL = 103,
    GRAPH_VERB_FORWARD = 104
};

struct graph_message {
    const char *id;
    bool removed; /* "@removed" was there, whatever its reason */
    unsigned has;
    bool is_read, is_draft;
    const char *flag_status; /* "flagged", "complete", "notFlagged" */
    const char **categories; /* NULL-terminated */
    int64_t received_ms;
    const char *change_key;
    const char *parent_folder_id;
    const char *message_id; /* internetMessageId, NULL: missing */
    const char *mark;       /* GRAPH_APPEND_MARK (graph/write.h), NULL: none */
    int64_t article, size, verb;
    bool imap_deleted;
};

struct graph_page {
    struct arena *arena;
    struct graph_message *messages;
    size_t count;
    const char *next_link;  /* NULL: last page */
    const char *delta_link; /* NULL: none */
};
void graph_page_free(struct graph_page *page);

/* GET …/mailFolders/{id}/messages/delta?$select=… with Prefer: odata.maxpagesize (message: delta);
 * `link` NULL starts a first round, else it is a nextLink or deltaLink. */
struct graph_call *graph_delta_start(struct graph_user *u, struct graph_as as,
                                     const char *folder_id, const char *link);
/* GET …/mailFolders/{id}/messages?$select=…&$top=500&$expand=singleValueExtendedProperties(…)
 * (user: list messages). `modified_since_ms` (wall) adds $filter=lastModifiedDateTime ge …;
 * INT64_MIN: none; with it a server that fails is asked only once more. `link`: a nextLink. */
struct graph_call *graph_listing_start(struct graph_user *u, struct graph_as as,
                                       const char *folder_id, int64_t modified_since_ms,
                                       const char *link);
/* Both kinds of page. */
bool graph_page_decode(struct graph_call *call, struct graph_page *page, struct error *e);

enum graph_headers {
    GRAPH_HEADERS_WHOLE,   /* the header block as it came in (String 0x007D) */
    GRAPH_HEADERS_ENVELOPE /* the fields of an ENVELOPE (RFC 3501 section 7.4.2) as a block made of
                              the message's properties, which every message has */
};

struct graph_header {
    const char *id;
    int64_t received_ms; /* INT64_MIN: missing */
    const char *block;   /* as Graph gives it; NULL: it has none (sent items, drafts) */
};
struct graph_header_page {
    struct arena *arena;
    struct graph_header *headers;
    size_t count;
    const char *next_link;
};
void graph_header_page_free(struct graph_header_page *page);
/* GET …/mailFolders/{id}/messages?$select=…&$top=…&$expand=…&$filter=receivedDateTime ge … and
 * receivedDateTime le …&$orderby=receivedDateTime (user: list messages), whole seconds. A server
 * that fails is asked only once more: a smaller page may do. */
struct graph_call *graph_headers_start(struct graph_user *u, struct graph_as as,
                                       const char *folder_id, int64_t from_ms, int64_t until_ms,
                                       enum graph_headers what, unsigned top, const char *link);
bool graph_headers_decode(struct graph_call *call, enum graph_headers what,
                          struct graph_header_page *page, struct error *e);

/* GET …/messages/{id}?$select=…&$expand=… with the same members as the listing. */
struct graph_call *graph_message_start(struct graph_user *u, struct graph_as as, const char *id);
bool graph_message_decode(struct graph_call *call, struct arena *a, struct graph_message *m,
                          struct error *e);

/* GET …/mailFolders/{id}/messages?$select=id&$top=1&$orderby=receivedDateTime desc: the newest
 * message alone (user: list messages). A page for graph_page_decode(). */
struct graph_call *graph_newest_start(struct graph_user *u, struct graph_as as,
                                      const char *folder_id);

/* GET …/messages/{id}/$value into a sink (Get MIME content of a message). */
struct graph_call *graph_mime_start(struct graph_user *u, struct graph_as as, const char *id,
                                    const struct graph_sink *sink,
                                    void (*done)(void *arg, struct graph_call *call), void *arg);

/* POST …/messages/{id}/move {"destinationId"} (message: move). Not repeatable. The decoder gives
 * the new parent folder. */
struct graph_call *graph_move_start(struct graph_user *u, struct graph_as as, const char *id,
                                    const char *destination);
/* DELETE …/messages/{id}; POST …/messages/{id}/permanentDelete. Not repeatable. */
struct graph_call *graph_delete_start(struct graph_user *u, struct graph_as as, const char *id);
struct graph_call *graph_purge_start(struct graph_user *u, struct graph_as as, const char *id);

#endif
