#include "postern/base/config.h"

#include "config_tree.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/file.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_FILE_MAX ((size_t)4 << 20)

/* The tree as others see it, and what only this file needs. */
struct counted_config {
    struct config config; /* first: a struct config * is one of these */
    atomic_uint references;
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

/* `files`: may files that the text names be opened? */
static struct config *build(const char *name, const char *text, bool files, struct config_report *r)
{
    struct counted_config *counted = xcalloc(1, sizeof *counted);
    struct config *c = &counted->config;
    struct config_tree tree = {0};
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
    config_check(c, &tree, files, r);
    config_tree_free(&tree);
    if (r->faults > 0)
        config_unref(&c);
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

struct config *config_ref(struct config *c)
{
    atomic_fetch_add(&((struct counted_config *)c)->references, 1);
    return c;
}

void config_unref(struct config **c)
{
    struct counted_config *counted = (struct counted_config *)*c;
    *c = NULL;
    if (counted && atomic_fetch_sub(&counted->references, 1) == 1) {
        free_all(&counted->config);
        free(counted);
    }
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
