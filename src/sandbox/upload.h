/*
 * Upload sessions for large attachments (Graph: attachment-createuploadsession,
 * outlook-large-attachments). The session is opened at Graph; its pieces go to another origin,
 * where the URL is the only credential. Guarded by the sandbox's lock.
 */
#ifndef SANDBOX_UPLOAD_H
#define SANDBOX_UPLOAD_H

#include "graph.h"

#define UPLOAD_SIZE_MIN   ((int64_t)3 * 1024 * 1024)
#define UPLOAD_SIZE_MAX   ((int64_t)150 * 1024 * 1024)
#define UPLOAD_PIECE_MAX  REQUEST_BODY_MAX
#define UPLOAD_TOKEN_SIZE 65

struct upload {
    char token[UPLOAD_TOKEN_SIZE];
    char *path; /* as in the URL, decoded */
    struct mailbox *b;
    uint32_t message;             /* serial */
    bool immutable;               /* the kind of ids that its opener reads */
    struct attachment attachment; /* without its bytes */
    struct buf bytes;
    int64_t total;
    int64_t expires_ms; /* wall clock */
};

/* POST …/messages/{id}/attachments/createUploadSession. */
void upload_create(struct call *c, struct message *m);
/* A request at the uploads' own origin: PUT of the next piece, DELETE. */
void upload_handle(struct sandbox *s, struct request *r, struct answer *a);
/* Whose session the request names, NULL: none. */
struct mailbox *upload_mailbox(const struct sandbox *s, const struct request *r);
void uploads_free(struct uploads *u);

#endif
