#include "client_sql.h"

#include "postern/base/text.h"

/* Sessions do not wait long for a program that holds the file: what they have to say can wait. */
#define BUSY_TIMEOUT_MS 500

/* client.program is a list of commands where told is 0. */
static const char step_1[] =
    "CREATE TABLE client ("
    " key INTEGER PRIMARY KEY,"
    " address TEXT NOT NULL,"
    " login TEXT NOT NULL,"
    " protocol TEXT NOT NULL,"
    " listener TEXT NOT NULL,"
    " tls INTEGER NOT NULL,"
    " cipher TEXT NOT NULL,"
    " mechanism TEXT NOT NULL,"
    " told INTEGER NOT NULL,"
    " program TEXT NOT NULL,"
    " network TEXT NOT NULL,"
    " first_seen INTEGER NOT NULL,"
    " last_seen INTEGER NOT NULL,"
    " sessions INTEGER NOT NULL,"
    " logins INTEGER NOT NULL,"
    " failures INTEGER NOT NULL,"
    " bytes_in INTEGER NOT NULL,"
    " bytes_out INTEGER NOT NULL,"
    " fetched INTEGER NOT NULL,"
    " appended INTEGER NOT NULL,"
    " reason TEXT NOT NULL);"
    "CREATE INDEX client_address ON client (address, login);"
    "CREATE INDEX client_network ON client (network, login, last_seen);"
    "CREATE INDEX client_refused ON client (network, last_seen) WHERE logins = 0;"
    "CREATE INDEX client_seen ON client (last_seen);";

static const char *const steps[] = {step_1};
static const int version = sizeof steps / sizeof steps[0];

#define COLUMNS                                                                                    \
    "address, login, protocol, listener, tls, cipher, mechanism, told, program, network, "         \
    "first_seen, last_seen, sessions, logins, failures, bytes_in, bytes_out, fetched, appended, "  \
    "reason"

static const char *const sql[CLIENT_STMT_COUNT] = {
    DB_TX_SQL,
    /* Of two lists of commands one may begin with the other. */
    [CLIENT_FIND] = "SELECT key FROM client WHERE address = ?1 AND login = ?2 AND protocol = ?3 "
                    "AND listener = ?4 AND tls = ?5 AND cipher = ?6 AND mechanism = ?7 "
                    "AND told = ?8 AND (program = ?9 OR (told = 0 AND (program = '' OR ?9 = '' "
                    "OR substr(program || ',', 1, length(?9) + 1) = ?9 || ',' "
                    "OR substr(?9 || ',', 1, length(program) + 1) = program || ','))) "
                    "ORDER BY length(program) DESC LIMIT 1",
    [CLIENT_INSERT] = "INSERT INTO client (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                      "?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
    [CLIENT_UPDATE] =
        "UPDATE client SET "
        "program = CASE WHEN length(?9) > length(program) THEN ?9 ELSE program END, "
        "first_seen = min(first_seen, ?11), last_seen = max(last_seen, ?12), "
        "sessions = sessions + ?13, logins = logins + ?14, failures = failures + ?15, "
        "bytes_in = bytes_in + ?16, bytes_out = bytes_out + ?17, fetched = fetched + ?18, "
        "appended = appended + ?19, reason = CASE ?20 WHEN '' THEN reason ELSE ?20 END "
        "WHERE key = ?21",
    [CLIENT_COUNT] = "SELECT count(*) FROM client",
    [CLIENT_DROP_REFUSED] =
        "DELETE FROM client WHERE key IN (SELECT key FROM client WHERE network = ?1 "
        "AND logins = 0 ORDER BY last_seen DESC LIMIT -1 OFFSET ?2)",
    [CLIENT_DROP_PROGRAMS] =
        "DELETE FROM client WHERE key IN (SELECT key FROM client WHERE network = ?1 "
        "AND login = ?2 ORDER BY last_seen DESC LIMIT -1 OFFSET ?3)",
    [CLIENT_DROP_OLDEST] = "DELETE FROM client WHERE key IN (SELECT key FROM client "
                           "ORDER BY logins > 0, last_seen LIMIT ?1)",
    [CLIENT_PRUNE] = "DELETE FROM client WHERE last_seen < ?1",
    [CLIENT_ALL] = "SELECT " COLUMNS " FROM client ORDER BY last_seen DESC, key DESC",
};

const struct db_kind client_kind = {.file = "clients.db",
                                    .rebuilt = "begun anew",
                                    .busy_ms = BUSY_TIMEOUT_MS,
                                    .steps = steps,
                                    .version = &version,
                                    .sql = sql,
                                    .sql_count = CLIENT_STMT_COUNT};

void client_bind_identity(sqlite3_stmt *s, const struct client_row *row)
{
    db_bind_text(s, 1, row->address);
    db_bind_text(s, 2, row->login);
    db_bind_text(s, 3, row->protocol);
    db_bind_text(s, 4, row->listener);
    sqlite3_bind_int(s, 5, row->tls);
    db_bind_text(s, 6, row->cipher);
    db_bind_text(s, 7, row->mechanism);
    sqlite3_bind_int(s, 8, row->told);
    db_bind_text(s, 9, row->program);
}

void client_bind_counts(sqlite3_stmt *s, const struct client_row *row)
{
    db_bind_text(s, 10, row->network);
    sqlite3_bind_int64(s, 11, row->first_ms);
    sqlite3_bind_int64(s, 12, row->last_ms);
    sqlite3_bind_int64(s, 13, (sqlite3_int64)row->sessions);
    sqlite3_bind_int64(s, 14, (sqlite3_int64)row->logins);
    sqlite3_bind_int64(s, 15, (sqlite3_int64)row->failures);
    sqlite3_bind_int64(s, 16, (sqlite3_int64)row->bytes_in);
    sqlite3_bind_int64(s, 17, (sqlite3_int64)row->bytes_out);
    sqlite3_bind_int64(s, 18, (sqlite3_int64)row->fetched);
    sqlite3_bind_int64(s, 19, (sqlite3_int64)row->appended);
    db_bind_text(s, 20, row->reason);
}

/* Cleaned once more: whoever reads it may be root, and another program may have written it. */
static void read_text(sqlite3_stmt *s, int column, char *out, size_t size)
{
    text_clean(db_column_text(s, column), out, size);
}

static uint64_t read_count(sqlite3_stmt *s, int column)
{
    return (uint64_t)sqlite3_column_int64(s, column);
}

void client_read_row(sqlite3_stmt *s, struct client_row *row)
{
    read_text(s, 0, row->address, sizeof row->address);
    read_text(s, 1, row->login, sizeof row->login);
    read_text(s, 2, row->protocol, sizeof row->protocol);
    read_text(s, 3, row->listener, sizeof row->listener);
    row->tls = sqlite3_column_int(s, 4);
    read_text(s, 5, row->cipher, sizeof row->cipher);
    read_text(s, 6, row->mechanism, sizeof row->mechanism);
    row->told = sqlite3_column_int(s, 7) != 0;
    read_text(s, 8, row->program, sizeof row->program);
    read_text(s, 9, row->network, sizeof row->network);
    row->first_ms = sqlite3_column_int64(s, 10);
    row->last_ms = sqlite3_column_int64(s, 11);
    row->sessions = read_count(s, 12);
    row->logins = read_count(s, 13);
    row->failures = read_count(s, 14);
    row->bytes_in = read_count(s, 15);
    row->bytes_out = read_count(s, 16);
    row->fetched = read_count(s, 17);
    row->appended = read_count(s, 18);
    read_text(s, 19, row->reason, sizeof row->reason);
}
