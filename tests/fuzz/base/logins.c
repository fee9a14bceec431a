/* A password put into a logins-file: once more changes nothing, and everything else is still there.
 */
#include "../fuzz.h"

#include "postern/base/logins_file.h"

#include <string.h>

#define LOGIN    "a"
#define HASH     "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$YAXMK9Llbqk/FSGbrI16AP6p2zwE4UhuWrJZceAG.p2"
#define TEXT_MAX 4096

static enum logins_change change(const char *text, struct buf *out)
{
    struct error e = ERROR_INIT;
    buf_init(out, 2 * TEXT_MAX);
    enum logins_change how = logins_text_set_password(text, LOGIN, HASH, out, &e);
    FUZZ_CHECK((how == LOGINS_FAILED) == (e.kind != ERROR_NONE));
    return how;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX];
    struct buf once, twice;
    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (change(text, &once) == LOGINS_CHANGED) {
        FUZZ_CHECK(strstr(buf_str(&once), "'" HASH "'"));
        FUZZ_CHECK(change(buf_str(&once), &twice) == LOGINS_CHANGED);
        FUZZ_CHECK(strcmp(buf_str(&once), buf_str(&twice)) == 0);
        buf_free(&twice);
    }
    buf_free(&once);
    return 0;
}
