#include "postern/base/config.h"

#include "config_check.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/file.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The tree as others see it, and what only this file needs. */
struct counted_config {
    struct config config; /* first: a struct config * is one of these */
    atomic_uint references;
    struct config *base; /* all but the logins array is its, and so are the logins of its own file;
                            NULL: nothing is */
};

/* Fills the struct of one section from the table: what the file says, else the default. */
static void fill(struct config_report *r, const struct config_section *section, void *base)
{
    for (const struct setting *s = settings_table; s->name; s++) {
        if (s->section != section->kind)
            continue;
        const struct config_entry *entry = config_tree_get(section, s->name);
        if ((s->flags & SETTING_REQUIRED) && (!entry || !entry->values[0][0]))
            config_fault(r, entry ? entry->line : section->line, "%s \"%s\" needs a '%s'",
                         settings_section_name(s->section), section->title, s->name);
        else
            config_store(r, s, entry, base);
    }
}

/* A login of nothing but defaults. */
static struct config_login *make_guest(const struct config_tenant *t, struct config_report *r)
{
    struct config_login *l = xcalloc(1, sizeof *l);
    l->tenant = t;
    l->serve_since_ms = INT64_MIN;
    for (const struct setting *s = settings_table; s->name; s++) {
        if (s->section == SECTION_LOGIN && s->offset != SETTING_ELSEWHERE)
            config_store(r, s, NULL, l);
    }
    return l;
}

static size_t count_sections(const struct config_tree *tree, enum settings_section kind)
{
    size_t n = 0;
    for (size_t i = 0; i < tree->count; i++)
        n += tree->sections[i].kind == kind;
    return n;
}

static void fill_titled(struct config *c, const struct config_section *s, struct config_report *r)
{
    if (s->kind == SECTION_TENANT) {
        struct config_tenant *t = &c->tenants[c->tenant_count++];
        t->name = xstrdup(s->title);
        t->line = s->line;
        fill(r, s, t);
        t->guest = make_guest(t, r);
    } else if (s->kind == SECTION_LISTENER) {
        struct config_listener *l = &c->listeners[c->listener_count++];
        l->name = xstrdup(s->title);
        l->line = s->line;
        fill(r, s, l);
    } else {
        struct config_login *l = &c->logins[c->login_count++];
        l->name = xstrdup(s->title);
        l->line = s->line;
        l->serve_since_ms = INT64_MIN;
        fill(r, s, l);
    }
}

/* Appends the logins of a file to those of the config. */
static void fill_logins(struct config *c, const struct config_tree *tree, struct config_report *r)
{
    size_t before = c->login_count;
    c->logins = xreallocarray(c->logins, before + count_sections(tree, SECTION_LOGIN) + 1,
                              sizeof *c->logins);
    memset(c->logins + before, 0, (count_sections(tree, SECTION_LOGIN) + 1) * sizeof *c->logins);
    config_report_file(r, c->logins_file);
    for (size_t i = SECTION_FIRST_TITLED; i < tree->count; i++) {
        if (tree->sections[i].kind == SECTION_LOGIN) {
            fill_titled(c, &tree->sections[i], r);
            c->logins[c->login_count - 1].in_logins_file = true;
        }
    }
    config_report_file(r, NULL);
}

/* The tree of the logins-file; an empty one where there is none. */
static void read_logins(const struct config *c, bool files, struct config_tree *tree,
                        struct config_report *r)
{
    tree->whole = !c->logins_file;
    if (c->logins_file && files)
        config_tree_read_logins(tree, c->logins_file, r);
    else if (c->logins_file)
        config_fault(r, 0, "logins-file cannot be used here: no files are read");
}

/* `files`: may files that the text names be opened? */
static struct config *build(const char *name, const char *text, bool files, struct config_report *r)
{
    struct counted_config *counted = xcalloc(1, sizeof *counted);
    struct config *c = &counted->config;
    struct config_tree tree = {0}, logins = {0};
    atomic_init(&counted->references, 1);
    c->path = xstrdup(name);
    config_tree_parse(&tree, text, r);
    c->tenants = xcalloc(count_sections(&tree, SECTION_TENANT) + 1, sizeof *c->tenants);
    c->listeners = xcalloc(count_sections(&tree, SECTION_LISTENER) + 1, sizeof *c->listeners);
    c->logins = xcalloc(count_sections(&tree, SECTION_LOGIN) + 1, sizeof *c->logins);
    for (size_t i = 0; i < tree.count; i++) {
        if (i < SECTION_FIRST_TITLED)
            fill(r, &tree.sections[i], c);
        else
            fill_titled(c, &tree.sections[i], r);
    }
    read_logins(c, files, &logins, r);
    fill_logins(c, &logins, r);
    config_check(c, &tree, &logins, files, r);
    config_tree_free(&tree);
    config_tree_free(&logins);
    if (r->faults > 0)
        config_unref(&c);
    return c;
}

