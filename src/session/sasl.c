#include "postern/session/sasl.h"

#include "sasl_parse.h"

#include "postern/base/clock.h"
#include "postern/base/encode.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* RFC 5034 section 4 asks for 12288; tokens of Entra ID with many claims in them are longer. */
#define SASL_LINE_MAX  24576
#define SASL_TEXT_MAX  (SASL_LINE_MAX / 4 * 3) /* decoded */
#define ERROR_MAX      512                     /* of what session_sasl_refused() says */
#define RANDOM_BYTES   16
#define HOST_NAME_SIZE 65

/* "Username:" and "Password:", as the LOGIN mechanism's clients expect them. */
#define ASK_NAME     "VXNlcm5hbWU6"
#define ASK_PASSWORD "UGFzc3dvcmQ6"

/* One exchange under way. */
struct exchange {
    struct session_conn *conn;
    const char *initial;
    int64_t deadline_ms;
    struct session_exchange *out;
};

/* Sends a challenge and decodes the answer. */
static enum session_sasl ask(const struct exchange *x, const char *challenge, struct buf *out)
{
    char *line;
    size_t len;
    int64_t left = x->deadline_ms - clock_mono_ms();
    session_conn_printf(x->conn, "+ %s\r\n", challenge);
    switch (session_conn_line(x->conn, SASL_LINE_MAX, left > 0 ? left : 0, &line, &len)) {
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
static enum session_sasl first(const struct exchange *x, const char *challenge, struct buf *out)
{
    if (!x->initial)
        return ask(x, challenge, out);
    return strcmp(x->initial, "=") == 0 || base64_decode(x->initial, strlen(x->initial), out)
               ? SESSION_SASL_OK
               : SESSION_SASL_NOT_BASE64;
}

static bool has_nul(const struct buf *b)
{
    return b->len && memchr(b->data, '\0', b->len) != NULL;
}

static enum session_sasl ask_login(const struct exchange *x)
{
    struct buf *name = &x->out->texts[0], *password = &x->out->texts[1];
    enum session_sasl result = first(x, ASK_NAME, name);
    if (result == SESSION_SASL_OK)
        result = ask(x, ASK_PASSWORD, password);
    if (result != SESSION_SASL_OK)
        return result;
    if (!name->len || has_nul(name) || has_nul(password))
        return SESSION_SASL_MALFORMED;
    x->out->credentials.name = name->data;
    x->out->credentials.secret = buf_str(password);
    return SESSION_SASL_OK;
}

/* A response of one message, which `parse` takes apart. */
static enum session_sasl ask_once(const struct exchange *x,
                                  bool (*parse)(char *, size_t, const char **, const char **))
{
    struct session_credentials *c = &x->out->credentials;
    struct buf *text = &x->out->texts[0];
    enum session_sasl result = first(x, "", text);
    if (result == SESSION_SASL_OK &&
        !(text->len && parse(text->data, text->len, &c->name, &c->secret)))
        result = SESSION_SASL_MALFORMED;
    return result;
}

static enum session_sasl ask_plain(const struct exchange *x)
{
    return ask_once(x, sasl_parse_plain);
}

static enum session_sasl ask_xoauth2(const struct exchange *x)
{
    return ask_once(x, sasl_parse_xoauth2);
}

static enum session_sasl ask_oauthbearer(const struct exchange *x)
{
    return ask_once(x, sasl_parse_oauthbearer);
}

static enum session_sasl ask_cram_md5(const struct exchange *x)
{
    struct session_exchange *out = x->out;
    struct buf encoded = BUF_INIT(2 * SESSION_CHALLENGE_SIZE);
    if (x->initial) /* RFC 4954 section 4 and its like: the server speaks first */
        return SESSION_SASL_MALFORMED;
    session_challenge(out->challenge);
    base64_encode(out->challenge, strlen(out->challenge), &encoded);
    enum session_sasl result = ask(x, buf_str(&encoded), &out->texts[0]);
    buf_free(&encoded);
    if (result == SESSION_SASL_OK &&
        !(out->texts[0].len &&
          sasl_parse_cram_md5(out->texts[0].data, out->texts[0].len, &out->credentials.name,
                              &out->credentials.secret)))
        result = SESSION_SASL_MALFORMED;
    out->credentials.challenge = out->challenge;
    return result;
}

static enum session_sasl ask_external(const struct exchange *x)
{
    struct buf *text = &x->out->texts[0];
    enum session_sasl result = first(x, "", text);
    if (result == SESSION_SASL_OK && has_nul(text))
        result = SESSION_SASL_MALFORMED;
    x->out->credentials.name = buf_str(text);
    return result;
}

static const struct mechanism {
    const char *name;
    enum session_proof proof;
    enum session_sasl (*run)(const struct exchange *x);
} mechanisms[] = {
    {"PLAIN", SESSION_PROOF_PASSWORD, ask_plain},
    {"LOGIN", SESSION_PROOF_PASSWORD, ask_login},
    {"CRAM-MD5", SESSION_PROOF_CRAM_MD5, ask_cram_md5},
    {"XOAUTH2", SESSION_PROOF_TOKEN, ask_xoauth2},
    {"OAUTHBEARER", SESSION_PROOF_TOKEN, ask_oauthbearer},
    {"EXTERNAL", SESSION_PROOF_CERTIFICATE, ask_external},
};
#define MECHANISMS (sizeof mechanisms / sizeof *mechanisms)

static const struct mechanism *find(const char *name)
{
    for (size_t i = 0; i < MECHANISMS; i++) {
        if (strcasecmp(name, mechanisms[i].name) == 0)
            return &mechanisms[i];
    }
    return NULL;
}

enum session_sasl session_sasl_ask(struct session_conn *c, enum config_protocol protocol,
                                   const char *name, const char *initial, int64_t deadline_ms,
                                   struct session_exchange *out)
{
    const struct exchange x = {c, initial, deadline_ms, out};
    const struct mechanism *m = find(name);
    memset(out, 0, sizeof *out);
    if (!m || !(session_login_proofs(c, protocol) & 1u << m->proof))
        return SESSION_SASL_UNKNOWN;
    for (size_t i = 0; i < 2; i++) {
        buf_init(&out->texts[i], SASL_TEXT_MAX);
        /* All at once: growing would leave copies of a password behind. */
        buf_reserve(&out->texts[i], SASL_TEXT_MAX);
    }
    out->credentials.mechanism = m->name;
    out->credentials.proof = m->proof;
    return m->run(&x);
}

enum session_sasl session_sasl_refused(struct session_conn *c,
                                       const struct session_exchange *exchange, int64_t deadline_ms)
{
    /* The members of Google's XOAUTH2 and of RFC 7628: a status each of them understands. */
    const char *json = strcmp(exchange->credentials.mechanism, "XOAUTH2") == 0
                           ? "{\"status\":\"401\",\"schemes\":\"Bearer\"}"
                           : "{\"status\":\"invalid_token\"}";
    const struct exchange x = {.conn = c, .deadline_ms = deadline_ms};
    struct buf encoded = BUF_INIT(ERROR_MAX), ignored = BUF_INIT(ERROR_MAX);
    if (exchange->credentials.proof != SESSION_PROOF_TOKEN)
        return SESSION_SASL_OK;
    base64_encode(json, strlen(json), &encoded);
    /* The client's answer (nothing, or ^A) only ends the exchange, whatever it is. */
    enum session_sasl result = ask(&x, buf_str(&encoded), &ignored);
    buf_free(&encoded);
    buf_free(&ignored);
    return result == SESSION_SASL_STOP || result == SESSION_SASL_ENDED ? result : SESSION_SASL_OK;
}

void session_exchange_free(struct session_exchange *exchange)
{
    for (size_t i = 0; i < 2; i++)
        buf_free_secret(&exchange->texts[i]);
}

void session_sasl_list(struct session_conn *c, enum config_protocol protocol, const char *before,
                       const char *after, struct buf *out)
{
    unsigned proofs = session_conn_login_allowed(c) ? session_login_proofs(c, protocol) : 0;
    if (protocol == PROTOCOL_IMAP && !session_conn_tls_active(c))
        proofs &= ~(1u << SESSION_PROOF_PASSWORD);
    for (size_t i = 0; i < MECHANISMS; i++) {
        if (proofs & 1u << mechanisms[i].proof)
            buf_printf(out, "%s%s%s", before, mechanisms[i].name, after);
    }
}

void session_challenge(char out[SESSION_CHALLENGE_SIZE])
{
    uint8_t bytes[RANDOM_BYTES];
    char random[2 * RANDOM_BYTES + 1], host[HOST_NAME_SIZE] = "";
    random_bytes(bytes, sizeof bytes);
    hex_encode(bytes, sizeof bytes, random);
    if (gethostname(host, sizeof host - 1) != 0 || !*host ||
        host[strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.")])
        snprintf(host, sizeof host, "localhost");
    snprintf(out, SESSION_CHALLENGE_SIZE, "<%s@%s>", random, host);
}
