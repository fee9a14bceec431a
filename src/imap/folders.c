/* Making, deleting, renaming folders and subscribing to them (RFC 3501 sections 6.3.3 to 6.3.7). */
#include "folders.h"
#include "commands.h"
#include "respond.h"

#include <string.h>

#define CODE_MAX 128

/* RFC 8474 section 4.2. */
static void done_with_id(struct imap_session *s, const struct imap_command *c, const char *name)
{
    struct error e = ERROR_INIT;
    struct buf code = BUF_INIT(CODE_MAX);
    uint8_t digest[SHA256_SIZE];
    size_t len = strlen(name);
    /* As it is kept: the folder has just been entered. */
    struct mailbox_tree *t = mailbox_tree_get(s->account, 0, imap_wait(s), &e);
    const char *plain = len && name[len - 1] == '/' ? arena_strndup(s->arena, name, len - 1) : name;
    const struct mailbox_node *node = t ? mailbox_tree_find(t, plain) : NULL;
    if (node) {
        mailbox_node_digest(node, digest);
        buf_puts(&code, "MAILBOXID (");
        imap_put_object_id(&code, 'F', digest);
        buf_putc(&code, ')');
    }
    imap_done(s, c, node ? buf_str(&code) : NULL, "CREATE completed");
    mailbox_tree_unref(&t);
    buf_free(&code);
}

/* RFC 6154 section 3: "(USE (\Sent))". False: it was answered. Exchange gives its folders their
 * uses itself. */
static bool check_use(struct imap_session *s, const struct imap_command *c)
{
    const struct imap_arg *list = &c->args[1];
    if (c->count == 1)
        return true;
    bool ok = c->count == 2 && list->type == IMAP_ARG_LIST && list->count == 2 &&
              imap_arg_is_atom(&list->list[0], "USE") && list->list[1].type == IMAP_ARG_LIST;
    if (!ok)
        imap_bad(s, c, "CREATE takes a folder's name");
    else if (list->list[1].count > 0)
        imap_no(s, c, "USEATTR", "Exchange gives special uses to its own folders only");
    return ok && list->list[1].count == 0;
}

void imap_create(struct imap_session *s, const struct imap_command *c)
{
    struct error e = ERROR_INIT;
    const char *name = imap_mailbox_name(s, c, &c->args[0]);
    if (!name || !check_use(s, c))
        return;
    if (mailbox_folder_create(s->account, name, imap_wait_to_end(s), &e))
        done_with_id(s, c, name);
    else
        imap_fail(s, c, &e);
}

/* The one name that the command takes; NULL: it was answered. */
static const char *only_name(struct imap_session *s, const struct imap_command *c)
{
    if (c->count == 1)
        return imap_mailbox_name(s, c, &c->args[0]);
    imap_bad(s, c, "%s takes a folder's name", c->verb->name);
    return NULL;
}

void imap_delete(struct imap_session *s, const struct imap_command *c)
{
    struct error e = ERROR_INIT;
    const char *name = only_name(s, c);
    if (!name)
        return;
    if (mailbox_folder_delete(s->account, name, s->login->expunge, imap_wait_to_end(s), &e))
        imap_done(s, c, NULL, "DELETE completed");
    else
        imap_fail(s, c, &e);
}

void imap_rename(struct imap_session *s, const struct imap_command *c)
{
    struct error e = ERROR_INIT;
    if (c->count != 2) {
        imap_bad(s, c, "RENAME takes two names");
        return;
    }
    const char *from = imap_mailbox_name(s, c, &c->args[0]);
    const char *to = from ? imap_mailbox_name(s, c, &c->args[1]) : NULL;
    if (!to)
        return;
    if (mailbox_folder_rename(s->account, from, to, s->login->serve_since_ms, imap_wait_to_end(s),
                              &e))
        imap_done(s, c, NULL, "RENAME completed");
    else
        imap_fail(s, c, &e);
}

static void subscribe(struct imap_session *s, const struct imap_command *c, bool subscribed)
{
    struct error e = ERROR_INIT;
    const char *name = only_name(s, c);
    if (!name)
        return;
    if (mailbox_subscribe(s->account, name, subscribed, imap_wait_to_end(s), &e))
        imap_done(s, c, NULL, "%s completed", c->verb->name);
    else
        imap_fail(s, c, &e);
}

void imap_subscribe(struct imap_session *s, const struct imap_command *c)
{
    subscribe(s, c, true);
}

void imap_unsubscribe(struct imap_session *s, const struct imap_command *c)
{
    subscribe(s, c, false);
}
