/*
 * One session's way through the bodies of a folder. While messages are read one after another
 * the next ones are downloaded already, as many as slots and the byte limit allow.
 *
 * A reader belongs to its session's thread; the downloads it holds are shared.
 */
#include "reader.h"
#include "body.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"
#include "postern/mailbox/facts.h"
#include "postern/mailbox/flags.h"
#include "postern/store/original.h"

#include <stdlib.h>
#include <string.h>

/* Bodies held ahead, done or not: each holds a file descriptor. */
#define AHEAD_MAX 16
/* Bodies kept for what follows a question for sizes. */
#define PINS_MAX 128
/* What a message of unknown size counts against the byte limit. */
#define GUESSED_SIZE (64 * 1024)

struct ahead {
    uint32_t uid;
    struct download *download;
    uint64_t cost; /* estimated bytes */
};

struct pin {
    uint32_t uid;
    struct mailbox_body *body;
};

struct mailbox_reader {
    struct mailbox_folder *folder;
    uint32_t *sequence; /* what is likely to be read, in order */
    size_t count, at;   /* `at`: where the last one read was */
    uint32_t expected;  /* what follows the last one read, 0: unknown */
    struct ahead ahead[AHEAD_MAX];
    size_t ahead_count;
    struct pin *pins; /* NULL until there is one */
    size_t pin_count;
};

struct mailbox_reader *mailbox_reader_new(struct mailbox_folder *f)
{
    struct mailbox_reader *r = xcalloc(1, sizeof *r);
    account_ref(f->account);
    r->folder = f;
    return r;
}

struct mailbox_folder *reader_folder(const struct mailbox_reader *r)
{
    return r->folder;
}

static void drop_ahead(struct mailbox_reader *r)
{
    for (size_t i = 0; i < r->ahead_count; i++)
        download_leave(&r->ahead[i].download);
    r->ahead_count = 0;
}

void mailbox_reader_free(struct mailbox_reader **reader)
{
    struct mailbox_reader *r = *reader;
    *reader = NULL;
    if (!r)
        return;
    drop_ahead(r);
    for (size_t i = 0; i < r->pin_count; i++)
        mailbox_body_unref(&r->pins[i].body);
    mailbox_folder_release(&r->folder);
    free(r->pins);
    free(r->sequence);
    free(r);
}

void mailbox_reader_sequence(struct mailbox_reader *r, const uint32_t *uids, size_t count)
{
    free(r->sequence);
    r->count = count < MAILBOX_SEQUENCE_MAX ? count : MAILBOX_SEQUENCE_MAX;
    r->at = 0;
    r->sequence = xreallocarray(NULL, r->count + 1, sizeof *r->sequence);
    if (r->count)
        memcpy(r->sequence, uids, r->count * sizeof *r->sequence);
}

/* Moves to `uid` in the sequence. True: it followed the one read before. */
static bool step(struct mailbox_reader *r, uint32_t uid)
{
    bool follows = uid == r->expected;
    r->expected = 0;
    for (size_t n = 0; n < r->count; n++) {
        size_t i = (r->at + n) % r->count;
        if (r->sequence[i] != uid)
            continue;
        r->at = i;
        if (i + 1 < r->count)
            r->expected = r->sequence[i + 1];
        return follows;
    }
    return false;
}

static bool is_ahead(const struct mailbox_reader *r, uint32_t uid)
{
    for (size_t i = 0; i < r->ahead_count; i++)
        if (r->ahead[i].uid == uid)
            return true;
    return false;
}

static struct mailbox_body *find_pin(const struct mailbox_reader *r, uint32_t uid)
{
    for (size_t i = 0; i < r->pin_count; i++)
        if (r->pins[i].uid == uid)
            return r->pins[i].body;
    return NULL;
}

/* A body belongs to its message for good, but a draft's to its UID: an edited draft gets another.
 */
static char *body_name(struct mailbox_folder *f, uint32_t uid, const char *id)
{
    struct mailbox_view *view = mailbox_folder_view(f);
    const struct mailbox_entry *entry = view ? mailbox_view_find(view, uid, NULL) : NULL;
    bool draft = entry && mailbox_is_draft(entry->flags);
    mailbox_view_unref(&view);
    return draft ? xasprintf("%s#%u", id, (unsigned)uid) : xstrdup(id);
}

