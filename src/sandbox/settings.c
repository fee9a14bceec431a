#include "settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS           ((int64_t)24 * 3600 * 1000)
#define REFRESH_LIFE_S   ((int64_t)90 * 24 * 3600)
#define SETTING_NAME_MAX 32

enum kind { KIND_NUMBER, KIND_SWITCH, KIND_CHOICE, KIND_TEXT, KIND_SCOPES };

struct setting {
    const char *name;
    enum kind kind;
    size_t offset;
    int64_t min, max;
    const char *const *choices;
};

static const char *const article_names[] = {"normal", "absent", "shuffled", "duplicate", NULL};
static const char *const expand_names[] = {"fail", "ignore", "honour", NULL};
static const char *const headers_names[] = {"full",    "unended", "cut-255", "cut-510",
                                            "cut-512", "absent",  NULL};
static const char *const folder_delta_names[] = {"whole", "top", "absent", NULL};
static const char *const quota_names[] = {"no", "403", "507", NULL};
static const char *const too_large_names[] = {"413", "400", NULL};
static const char *const delete_folder_names[] = {"rename", "conflict", NULL};
static const char *const delete_names[] = {"deleted-items", "recoverable", NULL};
static const char *const refresh_names[] = {"kept", "revoked", NULL};
static const char *const sign_in_names[] = {"accept", "decline", NULL};
static const char *const app_scope_names[] = {"rbac", "policy", NULL};
static const char *const identity_names[] = {"system", "user", "several", "none", NULL};

#define NUMBER(n, field, lo, hi)                                                                   \
    {                                                                                              \
        .name = n, .offset = offsetof(struct settings, field), .min = lo, .max = hi                \
    }
#define SWITCH(n, field)                                                                           \
    {                                                                                              \
        .name = n, .kind = KIND_SWITCH, .offset = offsetof(struct settings, field)                 \
    }
#define CHOICE(n, field, names)                                                                    \
    {                                                                                              \
        .name = n, .kind = KIND_CHOICE, .offset = offsetof(struct settings, field),                \
        .choices = names                                                                           \
    }
#define TEXT(n, field)                                                                             \
    {                                                                                              \
        .name = n, .kind = KIND_TEXT, .offset = offsetof(struct settings, field)                   \
    }
#define SCOPES(n, field)                                                                           \
    {                                                                                              \
        .name = n, .kind = KIND_SCOPES, .offset = offsetof(struct settings, field)                 \
    }

static const struct setting table[] = {
    NUMBER("latency-ms", latency_ms, 0, DAY_MS),
    NUMBER("page-cap", page_cap, 0, 1000),
    NUMBER("delta-lag-ms", delta_lag_ms, 0, DAY_MS),
    NUMBER("delta-lag-rounds", delta_lag_rounds, 0, 1000),
    NUMBER("late-touch-ms", late_touch_ms, 0, DAY_MS),
    NUMBER("token-life", token_life_s, 1, DAY_MS / 1000),
    NUMBER("max-concurrent", max_concurrent, 1, 1000),
    NUMBER("retry-after-ms", retry_after_ms, 0, DAY_MS),
    NUMBER("retry-grace-ms", retry_grace_ms, 0, DAY_MS),
    SWITCH("empty-pages", empty_pages),
    SWITCH("repeats", repeats),
    SWITCH("isread-string", isread_string),
    SWITCH("changed-only", changed_only),
    SWITCH("mime-rerender", mime_rerender),
    SWITCH("delta-absent", delta_absent),
    SWITCH("delta-categories", delta_categories),
    SWITCH("delta-properties", delta_properties),
    SWITCH("folder-delta-counts", folder_delta_counts),
    SWITCH("article-next-absent", article_next_absent),
    SWITCH("permanent-delete", permanent_delete),
    CHOICE("folder-delta", folder_delta, folder_delta_names),
    CHOICE("delete", delete_to, delete_names),
    CHOICE("mailbox-full", mailbox_full, quota_names),
    CHOICE("too-large", too_large, too_large_names),
    NUMBER("upload-life", upload_life_s, 0, DAY_MS / 1000),
    CHOICE("delete-folder", delete_folder, delete_folder_names),
    CHOICE("headers", headers, headers_names),
    CHOICE("article", article, article_names),
    CHOICE("delta-expand", delta_expand, expand_names),
    NUMBER("cae-life", cae_life_s, 0, DAY_MS / 1000),
    NUMBER("refresh-life", refresh_life_s, 0, REFRESH_LIFE_S),
    NUMBER("code-life", code_life_s, 0, DAY_MS / 1000),
    NUMBER("device-life", device_life_s, 0, DAY_MS / 1000),
    NUMBER("device-interval", device_interval_s, 0, 3600),
    CHOICE("refresh-reuse", refresh_reuse, refresh_names),
    CHOICE("sign-in", sign_in, sign_in_names),
    TEXT("sign-in-as", sign_in_as),
    SWITCH("public-client", public_client),
    SWITCH("local-graph", local_graph),
    SCOPES("consented", consented),
    TEXT("federated-issuer", federated_issuer),
    TEXT("federated-subject", federated_subject),
    TEXT("federated-audience", federated_audience),
    CHOICE("managed-identity", managed_identity, identity_names),
    SCOPES("app-roles", app_roles),
    TEXT("app-mailboxes", app_mailboxes),
    CHOICE("app-scope", app_scope, app_scope_names),
    TEXT("shared-mailboxes", shared_mailboxes),
    SWITCH("report-concealed", report_concealed),
    NUMBER("report-life", report_life_s, 0, DAY_MS / 1000),
};

