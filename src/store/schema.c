#include "schema.h"

#include <stdio.h>

/*
 * message.uid is 0 while a first sync has the row staged. The two partial indexes keep staged
 * rows apart, so that many may have uid 0 and a given UID is still unique.
 *
 * tombstone.id_hash is the first half of SHA-256 of the immutable id: tombstones are only ever
 * looked up by an id in hand. Old ones are dropped when the database is opened.
 */
static const char step_1[] =
    "CREATE TABLE folder ("
    " key INTEGER PRIMARY KEY,"
    " graph_id TEXT NOT NULL UNIQUE,"
    " uidvalidity INTEGER NOT NULL,"
    " uidnext INTEGER NOT NULL,"
    " modseq INTEGER NOT NULL,"
    " uid_mode INTEGER NOT NULL,"
    " synced INTEGER NOT NULL,"
    " marked INTEGER NOT NULL,"
    " delta_link TEXT,"
    " resume_delta TEXT,"
    " resume_listing TEXT,"
    " listing_done INTEGER NOT NULL,"
    " delta_done INTEGER NOT NULL);"

    "CREATE TABLE alias ("
    " name TEXT PRIMARY KEY,"
    " graph_id TEXT NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE message ("
    " key INTEGER PRIMARY KEY,"
    " folder INTEGER NOT NULL REFERENCES folder(key) ON DELETE CASCADE,"
    " graph_id TEXT NOT NULL,"
    " uid INTEGER NOT NULL,"
    " flags INTEGER NOT NULL,"
    " received INTEGER NOT NULL,"
    " article INTEGER NOT NULL,"
    " estimate INTEGER NOT NULL,"
    " size INTEGER NOT NULL,"
    " modseq INTEGER NOT NULL,"
    " change_key TEXT NOT NULL,"
    " keywords TEXT NOT NULL,"
    " UNIQUE (folder, graph_id));"
    "CREATE UNIQUE INDEX message_uid ON message (folder, uid) WHERE uid > 0;"
    "CREATE INDEX message_staged ON message (folder) WHERE uid = 0;"

    "CREATE TABLE tombstone ("
    " folder INTEGER NOT NULL REFERENCES folder(key) ON DELETE CASCADE,"
    " uid INTEGER NOT NULL,"
    " id_hash BLOB NOT NULL,"
    " modseq INTEGER NOT NULL,"
    " retired INTEGER NOT NULL,"
    " PRIMARY KEY (folder, uid)) WITHOUT ROWID;"
    "CREATE INDEX tombstone_id ON tombstone (folder, id_hash);";

/*
 * What IMAP needs beside POP3: the size that was told, the wall clock of our own last write, the
 * first UID that no session has claimed as \Recent. Keywords with an escape are written otherwise
 * now, so folders that have one are read anew.
 */
static const char step_2[] =
    "ALTER TABLE message ADD COLUMN told INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN written INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE folder ADD COLUMN recent INTEGER NOT NULL DEFAULT 1;"
    "UPDATE folder SET delta_link = NULL"
    " WHERE key IN (SELECT folder FROM message WHERE keywords LIKE '%=%');";

/*
 * original.look_at: when to ask whether the message still lives, wall clock; 0: it is in a folder
 * that we know. A message that leaves its folder may just move, so ten minutes pass first.
 *
 * making.abandoned: nobody is at work on it any more, it must be undone.
 */
static const char step_3[] =
    "CREATE TABLE original ("
    " graph_id TEXT PRIMARY KEY,"
    " size INTEGER NOT NULL,"
    " received INTEGER NOT NULL,"
    " flags INTEGER NOT NULL,"
    " look_at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX original_due ON original (look_at) WHERE look_at > 0;"
    "CREATE TRIGGER original_left AFTER DELETE ON message BEGIN"
    " UPDATE original SET look_at = (CAST(strftime('%s', 'now') AS INTEGER) + 600) * 1000"
    " WHERE graph_id = OLD.graph_id; END;"

    "CREATE TABLE making ("
    " key INTEGER PRIMARY KEY,"
    " folder TEXT NOT NULL,"
    " by INTEGER NOT NULL,"
    " value TEXT NOT NULL,"
    " known TEXT NOT NULL,"
    " graph_id TEXT,"
    " began INTEGER NOT NULL,"
    " abandoned INTEGER NOT NULL DEFAULT 0);";

/*
 * What is known of a message for good. A fact is of a UID: it goes with the row, and when a resync
 * gives the row another UID.
 */
static const char step_4[] =
    "CREATE TABLE fact ("
    " folder INTEGER NOT NULL REFERENCES folder(key) ON DELETE CASCADE,"
    " uid INTEGER NOT NULL,"
    " kind INTEGER NOT NULL,"
    " data BLOB NOT NULL,"
    " UNIQUE (folder, uid, kind));"
    "CREATE TRIGGER fact_dropped AFTER DELETE ON message WHEN OLD.uid > 0 BEGIN"
    " DELETE FROM fact WHERE folder = OLD.folder AND uid = OLD.uid; END;"
    "CREATE TRIGGER fact_renumbered AFTER UPDATE OF uid ON message"
    " WHEN OLD.uid > 0 AND NEW.uid <> OLD.uid BEGIN"
    " DELETE FROM fact WHERE folder = OLD.folder AND uid = OLD.uid; END;";

