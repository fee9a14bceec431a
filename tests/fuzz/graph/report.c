/* The usage report: refused with an error, or read into rows that used a program and have a name. */
#include "../fuzz.h"

#include "postern/graph/report.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct graph_report report;
    struct error e = ERROR_INIT;
    if (!graph_report_decode((const char *)data, size, &report, &e)) {
        FUZZ_CHECK(e.kind == ERROR_ANSWER && e.text[0] && !report.rows && !report.arena);
        return 0;
    }
    FUZZ_CHECK(report.count <= report.users && report.refreshed);
    FUZZ_CHECK(!report.concealed || report.users > 0);
    for (size_t i = 0; i < report.count; i++) {
        const struct graph_report_row *row = &report.rows[i];
        FUZZ_CHECK(row->user[0] && row->last && (row->pop3 || row->imap4 || row->smtp));
        FUZZ_CHECK(!report.concealed || !strchr(row->user, '@'));
    }
    graph_report_free(&report);
    return 0;
}
