/* Who the clients are: rows, bounds, several threads, several programs. */
#include "postern/store/client_db.h"

#include "../unit.h"
#include "scratch.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 8
#define EACH    50

#define SET(field, value) snprintf(field, sizeof(field), "%s", value)

static struct client_db *open_db(const char *dir)
{
    struct error e = ERROR_INIT;
    struct client_db *db = client_db_open(dir, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    return db;
}

/* A session of one login that ended at `at`. */
static struct client_row session(const char *address, const char *login, const char *program,
                                 int64_t at)
{
    struct client_row r = {.protocol = "imap",
                           .listener = "imap",
                           .tls = 0x0303,
                           .cipher = "AES128-SHA",
                           .mechanism = "PLAIN",
                           .first_ms = at,
                           .last_ms = at,
                           .sessions = 1,
                           .logins = 1,
                           .bytes_in = 10,
                           .bytes_out = 100,
                           .fetched = 2,
                           .appended = 1};
    snprintf(r.address, sizeof r.address, "%s", address);
    snprintf(r.network, sizeof r.network, "%s", address);
    snprintf(r.login, sizeof r.login, "%s", login);
    snprintf(r.program, sizeof r.program, "%s", program);
    return r;
}

static struct client_row refusal(const char *address, const char *program, int64_t at)
{
    struct client_row r = session(address, "", program, at);
    r.logins = 0;
    r.failures = 1;
    snprintf(r.reason, sizeof r.reason, "no such login");
    return r;
}

static size_t read_all(const char *dir, struct client_row **rows)
{
    struct error e = ERROR_INIT;
    size_t count = 0;
    CU_ASSERT_EQUAL(client_db_read(dir, rows, &count, &e), CLIENT_DB_READ);
    return count;
}

static size_t count_all(const char *dir)
{
    struct client_row *rows;
    size_t count = read_all(dir, &rows);
    free(rows);
    return count;
}

static void test_sums(void)
{
    const char *dir = scratch_make();
    struct client_db *db = open_db(dir);
    struct client_row note = session("192.0.2.1", "nagios", "LOGIN,SELECT", 1000), *rows;
    client_db_add(db, &note);
    note.first_ms = 500;
    note.last_ms = 900;
    note.failures = 3;
    snprintf(note.reason, sizeof note.reason, "wrong password");
    client_db_add(db, &note);
    note.reason[0] = '\0';
    note.failures = 0;
    client_db_add(db, &note);
    CU_ASSERT_EQUAL_FATAL(read_all(dir, &rows), 1); /* beside the writer */
    CU_ASSERT_EQUAL(rows->sessions, 3);
    CU_ASSERT_EQUAL(rows->logins, 3);
    CU_ASSERT_EQUAL(rows->failures, 3);
    CU_ASSERT_EQUAL(rows->bytes_in, 30);
    CU_ASSERT_EQUAL(rows->bytes_out, 300);
    CU_ASSERT_EQUAL(rows->fetched, 6);
    CU_ASSERT_EQUAL(rows->appended, 3);
    CU_ASSERT_EQUAL(rows->first_ms, 500);
    CU_ASSERT_EQUAL(rows->last_ms, 1000);
    CU_ASSERT_STRING_EQUAL(rows->reason, "wrong password"); /* the last one there was */
    CU_ASSERT_STRING_EQUAL(rows->cipher, "AES128-SHA");
    CU_ASSERT_EQUAL(rows->tls, 0x0303);
    CU_ASSERT_EQUAL(scratch_mode(scratch_path("clients.db")), 0600);
    CU_ASSERT_EQUAL(scratch_mode(scratch_path("clients.db-wal")), 0600);
    free(rows);
    client_db_close(&db);
    CU_ASSERT_EQUAL(count_all(dir), 1);
    scratch_remove();
}

/* Whatever makes a client another one. */
static void test_distinct(void)
{
    const char *dir = scratch_make();
    struct client_db *db = open_db(dir);
    struct client_row usual = session("192.0.2.1", "nagios", "LOGIN", 1), note;
    client_db_add(db, &usual);
    size_t want = 1;
#define OTHER(change)                                                                              \
    do {                                                                                           \
        note = usual;                                                                              \
        change;                                                                                    \
        client_db_add(db, &note);                                                                  \
        CU_ASSERT_EQUAL(count_all(dir), ++want);                                                   \
    } while (0)
    OTHER(SET(note.address, "192.0.2.2"));
    OTHER(SET(note.login, "other"));
    OTHER(SET(note.protocol, "pop3"));
    OTHER(SET(note.listener, "old"));
    OTHER(note.tls = 0x0304);
    OTHER(note.tls = CLIENT_TLS_UNKNOWN);
    OTHER(SET(note.cipher, "AES256-SHA"));
    OTHER(SET(note.mechanism, "LOGIN"));
    OTHER(SET(note.program, "CAPABILITY"));
    OTHER(note.told = true);
#undef OTHER
    client_db_close(&db);
    scratch_remove();
}

static void test_programs(void)
{
    const char *dir = scratch_make();
    struct client_db *db = open_db(dir);
    static const struct {
        const char *program;
        bool told;
        size_t rows;
    } steps[] = {
        {"CAPA,USER", false, 1},
        {"CAPA,USER,PASS,STAT", false, 1}, /* the same, longer */
        {"CAPA,USER,PASS", false, 1},      /* and shorter */
        {"", false, 1},                    /* gone before the first command */
        {"CAPA,USER,PA", false, 2},        /* whole words only */
        {"CAPA,USER,PASS,LIST", false, 3},
        {"CAPA,USER,PASS,LISTING", false, 4},
        {"name=a", true, 5},
        {"name=ab", true, 6}, /* what is told is taken as it is */
        {"name=a", true, 6},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct client_row note = session("192.0.2.1", "x", steps[i].program, (int64_t)i);
        note.told = steps[i].told;
        client_db_add(db, &note);
        CU_ASSERT_EQUAL(count_all(dir), steps[i].rows);
    }
    struct client_row *rows;
    size_t count = read_all(dir, &rows), longest = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].program, "CAPA,USER,PASS,STAT") == 0)
            longest = rows[i].sessions;
    }
    CU_ASSERT_EQUAL(longest, 4);
    free(rows);
    client_db_close(&db);
    scratch_remove();
}

