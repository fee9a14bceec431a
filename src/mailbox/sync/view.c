#include "view_build.h"

#include "pool.h"

#include "postern/base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Below this a chunk is copied together with its neighbour, so that expunges do not leave an
 * array of crumbs. */
#define CHUNK_SMALL 64

struct chunk {
    atomic_uint refs;
    unsigned count;
    struct mailbox_entry entries[]; /* each holds a reference to its keywords */
};

struct slot {
    struct chunk *chunk;
    size_t start; /* index of its first entry in the view */
};

struct mailbox_view {
    atomic_uint refs;
    size_t count;
    size_t slots;
    struct slot slot[];
};

struct view_builder {
    struct slot *slots;
    size_t count, cap;
    size_t entries;                            /* in the slots */
    unsigned pending;                          /* in `room`, not yet in a chunk */
    struct mailbox_entry room[VIEW_CHUNK_MAX]; /* with references to their keywords */
};

static void chunk_unref(struct chunk *c)
{
    if (atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    for (unsigned i = 0; i < c->count; i++)
        pool_unref(c->entries[i].keywords);
    free(c);
}

struct mailbox_view *mailbox_view_ref(struct mailbox_view *v)
{
    if (v)
        atomic_fetch_add(&v->refs, 1);
    return v;
}

void mailbox_view_unref(struct mailbox_view **v)
{
    struct mailbox_view *view = *v;
    *v = NULL;
    if (!view || atomic_fetch_sub(&view->refs, 1) != 1)
        return;
    for (size_t i = 0; i < view->slots; i++)
        chunk_unref(view->slot[i].chunk);
    free(view);
}

bool mailbox_is_draft(uint32_t flags)
{
    return !(flags & MAILBOX_DRAFT) != !(flags & MAILBOX_DRAFT_CONTRARY);
}

size_t mailbox_view_count(const struct mailbox_view *v)
{
    return v->count;
}

const struct mailbox_entry *mailbox_view_at(const struct mailbox_view *v, size_t index)
{
    size_t low = 0, high = v->slots;
    if (index >= v->count)
        return NULL;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (v->slot[mid].start <= index)
            low = mid;
        else
            high = mid;
    }
    return &v->slot[low].chunk->entries[index - v->slot[low].start];
}

static uint32_t last_uid(const struct chunk *c)
{
    return c->entries[c->count - 1].uid;
}

