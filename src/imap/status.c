/* STATUS (RFC 3501 section 6.3.10), also for LIST … RETURN (STATUS …) (RFC 5819). */
#include "commands.h"
#include "folders.h"
#include "respond.h"

#include "postern/base/clock.h"
#include "postern/base/table.h"

#include <inttypes.h>

#define RESPONSE_MAX ((size_t)128 * 1024)
/* So long the tree that was read for a session's first question serves the next ones. */
#define TREE_WINDOW_MS (3 * CLOCK_SECOND)
#define ASKED_MAX      10000

static const struct {
    const char *name;
    unsigned item;
} known[] = {
    {"MESSAGES", IMAP_STATUS_MESSAGES},
    {"RECENT", IMAP_STATUS_RECENT},
    {"UIDNEXT", IMAP_STATUS_UIDNEXT},
    {"UIDVALIDITY", IMAP_STATUS_UIDVALIDITY},
    {"UNSEEN", IMAP_STATUS_UNSEEN},
    {"SIZE", IMAP_STATUS_SIZE},
    {"HIGHESTMODSEQ", IMAP_STATUS_HIGHESTMODSEQ},
    {"APPENDLIMIT", IMAP_STATUS_APPENDLIMIT},
    {"MAILBOXID", IMAP_STATUS_MAILBOXID},
};
#define KNOWN (sizeof known / sizeof *known)

int64_t imap_tree_since(struct imap_session *s, const char *what)
{
    int64_t now = clock_mono_ms(), poll = imap_config(s)->poll_interval_ms;
    int64_t window = poll < TREE_WINDOW_MS ? poll : TREE_WINDOW_MS;
    bool again = !s->tree_asked || now - s->tree_newer_than_ms > window ||
                 table_get(s->tree_asked, what) || table_count(s->tree_asked) == ASKED_MAX;
    if (again) {
        s->tree_newer_than_ms = now;
        table_free(&s->tree_asked);
        s->tree_asked = table_new();
    }
    table_put(s->tree_asked, what, s);
    return s->tree_newer_than_ms;
}

unsigned imap_status_items(struct imap_session *s, const struct imap_arg *list)
{
    unsigned items = 0;
    if (list->type != IMAP_ARG_LIST)
        return 0;
    for (size_t i = 0; i < list->count; i++) {
        size_t k = 0;
        while (k < KNOWN && !imap_arg_is_atom(&list->list[i], known[k].name))
            k++;
        if (k == KNOWN)
            return 0;
        items |= known[k].item;
    }
    if (items & IMAP_STATUS_HIGHESTMODSEQ)
        imap_condstore(s);
    return items;
}

static uint64_t value_of(const struct imap_session *s, unsigned item,
                         const struct mailbox_status *status)
{
    switch (item) {
    case IMAP_STATUS_MESSAGES:
        return status->messages;
    case IMAP_STATUS_RECENT:
        return status->recent;
    case IMAP_STATUS_UIDNEXT:
        return status->uidnext;
    case IMAP_STATUS_UIDVALIDITY:
        return status->uidvalidity;
    case IMAP_STATUS_UNSEEN:
        return status->unseen;
    case IMAP_STATUS_SIZE:
        return status->size;
    case IMAP_STATUS_HIGHESTMODSEQ:
        return status->modseq;
    default:
        return imap_config(s)->limits.max_message_size;
    }
}

static void tell(struct imap_session *s, const char *name, unsigned items,
                 const struct mailbox_status *status)
{
    struct buf out = BUF_INIT(RESPONSE_MAX);
    const char *space = "";
    buf_puts(&out, "* STATUS ");
    imap_put_mailbox(&out, name);
    buf_puts(&out, " (");
    for (size_t i = 0; i < KNOWN; i++) {
        if (!(items & known[i].item))
            continue;
        buf_printf(&out, "%s%s ", space, known[i].name);
        space = " ";
        if (known[i].item == IMAP_STATUS_MAILBOXID) {
            buf_putc(&out, '(');
            imap_put_object_id(&out, 'F', status->digest);
            buf_putc(&out, ')');
        } else {
            buf_printf(&out, "%" PRIu64, value_of(s, known[i].item, status));
        }
    }
    buf_puts(&out, ")\r\n");
    imap_send(s, &out);
    buf_free(&out);
}

/* With serve-since the counters would tell of mail that is not shown: the view is counted. */
static void count_shown(struct imap_session *s, const char *name, struct mailbox_status *status,
                        struct error *e)
{
    struct wait *w = imap_wait(s);
    struct mailbox_folder *folder = mailbox_tree_open(s->account, name, w, e);
    struct mailbox_view *whole = folder ? mailbox_folder_view(folder) : NULL;
    if (folder && !whole && mailbox_folder_sync(folder, s->login->read_only, w, e))
        whole = mailbox_folder_view(folder);
    mailbox_folder_release(&folder);
    if (!whole)
        return;
    struct mailbox_view *shown = mailbox_view_since(whole, s->login->serve_since_ms);
    status->messages = (uint32_t)mailbox_view_count(shown);
    status->unseen = 0;
    for (size_t i = 0; i < status->messages; i++)
        status->unseen += !(mailbox_view_at(shown, i)->flags & MAILBOX_SEEN);
    if (status->recent > status->messages)
        status->recent = status->messages;
    mailbox_view_unref(&shown);
    mailbox_view_unref(&whole);
}

void imap_tell_status(struct imap_session *s, const char *const *names, size_t count,
                      unsigned items, int64_t since_ms, struct error *errors)
{
    struct mailbox_status *status = arena_alloc(s->arena, (count + 1) * sizeof *status);
    mailbox_status(s->account, names, count, items & IMAP_STATUS_SIZE, since_ms, imap_wait(s),
                   status, errors);
    for (size_t i = 0; i < count; i++) {
        if (errors[i].kind == ERROR_NONE && s->login->serve_since_ms != INT64_MIN)
            count_shown(s, names[i], &status[i], &errors[i]);
        if (errors[i].kind == ERROR_NONE)
            tell(s, names[i], items, &status[i]);
    }
}

void imap_status(struct imap_session *s, const struct imap_command *c)
{
    struct error e = ERROR_INIT;
    if (c->count != 2) {
        imap_bad(s, c, "STATUS takes a folder's name and a list of items");
        return;
    }
    const char *name = imap_mailbox_name(s, c, &c->args[0]);
    if (!name)
        return;
    unsigned items = imap_status_items(s, &c->args[1]);
    if (!items) {
        imap_bad(s, c, "STATUS takes items like MESSAGES, UIDNEXT, UIDVALIDITY, UNSEEN");
        return;
    }
    int64_t since = imap_tree_since(s, arena_printf(s->arena, "STATUS %s", name));
    imap_tell_status(s, &name, 1, items, since, &e);
    if (e.kind == ERROR_NONE)
        imap_done(s, c, NULL, "STATUS completed");
    else
        imap_fail(s, c, &e);
}
