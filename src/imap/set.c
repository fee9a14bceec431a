#include "set.h"

#include <stdlib.h>
#include <string.h>

/* A number that is not zero, or "*". */
static bool read_number(const char **at, uint32_t *value)
{
    const char *p = *at;
    uint64_t n = 0;
    if (*p == '*') {
        *value = IMAP_SET_STAR;
        *at = p + 1;
        return true;
    }
    if (*p < '1' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        n = n * 10 + (unsigned)(*p - '0');
        if (n > UINT32_MAX)
            return false;
    }
    *value = (uint32_t)n;
    *at = p;
    return true;
}

static bool read_range(const char **at, struct imap_range *range)
{
    if (!read_number(at, &range->low))
        return false;
    range->high = range->low;
    if (**at == ':') {
        (*at)++;
        if (!read_number(at, &range->high))
            return false;
    }
    if (range->low > range->high && range->high != IMAP_SET_STAR) {
        uint32_t low = range->high;
        range->high = range->low;
        range->low = low;
    }
    return true;
}

static size_t count_ranges(const char *text)
{
    size_t count = 1;
    for (; (text = strchr(text, ',')); text++)
        count++;
    return count;
}

bool imap_set_parse(const char *text, struct arena *a, struct imap_set *set)
{
    size_t count = count_ranges(text);
    if (count > IMAP_SET_RANGES_MAX)
        return false;
    set->ranges = arena_alloc(a, count * sizeof *set->ranges);
    set->count = 0;
    for (;;) {
        if (!read_range(&text, &set->ranges[set->count++]))
            return false;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}

/* ---- resolving ---- */

static int by_low(const void *a, const void *b)
{
    const struct imap_range *x = a, *y = b;
    return x->low < y->low ? -1 : x->low > y->low;
}

struct imap_set imap_set_flatten(const struct imap_set *set, uint32_t star, struct arena *a)
{
    struct imap_set flat = {arena_alloc(a, set->count * sizeof *flat.ranges), 0};
    struct imap_range *r = flat.ranges;
    for (size_t i = 0; i < set->count; i++) {
        uint32_t low = set->ranges[i].low == IMAP_SET_STAR ? star : set->ranges[i].low;
        uint32_t high = set->ranges[i].high == IMAP_SET_STAR ? star : set->ranges[i].high;
        r[i].low = low < high ? low : high;
        r[i].high = low < high ? high : low;
    }
    qsort(r, set->count, sizeof *r, by_low);
    for (size_t i = 0; i < set->count; i++) {
        if (flat.count && r[i].low <= r[flat.count - 1].high) {
            if (r[i].high > r[flat.count - 1].high)
                r[flat.count - 1].high = r[i].high;
        } else {
            r[flat.count++] = r[i];
        }
    }
    return flat;
}

bool imap_set_has(const struct imap_set *flat, uint32_t number)
{
    size_t from = 0, to = flat->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (flat->ranges[middle].high < number)
            from = middle + 1;
        else
            to = middle;
    }
    return from < flat->count && flat->ranges[from].low <= number;
}

static void make_room(struct imap_found *found, size_t count, struct arena *a)
{
    found->indices = arena_alloc(a, count * sizeof *found->indices);
    found->uids = arena_alloc(a, count * sizeof *found->uids);
    found->count = 0;
}

static void add(struct imap_found *found, const struct mailbox_view *view, size_t index)
{
    found->indices[found->count] = (uint32_t)index;
    found->uids[found->count++] = mailbox_view_at(view, index)->uid;
}

bool imap_set_find(const struct imap_set *set, const struct mailbox_view *view, struct arena *a,
                   struct imap_found *found)
{
    uint32_t last = (uint32_t)mailbox_view_count(view);
    size_t count = 0;
    if (last == 0)
        return false;
    struct imap_set flat = imap_set_flatten(set, last, a);
    for (size_t i = 0; i < flat.count; i++) {
        if (flat.ranges[i].high > last)
            return false;
        count += flat.ranges[i].high - flat.ranges[i].low + 1;
    }
    make_room(found, count, a);
    for (size_t i = 0; i < flat.count; i++) {
        for (uint32_t n = flat.ranges[i].low; n <= flat.ranges[i].high; n++)
            add(found, view, n - 1);
    }
    return true;
}

/* The first position from `from` on whose UID is not below `uid`. */
static size_t lower_bound(const struct mailbox_view *view, size_t from, uint32_t uid)
{
    size_t to = mailbox_view_count(view);
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (mailbox_view_at(view, middle)->uid < uid)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

void imap_set_find_uids(const struct imap_set *set, const struct mailbox_view *view,
                        struct arena *a, struct imap_found *found)
{
    size_t total = mailbox_view_count(view), count = 0, at = 0;
    *found = (struct imap_found){0};
    if (total == 0)
        return;
    struct imap_set flat = imap_set_flatten(set, mailbox_view_at(view, total - 1)->uid, a);
    /* The ranges become positions, [low, high). */
    for (size_t i = 0; i < flat.count; i++) {
        struct imap_range *r = &flat.ranges[i];
        size_t begin = lower_bound(view, at, r->low);
        at = begin;
        while (at < total && mailbox_view_at(view, at)->uid <= r->high)
            at++;
        *r = (struct imap_range){(uint32_t)begin, (uint32_t)at};
        count += at - begin;
    }
    make_room(found, count, a);
    for (size_t i = 0; i < flat.count; i++) {
        for (size_t index = flat.ranges[i].low; index < flat.ranges[i].high; index++)
            add(found, view, index);
    }
}

bool imap_set_write(const uint32_t *rising, size_t count, struct buf *out)
{
    bool ok = true;
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && rising[end] == rising[end - 1] + 1; end++)
            continue;
        ok = buf_printf(out, "%s%lu", i ? "," : "", (unsigned long)rising[i]);
        if (ok && end - i > 1)
            ok = buf_printf(out, ":%lu", (unsigned long)rising[end - 1]);
    }
    return ok;
}
