/* Appended messages among the others: what was told of them holds whatever Graph shows. */
#include "internal.h"

#include "postern/store/original.h"

/* Flags that Graph keeps one of, and a message may bear both. */
#define KEPT_FLAGS (MAILBOX_ANSWERED | MAILBOX_FORWARDED)

bool original_apply(struct mailbox_folder *f, struct row *r, struct error *e)
{
    struct store_original original;
    struct store_db *db = f->account->db;
    if (r->edited) /* what was appended is no longer what is there */
        return store_original_drop(db, r->id, e);
    int found = store_original_find(db, r->id, &original, e);
    if (found != 1)
        return found == 0;
    if (original.received_ms != INT64_MIN)
        r->received_ms = original.received_ms;
    if (!(original.flags & MAILBOX_DRAFT))
        r->flags &= ~MAILBOX_DRAFT;
    if (r->modseq == 0) /* its first row */
        r->flags |= original.flags & KEPT_FLAGS;
    if (r->size < 0)
        r->size = original.size;
    return true;
}
