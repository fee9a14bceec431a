/*
 * The calls that look for messages, change them and make them: filters, updates, copies, new
 * messages, attachments.
 * As in graph/mail.h, `*_start` return a call for graph_call_wait(), `*_decode` read an ended,
 * successful one on the thread that asked.
 */
#ifndef POSTERN_GRAPH_WRITE_H
#define POSTERN_GRAPH_WRITE_H

#include "postern/graph/mail.h"

/* What is to become of a message. */
struct graph_update {
    /* What changes: GRAPH_HAS_READ, _FLAG, _CATEGORIES, _VERB, _IMAP_DELETED. */
    unsigned has;
    bool is_read;            /* to be told even where it does not change: the icon follows it */
    bool flagged;            /* false: notFlagged */
    const char **categories; /* all of them, NULL-terminated */
    int64_t verb;            /* GRAPH_VERB_NONE … */
    bool imap_deleted;
};

/* PATCH …/messages/{id} (message: update); \Deleted and the verb are extended properties, the icon
 * (0x1080) goes with the verb. Safe to repeat. The answer is a message for graph_message_decode(),
 * without extended properties. */
struct graph_call *graph_update_start(struct graph_user *u, struct graph_as as, const char *id,
                                      const struct graph_update *update);

/* What a listing of a folder is to show. */
enum graph_find {
    GRAPH_FIND_DELETED,    /* IMAP's \Deleted: PidLidImapDeleted is 1 */
    GRAPH_FIND_MESSAGE_ID, /* internetMessageId is `value` */
    GRAPH_FIND_MARK,       /* our own property GRAPH_APPEND_MARK is `value` */
    GRAPH_FIND_ALL         /* everything, for a server that refuses the others: each message tells
                              its message_id and mark */
};
/* A property of our own on a message that Postern makes, so that it is found when the answer to
 * its making is lost. */
#define GRAPH_APPEND_MARK "String {8f0f7d1a-5f0e-4c47-9a35-5c3a2f6f9b61} Name PosternAppend"

/* GET …/mailFolders/{id}/messages?$select=id,…&$filter=… (user: list messages; get
 * singleValueLegacyExtendedProperty). Pages for graph_page_decode(); `link`: a nextLink. A server
 * that refuses the filter answers ERROR_REQUEST. */
struct graph_call *graph_find_start(struct graph_user *u, struct graph_as as, const char *folder_id,
                                    enum graph_find what, const char *value, const char *link);

/* GET …/messages/{id}?$select=id,parentFolderId,internetMessageId: what a copy of it is known by
 * (message: get). */
struct graph_call *graph_identity_start(struct graph_user *u, struct graph_as as, const char *id);

/* POST …/messages/{id}/copy {"destinationId"} (message: copy). Not repeatable. The answer is the
 * copy, for graph_message_decode(). */
struct graph_call *graph_copy_start(struct graph_user *u, struct graph_as as, const char *id,
                                    const char *destination);

/* ---- new messages ---- */

struct graph_person {
    const char *name; /* NULL: none */
    const char *address;
};
struct graph_people {
    struct graph_person *items;
    size_t count;
};
struct graph_pair { /* a header field, or an extended property */
    const char *name, *value;
};
struct graph_attachment {
    const char *name, *content_type;
    const char *content_id; /* NULL: none */
    bool is_inline;
    const void *data;
    size_t len;
};

enum graph_importance { GRAPH_LOW, GRAPH_NORMAL, GRAPH_HIGH };

/* A message as JSON can say it. Everything is valid UTF-8. */
struct graph_new {
    const char *subject;
    struct graph_people from, sender; /* one at most */
    struct graph_people to, cc, bcc, reply_to;
    const char *body;
    bool html;
    enum graph_importance importance;
    const char *message_id;     /* NULL: none */
    struct graph_pair *headers; /* names that begin with "x-", at most GRAPH_HEADERS_MAX */
    size_t header_count;
    struct graph_pair *properties; /* extended ones, which count at creation only */
    size_t property_count;
};
#define GRAPH_HEADERS_MAX 5
/* A request is at most 4 MB; so much of it may be what base64 makes of attachments. */
#define GRAPH_REQUEST_MAX ((size_t)4 * 1000 * 1000)
/* An attachment below this goes in one request, a larger one by an upload session. */
#define GRAPH_ATTACH_MAX ((size_t)3 * 1000 * 1000)
/* Exchange takes none that is larger. */
#define GRAPH_ATTACHMENT_MAX ((size_t)150 * 1000 * 1000)
/* A piece of an upload session: a multiple of 320 KiB, at most 4 MB. */
#define GRAPH_PIECE (12 * (size_t)320 * 1024)

/* POST …/mailFolders/{id}/messages (user: post messages). Not repeatable. NULL with ERROR_TOO_BIG:
 * the request would be over GRAPH_REQUEST_MAX. */
struct graph_call *graph_create_start(struct graph_user *u, struct graph_as as,
                                      const char *folder_id, const struct graph_new *m,
                                      const struct graph_update *state,
                                      const struct graph_attachment *attachments, size_t count,
                                      struct error *e);
/* POST …/messages with the MIME text in base64: a draft in Drafts, dated now. NULL with
 * ERROR_TOO_BIG. */
struct graph_call *graph_draft_start(struct graph_user *u, struct graph_as as, const void *mime,
                                     size_t len, struct error *e);
/* POST …/messages/{id}/attachments, below GRAPH_ATTACH_MAX (message: post attachments). Not
 * repeatable. */
struct graph_call *graph_attach_start(struct graph_user *u, struct graph_as as, const char *id,
                                      const struct graph_attachment *attachment);
/* POST …/messages/{id}/attachments/createUploadSession (attachment: createUploadSession), from
 * GRAPH_ATTACH_MAX on. *url lives in the arena and is a secret. */
struct graph_call *graph_session_start(struct graph_user *u, struct graph_as as, const char *id,
                                       const struct graph_attachment *attachment);
bool graph_session_decode(struct graph_call *call, struct arena *a, const char **url,
                          struct error *e);
/* PUT of a piece to the session (Attach large files to Outlook messages), pieces in order, without
 * Authorization. The last one answers 201. Not repeatable. */
struct graph_call *graph_piece_start(struct graph_user *u, struct graph_as as, const char *url,
                                     const void *data, size_t len, size_t at, size_t total);

#endif