/* NULL: no such message any more (e->kind GONE), or an error. */
static struct download *start(struct mailbox_reader *r, uint32_t uid, bool background,
                              struct error *e)
{
    struct mailbox_account *a = r->folder->account;
    struct graph_as as = {.fair_key = r, .background = background};
    char *id;
    int found = store_message_id_by_uid(a->db, r->folder->key, uid, &id, e);
    if (found < 0)
        account_check(a);
    if (found == 0)
        error_set(e, ERROR_GONE, "the message with UID %u no longer exists", (unsigned)uid);
    char *name = found == 1 ? body_name(r->folder, uid, id) : NULL;
    struct download *d = name ? download_get(a, id, name, as) : NULL;
    free(name);
    free(id);
    return d;
}

/* What is under way and held ahead. */
static void measure(const struct mailbox_reader *r, size_t *running, uint64_t *bytes)
{
    for (size_t i = 0; i < r->ahead_count; i++) {
        *running += !download_done(r->ahead[i].download);
        *bytes += r->ahead[i].cost;
    }
}

/* Starts what comes next, as far as slots and bytes reach. `running`: what the session itself
 * waits for. */
static void read_ahead(struct mailbox_reader *r, size_t running)
{
    uint64_t bytes = 0;
    struct error ignored = ERROR_INIT;
    struct mailbox_view *view = mailbox_folder_view(r->folder);
    measure(r, &running, &bytes);
    for (size_t i = r->at + 1; view && i < r->count; i++) {
        uint32_t uid = r->sequence[i];
        const struct mailbox_entry *entry = mailbox_view_find(view, uid, NULL);
        if (running >= ABREAST || r->ahead_count == AHEAD_MAX)
            break;
        if (!entry || is_ahead(r, uid) || find_pin(r, uid))
            continue;
        uint64_t cost = entry->size >= 0 ? (uint64_t)entry->size : GUESSED_SIZE;
        if (bytes + cost > r->folder->account->registry->read_ahead)
            break;
        struct download *d = start(r, uid, true, &ignored);
        if (!d)
            continue;
        r->ahead[r->ahead_count++] = (struct ahead){.uid = uid, .download = d, .cost = cost};
        running += !download_done(d);
        bytes += cost;
    }
    mailbox_view_unref(&view);
}

/* Takes the download of the UID out of those held ahead; NULL: it is not among them. */
static struct download *take_ahead(struct mailbox_reader *r, uint32_t uid)
{
    for (size_t i = 0; i < r->ahead_count; i++) {
        if (r->ahead[i].uid != uid)
            continue;
        struct download *d = r->ahead[i].download;
        memmove(r->ahead + i, r->ahead + i + 1, (--r->ahead_count - i) * sizeof r->ahead[0]);
        return d;
    }
    return NULL;
}

/* Waits for one download; while it lasts, those ahead are kept going. */
static bool wait_for(struct mailbox_reader *r, struct download *d, bool in_sequence, struct wait *w,
                     struct error *e)
{
    while (!download_done(d)) {
        struct download *all[AHEAD_MAX + 1] = {d};
        size_t count = 1;
        if (in_sequence)
            read_ahead(r, 1);
        for (size_t i = 0; i < r->ahead_count; i++)
            if (!download_done(r->ahead[i].download))
                all[count++] = r->ahead[i].download;
        if (!download_wait_any(all, count, w, e))
            return false;
    }
    return true;
}

static void note_size(struct mailbox_reader *r, uint32_t uid, const struct mailbox_body *b)
{
    struct error e = ERROR_INIT;
    uint64_t literal = mailbox_body_literal_size(b);
    bool ok = folder_note_size(r->folder, uid, (int64_t)mailbox_body_wire_size(b), &e);
    /* IMAP tells the few messages that differ by their own size. */
    if (ok && literal != mailbox_body_wire_size(b) && literal <= UINT32_MAX)
        ok = mailbox_note_told_sizes(r->folder, &uid, &(uint32_t){(uint32_t)literal}, 1, &e);
    if (!ok)
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot keep the size of UID %u", (unsigned)uid);
}

struct mailbox_body *mailbox_reader_body(struct mailbox_reader *r, uint32_t uid, struct wait *w,
                                         struct error *e)
{
    bool in_sequence = step(r, uid);
    struct mailbox_body *body = find_pin(r, uid);
    if (body)
        return mailbox_body_ref(body);
    struct download *d = take_ahead(r, uid);
    bool was_ahead = d != NULL;
    if (was_ahead)
        download_promote(d);
    else if (!in_sequence)
        drop_ahead(r); /* it reads elsewhere now */
    for (;;) {
        if (!d)
            d = start(r, uid, false, e);
        if (!d)
            return NULL;
        if (wait_for(r, d, in_sequence, w, e))
            body = download_body(d, e);
        download_leave(&d);
        /* What failed in the background is tried again for the one who waits, but who has waited
         * for the end of Graph's patience and ours does not wait for it twice. */
        if (body || !was_ahead || e->kind == ERROR_GONE || e->kind == ERROR_THROTTLED ||
            wait_ended(w, e))
            break;
        was_ahead = false;
        error_clear(e);
    }
    if (!body)
        return NULL;
    note_size(r, uid, body);
    if (in_sequence)
        read_ahead(r, 0);
    return body;
}

