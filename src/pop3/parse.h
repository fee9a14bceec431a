/*
 * One POP3 command line taken apart (RFC 1939 section 3, RFC 2449 section 4). Pure; knows the
 * shape of each command and nothing of states.
 */
#ifndef POP3_PARSE_H
#define POP3_PARSE_H

#include <stddef.h>
#include <stdint.h>

enum pop3_verb {
    POP3_UNKNOWN,
    POP3_APOP,
    POP3_AUTH,
    POP3_CAPA,
    POP3_DELE,
    POP3_LIST,
    POP3_NOOP,
    POP3_PASS,
    POP3_QUIT,
    POP3_RETR,
    POP3_RSET,
    POP3_STAT,
    POP3_STLS,
    POP3_TOP,
    POP3_UIDL,
    POP3_USER,
    POP3_VERBS
};

enum pop3_syntax {
    POP3_SYNTAX_OK,
    POP3_SYNTAX_VERB,   /* no such command */
    POP3_SYNTAX_NUMBER, /* not a number where one must stand */
    POP3_SYNTAX_MISSING,
    POP3_SYNTAX_SURPLUS
};

#define POP3_NO_NUMBER UINT64_MAX

struct pop3_command {
    enum pop3_verb verb;
    enum pop3_syntax syntax;
    /* The message number: POP3_NO_NUMBER if none was given. Numbers beyond 64 bits saturate below
     * that; whether such a message exists is not decided here. */
    uint64_t number;
    uint64_t lines; /* of TOP; likewise */
    char *text;     /* USER, PASS: the rest of the line; APOP: the name; AUTH: the mechanism; NULL:
                       none */
    char *initial;  /* AUTH: the initial response; APOP: the digest; NULL: none */
};

/* Parses a NUL-terminated line without its line end; writes into it, and the result points into
 * it. Case and surplus blanks do not matter, except in the password. */
void pop3_parse(char *line, struct pop3_command *out);
/* "RETR" */
const char *pop3_verb_name(enum pop3_verb verb);

#endif
