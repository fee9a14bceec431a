#include "maildrop.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/encode.h"
#include "postern/base/log.h"
#include "postern/mailbox/view.h"

#include <stdlib.h>
#include <string.h>

/* Told for a message of which not even an estimate is known; errs high for most mail. */
#define SIZE_UNKNOWN 131072
/* How far ahead of the message being read the reader is told what comes next. */
#define SEQUENCE_AHEAD 64

struct pop3_maildrop {
    struct mailbox_view *view;
    struct mailbox_reader *reader;
    enum config_exact_size exact;
    uint32_t *uids; /* of the served messages, ascending; NULL: the whole view is served */
    size_t count;
    int64_t *sizes; /* settled ones, -1: not yet; NULL until one is */
    bool settled;   /* all have been told */
    bool *marks;    /* NULL until the first DELE */
    size_t marked;
};

/* An idle session of a large folder holds no array of its own unless serve-since hides mail. */
static void select_messages(struct pop3_maildrop *d, int64_t since_ms)
{
    size_t all = mailbox_view_count(d->view);
    while (d->count < all && mailbox_view_at(d->view, d->count)->received_ms >= since_ms)
        d->count++;
    if (d->count == all)
        return;
    d->count = 0;
    d->uids = xreallocarray(NULL, all, sizeof *d->uids);
    for (size_t i = 0; i < all; i++) {
        const struct mailbox_entry *m = mailbox_view_at(d->view, i);
        if (m->received_ms >= since_ms)
            d->uids[d->count++] = m->uid;
    }
}

struct pop3_maildrop *pop3_maildrop_open(struct mailbox_folder *folder, int64_t since_ms,
                                         enum config_exact_size exact)
{
    struct mailbox_view *view = mailbox_folder_view(folder);
    if (!view)
        return NULL;
    struct pop3_maildrop *d = xcalloc(1, sizeof *d);
    d->view = view;
    d->exact = exact;
    d->reader = mailbox_reader_new(folder);
    select_messages(d, since_ms);
    return d;
}

void pop3_maildrop_free(struct pop3_maildrop **drop)
{
    struct pop3_maildrop *d = *drop;
    if (!d)
        return;
    mailbox_reader_free(&d->reader);
    mailbox_view_unref(&d->view);
    free(d->uids);
    free(d->sizes);
    free(d->marks);
    free(d);
    *drop = NULL;
}

size_t pop3_maildrop_count(const struct pop3_maildrop *d)
{
    return d->count;
}

size_t pop3_maildrop_marked_count(const struct pop3_maildrop *d)
{
    return d->marked;
}

bool pop3_maildrop_marked(const struct pop3_maildrop *d, size_t index)
{
    return d->marks && d->marks[index];
}

void pop3_maildrop_mark(struct pop3_maildrop *d, size_t index)
{
    if (!d->marks)
        d->marks = xcalloc(d->count, sizeof *d->marks);
    if (!d->marks[index])
        d->marked++;
    d->marks[index] = true;
}

void pop3_maildrop_reset(struct pop3_maildrop *d)
{
    free(d->marks);
    d->marks = NULL;
    d->marked = 0;
}

static const struct mailbox_entry *entry(const struct pop3_maildrop *d, size_t index)
{
    return d->uids ? mailbox_view_find(d->view, d->uids[index], NULL)
                   : mailbox_view_at(d->view, index);
}

uint32_t pop3_maildrop_uid(const struct pop3_maildrop *d, size_t index)
{
    return d->uids ? d->uids[index] : mailbox_view_at(d->view, index)->uid;
}

uint32_t *pop3_maildrop_marked_uids(const struct pop3_maildrop *d, size_t *count)
{
    uint32_t *uids = xreallocarray(NULL, d->marked, sizeof *uids);
    *count = 0;
    for (size_t i = 0; d->marks && i < d->count; i++) {
        if (d->marks[i])
            uids[(*count)++] = pop3_maildrop_uid(d, i);
    }
    return uids;
}

void pop3_maildrop_uidl(const struct pop3_maildrop *d, size_t index, char out[POP3_UIDL_SIZE])
{
    struct buf text = BUF_INIT(POP3_UIDL_SIZE);
    buf_putc(&text, 'P');
    base64url_encode(entry(d, index)->digest, SHA256_SIZE, &text);
    memcpy(out, buf_str(&text), text.len + 1);
    buf_free(&text);
}

