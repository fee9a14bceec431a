/* The ways of an APPEND into Graph, behind one interface; append.c chooses. */
#ifndef POSTERN_MAILBOX_APPEND_H
#define POSTERN_MAILBOX_APPEND_H

#include "compose.h"
#include "internal.h"
#include "upload.h"

/* A message on its way in. */
struct append_item {
    struct mailbox_folder *to;
    const struct mailbox_append *given;
    const char *message; /* its bytes */
    size_t len;
    const struct graph_update *state; /* flags and keywords as Graph has them */
    struct composed *composed;
    struct wait *wait;
    char *graph_id;                /* what was made; NULL: nothing, as far as is known */
    bool found;                    /* see append_made() */
    int64_t making;                /* its row in the journal, 0: none */
    struct claims_request request; /* that makes it */
};

/* The JSON way: created in the target folder with the properties that count at creation, files by
 * requests of their own where they are large. Keeps dates, flags and threading; the text of the
 * message is Exchange's. ERROR_TOO_BIG: its text is over what a request takes, or a file is over
 * GRAPH_ATTACHMENT_MAX. */
bool append_by_json(struct append_item *item, struct error *e);
/* The draft way: posted as MIME, which makes a draft in Drafts dated now, then moved. Keeps the
 * structure; Outlook shows an unsent draft. ERROR_TOO_BIG: over about 3 MB. */
bool append_by_draft(struct append_item *item, struct error *e);

/* A row in the journal before anything is sent … */
bool append_begin(struct append_item *item, const char *folder_id, const char *mark_or_null,
                  struct error *e);
/* … and when the message has its id: from now on its original is there. `found`: by a Message-ID
 * which is not ours alone, so that it may be somebody else's, and is never removed. */
bool append_made(struct append_item *item, const char *graph_id, bool found, struct error *e);
/* The answer to its making is lost for `cause`, and so is (`e`) the look that should have told: *e
 * says so, and the journal finds it out later. Returns false. */
bool append_unsettled(const struct error *cause, struct error *e);
/* Waits for the call and frees it. */
bool append_wait(struct append_item *item, struct graph_call *call, struct error *e);
struct graph_as append_as(const struct append_item *item);

#endif
