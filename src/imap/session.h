/*
 * One IMAP session: its state, and who does what with it.
 *
 * session.c greets, reads commands and dispatches them by the table in commands.c; read.c and
 * parse.c make arguments of bytes; auth.c signs in; select.c opens folders and sync.c tells what
 * changed in them; one file for each group of commands does the rest. A handler reads from top to
 * bottom: it takes its arguments apart, waits for the mailbox, writes untagged responses, and
 * ends with exactly one of imap_done(), imap_no(), imap_bad(), imap_fail().
 *
 * Nothing may wait between the first byte of a response and its last: keepalives ("* OK") are
 * written while a wait lasts.
 */
#ifndef IMAP_SESSION_H
#define IMAP_SESSION_H

#include "args.h"
#include "set.h"

#include "postern/base/arena.h"
#include "postern/base/config.h"
#include "postern/mailbox/account.h"
#include "postern/session/conn.h"
#include "postern/session/sasl.h"

#include <stdbool.h>
#include <stdint.h>

/* Extensions that a client switched on (RFC 5161, RFC 7162 section 3.1). */
enum { IMAP_ENABLED_CONDSTORE = 1 << 0 };

/* exact-size = auto: where a command needs more unknown sizes than this, they are estimated. */
#define IMAP_EXACT_MAX 100

/* The folder that is selected (RFC 3501 section 3.3). */
struct imap_selected {
    struct mailbox_folder *folder;
    struct mailbox_reader *reader;
    struct mailbox_view *view;  /* what was announced; sequence numbers are its positions + 1 */
    struct mailbox_view *whole; /* the generation that it is, or of which it is what the login's
                                   serve-since shows; NULL: it is of several */
    char *name;                 /* UTF-8 */
    bool read_only;             /* EXAMINE, or a read-only login */
    struct imap_range *recent;  /* UIDs that are \Recent in this session, rising */
    size_t recent_count;
    struct table *keywords; /* those that FLAGS named: folded → as it was spelled; sync.c's */
    uint32_t uidnext;       /* when it was opened */
    uint64_t modseq;        /* HIGHESTMODSEQ of what was announced */
    bool condstore;         /* MODSEQ goes with each FETCH of flags */
};

struct imap_session {
    struct session_conn *conn;
    struct mailbox_registry *mailboxes;
    const struct config *config; /* of the connection; the login's own is in the ticket */
    struct arena *arena;         /* of the command; cleared when it has ended */

    struct session_ticket *ticket; /* NULL: not authenticated, as all that follows */
    const struct config_login *login;
    struct mailbox_account *account;
    unsigned enabled;
    int64_t tree_newer_than_ms; /* folders.h's: since when answers about folders may be */
    struct table *tree_asked;   /* and what was asked for since; NULL: nothing */

    struct imap_selected *selected; /* NULL: none */

    struct imap_fetch_state *fetch; /* fetch.c's: the message last looked into; NULL: none */

    struct imap_input *input; /* read.c's */
    int client_fd;            /* of the connection's wait, which imap_wait_to_end() takes away */
    int64_t began_ms, login_deadline_ms, keepalive_due_ms; /* monotonic */

    unsigned commands;
    unsigned bad_commands; /* in a row */
    unsigned refused;      /* logins */
    bool identified;       /* the client's ID was logged */
    const char *over;      /* why nothing more is read, for the log; NULL: it goes on */
};

/* What an untagged sync may tell at the end of a command. */
enum imap_sync { IMAP_SYNC_NONE, IMAP_SYNC_NO_EXPUNGE, IMAP_SYNC_ALL };

enum {
    IMAP_ANY_STATE = 1 << 0,
    IMAP_NOT_AUTHENTICATED = 1 << 1,
    IMAP_AUTHENTICATED = 1 << 2, /* or selected */
    IMAP_SELECTED = 1 << 3,
    IMAP_HAS_UID = 1 << 4, /* "UID name" is a command too */
    IMAP_WRITES = 1 << 5,  /* to the selected folder: NO [READ-ONLY] in EXAMINE and for a read-only
                              login */
    IMAP_WRITES_ELSEWHERE = 1 << 6 /* COPY, CREATE, APPEND: NO [NOPERM] for a read-only login */
};

struct imap_command;
typedef void imap_handler(struct imap_session *s, const struct imap_command *c);

struct imap_verb {
    const char *name;    /* upper case */
    unsigned where;      /* IMAP_ANY_STATE … */
    enum imap_sync sync; /* with UID always IMAP_SYNC_ALL unless NONE */
    imap_handler *handle;
};

struct imap_command {
    const char *tag;
    const struct imap_verb *verb;
    bool uid;                    /* "UID FETCH" */
    const struct imap_arg *args; /* ends with IMAP_ARG_END */
    size_t count;
};

