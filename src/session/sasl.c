#include "postern/session/login.h"

#include "postern/base/clock.h"
#include "postern/base/encode.h"

#include <string.h>
#include <strings.h>

#define SASL_LINE_MAX 12288 /* RFC 5034 section 4 */
#define SASL_TEXT_MAX 9216  /* decoded */

/* "Username:" and "Password:", as the LOGIN mechanism's clients expect them. */
#define ASK_NAME     "VXNlcm5hbWU6"
#define ASK_PASSWORD "UGFzc3dvcmQ6"

bool session_sasl_plain(char *data, size_t len, const char **name, const char **password)
{
    char *end = data + len;
    char *authcid = memchr(data, '\0', len);
    char *secret = authcid ? memchr(authcid + 1, '\0', (size_t)(end - authcid - 1)) : NULL;
    if (!secret)
        return false;
    authcid++;
    secret++;
    /* RFC 4616 section 2: neither is empty, and a password holds no NUL. */
    if (!*authcid || !*secret || memchr(secret, '\0', (size_t)(end - secret)))
        return false;
    if (*data && strcmp(data, authcid) != 0)
        return false;
    *name = authcid;
    *password = secret;
    return true;
}

/* Sends a challenge and decodes the answer. */
static enum session_sasl ask(struct session_conn *c, const char *challenge, int64_t deadline_ms,
                             struct buf *out)
{
    char *line;
    size_t len;
    int64_t left = deadline_ms - clock_mono_ms();
    session_conn_printf(c, "+ %s\r\n", challenge);
    switch (session_conn_line(c, SASL_LINE_MAX, left > 0 ? left : 0, &line, &len)) {
    case SESSION_LINE_OK:
        break;
    case SESSION_LINE_TOO_LONG:
    case SESSION_LINE_NUL:
        return SESSION_SASL_NOT_BASE64;
    case SESSION_LINE_STOP:
        return SESSION_SASL_STOP;
    default:
        return SESSION_SASL_ENDED;
    }
    if (strcmp(line, "*") == 0)
        return SESSION_SASL_CANCELLED;
    return base64_decode(line, len, out) ? SESSION_SASL_OK : SESSION_SASL_NOT_BASE64;
}

/* The first response: the one that came with the command, else asked for. */
static enum session_sasl first(struct session_conn *c, const char *initial, const char *challenge,
                               int64_t deadline_ms, struct buf *out)
{
    if (!initial)
        return ask(c, challenge, deadline_ms, out);
    return strcmp(initial, "=") == 0 || base64_decode(initial, strlen(initial), out)
               ? SESSION_SASL_OK
               : SESSION_SASL_NOT_BASE64;
}

static bool has_nul(const struct buf *b)
{
    return memchr(b->data, '\0', b->len) != NULL;
}

static enum session_sasl ask_login(struct session_conn *c, const char *initial, int64_t deadline_ms,
                                   struct session_credentials *out)
{
    struct buf *name = &out->texts[0], *password = &out->texts[1];
    enum session_sasl result = first(c, initial, ASK_NAME, deadline_ms, name);
    if (result == SESSION_SASL_OK)
        result = ask(c, ASK_PASSWORD, deadline_ms, password);
    if (result != SESSION_SASL_OK)
        return result;
    if (!name->len || has_nul(name) || has_nul(password))
        return SESSION_SASL_MALFORMED;
    out->name = name->data;
    out->password = password->data;
    return SESSION_SASL_OK;
}

enum session_sasl session_sasl_ask(struct session_conn *c, const char *mechanism,
                                   const char *initial, int64_t deadline_ms,
                                   struct session_credentials *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < 2; i++) {
        buf_init(&out->texts[i], SASL_TEXT_MAX);
        /* All at once: growing would leave copies of a password behind. */
        buf_reserve(&out->texts[i], SASL_TEXT_MAX);
    }
    if (strcasecmp(mechanism, "LOGIN") == 0)
        return ask_login(c, initial, deadline_ms, out);
    if (strcasecmp(mechanism, "PLAIN") != 0)
        return SESSION_SASL_UNKNOWN;
    struct buf *text = &out->texts[0];
    enum session_sasl result = first(c, initial, "", deadline_ms, text);
    if (result == SESSION_SASL_OK &&
        !session_sasl_plain(text->data, text->len, &out->name, &out->password))
        result = SESSION_SASL_MALFORMED;
    return result;
}

void session_credentials_free(struct session_credentials *credentials)
{
    for (size_t i = 0; i < 2; i++)
        buf_free_secret(&credentials->texts[i]);
}
