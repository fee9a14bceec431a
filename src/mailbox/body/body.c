#include "body.h"

#include "postern/base/alloc.h"
#include "postern/mime/crlf.h"
#include "postern/store/original.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 8192
/* mime_crlf_feed() writes at most three bytes for one, and may hold back a little. */
#define PIECE_OUT (3 * PIECE + 16)

/* The sizes of both forms in which a message is told. */
struct counter {
    struct mime_crlf lines, literal;
};

struct mailbox_body {
    atomic_uint refs;
    struct store_body *stored;
    uint64_t wire_size, literal_size;
};

struct download {
    struct mailbox_account *account;
    char *graph_id;
    char *name; /* in the cache, and in account->downloads */
    /* Guarded by account->lock: */
    unsigned refs;
    bool done, listed; /* `listed`: in account->downloads, newcomers join */
    struct error error;
    struct mailbox_body *body;
    struct wait_list waiters;
    struct graph_call *call; /* set by the one who started it, freed by the last */
    /* Touched by the sink only, until it is done: */
    struct store_writer *writer;
    struct counter counter;
};

static void count_init(struct counter *counter)
{
    mime_crlf_init(&counter->lines, false);
    mime_crlf_init_literal(&counter->literal);
}

static void count(struct counter *counter, const char *data, size_t len)
{
    struct buf out = BUF_INIT(PIECE_OUT);
    while (len > 0) {
        size_t n = len < PIECE ? len : PIECE;
        mime_crlf_feed(&counter->lines, data, n, &out);
        buf_clear(&out);
        mime_crlf_feed(&counter->literal, data, n, &out);
        buf_clear(&out);
        data += n;
        len -= n;
    }
    buf_free(&out);
}

/* Everything was counted: the body of it. */
static struct mailbox_body *body_new(struct store_body *stored, struct counter *counter)
{
    struct buf out = BUF_INIT(PIECE_OUT);
    mime_crlf_end(&counter->lines, &out);
    buf_free(&out);
    struct mailbox_body *b = xcalloc(1, sizeof *b);
    atomic_init(&b->refs, 1);
    b->stored = stored;
    b->wire_size = counter->lines.octets;
    b->literal_size = counter->literal.octets;
    return b;
}

struct mailbox_body *mailbox_body_ref(struct mailbox_body *b)
{
    atomic_fetch_add(&b->refs, 1);
    return b;
}

void mailbox_body_unref(struct mailbox_body **body)
{
    struct mailbox_body *b = *body;
    *body = NULL;
    if (!b || atomic_fetch_sub(&b->refs, 1) != 1)
        return;
    store_body_unref(&b->stored);
    free(b);
}

uint64_t mailbox_body_wire_size(const struct mailbox_body *b)
{
    return b->wire_size;
}

uint64_t mailbox_body_literal_size(const struct mailbox_body *b)
{
    return b->literal_size;
}

uint64_t mailbox_body_raw_size(const struct mailbox_body *b)
{
    return store_body_size(b->stored);
}

ssize_t mailbox_body_read(const struct mailbox_body *b, uint64_t offset, void *out, size_t len,
                          struct error *e)
{
    return store_body_read(b->stored, offset, out, len, e);
}

/* Ends the download with what `body` or `error` says. Whoever holds it may free it right after,
 * so the caller must not touch it again unless it holds it too. */
static void finish(struct download *d, struct mailbox_body *body, const struct error *error)
{
    struct mailbox_account *a = d->account;
    pthread_mutex_lock(&a->lock);
    d->done = true;
    d->body = body;
    d->error = *error;
    if (!body && d->listed) { /* a newcomer tries again */
        table_remove(a->downloads, d->name);
        d->listed = false;
    }
    wait_list_notify_all(&d->waiters);
    pthread_mutex_unlock(&a->lock);
}

static bool open_writer(struct download *d, struct error *e)
{
    struct mailbox_account *a = d->account;
    store_writer_abort(&d->writer);
    count_init(&d->counter);
    d->writer = store_writer_new(a->registry->cache, a->owner, a->folded, d->name, e);
    return d->writer != NULL;
}

static bool sink_write(void *arg, const void *data, size_t len, struct error *e)
{
    struct download *d = arg;
    count(&d->counter, data, len);
    return store_writer_append(d->writer, data, len, e);
}

static bool sink_restart(void *arg, struct error *e)
{
    return open_writer(arg, e);
}

/* Only a complete, successful answer becomes a body. */
static void call_done(void *arg, struct graph_call *call)
{
    struct download *d = arg;
    struct error e = ERROR_INIT;
    struct mailbox_body *body = NULL;
    if (graph_call_outcome(call, &e)) {
        struct store_body *stored = store_writer_finish(&d->writer, &e);
        if (stored)
            body = body_new(stored, &d->counter);
    } else {
        store_writer_abort(&d->writer);
    }
    finish(d, body, &e);
}

