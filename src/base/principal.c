#include "postern/base/principal.h"

#include "postern/base/alloc.h"

#include <stddef.h>
#include <string.h>

char *principal_key(const struct principal *who)
{
    if (who->subject)
        return xasprintf("%s\nsubject %s", who->tenant, who->subject);
    if (!who->account)
        return xstrdup(who->tenant);
    char *key = xasprintf("%s\naccount %s", who->tenant, who->account);
    for (char *p = strchr(key, '\n'); *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    return key;
}
