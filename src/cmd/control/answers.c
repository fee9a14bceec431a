#include "answers.h"

#include "config.h"

#include <signal.h>
#include <unistd.h>

static void add_text(struct json_object *to, const char *name, const char *text)
{
    json_object_object_add(to, name, text ? json_object_new_string(text) : NULL);
}

static void add_number(struct json_object *to, const char *name, int64_t number)
{
    json_object_object_add(to, name, json_object_new_int64(number));
}

static void add_identity(struct json_object *to, const struct admin_identity *from)
{
    struct json_object *identity = json_object_new_object();
    add_text(identity, "tenant", from->tenant);
    add_text(identity, "account", from->account);
    add_text(identity, "state", admin_state_name(from->state));
    add_text(identity, "reason", from->reason);
    add_number(identity, "token_seconds", from->token_seconds);
    json_object_array_add(to, identity);
}

static bool tell_status(void *arg, char *const *words, struct json_object *answer, struct wait *w,
                        struct error *e)
{
    struct answers *a = arg;
    struct json_object *identities = json_object_new_array();
    struct admin_snapshot now;
    (void)words;
    (void)w;
    (void)e;
    admin_snapshot_take(&a->sources, &now);
    add_text(answer, "version", PACKAGE_VERSION);
    add_number(answer, "pid", getpid());
    add_number(answer, "uptime_seconds", now.uptime_seconds);
    add_number(answer, "sessions", now.sessions);
    add_text(answer, "key_file", store_vault_key_path(a->vault));
    for (size_t i = 0; i < now.identity_count; i++)
        add_identity(identities, &now.identities[i]);
    admin_snapshot_free(&now);
    json_object_object_add(answer, "identities", identities);
    return true;
}

static bool take_sign_in(void *arg, char *const *words, struct json_object *answer, struct wait *w,
                         struct error *e)
{
    struct answers *a = arg;
    (void)answer;
    (void)w;
    (void)e;
    graph_client_sign_in_changed(a->sources.graph, words[0], words[1]);
    return true;
}

static bool note_clients(void *arg, char *const *words, struct json_object *answer, struct wait *w,
                         struct error *e)
{
    struct answers *a = arg;
    (void)words;
    (void)answer;
    (void)w;
    (void)e;
    session_server_note_clients(a->sources.server);
    return true;
}

/* One that runs just now may have read the old configuration, so it does not count. */
static bool reload(void *arg, char *const *words, struct json_object *answer, struct wait *w,
                   struct error *e)
{
    struct answers *a = arg;
    unsigned want = atomic_load(&a->reloads_begun) + 1;
    (void)words;
    (void)answer;
    kill(getpid(), SIGHUP);
    while ((int)(atomic_load(&a->reloads_ended) - want) < 0) {
        if (!wait_sleep(w, e))
            return error_prefix(e, "while reloading: ");
    }
    return atomic_load(&a->reload_worked) ||
           error_set(e, ERROR_LOCAL,
                     "the configuration was not reloaded, the old one stays in force; postern "
                     "check, or the log, tells why");
}

const struct control_handler answers_table[] = {
    {"status", 0, tell_status},
    {"sign-in-changed", 2, take_sign_in},
    {"note-clients", 0, note_clients},
    {"reload", 0, reload},
    {NULL, 0, NULL},
};
