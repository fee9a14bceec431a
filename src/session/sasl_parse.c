#include "sasl_parse.h"

#include <string.h>
#include <strings.h>

#define DIGEST_DIGITS 32
#define KEY_END       '\x01' /* behind each key=value pair of the bearer mechanisms */

bool sasl_parse_plain(char *data, size_t len, const char **name, const char **password)
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

bool sasl_parse_cram_md5(char *data, size_t len, const char **name, const char **digest)
{
    char *space = memrchr(data, ' ', len);
    if (!space || space == data || memchr(data, '\0', len) ||
        strspn(space + 1, "0123456789abcdefABCDEF") != DIGEST_DIGITS ||
        space[1 + DIGEST_DIGITS] != '\0')
        return false;
    *space = '\0';
    *name = data;
    *digest = space + 1;
    return true;
}

/* RFC 6750 section 2.1: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=". Anything else
 * would not go into a header line. */
static bool is_token(const char *text)
{
    size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
    return n > 0 && text[n + strspn(text + n, "=")] == '\0';
}

/* The token of "Bearer TOKEN"; NULL if it is none. The scheme has no case (RFC 9110 section
 * 11.1). */
static char *bearer_token(char *value)
{
    static const char scheme[] = "Bearer ";
    if (strncasecmp(value, scheme, sizeof scheme - 1) != 0)
        return NULL;
    value += sizeof scheme - 1;
    value += strspn(value, " ");
    return is_token(value) ? value : NULL;
}

/* Cuts "key=value^A" off at *rest. NULL: there is none. */
static char *next_pair(char **rest, char **value)
{
    char *pair = *rest, *end = strchr(pair, KEY_END), *equals = strchr(pair, '=');
    if (!end || !equals || equals > end || equals == pair)
        return NULL;
    *equals = *end = '\0';
    *value = equals + 1;
    *rest = end + 1;
    return pair;
}

/* The pairs up to the ^A that ends them, with which the response ends too. `name` NULL: a pair of
 * that name is none of ours. */
static bool parse_pairs(char *rest, const char **name, const char **token)
{
    char *value, *key;
    *token = NULL;
    while (*rest && *rest != KEY_END) {
        key = next_pair(&rest, &value);
        if (!key)
            return false;
        const char **to = strcasecmp(key, "auth") == 0           ? token
                          : name && strcasecmp(key, "user") == 0 ? name
                                                                 : NULL;
        if (!to)
            continue;
        if (*to)
            return false; /* twice */
        *to = to == token ? bearer_token(value) : value;
        if (!*to)
            return false;
    }
    return *token && rest[0] == KEY_END && rest[1] == '\0';
}

bool sasl_parse_xoauth2(char *data, size_t len, const char **name, const char **token)
{
    *name = NULL;
    return !memchr(data, '\0', len) && parse_pairs(data, name, token) && *name && **name;
}

/* RFC 5801 section 4: in a name "=2C" and "=3D" stand for a comma and an equal sign. */
static bool unescape_name(char *name)
{
    char *to = name;
    for (const char *from = name; *from; from++) {
        if (*from != '=') {
            *to++ = *from;
            continue;
        }
        if (strncmp(from, "=2C", 3) != 0 && strncmp(from, "=3D", 3) != 0)
            return false;
        *to++ = from[1] == '2' ? ',' : '=';
        from += 2;
    }
    *to = '\0';
    return true;
}

bool sasl_parse_oauthbearer(char *data, size_t len, const char **name, const char **token)
{
    /* "n,a=NAME," or "y,,": a client that could bind channels ("y") may go on without. */
    if (memchr(data, '\0', len) || (data[0] != 'n' && data[0] != 'y') || data[1] != ',')
        return false;
    char *authzid = data + 2, *comma = strchr(authzid, ',');
    if (!comma || comma[1] != KEY_END)
        return false;
    *comma = '\0';
    *name = "";
    if (*authzid) {
        if (strncmp(authzid, "a=", 2) != 0 || !authzid[2] || !unescape_name(authzid + 2))
            return false;
        *name = authzid + 2;
    }
    return parse_pairs(comma + 2, NULL, token);
}
