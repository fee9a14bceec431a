/*
 * postern serve: builds the service from the bottom layer up, waits for signals, takes it down
 * from the top.
 */
#include "cmd.h"
#include "confine.h"
#include "control/answers.h"
#include "housekeeper.h"
#include "identity.h"
#include "logins_watch.h"

#include "postern/admin/admin.h"
#include "postern/base/clock.h"
#include "postern/base/file.h"
#include "postern/graph/client.h"
#include "postern/imap/imap.h"
#include "postern/mailbox/account.h"
#include "postern/pop3/pop3.h"
#include "postern/session/inventory.h"
#include "postern/session/server.h"
#include "postern/store/body_cache.h"
#include "postern/store/state.h"
#include "process.h"
#include "weak.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Clients give up after a minute or so; what is read for nobody in particular may take its time. */
#define PATIENCE_MS   (45 * CLOCK_SECOND)
#define BACKGROUND_MS (300 * CLOCK_SECOND)
#define PROTOCOLS     2
#define JSON_MAX      ((size_t)32 << 20) /* a page of 500 messages is about 1 MB */

static const char usage[] =
    "usage: postern serve [-c FILE]\n"
    "Serves in the foreground until SIGTERM or SIGINT; SIGHUP reads the configuration anew.\n";

/* The running service, lowest layer first. */
struct service {
    const char *path;
    int signal_fd;
    struct logins_watch *watch;
    struct config *config;
    struct identity identity;
    struct store_lock *lock;
    struct store_cache *cache;
    struct store_vault *vault;
    struct graph_client *graph;
    struct mailbox_registry *mailboxes;
    struct session_protocol protocols[PROTOCOLS];
    struct inventory *inventory;
    struct session_server *server;
    struct housekeeper *housekeeper;
    struct answers answers;
    struct control *control;
    struct admin *admin;
};

static bool open_log(const struct config *c, struct error *e)
{
    const struct log_settings settings = {c->log.level, c->log.format, c->log.target};
    return log_open(&settings, e);
}

static void log_weakness(void *arg, int line, const char *text)
{
    const struct config *c = arg;
    log_warning("%s:%d: %s", c->path, line, text);
}

static void log_unreadable(void *arg, const char *path, const char *user)
{
    (void)arg;
    log_warning("%s cannot be read by user \"%s\": the next reload will fail; give that user or "
                "its group the right to read it",
                path, user);
}

/* What is on disk, made and opened as the user that the service becomes. */
static bool open_state(struct service *s, struct error *e)
{
    const struct config *c = s->config;
    return (s->lock = store_state_lock(c->state_dir, e)) &&
           (s->cache = store_cache_open(c->state_dir, c->cache_max_size, e)) &&
           (s->vault = store_vault_open(c->state_dir, c->key_file, c->path, false, e)) &&
           (s->inventory = inventory_new(c->state_dir, c->client_retention_ms));
}

/* Keys and ports: the part that may need root. */
static bool open_doors(struct service *s, struct error *e)
{
    const struct config *c = s->config;
    const struct graph_settings graph = {.request_timeout_ms = c->limits.request_timeout_ms,
                                         .patience_ms = PATIENCE_MS,
                                         .background_ms = BACKGROUND_MS,
                                         .max_json = JSON_MAX,
                                         .max_message = c->limits.max_message_size};
    const struct mailbox_settings mailboxes = {.state_dir = c->state_dir,
                                               .read_ahead = c->limits.read_ahead,
                                               .poll_interval_ms = c->poll_interval_ms};
    if (!(s->graph = graph_client_start(&graph, e)))
        return false;
    graph_client_set_vault(s->graph, store_vault_functions(s->vault));
    if (!graph_client_configure(s->graph, c, e))
        return false;
    s->mailboxes = mailbox_registry_new(s->graph, s->cache, &mailboxes);
    s->server = session_server_new(s->protocols, PROTOCOLS, s->mailboxes, s->inventory);
    return session_server_configure(s->server, s->config, e);
}

