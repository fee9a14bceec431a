/* One POP3 command line: what comes out lies inside the line and keeps its promises. */
#include "../fuzz.h"

#include "parse.h"

#include <stdbool.h>
#include <string.h>

static bool inside(const char *line, size_t size, const char *text)
{
    return !text || (text >= line && text + strlen(text) <= line + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = malloc(size + 1);
    struct pop3_command c;
    if (!line)
        return 0;
    memcpy(line, data, size);
    line[size] = '\0';
    pop3_parse(line, &c);
    FUZZ_CHECK(inside(line, size, c.text) && inside(line, size, c.initial));
    FUZZ_CHECK(c.verb < POP3_VERBS);
    if (c.syntax == POP3_SYNTAX_OK) {
        FUZZ_CHECK(c.verb != POP3_UNKNOWN);
        FUZZ_CHECK(c.verb != POP3_RETR || c.number != POP3_NO_NUMBER);
        FUZZ_CHECK(c.verb != POP3_TOP || c.lines != POP3_NO_NUMBER);
        FUZZ_CHECK((c.verb != POP3_USER && c.verb != POP3_PASS) || (c.text && *c.text));
    }
    free(line);
    return 0;
}