void settings_init(struct settings *s)
{
    *s = (struct settings){.token_life_s = 3599,
                           .upload_life_s = 3600,
                           .max_concurrent = 4,
                           .retry_after_ms = 1000,
                           .retry_grace_ms = 100,
                           .delta_categories = true,
                           .delta_properties = true,
                           .folder_delta_counts = true,
                           .permanent_delete = true,
                           .refresh_life_s = REFRESH_LIFE_S,
                           .code_life_s = 600,
                           .device_life_s = 900,
                           .device_interval_s = 5,
                           .public_client = true,
                           .local_graph = true,
                           .consented = SCOPE_ALL,
                           .federated_audience = "api://AzureADTokenExchange",
                           .app_roles = SCOPE_MAIL_READ_WRITE | SCOPE_MAIL_SEND |
                                        SCOPE_MAILBOX_SETTINGS_READ | SCOPE_USER_READ_ALL |
                                        SCOPE_REPORTS_READ_ALL,
                           .report_life_s = 300};
}

bool settings_app_is_scoped(const struct settings *s)
{
    return s->app_mailboxes[0] && s->app_scope == APP_SCOPE_RBAC;
}

static const struct setting *find(const char *name)
{
    char wanted[SETTING_NAME_MAX];
    size_t len = strlen(name);
    if (len >= sizeof wanted)
        return NULL;
    for (size_t i = 0; i <= len; i++)
        wanted[i] = name[i] == '_' ? '-' : name[i];
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].name, wanted) == 0)
            return &table[i];
    }
    return NULL;
}

static bool set_number(const struct setting *t, int64_t *field, const char *value)
{
    char *end;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    if (errno || end == value || *end || n < t->min || n > t->max)
        return false;
    *field = n;
    return true;
}

static bool set_switch(bool *field, const char *value)
{
    bool on = strcmp(value, "yes") == 0 || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
    bool off = strcmp(value, "no") == 0 || strcmp(value, "false") == 0 || strcmp(value, "0") == 0;
    if (on || off)
        *field = on;
    return on || off;
}

static bool set_choice(const struct setting *t, int *field, const char *value)
{
    for (int i = 0; t->choices[i]; i++) {
        if (strcmp(t->choices[i], value) == 0) {
            *field = i;
            return true;
        }
    }
    return false;
}

static bool set_text(char *field, const char *value)
{
    size_t len = strlen(value);
    if (len >= SETTING_TEXT_MAX)
        return false;
    memcpy(field, value, len + 1);
    return true;
}

static bool set_field(const struct setting *t, void *field, const char *value)
{
    switch (t->kind) {
    case KIND_NUMBER:
        return set_number(t, field, value);
    case KIND_SWITCH:
        return set_switch(field, value);
    case KIND_CHOICE:
        return set_choice(t, field, value);
    case KIND_TEXT:
        return set_text(field, value);
    case KIND_SCOPES:
        return scope_parse(value, field);
    }
    return false;
}

bool settings_set(struct settings *s, const char *name, const char *value, const char **why)
{
    const struct setting *t = find(name);
    if (!t) {
        *why = "there is no setting of this name";
        return false;
    }
    if (set_field(t, (char *)s + t->offset, value))
        return true;
    *why = "the value does not fit this setting";
    return false;
}