/* As root where it was started so, but for what is on disk. */
static bool take_hold(struct service *s, struct error *e)
{
    const struct config *c = s->config;
    if (!identity_find(c, &s->identity, e) || !identity_give(&s->identity, c, e) ||
        !identity_assume(&s->identity, e))
        return false;
    bool ok = open_log(c, e) && file_make_private_dir(c->state_dir, e);
    if (ok) {
        process_raise_files(c);
        weak_each(c, log_weakness, s->config);
        confine_writes(c);
        ok = open_state(s, e);
    }
    identity_resume(&s->identity);
    if (!ok || !open_doors(s, e))
        return false;
    identity_each_unreadable(&s->identity, s->config, log_unreadable, NULL);
    return identity_drop(&s->identity, s->config, e);
}

static bool start(struct service *s, struct error *e)
{
    const struct config *c = s->config;
    if ((s->signal_fd = process_signals()) < 0)
        return error_set(e, ERROR_LOCAL, "cannot take signals: %s", strerror(errno));
    if (!(s->watch = logins_watch_new(s->signal_fd, e)))
        return false;
    logins_watch_begin(s->watch, c->logins_file);
    if (!take_hold(s, e))
        return false;
    process_settle();
    if (!(s->housekeeper = housekeeper_start(s->graph, s->mailboxes, s->inventory, s->server, e)))
        return false;
    mailbox_registry_warm(s->mailboxes, s->config);
    s->answers.vault = s->vault;
    s->answers.sources = (struct admin_sources){s->graph, s->server, clock_mono_ms()};
    s->admin = admin_new(&s->answers.sources);
    if (!admin_configure(s->admin, s->config, e))
        return false;
    s->control = control_start(c->state_dir, answers_table, &s->answers, e);
    return s->control != NULL;
}

/* Also after a start that failed half way. */
static void stop(struct service *s)
{
    admin_free(&s->admin);
    control_stop(&s->control);
    if (s->server)
        session_server_stop(s->server);
    housekeeper_stop(&s->housekeeper);
    if (s->graph)
        graph_client_cancel_all(s->graph);
    session_server_free(&s->server);
    inventory_free(&s->inventory);
    mailbox_registry_free(&s->mailboxes);
    graph_client_stop(&s->graph);
    store_vault_close(&s->vault);
    store_cache_close(&s->cache);
    store_state_unlock(&s->lock);
    logins_watch_free(&s->watch);
    if (s->signal_fd >= 0)
        close(s->signal_fd);
}

/* Line 0 is the file as a whole. */
static void log_fault(void *arg, const char *file, int line, const char *text)
{
    (void)arg;
    if (line > 0)
        log_error("%s:%d: %s", file, line, text);
    else
        log_error("%s: %s", file, text);
}

static void log_remark(void *arg, const char *file, int line, const char *text)
{
    (void)arg;
    if (line > 0)
        log_warning("%s:%d: %s", file, line, text);
    else
        log_warning("%s: %s", file, text);
}

static void warn_of_restart(const struct config *old, const struct config *new)
{
    const struct {
        const char *name;
        bool differs;
    } fixed[] = {
        {"state-dir", strcmp(old->state_dir, new->state_dir) != 0},
        {"key-file",
         strcmp(old->key_file ? old->key_file : "", new->key_file ? new->key_file : "") != 0},
        {"request-timeout", old->limits.request_timeout_ms != new->limits.request_timeout_ms},
        {"max-message-size", old->limits.max_message_size != new->limits.max_message_size},
        {"read-ahead", old->limits.read_ahead != new->limits.read_ahead},
    };
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        if (fixed[i].differs)
            log_warning("the setting %s was changed; that acts at the next start", fixed[i].name);
    }
}

