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
/* fetch.c */
imap_handler imap_fetch;

#endif
