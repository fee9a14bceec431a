/* Opening and leaving folders: SELECT, EXAMINE, UNSELECT, CLOSE. */
#include "commands.h"
#include "respond.h"
#include "utf7.h"

#include "postern/base/alloc.h"
#include "postern/base/table.h"
#include "postern/mailbox/flags.h"
#include "postern/mailbox/transfer.h"
#include "postern/mailbox/tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#define NAME_MAX_OCTETS  ((size_t)64 * 1024)
#define FLAGS_MAX_OCTETS ((size_t)256 * 1024)

const char *imap_mailbox_name(struct imap_session *s, const struct imap_command *c,
                              const struct imap_arg *arg)
{
    const char *text = imap_arg_astring(arg);
    struct buf name = BUF_INIT(NAME_MAX_OCTETS);
    if (!text) {
        imap_bad(s, c, "the name of a folder is missing");
        return NULL;
    }
    if (strcasecmp(text, "INBOX") == 0)
        return "INBOX";
    bool ok = imap_utf7_decode(text, &name);
    const char *utf8 = ok ? arena_strndup(s->arena, buf_str(&name), name.len) : NULL;
    buf_free(&name);
    if (!ok)
        imap_no(s, c, "CANNOT", "that name is not in modified UTF-7 (RFC 3501 section 5.1.3)");
    return utf8;
}

bool imap_find(struct imap_session *s, const struct imap_command *c, const struct imap_arg *arg,
               struct imap_found *found)
{
    struct imap_set set;
    if (arg->type != IMAP_ARG_ATOM || !imap_set_parse(arg->text, s->arena, &set)) {
        imap_bad(s, c, "a set of message numbers is missing, such as 1:5,7");
        return false;
    }
    if (c->uid) {
        imap_set_find_uids(&set, s->selected->view, s->arena, found);
    } else if (!imap_set_find(&set, s->selected->view, s->arena, found)) {
        imap_bad(s, c, "invalid messageset: there is no such message, there are %zu",
                 mailbox_view_count(s->selected->view));
        return false;
    }
    return true;
}

static bool free_keyword(void *arg, const char *key, void *value)
{
    (void)arg, (void)key;
    free(value);
    return true;
}

void imap_unselect(struct imap_session *s)
{
    struct imap_selected *sel = s->selected;
    s->selected = NULL;
    if (!sel)
        return;
    imap_fetch_forget(s);
    mailbox_reader_free(&sel->reader);
    mailbox_view_unref(&sel->view);
    mailbox_view_unref(&sel->whole);
    mailbox_folder_release(&sel->folder);
    table_each(sel->keywords, free_keyword, NULL);
    table_free(&sel->keywords);
    free(sel->name);
    free(sel->recent);
    free(sel);
}

static void tell_modseq(struct imap_session *s)
{
    imap_untagged(s, "OK [HIGHESTMODSEQ %" PRIu64 "] highest", s->selected->modseq);
}

void imap_condstore(struct imap_session *s)
{
    s->enabled |= IMAP_ENABLED_CONDSTORE;
    if (!s->selected || s->selected->condstore)
        return;
    s->selected->condstore = true;
    tell_modseq(s);
}

/* ---- SELECT and EXAMINE ---- */

static struct imap_selected *open_folder(struct imap_session *s, const char *name, bool read_only,
                                         struct error *e)
{
    struct wait *w = imap_wait(s);
    struct mailbox_folder *folder = mailbox_tree_open(s->account, name, w, e);
    struct mailbox_view *whole = NULL;
    uint64_t modseq = 0;
    uint32_t uidnext = 0;
    if (folder && mailbox_folder_sync(folder, read_only, w, e)) {
        /* Before the view, so that they are not above what comes after it. */
        modseq = mailbox_folder_modseq(folder);
        uidnext = mailbox_folder_uidnext(folder);
        whole = mailbox_folder_view(folder);
    }
    if (!whole) {
        mailbox_folder_release(&folder);
        return NULL;
    }
    struct imap_selected *sel = xcalloc(1, sizeof *sel);
    sel->folder = folder;
    sel->whole = whole;
    sel->view = mailbox_view_since(whole, s->login->serve_since_ms);
    sel->reader = mailbox_reader_new(folder);
    sel->name = xstrdup(name);
    sel->read_only = read_only;
    sel->modseq = modseq;
    size_t count = mailbox_view_count(whole);
    uint32_t last = count ? mailbox_view_at(whole, count - 1)->uid : 0;
    sel->uidnext = uidnext > last ? uidnext : last + 1;
    sel->keywords = table_new();
    sel->condstore = s->enabled & IMAP_ENABLED_CONDSTORE;
    return sel;
}

