#include "../unit.h"

#include "parse.h"

#include <stdbool.h>
#include <string.h>

#define NONE  POP3_NO_NUMBER
#define HUGE_ (POP3_NO_NUMBER - 1)

struct parse_case {
    const char *line;
    enum pop3_verb verb;
    enum pop3_syntax syntax;
    uint64_t number, lines;
    const char *text, *initial;
};

static const struct parse_case cases[] = {
    {"STAT", POP3_STAT, POP3_SYNTAX_OK, NONE, NONE, NULL, NULL},
    {"stat", POP3_STAT, POP3_SYNTAX_OK, NONE, NONE, NULL, NULL},
    {" StAt  ", POP3_STAT, POP3_SYNTAX_OK, NONE, NONE, NULL, NULL},
    {"STAT 1", POP3_STAT, POP3_SYNTAX_SURPLUS, NONE, NONE, NULL, NULL},
    {"STATS", POP3_UNKNOWN, POP3_SYNTAX_VERB, NONE, NONE, NULL, NULL},
    {"STA", POP3_UNKNOWN, POP3_SYNTAX_VERB, NONE, NONE, NULL, NULL},
    {"", POP3_UNKNOWN, POP3_SYNTAX_VERB, NONE, NONE, NULL, NULL},
    {"   ", POP3_UNKNOWN, POP3_SYNTAX_VERB, NONE, NONE, NULL, NULL},
    {"\x80\xff", POP3_UNKNOWN, POP3_SYNTAX_VERB, NONE, NONE, NULL, NULL},
    {"RPOP a", POP3_UNKNOWN, POP3_SYNTAX_VERB, NONE, NONE, NULL, NULL},
    {"APOP a b", POP3_APOP, POP3_SYNTAX_OK, NONE, NONE, "a", "b"},
    {"APOP  a  b\t c  ", POP3_APOP, POP3_SYNTAX_OK, NONE, NONE, "a  b", "c"},
    {"APOP a", POP3_APOP, POP3_SYNTAX_MISSING, NONE, NONE, "a", NULL},
    {"APOP", POP3_APOP, POP3_SYNTAX_MISSING, NONE, NONE, "", NULL},
    {"LIST", POP3_LIST, POP3_SYNTAX_OK, NONE, NONE, NULL, NULL},
    {"LIST ", POP3_LIST, POP3_SYNTAX_OK, NONE, NONE, NULL, NULL},
    {"LIST 3", POP3_LIST, POP3_SYNTAX_OK, 3, NONE, NULL, NULL},
    {"LIST  3 ", POP3_LIST, POP3_SYNTAX_OK, 3, NONE, NULL, NULL},
    {"LIST 3 4", POP3_LIST, POP3_SYNTAX_SURPLUS, 3, NONE, NULL, NULL},
    {"UIDL 0007", POP3_UIDL, POP3_SYNTAX_OK, 7, NONE, NULL, NULL},
    {"RETR", POP3_RETR, POP3_SYNTAX_MISSING, NONE, NONE, NULL, NULL},
    {"RETR x", POP3_RETR, POP3_SYNTAX_NUMBER, NONE, NONE, NULL, NULL},
    {"RETR -1", POP3_RETR, POP3_SYNTAX_NUMBER, NONE, NONE, NULL, NULL},
    {"RETR +1", POP3_RETR, POP3_SYNTAX_NUMBER, NONE, NONE, NULL, NULL},
    {"RETR 1x", POP3_RETR, POP3_SYNTAX_NUMBER, NONE, NONE, NULL, NULL},
    {"RETR 0", POP3_RETR, POP3_SYNTAX_OK, 0, NONE, NULL, NULL},
    {"RETR 4294967296", POP3_RETR, POP3_SYNTAX_OK, 4294967296u, NONE, NULL, NULL},
    {"RETR 18446744073709551615", POP3_RETR, POP3_SYNTAX_OK, HUGE_, NONE, NULL, NULL},
    {"RETR 99999999999999999999999", POP3_RETR, POP3_SYNTAX_OK, HUGE_, NONE, NULL, NULL},
    {"DELE 1\t", POP3_DELE, POP3_SYNTAX_OK, 1, NONE, NULL, NULL},
    {"TOP 1 0", POP3_TOP, POP3_SYNTAX_OK, 1, 0, NULL, NULL},
    {"top 1 99999999999999999999999", POP3_TOP, POP3_SYNTAX_OK, 1, HUGE_, NULL, NULL},
    {"TOP 1", POP3_TOP, POP3_SYNTAX_MISSING, 1, NONE, NULL, NULL},
    {"TOP 1 x", POP3_TOP, POP3_SYNTAX_NUMBER, 1, NONE, NULL, NULL},
    {"TOP 1 2 3", POP3_TOP, POP3_SYNTAX_SURPLUS, 1, 2, NULL, NULL},
    {"USER alice ", POP3_USER, POP3_SYNTAX_OK, NONE, NONE, "alice", NULL},
    {"USER CORP\\a b", POP3_USER, POP3_SYNTAX_OK, NONE, NONE, "CORP\\a b", NULL},
    {"USER", POP3_USER, POP3_SYNTAX_MISSING, NONE, NONE, "", NULL},
    {"PASS a b ", POP3_PASS, POP3_SYNTAX_OK, NONE, NONE, "a b ", NULL},
    {"PASS  x", POP3_PASS, POP3_SYNTAX_OK, NONE, NONE, " x", NULL},
    {"PASS", POP3_PASS, POP3_SYNTAX_MISSING, NONE, NONE, "", NULL},
    {"AUTH", POP3_AUTH, POP3_SYNTAX_OK, NONE, NONE, NULL, NULL},
    {"AUTH plain", POP3_AUTH, POP3_SYNTAX_OK, NONE, NONE, "plain", NULL},
    {"AUTH PLAIN AGEAYg==", POP3_AUTH, POP3_SYNTAX_OK, NONE, NONE, "PLAIN", "AGEAYg=="},
    {"AUTH PLAIN a b", POP3_AUTH, POP3_SYNTAX_SURPLUS, NONE, NONE, "PLAIN", "a"},
    {"CAPA", POP3_CAPA, POP3_SYNTAX_OK, NONE, NONE, NULL, NULL},
    {"STLS", POP3_STLS, POP3_SYNTAX_OK, NONE, NONE, NULL, NULL},
    {"NOOP", POP3_NOOP, POP3_SYNTAX_OK, NONE, NONE, NULL, NULL},
    {"RSET", POP3_RSET, POP3_SYNTAX_OK, NONE, NONE, NULL, NULL},
    {"QUIT", POP3_QUIT, POP3_SYNTAX_OK, NONE, NONE, NULL, NULL},
};

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void test_table(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct parse_case *want = &cases[i];
        char *line = strdup(want->line);
        struct pop3_command got;
        pop3_parse(line, &got);
        bool ok = got.verb == want->verb && got.syntax == want->syntax &&
                  got.number == want->number && got.lines == want->lines &&
                  same_text(got.text, want->text) && same_text(got.initial, want->initial);
        if (!ok)
            fprintf(stderr, "\"%s\" is parsed wrongly\n", want->line);
        CU_ASSERT_TRUE(ok);
        free(line);
    }
}

static void test_names(void)
{
    CU_ASSERT_STRING_EQUAL(pop3_verb_name(POP3_RETR), "RETR");
    for (int v = POP3_UNKNOWN + 1; v < POP3_VERBS; v++) {
        char line[16];
        struct pop3_command c;
        snprintf(line, sizeof line, "%s", pop3_verb_name((enum pop3_verb)v));
        pop3_parse(line, &c);
        CU_ASSERT_EQUAL((int)c.verb, v);
    }
}

const struct unit_test parse_tests[] = {
    {"every command and mistake", test_table},
    {"names", test_names},
    {NULL, NULL},
};
