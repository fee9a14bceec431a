/*
 * What an answer of Graph that is not a success means: HTTP status and Graph's error code become
 * an enum error_kind and a sentence on what to do. One table, pure functions, any thread.
 * Sources: "Microsoft Graph error responses", "Throttling", "Limit mailbox access".
 */
#ifndef POSTERN_SRC_GRAPH_ERROR_H
#define POSTERN_SRC_GRAPH_ERROR_H

#include "postern/base/encode.h"
#include "postern/base/error.h"

#include <json-c/json.h>
#include <stddef.h>

/* What the request was about, for a bare 404. */
enum error_subject { SUBJECT_MESSAGE, SUBJECT_FOLDER };

struct answer {
    int status;
    char content_type[96]; /* as sent, "" if none; text cut off here is still told apart */
    char encoding[32];     /* Content-Encoding, "" if none */
    char retry_after[48];  /* "" if none */
    char request_id[64];   /* "" if none */
    char location[128];    /* of a redirect, for people: without its query, which may be a secret,
                              and cut off here */
    char date[48];         /* Date, "" if none */
    char client_request_id[GUID_SIZE]; /* ours, of this attempt */
};

/* Is the media type (parameters aside, any case) this one? */
bool answer_is_type(const struct answer *a, const char *type);
/* application/json or application/…+json */
bool answer_is_json(const struct answer *a);

/* Fills `e` for a status outside 2xx; the body (JSON, HTML, nothing) adds code and words. */
void graph_error_classify(const struct answer *a, enum error_subject subject, const char *body,
                          size_t len, struct error *e);
/* An error object inside a successful answer ({"error":{…}}): ERROR_ANSWER with its code. */
void graph_error_inside(struct json_object *error, struct error *e);
/* Sets e->code or e->request_id from outside: visible ASCII only, cut to the field; NULL: "". */
void graph_error_word(char *out, size_t size, const char *text);
/* Adds status, request-id and client-request-id to an error about this answer. */
void graph_error_sign(struct error *e, const struct answer *a);

#endif