bool mailbox_reader_has_body(struct mailbox_reader *r, uint32_t uid)
{
    struct mailbox_account *a = r->folder->account;
    struct error ignored = ERROR_INIT;
    struct store_original original;
    char *id = NULL, *name = NULL;
    bool has = find_pin(r, uid) != NULL;
    if (!has && store_message_id_by_uid(a->db, r->folder->key, uid, &id, &ignored) == 1) {
        name = body_name(r->folder, uid, id);
        has = store_cache_has(a->registry->cache, a->owner, a->folded, name) ||
              store_original_find(a->db, id, &original, &ignored) == 1;
    }
    free(name);
    free(id);
    return has;
}

struct mailbox_body *reader_body_at_hand(struct mailbox_reader *r, uint32_t uid, struct error *e)
{
    struct mailbox_body *body = find_pin(r, uid);
    if (body)
        return mailbox_body_ref(body);
    if (!mailbox_reader_has_body(r, uid))
        return NULL;
    struct download *d = start(r, uid, false, e);
    if (!d)
        return NULL;
    body = download_done(d) ? download_body(d, e) : NULL;
    download_leave(&d);
    return body;
}

/* Keeps what was downloaded for its size; the pin takes over the reference. */
static void pin(struct mailbox_reader *r, uint32_t uid, struct mailbox_body *body)
{
    if (!r->pins)
        r->pins = xcalloc(PINS_MAX, sizeof *r->pins);
    if (r->pin_count < PINS_MAX)
        r->pins[r->pin_count++] = (struct pin){.uid = uid, .body = body};
    else
        mailbox_body_unref(&body);
}

/* The next UID whose size must be downloaded; those known are filled in on the way. */
static size_t next_unknown(const struct mailbox_view *view, const uint32_t *uids, size_t count,
                           size_t from, int64_t *sizes)
{
    for (size_t i = from; i < count; i++) {
        const struct mailbox_entry *entry = view ? mailbox_view_find(view, uids[i], NULL) : NULL;
        sizes[i] = -1;
        if (entry && !entry->size_exact)
            return i;
        if (entry)
            sizes[i] = entry->size;
    }
    return count;
}

/* One download of sizes has ended. */
static bool take_size(struct mailbox_reader *r, uint32_t uid, struct download *d, int64_t *size,
                      struct error *e)
{
    struct mailbox_body *body = download_body(d, e);
    if (!body && e->kind != ERROR_GONE)
        return false;
    *size = -1;
    if (body) {
        *size = (int64_t)mailbox_body_wire_size(body);
        note_size(r, uid, body);
        pin(r, uid, body);
    }
    error_clear(e);
    return true;
}

bool mailbox_reader_sizes(struct mailbox_reader *r, const uint32_t *uids, size_t count,
                          int64_t *sizes, struct wait *w, struct error *e)
{
    struct download *running[ABREAST] = {NULL};
    size_t which[ABREAST] = {0};
    struct mailbox_view *view = mailbox_folder_view(r->folder);
    size_t next = next_unknown(view, uids, count, 0, sizes), open = 0;
    bool ok = true;
    while (ok && (open > 0 || next < count)) {
        for (size_t i = 0; ok && i < ABREAST && next < count; i++) {
            if (running[i])
                continue;
            running[i] = start(r, uids[next], false, e);
            which[i] = next;
            open += running[i] != NULL;
            ok = running[i] || e->kind == ERROR_GONE; /* gone: its size stays -1 */
            if (ok)
                error_clear(e);
            next = next_unknown(view, uids, count, next + 1, sizes);
        }
        ok = ok && (open == 0 || download_wait_any(running, ABREAST, w, e));
        for (size_t i = 0; ok && i < ABREAST; i++) {
            if (!running[i] || !download_done(running[i]))
                continue;
            ok = take_size(r, uids[which[i]], running[i], &sizes[which[i]], e);
            download_leave(&running[i]);
            open--;
        }
    }
    for (size_t i = 0; i < ABREAST; i++)
        download_leave(&running[i]);
    mailbox_view_unref(&view);
    return ok;
}
