#include "user_name.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The last '/' or '\' before `end`; NULL if there is none. */
static const char *last_separator(const char *name, const char *end)
{
    while (end > name) {
        if (*--end == '/' || *end == '\\')
            return end;
    }
    return NULL;
}

const char *user_name_mailbox(const char *name)
{
    const char *separator = last_separator(name, name + strlen(name));
    return separator ? separator + 1 : name;
}

/* How well `asked` names a mailbox: 2 as a whole, 1 by its part before the '@', else 0. */
static int match(const char *mailbox, const char *asked)
{
    size_t len = strlen(asked);
    if (!len || strncasecmp(mailbox, asked, len) != 0)
        return 0;
    return mailbox[len] == '\0' ? 2 : mailbox[len] == '@';
}

/* The mailbox of the login that is asked for; NULL: none, or more than one by its first part. */
static const char *find_mailbox(const struct config_login *l, const char *asked)
{
    const char *found = NULL;
    unsigned partly = 0;
    for (size_t i = 0; i <= l->mailbox_count; i++) {
        const char *mailbox = i < l->mailbox_count ? l->mailboxes[i] : l->mailbox;
        int how = match(mailbox, asked);
        if (how == 2)
            return mailbox;
        /* The login's own may stand in its list too. */
        if (how == 1 && !(found && strcasecmp(found, mailbox) == 0)) {
            found = mailbox;
            partly++;
        }
    }
    return partly == 1 ? found : NULL;
}

bool user_name_opens(const struct config_login *l, const char *mailbox)
{
    bool opens = match(l->mailbox, mailbox) == 2;
    for (size_t i = 0; !opens && i < l->mailbox_count; i++)
        opens = match(l->mailboxes[i], mailbox) == 2;
    return opens;
}

/* The login whose title is the text from `name` to `end`. */
static const struct config_login *find_login(const struct config *c, const char *name,
                                             const char *end)
{
    char *title = xstrndup(name, (size_t)(end - name));
    const struct config_login *l = config_find_login(c, title);
    free(title);
    return l;
}

const struct config_login *user_name_find(const struct config *c, const char *name,
                                          const char **mailbox)
{
    const struct config_login *l = config_find_login(c, name);
    const char *end = last_separator(name, name + strlen(name));
    if (l) {
        *mailbox = l->mailbox;
        return l;
    }
    if (!end)
        return NULL;
    l = find_login(c, name, end);
    const char *domain = last_separator(name, end);
    if (!l && domain)
        l = find_login(c, domain + 1, end);
    *mailbox = l ? find_mailbox(l, end + 1) : NULL;
    return *mailbox ? l : NULL;
}

char *user_name_key(const char *name)
{
    const char *end = last_separator(name, name + strlen(name));
    const char *domain = end ? last_separator(name, end) : NULL;
    char *key;
    /* "corp\bob" may be a title: only what can be nothing but a mailbox is left out. */
    if (end && (domain || strchr(end, '@')))
        key = xstrndup(domain ? domain + 1 : name, (size_t)(end - (domain ? domain + 1 : name)));
    else
        key = xstrdup(name);
    for (char *p = key; *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    return key;
}
