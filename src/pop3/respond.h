/*
 * What POP3 clients are told when something failed: one table from kinds of error to response
 * codes (RFC 2449 section 8, RFC 3206) and short texts. The whole story goes to the log.
 */
#ifndef POP3_RESPOND_H
#define POP3_RESPOND_H

#include "postern/base/error.h"
#include "postern/session/conn.h"

#include <stddef.h>

/* RFC 1939 section 3: a response line has at most 512 octets, CRLF included. */
#define POP3_REPLY_MAX 512

/* "[SYS/TEMP] " with its blank, or "". */
const char *pop3_error_code(enum error_kind kind);
/* "Microsoft 365 is slowing this mailbox down, try again later" */
const char *pop3_error_text(enum error_kind kind);
/* "-ERR [SYS/TEMP] text (request-id …)", of bounded length. ERROR_TIMEOUT with `progress` shows
 * the error's own text. */
void pop3_error_line(const struct error *e, bool progress, char out[POP3_REPLY_MAX]);
/* Logs the error ("RETR 7 failed: …") and answers with that line. */
void pop3_fail(struct session_conn *conn, const struct error *e, const char *what, ...)
    __attribute__((format(printf, 3, 4)));

#endif
