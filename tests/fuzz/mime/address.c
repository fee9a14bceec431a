/* Address lists: groups open and close in turn, and what Graph would be sent parses to itself. */
#include "../fuzz.h"

#include "postern/mime/address.h"

#include <string.h>

static void check_again(const struct mime_address *a, struct arena *arena)
{
    struct buf spec = BUF_INIT(1 << 20);
    struct mime_addresses list;
    FUZZ_CHECK(mime_address_spec(a, &spec));
    mime_addresses_parse(buf_str(&spec), spec.len, arena, &list);
    FUZZ_CHECK(list.count <= 1 || strpbrk(a->host, ",;<:\"(@[") != NULL);
    if (list.count == 1 && list.items[0].host && a->host[0] && !strpbrk(a->host, ",;<:\"(@[ \t.\\"))
        FUZZ_CHECK(strcmp(list.items[0].mailbox, a->mailbox) == 0);
    buf_free(&spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    struct arena *arena = arena_new();
    struct mime_addresses list;
    bool in_group = false;
    mime_addresses_parse((const char *)data, size, arena, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct mime_address *a = &list.items[i];
        if (a->host) {
            check_again(a, arena);
        } else {
            FUZZ_CHECK(in_group == (a->mailbox == NULL));
            in_group = !in_group;
        }
    }
    FUZZ_CHECK(!in_group);
    arena_free(&arena);
    return 0;
}
