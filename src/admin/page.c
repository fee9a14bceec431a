#include "views.h"

#include "config.h"
#include "postern/base/encode.h"
#include "postern/base/text.h"

#include <inttypes.h>
#include <string.h>

static void put_text(struct buf *out, const char *text)
{
    char clean[ERROR_TEXT_MAX];
    text_clean(text, clean, sizeof clean);
    html_escape(clean, out);
}

static void put_cell(struct buf *out, const char *text)
{
    buf_puts(out, "<td>");
    put_text(out, text);
    buf_puts(out, "</td>");
}

/* One word of a shell's command line, to be pasted. */
static void put_word(struct buf *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "@._+-";
    if (*text && *text != '-' && !text[strspn(text, plain)]) {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '\'');
    for (; *text; text++)
        buf_puts(out, *text == '\'' ? "'\\''" : (char[]){*text, '\0'});
    buf_putc(out, '\'');
}

/* Does a person mend it by signing in here? */
static bool is_for_login(const struct config *config, const struct admin_identity *identity)
{
    for (size_t i = 0; i < config->tenant_count; i++) {
        const struct config_tenant *t = &config->tenants[i];
        if (strcmp(t->name, identity->tenant) == 0)
            return identity->account &&
                   (t->flow == FLOW_DEVICE_CODE || t->flow == FLOW_AUTHORIZATION_CODE);
    }
    return false;
}

static void put_command(struct buf *out, const struct config *config,
                        const struct admin_identity *identity)
{
    struct buf command = BUF_INIT(ERROR_TEXT_MAX);
    if (is_for_login(config, identity)) {
        buf_puts(&command, "postern login ");
        if (config->tenant_count > 1) {
            buf_puts(&command, "--tenant ");
            put_word(&command, identity->tenant);
            buf_putc(&command, ' ');
        }
        put_word(&command, identity->account);
    } else {
        buf_puts(&command, "postern doctor");
    }
    /* Half a command is worse than none. */
    if (!command.overflow) {
        buf_puts(out, "<br>run: <code>");
        put_text(out, buf_str(&command));
        buf_puts(out, "</code>");
    }
    buf_free(&command);
}

static void put_identities(struct buf *out, const struct admin_snapshot *s,
                           const struct config *config)
{
    buf_puts(out, "<h2>Identities towards Microsoft 365</h2>\n<table>\n<tr><th>Tenant</th>"
                  "<th>Account</th><th>State</th><th>What to do</th></tr>\n");
    for (size_t i = 0; i < s->identity_count; i++) {
        const struct admin_identity *identity = &s->identities[i];
        bool needs_login = identity->state == GRAPH_IDENTITY_NEEDS_LOGIN;
        buf_puts(out, "<tr>");
        put_cell(out, identity->tenant);
        put_cell(out, identity->account ? identity->account : "the application");
        put_cell(out, needs_login ? "needs login" : admin_state_name(identity->state));
        buf_puts(out, "<td>");
        put_text(out, identity->reason);
        if (needs_login)
            put_command(out, config, identity);
        buf_puts(out, "</td></tr>\n");
    }
    buf_puts(out, "</table>\n");
}

static void put_listeners(struct buf *out, const struct config *config)
{
    static const char *const tls[] = {
        [TLS_NONE] = "none", [TLS_STARTTLS] = "starttls", [TLS_IMPLICIT] = "implicit"};
    buf_puts(out, "<h2>Listeners</h2>\n<table>\n<tr><th>Name</th><th>Protocol</th>"
                  "<th>Address</th><th>TLS</th></tr>\n");
    for (size_t i = 0; i < config->listener_count; i++) {
        const struct config_listener *l = &config->listeners[i];
        buf_puts(out, "<tr>");
        put_cell(out, l->name);
        put_cell(out, l->protocol == PROTOCOL_POP3 ? "POP3" : "IMAP");
        put_cell(out, l->address);
        put_cell(out, tls[l->tls]);
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out, "</table>\n");
}

void admin_page(struct buf *out, const struct admin_snapshot *s, const struct config *config)
{
    int64_t minutes = s->uptime_seconds / 60;
    buf_puts(out, "<!DOCTYPE html>\n"
                  "<html lang=\"en\">\n"
                  "<head>\n"
                  "<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<title>Postern</title>\n"
                  "<style>\n"
                  ":root { color-scheme: light dark; }\n"
                  "body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; "
                  "max-width: 60rem; padding: 0 1.5rem; }\n"
                  "table { border-collapse: collapse; }\n"
                  "th, td { padding: .2rem 1.5rem .2rem 0; text-align: left; "
                  "vertical-align: top; overflow-wrap: anywhere; }\n"
                  "</style>\n"
                  "</head>\n"
                  "<body>\n"
                  "<h1>Postern</h1>\n");
    buf_printf(out,
               "<p>Version %s, up for %" PRId64 " d %" PRId64 " h %" PRId64 " min; "
               "sessions of clients: %u.</p>\n",
               PACKAGE_VERSION, minutes / (24 * 60), minutes / 60 % 24, minutes % 60, s->sessions);
    put_identities(out, s, config);
    put_listeners(out, config);
    buf_puts(out, "<p><a href=\"/health\">health</a>, <a href=\"/metrics\">metrics</a></p>\n"
                  "</body>\n</html>\n");
}
