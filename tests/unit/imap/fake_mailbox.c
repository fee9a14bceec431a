#include "fake_mailbox.h"

#include "change/keywords.h"
#include "sync/view_build.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/mailbox/facts.h"
#include "postern/mailbox/flags.h"
#include "postern/mailbox/tree.h"
#include "postern/mime/crlf.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WIRE_LIMIT ((size_t)64 * 1024 * 1024)

struct fake_mailbox fake;

struct mailbox_account {
    int unused;
};
struct mailbox_folder {
    int unused;
};
struct mailbox_reader {
    int unused;
};
struct mailbox_body {
    const struct fake_message *message;
};

static struct mailbox_account the_account;
static struct mailbox_folder the_folder;

/* Guards what is published and who watches; the table itself is the test's. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mailbox_view *newest;
static uint64_t newest_modseq;
static uint32_t newest_uidnext;
static struct wait *watcher;

void fake_reset(void)
{
    for (size_t i = 0; i < FAKE_UPLOADS_MAX; i++)
        buf_free(&fake.uploads[i]);
    memset(&fake, 0, sizeof fake);
    fake.uidnext = 1;
    fake.recent_from = 1;
    mailbox_view_unref(&newest);
}

struct fake_message *fake_add(const char *text)
{
    struct fake_message *m = &fake.messages[fake.count++];
    *m = (struct fake_message){.text = text, .uid = fake.uidnext++, .modseq = ++fake.modseq};
    return m;
}

struct fake_message *fake_find(uint32_t uid)
{
    for (size_t i = 0; i < fake.count; i++) {
        if (fake.messages[i].uid == uid)
            return &fake.messages[i];
    }
    return NULL;
}

void fake_remove(uint32_t uid)
{
    struct fake_message *m = fake_find(uid);
    if (!m)
        return;
    size_t after = (size_t)(fake.messages + fake.count - (m + 1));
    memmove(m, m + 1, after * sizeof *m);
    fake.count--;
    fake.modseq++;
}

static uint64_t wire_size(const char *text)
{
    struct mime_crlf crlf;
    struct buf wire = BUF_INIT(WIRE_LIMIT);
    mime_crlf_init(&crlf, false);
    mime_crlf_feed(&crlf, text, strlen(text), &wire);
    mime_crlf_end(&crlf, &wire);
    buf_free(&wire);
    return crlf.octets;
}

static struct mailbox_view *build(void)
{
    struct view_builder *b = view_builder_new();
    for (size_t i = 0; i < fake.count; i++) {
        const struct fake_message *m = &fake.messages[i];
        struct mailbox_entry entry = {.uid = m->uid,
                                      .flags = m->flags,
                                      .keywords = m->keywords,
                                      .received_ms = m->received_ms,
                                      .modseq = m->modseq,
                                      .size = m->text ? (int64_t)wire_size(m->text) : -1,
                                      .size_exact = m->text != NULL};
        if (m->estimate) {
            entry.size = m->estimate;
            entry.size_exact = false;
        }
        sha256(&m->uid, sizeof m->uid, entry.digest);
        view_builder_add(b, &entry);
    }
    return view_builder_finish(&b);
}

static void publish_locked(void)
{
    newest = build();
    newest_modseq = fake.modseq;
    newest_uidnext = fake.uidnext;
}

void fake_publish(void)
{
    pthread_mutex_lock(&lock);
    struct mailbox_view *old = newest;
    publish_locked();
    if (watcher)
        wait_notify(watcher);
    pthread_mutex_unlock(&lock);
    mailbox_view_unref(&old);
}

bool fake_fails(const struct error *wanted, struct error *e)
{
    if (wanted->kind == ERROR_NONE)
        return false;
    *e = *wanted;
    return true;
}

/* ---- account.h ---- */

struct mailbox_account *mailbox_account_get(struct mailbox_registry *r, const struct principal *who,
                                            const char *mailbox, struct error *e)
{
    (void)r;
    (void)who;
    (void)mailbox;
    if (fake_fails(&fake.account_error, e))
        return NULL;
    fake.open_references++;
    return &the_account;
}

void mailbox_account_release(struct mailbox_account **a)
{
    if (*a)
        fake.open_references--;
    *a = NULL;
}

void mailbox_folder_release(struct mailbox_folder **f)
{
    if (*f)
        fake.open_references--;
    *f = NULL;
}

bool mailbox_folder_sync(struct mailbox_folder *f, bool read_only, struct wait *w, struct error *e)
{
    (void)f;
    fake.syncs++;
    fake.synced_read_only = read_only;
    for (unsigned i = 0; i < fake.sync_ticks; i++) {
        clock_test_set(clock_mono_ms() + 10 * CLOCK_SECOND, 0);
        w->tick(w->tick_arg);
    }
    return !fake_fails(&fake.sync_error, e);
}

struct mailbox_view *mailbox_folder_view(struct mailbox_folder *f)
{
    (void)f;
    pthread_mutex_lock(&lock);
    if (!newest)
        publish_locked();
    struct mailbox_view *v = mailbox_view_ref(newest);
    pthread_mutex_unlock(&lock);
    return v;
}

