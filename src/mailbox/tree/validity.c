/*
 * UIDVALIDITY by name (RFC 3501 section 2.3.1.1): for one name it only ever rises, also when the
 * folder behind the name is another one than before (deleted and made again, renamed over).
 */
#include "tree_keep.h"

#include "postern/base/clock.h"
#include "postern/store/tree_db.h"

#include <stdlib.h>
#include <string.h>

int validity_for(struct mailbox_account *a, const char *name, const char *graph_id,
                 uint32_t *uidvalidity, struct error *e)
{
    uint32_t before, now = (uint32_t)(clock_wall_ms() / CLOCK_SECOND);
    char *owner;
    int found = store_validity_get(a->db, name, &owner, &before, e);
    bool ours = found == 1 && strcmp(owner, graph_id) == 0;
    bool rises = found == 0 || *uidvalidity > before || (ours && *uidvalidity == before);
    free(owner);
    if (found >= 0 && !rises)
        *uidvalidity = now > before ? now : before + 1;
    bool known = ours && *uidvalidity == before;
    if (found < 0 || (!known && !store_validity_set(a->db, name, graph_id, *uidvalidity, e))) {
        account_check(a);
        return -1;
    }
    return rises ? 0 : 1;
}

bool validity_claim(struct mailbox_folder *f, const char *name, struct error *e)
{
    uint32_t uidvalidity = mailbox_folder_uidvalidity(f);
    int changed = validity_for(f->account, name, f->graph_id, &uidvalidity, e);
    return changed == 0 || (changed == 1 && folder_set_validity(f, uidvalidity, e));
}