/* The last one is there, the first one is not. */
static void expect_ends(const char *dir, const char *newest, const char *gone, size_t want)
{
    struct client_row *rows;
    size_t count = read_all(dir, &rows);
    CU_ASSERT_EQUAL_FATAL(count, want);
    CU_ASSERT_STRING_EQUAL(rows[0].program, newest);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_STRING_NOT_EQUAL(rows[i].program, gone);
    free(rows);
}

static void test_bounds_of_a_network(void)
{
    const char *dir = scratch_make();
    struct client_db *db = open_db(dir);
    char program[32];
    struct client_row note = session("192.0.2.9", "good", "REAL", 1);
    client_db_add(db, &note);
    for (int i = 0; i < CLIENT_REFUSED_MAX; i++) {
        snprintf(program, sizeof program, "name=%d", i);
        note = refusal("192.0.2.9", program, 10 + i);
        note.told = true;
        client_db_add(db, &note);
    }
    CU_ASSERT_EQUAL(count_all(dir), CLIENT_REFUSED_MAX + 1);
    note = refusal("192.0.2.9", "name=last", 1000);
    note.told = true;
    client_db_add(db, &note);
    expect_ends(dir, "name=last", "name=0", CLIENT_REFUSED_MAX + 1);
    note = refusal("192.0.2.10", "name=other", 1000); /* another network has room of its own */
    client_db_add(db, &note);
    CU_ASSERT_EQUAL(count_all(dir), CLIENT_REFUSED_MAX + 2);

    for (int i = 0; i < CLIENT_PROGRAMS_MAX; i++) {
        snprintf(program, sizeof program, "name=%d", i);
        note = session("192.0.2.11", "many", program, 2000 + i);
        note.told = true;
        client_db_add(db, &note);
    }
    CU_ASSERT_EQUAL(count_all(dir), CLIENT_REFUSED_MAX + 2 + CLIENT_PROGRAMS_MAX);
    note = session("192.0.2.11", "many", "name=last", 3000);
    note.told = true;
    client_db_add(db, &note);
    CU_ASSERT_EQUAL(count_all(dir), CLIENT_REFUSED_MAX + 2 + CLIENT_PROGRAMS_MAX);
    client_db_close(&db);
    scratch_remove();
}

