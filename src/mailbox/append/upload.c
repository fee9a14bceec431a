#include "upload.h"

#include "internal.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct mailbox_upload *mailbox_upload_new(struct mailbox_account *a, struct error *e)
{
    struct store_spool *spool = store_spool_new(a->db, e);
    if (!spool)
        return NULL;
    struct mailbox_upload *u = xcalloc(1, sizeof *u);
    u->account = account_ref(a);
    u->spool = spool;
    return u;
}

bool mailbox_upload_write(struct mailbox_upload *u, const void *data, size_t len, struct error *e)
{
    u->has_nul = u->has_nul || (len && memchr(data, '\0', len));
    return store_spool_append(u->spool, data, len, e);
}

bool mailbox_upload_has_nul(const struct mailbox_upload *u)
{
    return u->has_nul;
}

void mailbox_upload_free(struct mailbox_upload **upload)
{
    struct mailbox_upload *u = *upload;
    *upload = NULL;
    if (!u)
        return;
    store_spool_free(&u->spool);
    mailbox_account_release(&u->account);
    free(u);
}
