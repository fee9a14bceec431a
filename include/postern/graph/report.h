/*
 * The usage report of Microsoft 365 that tells who still reads mail over POP3 and IMAP4 and sends
 * over SMTP (reportRoot: getEmailAppUsageUserDetail). Needs Reports.Read.All; global cloud only.
 */
#ifndef POSTERN_GRAPH_REPORT_H
#define POSTERN_GRAPH_REPORT_H

#include "postern/graph/mail.h"

/* The periods that Graph knows, in days. */
extern const unsigned graph_report_periods[4];

/* Fetches the report of the last `days` days, CSV text, into `out`. Graph answers with a redirect
 * to an address that is good for minutes and its own permission; it is asked without the token.
 * Blocks; any thread. ERROR_DENIED: the permission is missing. */
bool graph_report_email_apps(struct graph_user *u, struct graph_as as, unsigned days,
                             struct buf *out, struct wait *w, struct error *e);

struct graph_report_row {
    const char *user; /* UPN, or a digest where the tenant conceals names */
    const char *last; /* "2026-11-18", the last day of any mail activity; "" if unknown */
    bool pop3, imap4, smtp;
    bool deleted; /* the account no longer exists */
};
struct graph_report {
    struct arena *arena;
    struct graph_report_row *rows; /* those that used one of the three, in the report's order */
    size_t count;
    size_t users;          /* rows of the report */
    const char *refreshed; /* the day up to which it tells, "" if it has no rows */
    bool concealed;        /* no name in it is one */
};

/* Reads the report: columns by name, in any order, further ones passed over. A cell that is empty,
 * "No", "False" or "0" means that the program was not used; what else stands there (a version,
 * "Undetermined", a date) that it was. False: `e` (ERROR_ANSWER) says what is wrong; nothing is to
 * be freed. */
bool graph_report_decode(const char *text, size_t len, struct graph_report *out, struct error *e);
void graph_report_free(struct graph_report *r);

#endif
