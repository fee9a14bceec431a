/* Appended messages among the others: what was told of them holds whatever Graph shows. */
#include "internal.h"

#include "postern/base/clock.h"
#include "postern/store/original.h"

/* Flags that Graph keeps one of, and a message may bear both. */
#define KEPT_FLAGS (MAILBOX_ANSWERED | MAILBOX_FORWARDED)

/* A draft keeps its id when it is sent, and is another message then, edited before perhaps. */
static bool was_sent(const struct row *r, const struct store_original *original)
{
    return original->draft && !mailbox_is_draft(r->flags) && r->modseq == 0;
}

bool original_apply(struct mailbox_folder *f, struct row *r, struct error *e)
{
    struct store_original original;
    struct store_db *db = f->account->db;
    if (r->edited) { /* what was appended is no longer what is there */
        if (r->flags & MAILBOX_DRAFT_CONTRARY)
            r->flags ^= ROW_DRAFT;
        return store_original_drop(db, r->id, e);
    }
    int found = store_original_find(db, r->id, &original, e);
    if (found != 1)
        return found == 0;
    if (was_sent(r, &original))
        return store_original_drop(db, r->id, e);
    bool is_draft = mailbox_is_draft(r->flags);
    if (is_draft && !original.draft && !store_original_is_draft(db, r->id, e))
        return false;
    if (original.received_ms != INT64_MIN)
        r->received_ms = original.received_ms;
    if (is_draft && ((r->flags ^ original.flags) & MAILBOX_DRAFT))
        r->flags ^= ROW_DRAFT;
    if (r->modseq == 0) { /* its first row here: we have just written it */
        r->written = clock_wall_ms();
        if (r->flags & KEPT_FLAGS)
            r->flags |= original.flags & KEPT_FLAGS;
    }
    if (r->size < 0)
        r->size = original.size;
    return true;
}