/* An original, or a body from the cache; its sizes are counted, since the file is in the page cache
 * now. */
static struct mailbox_body *cached(struct download *d, struct error *e)
{
    struct mailbox_account *a = d->account;
    struct store_body *stored = store_original_open(a->db, d->graph_id, e);
    bool original = stored != NULL;
    struct counter counter;
    char piece[PIECE];
    uint64_t at = 0;
    ssize_t n = 1;
    if (!stored && e->kind == ERROR_NONE)
        stored = store_cache_get(a->registry->cache, a->owner, a->folded, d->name, e);
    if (!stored)
        return NULL;
    count_init(&counter);
    while (n > 0 && (n = store_body_read(stored, at, piece, sizeof piece, e)) > 0) {
        count(&counter, piece, (size_t)n);
        at += (uint64_t)n;
    }
    if (n < 0) {
        store_body_unref(&stored);
        return NULL;
    }
    struct mailbox_body *body = body_new(stored, &counter);
    if (original) /* what a client appended comes back as it came */
        body->literal_size = at;
    return body;
}

/* The caller holds the download. */
static void begin(struct download *d, struct graph_as as)
{
    struct error e = ERROR_INIT;
    struct mailbox_body *body = cached(d, &e);
    if (body || e.kind != ERROR_NONE || !open_writer(d, &e)) {
        finish(d, body, &e);
        return;
    }
    struct graph_sink sink = {.write = sink_write, .restart = sink_restart, .arg = d};
    struct graph_call *call =
        graph_mime_start(d->account->user, as, d->graph_id, &sink, call_done, d);
    pthread_mutex_lock(&d->account->lock);
    d->call = call;
    pthread_mutex_unlock(&d->account->lock);
}

struct download *download_get(struct mailbox_account *a, const char *graph_id, const char *name,
                              struct graph_as as)
{
    pthread_mutex_lock(&a->lock);
    struct download *d = table_get(a->downloads, name);
    bool joined = d != NULL;
    if (!joined) {
        d = xcalloc(1, sizeof *d);
        d->account = a;
        d->graph_id = xstrdup(graph_id);
        d->name = xstrdup(name);
        d->listed = true;
        table_put(a->downloads, name, d);
    }
    d->refs++;
    pthread_mutex_unlock(&a->lock);
    if (!joined)
        begin(d, as);
    else if (!as.background)
        download_promote(d);
    return d;
}

void download_promote(struct download *d)
{
    pthread_mutex_lock(&d->account->lock);
    struct graph_call *call = d->call; /* stays while the caller holds the download */
    pthread_mutex_unlock(&d->account->lock);
    if (call)
        graph_call_promote(call);
}

bool download_done(struct download *d)
{
    pthread_mutex_lock(&d->account->lock);
    bool done = d->done;
    pthread_mutex_unlock(&d->account->lock);
    return done;
}

bool download_wait_any(struct download *const *downloads, size_t count, struct wait *w,
                       struct error *e)
{
    struct mailbox_account *a = NULL;
    bool ok = true, ended = false;
    for (size_t i = 0; i < count && !a; i++)
        a = downloads[i] ? downloads[i]->account : NULL;
    if (!a)
        return true;
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < count; i++) {
        if (!downloads[i])
            continue;
        ended = ended || downloads[i]->done;
        wait_list_add(&downloads[i]->waiters, w);
    }
    pthread_mutex_unlock(&a->lock);
    if (!ended)
        ok = wait_sleep(w, e);
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < count; i++)
        if (downloads[i])
            wait_list_remove(&downloads[i]->waiters, w);
    pthread_mutex_unlock(&a->lock);
    return ok;
}

struct mailbox_body *download_body(struct download *d, struct error *e)
{
    pthread_mutex_lock(&d->account->lock);
    struct mailbox_body *body = d->body ? mailbox_body_ref(d->body) : NULL;
    if (!body)
        *e = d->error;
    pthread_mutex_unlock(&d->account->lock);
    return body;
}

void download_leave(struct download **download)
{
    struct download *d = *download;
    *download = NULL;
    if (!d)
        return;
    struct mailbox_account *a = d->account;
    pthread_mutex_lock(&a->lock);
    bool last = --d->refs == 0;
    if (last && d->listed)
        table_remove(a->downloads, d->name);
    pthread_mutex_unlock(&a->lock);
    if (!last)
        return;
    /* No callback runs any more once the call is freed; not under the lock, which they take. */
    if (d->call)
        graph_call_free(&d->call);
    store_writer_abort(&d->writer);
    mailbox_body_unref(&d->body);
    wait_list_free(&d->waiters);
    free(d->graph_id);
    free(d->name);
    free(d);
}
