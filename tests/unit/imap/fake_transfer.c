/* The fake mailbox's part of mailbox/transfer.h. */
#include "fake_mailbox.h"

#include "postern/base/alloc.h"
#include "postern/mailbox/transfer.h"

#include <stdlib.h>
#include <string.h>

struct mailbox_upload {
    struct buf *bytes;
};

bool mailbox_expunge(struct mailbox_folder *f, const uint32_t *uids, size_t count,
                     enum config_expunge how, struct wait *w, struct mailbox_delete_result *result,
                     struct error *e)
{
    (void)f;
    (void)how;
    fake.expunge_client_fd = w->client_fd;
    if (fake_fails(&fake.expunge_error, e)) {
        *result = (struct mailbox_delete_result){.failed = count};
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        fake.expunged[fake.expunged_count++] = uids[i];
        fake_remove(uids[i]);
    }
    *result = (struct mailbox_delete_result){.deleted = count};
    fake_publish();
    return true;
}

struct mailbox_upload *mailbox_upload_new(struct mailbox_account *a, struct error *e)
{
    (void)a;
    if (fake_fails(&fake.upload_error, e))
        return NULL;
    struct mailbox_upload *u = xcalloc(1, sizeof *u);
    u->bytes = &fake.uploads[fake.upload_count++ % FAKE_UPLOADS_MAX];
    buf_free(u->bytes);
    buf_init(u->bytes, FAKE_UPLOAD_MAX);
    fake.open_references++;
    return u;
}

bool mailbox_upload_write(struct mailbox_upload *u, const void *data, size_t len, struct error *e)
{
    return !fake_fails(&fake.write_error, e) && buf_append(u->bytes, data, len);
}

void mailbox_upload_free(struct mailbox_upload **u)
{
    if (*u)
        fake.open_references--;
    free(*u);
    *u = NULL;
}

bool mailbox_upload_has_nul(const struct mailbox_upload *u)
{
    return u->bytes->len && memchr(u->bytes->data, '\0', u->bytes->len);
}

bool mailbox_append(struct mailbox_folder *to, const struct mailbox_append *items, size_t count,
                    enum config_append how, uint32_t *uids, struct wait *w, struct error *e)
{
    (void)to;
    (void)how;
    (void)w;
    if (fake_fails(&fake.append_error, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct fake_message *m = fake_add(buf_str(items[i].upload->bytes));
        m->flags = items[i].flags;
        if (items[i].date_ms != INT64_MIN)
            m->received_ms = items[i].date_ms;
        uids[i] = m->uid;
    }
    fake_publish();
    return true;
}

bool mailbox_copy(struct mailbox_folder *from, const uint32_t *uids, size_t count,
                  struct mailbox_folder *to, struct mailbox_transfer *out, struct wait *w,
                  struct error *e)
{
    (void)from;
    (void)to;
    (void)w;
    (void)e;
    for (size_t i = 0; i < count; i++) {
        struct fake_message *m = fake_find(uids[i]);
        out[i] = (struct mailbox_transfer){.from = uids[i]};
        if (m)
            out[i].to = fake_add(m->text)->uid;
    }
    fake_publish();
    return true;
}

bool mailbox_move(struct mailbox_folder *from, const uint32_t *uids, size_t count,
                  struct mailbox_folder *to, struct mailbox_transfer *out, struct wait *w,
                  struct error *e)
{
    bool ok = mailbox_copy(from, uids, count, to, out, w, e);
    for (size_t i = 0; i < count; i++)
        fake_remove(uids[i]);
    fake_publish();
    return ok;
}
