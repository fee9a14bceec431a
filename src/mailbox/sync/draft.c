/* \Draft in a message's new folder: Graph does not know what clients said of it. */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"
#include "postern/mailbox/flags.h"

#include <stdlib.h>

/* The UIDs, in the new folder, of messages of which clients said `told` contrary to Graph. */
static size_t choose(const struct mailbox_view *before, const struct mailbox_transfer *moved,
                     size_t count, uint32_t told, uint32_t *uids)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const struct mailbox_entry *was = mailbox_view_find(before, moved[i].from, NULL);
        if (was && moved[i].to && (was->flags & MAILBOX_DRAFT_CONTRARY) &&
            (was->flags & MAILBOX_DRAFT) == told)
            uids[n++] = moved[i].to;
    }
    return n;
}

void draft_carry(const struct mailbox_view *before, struct mailbox_folder *to,
                 const struct mailbox_transfer *moved, size_t count, struct wait *w)
{
    static const struct {
        uint32_t told;
        enum mailbox_flag_op op;
    } words[] = {{MAILBOX_DRAFT, MAILBOX_FLAGS_ADD}, {0, MAILBOX_FLAGS_REMOVE}};
    uint32_t *uids = xcalloc(count + 1, sizeof *uids);
    enum mailbox_outcome *outcomes = xcalloc(count + 1, sizeof *outcomes);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const struct mailbox_flag_change change = {
            .op = words[i].op, .flags = MAILBOX_DRAFT, .keywords = ""};
        struct error e = ERROR_INIT;
        size_t n = choose(before, moved, count, words[i].told, uids);
        if (n && !mailbox_store(to, uids, n, &change, MAILBOX_ANY_MODSEQ, outcomes, w, &e))
            log_error_value(LOG_LEVEL_WARNING, &e, "cannot keep what is told as a draft in %s",
                            to->path);
    }
    free(outcomes);
    free(uids);
}
