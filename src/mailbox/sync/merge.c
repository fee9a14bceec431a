#include "merge.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/table.h"

#include <stdlib.h>
#include <string.h>

/* PidTagInternetArticleNumber is a signed 32-bit property; the upper half of the UIDs is left
 * for numbers of our own. */
#define ARTICLE_MAX INT32_MAX

/* Replication may show the state before our own write so long. */
#define ECHO_MS ((int64_t)15 * 60 * CLOCK_SECOND)
/* What the server itself adds to a message that was just made or written gives it a new change key
 * too, within seconds. */
#define SETTLE_MS ((int64_t)60 * CLOCK_SECOND)

/* What the sources said. */
enum {
    SAW_DELTA = 1 << 0,
    SAW_REMOVED = 1 << 1,
    SAW_LISTED = 1 << 2,
    SAW_ANSWER = 1 << 3,
    SAW_GONE = 1 << 4,
    IS_RETIRED = 1 << 5, /* by ourselves, a moment ago */
    IS_STAGED = 1 << 6,  /* a row with uid 0 is in the store */
    IS_UNSURE = 1 << 7,  /* a known one of which the delta does not tell all, or may be late */
    IS_DOUBTED = 1 << 8  /* a commit left it open */
};

struct merge_item {
    struct row row;
    unsigned saw;
    uint32_t known_uid; /* 0: not known */
    int64_t known_article;
    uint32_t known_flags;
    char *known_keywords, *known_key;
    int64_t known_estimate, known_written;
};

struct merge {
    enum merge_kind kind;
    struct table *items;
};

struct merge *merge_new(enum merge_kind kind)
{
    struct merge *m = xcalloc(1, sizeof *m);
    m->kind = kind;
    m->items = table_new();
    return m;
}

static bool free_item(void *arg, const char *key, void *value)
{
    struct merge_item *item = value;
    (void)arg, (void)key;
    row_clear(&item->row);
    free(item->known_keywords);
    free(item->known_key);
    free(item);
    return true;
}

void merge_free(struct merge **m)
{
    if (!*m)
        return;
    table_each((*m)->items, free_item, NULL);
    table_free(&(*m)->items);
    free(*m);
    *m = NULL;
}

size_t merge_count(const struct merge *m)
{
    return table_count(m->items);
}

struct merge_item *merge_find(struct merge *m, const char *id)
{
    return table_get(m->items, id);
}