/* commands.c: NULL if there is no such command. */
const struct imap_verb *imap_verb_find(const char *name, bool uid);

/* The config that holds for the session: its login's, before that its listener's. */
const struct config *imap_config(const struct imap_session *s);
/* How long a client may say nothing: as configured, but half an hour at least once it has logged
 * in (RFC 3501 section 5.4); before that what is left of the login's time. */
int64_t imap_patience_ms(const struct imap_session *s);
/* capability.c: "CAPABILITY IMAP4rev1 …" as it holds now. */
void imap_put_capabilities(const struct imap_session *s, struct buf *out);
#define IMAP_CAPABILITIES_MAX 2048

/* The wait of a command: keepalives, client, stop. */
struct wait *imap_wait(struct imap_session *s);
/* The same for what must run to its end whoever hangs up: client_fd is -1 until imap_wait() is
 * called again. */
struct wait *imap_wait_to_end(struct imap_session *s);

/* auth.c: lets go of the account and the login. */
void imap_sign_out(struct imap_session *s);

/* select.c: the UTF-8 name that a mailbox argument stands for, in the arena; "INBOX" in any case is
 * "INBOX". NULL: BAD (no astring) or NO [CANNOT] (no modified UTF-7) was said. */
const char *imap_mailbox_name(struct imap_session *s, const struct imap_command *c,
                              const struct imap_arg *arg);

/* The set that is the command's argument, against the announced view, by c->uid. False: BAD was
 * said. */
bool imap_find(struct imap_session *s, const struct imap_command *c, const struct imap_arg *arg,
               struct imap_found *found);
/* Lets go of the selected folder, telling nothing. */
void imap_unselect(struct imap_session *s);
/* message.c: lets go of the message last looked into (its folder is left, or nothing is asked for a
 * while). */
void imap_fetch_forget(struct imap_session *s);
/* A command asked for modification sequences (RFC 7162 section 3.1): switches CONDSTORE on, and
 * tells HIGHESTMODSEQ if a folder is selected without it. */
void imap_condstore(struct imap_session *s);

/* ---- sync.c: telling what changed ---- */

/* The folder's newest generation as far as the login's serve-since shows it; the caller unrefs. */
struct mailbox_view *imap_newest_view(const struct imap_session *s);
/* Tells what the folder's newest generation has over the announced one, as far as `how` allows.
 * Asks Graph nothing. */
void imap_sync(struct imap_session *s, enum imap_sync how);
/* The flags that these messages (rising) have in the generation `now` have just been told, or must
 * not be (STORE .SILENT): from now on they are announced. What came after `now` is still to be
 * told. */
void imap_told(struct imap_session *s, const struct mailbox_view *now, const uint32_t *uids,
               size_t count);
/* FLAGS, with the keywords of the announced generation; and its EXISTS and RECENT. */
void imap_tell_flags(struct imap_session *s);
void imap_tell_count(struct imap_session *s);
/* These keywords (space-separated) are about to be told in a FETCH: tells FLAGS anew if one of
 * them is not in it (RFC 3501 section 7.2.6). imap_sync() does so itself. */
void imap_tell_keywords(struct imap_session *s, const char *keywords);
bool imap_is_recent(const struct imap_session *s, uint32_t uid);
/* Read receipts (RFC 3503): named in FLAGS whether in use or not. */
#define IMAP_MDN_SENT "$MDNSent"
/* "(\Seen \Flagged Work)" */
bool imap_put_flags(const struct imap_session *s, const struct mailbox_entry *entry,
                    struct buf *out);
/* All flags there are for the selected folder, as imap_put_flags() writes them: the system's, and
 * the keywords in use. `settable`: what STORE may set, which is any other keyword too. */
bool imap_put_all_flags(const struct imap_session *s, bool settable, struct buf *out);
/* Octets of the keywords that one command names. */
#define IMAP_KEYWORDS_MAX ((size_t)16 * 1024)
/* Why flags that are well written cannot be set. */
enum imap_flags_refusal {
    IMAP_FLAGS_TAKEN,   /* they can */
    IMAP_FLAGS_UNKNOWN, /* a system flag nobody knows */
    IMAP_FLAGS_LIMIT    /* the keywords are too long together */
};
/* Takes a list of flags, or the flags from there to the end of the arguments, apart. False: not
 * flags (BAD). \Recent is ignored, and what is refused is left out. */
bool imap_parse_flags(const struct imap_arg *args, struct arena *a, uint32_t *flags,
                      const char **keywords, enum imap_flags_refusal *refusal);

/* Is the word among the keywords, however it is spelled? */
bool imap_has_keyword(const char *words, const char *word, size_t len);

#endif
