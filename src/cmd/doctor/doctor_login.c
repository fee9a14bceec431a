/* One mailbox of a login: opened, read, fetched from, and, where the login may write, written to.
 */
#include "doctor.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/graph/folder.h"
#include "postern/graph/mail.h"
#include "postern/graph/sign_in.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PERMISSIONS_MAX ((size_t)4096)

static const struct graph_as as_doctor = {NULL, false};

static bool same(const char *a, const char *b)
{
    return a && b ? strcasecmp(a, b) == 0 : a == b;
}

static struct doctor_identity *find_identity(struct doctor *d, const struct principal *who)
{
    for (size_t i = 0; i < d->identity_count; i++) {
        struct doctor_identity *id = &d->identities[i];
        if (strcmp(id->who.tenant, who->tenant) == 0 && same(id->who.account, who->account))
            return id;
    }
    return NULL;
}

/* The first call on behalf of an identity shows whether there is a token. */
static void note_identity(struct doctor *d, const struct principal *who, bool good)
{
    d->identities = xreallocarray(d->identities, d->identity_count + 1, sizeof *d->identities);
    d->identities[d->identity_count++] = (struct doctor_identity){*who, good};
}

/* Who signs in, for a person to read. */
static const char *identity_name(const struct principal *who)
{
    return who->account ? who->account : "the application itself";
}

struct expiry {
    const struct principal *who;
    int64_t at_ms;
};

static void find_expiry(void *arg, const struct graph_identity_status *status)
{
    struct expiry *x = arg;
    if (strcmp(status->tenant, x->who->tenant) == 0 && same(status->account, x->who->account))
        x->at_ms = status->token_expires_ms;
}

/* Permissions of an application that stand in its token reach every mailbox of the tenant. */
static bool reaches_all(const struct principal *who, const char *permissions)
{
    return !who->account && (need_scope_has(permissions, "Mail.Read") ||
                             need_scope_has(permissions, "Mail.ReadWrite"));
}

static void add_token(struct doctor *d, const struct principal *who)
{
    struct expiry expiry = {.who = who};
    struct buf names = BUF_INIT(PERMISSIONS_MAX);
    graph_client_each_identity(d->asking.graph, find_expiry, &expiry);
    bool known = graph_client_token_hint(d->asking.graph, who, &names);
    long long minutes = (expiry.at_ms - clock_mono_ms()) / (60 * CLOCK_SECOND);
    steps_add(d->steps, STEP_OK, "token", "of %s, for %lld minutes; %s%s", identity_name(who),
              expiry.at_ms && minutes > 0 ? minutes : 0,
              names.len ? "it names " : "it names no permissions", buf_str(&names));
    if (known && reaches_all(who, buf_str(&names))) {
        steps_add(d->steps, STEP_WARN, "scope",
                  "the application has a permission on the mail of the whole tenant, so RBAC for "
                  "Applications limits nothing");
        steps_fix(d->steps,
                  "postern doctor -c %s --powershell prints what limits it to the mailboxes of the "
                  "configuration and removes the other",
                  d->config->path);
    }
    buf_free(&names);
}

static void add_refused_token(struct doctor *d, const struct need *n, const struct error *e)
{
    bool needs_login = n->who.account && e->advice[0];
    if (needs_login) {
        steps_add(d->steps, STEP_FAIL, "token", "%s", e->text);
        steps_fix(d->steps, "postern login -c %s %s", d->config->path, n->who.account);
    } else {
        steps_add(d->steps, STEP_FAIL, "token", "%s: %s", identity_name(&n->who), e->text);
    }
}

/* What to do about a 403. */
static void fix_denied(struct doctor *d, const struct need *n)
{
    const char *permission = need_permission(n);
    if (!n->who.account)
        steps_fix(d->steps,
                  "the application needs %s for this mailbox: postern doctor -c %s --powershell "
                  "prints the commands; a mailbox outside the scope that they make stays closed, "
                  "and a change acts after 30 minutes to 2 hours",
                  permission, d->config->path);
    else if (n->shared)
        steps_fix(d->steps,
                  "%s needs the delegated permission %s and Full Access to this mailbox: postern "
                  "doctor -c %s --powershell prints the commands",
                  n->who.account, permission, d->config->path);
    else
        steps_fix(d->steps,
                  "the application needs the delegated permission %s, with consent, then "
                  "postern login %s",
                  permission, n->who.account);
}

static void add_failure(struct doctor *d, const struct need *n, const char *step,
                        const struct error *e)
{
    if (e->kind != ERROR_DENIED) {
        steps_add(d->steps, STEP_FAIL, step, "%s: %s", n->mailbox, e->text);
        return;
    }
    steps_add(d->steps, STEP_FAIL, step, "%s: Graph denies it (%d %s, request-id %s)", n->mailbox,
              e->status, e->code, e->request_id[0] ? e->request_id : "none");
    fix_denied(d, n);
}

