/* SASL responses: what comes out of one are whole strings inside it, of the form that was promised.
 */
#include "../fuzz.h"

#include "sasl_parse.h"

#include <string.h>

typedef bool parser(char *data, size_t len, const char **name, const char **secret);

/* NULL: malformed. The secret, with *name, good until the text is freed. */
static const char *run(parser *parse, char *text, const uint8_t *data, size_t size,
                       const char **name)
{
    const char *secret = NULL;
    memcpy(text, data, size);
    text[size] = '\0';
    if (!parse(text, size, name, &secret))
        return NULL;
    FUZZ_CHECK(secret > text && secret + strlen(secret) <= text + size);
    FUZZ_CHECK(!**name || (*name >= text && *name + strlen(*name) < text + size));
    return secret;
}

static void check_token(const char *token)
{
    FUZZ_CHECK(!token || (*token && !strpbrk(token, " \t\r\n\x01")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    const char *name;
    if (!text)
        return 0;
    const char *secret = run(sasl_parse_plain, text, data, size, &name);
    FUZZ_CHECK(!secret || (*name && secret == name + strlen(name) + 1));
    FUZZ_CHECK(!secret || secret + strlen(secret) == text + size);
    secret = run(sasl_parse_cram_md5, text, data, size, &name);
    FUZZ_CHECK(!secret || (*name && strlen(secret) == 32));
    secret = run(sasl_parse_xoauth2, text, data, size, &name);
    FUZZ_CHECK(!secret || *name);
    check_token(secret);
    check_token(run(sasl_parse_oauthbearer, text, data, size, &name));
    free(text);
    return 0;
}
