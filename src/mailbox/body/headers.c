/*
 * Header blocks of many messages, by pages.
 *
 * Messages are asked for in windows. Of a window, what the store does not know is sorted by the
 * time of receipt and cut into runs; a run is one listing between two times, whose pages are
 * stored as they come, those of messages that nobody asked for too. Where an ENVELOPE is wanted and
 * there is no whole block (sent mail, drafts, blocks cut short) a second listing asks for other
 * properties. Then the window is told in the order asked, from the store; what is missing still
 * comes from the MIME, several downloads in flight.
 */
#include "body.h"
#include "reader.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/mailbox/facts.h"
#include "postern/mime/crlf.h"
#include "postern/store/original.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW        1000
#define PAGE_LARGEST  500
#define PAGE_SMALLEST 20
#define PAGE_SHRINKS  5 /* divides a page that made the server fail */
/* Messages that nobody asked for and that a listing reads through rather than begin anew. */
#define GAP_MAX 250
/* So few that lie together are downloaded whole, since their bodies are likely to be next … */
#define FEW 2
/* … but not for the header of one that is larger than this. */
#define SMALL_BODY (256 * 1024)
/* Of one message; a longer one is no header. */
#define HEADER_MAX ((size_t)4 * 1024 * 1024)

/* A message of the folder at its time of receipt. */
struct spot {
    int64_t received_ms;
    uint32_t uid;
    bool wanted;
    bool small;
};

struct listing {
    struct mailbox_reader *reader;
    struct mailbox_folder *folder;
    struct spot *spots; /* by time of receipt; NULL: not needed yet */
    size_t count;
    enum graph_headers what; /* of this pass */
    unsigned top;
    bool refused; /* Graph does not list headers here */
};

/* ---- blocks ---- */

/* Exchange cuts a long block off at such lengths when it was not made for keeping. */
static bool is_cut_short(const char *block, size_t len)
{
    size_t characters = 0;
    for (size_t i = 0; i < len; i++)
        characters += ((unsigned char)block[i] & 0xc0) != 0x80;
    bool ended = len >= 4 && memcmp(block + len - 4, "\r\n\r\n", 4) == 0;
    return !ended || characters == 255 || characters == 510 || characters == 512;
}

/* Where the header is known the envelope is told of that. */
static bool keep_envelope(struct listing *l, uint32_t uid, const char *block, struct error *e)
{
    struct buf header = BUF_INIT(HEADER_MAX);
    int known = mailbox_fact_get(l->folder, uid, MAILBOX_FACT_HEADER, &header, e);
    buf_free(&header);
    if (known != 0)
        return known > 0;
    return mailbox_fact_put(l->folder, uid, MAILBOX_FACT_ENVELOPE, block, strlen(block), e);
}

/* Stores a block; one that is not whole is left to the MIME. */
static bool keep(struct listing *l, uint32_t uid, const char *block, struct error *e)
{
    if (l->what == GRAPH_HEADERS_ENVELOPE)
        return keep_envelope(l, uid, block, e);
    struct buf text = BUF_INIT(HEADER_MAX);
    struct mime_crlf crlf;
    size_t length = strlen(block);
    mime_crlf_init_literal(&crlf);
    bool ok = true;
    if (length <= HEADER_MAX / 2 && mime_crlf_feed(&crlf, block, length, &text) &&
        !is_cut_short(buf_str(&text), text.len))
        ok = mailbox_fact_put(l->folder, uid, MAILBOX_FACT_HEADER, buf_str(&text), text.len, e);
    buf_free(&text);
    return ok;
}

/* ---- pages ---- */

/* What a client appended has its own header. */
static bool keep_header(struct listing *l, const struct graph_header *h, struct error *e)
{
    struct store_db *db = l->folder->account->db;
    struct store_message m;
    struct store_original original;
    char *own;
    int64_t retired;
    int found = store_message_find(db, l->folder->key, h->id, &m, &own, &retired, e);
    free(own);
    if (found != 1 || m.uid == 0)
        return found >= 0;
    found = store_original_find(db, h->id, &original, e);
    return found == 1 || (found == 0 && keep(l, m.uid, h->block, e));
}

static bool keep_page(struct listing *l, const struct graph_header_page *page, struct error *e)
{
    bool ok = true;
    for (size_t i = 0; ok && i < page->count; i++)
        if (page->headers[i].block)
            ok = keep_header(l, &page->headers[i], e);
    return ok;
}

