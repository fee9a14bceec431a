#include "token_list.h"

#include "control/control.h"
#include "grid.h"
#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A refresh token that nobody uses for so long is refused (Microsoft identity platform:
 * refresh-tokens); a policy of the tenant may say less. */
#define UNUSED_LIFE_MS ((int64_t)90 * 24 * 3600 * CLOCK_SECOND)
#define SHOWN_MAX      512
#define DAY_LEN        10 /* of "2026-06-01" */

static char *clean(const char *text)
{
    char shown[SHOWN_MAX];
    text_clean(text, shown, sizeof shown);
    return xstrdup(shown);
}

static void add(void *arg, const char *tenant, const char *account, const struct sign_in *s,
                const struct error *e)
{
    struct token_list *l = arg;
    l->rows = xreallocarray(l->rows, l->count + 1, sizeof *l->rows);
    struct token_row *row = &l->rows[l->count++];
    /* The names in a file that cannot be decrypted may be anybody's words. */
    *row = (struct token_row){.tenant = s ? xstrdup(tenant) : clean(tenant),
                              .account = s ? xstrdup(account) : clean(account)};
    if (!s) {
        row->state = "unreadable";
        row->reason = clean(e->text);
        return;
    }
    row->user = s->user ? clean(s->user) : NULL;
    row->since_ms = s->since_ms;
    row->renewed_ms = s->renewed_ms;
    row->expires_ms = s->refresh_token && s->renewed_ms ? s->renewed_ms + UNUSED_LIFE_MS : 0;
    row->state = s->ended || !s->refresh_token ? "needs-login" : "good";
    row->reason = clean(s->ended ? s->ended : "");
}

static const char *text_of(struct json_object *object, const char *name)
{
    struct json_object *member;
    const char *text = json_object_object_get_ex(object, name, &member) && member
                           ? json_object_get_string(member)
                           : NULL;
    return text ? text : "";
}

/* What the service sees of one that looks good here. */
static void add_live_state(struct token_row *row, struct json_object *identities)
{
    for (size_t i = 0; i < json_object_array_length(identities); i++) {
        struct json_object *identity = json_object_array_get_idx(identities, i);
        const char *state = text_of(identity, "state");
        if (strcmp(text_of(identity, "tenant"), row->tenant) != 0 ||
            strcasecmp(text_of(identity, "account"), row->account) != 0)
            continue;
        if (strcmp(state, "failing") == 0)
            row->state = "failing";
        else if (strcmp(state, "needs-login") == 0)
            row->state = "needs-login";
        else
            return;
        free(row->reason);
        row->reason = clean(text_of(identity, "reason"));
    }
}

static void ask_service(const struct config *c, struct token_list *l)
{
    const char *request[] = {"status", NULL};
    struct json_object *status = NULL, *identities = NULL;
    struct error nobody = ERROR_INIT;
    if (control_ask(c->state_dir, request, &status, &nobody) != CONTROL_ANSWERED)
        return;
    if (json_object_object_get_ex(status, "identities", &identities) &&
        json_object_is_type(identities, json_type_array)) {
        for (size_t i = 0; i < l->count; i++) {
            if (strcmp(l->rows[i].state, "good") == 0)
                add_live_state(&l->rows[i], identities);
        }
    }
    json_object_put(status);
}

static int by_name(const void *a, const void *b)
{
    const struct token_row *x = a, *y = b;
    int order = strcmp(x->tenant, y->tenant);
    return order ? order : strcmp(x->account, y->account);
}

bool token_list_read(const struct config *c, struct store_vault *v, struct token_list *out,
                     struct error *e)
{
    *out = (struct token_list){0};
    if (!store_vault_each(v, add, out, e))
        return false;
    if (out->count > 0)
        qsort(out->rows, out->count, sizeof *out->rows, by_name);
    ask_service(c, out);
    return true;
}

void token_list_free(struct token_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct token_row *row = &l->rows[i];
        free(row->tenant);
        free(row->account);
        free(row->user);
        free(row->reason);
    }
    free(l->rows);
    *l = (struct token_list){0};
}

static void put_day(struct grid *g, int64_t ms)
{
    char day[CLOCK_ISO_SIZE];
    clock_format_iso(ms, day);
    day[DAY_LEN] = '\0';
    grid_put(g, ms ? day : "-");
}

static void put_name(struct grid *g, const char *name)
{
    grid_put(g, name && *name ? name : "-");
}

void token_list_print(const struct token_list *l, FILE *out)
{
    static const struct grid_column columns[] = {
        {"TENANT", 8, false}, {"ACCOUNT", 16, false}, {"SIGNED IN", 16, false},
        {"SINCE", 0, false},  {"RENEWED", 0, false},  {"EXPIRES UNUSED", 0, false},
        {"STATE", 0, false}};
    if (l->count == 0) {
        fputs("Nobody has signed in with postern login.\n", out);
        return;
    }
    struct grid *g = grid_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < l->count; i++) {
        const struct token_row *row = &l->rows[i];
        put_name(g, row->tenant);
        put_name(g, row->account);
        put_name(g, row->user);
        put_day(g, row->since_ms);
        put_day(g, row->renewed_ms);
        put_day(g, row->expires_ms);
        grid_put(g, row->state);
    }
    grid_print(g, grid_terminal_width(out), out);
    grid_free(&g);
    for (size_t i = 0; i < l->count; i++) {
        if (*l->rows[i].reason)
            fprintf(out, "\n%s: %s\n", *l->rows[i].account ? l->rows[i].account : "unknown",
                    l->rows[i].reason);
    }
}

static void add_text(struct json_object *to, const char *name, const char *text)
{
    json_object_object_add(to, name, text && *text ? json_object_new_string(text) : NULL);
}

static void add_time(struct json_object *to, const char *name, int64_t ms)
{
    char text[CLOCK_ISO_SIZE];
    clock_format_iso(ms, text);
    add_text(to, name, ms ? text : NULL);
}

void token_list_print_json(const struct token_list *l, FILE *out)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < l->count; i++) {
        const struct token_row *row = &l->rows[i];
        struct json_object *object = json_object_new_object();
        add_text(object, "tenant", row->tenant);
        add_text(object, "account", row->account);
        add_text(object, "user", row->user);
        add_time(object, "since", row->since_ms);
        add_time(object, "renewed", row->renewed_ms);
        add_time(object, "expires", row->expires_ms);
        add_text(object, "state", row->state);
        add_text(object, "reason", row->reason);
        json_object_array_add(list, object);
    }
    fprintf(out, "%s\n",
            json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY |
                                                     JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(list);
}
