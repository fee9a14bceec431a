#include "postern/graph/report.h"

#include "build.h"

#include "postern/base/alloc.h"
#include "postern/base/csv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const unsigned graph_report_periods[4] = {7, 30, 90, 180};

/* CSV is as little JSON as a message is: a 200 with an error page in it is refused. */
static struct graph_request request(struct graph_as as)
{
    struct graph_request r = build_request(as, GRAPH_GET, GRAPH_REPEAT_SAFE);
    r.mime = true;
    return r;
}

static struct graph_call *ask(struct graph_user *u, struct graph_as as, unsigned days)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = request(as);
    r.at_root = true;
    r.redirect = true;
    buf_printf(&path, "/reports/getEmailAppUsageUserDetail(period='D%u')", days);
    return build_start(u, &r, &path);
}

static struct graph_call *fetch(struct graph_user *u, struct graph_as as, const char *address)
{
    struct graph_request r = request(as);
    r.upload = address;
    return graph_call_start(u, &r);
}

/* A refusal there says nothing of our permissions. */
static bool explain_file(struct error *e)
{
    if (e->kind == ERROR_DENIED || e->kind == ERROR_SIGN_IN)
        return error_set(e, ERROR_TEMPORARY,
                         "the address of the report's file was refused (HTTP %d): it is good for "
                         "minutes only; try again",
                         e->status);
    return error_prefix(e, "the report's file cannot be fetched: ");
}

bool graph_report_email_apps(struct graph_user *u, struct graph_as as, unsigned days,
                             struct buf *out, struct wait *w, struct error *e)
{
    struct graph_call *call = ask(u, as, days);
    bool ok = graph_call_wait(call, w, e);
    if (ok && graph_call_status(call) >= 300) {
        struct graph_call *file = fetch(u, as, buf_str(graph_call_body(call)));
        graph_call_free(&call);
        call = file;
        ok = graph_call_wait(call, w, e) || explain_file(e);
    }
    if (ok && !buf_append(out, buf_str(graph_call_body(call)), graph_call_body(call)->len))
        ok = error_set(e, ERROR_TOO_BIG, "the report is over the limit of %zu bytes", out->max);
    graph_call_free(&call);
    return ok;
}

/* --- reading it --- */

enum column { USER, LAST, DELETED, POP3, IMAP4, SMTP, REFRESHED, COLUMNS };

static const char *const column_names[COLUMNS] = {[USER] = "User Principal Name",
                                                  [LAST] = "Last Activity Date",
                                                  [DELETED] = "Is Deleted",
                                                  [POP3] = "POP3 App",
                                                  [IMAP4] = "IMAP4 App",
                                                  [SMTP] = "SMTP App",
                                                  [REFRESHED] = "Report Refresh Date"};

#define MISSING CSV_FIELDS_MAX

/* Where each column stands. The name and one of the programs must be there. */
static bool find_columns(const struct csv_record *head, size_t at[COLUMNS], struct error *e)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        at[c] = MISSING;
        for (size_t i = 0; i < head->count && at[c] == MISSING; i++) {
            if (strcasecmp(head->fields[i], column_names[c]) == 0)
                at[c] = i;
        }
    }
    if (at[USER] == MISSING)
        return error_set(e, ERROR_ANSWER, "the report has no column \"%s\"", column_names[USER]);
    return at[POP3] != MISSING || at[IMAP4] != MISSING || at[SMTP] != MISSING ||
           error_set(e, ERROR_ANSWER, "the report has none of the columns \"%s\", \"%s\", \"%s\"",
                     column_names[POP3], column_names[IMAP4], column_names[SMTP]);
}

static const char *cell(const struct csv_record *r, const size_t at[COLUMNS], enum column c)
{
    return at[c] < r->count ? r->fields[at[c]] : "";
}

static bool means_yes(const char *text)
{
    return *text && strcasecmp(text, "no") != 0 && strcasecmp(text, "false") != 0 &&
           strcmp(text, "0") != 0;
}

static void take_row(const struct csv_record *r, const size_t at[COLUMNS], struct graph_report *out,
                     size_t *room)
{
    const struct graph_report_row row = {.user = cell(r, at, USER),
                                         .last = cell(r, at, LAST),
                                         .pop3 = means_yes(cell(r, at, POP3)),
                                         .imap4 = means_yes(cell(r, at, IMAP4)),
                                         .smtp = means_yes(cell(r, at, SMTP)),
                                         .deleted = means_yes(cell(r, at, DELETED))};
    out->users++;
    out->refreshed = cell(r, at, REFRESHED);
    if (strchr(row.user, '@'))
        out->concealed = false;
    if (!row.user[0] || !(row.pop3 || row.imap4 || row.smtp))
        return;
    if (out->count == *room) {
        *room = *room ? 2 * *room : 64;
        out->rows = xreallocarray(out->rows, *room, sizeof *out->rows);
    }
    out->rows[out->count++] = row;
}

bool graph_report_decode(const char *text, size_t len, struct graph_report *out, struct error *e)
{
    struct csv csv;
    struct csv_record record;
    size_t at[COLUMNS], room = 0;
    *out = (struct graph_report){.arena = arena_new(), .refreshed = ""};
    csv_open(&csv, text, len);
    enum csv_result result = csv_next(&csv, out->arena, &record, e);
    bool ok = result == CSV_RECORD && find_columns(&record, at, e);
    if (result == CSV_END)
        error_set(e, ERROR_ANSWER, "the report is empty, without even its head line");
    out->concealed = true;
    while (ok && (result = csv_next(&csv, out->arena, &record, e)) == CSV_RECORD)
        take_row(&record, at, out, &room);
    out->concealed = out->concealed && out->users;
    if (ok && result == CSV_END)
        return true;
    graph_report_free(out);
    return false;
}

void graph_report_free(struct graph_report *r)
{
    arena_free(&r->arena);
    free(r->rows);
    *r = (struct graph_report){.refreshed = ""};
}
