/* What must hold for a login section, whichever file it stands in. */
#include "config_check.h"

#include "postern/base/encode.h"

#include <crypt.h>
#include <string.h>
#include <strings.h>

/* Characters of the shortest digest of a strong crypt(3) method. */
#define PASSWORD_DIGEST_MIN 22
#define DEVICE_SECRET_MIN   16

/* A crypt(3) hash of a method that the system knows, digest included. */
static bool is_password_hash(const char *text)
{
    const char *digest = strrchr(text, '$');
    int verdict = crypt_checksalt(text);
    return text[0] == '$' && digest > text && strlen(digest + 1) >= PASSWORD_DIGEST_MIN &&
           (verdict == CRYPT_SALT_OK || verdict == CRYPT_SALT_METHOD_LEGACY);
}

static bool is_mailbox(const char *text)
{
    return strchr(text, '@') || guid_is(text);
}

/* The digests of CRAM-MD5 and APOP can be tried out at leisure by whoever hears one. */
static void check_device_secret(const struct config_login *l, const struct config_section *s,
                                struct config_report *r)
{
    if (l->device_secret && is_password_hash(l->device_secret))
        config_fault(r, line_of(s, "device-secret"),
                     "'device-secret' must be the secret itself, which the device has too; a hash "
                     "of it is of no use");
    else if (l->device_secret && strlen(l->device_secret) < DEVICE_SECRET_MIN)
        config_warning(r, line_of(s, "device-secret"),
                       "a 'device-secret' of less than %d characters can be found out by whoever "
                       "listens to one login",
                       DEVICE_SECRET_MIN);
}

/* 64 lower-case hexadecimal digits of a fingerprint with or without colons, in place. */
static bool tidy_fingerprint(char *text)
{
    uint8_t digest[SHA256_SIZE];
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != ':')
            *to++ = *from;
    }
    *to = '\0';
    if (strlen(text) != 2 * sizeof digest || !hex_decode(text, 2 * sizeof digest, digest))
        return false;
    hex_encode(digest, sizeof digest, text);
    return true;
}

static void check_fingerprints(const struct config *c, struct config_login *l,
                               const struct config_section *s, struct config_report *r)
{
    int line = line_of(s, "certificate-fingerprint");
    bool asked = false;
    for (size_t i = 0; i < l->fingerprint_count; i++) {
        if (!tidy_fingerprint(l->fingerprints[i]))
            config_fault(r, line,
                         "'certificate-fingerprint' must be SHA-256, 64 hexadecimal digits, as "
                         "openssl x509 -noout -fingerprint -sha256 prints it");
    }
    for (size_t i = 0; i < c->listener_count; i++)
        asked |= c->listeners[i].client_certificates;
    if (l->fingerprint_count && !asked)
        config_warning(r, line,
                       "no listener has client-certificates = yes, so nobody is asked for the "
                       "certificate of login \"%s\"",
                       l->name);
}

static void check_login(const struct config *c, struct config_login *l,
                        const struct config_section *s, bool whole, struct config_report *r)
{
    const char *tenant = value_of(s, "tenant");
    for (size_t i = 0; tenant && i < c->tenant_count; i++) {
        if (strcmp(c->tenants[i].name, tenant) == 0)
            l->tenant = &c->tenants[i];
    }
    if (tenant && !l->tenant && whole)
        config_fault(r, line_of(s, "tenant"), "there is no tenant \"%.*s\"", NAME_SHOWN, tenant);
    if (!l->name[0])
        config_fault(r, s->line, "a login needs a name: login \"name\" { … }");
    if (l->mailbox && !is_mailbox(l->mailbox))
        config_warning(r, line_of(s, "mailbox"),
                       "'%.*s' looks like neither a user principal name (alerts@contoso.com) nor "
                       "an object id",
                       NAME_SHOWN, l->mailbox);
    if (!l->password && !l->device_secret && !l->fingerprint_count &&
        !(l->tenant && l->tenant->allow_client_tokens))
        config_fault(r, s->line, "login \"%s\" needs a 'password'", l->name);
    if (l->password && !is_password_hash(l->password))
        config_fault(r, line_of(s, "password"),
                     "'password' must be a crypt(3) hash, not the password itself; run: postern "
                     "passwd %.*s",
                     NAME_SHOWN, l->name);
    if (l->account && l->tenant && l->tenant->flow == FLOW_PASSWORD && l->tenant->account &&
        strcasecmp(l->account, l->tenant->account) != 0)
        config_fault(r, line_of(s, "account"),
                     "tenant \"%s\" has the password of one account, '%.*s'; leave 'account' out",
                     l->tenant->name, NAME_SHOWN, l->tenant->account);
    check_device_secret(l, s, r);
    check_fingerprints(c, l, s, r);
    if (l->expunge == EXPUNGE_PERMANENT && l->tenant && !l->tenant->permanent_delete)
        config_fault(r, line_of(s, "expunge"),
                     "expunge = permanent works in the global cloud only; use recoverable");
}

/* Those of one file are told apart by the parser. */
static void check_repeated(const struct config *c, const struct config_login *l,
                           struct config_report *r)
{
    for (const struct config_login *other = c->logins; other < l; other++) {
        if (other->in_logins_file != l->in_logins_file && strcmp(other->name, l->name) == 0)
            config_fault(r, l->line, "login \"%.*s\" stands in %s too (line %d)", NAME_SHOWN,
                         l->name, c->path, other->line);
    }
}

void config_check_logins(struct config *c, const struct config_tree *tree, size_t first, bool whole,
                         struct config_report *r)
{
    for (size_t i = SECTION_FIRST_TITLED; i < tree->count; i++) {
        if (tree->sections[i].kind != SECTION_LOGIN)
            continue;
        check_login(c, &c->logins[first], &tree->sections[i], whole, r);
        check_repeated(c, &c->logins[first++], r);
    }
}
