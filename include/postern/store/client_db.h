/*
 * STATE/clients.db: which clients came, how they signed in, when last, how much they moved.
 *
 * SQLite in WAL mode with a schema version of its own, mode 0600; a damaged file is set aside and
 * begun anew, as mailbox databases are (mailbox_db.h).
 *
 * One row for each distinct client: its address, login, protocol, listener, TLS, SASL mechanism
 * and program. The program is what an IMAP client says it is (`told`), else the names of its first
 * commands; of two such lists where one begins with the other the longer is the same client's, so
 * that a session that found nothing to fetch makes no second row.
 *
 * Bounded, whoever comes: CLIENT_ROWS_MAX rows in all, CLIENT_REFUSED_MAX of one network without
 * any login that was accepted, CLIENT_PROGRAMS_MAX of one login from one network. Over a bound the
 * rows seen longest ago go, in all first those without an accepted login.
 *
 * Writers do not wait for the disk: a commit survives a killed process, not a power failure.
 * Notes that several threads bring at the same moment are one transaction.
 */
#ifndef POSTERN_STORE_CLIENT_DB_H
#define POSTERN_STORE_CLIENT_DB_H

#include "postern/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_ROWS_MAX     50000
#define CLIENT_REFUSED_MAX  32
#define CLIENT_PROGRAMS_MAX 64

/* Bytes with the NUL. Longer texts are cut by whoever makes the row. */
#define CLIENT_ADDRESS_SIZE 64
#define CLIENT_NAME_SIZE    128
#define CLIENT_WORD_SIZE    48
#define CLIENT_PROGRAM_SIZE 256
#define CLIENT_REASON_SIZE  160

/* A row, or a note of what is to be added to one. Texts are UTF-8 without control characters. */
struct client_row {
    char address[CLIENT_ADDRESS_SIZE];
    char network[CLIENT_ADDRESS_SIZE]; /* of the bounds: the /64 of an IPv6 address */
    char login[CLIENT_NAME_SIZE];      /* "": none that exists was named */
    char protocol[CLIENT_WORD_SIZE];   /* "pop3", "imap" */
    char listener[CLIENT_NAME_SIZE];
    int tls;                           /* 0: none; 0x0301 …, CLIENT_TLS_UNKNOWN */
    char cipher[CLIENT_WORD_SIZE];     /* "": no handshake succeeded; `tls` is what was offered */
    char mechanism[CLIENT_WORD_SIZE];  /* "PLAIN", "PASS" …; "": no login was tried */
    char program[CLIENT_PROGRAM_SIZE]; /* "name=Alpine version=2.26", "CAPA,USER,PASS,STAT" */
    bool told;
    int64_t first_ms; /* wall clock */
    int64_t last_ms;
    uint64_t sessions; /* connections */
    uint64_t logins;   /* accepted ones */
    uint64_t failures; /* refused ones, and handshakes that failed */
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t fetched; /* messages */
    uint64_t appended;
    char reason[CLIENT_REASON_SIZE]; /* of the last failure */
};

/* A TLS listener, but nothing of a handshake was understood. */
#define CLIENT_TLS_UNKNOWN (-1)

struct client_db;

/* Opens or makes it. A database of a newer program is refused. */
struct client_db *client_db_open(const char *state_dir, struct error *e);
/* Tries to write what is still waiting. NULL is fine; clears the caller's pointer. */
void client_db_close(struct client_db **db);
/* Adds the counts to the client's row, makes it if needed, and sets its times and reason. Any
 * thread; returns when the note is committed or could not be (a full disk, a lock that another
 * program holds for half a second): then it waits for the next write, with up to a few thousand
 * others, and the log has a line. */
void client_db_add(struct client_db *db, const struct client_row *note);
/* The same for many at once. */
void client_db_add_all(struct client_db *db, const struct client_row *notes, size_t count);
/* Leaves it to the next writer, or to client_db_prune(): for threads that must not wait. */
void client_db_leave(struct client_db *db, const struct client_row *note);
/* Writes what waits. Cheap when nothing does. */
void client_db_flush(struct client_db *db);
/* Forgets clients last seen before then. */
bool client_db_prune(struct client_db *db, int64_t before_ms, struct error *e);

enum client_db_read {
    CLIENT_DB_READ,
    CLIENT_DB_NONE,   /* there is no such file, nobody was ever written down */
    CLIENT_DB_DENIED, /* no permission; `e` says for what */
    CLIENT_DB_FAILED  /* `e` says why */
};

/* All rows, the one last seen first, beside a process that writes; touches nothing. The rows are
 * the caller's to free(), also where there are none. */
enum client_db_read client_db_read(const char *state_dir, struct client_row **rows, size_t *count,
                                   struct error *e);

#endif
