#include "clients.h"

#include "grid.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/csv.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define DAY_LEN    10 /* of an ISO date */
#define WORD_SIZE  32
#define RECORD_MAX ((size_t)8192)
#define TLS_1_2    0x0303

static const char *version_name(int version)
{
    static const char *const names[] = {"ssl3", "1.0", "1.1", "1.2", "1.3"};
    if (version == 0)
        return "none";
    if (version >= 0x0300 && version <= 0x0304)
        return names[version - 0x0300];
    return version > 0 ? "ssl2" : "unknown";
}

/* ---- the table ---- */

static void put_number(struct grid *g, uint64_t n)
{
    char text[WORD_SIZE];
    snprintf(text, sizeof text, "%" PRIu64, n);
    grid_put(g, text);
}

static void put_day(struct grid *g, int64_t ms)
{
    char text[CLOCK_ISO_SIZE];
    clock_format_iso(ms, text);
    text[DAY_LEN] = '\0';
    grid_put(g, text);
}

/* A version in brackets was offered, and no handshake came of it. */
static void put_version(struct grid *g, const struct client_row *row)
{
    char text[WORD_SIZE];
    bool refused = row->tls > 0 && !row->cipher[0];
    snprintf(text, sizeof text, refused ? "(%s)" : "%s",
             row->tls < 0 ? "?" : version_name(row->tls));
    grid_put(g, text);
}

/* Where no program is known, why not. */
static void put_program(struct grid *g, const struct client_row *row, bool failures)
{
    char *text = NULL;
    if (row->reason[0] && (failures || !row->program[0]))
        text = xasprintf("(%s)", row->reason);
    grid_put(g, text ? text : row->program);
    free(text);
}

static void print_sum(const struct client_row *rows, size_t count)
{
    size_t below = 0, plaintext = 0;
    for (size_t i = 0; i < count; i++) {
        below += clients_below_tls(&rows[i], TLS_1_2);
        plaintext += clients_plaintext(&rows[i]);
    }
    printf("%zu client%s, %zu below TLS 1.2, %zu plaintext\n", count, count == 1 ? "" : "s", below,
           plaintext);
}

void clients_print_table(const struct client_row *rows, size_t count, bool failures)
{
    static const struct grid_column columns[] = {
        {"LAST SEEN", 0, false}, {"LOGIN", 8, false}, {"ADDRESS", 9, false},
        {"PROTO", 0, false},     {"TLS", 0, false},   {"AUTH", 5, false},
        {"LOGINS", 0, true},     {"FAILED", 0, true}, {"PROGRAM", 8, false}};
    struct grid *g = grid_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < count; i++) {
        put_day(g, rows[i].last_ms);
        grid_put(g, rows[i].login[0] ? rows[i].login : "-");
        grid_put(g, rows[i].address);
        grid_put(g, rows[i].protocol);
        put_version(g, &rows[i]);
        grid_put(g, rows[i].mechanism[0] ? rows[i].mechanism : "-");
        put_number(g, rows[i].logins);
        put_number(g, rows[i].failures);
        put_program(g, &rows[i], failures);
    }
    if (count)
        grid_print(g, grid_terminal_width(stdout), stdout);
    print_sum(rows, count);
    grid_free(&g);
}

/* ---- for programs ---- */

/* The fields of both formats, in the order of the CSV's columns. */
struct field {
    const char *name;
    enum { FIELD_TEXT, FIELD_FLAG, FIELD_NUMBER, FIELD_TIME, FIELD_TLS } type;
    size_t offset;
};

#define FIELD(name, type, member)                                                                  \
    {                                                                                              \
        name, type, offsetof(struct client_row, member)                                            \
    }
static const struct field fields[] = {
    FIELD("address", FIELD_TEXT, address),
    FIELD("login", FIELD_TEXT, login),
    FIELD("protocol", FIELD_TEXT, protocol),
    FIELD("listener", FIELD_TEXT, listener),
    FIELD("tls", FIELD_TLS, tls),
    FIELD("cipher", FIELD_TEXT, cipher),
    FIELD("mechanism", FIELD_TEXT, mechanism),
    FIELD("program", FIELD_TEXT, program),
    FIELD("told", FIELD_FLAG, told),
    FIELD("first_seen", FIELD_TIME, first_ms),
    FIELD("last_seen", FIELD_TIME, last_ms),
    FIELD("sessions", FIELD_NUMBER, sessions),
    FIELD("logins", FIELD_NUMBER, logins),
    FIELD("failures", FIELD_NUMBER, failures),
    FIELD("bytes_in", FIELD_NUMBER, bytes_in),
    FIELD("bytes_out", FIELD_NUMBER, bytes_out),
    FIELD("fetched", FIELD_NUMBER, fetched),
    FIELD("appended", FIELD_NUMBER, appended),
    FIELD("last_failure", FIELD_TEXT, reason),
};
#define FIELDS (sizeof fields / sizeof *fields)

/* The field as text; `text` serves for those that are none. */
static const char *as_text(const struct field *f, const struct client_row *row,
                           char text[WORD_SIZE])
{
    const void *at = (const char *)row + f->offset;
    switch (f->type) {
    case FIELD_TEXT:
        return at;
    case FIELD_TLS:
        return version_name(*(const int *)at);
    case FIELD_FLAG:
        return *(const bool *)at ? "yes" : "no";
    case FIELD_NUMBER:
        snprintf(text, WORD_SIZE, "%" PRIu64, *(const uint64_t *)at);
        break;
    case FIELD_TIME:
        clock_format_iso(*(const int64_t *)at, text);
        break;
    }
    return text;
}

void clients_print_csv(const struct client_row *rows, size_t count)
{
    struct buf record = BUF_INIT(RECORD_MAX);
    for (size_t i = 0; i < FIELDS; i++)
        printf("%s%s", fields[i].name, i + 1 < FIELDS ? "," : "\r\n");
    for (size_t r = 0; r < count; r++) {
        buf_clear(&record);
        for (size_t i = 0; i < FIELDS; i++) {
            char text[WORD_SIZE];
            if (i)
                buf_putc(&record, ',');
            csv_put(&record, as_text(&fields[i], &rows[r], text));
        }
        printf("%s\r\n", buf_str(&record));
    }
    buf_free(&record);
}

static struct json_object *as_json(const struct field *f, const struct client_row *row)
{
    char text[WORD_SIZE];
    const void *at = (const char *)row + f->offset;
    if (f->type == FIELD_NUMBER)
        return json_object_new_uint64(*(const uint64_t *)at);
    if (f->type == FIELD_FLAG)
        return json_object_new_boolean(*(const bool *)at);
    return json_object_new_string(as_text(f, row, text));
}

void clients_print_json(const struct client_row *rows, size_t count)
{
    struct json_object *all = json_object_new_array();
    for (size_t r = 0; r < count; r++) {
        struct json_object *client = json_object_new_object();
        for (size_t i = 0; i < FIELDS; i++)
            json_object_object_add(client, fields[i].name, as_json(&fields[i], &rows[r]));
        json_object_array_add(all, client);
    }
    puts(json_object_to_json_string_ext(all,
                                        JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(all);
}
