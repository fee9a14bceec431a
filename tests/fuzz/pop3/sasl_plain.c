/* SASL PLAIN responses: name and password are whole strings inside the response. */
#include "../fuzz.h"

#include "postern/session/login.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    const char *name, *password;
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (session_sasl_plain(text, size, &name, &password)) {
        FUZZ_CHECK(name > text && *name && *password);
        FUZZ_CHECK(password == name + strlen(name) + 1);
        FUZZ_CHECK(password + strlen(password) == text + size);
    }
    free(text);
    return 0;
}
