/* Generations of a view by the input's changes: the difference of any two is what looking up each
 * message tells, and what was adopted is in place. */
#include "../fuzz.h"

#include "../../../src/mailbox/sync/view_build.h"

#include <string.h>

#define GENERATIONS_MAX 12
#define CHANGES_MAX     64
#define TOLD_MAX        16384

static const char *const words[] = {"", "Work", "Work $Label1", "=C3=A4"};

struct input {
    const uint8_t *data;
    size_t left;
};

static uint32_t take(struct input *in)
{
    return in->left ? in->left--, *in->data++ : 0;
}

static struct mailbox_entry entry_of(uint32_t uid, uint32_t seed)
{
    return (struct mailbox_entry){
        .uid = uid, .flags = seed & 3, .keywords = words[(seed >> 2) & 3]};
}

static struct mailbox_view *first_view(uint32_t count)
{
    struct view_builder *b = view_builder_new();
    for (uint32_t uid = 1; uid <= count; uid++) {
        struct mailbox_entry entry = entry_of(uid, 0);
        view_builder_add(b, &entry);
    }
    return view_builder_finish(&b);
}

/* Each change is two bytes: how far on, and what becomes of that message. */
static struct mailbox_view *next_view(const struct mailbox_view *v, struct input *in,
                                      uint32_t *uidnext)
{
    struct view_change changes[CHANGES_MAX];
    uint32_t uid = 0, count = take(in) % CHANGES_MAX;
    size_t n = 0;
    memset(changes, 0, sizeof changes);
    for (uint32_t i = 0; i < count; i++) {
        uid += 1 + take(in);
        uint32_t what = take(in);
        if (uid > *uidnext)
            uid = *uidnext;
        if (n && changes[n - 1].entry.uid == uid)
            break;
        bool there = mailbox_view_find(v, uid, NULL) != NULL;
        changes[n].entry = entry_of(uid, what);
        changes[n].expunged = uid < *uidnext && (!there || (what & 0x30) == 0);
        *uidnext += uid == *uidnext;
        n++;
    }
    return view_apply(v, changes, n);
}

struct told {
    size_t index;
    const struct mailbox_entry *was, *now;
};

static struct told told[TOLD_MAX];
static size_t told_count;

static bool note(void *arg, size_t index, const struct mailbox_entry *was,
                 const struct mailbox_entry *now)
{
    (void)arg;
    FUZZ_CHECK(told_count < TOLD_MAX);
    told[told_count++] = (struct told){index, was, now};
    return true;
}

static void expect(size_t *at, size_t index, const struct mailbox_entry *was,
                   const struct mailbox_entry *now)
{
    FUZZ_CHECK(*at < told_count && told[*at].index == index);
    FUZZ_CHECK(told[*at].was == was && told[*at].now == now);
    (*at)++;
}

static void check_diff(const struct mailbox_view *old, const struct mailbox_view *now)
{
    size_t at = 0, index = mailbox_view_count(old);
    told_count = 0;
    mailbox_view_diff(old, now, note, NULL);
    for (size_t i = 0; i < index; i++) {
        const struct mailbox_entry *was = mailbox_view_at(old, i);
        const struct mailbox_entry *is = mailbox_view_find(now, was->uid, NULL);
        if (!is || is->flags != was->flags || strcmp(is->keywords, was->keywords) != 0)
            expect(&at, i, was, is);
    }
    for (size_t i = 0; i < mailbox_view_count(now); i++)
        if (!mailbox_view_find(old, mailbox_view_at(now, i)->uid, NULL))
            expect(&at, index++, NULL, mailbox_view_at(now, i));
    FUZZ_CHECK(at == told_count);
}

/* Once all that changed is adopted, only what is gone or new is left to tell. */
static void check_adopt(const struct mailbox_view *old, const struct mailbox_view *now)
{
    static uint32_t uids[TOLD_MAX];
    size_t n = 0;
    for (size_t i = 0; i < told_count; i++)
        if (told[i].was)
            uids[n++] = told[i].was->uid;
    struct mailbox_view *v = mailbox_view_adopt(old, now, uids, n);
    FUZZ_CHECK(mailbox_view_count(v) == mailbox_view_count(old));
    told_count = 0;
    mailbox_view_diff(v, now, note, NULL);
    for (size_t i = 0; i < told_count; i++)
        FUZZ_CHECK(!told[i].was || !told[i].now);
    mailbox_view_unref(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct mailbox_view *views[GENERATIONS_MAX];
    uint32_t uidnext = take(&in) * 8 + 1;
    size_t count = 1;
    views[0] = first_view(uidnext - 1);
    while (count < GENERATIONS_MAX && in.left) {
        views[count] = next_view(views[count - 1], &in, &uidnext);
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        check_diff(views[i], views[count - 1]);
        check_adopt(views[i], views[count - 1]);
    }
    for (size_t i = 0; i < count; i++)
        mailbox_view_unref(&views[i]);
    return 0;
}