/* SIGHUP. What cannot be taken over as a whole is not taken over at all. */
static bool reload(struct service *s)
{
    struct error e = ERROR_INIT;
    struct config *new = config_load(s->path, log_fault, log_remark, NULL);
    if (!new) {
        log_error("the configuration was not reloaded; the old one stays in force");
        return false;
    }
    if (!graph_client_configure(s->graph, new, &e) || !admin_configure(s->admin, new, &e) ||
        !session_server_configure(s->server, new, &e)) {
        struct error ignored = ERROR_INIT;
        log_error_value(LOG_LEVEL_ERROR, &e, "the configuration was not reloaded");
        graph_client_configure(s->graph, s->config, &ignored);
        admin_configure(s->admin, s->config, &ignored);
        config_unref(&new);
        return false;
    }
    if (!open_log(new, &e))
        log_error_value(LOG_LEVEL_ERROR, &e, "the log stays where it was");
    store_cache_set_max(s->cache, new->cache_max_size);
    inventory_set_retention(s->inventory, new->client_retention_ms);
    mailbox_registry_set_poll_interval(s->mailboxes, new->poll_interval_ms);
    warn_of_restart(s->config, new);
    weak_each(new, log_weakness, new);
    mailbox_registry_warm(s->mailboxes, new);
    config_unref(&s->config);
    s->config = new;
    logins_watch_begin(s->watch, new->logins_file);
    log_info("the configuration was reloaded: %zu login%s", new->login_count,
             new->login_count == 1 ? "" : "s");
    return true;
}

/* The logins-file was changed by itself. */
static void reload_logins(struct service *s)
{
    struct config *new = config_reload_logins(s->config, log_fault, NULL);
    if (!new) {
        log_error("%s was changed and not reloaded; the logins from before stay in force",
                  s->config->logins_file);
        return;
    }
    session_server_set_logins(s->server, new);
    mailbox_registry_warm(s->mailboxes, new);
    config_unref(&s->config);
    s->config = new;
    log_info("%s was reloaded: %zu login%s", new->logins_file, new->login_count,
             new->login_count == 1 ? "" : "s");
}

/* Until SIGTERM, SIGINT, or a failure of accept that does not pass. */
static bool run(struct service *s, struct error *e)
{
    while (session_server_accept(s->server, logins_watch_fd(s->watch), e)) {
        if (logins_watch_changed(s->watch))
            reload_logins(s);
        int signal = process_next_signal(s->signal_fd);
        if (signal == SIGHUP) {
            atomic_fetch_add(&s->answers.reloads_begun, 1);
            process_notify_reloading();
            atomic_store(&s->answers.reload_worked, reload(s));
            process_notify_ready();
            atomic_fetch_add(&s->answers.reloads_ended, 1);
            control_wake(s->control);
        } else if (signal) {
            log_info("%s: stopping", signal == SIGTERM ? "SIGTERM" : "SIGINT");
            return true;
        }
    }
    return false;
}

int cmd_serve(int argc, char **argv)
{
    struct cmd_arguments arguments;
    struct error e = ERROR_INIT;
    enum cmd_parsed parsed = cmd_parse(argc, argv, usage, 0, 0, &arguments);
    if (parsed != CMD_GO_ON)
        return cmd_exit_code(parsed);
    process_harden();
    struct service service = {
        .path = arguments.config, .signal_fd = -1, .protocols = {pop3_protocol, imap_protocol}};
    service.config = cmd_load_config(arguments.config);
    if (!service.config)
        return EX_CONFIG;

    bool ok = start(&service, &e);
    if (ok) {
        size_t logins = service.config->login_count, listeners = service.config->listener_count;
        log_info("serving: %zu login%s, %zu listener%s", logins, logins == 1 ? "" : "s", listeners,
                 listeners == 1 ? "" : "s");
        process_notify_ready();
        ok = run(&service, &e);
    }
    process_notify_stopping();
    if (!ok)
        log_error_value(LOG_LEVEL_ERROR, &e, "cannot serve");
    stop(&service);
    config_unref(&service.config);
    if (ok)
        log_info("stopped");
    return ok ? EX_OK : EX_UNAVAILABLE;
}
