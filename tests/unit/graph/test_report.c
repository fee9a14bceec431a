#include "../unit.h"

#include "postern/graph/report.h"

#include <string.h>

#define HEAD "User Principal Name,Is Deleted,Last Activity Date,POP3 App,IMAP4 App,SMTP App\n"

/* "user last PIS", deleted ones with '-', one a line; "!" and the error. */
static void show(const char *text, struct buf *out)
{
    struct graph_report report;
    struct error e = ERROR_INIT;
    if (!graph_report_decode(text, strlen(text), &report, &e)) {
        CU_ASSERT_EQUAL(e.kind, ERROR_ANSWER);
        CU_ASSERT_PTR_NULL(report.arena);
        buf_printf(out, "!%s", e.text);
        return;
    }
    for (size_t i = 0; i < report.count; i++) {
        const struct graph_report_row *row = &report.rows[i];
        buf_printf(out, "%s %s %s%s%s%s\n", row->user, row->last, row->pop3 ? "P" : "",
                   row->imap4 ? "I" : "", row->smtp ? "S" : "", row->deleted ? "-" : "");
    }
    buf_printf(out, "%zu%s", report.users, report.concealed ? " concealed" : "");
    graph_report_free(&report);
}

static void test_decode(void)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {HEAD, "0"},
        {HEAD "a@b,False,2026-11-18,Undetermined,,\n", "a@b 2026-11-18 P\n1"},
        {HEAD "a@b,True,,No,Yes,FALSE\nc@d,No,,0,,\n", "a@b  I-\n2"},
        {HEAD "0A1B,False,x,,,y\n", "0A1B x S\n1 concealed"},
        {HEAD ",False,x,y,y,y\n", "1 concealed"},
        {HEAD "a@b\n", "1"},
        {"smtp app,x,USER PRINCIPAL NAME\n1,,a@b\n", "a@b  S\n1"},
        {"", "!the report is empty, without even its head line"},
        {"POP3 App,Name\n", "!the report has no column \"User Principal Name\""},
        {"User Principal Name\na@b\n",
         "!the report has none of the columns \"POP3 App\", \"IMAP4 App\", \"SMTP App\""},
        {HEAD "\"a@b", "!line 2: a quote is never closed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = BUF_INIT(4096);
        show(cases[i].text, &out);
        CU_ASSERT_STRING_EQUAL(buf_str(&out), cases[i].shown);
        if (strcmp(buf_str(&out), cases[i].shown) != 0)
            printf("\n  case %zu: %s\n", i, buf_str(&out));
        buf_free(&out);
    }
}

static void test_many(void)
{
    struct buf text = BUF_INIT(65536);
    struct graph_report report;
    struct error e = ERROR_INIT;
    buf_puts(&text, HEAD);
    for (int i = 0; i < 200; i++)
        buf_printf(&text, "u%d@b,False,,x,,\n", i);
    CU_ASSERT_TRUE_FATAL(graph_report_decode(buf_str(&text), text.len, &report, &e));
    CU_ASSERT_EQUAL(report.count, 200);
    CU_ASSERT_STRING_EQUAL(report.rows[199].user, "u199@b");
    graph_report_free(&report);
    CU_ASSERT_EQUAL(report.count, 0);
    graph_report_free(&report);
    buf_free(&text);
}

const struct unit_test report_tests[] = {
    {"decode", test_decode}, {"many", test_many}, {NULL, NULL}};
