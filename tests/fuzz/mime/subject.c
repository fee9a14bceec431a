/* Base subjects and message ids: within their bounds, and a base subject is one of its own. */
#include "../fuzz.h"

#include "postern/mime/msgid.h"
#include "postern/mime/subject.h"

#include <string.h>

static void check_ids(const char *value, size_t len)
{
    struct buf id = BUF_INIT(len);
    for (size_t pos = 0, before = 0; mime_msgid_next(value, len, &pos, &id); before = pos) {
        FUZZ_CHECK(pos > before && pos <= len);
        FUZZ_CHECK(!id.overflow && id.len >= 3 && memchr(id.data + 1, '@', id.len - 2));
    }
    buf_free(&id);
}

/* ASCII without encoded words means the same when it is read again. */
static bool is_plain(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] & 0x80)
            return false;
    }
    return !memmem(data, size, "=?", 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf base = BUF_INIT(size * MIME_SUBJECT_GROWTH), again = BUF_INIT(base.max);
    bool reply;
    FUZZ_CHECK(mime_base_subject((const char *)data, size, &base, &reply));
    if (is_plain(data, size)) {
        FUZZ_CHECK(mime_base_subject(buf_str(&base), base.len, &again, &reply) && !reply);
        FUZZ_CHECK(strcmp(buf_str(&base), buf_str(&again)) == 0);
    }
    check_ids((const char *)data, size);
    buf_free(&base);
    buf_free(&again);
    return 0;
}
