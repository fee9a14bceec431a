/* Both kinds of page, and single items: any bytes, a page or an error, never a crash. */
#include "../fuzz.h"

#include "decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct graph_page page;
    struct graph_folder_page folders;
    struct graph_header_page headers;
    struct graph_message message;
    struct graph_folder folder;
    struct error e = ERROR_INIT;
    struct arena *a = arena_new();
    if (decode_page(text, size, &page, &e)) {
        for (size_t i = 0; i < page.count; i++)
            FUZZ_CHECK(page.messages[i].id && *page.messages[i].id);
        graph_page_free(&page);
    } else {
        FUZZ_CHECK(e.kind == ERROR_ANSWER && e.text[0]);
    }
    if (decode_folder_page(text, size, &folders, &e))
        graph_folder_page_free(&folders);
    for (int what = GRAPH_HEADERS_WHOLE; what <= GRAPH_HEADERS_ENVELOPE; what++)
        if (decode_header_page(text, size, (enum graph_headers)what, &headers, &e))
            graph_header_page_free(&headers);
    decode_message(text, size, a, &message, &e);
    decode_folder(text, size, a, &folder, &e);
    arena_free(&a);
    return 0;
}
