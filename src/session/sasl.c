#include "postern/session/login.h"

#include <string.h>

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