/* The first slot whose last UID is not below `uid`; the count if there is none. */
static size_t slot_for(const struct mailbox_view *v, uint32_t uid)
{
    size_t low = 0, high = v->slots;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (last_uid(v->slot[mid].chunk) < uid)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct mailbox_entry *mailbox_view_find(const struct mailbox_view *v, uint32_t uid,
                                              size_t *index)
{
    size_t at = slot_for(v, uid);
    if (at == v->slots)
        return NULL;
    const struct chunk *c = v->slot[at].chunk;
    unsigned low = 0, high = c->count;
    while (low < high) {
        unsigned mid = low + (high - low) / 2;
        if (c->entries[mid].uid < uid)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == c->count || c->entries[low].uid != uid)
        return NULL;
    if (index)
        *index = v->slot[at].start + low;
    return &c->entries[low];
}

struct view_builder *view_builder_new(void)
{
    return xcalloc(1, sizeof(struct view_builder));
}

/* Takes over the reference. */
static void push_chunk(struct view_builder *b, struct chunk *c)
{
    if (b->count == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 16;
        b->slots = xreallocarray(b->slots, b->cap, sizeof *b->slots);
    }
    b->slots[b->count++] = (struct slot){.chunk = c, .start = b->entries};
    b->entries += c->count;
}

static void flush(struct view_builder *b)
{
    if (b->pending == 0)
        return;
    struct chunk *c = xmalloc(sizeof *c + b->pending * sizeof c->entries[0]);
    atomic_init(&c->refs, 1);
    c->count = b->pending;
    memcpy(c->entries, b->room, b->pending * sizeof b->room[0]);
    push_chunk(b, c);
    b->pending = 0;
}

/* Takes over the reference to the keywords. */
static void append(struct view_builder *b, const struct mailbox_entry *entry, const char *keywords)
{
    if (b->pending == VIEW_CHUNK_MAX)
        flush(b);
    b->room[b->pending] = *entry;
    b->room[b->pending++].keywords = keywords;
}

void view_builder_add(struct view_builder *b, const struct mailbox_entry *entry)
{
    append(b, entry, pool_intern(entry->keywords ? entry->keywords : ""));
}

/* An entry that a chunk holds already. */
static void keep(struct view_builder *b, const struct mailbox_entry *entry)
{
    append(b, entry, pool_ref(entry->keywords));
}

/* Shares the chunk as it is, unless it is better copied next to what is pending. */
static void add_chunk(struct view_builder *b, struct chunk *c)
{
    bool crumb = c->count < CHUNK_SMALL || (b->pending > 0 && b->pending < CHUNK_SMALL);
    if (crumb && b->pending + c->count <= VIEW_CHUNK_MAX) {
        for (unsigned i = 0; i < c->count; i++)
            keep(b, &c->entries[i]);
        return;
    }
    flush(b);
    atomic_fetch_add(&c->refs, 1);
    push_chunk(b, c);
}

struct mailbox_view *view_builder_finish(struct view_builder **b)
{
    struct view_builder *builder = *b;
    *b = NULL;
    flush(builder);
    size_t slots = builder->count;
    struct mailbox_view *v = xmalloc(sizeof *v + slots * sizeof v->slot[0]);
    atomic_init(&v->refs, 1);
    v->count = builder->entries;
    v->slots = slots;
    if (slots)
        memcpy(v->slot, builder->slots, slots * sizeof v->slot[0]);
    free(builder->slots);
    free(builder);
    return v;
}

static int by_uid(const void *a, const void *b)
{
    uint32_t x = ((const struct view_change *)a)->entry.uid;
    uint32_t y = ((const struct view_change *)b)->entry.uid;
    return (x > y) - (x < y);
}

/* Copies a chunk with the changes up to its last UID mixed in; returns the changes left. */
static size_t mix(struct view_builder *b, const struct chunk *c, const struct view_change *changes,
                  size_t count)
{
    size_t used = 0;
    for (unsigned i = 0; i < c->count; i++) {
        uint32_t uid = c->entries[i].uid;
        for (; used < count && changes[used].entry.uid < uid; used++)
            if (!changes[used].expunged)
                view_builder_add(b, &changes[used].entry);
        if (used < count && changes[used].entry.uid == uid) {
            if (!changes[used].expunged)
                view_builder_add(b, &changes[used].entry);
            used++;
        } else {
            keep(b, &c->entries[i]);
        }
    }
    return used;
}

struct mailbox_view *view_apply(const struct mailbox_view *old, struct view_change *changes,
                                size_t count)
{
    struct view_builder *b = view_builder_new();
    size_t done = 0;
    if (count)
        qsort(changes, count, sizeof *changes, by_uid);
    for (size_t i = 0; i < old->slots; i++) {
        struct chunk *c = old->slot[i].chunk;
        bool touched = done < count && changes[done].entry.uid <= last_uid(c);
        /* New mail fills up the last chunk before another one is begun. */
        bool grows = i + 1 == old->slots && done < count && c->count < VIEW_CHUNK_MAX;
        if (touched || grows)
            done += mix(b, c, changes + done, count - done);
        else
            add_chunk(b, c);
    }
    for (; done < count; done++)
        if (!changes[done].expunged)
            view_builder_add(b, &changes[done].entry);
    return view_builder_finish(&b);
}

/* How many entries of the chunk were received at `since_ms` or later. */
static unsigned count_since(const struct chunk *c, int64_t since_ms)
{
    unsigned count = 0;
    for (unsigned i = 0; i < c->count; i++)
        count += c->entries[i].received_ms >= since_ms;
    return count;
}

struct mailbox_view *mailbox_view_since(struct mailbox_view *v, int64_t since_ms)
{
    size_t count = 0;
    for (size_t s = 0; s < v->slots && since_ms != INT64_MIN; s++)
        count += count_since(v->slot[s].chunk, since_ms);
    if (since_ms == INT64_MIN || count == v->count)
        return mailbox_view_ref(v);
    struct view_builder *b = view_builder_new();
    for (size_t s = 0; s < v->slots; s++) {
        struct chunk *c = v->slot[s].chunk;
        if (count_since(c, since_ms) == c->count) {
            add_chunk(b, c);
            continue;
        }
        for (unsigned i = 0; i < c->count; i++)
            if (c->entries[i].received_ms >= since_ms)
                keep(b, &c->entries[i]);
    }
    return view_builder_finish(&b);
}

size_t view_shared_chunks(const struct mailbox_view *a, const struct mailbox_view *b)
{
    size_t shared = 0;
    for (size_t i = 0, j = 0; i < a->slots && j < b->slots;) {
        uint32_t x = last_uid(a->slot[i].chunk), y = last_uid(b->slot[j].chunk);
        shared += a->slot[i].chunk == b->slot[j].chunk;
        i += x <= y;
        j += y <= x;
    }
    return shared;
}

/* A way through a view that can pass over whole chunks. */
struct cursor {
    const struct mailbox_view *view;
    size_t slot;
    unsigned at; /* in the slot's chunk */
};

static const struct mailbox_entry *cursor_entry(const struct cursor *c)
{
    return c->slot < c->view->slots ? &c->view->slot[c->slot].chunk->entries[c->at] : NULL;
}

static size_t cursor_index(const struct cursor *c)
{
    return c->slot < c->view->slots ? c->view->slot[c->slot].start + c->at : c->view->count;
}

static void cursor_next(struct cursor *c)
{
    if (++c->at < c->view->slot[c->slot].chunk->count)
        return;
    c->slot++;
    c->at = 0;
}

/* Both stand at the beginning of a chunk that the generations share: passes over it. */
static bool skip_shared(struct cursor *a, struct cursor *b)
{
    if (a->slot >= a->view->slots || b->slot >= b->view->slots || a->at || b->at ||
        a->view->slot[a->slot].chunk != b->view->slot[b->slot].chunk)
        return false;
    a->slot++;
    b->slot++;
    return true;
}

/* Equal keywords are one string. */
static bool same_flags(const struct mailbox_entry *a, const struct mailbox_entry *b)
{
    return a->flags == b->flags && a->keywords == b->keywords;
}

void mailbox_view_diff(const struct mailbox_view *old, const struct mailbox_view *now,
                       mailbox_diff_fn *fn, void *arg)
{
    struct cursor a = {.view = old}, b = {.view = now};
    const struct mailbox_entry *was, *is;
    while ((was = cursor_entry(&a))) {
        if (skip_shared(&a, &b))
            continue;
        is = cursor_entry(&b);
        if (is && is->uid < was->uid) { /* UIDs only rise: nothing new is among the old */
            cursor_next(&b);
            continue;
        }
        bool found = is && is->uid == was->uid;
        if ((!found || !same_flags(was, is)) && !fn(arg, cursor_index(&a), was, found ? is : NULL))
            return;
        if (found)
            cursor_next(&b);
        cursor_next(&a);
    }
    for (size_t index = old->count; (is = cursor_entry(&b)); cursor_next(&b))
        if (!fn(arg, index++, NULL, is))
            return;
}

struct mailbox_view *mailbox_view_adopt(const struct mailbox_view *old,
                                        const struct mailbox_view *now, const uint32_t *uids,
                                        size_t count)
{
    struct view_change *changes = xcalloc(count + 1, sizeof *changes);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const struct mailbox_entry *entry = mailbox_view_find(now, uids[i], NULL);
        const struct mailbox_entry *was = mailbox_view_find(old, uids[i], NULL);
        if (entry && was && entry != was)
            changes[n++].entry = *entry;
    }
    struct mailbox_view *v = view_apply(old, changes, n);
    free(changes);
    return v;
}