uint32_t mailbox_folder_uidvalidity(struct mailbox_folder *f)
{
    (void)f;
    return FAKE_UIDVALIDITY;
}

uint32_t mailbox_folder_uidnext(struct mailbox_folder *f)
{
    (void)f;
    pthread_mutex_lock(&lock);
    uint32_t uidnext = newest_uidnext;
    pthread_mutex_unlock(&lock);
    return uidnext;
}

struct mailbox_reader *mailbox_reader_new(struct mailbox_folder *f)
{
    (void)f;
    fake.open_references++;
    return xcalloc(1, sizeof(struct mailbox_reader));
}

void mailbox_reader_free(struct mailbox_reader **r)
{
    if (*r)
        fake.open_references--;
    free(*r);
    *r = NULL;
}

void mailbox_reader_sequence(struct mailbox_reader *r, const uint32_t *uids, size_t count)
{
    (void)r;
    (void)uids;
    (void)count;
}

struct mailbox_body *mailbox_reader_body(struct mailbox_reader *r, uint32_t uid, struct wait *w,
                                         struct error *e)
{
    struct fake_message *m = fake_find(uid);
    (void)r;
    (void)w;
    fake.bodies_asked++;
    if (fake_fails(&fake.body_error, e))
        return NULL;
    if (!m || !m->text) {
        error_set(e, ERROR_GONE, "no such message");
        return NULL;
    }
    struct mailbox_body *b = xcalloc(1, sizeof *b);
    b->message = m;
    fake.open_references++;
    return b;
}

bool mailbox_reader_sizes(struct mailbox_reader *r, const uint32_t *uids, size_t count,
                          int64_t *sizes, struct wait *w, struct error *e)
{
    (void)r;
    (void)w;
    (void)e;
    for (size_t i = 0; i < count; i++) {
        struct fake_message *m = fake_find(uids[i]);
        sizes[i] = m && m->text ? (int64_t)wire_size(m->text) : -1;
        fake.sizes_asked++;
    }
    return true;
}

void mailbox_body_unref(struct mailbox_body **b)
{
    if (*b)
        fake.open_references--;
    free(*b);
    *b = NULL;
}

uint64_t mailbox_body_wire_size(const struct mailbox_body *b)
{
    return wire_size(b->message->text);
}

uint64_t mailbox_body_literal_size(const struct mailbox_body *b)
{
    return wire_size(b->message->text);
}

uint64_t mailbox_body_raw_size(const struct mailbox_body *b)
{
    return strlen(b->message->text);
}

ssize_t mailbox_body_read(const struct mailbox_body *b, uint64_t offset, void *out, size_t len,
                          struct error *e)
{
    uint64_t size = mailbox_body_raw_size(b);
    (void)e;
    if (offset >= size)
        return 0;
    if (len > size - offset)
        len = (size_t)(size - offset);
    memcpy(out, b->message->text + offset, len);
    return (ssize_t)len;
}

/* ---- tree.h ---- */

struct mailbox_folder *mailbox_tree_open(struct mailbox_account *a, const char *name,
                                         struct wait *w, struct error *e)
{
    (void)a;
    (void)w;
    if (fake_fails(&fake.folder_error, e))
        return NULL;
    if (strcmp(name, "INBOX") != 0) {
        error_set(e, ERROR_FOLDER_GONE, "there is no folder \"%s\"", name);
        return NULL;
    }
    fake.open_references++;
    return &the_folder;
}

void mailbox_folder_digest(struct mailbox_folder *f, uint8_t digest[SHA256_SIZE])
{
    (void)f;
    memset(digest, 0, SHA256_SIZE);
}

/* ---- flags.h ---- */

static void store_keywords(struct fake_message *m, const struct mailbox_flag_change *change)
{
    char *now = keywords_change(m->keywords ? m->keywords : "", change->op, change->keywords);
    snprintf(m->stored, sizeof m->stored, "%s", now);
    m->keywords = m->stored;
    free(now);
}

static enum mailbox_outcome store_one(uint32_t uid, const struct mailbox_flag_change *change,
                                      uint64_t unchanged_since)
{
    struct fake_message *m = fake_find(uid);
    if (!m)
        return MAILBOX_GONE;
    if (m->modseq > unchanged_since)
        return MAILBOX_MODIFIED;
    if (uid == fake.store_refused)
        return MAILBOX_FAILED;
    if (change->op == MAILBOX_FLAGS_REMOVE)
        m->flags &= ~change->flags;
    else
        m->flags = change->flags | (change->op == MAILBOX_FLAGS_ADD ? m->flags : 0);
    m->flags |= fake.store_others;
    store_keywords(m, change);
    m->modseq = ++fake.modseq;
    return MAILBOX_DONE;
}

bool mailbox_store(struct mailbox_folder *f, const uint32_t *uids, size_t count,
                   const struct mailbox_flag_change *change, uint64_t unchanged_since,
                   enum mailbox_outcome *outcomes, struct wait *w, struct error *e)
{
    bool ok = true;
    (void)f;
    fake.store_client_fd = w->client_fd;
    for (size_t i = 0; i < count; i++) {
        outcomes[i] = store_one(uids[i], change, unchanged_since);
        ok = ok && outcomes[i] != MAILBOX_FAILED;
    }
    if (!ok)
        *e = fake.write_error;
    fake_publish();
    return ok;
}