static void tell_flags(struct imap_session *s)
{
    struct buf settable = BUF_INIT(FLAGS_MAX_OCTETS);
    imap_tell_flags(s);
    if (s->selected->read_only)
        buf_puts(&settable, "()");
    else
        imap_put_all_flags(s, true, &settable);
    imap_untagged(s, "OK [PERMANENTFLAGS %s] these are kept", buf_str(&settable));
    buf_free(&settable);
}

static void tell_first_unseen(struct imap_session *s)
{
    const struct mailbox_view *view = s->selected->view;
    size_t count = mailbox_view_count(view);
    for (size_t i = 0; i < count; i++) {
        if (!(mailbox_view_at(view, i)->flags & MAILBOX_SEEN)) {
            imap_untagged(s, "OK [UNSEEN %zu] the first one not seen", i + 1);
            return;
        }
    }
}

static void tell_folder(struct imap_session *s)
{
    struct imap_selected *sel = s->selected;
    uint8_t digest[SHA256_SIZE];
    struct buf id = BUF_INIT(256);
    tell_flags(s);
    imap_tell_count(s);
    tell_first_unseen(s);
    imap_untagged(s, "OK [UIDVALIDITY %" PRIu32 "] UIDs are valid",
                  mailbox_folder_uidvalidity(sel->folder));
    imap_untagged(s, "OK [UIDNEXT %" PRIu32 "] the next UID", sel->uidnext);
    tell_modseq(s);
    mailbox_folder_digest(sel->folder, digest);
    imap_put_object_id(&id, 'F', digest);
    imap_untagged(s, "OK [MAILBOXID (%s)] the same wherever it is moved", buf_str(&id));
    buf_free(&id);
}

/* RFC 7162 section 3.1.8 and RFC 4466 section 2.1: "(CONDSTORE)". */
static bool read_parameters(struct imap_session *s, const struct imap_command *c)
{
    const struct imap_arg *list = &c->args[1];
    bool ok = c->count == 1 || (c->count == 2 && list->type == IMAP_ARG_LIST && list->count > 0);
    for (size_t i = 0; ok && c->count == 2 && i < list->count; i++)
        ok = imap_arg_is_atom(&list->list[i], "CONDSTORE");
    if (!ok)
        imap_bad(s, c, "%s takes a folder's name and perhaps (CONDSTORE)", c->verb->name);
    else if (c->count == 2)
        s->enabled |= IMAP_ENABLED_CONDSTORE;
    return ok;
}

static void select_folder(struct imap_session *s, const struct imap_command *c, bool examine)
{
    struct error e = ERROR_INIT;
    if (!read_parameters(s, c))
        return;
    /* RFC 3501 section 6.3.1: a SELECT that fails leaves none selected. */
    if (s->selected)
        imap_untagged(s, "OK [CLOSED] the folder before is closed");
    imap_unselect(s);
    const char *name = imap_mailbox_name(s, c, &c->args[0]);
    if (!name)
        return;
    struct imap_selected *sel = open_folder(s, name, examine || s->login->read_only, &e);
    if (!sel) {
        imap_fail(s, c, &e);
        return;
    }
    s->selected = sel;
    tell_folder(s);
    imap_done(s, c, sel->read_only ? "READ-ONLY" : "READ-WRITE", "%s completed", c->verb->name);
}

void imap_select(struct imap_session *s, const struct imap_command *c)
{
    select_folder(s, c, false);
}

void imap_examine(struct imap_session *s, const struct imap_command *c)
{
    select_folder(s, c, true);
}

/* ---- UNSELECT and CLOSE ---- */

void imap_unselect_command(struct imap_session *s, const struct imap_command *c)
{
    if (c->count) {
        imap_bad(s, c, "UNSELECT takes no arguments");
        return;
    }
    imap_unselect(s);
    imap_done(s, c, NULL, "UNSELECT completed");
}

/* RFC 3501 section 6.4.2 knows no NO; but OK would say that they are gone. The folder stays
 * selected then, unless it is gone itself. */
void imap_close(struct imap_session *s, const struct imap_command *c)
{
    struct error e = ERROR_INIT;
    struct mailbox_delete_result result = {0};
    size_t count = 0;
    if (c->count) {
        imap_bad(s, c, "CLOSE takes no arguments");
        return;
    }
    uint32_t *uids = s->selected->read_only ? NULL : imap_deleted_uids(s, NULL, &count);
    if (count &&
        !mailbox_expunge(s->selected->folder, uids, count, s->login->expunge, imap_wait_to_end(s),
                         &result, &e) &&
        e.kind != ERROR_FOLDER_GONE) {
        imap_fail(s, c, &e);
        return;
    }
    imap_unselect(s);
    imap_done(s, c, NULL, "CLOSE completed");
}
