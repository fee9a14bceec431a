/* The table of clients.db: its schema and its statements, and a row to and from them. */
#ifndef POSTERN_STORE_CLIENT_SQL_H
#define POSTERN_STORE_CLIENT_SQL_H

#include "db.h"
#include "postern/store/client_db.h"

enum client_stmt {
    CLIENT_FIND = DB_TX_COUNT,
    CLIENT_INSERT,
    CLIENT_UPDATE,
    CLIENT_COUNT,
    CLIENT_DROP_REFUSED,
    CLIENT_DROP_PROGRAMS,
    CLIENT_DROP_OLDEST,
    CLIENT_PRUNE,
    CLIENT_ALL,
    CLIENT_STMT_COUNT
};

extern const struct db_kind client_kind;

/* Binds what makes a client the one it is: ?1 to ?9. */
void client_bind_identity(sqlite3_stmt *s, const struct client_row *row);
/* Binds what is told or added: ?10 to ?20. */
void client_bind_counts(sqlite3_stmt *s, const struct client_row *row);
/* The columns of CLIENT_ALL. */
void client_read_row(sqlite3_stmt *s, struct client_row *row);

#endif
