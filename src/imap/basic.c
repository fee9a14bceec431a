/* Commands that concern the session alone. */
#include <config.h>

#include "commands.h"
#include "respond.h"

#include "postern/base/log.h"
#include "postern/mailbox/flags.h"
#include "postern/session/inventory.h"

#include <string.h>

/* RFC 2971 section 3.3. */
#define ID_FIELDS_MAX 30
#define ID_FIELD_MAX  30
#define ID_VALUE_MAX  1024
#define ID_LOG_MAX    400

static bool bare(struct imap_session *s, const struct imap_command *c)
{
    if (c->count == 0)
        return true;
    imap_bad(s, c, "%s takes no arguments", c->verb->name);
    return false;
}

void imap_capability(struct imap_session *s, const struct imap_command *c)
{
    struct buf words = BUF_INIT(IMAP_CAPABILITIES_MAX);
    if (!bare(s, c))
        return;
    imap_put_capabilities(s, &words);
    imap_untagged(s, "%s", buf_str(&words));
    buf_free(&words);
    imap_done(s, c, NULL, "that is all");
}

/* Trouble that passes is no failure of a command that promises nothing: it is said by the way. A
 * folder that is gone is. */
void imap_noop(struct imap_session *s, const struct imap_command *c)
{
    struct error e = ERROR_INIT;
    char text[IMAP_ERROR_TEXT_SIZE];
    if (!bare(s, c))
        return;
    if (s->selected &&
        !mailbox_folder_refresh(s->selected->folder, s->selected->read_only, imap_wait(s), &e)) {
        if (e.kind == ERROR_FOLDER_GONE) {
            imap_fail(s, c, &e);
            return;
        }
        log_error_value(LOG_LEVEL_WARNING, &e, "%s could not look for changes", c->verb->name);
        imap_error_text(&e, text);
        imap_untagged(s, "NO [%s] changes elsewhere are not known: %s", imap_error_code(e.kind),
                      text);
    }
    imap_done(s, c, NULL, "%s completed", c->verb->name);
}

void imap_logout(struct imap_session *s, const struct imap_command *c)
{
    if (!bare(s, c))
        return;
    imap_untagged(s, "BYE goodbye");
    imap_done(s, c, NULL, "logged out");
    s->over = "LOGOUT";
}

/* ---- ID (RFC 2971) ---- */

static bool is_id_list(const struct imap_arg *list)
{
    if (list->type != IMAP_ARG_LIST || list->count % 2 || list->count / 2 > ID_FIELDS_MAX)
        return false;
    for (size_t i = 0; i < list->count; i += 2) {
        const struct imap_arg *field = &list->list[i], *value = &list->list[i + 1];
        if (!imap_arg_string(field) || field->len > ID_FIELD_MAX)
            return false;
        if (!imap_arg_is_nil(value) && (!imap_arg_string(value) || value->len > ID_VALUE_MAX))
            return false;
    }
    return true;
}

/* Once a session: which programs still come is what an administrator wants to know. */
static void log_client(struct imap_session *s, const struct imap_arg *list)
{
    struct buf line = BUF_INIT(ID_LOG_MAX);
    if (s->identified || list->count == 0)
        return;
    s->identified = true;
    for (size_t i = 0; i < list->count; i += 2) {
        const char *value = imap_arg_string(&list->list[i + 1]);
        if (value)
            buf_printf(&line, "%s%s \"%s\"", line.len ? ", " : "", list->list[i].text, value);
    }
    log_info("the client says it is: %s", buf_str(&line));
    inventory_told(session_conn_client(s->conn), buf_str(&line));
    buf_free(&line);
}

void imap_id(struct imap_session *s, const struct imap_command *c)
{
    if (c->count != 1 || (!imap_arg_is_nil(&c->args[0]) && !is_id_list(&c->args[0]))) {
        imap_bad(s, c, "ID takes NIL or a list of fields and values");
        return;
    }
    if (c->args[0].type == IMAP_ARG_LIST)
        log_client(s, &c->args[0]);
    /* The version is nobody's business before login. */
    if (s->ticket)
        imap_untagged(s, "ID (\"name\" \"Postern\" \"version\" \"" PACKAGE_VERSION "\")");
    else
        imap_untagged(s, "ID (\"name\" \"Postern\")");
    imap_done(s, c, NULL, "pleased to meet you");
}

/* ---- ENABLE (RFC 5161), NAMESPACE (RFC 2342) ---- */

void imap_enable(struct imap_session *s, const struct imap_command *c)
{
    bool condstore = false;
    for (size_t i = 0; i < c->count; i++) {
        if (c->args[i].type != IMAP_ARG_ATOM) {
            imap_bad(s, c, "ENABLE takes names of capabilities");
            return;
        }
        condstore |= imap_arg_is_atom(&c->args[i], "CONDSTORE");
    }
    if (c->count == 0) {
        imap_bad(s, c, "ENABLE takes names of capabilities");
        return;
    }
    condstore &= !(s->enabled & IMAP_ENABLED_CONDSTORE);
    imap_untagged(s, condstore ? "ENABLED CONDSTORE" : "ENABLED");
    if (condstore)
        imap_condstore(s);
    imap_done(s, c, NULL, "ENABLE completed");
}

void imap_namespace(struct imap_session *s, const struct imap_command *c)
{
    if (!bare(s, c))
        return;
    imap_untagged(s, "NAMESPACE ((\"\" \"/\")) NIL NIL");
    imap_done(s, c, NULL, "NAMESPACE completed");
}
