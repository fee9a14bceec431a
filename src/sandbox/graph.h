/*
 * The Graph side: from a request to its answer. The caller holds the sandbox's lock.
 */
#ifndef SANDBOX_GRAPH_H
#define SANDBOX_GRAPH_H

#include "ids.h"
#include "sandbox.h"

#define GRAPH_JSON_DEPTH 32

/* One request while it is worked on. */
struct call {
    struct sandbox *s;
    struct request *r;
    struct answer *a;
    struct mailbox *b; /* NULL outside of /users/{id}/… and /me/… */
    bool immutable;    /* Prefer: IdType="ImmutableId" */
    /* What follows /v1.0/users/{id} or /v1.0/me. */
    const char **path;
    size_t depth;
};

/* Token, client-request-id and method; false: refused, the answer is filled. */
bool graph_admit(struct sandbox *s, struct request *r, struct answer *a);
/* The mailbox that the path names, NULL if it names none that is here. */
struct mailbox *graph_mailbox_of(const struct sandbox *s, const struct request *r);
/* Throttled: 429 with Retry-After. */
void graph_throttled(struct sandbox *s, struct request *r, struct answer *a);
bool graph_is_batch(const struct request *r);
void graph_dispatch(struct sandbox *s, struct request *r, struct answer *a);

/* {"error":{"code","message","innerError":{"date","request-id","client-request-id"}}}
 * (Graph: errors). Returns false. */
bool graph_error(struct call *c, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Method not known to the resource. */
void graph_method_error(struct call *c);
/* Refuses the first query option that no handler asked for; false: refused. */
bool graph_check_options(struct call *c);
/* The body as a JSON object (caller releases); NULL: refused. Member names of an object may not
 * repeat; nothing may follow it. */
struct json_object *graph_body(struct call *c);
/* "destinationId" of a move or copy; false: refused. */
bool graph_destination(struct call *c, struct folder **out);
/* A folder by id or well-known name; false: refused. */
bool graph_find_folder(struct call *c, const char *id, struct folder **out);
/* A message by id; records a violation where the id is not an immutable one. */
bool graph_find_message(struct call *c, const char *id, struct message **out);
/* Can another message be stored? False: refused (ErrorQuotaExceeded). */
bool graph_has_room(struct call *c);
/* A request created, changed or moved this message. */
void graph_wrote(struct call *c, struct message *m);
/* Ids of messages are about to be told: a violation without the Prefer header. */
void graph_tells_ids(struct call *c);
/* "https://host/v1.0/$metadata#…" for @odata.context. */
const char *graph_context(struct call *c, const char *rest);
void graph_no_content(struct call *c);

/* The resources. `path` and `depth` are relative to the mailbox. */
void messages_handle(struct call *c);
void folders_handle(struct call *c);
/* GET …/messages of the mailbox (folder NULL) or of a folder. */
void message_list_handle(struct call *c, struct folder *folder);
/* …/messages/$count: the bare number. */
void message_count_handle(struct call *c, struct folder *folder);
/* The nextLink of a list: the request itself with another $skip. In the arena. */
const char *message_list_link(struct call *c, int64_t skip);
void message_create_handle(struct call *c, struct folder *folder);
void message_delta_handle(struct call *c, struct folder *folder);
void folder_delta_handle(struct call *c);

#endif
