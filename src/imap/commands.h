/*
 * The commands, one handler each; commands.c has the table that finds them.
 */
#ifndef IMAP_COMMANDS_H
#define IMAP_COMMANDS_H

#include "session.h"

/* auth.c */
imap_handler imap_login, imap_authenticate, imap_starttls;
/* basic.c */
imap_handler imap_capability, imap_noop, imap_logout, imap_id, imap_enable, imap_namespace;
/* select.c */
imap_handler imap_select, imap_examine, imap_unselect_command, imap_close;
/* search.c */
imap_handler imap_search;
/* sort.c, thread.c */
imap_handler imap_sort, imap_thread;
/* idle.c */
imap_handler imap_idle;
/* store.c */
imap_handler imap_store;
/* list.c, status.c, folders.c */
imap_handler imap_list, imap_lsub, imap_status;
imap_handler imap_create, imap_delete, imap_rename, imap_subscribe, imap_unsubscribe;
/* fetch.c */
imap_handler imap_fetch;

/* append.c */
imap_handler imap_append;
/* "21-Nov-2026 05:44:24 +0000" (RFC 3501 section 9, date-time) as wall clock, strictly but for
 * the space before a day of one digit, which some clients leave out. Pure. */
bool imap_parse_date_time(const char *text, int64_t *wall_ms);
/* transfer.c */
imap_handler imap_copy, imap_move, imap_expunge;
/* The messages that bear \Deleted as far as is known, all or those of a set, in the arena. */
uint32_t *imap_deleted_uids(struct imap_session *s, const struct imap_found *among, size_t *count);
/* Opens the folder that messages shall go to. NULL: it was answered. */
struct mailbox_folder *imap_open_target(struct imap_session *s, const struct imap_command *c,
                                        const struct imap_arg *arg);
/* imap_fail(), but NO [TRYCREATE] where it is the folder that is missing. */
void imap_fail_target(struct imap_session *s, const struct imap_command *c, const struct error *e);
/* Appends UIDs as a set that keeps their order (RFC 4315 section 3). */
void imap_put_uids(const uint32_t *uids, size_t count, struct buf *out);

#endif