/* --- the steps --- */

static bool open_inbox(struct doctor *d, const struct need *n, struct graph_user *u)
{
    struct error e = ERROR_INIT;
    struct arena *a = arena_new();
    struct graph_folder inbox;
    struct graph_call *call = graph_folder_start(u, as_doctor, "inbox", false);
    bool ok = asking_wait(&d->asking, call, &e) && graph_folder_decode(call, a, &inbox, &e);
    graph_call_free(&call);
    bool token = ok || e.kind != ERROR_SIGN_IN;
    if (!find_identity(d, &n->who)) {
        note_identity(d, &n->who, token);
        if (token && (ok || e.status))
            add_token(d, &n->who);
    }
    if (ok)
        steps_add(d->steps, STEP_OK, "mailbox", "%s opens: %" PRId64 " items in Inbox", n->mailbox,
                  inbox.total);
    else if (token)
        add_failure(d, n, "mailbox", &e);
    else
        add_refused_token(d, n, &e);
    arena_free(&a);
    return ok;
}

/* *id is the newest message's, NULL if Inbox is empty; in the page's arena. */
static bool find_newest(struct doctor *d, const struct need *n, struct graph_user *u,
                        struct graph_page *page, const char **id)
{
    struct error e = ERROR_INIT;
    struct graph_call *call = graph_newest_start(u, as_doctor, "inbox");
    bool ok = asking_wait(&d->asking, call, &e) && graph_page_decode(call, page, &e);
    graph_call_free(&call);
    if (!ok)
        add_failure(d, n, "list", &e);
    *id = ok && page->count ? page->messages[0].id : NULL;
    return ok;
}

static bool count_bytes(void *arg, const void *data, size_t len, struct error *e)
{
    (void)data;
    (void)e;
    *(size_t *)arg += len;
    return true;
}

static bool count_anew(void *arg, struct error *e)
{
    (void)e;
    *(size_t *)arg = 0;
    return true;
}

static void fetch(struct doctor *d, const struct need *n, struct graph_user *u, const char *id)
{
    struct error e = ERROR_INIT;
    size_t bytes = 0;
    const struct graph_sink sink = {count_bytes, count_anew, &bytes};
    struct graph_call *call = graph_mime_start(u, as_doctor, id, &sink, NULL, NULL);
    bool ok = asking_wait(&d->asking, call, &e);
    graph_call_free(&call);
    if (ok)
        steps_add(d->steps, STEP_OK, "fetch", "%s: the newest message, %zu bytes", n->mailbox,
                  bytes);
    else if (e.kind == ERROR_GONE)
        steps_add(d->steps, STEP_NOTE, "fetch", "%s: the newest message went away just now",
                  n->mailbox);
    else
        add_failure(d, n, "fetch", &e);
}

/* --- the folder that POP3 serves --- */

/* Names of Exchange compare without case. */
static bool find_child(struct doctor *d, struct graph_user *u, const char *parent, const char *name,
                       struct arena *a, const char **id, struct error *e)
{
    struct graph_folder_page page = {0};
    struct graph_call *call = graph_folder_list_start(u, as_doctor, parent, name, false, NULL);
    bool ok = asking_wait(&d->asking, call, e) && graph_folder_page_decode(call, &page, e);
    graph_call_free(&call);
    *id = NULL;
    for (size_t i = 0; ok && i < page.count && !*id; i++) {
        if (page.folders[i].name && strcasecmp(page.folders[i].name, name) == 0)
            *id = arena_strdup(a, page.folders[i].id);
    }
    graph_folder_page_free(&page);
    return ok;
}

/* *id is NULL where a level is missing. */
static bool find_folder(struct doctor *d, struct graph_user *u, const char *path, struct arena *a,
                        const char **id, struct error *e)
{
    size_t len = strcspn(path, "/");
    bool inbox = len == strlen("INBOX") && strncasecmp(path, "INBOX", len) == 0;
    bool ok = true;
    *id = inbox ? "inbox" : NULL;
    if (!inbox)
        ok = find_child(d, u, NULL, arena_strndup(a, path, len), a, id, e);
    for (path += len; ok && *id && *path; path += len) {
        len = strcspn(++path, "/");
        ok = find_child(d, u, *id, arena_strndup(a, path, len), a, id, e);
    }
    return ok;
}

