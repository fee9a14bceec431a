/* Text for a person: what is left is valid UTF-8 without controls, and cleaning it again changes
 * nothing. */
#include "../fuzz.h"

#include "postern/base/text.h"

#include <stdlib.h>
#include <string.h>

static void check_clean(const char *s)
{
    for (size_t n; *s; s += n) {
        n = text_utf8_len(s);
        FUZZ_CHECK(n > 0 && !text_is_trick(s, n));
        FUZZ_CHECK(n > 1 || (*s >= 0x20 && *s != 0x7f));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[64], again[64];
    size_t room = size ? 1 + data[0] % (sizeof out - 1) : sizeof out;
    char *text = strndup((const char *)data, size);
    if (!text)
        abort();
    text_clean(text, out, room);
    FUZZ_CHECK(strlen(out) < room && strlen(out) <= strlen(text));
    check_clean(out);
    text_clean(out, again, sizeof again);
    FUZZ_CHECK(strcmp(out, again) == 0);
    free(text);
    return 0;
}
