/* Threads of any references: every message stands in them once, and the parentheses close. */
#include "../fuzz.h"

#include "order.h"

#include <string.h>

#define ITEMS_MAX      200
#define REFERENCES_MAX 15

/* Four bits: an id, 15 for none. */
static const char *const ids[] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                  "i", "j", "k", "l", "m", "n", "o"};
#define IDS (sizeof ids / sizeof *ids)

/* Of each message: id and subject, how many references, those two a byte. */
static size_t read_items(const uint8_t *data, size_t size, struct order_item *items,
                         struct arena *a)
{
    size_t count = 0;
    for (size_t at = 0; at + 2 <= size && count < ITEMS_MAX; count++) {
        const char **references = arena_alloc(a, (REFERENCES_MAX + 1) * sizeof *references);
        uint8_t first = data[at++], second = data[at++];
        size_t wanted = second & 15;
        items[count] = (struct order_item){.number = (uint32_t)count + 1,
                                           .index = (uint32_t)count,
                                           .sent_ms = second >> 4,
                                           .subject = first >> 6 ? ids[first >> 6] : "",
                                           .reply = first >> 5 & 1,
                                           .id = (first & 15) < IDS ? ids[first & 15] : NULL,
                                           .references = references};
        while (items[count].reference_count < wanted && at < size)
            references[items[count].reference_count++] = ids[data[at++] % IDS];
    }
    return count;
}

static void check(const struct thread_node *root, size_t count)
{
    static bool seen[ITEMS_MAX + 1];
    struct buf out = BUF_INIT(ITEMS_MAX * 16);
    size_t found = 0;
    int depth = 0;
    memset(seen, 0, sizeof seen);
    FUZZ_CHECK(thread_write(root, &out));
    for (const char *p = buf_str(&out); *p; p++) {
        depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
        FUZZ_CHECK(depth >= 0);
        if (*p < '0' || *p > '9')
            continue;
        char *end;
        unsigned long number = strtoul(p, &end, 10);
        FUZZ_CHECK(depth > 0 && number <= count && !seen[number]);
        seen[number] = true;
        found++;
        p = end - 1;
    }
    FUZZ_CHECK(depth == 0 && found == count);
    FUZZ_CHECK(!strstr(buf_str(&out), "()") && !strstr(buf_str(&out), "( "));
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct order_item items[ITEMS_MAX];
    struct arena *a = arena_new();
    size_t count = read_items(data, size, items, a);
    check(thread_by_references(items, count, a), count);
    check(thread_by_subject(items, count, a), count);
    arena_free(&a);
    return 0;
}
