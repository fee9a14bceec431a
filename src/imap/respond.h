/*
 * What goes to the client: tagged ends of commands, untagged responses, the parts of which they
 * are made; and the one table from kinds of error to response codes (RFC 3501 section 7.1,
 * RFC 5530, RFC 4469). Texts are for people; the whole story of an error goes to the log.
 */
#ifndef IMAP_RESPOND_H
#define IMAP_RESPOND_H

#include "session.h"

#include "postern/base/buf.h"
#include "postern/base/error.h"

/* Ends a command well: tells what changed as the verb allows, then "tag OK [code] text". `code`
 * NULL: none. */
void imap_done(struct imap_session *s, const struct imap_command *c, const char *code,
               const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* "tag NO [code] text". */
void imap_no(struct imap_session *s, const struct imap_command *c, const char *code,
             const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* "tag BAD [CLIENTBUG?] text": syntax only. */
void imap_bad(struct imap_session *s, const struct imap_command *c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Logs the error ("FETCH failed: …") and ends the command with the NO that fits its kind; tells
 * what changed first, as imap_done() and imap_no() do. */
void imap_fail(struct imap_session *s, const struct imap_command *c, const struct error *e);
/* What imap_fail() says of an error, for handlers that word their own end: the code without its
 * brackets, and the text with the request-id, of 7-bit characters. */
#define IMAP_ERROR_TEXT_SIZE (ERROR_TEXT_MAX + 96)
const char *imap_error_code(enum error_kind kind);
void imap_error_text(const struct error *e, char out[IMAP_ERROR_TEXT_SIZE]);
/* Says NO to them. */
void imap_refuse_flags(struct imap_session *s, const struct imap_command *c,
                       enum imap_flags_refusal refusal);
/* "* " and the text and a line end. */
void imap_untagged(struct imap_session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Sends a response that was built in a buffer ("* 1 FETCH (…)\r\n"); an overflown buffer is a
 * program's fault and is not sent. */
void imap_send(struct imap_session *s, const struct buf *response);

/* ---- building ---- */

/* NIL (`text` NULL), quoted, or a literal for what a quoted string cannot hold (RFC 3501 section
 * 4.3), without NULs. */
bool imap_put_nstring(struct buf *out, const char *text, size_t len);
bool imap_put_string(struct buf *out, const char *text, size_t len);
/* NULs become 0x80: a literal is of CHAR8, which leaves them out (RFC 3501 section 9). */
void imap_hide_nuls(char *data, size_t len);
/* As an atom where that is possible. */
bool imap_put_astring(struct buf *out, const char *text);
/* A UTF-8 mailbox name as modified UTF-7 astring (RFC 3501 section 5.1.3). */
bool imap_put_mailbox(struct buf *out, const char *utf8);
/* An id of OBJECTID (RFC 8474): `kind` 'F' for folders, 'M' for messages, and base64url. */
bool imap_put_object_id(struct buf *out, char kind, const uint8_t digest[SHA256_SIZE]);
/* "21-Nov-2026 05:44:24 +0000" with its quotes. */
bool imap_put_date(struct buf *out, int64_t wall_ms);

#endif