struct config *config_reload_logins(struct config *old, config_fault_fn *fault, void *arg)
{
    struct counted_config *counted = xcalloc(1, sizeof *counted);
    struct config *base = ((struct counted_config *)old)->base, *c = &counted->config;
    struct config_tree tree = {0};
    struct config_report r = {0};
    size_t own = 0;
    base = config_ref(base ? base : old);
    *c = *base;
    counted->base = base;
    atomic_init(&counted->references, 1);
    while (own < base->login_count && !base->logins[own].in_logins_file)
        own++;
    c->logins = xcalloc(own + 1, sizeof *c->logins);
    memcpy(c->logins, base->logins, own * sizeof *c->logins);
    c->login_count = own;
    read_logins(c, true, &tree, &r);
    fill_logins(c, &tree, &r);
    config_report_file(&r, c->logins_file);
    config_check_logins(c, &tree, own, tree.whole, &r);
    if (tree.whole && !c->login_count)
        config_fault(&r, 0, "there is no login section left, so nobody could sign in");
    config_tree_free(&tree);
    if (r.faults > 0)
        config_unref(&c);
    config_report_tell(&r, base->path, fault, NULL, arg);
    return c;
}

struct config *config_parse(const char *name, const char *text, config_fault_fn *fault,
                            config_fault_fn *warning, void *arg)
{
    struct config_report r = {0};
    struct config *c = build(name, text, false, &r);
    config_report_tell(&r, name, fault, warning, arg);
    return c;
}

struct config *config_load(const char *path, config_fault_fn *fault, config_fault_fn *warning,
                           void *arg)
{
    struct config_report r = {0};
    struct buf text = BUF_INIT(CONFIG_FILE_MAX);
    struct error e = ERROR_INIT;
    struct config *c = NULL;
    struct stat st;
    if (!file_read(path, &text, &e))
        config_fault(&r, 0, "%s", e.text);
    else if (strlen(buf_str(&text)) != text.len)
        config_fault(&r, 0, "the file holds a NUL byte; it is not a text file");
    else
        c = build(path, buf_str(&text), true, &r);
    if (c && stat(path, &st) == 0 && (st.st_mode & S_IROTH))
        config_warning(&r, 0,
                       "every user of this machine can read the password hashes and secrets "
                       "in this file; chmod o-r it");
    buf_free_secret(&text);
    config_report_tell(&r, path, fault, warning, arg);
    return c;
}

void config_texts_free(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

static void free_login(struct config_login *l)
{
    free(l->name);
    free(l->mailbox);
    config_texts_free(l->mailboxes, l->mailbox_count);
    free(l->account);
    secret_free(l->password);
    secret_free(l->device_secret);
    config_texts_free(l->fingerprints, l->fingerprint_count);
    free(l->networks);
    free(l->folder);
}

static void free_tenant(struct config_tenant *t)
{
    free(t->name);
    free(t->tenant_id);
    free(t->client_id);
    secret_free(t->client_secret);
    free(t->certificate);
    free(t->private_key);
    free(t->federated_token_file);
    free(t->identity_object_id);
    free(t->identity_resource_id);
    free(t->identity_url);
    free(t->account);
    secret_free(t->account_password);
    free(t->scope);
    free(t->graph_url);
    free(t->login_url);
    free(t->ca_file);
    if (t->guest)
        free_login(t->guest);
    free(t->guest);
}

static void free_all(struct config *c)
{
    for (size_t i = 0; i < c->tenant_count; i++)
        free_tenant(&c->tenants[i]);
    for (size_t i = 0; i < c->listener_count; i++) {
        free(c->listeners[i].name);
        free(c->listeners[i].address);
        free(c->listeners[i].networks);
        free(c->listeners[i].proxies);
    }
    for (size_t i = 0; i < c->login_count; i++)
        free_login(&c->logins[i]);
    free(c->tenants);
    free(c->listeners);
    free(c->logins);
    free(c->path);
    free(c->state_dir);
    free(c->log.target);
    config_texts_free(c->tls.certificates, c->tls.certificate_count);
    config_texts_free(c->tls.private_keys, c->tls.private_key_count);
    free(c->key_file);
    free(c->logins_file);
    free(c->user);
    free(c->group);
    free(c->admin_address);
}

static void free_reloaded(struct counted_config *counted)
{
    struct config *c = &counted->config;
    for (size_t i = 0; i < c->login_count; i++) {
        if (c->logins[i].in_logins_file)
            free_login(&c->logins[i]);
    }
    free(c->logins);
    config_unref(&counted->base);
}

struct config *config_ref(struct config *c)
{
    atomic_fetch_add(&((struct counted_config *)c)->references, 1);
    return c;
}

void config_unref(struct config **c)
{
    struct counted_config *counted = (struct counted_config *)*c;
    *c = NULL;
    if (!counted || atomic_fetch_sub(&counted->references, 1) != 1)
        return;
    if (counted->base)
        free_reloaded(counted);
    else
        free_all(&counted->config);
    free(counted);
}

const struct config_login *config_find_login(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->login_count; i++) {
        if (strcmp(c->logins[i].name, name) == 0)
            return &c->logins[i];
    }
    return NULL;
}

const char *config_listener_socket_name(const struct config_listener *l)
{
    static const char prefix[] = "systemd:";
    bool is = l->address && strncmp(l->address, prefix, sizeof prefix - 1) == 0;
    return is ? l->address + sizeof prefix - 1 : NULL;
}

struct principal config_login_principal(const struct config_login *l)
{
    const struct config_tenant *t = l->tenant;
    struct principal who = {.tenant = t->name};
    if (config_flow_is_delegated(t->flow))
        who.account = l->account ? l->account : t->account ? t->account : l->mailbox;
    return who;
}

bool config_flow_is_delegated(enum config_flow flow)
{
    return flow == FLOW_DEVICE_CODE || flow == FLOW_AUTHORIZATION_CODE || flow == FLOW_PASSWORD;
}