/* Address i of a range that nobody has. */
static void set_address(struct client_row *row, int i)
{
    snprintf(row->address, sizeof row->address, "2001:db8:%x::1", i);
    snprintf(row->network, sizeof row->network, "2001:db8:%x::", i);
}

static void test_bound_of_all(void)
{
    const char *dir = scratch_make();
    struct client_db *db = open_db(dir);
    struct client_row *notes = calloc(CLIENT_ROWS_MAX, sizeof *notes), good, *rows;
    CU_ASSERT_PTR_NOT_NULL_FATAL(notes);
    good = session("192.0.2.1", "good", "REAL", 1); /* older than all that follow */
    client_db_add(db, &good);
    for (int i = 0; i < CLIENT_ROWS_MAX - 1; i++) {
        notes[i] = refusal("", "NOISE", 10 + i);
        set_address(&notes[i], i);
    }
    for (int i = 0; i < CLIENT_ROWS_MAX - 1; i += 1000)
        client_db_add_all(db, notes + i,
                          i + 1000 < CLIENT_ROWS_MAX ? 1000 : CLIENT_ROWS_MAX - 1 - (size_t)i);
    CU_ASSERT_EQUAL(count_all(dir), CLIENT_ROWS_MAX);
    struct client_row note = refusal("192.0.2.3", "LAST", 1000000);
    client_db_add(db, &note);
    size_t count = read_all(dir, &rows);
    CU_ASSERT(count < CLIENT_ROWS_MAX && count > CLIENT_ROWS_MAX * 9 / 10);
    CU_ASSERT_STRING_EQUAL(rows[0].program, "LAST");
    CU_ASSERT_STRING_EQUAL(rows[count - 1].program, "REAL");
    free(rows);
    free(notes);
    client_db_close(&db);
    CU_ASSERT(scratch_size(scratch_path("clients.db")) < 40 << 20);
    scratch_remove();
}

static void test_prune(void)
{
    const char *dir = scratch_make();
    struct client_db *db = open_db(dir);
    struct error e = ERROR_INIT;
    for (int i = 1; i <= 3; i++) {
        struct client_row note = session("192.0.2.1", i == 1 ? "a" : i == 2 ? "b" : "c", "", i);
        client_db_add(db, &note);
    }
    CU_ASSERT(client_db_prune(db, 1, &e));
    CU_ASSERT_EQUAL(count_all(dir), 3);
    CU_ASSERT(client_db_prune(db, 3, &e));
    CU_ASSERT_EQUAL(count_all(dir), 1);
    client_db_close(&db);
    scratch_remove();
}

static void *add_some(void *arg)
{
    for (int i = 0; i < EACH; i++) {
        struct client_row note = session("192.0.2.1", "shared", "LOGIN", i);
        client_db_add(arg, &note);
    }
    return NULL;
}

static void test_threads(void)
{
    const char *dir = scratch_make();
    struct client_db *db = open_db(dir);
    struct client_row *rows;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, add_some, db), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL_FATAL(read_all(dir, &rows), 1);
    CU_ASSERT_EQUAL(rows->sessions, THREADS * EACH);
    free(rows);
    client_db_close(&db);
    scratch_remove();
}

static sqlite3 *hold(const char *path)
{
    sqlite3 *h = NULL;
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &h), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(h, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return h;
}

