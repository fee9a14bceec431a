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

#endif
