/*
 * GET /reports/getEmailAppUsageUserDetail: who used which mail program, as CSV at another origin
 * (Graph: reportroot-getemailappusageuserdetail). Guarded by the sandbox's lock.
 */
#ifndef SANDBOX_REPORTS_H
#define SANDBOX_REPORTS_H

#include "graph.h"

/* Programs that the report has columns for and that are of interest here. */
enum report_app { REPORT_POP3, REPORT_IMAP4, REPORT_SMTP, REPORT_APPS };

/* One line of the report beside those of the mailboxes that used nothing. */
struct report_user {
    char *upn;
    char *name;
    char *cell;                    /* what the column of a program that was used holds */
    int64_t days_ago[REPORT_APPS]; /* of its last use, before the report's date; -1: never */
    bool deleted;
};

/* The line of a user, made if there is none. */
struct report_user *reports_user(struct reports *reports, const char *upn);
bool reports_is_wanted(const struct request *r);
/* 302 to the CSV. */
void reports_handle(struct call *c);
/* A request for the CSV, at its own origin? */
bool reports_is_download(const struct request *r);
void reports_download(struct sandbox *s, const struct request *r, struct answer *a);
void reports_free(struct reports *reports);

#endif
