/*
 * What the commands on folders share: list.c, status.c, folders.c.
 */
#ifndef IMAP_FOLDERS_H
#define IMAP_FOLDERS_H

#include "session.h"

#include "postern/mailbox/tree.h"

/* What STATUS was asked for (RFC 3501 section 6.3.10, RFC 8438, 7162, 7889, 8474). */
enum {
    IMAP_STATUS_MESSAGES = 1 << 0,
    IMAP_STATUS_RECENT = 1 << 1,
    IMAP_STATUS_UIDNEXT = 1 << 2,
    IMAP_STATUS_UIDVALIDITY = 1 << 3,
    IMAP_STATUS_UNSEEN = 1 << 4,
    IMAP_STATUS_SIZE = 1 << 5,
    IMAP_STATUS_HIGHESTMODSEQ = 1 << 6,
    IMAP_STATUS_APPENDLIMIT = 1 << 7,
    IMAP_STATUS_MAILBOXID = 1 << 8
};

/* Items of a list, a set of IMAP_STATUS_…; 0: it is no list of items. CONDSTORE is switched on
 * where one asks for it. */
unsigned imap_status_items(struct imap_session *s, const struct imap_arg *list);
/* Asks for many folders at once and tells STATUS of each that did not fail. */
void imap_tell_status(struct imap_session *s, const char *const *names, size_t count,
                      unsigned items, int64_t since_ms, struct error *errors);

/* For mailbox_tree_get() and mailbox_status(): a session that asks for one thing after the other is
 * answered by what was read when it began, but not for long, and not if it asks for the same thing
 * again: then it wants to know what is new. `what` names the thing. */
int64_t imap_tree_since(struct imap_session *s, const char *what);

#endif
