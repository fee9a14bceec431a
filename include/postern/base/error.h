/*
 * Errors as values, with a cause. Graded by what they spoil and by who can help, so that a
 * protocol maps `kind` to its response code by one table and never reads the text.
 *
 * A function that can fail returns false (or NULL) and fills the struct error it was given
 * (never NULL). An error is logged once, where it ends. `text` is a sentence for a person: what
 * happened, where, and what to do; it never holds a secret and never a line break.
 */
#ifndef POSTERN_BASE_ERROR_H
#define POSTERN_BASE_ERROR_H

#include <stdbool.h>

enum error_kind {
    ERROR_NONE = 0,
    ERROR_CANCELED,     /* the client is gone, or the service stops: nobody wants the answer */
    ERROR_GONE,         /* this message no longer exists; others are fine */
    ERROR_FOLDER_GONE,  /* this folder no longer exists */
    ERROR_MAILBOX_GONE, /* no such mailbox, or not reachable by Graph */
    ERROR_CONFLICT,     /* 409/412: somebody changed it at the same moment */
    ERROR_DENIED,       /* the administrator must grant something (403, access policy) */
    ERROR_SIGN_IN,      /* no token: the administrator must mend the sign-in to Microsoft 365 */
    ERROR_RESYNC,       /* 410: the delta link is dead, start over */
    ERROR_THROTTLED,    /* 429/503 beyond our patience */
    ERROR_TEMPORARY,    /* network, 5xx: try again later */
    ERROR_TIMEOUT,      /* a deadline passed */
    ERROR_TOO_BIG,      /* over a limit, ours or Graph's */
    ERROR_QUOTA,        /* the mailbox is full */
    ERROR_ANSWER,       /* Graph's answer was not what it must be: cut short, HTML, wrong shape */
    ERROR_REQUEST,      /* Graph refused the request as malformed: a fault of ours */
    ERROR_LOCAL,        /* disk, database, file descriptors */
    ERROR_READ_ONLY,    /* this login may not write */
    ERROR_EXISTS,       /* a folder of that name is there already */
    ERROR_HAS_CHILDREN, /* a folder with folders in it is not deleted */
    ERROR_CANNOT,       /* not possible with this object, ever: INBOX deleted, a name Graph refuses */
    ERROR_UNKNOWN_WRITE /* a write was sent and its answer was lost: look before repeating */
};

#define ERROR_TEXT_MAX   480
#define ERROR_ADVICE_MAX 240

struct error {
    enum error_kind kind;
    int status;                /* HTTP status, 0 if none */
    char code[64];             /* Graph's error.code or AADSTSnnn, "" if none */
    char request_id[64];       /* Graph's request-id, "" if none */
    char text[ERROR_TEXT_MAX]; /* one line */
    /* What to tell a client in place of what its protocol says of the kind: one line of our own
     * words, no text that came from elsewhere; "" if none. */
    char advice[ERROR_ADVICE_MAX];
};

#define ERROR_INIT                                                                                 \
    {                                                                                              \
        .kind = ERROR_NONE                                                                         \
    }

void error_clear(struct error *e);
/* Replaces what was there. Control characters in the result become spaces. Returns false, so
 * that a function can `return error_set(...)`. */
bool error_set(struct error *e, enum error_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "while opening INBOX: " + old text; kind, status, code and request id stay. Returns false. */
bool error_prefix(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Sets the advice. Returns false. */
bool error_advise(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Makes it an error of another kind: text, status, code and ids stay; the advice, which was about
 * the old kind, goes. */
void error_turn(struct error *e, enum error_kind kind);
/* Short stable name of a kind for logs and metrics: "throttled". */
const char *error_kind_name(enum error_kind kind);

#endif
