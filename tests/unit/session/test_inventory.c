/* What is remembered of clients, from the first byte to the row. */
#include "postern/session/inventory.h"

#include "../unit.h"
#include "door.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/store/client_db.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define YEAR_MS (366 * 24 * 3600 * (int64_t)CLOCK_SECOND)
#define DAY_MS  (24 * 3600 * (int64_t)CLOCK_SECOND)

/* A state directory with an inventory in it, and what was read back. */
struct store {
    char dir[64];
    struct inventory *inventory;
    struct client_row *rows;
    size_t count;
};

static const struct config_listener pop = {.name = (char[]){"pop"}, .protocol = PROTOCOL_POP3};
static const struct config_listener imaps = {
    .name = (char[]){"imaps"}, .protocol = PROTOCOL_IMAP, .tls = TLS_IMPLICIT};

static void store_open(struct store *s)
{
    memset(s, 0, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "/tmp/postern-inventory-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s->dir));
    s->inventory = inventory_new(s->dir, YEAR_MS);
}

static size_t store_read(struct store *s)
{
    struct error e = ERROR_INIT;
    free(s->rows);
    CU_ASSERT_EQUAL_FATAL(client_db_read(s->dir, &s->rows, &s->count, &e), CLIENT_DB_READ);
    return s->count;
}

static void store_close(struct store *s)
{
    inventory_free(&s->inventory);
    DIR *d = opendir(s->dir);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        char *path = xasprintf("%s/%s", s->dir, entry->d_name);
        unlink(path);
        free(path);
    }
    if (d)
        closedir(d);
    rmdir(s->dir);
    free(s->rows);
}

static struct inventory_client *come(struct store *s, const struct config_listener *l,
                                     const char *address)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
        return inventory_client_new(s->inventory, l, (struct sockaddr *)&v6);
    inet_pton(AF_INET, address, &v4.sin_addr);
    return inventory_client_new(s->inventory, l, (struct sockaddr *)&v4);
}

static void test_a_session(void)
{
    struct store s;
    store_open(&s);
    struct inventory_client *c = come(&s, &imaps, "2001:db8:1:2:3::4");
    inventory_tls(c, 0x0302, "AES128-SHA");
    inventory_command(c, "CAPABILITY");
    inventory_refused(c, "LOGIN", "scanner", "wrong password");
    inventory_accepted(c, "LOGIN", "scanner");
    inventory_fetched(c, 3);
    inventory_appended(c, 2);
    inventory_client_end(&c, 123, 456);
    CU_ASSERT_PTR_NULL(c);
    CU_ASSERT_EQUAL_FATAL(store_read(&s), 1);
    const struct client_row *r = s.rows;
    CU_ASSERT_STRING_EQUAL(r->address, "2001:db8:1:2:3::4");
    CU_ASSERT_STRING_EQUAL(r->network, "2001:db8:1:2::");
    CU_ASSERT_STRING_EQUAL(r->login, "scanner");
    CU_ASSERT_STRING_EQUAL(r->protocol, "imap");
    CU_ASSERT_STRING_EQUAL(r->listener, "imaps");
    CU_ASSERT_EQUAL(r->tls, 0x0302);
    CU_ASSERT_STRING_EQUAL(r->cipher, "AES128-SHA");
    CU_ASSERT_STRING_EQUAL(r->mechanism, "LOGIN");
    CU_ASSERT_STRING_EQUAL(r->program, "CAPABILITY");
    CU_ASSERT_EQUAL(r->sessions, 1);
    CU_ASSERT_EQUAL(r->logins, 1);
    CU_ASSERT_EQUAL(r->failures, 1);
    CU_ASSERT_STRING_EQUAL(r->reason, "wrong password");
    CU_ASSERT_EQUAL(r->bytes_in, 123);
    CU_ASSERT_EQUAL(r->bytes_out, 456);
    CU_ASSERT_EQUAL(r->fetched, 3);
    CU_ASSERT_EQUAL(r->appended, 2);
    CU_ASSERT(r->first_ms > 0 && r->last_ms >= r->first_ms);
    store_close(&s);
}

/* Names that are no login's leave no trace; a login that comes after them is a row of its own. */
static void test_several_attempts(void)
{
    struct store s;
    store_open(&s);
    struct inventory_client *c = come(&s, &pop, "192.0.2.7");
    inventory_refused(c, "USER", NULL, "no such login");
    inventory_refused(c, "USER", NULL, "no such login");
    inventory_refused(c, "PLAIN", "nagios", "wrong password");
    inventory_accepted(c, "USER", "nagios");
    inventory_client_end(&c, 1, 1);
    CU_ASSERT_EQUAL_FATAL(store_read(&s), 3);
    for (size_t i = 0; i < s.count; i++) {
        const struct client_row *r = &s.rows[i];
        bool unknown = !r->login[0], plain = strcmp(r->mechanism, "PLAIN") == 0;
        CU_ASSERT_EQUAL(r->failures, unknown ? 2 : plain ? 1 : 0);
        CU_ASSERT_EQUAL(r->logins, unknown || plain ? 0 : 1);
        CU_ASSERT_EQUAL(r->sessions, unknown || plain ? 0 : 1);
    }
    store_close(&s);
}

