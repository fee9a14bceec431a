/* The configuration: a text is refused with at least one fault, or taken with none. It opens no
 * file, whatever the text names. */
#include "../fuzz.h"

#include "postern/base/alloc.h"
#include "postern/base/config.h"

#include <string.h>

static void count(void *arg, const char *file, int line, const char *text)
{
    FUZZ_CHECK(strcmp(file, "fuzz.conf") == 0);
    FUZZ_CHECK(line >= 0 && *text);
    (*(size_t *)arg)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t faults = 0;
    char *text = xstrndup((const char *)data, size);
    struct config *c = config_parse("fuzz.conf", text, count, NULL, &faults);
    FUZZ_CHECK((c == NULL) == (faults > 0));
    if (c) {
        FUZZ_CHECK(c->listener_count > 0 && c->login_count > 0 && c->tenant_count > 0);
        for (size_t i = 0; i < c->login_count; i++)
            FUZZ_CHECK(c->logins[i].tenant && c->logins[i].mailbox && c->logins[i].password);
        for (size_t i = 0; i < c->tenant_count; i++)
            FUZZ_CHECK(c->tenants[i].client_secret || c->tenants[i].certificate);
        config_unref(&c);
    }
    free(text);
    return 0;
}