void mailbox_watch(struct mailbox_folder *f, bool read_only, struct wait *w)
{
    (void)f;
    (void)read_only;
    pthread_mutex_lock(&lock);
    watcher = w;
    fake.watches++;
    pthread_mutex_unlock(&lock);
}

void mailbox_unwatch(struct mailbox_folder *f, struct wait *w)
{
    (void)f;
    (void)w;
    pthread_mutex_lock(&lock);
    watcher = NULL;
    pthread_mutex_unlock(&lock);
}

bool mailbox_folder_refresh(struct mailbox_folder *f, bool read_only, struct wait *w,
                            struct error *e)
{
    (void)f;
    (void)read_only;
    (void)w;
    fake.refreshes++;
    if (fake_fails(&fake.refresh_error, e))
        return false;
    fake_publish();
    return true;
}

void mailbox_folder_recent(struct mailbox_folder *f, bool claim, uint32_t *from, uint32_t *to)
{
    *from = fake.recent_from;
    *to = mailbox_folder_uidnext(f);
    fake.claimed = claim;
    if (claim)
        fake.recent_from = *to;
}

uint64_t mailbox_folder_modseq(struct mailbox_folder *f)
{
    (void)f;
    pthread_mutex_lock(&lock);
    if (!newest)
        publish_locked();
    uint64_t modseq = newest_modseq;
    pthread_mutex_unlock(&lock);
    return modseq;
}

bool mailbox_note_told_sizes(struct mailbox_folder *f, const uint32_t *uids, const uint32_t *sizes,
                             size_t count, struct error *e)
{
    (void)f;
    (void)uids;
    (void)sizes;
    (void)count;
    (void)e;
    return true;
}

/* ---- facts.h: nothing is remembered ---- */

int mailbox_fact_get(struct mailbox_folder *f, uint32_t uid, enum mailbox_fact fact,
                     struct buf *out, struct error *e)
{
    (void)f;
    (void)uid;
    (void)fact;
    (void)out;
    (void)e;
    return 0;
}

bool mailbox_fact_put(struct mailbox_folder *f, uint32_t uid, enum mailbox_fact fact,
                      const void *data, size_t len, struct error *e)
{
    (void)f;
    (void)uid;
    (void)fact;
    (void)data;
    (void)len;
    (void)e;
    return true;
}

bool mailbox_email_of(struct mailbox_account *a, const uint8_t digest[SHA256_SIZE],
                      uint8_t email[SHA256_SIZE], struct error *e)
{
    uint8_t copy[SHA256_SIZE];
    (void)a;
    (void)e;
    sha256(&fake.copy, sizeof fake.copy, copy);
    memcpy(email, digest, SHA256_SIZE);
    if (memcmp(digest, copy, SHA256_SIZE) == 0)
        sha256(&fake.copied, sizeof fake.copied, email);
    return true;
}

static int by_digest(const void *a, const void *b)
{
    return memcmp(a, b, SHA256_SIZE);
}

bool mailbox_email_bearers(struct mailbox_account *a, const uint8_t email[SHA256_SIZE],
                           struct buf *digests, struct error *e)
{
    for (size_t i = 0; i < fake.count; i++) {
        uint8_t digest[SHA256_SIZE], told[SHA256_SIZE];
        sha256(&fake.messages[i].uid, sizeof fake.messages[i].uid, digest);
        mailbox_email_of(a, digest, told, e);
        if (memcmp(told, email, SHA256_SIZE) == 0)
            buf_append(digests, digest, SHA256_SIZE);
    }
    if (digests->len)
        qsort(digests->data, digests->len / SHA256_SIZE, SHA256_SIZE, by_digest);
    return true;
}

static size_t header_length(const char *text)
{
    const char *blank = strstr(text, "\r\n\r\n");
    return blank ? (size_t)(blank - text) + 4 : strlen(text);
}

bool mailbox_reader_headers(struct mailbox_reader *r, enum mailbox_headers what,
                            const uint32_t *uids, size_t count,
                            bool (*fn)(void *arg, uint32_t uid, const char *block, size_t len),
                            void *arg, struct wait *w, struct error *e)
{
    (void)what;
    (void)r;
    (void)w;
    if (fake_fails(&fake.headers_error, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct fake_message *m = fake_find(uids[i]);
        const char *text = m ? m->text : NULL;
        fake.headers_asked++;
        if (!fn(arg, uids[i], text, text ? header_length(text) : 0))
            return false;
    }
    return true;
}

int mailbox_reader_known_header(struct mailbox_reader *r, uint32_t uid, struct buf *out,
                                struct error *e)
{
    (void)r;
    (void)uid;
    (void)out;
    (void)e;
    return 0;
}

bool mailbox_reader_has_body(struct mailbox_reader *r, uint32_t uid)
{
    const struct fake_message *m = fake_find(uid);
    (void)r;
    return m && m->cached;
}