/* Names with escapes are left to serve. */
static void look_at_folder(struct doctor *d, const struct need *n, struct graph_user *u)
{
    const struct config_login *l = n->login;
    struct arena *a = arena_new();
    struct error e = ERROR_INIT;
    const char *id;
    if (!(l->protocols & PROTOCOL_POP3) || strcasecmp(l->folder, "INBOX") == 0 ||
        strchr(l->folder, '=')) {
        arena_free(&a);
        return;
    }
    if (!find_folder(d, u, l->folder, a, &id, &e)) {
        add_failure(d, n, "folder", &e);
    } else if (id) {
        steps_add(d->steps, STEP_OK, "folder", "%s: POP3 serves %s", n->mailbox, l->folder);
    } else {
        steps_add(d->steps, STEP_FAIL, "folder", "%s has no folder %s, which POP3 is to serve",
                  n->mailbox, l->folder);
        steps_fix(d->steps, "correct 'folder' of login \"%s\", or make the folder", l->name);
    }
    arena_free(&a);
}

static void look_at_reading(struct doctor *d, const struct need *n, struct graph_user *u)
{
    struct graph_page page = {0};
    const char *id;
    bool ok = find_newest(d, n, u, &page, &id);
    if (id)
        fetch(d, n, u, id);
    else if (ok)
        steps_add(d->steps, STEP_NOTE, "fetch", "%s: Inbox is empty, so nothing was fetched",
                  n->mailbox);
    graph_page_free(&page);
}

static void look_at_writing(struct doctor *d, const struct need *n, struct graph_user *u)
{
    struct error e = ERROR_INIT;
    if (!n->writes)
        return;
    if (!d->try_writing) {
        steps_add(d->steps, STEP_SKIP, "write", "%s: not tried (--no-write)", n->mailbox);
        return;
    }
    struct graph_call *call = graph_folder_try_start(u, as_doctor, "inbox");
    bool ok = asking_wait(&d->asking, call, &e);
    graph_call_free(&call);
    if (ok) {
        steps_add(d->steps, STEP_OK, "write", "%s takes changes", n->mailbox);
    } else if (e.kind == ERROR_DENIED) {
        steps_add(d->steps, STEP_FAIL, "write",
                  "%s can be read, but Graph denies changes (%d %s, request-id %s)", n->mailbox,
                  e.status, e.code, e.request_id[0] ? e.request_id : "none");
        steps_fix(
            d->steps,
            "give %s (postern doctor -c %s --powershell prints how), or write read-only = yes "
            "into login \"%s\"",
            need_permission(n), d->config->path, n->login->name);
    } else {
        add_failure(d, n, "write", &e);
    }
}

/* The same mailbox for the same identity, tried before with the same outcome to be expected. */
static const struct doctor_tried *find_tried(const struct doctor *d, const struct need *n)
{
    for (size_t i = 0; i < d->tried_count; i++) {
        const struct doctor_tried *t = &d->tried[i];
        if (strcmp(t->need.who.tenant, n->who.tenant) == 0 &&
            same(t->need.who.account, n->who.account) &&
            strcasecmp(t->need.mailbox, n->mailbox) == 0 &&
            (t->need.writes == n->writes || (t->good && t->need.writes)))
            return t;
    }
    return NULL;
}

static void note_tried(struct doctor *d, const struct need *n, bool good)
{
    d->tried = xreallocarray(d->tried, d->tried_count + 1, sizeof *d->tried);
    d->tried[d->tried_count++] = (struct doctor_tried){*n, good};
}

static void try_mailbox(struct doctor *d, const struct need *n, struct graph_user *u)
{
    size_t failed = steps_count(d->steps, STEP_FAIL);
    if (open_inbox(d, n, u)) {
        look_at_reading(d, n, u);
        look_at_writing(d, n, u);
    }
    note_tried(d, n, steps_count(d->steps, STEP_FAIL) == failed);
}

void doctor_mailbox(struct doctor *d, const struct need *n)
{
    const struct doctor_identity *id = find_identity(d, &n->who);
    const struct doctor_tried *tried = find_tried(d, n);
    steps_add(d->steps, STEP_NOTE, "needs", "%s permission %s on %s, as %s",
              n->who.account ? "the delegated" : "the application", need_permission(n), n->mailbox,
              identity_name(&n->who));
    if (id && !id->good) {
        steps_add(d->steps, STEP_SKIP, "mailbox", "%s: there is no token of %s, see above",
                  n->mailbox, identity_name(&n->who));
        return;
    }
    struct graph_user *u = graph_user_get(d->asking.graph, &n->who, n->mailbox);
    if (tried)
        steps_add(d->steps, tried->good ? STEP_OK : STEP_SKIP, "mailbox",
                  "%s: as for login \"%s\" above", n->mailbox, tried->need.login->name);
    else
        try_mailbox(d, n, u);
    if ((tried = find_tried(d, n)) && tried->good)
        look_at_folder(d, n, u);
    graph_user_unref(&u);
}