static const char *program_of(struct store *s, const char *const *commands)
{
    struct inventory_client *c = come(s, &pop, "192.0.2.7");
    while (*commands)
        inventory_command(c, *commands++);
    inventory_client_end(&c, 0, 0);
    CU_ASSERT_FATAL(store_read(s) > 0);
    return s->rows[0].program;
}

static void test_commands(void)
{
    static const char *const all[] = {"CAPA", "USER", "USER", "PASS", "NOOP", "STAT", "LIST",
                                      "RETR", "RETR", "DELE", "QUIT", "UIDL", "TOP",  NULL};
    static const char *const odd[] = {INVENTORY_UNKNOWN, "QUIT", NULL};
    struct store s;
    store_open(&s);
    CU_ASSERT_STRING_EQUAL(program_of(&s, all), "CAPA,USER,PASS,STAT,LIST,RETR,DELE,UIDL");
    CU_ASSERT_STRING_EQUAL(program_of(&s, odd), "?");
    store_close(&s);
}

/* What a client says goes in clean and cut, and first come counts. */
static void test_told(void)
{
    char longest[2000];
    struct store s;
    store_open(&s);
    struct inventory_client *c = come(&s, &pop, "192.0.2.7");
    inventory_command(c, "ID");
    inventory_told(c, "");
    inventory_told(c, "name \"Evil\x1b]0;\xff\r\n=cmd\"");
    inventory_told(c, "name \"other\"");
    inventory_command(c, "LOGIN");
    inventory_client_end(&c, 0, 0);
    CU_ASSERT_EQUAL_FATAL(store_read(&s), 1);
    CU_ASSERT_STRING_EQUAL(s.rows[0].program, "name \"Evil?]0;?" "?" "?=cmd\"");
    CU_ASSERT_TRUE(s.rows[0].told);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    c = come(&s, &pop, "192.0.2.8");
    inventory_told(c, longest);
    inventory_refused(c, longest, longest, longest);
    inventory_client_end(&c, 0, 0);
    CU_ASSERT_EQUAL_FATAL(store_read(&s), 2);
    CU_ASSERT_EQUAL(strlen(s.rows[0].program), CLIENT_PROGRAM_SIZE - 1);
    CU_ASSERT_EQUAL(strlen(s.rows[0].login), CLIENT_NAME_SIZE - 1);
    CU_ASSERT_EQUAL(strlen(s.rows[0].reason), CLIENT_REASON_SIZE - 1);
    store_close(&s);
}

/* A session under way is written as far as it went, and what follows is added. */
static void test_under_way(void)
{
    struct store s;
    store_open(&s);
    struct inventory_client *c = come(&s, &pop, "192.0.2.7");
    inventory_command(c, "USER");
    inventory_client_leave(c, 10, 20);
    inventory_flush(s.inventory);
    CU_ASSERT_EQUAL(store_read(&s), 0); /* not before it is known who it is */
    inventory_accepted(c, "USER", "nagios");
    inventory_fetched(c, 1);
    inventory_client_leave(c, 10, 20);
    inventory_flush(s.inventory);
    CU_ASSERT_EQUAL_FATAL(store_read(&s), 1);
    CU_ASSERT_EQUAL(s.rows[0].sessions, 1);
    CU_ASSERT_EQUAL(s.rows[0].bytes_out, 20);
    inventory_command(c, "STAT"); /* of the row that is written, it makes no other one */
    inventory_fetched(c, 1);
    inventory_client_leave(c, 10, 25);
    inventory_client_end(&c, 15, 30);
    CU_ASSERT_EQUAL_FATAL(store_read(&s), 1);
    CU_ASSERT_EQUAL(s.rows[0].sessions, 1);
    CU_ASSERT_EQUAL(s.rows[0].logins, 1);
    CU_ASSERT_EQUAL(s.rows[0].fetched, 2);
    CU_ASSERT_EQUAL(s.rows[0].bytes_in, 15);
    CU_ASSERT_EQUAL(s.rows[0].bytes_out, 30);
    store_close(&s);
}

static void test_handshakes(void)
{
    struct store s;
    store_open(&s);
    struct inventory_client *c = come(&s, &imaps, "192.0.2.7");
    inventory_tls_failed(c, -1, "the client closed the connection"); /* it said nothing */
    inventory_client_end(&c, 0, 0);
    CU_ASSERT_EQUAL_FATAL(store_read(&s), 1);
    CU_ASSERT_EQUAL(s.rows[0].tls, CLIENT_TLS_UNKNOWN);
    CU_ASSERT_EQUAL(s.rows[0].failures, 0);
    c = come(&s, &imaps, "192.0.2.8");
    inventory_tls_failed(c, 0x0301, "the TLS handshake failed: unsupported protocol");
    inventory_client_end(&c, 0, 0);
    CU_ASSERT_EQUAL_FATAL(store_read(&s), 2);
    CU_ASSERT_EQUAL(s.rows[0].tls, 0x0301);
    CU_ASSERT_STRING_EQUAL(s.rows[0].cipher, "");
    CU_ASSERT_EQUAL(s.rows[0].failures, 1);
    c = come(&s, &pop, "192.0.2.9");
    inventory_tls_failed(c, 0, "the TLS handshake failed: http request");
    inventory_client_end(&c, 0, 0);
    CU_ASSERT_EQUAL_FATAL(store_read(&s), 3);
    CU_ASSERT_EQUAL(s.rows[0].tls, CLIENT_TLS_UNKNOWN);
    store_close(&s);
}

