#include "parse.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum shape {
    SHAPE_BARE,            /* no argument */
    SHAPE_NUMBER,          /* one message number */
    SHAPE_OPTIONAL_NUMBER, /* none or one */
    SHAPE_TWO_NUMBERS,     /* message and line count */
    SHAPE_NAME,            /* the rest of the line, blanks at its end dropped */
    SHAPE_SECRET,          /* the rest of the line as it stands */
    SHAPE_DIGEST,          /* a name, which may hold blanks, and a word */
    SHAPE_WORDS            /* none, one or two words */
};

static const struct {
    const char *name;
    enum shape shape;
} commands[POP3_VERBS] = {
    [POP3_UNKNOWN] = {"", SHAPE_BARE},
    [POP3_APOP] = {"APOP", SHAPE_DIGEST},
    [POP3_AUTH] = {"AUTH", SHAPE_WORDS},
    [POP3_CAPA] = {"CAPA", SHAPE_BARE},
    [POP3_DELE] = {"DELE", SHAPE_NUMBER},
    [POP3_LIST] = {"LIST", SHAPE_OPTIONAL_NUMBER},
    [POP3_NOOP] = {"NOOP", SHAPE_BARE},
    [POP3_PASS] = {"PASS", SHAPE_SECRET},
    [POP3_QUIT] = {"QUIT", SHAPE_BARE},
    [POP3_RETR] = {"RETR", SHAPE_NUMBER},
    [POP3_RSET] = {"RSET", SHAPE_BARE},
    [POP3_STAT] = {"STAT", SHAPE_BARE},
    [POP3_STLS] = {"STLS", SHAPE_BARE},
    [POP3_TOP] = {"TOP", SHAPE_TWO_NUMBERS},
    [POP3_UIDL] = {"UIDL", SHAPE_OPTIONAL_NUMBER},
    [POP3_USER] = {"USER", SHAPE_NAME},
};

const char *pop3_verb_name(enum pop3_verb verb)
{
    return commands[verb].name;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *skip_blanks(char *p)
{
    while (is_blank(*p))
        p++;
    return p;
}

/* Cuts the next word off at *rest; NULL if there is none. */
static char *next_word(char **rest)
{
    char *word = skip_blanks(*rest);
    char *end = word;
    while (*end && !is_blank(*end))
        end++;
    *rest = end;
    if (end == word)
        return NULL;
    if (*end) {
        *end = '\0';
        *rest = end + 1;
    }
    return word;
}

static enum pop3_verb find_verb(const char *word)
{
    for (int v = POP3_UNKNOWN + 1; v < POP3_VERBS; v++) {
        if (strcasecmp(word, commands[v].name) == 0)
            return (enum pop3_verb)v;
    }
    return POP3_UNKNOWN;
}

static enum pop3_syntax read_number(char **rest, uint64_t *out)
{
    const char *word = next_word(rest);
    uint64_t n = 0;
    if (!word)
        return POP3_SYNTAX_MISSING;
    for (; *word; word++) {
        if (*word < '0' || *word > '9')
            return POP3_SYNTAX_NUMBER;
        unsigned digit = (unsigned)(*word - '0');
        n = n > (POP3_NO_NUMBER - 1 - digit) / 10 ? POP3_NO_NUMBER - 1 : n * 10 + digit;
    }
    *out = n;
    return POP3_SYNTAX_OK;
}

static enum pop3_syntax read_end(char *rest)
{
    return *skip_blanks(rest) ? POP3_SYNTAX_SURPLUS : POP3_SYNTAX_OK;
}

static enum pop3_syntax read_numbers(char *rest, enum shape shape, struct pop3_command *out)
{
    if (shape == SHAPE_OPTIONAL_NUMBER && !*skip_blanks(rest))
        return POP3_SYNTAX_OK;
    enum pop3_syntax syntax = read_number(&rest, &out->number);
    if (syntax == POP3_SYNTAX_OK && shape == SHAPE_TWO_NUMBERS)
        syntax = read_number(&rest, &out->lines);
    return syntax == POP3_SYNTAX_OK ? read_end(rest) : syntax;
}

static enum pop3_syntax read_name(char *rest, struct pop3_command *out)
{
    char *name = skip_blanks(rest);
    char *end = name + strlen(name);
    while (end > name && is_blank(end[-1]))
        *--end = '\0';
    out->text = name;
    return *name ? POP3_SYNTAX_OK : POP3_SYNTAX_MISSING;
}

static enum pop3_syntax read_digest(char *rest, struct pop3_command *out)
{
    enum pop3_syntax syntax = read_name(rest, out);
    char *end = out->text + strlen(out->text), *word = end;
    while (word > out->text && !is_blank(word[-1]))
        word--;
    if (syntax != POP3_SYNTAX_OK || word == out->text)
        return POP3_SYNTAX_MISSING;
    out->initial = word;
    word[-1] = '\0';
    return read_name(out->text, out);
}

static enum pop3_syntax read_arguments(char *rest, enum shape shape, struct pop3_command *out)
{
    switch (shape) {
    case SHAPE_BARE:
        return read_end(rest);
    case SHAPE_NUMBER:
    case SHAPE_OPTIONAL_NUMBER:
    case SHAPE_TWO_NUMBERS:
        return read_numbers(rest, shape, out);
    case SHAPE_NAME:
        return read_name(rest, out);
    case SHAPE_SECRET:
        out->text = rest; /* RFC 1939 section 7: blanks belong to the password */
        return *rest ? POP3_SYNTAX_OK : POP3_SYNTAX_MISSING;
    case SHAPE_DIGEST:
        return read_digest(rest, out);
    case SHAPE_WORDS:
        out->text = next_word(&rest);
        out->initial = out->text ? next_word(&rest) : NULL;
        return read_end(rest);
    }
    return POP3_SYNTAX_VERB;
}

void pop3_parse(char *line, struct pop3_command *out)
{
    char *rest = line;
    *out = (struct pop3_command){
        .verb = POP3_UNKNOWN, .number = POP3_NO_NUMBER, .lines = POP3_NO_NUMBER};
    const char *word = next_word(&rest);
    out->verb = word ? find_verb(word) : POP3_UNKNOWN;
    out->syntax = out->verb == POP3_UNKNOWN ? POP3_SYNTAX_VERB
                                            : read_arguments(rest, commands[out->verb].shape, out);
}