struct merge_item *merge_enter(struct merge *m, const char *id, struct row *known, bool retired)
{
    struct merge_item *item = xcalloc(1, sizeof *item);
    table_put(m->items, id, item);
    item->saw = retired ? IS_RETIRED : 0;
    if (!known) {
        row_init(&item->row, id);
        return item;
    }
    item->row = *known;
    memset(known, 0, sizeof *known);
    item->known_uid = item->row.uid;
    item->known_article = item->row.article;
    item->known_flags = item->row.flags;
    item->known_keywords = xstrdup_null(item->row.keywords);
    item->known_key = xstrdup_null(item->row.change_key);
    item->known_estimate = item->row.estimate;
    item->known_written = item->row.written;
    if (item->known_uid == 0) {
        item->saw |= IS_STAGED;
        /* merge_staged() wrote these two so that they tell which source was there. */
        if (item->row.change_key)
            item->saw |= SAW_DELTA;
        if (item->row.article != ROW_ARTICLE_UNKNOWN)
            item->saw |= SAW_LISTED;
    }
    return item;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Would clients notice? */
static bool is_changed(const struct merge_item *item)
{
    return item->row.flags != item->known_flags ||
           !same_text(item->row.keywords, item->known_keywords);
}

static bool is_recent(int64_t wall_ms, int64_t ms)
{
    return wall_ms > 0 && clock_wall_ms() - wall_ms < ms;
}

/* Must a known item be looked up whole after this delta, which its row has taken over? */
static bool is_unsure(const struct merge_item *item, const struct graph_message *message)
{
    /* A version that is not told may be any but the one that we wrote just now. */
    bool known = message->has & GRAPH_HAS_CHANGE_KEY
                     ? same_text(message->change_key, item->known_key)
                     : is_recent(item->known_written, ECHO_MS);
    if (!known)
        return true;
    /* The size of a draft is to be known after each write of ours: see is_edited(). */
    if (mailbox_is_draft(item->known_flags) && is_recent(item->known_written, SETTLE_MS))
        return true;
    /* The read state may change without a new version of the message. */
    return is_changed(item) && is_recent(item->known_written, ECHO_MS);
}

void merge_doubt(struct merge_item *item)
{
    item->saw |= IS_DOUBTED;
}

void merge_delta(struct merge_item *item, const struct graph_message *message)
{
    if (message->removed) {
        item->saw |= SAW_REMOVED;
        return;
    }
    item->saw |= SAW_DELTA;
    row_apply(&item->row, message, false);
    if (item->known_uid && is_unsure(item, message))
        item->saw |= IS_UNSURE;
}

static void apply_whole(struct merge_item *item, const struct graph_message *message)
{
    row_apply(&item->row, message, true);
    if (mailbox_is_draft(item->row.flags))
        item->row.written = 0; /* the size that is known is of after the write */
}

/* The version from which the delta says that it changed: this listing is behind, unless the delta
 * is, which may be so after a write of ours. */
static bool is_behind(const struct merge_item *item, const struct graph_message *message)
{
    return (item->saw & IS_UNSURE) && item->known_key && (message->has & GRAPH_HAS_CHANGE_KEY) &&
           strcmp(message->change_key, item->known_key) == 0 &&
           !same_text(item->row.change_key, item->known_key) &&
           !is_recent(item->known_written, ECHO_MS);
}

bool merge_listed(struct merge_item *item, const struct graph_message *message)
{
    bool first = (item->known_uid == 0 || (item->saw & IS_UNSURE)) && !(item->saw & SAW_LISTED);
    if (is_behind(item, message))
        return false;
    item->saw |= SAW_LISTED;
    apply_whole(item, message);
    return first;
}

void merge_answer(struct merge_item *item, const struct graph_message *message_or_null)
{
    item->saw |= message_or_null ? SAW_ANSWER : SAW_GONE;
    if (message_or_null)
        apply_whole(item, message_or_null);
}

void merge_staged(const struct merge_item *item, struct store_message *out)
{
    bool delta = (item->saw & SAW_DELTA) && !(item->saw & SAW_REMOVED);
    row_to_store(&item->row, out);
    out->uid = 0;
    if (!delta)
        out->change_key = "";
    else if (out->change_key[0] == '\0')
        out->change_key = "-";
}

/* Reported as present by a source, whatever else was said. */
static bool seen(const struct merge_item *item)
{
    return item->saw & (SAW_DELTA | SAW_LISTED | SAW_ANSWER);
}

static bool must_ask(const struct merge *m, const struct merge_item *item)
{
    unsigned both = SAW_DELTA | SAW_LISTED;
    if (item->saw & (SAW_ANSWER | SAW_GONE))
        return false;
    if (item->saw & IS_DOUBTED)
        return true;
    /* The pages of a listing shift while mail leaves: what is missing may have slipped through. */
    if (!seen(item))
        return m->kind == MERGE_FULL_LISTING && item->known_uid != 0;
    if ((item->saw & SAW_REMOVED) || ((item->saw & IS_RETIRED) && item->known_uid == 0))
        return true;
    return m->kind == MERGE_FULL && (item->saw & both) != both;
}

static bool wants_listing(const struct merge *m, const struct merge_item *item)
{
    bool lacks = item->known_uid == 0 || (item->saw & IS_UNSURE);
    return m->kind == MERGE_ROUND && lacks && (item->saw & SAW_DELTA) &&
           !(item->saw & (SAW_LISTED | SAW_ANSWER | SAW_GONE)) && !must_ask(m, item);
}

struct wants_walk {
    struct merge *merge;
    struct merge_wants *out;
};

static bool want_item(void *arg, const char *key, void *value)
{
    struct wants_walk *walk = arg;
    struct merge_wants *out = walk->out;
    const struct merge_item *item = value;
    (void)key;
    if (must_ask(walk->merge, item)) {
        out->ask[out->ask_count++] = item->row.id;
    } else if (wants_listing(walk->merge, item)) {
        out->listing[out->listing_count++] = item->row.id;
    }
    return true;
}

void merge_wants(struct merge *m, struct merge_wants *out)
{
    size_t count = table_count(m->items);
    memset(out, 0, sizeof *out);
    out->listing = xcalloc(count + 1, sizeof *out->listing);
    out->ask = xcalloc(count + 1, sizeof *out->ask);
    table_each(m->items, want_item, &(struct wants_walk){m, out});
}

void merge_wants_free(struct merge_wants *w)
{
    free(w->listing);
    free(w->ask);
    memset(w, 0, sizeof *w);
}

/* Is the message in the folder, once all was asked that had to be? */
static bool is_present(const struct merge *m, const struct merge_item *item)
{
    if (item->saw & SAW_GONE)
        return false;
    if (item->saw & SAW_ANSWER)
        return true;
    if (item->saw & SAW_REMOVED)
        return false;
    return seen(item) || (m->kind == MERGE_ROUND && item->known_uid != 0);
}

/* A draft that was edited. Nothing tells so but another size, which our own writes change too, or a
 * change key that neither we, nor a change of flags, nor the server's afterthoughts account for. */
static bool is_edited(const struct merge_item *item)
{
    const struct row *now = &item->row;
    bool draft = mailbox_is_draft(now->flags) && mailbox_is_draft(item->known_flags);
    if (!draft || !item->known_key || same_text(now->change_key, item->known_key))
        return false;
    bool written = is_recent(item->known_written, SETTLE_MS);
    bool sized = now->estimate >= 0 && item->known_estimate >= 0;
    if (sized && now->estimate != item->known_estimate && !written)
        return true;
    return !is_changed(item) && !written && !is_recent(now->received_ms, SETTLE_MS);
}

/* A known row whose message is present: does it keep its UID? Only a source that asks for the
 * article number can say that it changed. */
static bool keeps_uid(const struct merge_item *item)
{
    return item->row.article == item->known_article && !is_edited(item);
}

/* Is there anything new for the store? */
static bool is_other(const struct merge_item *item)
{
    const struct row *r = &item->row;
    return !same_text(r->change_key, item->known_key) || r->estimate != item->known_estimate ||
           r->written != item->known_written;
}

struct finish_walk {
    struct merge *merge;
    struct merge_result *out;
    struct row **fresh; /* rows to be given UIDs */
    size_t fresh_count;
};

static bool finish_item(void *arg, const char *key, void *value)
{
    struct finish_walk *walk = arg;
    struct merge_result *out = walk->out;
    struct merge_item *item = value;
    bool present = is_present(walk->merge, item);
    (void)key;
    if (item->known_uid && present && keeps_uid(item)) {
        item->row.changed = is_changed(item);
        if (item->row.changed || is_other(item))
            out->puts[out->put_count++] = &item->row;
        return true;
    }
    if (item->known_uid)
        out->expunges[out->expunge_count++] = item->known_uid;
    if (present) {
        item->row.uid = 0;
        item->row.changed = true;
        item->row.edited = item->known_uid && is_edited(item);
        if (item->known_uid) { /* what was told belongs to the old UID */
            item->row.size = -1;
            item->row.told = 0;
        }
        walk->fresh[walk->fresh_count++] = &item->row;
    } else if (item->saw & IS_STAGED) {
        out->dropped[out->drop_count++] = item->row.id;
    }
    return true;
}

/* Article order; those without one come last, by received time, then id. */
static int by_article(const void *a, const void *b)
{
    const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
    bool has_x = x->article > 0, has_y = y->article > 0;
    if (has_x != has_y)
        return has_x ? -1 : 1;
    if (has_x && x->article != y->article)
        return x->article < y->article ? -1 : 1;
    if (x->received_ms != y->received_ms)
        return x->received_ms < y->received_ms ? -1 : 1;
    return strcmp(x->id, y->id);
}

static int by_uid(const void *a, const void *b)
{
    const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void give_uid(struct row *r, struct merge_uids *uids)
{
    bool exact = r->article >= (int64_t)uids->uidnext && r->article <= ARTICLE_MAX;
    if (uids->mode == STORE_UID_EXACT && !exact)
        uids->mode = STORE_UID_DIVERGED;
    if (uids->mode == STORE_UID_DIVERGED && uids->uidnext < uids->floor)
        uids->uidnext = uids->floor;
    r->uid = uids->mode == STORE_UID_EXACT ? (uint32_t)r->article : uids->uidnext;
    uids->uidnext = r->uid + 1;
}

void merge_finish(struct merge *m, struct merge_uids *uids, struct merge_result *out)
{
    size_t count = table_count(m->items) + 1; /* never an empty allocation */
    struct finish_walk walk = {.merge = m, .out = out};
    memset(out, 0, sizeof *out);
    out->puts = xcalloc(count, sizeof *out->puts);
    out->expunges = xcalloc(count, sizeof *out->expunges);
    out->dropped = xcalloc(count, sizeof *out->dropped);
    walk.fresh = xcalloc(count, sizeof *walk.fresh);
    table_each(m->items, finish_item, &walk);
    qsort(walk.fresh, walk.fresh_count, sizeof *walk.fresh, by_article);
    for (size_t i = 0; i < walk.fresh_count; i++) {
        give_uid(walk.fresh[i], uids);
        out->puts[out->put_count++] = walk.fresh[i];
    }
    if (uids->uidnext < uids->floor)
        uids->uidnext = uids->floor;
    free(walk.fresh);
    qsort(out->puts, out->put_count, sizeof *out->puts, by_uid);
    qsort(out->expunges, out->expunge_count, sizeof *out->expunges, by_number);
}

void merge_result_free(struct merge_result *r)
{
    free(r->puts);
    free(r->expunges);
    free(r->dropped);
    memset(r, 0, sizeof *r);
}
