#include "fake_mailbox.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/mailbox/account.h"
#include "postern/mailbox/view.h"
#include "postern/mime/crlf.h"

#include <stdlib.h>
#include <string.h>

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
struct mailbox_view {
    struct mailbox_entry entries[FAKE_MAX];
};
struct mailbox_body {
    const struct fake_message *message;
};

static struct mailbox_account the_account;
static struct mailbox_folder the_folder;

void fake_reset(void)
{
    memset(&fake, 0, sizeof fake);
}

struct fake_message *fake_add(const char *text)
{
    struct fake_message *m = &fake.messages[fake.count++];
    *m = (struct fake_message){.text = text, .uid = (uint32_t)(fake.count * 10)};
    return m;
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

static struct fake_message *find(uint32_t uid)
{
    for (size_t i = 0; i < fake.count; i++) {
        if (fake.messages[i].uid == uid)
            return &fake.messages[i];
    }
    return NULL;
}

/* True: this call is to fail. */
static bool fails(const struct error *wanted, struct error *e)
{
    if (wanted->kind == ERROR_NONE)
        return false;
    *e = *wanted;
    return true;
}

struct mailbox_account *mailbox_account_get(struct mailbox_registry *r, const struct principal *who,
                                            const char *mailbox, struct error *e)
{
    (void)r;
    (void)who;
    (void)mailbox;
    if (fails(&fake.account_error, e))
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

struct mailbox_folder *mailbox_folder_open(struct mailbox_account *a, const char *path,
                                           struct wait *w, struct error *e)
{
    (void)a;
    (void)path;
    (void)w;
    if (fails(&fake.folder_error, e))
        return NULL;
    fake.open_references++;
    return &the_folder;
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
    (void)w;
    fake.syncs++;
    fake.synced_read_only = read_only;
    if (fails(&fake.sync_error, e))
        return false;
    fake.never_synced = false;
    return true;
}

struct mailbox_view *mailbox_folder_view(struct mailbox_folder *f)
{
    (void)f;
    if (fake.never_synced)
        return NULL;
    struct mailbox_view *v = xcalloc(1, sizeof *v);
    for (size_t i = 0; i < fake.count; i++) {
        const struct fake_message *m = &fake.messages[i];
        struct mailbox_entry *to = &v->entries[i];
        to->uid = m->uid;
        to->received_ms = m->received_ms;
        to->size = m->size ? m->size : (int64_t)wire_size(m->text);
        to->size_exact = m->size == 0;
        sha256(&m->uid, sizeof m->uid, to->digest);
    }
    fake.open_references++;
    return v;
}

void mailbox_view_unref(struct mailbox_view **v)
{
    if (*v)
        fake.open_references--;
    free(*v);
    *v = NULL;
}

size_t mailbox_view_count(const struct mailbox_view *v)
{
    (void)v;
    return fake.count;
}

const struct mailbox_entry *mailbox_view_at(const struct mailbox_view *v, size_t index)
{
    return &v->entries[index];
}

const struct mailbox_entry *mailbox_view_find(const struct mailbox_view *v, uint32_t uid,
                                              size_t *index)
{
    for (size_t i = 0; i < fake.count; i++) {
        if (v->entries[i].uid == uid) {
            if (index)
                *index = i;
            return &v->entries[i];
        }
    }
    return NULL;
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
    struct fake_message *m = find(uid);
    (void)r;
    (void)w;
    fake.body_fetches++;
    if (fails(&fake.body_error, e))
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
    if (fails(&fake.sizes_error, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct fake_message *m = find(uids[i]);
        sizes[i] = m && m->text ? (int64_t)wire_size(m->text) : -1;
        fake.sizes_fetched++;
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

uint64_t mailbox_body_raw_size(const struct mailbox_body *b)
{
    return strlen(b->message->text);
}

ssize_t mailbox_body_read(const struct mailbox_body *b, uint64_t offset, void *out, size_t len,
                          struct error *e)
{
    uint64_t size = mailbox_body_raw_size(b);
    if (b->message->breaks_at && offset + len > b->message->breaks_at) {
        error_set(e, ERROR_LOCAL, "the disk broke");
        return -1;
    }
    if (offset >= size)
        return 0;
    if (len > size - offset)
        len = (size_t)(size - offset);
    memcpy(out, b->message->text + offset, len);
    return (ssize_t)len;
}

bool mailbox_delete(struct mailbox_folder *f, const uint32_t *uids, size_t count,
                    enum config_expunge how, struct wait *w, struct mailbox_delete_result *result,
                    struct error *e)
{
    (void)f;
    (void)how;
    fake.delete_client_fd = w->client_fd;
    for (size_t i = fake.delete_failures; i < count; i++)
        fake.deleted[fake.deleted_count++] = uids[i];
    result->failed = fake.delete_failures < count ? fake.delete_failures : count;
    result->deleted = count - result->failed;
    return !result->failed || !fails(&fake.delete_error, e);
}
