/* COPY, MOVE and EXPUNGE: messages on their way to another folder, or out (RFC 3501 sections 6.4.3
 * and 6.4.7, RFC 4315, RFC 6851). */
#include "commands.h"
#include "respond.h"

#include "postern/mailbox/transfer.h"
#include "postern/mailbox/tree.h"

#include <inttypes.h>

/* A UID and its separators take 11 bytes in each of the two sets. */
#define COPYUID_MAX ((size_t)64 * 1024 * 1024)

struct mailbox_folder *imap_open_target(struct imap_session *s, const struct imap_command *c,
                                        const struct imap_arg *arg)
{
    struct error e = ERROR_INIT;
    const char *name = imap_mailbox_name(s, c, arg);
    if (!name)
        return NULL;
    struct mailbox_folder *f = mailbox_tree_open(s->account, name, imap_wait(s), &e);
    if (!f)
        imap_fail_target(s, c, &e);
    return f;
}

void imap_fail_target(struct imap_session *s, const struct imap_command *c, const struct error *e)
{
    if (e->kind == ERROR_FOLDER_GONE)
        imap_no(s, c, "TRYCREATE", "there is no such folder, create it first");
    else
        imap_fail(s, c, e);
}

/* ---- COPYUID and APPENDUID ---- */

/* Appends a UID to a set that keeps its order: *last is the end of the run that is open at *from.
 */
static void end_run(struct buf *out, uint32_t from, uint32_t last)
{
    if (from == 0)
        return;
    buf_printf(out, "%s%" PRIu32, out->len ? "," : "", from);
    if (last > from)
        buf_printf(out, ":%" PRIu32, last);
}

void imap_put_uids(const uint32_t *uids, size_t count, struct buf *out)
{
    uint32_t from = 0, last = 0;
    struct buf set = BUF_INIT(COPYUID_MAX);
    for (size_t i = 0; i < count; i++) {
        if (from && uids[i] == last + 1) {
            last++;
            continue;
        }
        end_run(&set, from, last);
        from = last = uids[i];
    }
    end_run(&set, from, last);
    buf_append(out, buf_str(&set), set.len);
    buf_free(&set);
}

/* "COPYUID 7 1:3 11,13:14"; false: nothing is known to have arrived. */
static bool put_copyuid(struct imap_session *s, struct mailbox_folder *to,
                        const struct mailbox_transfer *done, size_t count, struct buf *out)
{
    uint32_t *from = arena_alloc(s->arena, (count + 1) * sizeof *from);
    uint32_t *there = arena_alloc(s->arena, (count + 1) * sizeof *there);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!done[i].to)
            continue;
        from[n] = done[i].from;
        there[n++] = done[i].to;
    }
    if (n == 0)
        return false;
    buf_printf(out, "COPYUID %" PRIu32 " ", mailbox_folder_uidvalidity(to));
    imap_put_uids(from, n, out);
    buf_putc(out, ' ');
    imap_put_uids(there, n, out);
    return !out->overflow;
}

/* ---- COPY and MOVE ---- */

/* Are all of them there still, as far as is known? */
static bool all_there(const struct imap_session *s, const struct imap_found *found)
{
    struct mailbox_view *now = mailbox_folder_view(s->selected->folder);
    size_t there = 0;
    while (there < found->count && mailbox_view_find(now, found->uids[there], NULL))
        there++;
    mailbox_view_unref(&now);
    return there == found->count;
}

static void transfer(struct imap_session *s, const struct imap_command *c, bool move)
{
    struct error e = ERROR_INIT;
    struct imap_found found;
    if (c->count != 2) {
        imap_bad(s, c, "%s takes a set of messages and a folder", c->verb->name);
        return;
    }
    if (!imap_find(s, c, &c->args[0], &found))
        return;
    /* UIDs that nothing has are passed over (RFC 3501 section 6.4.8), numbers all have something.
     */
    if (!move && !c->uid && !all_there(s, &found)) {
        imap_no(s, c, "EXPUNGEISSUED", "some of the messages are gone, nothing was copied");
        return;
    }
    struct mailbox_folder *to = imap_open_target(s, c, &c->args[1]);
    if (!to)
        return;
    struct buf code = BUF_INIT(COPYUID_MAX);
    struct mailbox_transfer *done = arena_alloc(s->arena, (found.count + 1) * sizeof *done);
    bool ok = (move ? mailbox_move : mailbox_copy)(s->selected->folder, found.uids, found.count, to,
                                                   done, imap_wait_to_end(s), &e);
    bool known = (ok || move) && put_copyuid(s, to, done, found.count, &code);
    if (known && move) /* RFC 6851 section 4.3: before the EXPUNGE responses */
        imap_untagged(s, "OK [%s] moved", buf_str(&code));
    if (ok)
        imap_done(s, c, known && !move ? buf_str(&code) : NULL, "%s completed", c->verb->name);
    else
        imap_fail_target(s, c, &e);
    buf_free(&code);
    mailbox_folder_release(&to);
}

void imap_copy(struct imap_session *s, const struct imap_command *c)
{
    transfer(s, c, false);
}

void imap_move(struct imap_session *s, const struct imap_command *c)
{
    transfer(s, c, true);
}

/* ---- EXPUNGE ---- */

uint32_t *imap_deleted_uids(struct imap_session *s, const struct imap_found *among, size_t *count)
{
    struct mailbox_view *view = imap_newest_view(s);
    size_t all = among ? among->count : mailbox_view_count(view);
    uint32_t *uids = arena_alloc(s->arena, (all + 1) * sizeof *uids);
    *count = 0;
    for (size_t i = 0; i < all; i++) {
        const struct mailbox_entry *m =
            among ? mailbox_view_find(view, among->uids[i], NULL) : mailbox_view_at(view, i);
        if (m && (m->flags & MAILBOX_DELETED))
            uids[(*count)++] = m->uid;
    }
    mailbox_view_unref(&view);
    return uids;
}

void imap_expunge(struct imap_session *s, const struct imap_command *c)
{
    struct error e = ERROR_INIT;
    struct mailbox_delete_result result;
    struct imap_found found;
    size_t count;
    if (c->count != (c->uid ? 1 : 0)) {
        imap_bad(s, c, c->uid ? "UID EXPUNGE takes a set of UIDs" : "EXPUNGE takes no arguments");
        return;
    }
    if (c->uid && !imap_find(s, c, &c->args[0], &found))
        return;
    uint32_t *uids = imap_deleted_uids(s, c->uid ? &found : NULL, &count);
    if (mailbox_expunge(s->selected->folder, uids, count, s->login->expunge, imap_wait_to_end(s),
                        &result, &e))
        imap_done(s, c, NULL, "%zu gone", result.deleted);
    else
        imap_fail(s, c, &e);
}