/* ---- sizes ---- */

static bool size_known(const struct pop3_maildrop *d, size_t index)
{
    return entry(d, index)->size_exact || (d->sizes && d->sizes[index] >= 0);
}

uint64_t pop3_maildrop_size(const struct pop3_maildrop *d, size_t index)
{
    if (d->sizes && d->sizes[index] >= 0)
        return (uint64_t)d->sizes[index];
    const struct mailbox_entry *m = entry(d, index);
    return m->size >= 0 ? (uint64_t)m->size : SIZE_UNKNOWN;
}

static void keep_size(struct pop3_maildrop *d, size_t index, int64_t size)
{
    if (!d->sizes) {
        d->sizes = xreallocarray(NULL, d->count, sizeof *d->sizes);
        for (size_t i = 0; i < d->count; i++)
            d->sizes[i] = -1;
    }
    d->sizes[index] = size;
}

/* Finds out and keeps the sizes of these messages. A message that is gone keeps its estimate. */
static bool fetch_sizes(struct pop3_maildrop *d, const size_t *indexes, size_t count,
                        struct wait *w, struct error *e)
{
    uint32_t *uids = xreallocarray(NULL, count, sizeof *uids);
    int64_t *sizes = xreallocarray(NULL, count, sizeof *sizes);
    for (size_t i = 0; i < count; i++)
        uids[i] = pop3_maildrop_uid(d, indexes[i]);
    bool had = mailbox_reader_sizes(d->reader, uids, count, sizes, w, e);
    bool tell = had || (d->exact == EXACT_SIZE_AUTO && e->kind != ERROR_CANCELED);
    for (size_t i = 0; tell && i < count; i++) {
        bool exact = had && sizes[i] >= 0;
        keep_size(d, indexes[i], exact ? sizes[i] : (int64_t)pop3_maildrop_size(d, indexes[i]));
    }
    if (tell && !had)
        log_error_value(LOG_LEVEL_WARNING, e, "exact sizes could not be had, estimates are told");
    free(uids);
    free(sizes);
    return tell;
}

static size_t *unknown_sizes(const struct pop3_maildrop *d, size_t *count)
{
    size_t *indexes = xreallocarray(NULL, d->count, sizeof *indexes);
    *count = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (!pop3_maildrop_marked(d, i) && !size_known(d, i))
            indexes[(*count)++] = i;
    }
    return indexes;
}

bool pop3_maildrop_settle(struct pop3_maildrop *d, struct wait *w, struct error *e)
{
    bool ok = true;
    if (d->settled || d->exact == EXACT_SIZE_NO)
        return true;
    size_t count;
    size_t *indexes = unknown_sizes(d, &count);
    if (count && (d->exact == EXACT_SIZE_YES || count <= POP3_EXACT_MAX))
        ok = fetch_sizes(d, indexes, count, w, e);
    free(indexes);
    d->settled = ok;
    return ok;
}

bool pop3_maildrop_settle_one(struct pop3_maildrop *d, size_t index, struct wait *w,
                              struct error *e)
{
    if (d->settled || d->exact == EXACT_SIZE_NO || size_known(d, index))
        return true;
    return fetch_sizes(d, &index, 1, w, e);
}

void pop3_maildrop_total(const struct pop3_maildrop *d, size_t *count, uint64_t *octets)
{
    *count = d->count - d->marked;
    *octets = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (!pop3_maildrop_marked(d, i))
            *octets += pop3_maildrop_size(d, i);
    }
}

struct mailbox_body *pop3_maildrop_body(struct pop3_maildrop *d, size_t index, struct wait *w,
                                        struct error *e)
{
    uint32_t next[SEQUENCE_AHEAD] = {pop3_maildrop_uid(d, index)};
    size_t count = 1;
    while (count < SEQUENCE_AHEAD && index + count < d->count) {
        next[count] = pop3_maildrop_uid(d, index + count);
        count++;
    }
    mailbox_reader_sequence(d->reader, next, count);
    return mailbox_reader_body(d->reader, next[0], w, e);
}