/* Reads the listing between two times to its end. */
static bool read_run(struct listing *l, int64_t from_ms, int64_t until_ms, struct wait *w,
                     struct error *e)
{
    struct graph_header_page page = {0};
    bool ok;
    do {
        struct graph_header_page next = {0};
        /* Graph shows whole seconds of what it keeps with fractions. */
        struct graph_call *call =
            graph_headers_start(l->folder->account->user, as_of(l->reader, w), l->folder->graph_id,
                                from_ms, until_ms + CLOCK_SECOND, l->what, l->top, page.next_link);
        ok = graph_call_wait(call, w, e) && graph_headers_decode(call, l->what, &next, e);
        graph_call_free(&call);
        if (ok && next.next_link && page.next_link && strcmp(next.next_link, page.next_link) == 0)
            ok = error_set(e, ERROR_ANSWER, "Graph answered a page that leads to itself");
        graph_header_page_free(&page);
        page = next;
        ok = ok && keep_page(l, &page, e);
    } while (ok && page.next_link);
    graph_header_page_free(&page);
    return ok;
}

/* ---- runs ---- */

static int by_time(const void *a, const void *b)
{
    const struct spot *x = a, *y = b;
    if (x->received_ms != y->received_ms)
        return x->received_ms < y->received_ms ? -1 : 1;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

static int by_uid(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void find_spots(struct listing *l)
{
    struct mailbox_view *view = mailbox_folder_view(l->folder);
    l->count = view ? mailbox_view_count(view) : 0;
    l->spots = xreallocarray(NULL, l->count + 1, sizeof *l->spots);
    for (size_t i = 0; i < l->count; i++) {
        const struct mailbox_entry *entry = mailbox_view_at(view, i);
        l->spots[i] = (struct spot){.received_ms = entry->received_ms,
                                    .uid = entry->uid,
                                    .small = entry->size >= 0 && entry->size <= SMALL_BODY};
    }
    mailbox_view_unref(&view);
    qsort(l->spots, l->count, sizeof *l->spots, by_time);
}

static void mark_wanted(struct listing *l, const uint32_t *uids, size_t count)
{
    uint32_t *sorted = xreallocarray(NULL, count, sizeof *sorted);
    memcpy(sorted, uids, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_uid);
    for (size_t i = 0; i < l->count; i++)
        l->spots[i].wanted =
            bsearch(&l->spots[i].uid, sorted, count, sizeof *sorted, by_uid) != NULL;
    free(sorted);
}

/* The run that begins at or behind *at: its first and last spot, and whether a listing pays. */
static bool next_run(const struct listing *l, size_t *at, size_t *first, size_t *last, bool *pays)
{
    size_t wanted = 0, gap = 0;
    bool small = true;
    while (*at < l->count && !l->spots[*at].wanted)
        ++*at;
    *first = *last = *at;
    for (; *at < l->count && gap <= GAP_MAX; ++*at) {
        if (!l->spots[*at].wanted) {
            gap++;
            continue;
        }
        gap = 0;
        wanted++;
        small = small && l->spots[*at].small;
        *last = *at;
    }
    *at = *last + 1;
    *pays = wanted > FEW || !small;
    return wanted > 0;
}

/* A failure that a smaller page may mend, or another way; a mailbox that is throttled waits. */
static bool is_about_size(const struct error *e)
{
    return (e->status >= 500 && e->kind != ERROR_THROTTLED) || e->kind == ERROR_ANSWER ||
           e->kind == ERROR_TOO_BIG || e->kind == ERROR_TIMEOUT;
}

/* Lists what the store does not know. What cannot be listed is left to the MIME. */
static bool list_unknown(struct listing *l, const uint32_t *uids, size_t count, struct wait *w,
                         struct error *e)
{
    size_t at = 0, first, last;
    bool pays;
    if (!l->spots)
        find_spots(l);
    mark_wanted(l, uids, count);
    while (!l->refused && next_run(l, &at, &first, &last, &pays)) {
        if (!pays || read_run(l, l->spots[first].received_ms, l->spots[last].received_ms, w, e))
            continue;
        if (wait_ended(w, e))
            return false;
        if (is_about_size(e) && l->top > PAGE_SMALLEST) {
            l->top = l->top / PAGE_SHRINKS > PAGE_SMALLEST ? l->top / PAGE_SHRINKS : PAGE_SMALLEST;
            at = first; /* again, in smaller pages */
        } else if (is_about_size(e) || e->kind == ERROR_REQUEST) {
            log_error_value(LOG_LEVEL_WARNING, e,
                            "header fields cannot be listed, whole messages "
                            "are downloaded instead");
            l->refused = true;
        } else {
            return false;
        }
        error_clear(e);
    }
    return true;
}

/* ---- telling ---- */

/* The block from the MIME; 0: the message is gone. */
static int from_mime(struct mailbox_reader *r, uint32_t uid, struct buf *out, struct wait *w,
                     struct error *e)
{
    struct mailbox_body *body = mailbox_reader_body(r, uid, w, e);
    if (!body && e->kind == ERROR_GONE)
        return 0;
    bool ok =
        body && fact_header_of_body(body, out, e) &&
        mailbox_fact_put(reader_folder(r), uid, MAILBOX_FACT_HEADER, buf_str(out), out->len, e);
    mailbox_body_unref(&body);
    return ok ? 1 : -1;
}

/* What was told first, or costs no request: 1, 0 not known, -1 error. */
static int known_block(struct mailbox_reader *r, enum mailbox_headers what, uint32_t uid,
                       struct buf *out, struct error *e)
{
    int known = 0;
    if (what == MAILBOX_HEADERS_ENVELOPE)
        known = mailbox_fact_get(reader_folder(r), uid, MAILBOX_FACT_ENVELOPE, out, e);
    return known != 0 ? known : mailbox_reader_known_header(r, uid, out, e);
}

/* The UIDs of `uids` whose block costs a request, in the same order; `unknown` may be `uids`. */
static size_t find_unknown(struct mailbox_reader *r, enum mailbox_headers what,
                           const uint32_t *uids, size_t count, uint32_t *unknown, struct error *e)
{
    size_t n = 0;
    struct buf block = BUF_INIT(HEADER_MAX);
    for (size_t i = 0; i < count && e->kind == ERROR_NONE; i++) {
        buf_clear(&block);
        if (known_block(r, what, uids[i], &block, e) == 0)
            unknown[n++] = uids[i];
    }
    buf_free(&block);
    return n;
}

/* Has the store know of a window what listings can give. `unknown` has room for it. */
static bool fill(struct listing *l, enum mailbox_headers what, const uint32_t *uids, size_t count,
                 uint32_t *unknown, struct wait *w, struct error *e)
{
    static const enum graph_headers passes[] = {GRAPH_HEADERS_WHOLE, GRAPH_HEADERS_ENVELOPE};
    size_t missing = find_unknown(l->reader, what, uids, count, unknown, e);
    for (size_t i = 0; i < 2 && e->kind == ERROR_NONE && missing > 0; i++) {
        l->what = passes[i];
        if (l->what == GRAPH_HEADERS_ENVELOPE && what == MAILBOX_HEADERS_WHOLE)
            break;
        if (!list_unknown(l, unknown, missing, w, e))
            return false;
        missing = find_unknown(l->reader, what, unknown, missing, unknown, e);
    }
    if (missing)
        mailbox_reader_sequence(l->reader, unknown, missing);
    return e->kind == ERROR_NONE;
}

/* Tells a window in its order. A message that fails alone does not keep the others from being
 * told; `e` holds the first such failure. */
static bool tell(struct mailbox_reader *r, enum mailbox_headers what, const uint32_t *uids,
                 size_t count, bool (*fn)(void *arg, uint32_t uid, const char *block, size_t len),
                 void *arg, struct wait *w, struct error *e)
{
    struct buf block = BUF_INIT(HEADER_MAX);
    bool go_on = true;
    for (size_t i = 0; i < count && go_on; i++) {
        struct error own = ERROR_INIT;
        buf_clear(&block);
        int known = known_block(r, what, uids[i], &block, &own);
        if (known == 0)
            known = from_mime(r, uids[i], &block, w, &own);
        if (known >= 0)
            go_on = fn(arg, uids[i], known ? buf_str(&block) : NULL, block.len);
        else if (e->kind == ERROR_NONE)
            *e = own;
        go_on = go_on && (known >= 0 || own.kind == ERROR_ANSWER || own.kind == ERROR_TOO_BIG);
    }
    buf_free(&block);
    return go_on;
}

bool mailbox_reader_headers(struct mailbox_reader *r, enum mailbox_headers what,
                            const uint32_t *uids, size_t count,
                            bool (*fn)(void *arg, uint32_t uid, const char *block, size_t len),
                            void *arg, struct wait *w, struct error *e)
{
    struct listing l = {.reader = r, .folder = reader_folder(r), .top = PAGE_LARGEST};
    uint32_t *unknown = xreallocarray(NULL, count < WINDOW ? count + 1 : WINDOW, sizeof *unknown);
    struct error first = ERROR_INIT; /* of a message that could not be told */
    bool ok = true;
    for (size_t at = 0; ok && at < count; at += WINDOW) {
        size_t n = count - at < WINDOW ? count - at : WINDOW;
        error_clear(e);
        ok = fill(&l, what, uids + at, n, unknown, w, e) &&
             tell(r, what, uids + at, n, fn, arg, w, &first);
    }
    if (first.kind != ERROR_NONE)
        *e = first;
    free(l.spots);
    free(unknown);
    return ok && first.kind == ERROR_NONE;
}