static void test_turned_away(void)
{
    struct store s;
    struct sockaddr_in peer = {.sin_family = AF_INET};
    store_open(&s);
    inet_pton(AF_INET, "192.0.2.66", &peer.sin_addr);
    inventory_turned_away(s.inventory, &pop, (struct sockaddr *)&peer,
                          "max-connections is reached");
    CU_ASSERT_EQUAL(store_read(&s), 0);
    inventory_tick(s.inventory);
    CU_ASSERT_EQUAL_FATAL(store_read(&s), 1);
    CU_ASSERT_STRING_EQUAL(s.rows[0].reason, "max-connections is reached");
    inventory_turned_away(NULL, &pop, (struct sockaddr *)&peer, "nobody cares");
    CU_ASSERT_PTR_NULL(inventory_client_new(NULL, &pop, (struct sockaddr *)&peer));
    store_close(&s);
}

static void test_retention(void)
{
    struct store s;
    int64_t now = 1800000000000;
    clock_test_set(1000, now);
    store_open(&s);
    struct inventory_client *c = come(&s, &pop, "192.0.2.7");
    inventory_client_end(&c, 0, 0);
    inventory_tick(s.inventory);
    clock_test_set(1000 + DAY_MS, now + YEAR_MS); /* to the millisecond: it stays */
    inventory_tick(s.inventory);
    CU_ASSERT_EQUAL(store_read(&s), 1);
    clock_test_set(1000 + 2 * DAY_MS - 1, now + YEAR_MS + 1); /* not yet a day later */
    inventory_tick(s.inventory);
    CU_ASSERT_EQUAL(store_read(&s), 1);
    clock_test_set(1000 + 2 * DAY_MS, now + YEAR_MS + 1);
    inventory_tick(s.inventory);
    CU_ASSERT_EQUAL(store_read(&s), 0);

    c = come(&s, &pop, "192.0.2.7");
    inventory_client_end(&c, 0, 0);
    inventory_set_retention(s.inventory, DAY_MS);
    clock_test_set(1000 + 3 * DAY_MS, now + YEAR_MS + 2 + DAY_MS);
    inventory_tick(s.inventory);
    CU_ASSERT_EQUAL(store_read(&s), 0);
    clock_test_off();
    store_close(&s);
}

/* A database that cannot be opened costs nobody his session, and is tried again. */
static void test_no_database(void)
{
    struct store s;
    clock_test_set(1000, 1800000000000);
    store_open(&s);
    inventory_free(&s.inventory);
    char *path = xasprintf("%s/clients.db", s.dir);
    unlink(path);
    CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
    s.inventory = inventory_new(s.dir, YEAR_MS);
    struct inventory_client *c = come(&s, &pop, "192.0.2.7");
    inventory_accepted(c, "USER", "nagios");
    inventory_client_end(&c, 0, 0);
    rmdir(path);
    inventory_tick(s.inventory); /* too early */
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
    clock_test_set(61001, 1800000060000);
    inventory_tick(s.inventory);
    c = come(&s, &pop, "192.0.2.7");
    inventory_client_end(&c, 0, 0);
    CU_ASSERT_EQUAL(store_read(&s), 1);
    free(path);
    clock_test_off();
    store_close(&s);
}

/* The row is there before the socket closes. */
static void test_written_before_the_end(void)
{
    struct store s;
    struct door d;
    char byte;
    store_open(&s);
    struct door_options options = {.inventory = s.inventory, .address = "192.0.2.5"};
    door_open(&d, &options);
    inventory_accepted(session_conn_client(d.conn), "USER", "alice");
    session_conn_printf(d.conn, "+OK bye\r\n");
    session_conn_flush(d.conn);
    session_conn_free(&d.conn);
    while (read(d.client, &byte, 1) == 1)
        continue;
    CU_ASSERT_EQUAL_FATAL(store_read(&s), 1);
    CU_ASSERT_STRING_EQUAL(s.rows[0].address, "192.0.2.5");
    CU_ASSERT_EQUAL(s.rows[0].bytes_out, 9);
    door_close(&d);
    store_close(&s);
}

extern const struct unit_test inventory_tests[];
const struct unit_test inventory_tests[] = {
    {"a session", test_a_session},
    {"several attempts to log in", test_several_attempts},
    {"first commands", test_commands},
    {"what clients say they are", test_told},
    {"sessions under way", test_under_way},
    {"handshakes that fail", test_handshakes},
    {"turned away", test_turned_away},
    {"retention", test_retention},
    {"no database", test_no_database},
    {"written before the socket closes", test_written_before_the_end},
    {NULL, NULL},
};