/* Another program holds the file: what is told waits, and comes later. */
static void test_held(void)
{
    const char *dir = scratch_make();
    struct client_db *db = open_db(dir);
    struct client_row note = session("192.0.2.1", "a", "LOGIN", 1), *rows;
    sqlite3 *other = hold(scratch_path("clients.db"));
    client_db_add(db, &note);
    CU_ASSERT_EQUAL(count_all(dir), 0);
    sqlite3_close(other);
    client_db_flush(db);
    CU_ASSERT_EQUAL_FATAL(read_all(dir, &rows), 1);
    CU_ASSERT_EQUAL(rows->sessions, 1);
    free(rows);
    client_db_leave(db, &note);
    CU_ASSERT_EQUAL_FATAL(read_all(dir, &rows), 1);
    CU_ASSERT_EQUAL(rows->sessions, 1);
    free(rows);
    client_db_close(&db); /* writes what was left */
    CU_ASSERT_EQUAL_FATAL(read_all(dir, &rows), 1);
    CU_ASSERT_EQUAL(rows->sessions, 2);
    free(rows);
    scratch_remove();
}

/* What waits has an end. */
static void test_waiting_is_bounded(void)
{
    const char *dir = scratch_make();
    struct client_db *db = open_db(dir);
    struct client_row *rows;
    struct client_row note = session("192.0.2.1", "a", "LOGIN", 1);
    for (int i = 0; i < 5000; i++)
        client_db_leave(db, &note);
    client_db_flush(db);
    CU_ASSERT_EQUAL_FATAL(read_all(dir, &rows), 1);
    CU_ASSERT_EQUAL(rows->sessions, 4096);
    free(rows);
    client_db_close(&db);
    scratch_remove();
}

static void test_damage(void)
{
    const char *dir = scratch_make();
    struct client_db *db = open_db(dir);
    struct client_row note = session("192.0.2.1", "a", "LOGIN", 1);
    client_db_add(db, &note);
    client_db_close(&db);
    CU_ASSERT(scratch_flip(scratch_path("clients.db"), 0, 100));
    db = open_db(dir);
    CU_ASSERT_EQUAL(scratch_count(dir, "clients.db.corrupt-"), 1);
    client_db_add(db, &note);
    CU_ASSERT_EQUAL(count_all(dir), 1);
    client_db_close(&db);
    scratch_remove();
}

static void set_version(const char *path, int version)
{
    char sql[64];
    sqlite3 *h = NULL;
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &h), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(h);
}

static void test_reading_what_is_not_there(void)
{
    const char *dir = scratch_make();
    struct client_row *rows;
    size_t count;
    struct error e = ERROR_INIT;
    CU_ASSERT_EQUAL(client_db_read(dir, &rows, &count, &e), CLIENT_DB_NONE);
    FILE *f = fopen(scratch_path("clients.db"), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fclose(f);
    CU_ASSERT_EQUAL(client_db_read(dir, &rows, &count, &e), CLIENT_DB_READ); /* begun, no more */
    CU_ASSERT_EQUAL(count, 0);
    f = fopen(scratch_path("clients.db"), "w");
    fputs("this is no database, it is a text that somebody wrote over it", f);
    fclose(f);
    CU_ASSERT_EQUAL(client_db_read(dir, &rows, &count, &e), CLIENT_DB_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "clients.db"));
    if (geteuid() != 0) {
        chmod(scratch_path("clients.db"), 0);
        CU_ASSERT_EQUAL(client_db_read(dir, &rows, &count, &e), CLIENT_DB_DENIED);
    }
    remove(scratch_path("clients.db"));
    struct client_db *db = open_db(dir);
    client_db_close(&db);
    set_version(scratch_path("clients.db"), 99);
    CU_ASSERT_EQUAL(client_db_read(dir, &rows, &count, &e), CLIENT_DB_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "newer"));
    CU_ASSERT_PTR_NULL(client_db_open(dir, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "newer"));
    scratch_remove();
}

extern const struct unit_test client_tests[];
const struct unit_test client_tests[] = {
    {"counts add up", test_sums},
    {"clients are told apart", test_distinct},
    {"lists of commands that go on are one", test_programs},
    {"a network has its bounds", test_bounds_of_a_network},
    {"all have a bound", test_bound_of_all},
    {"what is old is forgotten", test_prune},
    {"many threads", test_threads},
    {"another program holds the file", test_held},
    {"what waits is bounded", test_waiting_is_bounded},
    {"a damaged file", test_damage},
    {"reading what is not there", test_reading_what_is_not_there},
    {NULL, NULL},
};