/*
 * The folder tree as Graph tells it, and what IMAP keeps by name. tree.change is the round that
 * last told of the folder, tree.covered the one after which its messages were read. Paths were
 * aliases before; the tree has them now.
 */
static const char step_5[] = "CREATE TABLE tree ("
                             " graph_id TEXT PRIMARY KEY,"
                             " parent_id TEXT NOT NULL,"
                             " name TEXT NOT NULL,"
                             " hidden INTEGER NOT NULL,"
                             " children INTEGER NOT NULL,"
                             " total INTEGER NOT NULL,"
                             " unread INTEGER NOT NULL,"
                             " change INTEGER NOT NULL,"
                             " covered INTEGER NOT NULL) WITHOUT ROWID;"
                             "CREATE TABLE tree_state ("
                             " one INTEGER PRIMARY KEY CHECK (one = 1),"
                             " link TEXT,"
                             " round INTEGER NOT NULL);"
                             "CREATE TABLE subscription ("
                             " name TEXT PRIMARY KEY,"
                             " subscribed INTEGER NOT NULL) WITHOUT ROWID;"
                             "CREATE TABLE validity ("
                             " name TEXT PRIMARY KEY,"
                             " graph_id TEXT NOT NULL,"
                             " uidvalidity INTEGER NOT NULL) WITHOUT ROWID;"
                             "DELETE FROM alias WHERE name LIKE 'path:%';";

/*
 * making.mark: NULL where only the answer tells the message from others, which then is the only one
 * that may be undone.
 */
static const char step_6[] =
    "ALTER TABLE making RENAME TO making_before;"
    "CREATE TABLE making ("
    " key INTEGER PRIMARY KEY,"
    " folder TEXT NOT NULL,"
    " mark TEXT,"
    " graph_id TEXT,"
    " began INTEGER NOT NULL,"
    " abandoned INTEGER NOT NULL DEFAULT 0);"
    "INSERT INTO making (key, folder, mark, graph_id, began, abandoned)"
    " SELECT key, folder, CASE by WHEN 0 THEN value END, graph_id, began, abandoned"
    " FROM making_before;"
    "DROP TABLE making_before;";

/*
 * What copies tell as their EMAILID. email.gone: when the last row of the message went, wall clock,
 * or when the copy was made; 0: it is known to be in a folder.
 */
static const char step_7[] =
    "CREATE TABLE email ("
    " graph_id TEXT PRIMARY KEY,"
    " digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),"
    " email BLOB NOT NULL CHECK (length(email) = 32),"
    " gone INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX email_bearers ON email (email);"
    "CREATE INDEX email_gone ON email (gone) WHERE gone > 0;"
    "CREATE TRIGGER email_left AFTER DELETE ON message BEGIN"
    " UPDATE email SET gone = CAST(strftime('%s', 'now') AS INTEGER) * 1000"
    " WHERE graph_id = OLD.graph_id; END;";

const char *const schema_steps[] = {step_1, step_2, step_3, step_4, step_5, step_6, step_7};
const int schema_version = sizeof schema_steps / sizeof schema_steps[0];

/* A version beyond this was not written by a newer program: the header is damaged. */
#define VERSION_PLAUSIBLE 1000

int schema_read_version(sqlite3 *h, int *version)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(h, "PRAGMA user_version", -1, &s, NULL);
    if (rc == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        *version = sqlite3_column_int(s, 0);
    if (rc == SQLITE_OK)
        rc = sqlite3_finalize(s);
    return *version < 0 || *version > VERSION_PLAUSIBLE ? SQLITE_CORRUPT : rc;
}

int schema_load(sqlite3 *h)
{
    int rc = sqlite3_exec(h, "SELECT 1 FROM sqlite_master LIMIT 1", NULL, NULL, NULL);
    /* "Unsupported file format" is a plain SQLITE_ERROR; no SQLite ever wrote such a number. */
    return (rc & 0xff) == SQLITE_ERROR ? SQLITE_CORRUPT : rc;
}

static int run_step(sqlite3 *h, const char *step, int version)
{
    char stamp[64];
    snprintf(stamp, sizeof stamp, "PRAGMA user_version = %d; COMMIT", version);
    int rc = sqlite3_exec(h, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(h, step, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(h, stamp, NULL, NULL, NULL);
    if (rc != SQLITE_OK && !sqlite3_get_autocommit(h))
        sqlite3_exec(h, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

int schema_migrate(sqlite3 *h, const char *const steps[], int version, int count)
{
    for (int i = version; i < count; i++) {
        int rc = run_step(h, steps[i], i + 1);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}
