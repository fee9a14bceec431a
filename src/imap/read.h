/*
 * Commands from bytes: lines, literals (RFC 3501 section 4.3, RFC 7888, RFC 3516), limits.
 *
 * A command is held in memory up to a limit; only the messages of APPEND go to a mailbox_upload as
 * they come. What is over a limit is not asked for (synchronising literals) or read and dropped
 * (non-synchronising ones) up to a bound, beyond which the connection ends.
 */
#ifndef IMAP_READ_H
#define IMAP_READ_H

#include "session.h"

#define IMAP_COMMAND_MAX      SESSION_LINE_MAX              /* lines and literals in memory */
#define IMAP_BEFORE_LOGIN_MAX ((size_t)16 * 1024)           /* the same before login */
#define IMAP_UPLOADS_MAX      100                           /* messages of one APPEND */
#define IMAP_SKIP_MAX         ((uint64_t)256 * 1024 * 1024) /* dropped of one command */
#define IMAP_BEFORE_SKIP_MAX  ((uint64_t)1024 * 1024)       /* the same before login */

struct imap_input;

struct imap_input *imap_input_new(void);
void imap_input_free(struct imap_input **in);

/* Reads the next command: tag and arguments, the command's name the first of them. False: there is
 * none, which has been answered, or s->over says why there will be none. */
bool imap_read(struct imap_session *s, struct imap_command *c);
/* The command has been answered: its uploads go, unless an append has taken them over. */
void imap_read_end(struct imap_session *s);
/* No line came: says goodbye as the reason asks for it, and sets s->over. */
void imap_input_ended(struct imap_session *s, enum session_line how);

#endif
