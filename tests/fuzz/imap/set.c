/*
 * Sequence sets: resolved against a view they name the messages that a plain reading of the text
 * names, rising and each once; what is written of them reads back as the same.
 */
#include "../fuzz.h"

#include "set.h"
#include "sync/view_build.h"

#include <string.h>

#define MESSAGES 20

static struct mailbox_view *make_view(uint8_t seed)
{
    struct view_builder *b = view_builder_new();
    uint32_t uid = 0;
    for (int i = 0; i < (seed & 1 ? MESSAGES : 0); i++) {
        uid += 1 + (seed >> (i % 7) & 3);
        view_builder_add(b, &(struct mailbox_entry){.uid = uid});
    }
    return view_builder_finish(&b);
}

static bool names(const struct imap_set *set, uint32_t number, uint32_t star)
{
    for (size_t i = 0; i < set->count; i++) {
        uint32_t low = set->ranges[i].low == IMAP_SET_STAR ? star : set->ranges[i].low;
        uint32_t high = set->ranges[i].high == IMAP_SET_STAR ? star : set->ranges[i].high;
        if ((number >= low && number <= high) || (number >= high && number <= low))
            return true;
    }
    return false;
}

static void check(const struct imap_set *set, const struct mailbox_view *view, bool uid,
                  const struct imap_found *found)
{
    size_t count = mailbox_view_count(view), at = 0;
    uint32_t last = count ? mailbox_view_at(view, count - 1)->uid : 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t number = uid ? mailbox_view_at(view, i)->uid : (uint32_t)i + 1;
        if (!names(set, number, uid ? last : (uint32_t)count))
            continue;
        FUZZ_CHECK(at < found->count && found->indices[at] == i);
        FUZZ_CHECK(found->uids[at] == mailbox_view_at(view, i)->uid);
        at++;
    }
    FUZZ_CHECK(at == found->count);
}

static void write_back(const struct imap_found *found, const struct mailbox_view *view,
                       struct arena *arena)
{
    struct buf text = BUF_INIT(65536);
    struct imap_set set;
    struct imap_found again;
    FUZZ_CHECK(imap_set_write(found->uids, found->count, &text));
    if (found->count) {
        FUZZ_CHECK(imap_set_parse(text.data, arena, &set));
        imap_set_find_uids(&set, view, arena, &again);
        FUZZ_CHECK(again.count == found->count);
        FUZZ_CHECK(memcmp(again.uids, found->uids, found->count * sizeof *found->uids) == 0);
    }
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct imap_set set;
    struct imap_found found = {0};
    if (size < 1)
        return 0;
    struct arena *arena = arena_new();
    struct mailbox_view *view = make_view(data[0]);
    if (imap_set_parse(arena_strndup(arena, (const char *)data + 1, size - 1), arena, &set)) {
        if (imap_set_find(&set, view, arena, &found))
            check(&set, view, false, &found);
        imap_set_find_uids(&set, view, arena, &found);
        check(&set, view, true, &found);
        write_back(&found, view, arena);
    }
    mailbox_view_unref(&view);
    arena_free(&arena);
    return 0;
}
