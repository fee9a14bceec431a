#include "caller.h"

#include <string.h>
#include <strings.h>

#define SEPARATORS " \t\r\n,"

static const struct {
    const char *name;
    scope_set scope;
} names[] = {
    {"openid", SCOPE_OPENID},
    {"profile", SCOPE_PROFILE},
    {"email", SCOPE_EMAIL},
    {"offline_access", SCOPE_OFFLINE_ACCESS},
    {"User.Read", SCOPE_USER_READ},
    {"User.ReadBasic.All", SCOPE_USER_READ_BASIC_ALL},
    {"User.Read.All", SCOPE_USER_READ_ALL},
    {"Mail.ReadBasic", SCOPE_MAIL_READ_BASIC},
    {"Mail.ReadBasic.All", SCOPE_MAIL_READ_BASIC}, /* its name among the application's */
    {"Mail.Read", SCOPE_MAIL_READ},
    {"Mail.ReadWrite", SCOPE_MAIL_READ_WRITE},
    {"Mail.ReadBasic.Shared", SCOPE_MAIL_READ_BASIC_SHARED},
    {"Mail.Read.Shared", SCOPE_MAIL_READ_SHARED},
    {"Mail.ReadWrite.Shared", SCOPE_MAIL_READ_WRITE_SHARED},
    {"Mail.Send", SCOPE_MAIL_SEND},
    {"Mail.Send.Shared", SCOPE_MAIL_SEND_SHARED},
    {"MailboxSettings.Read", SCOPE_MAILBOX_SETTINGS_READ},
    {"MailboxSettings.ReadWrite", SCOPE_MAILBOX_SETTINGS_READ_WRITE},
    {"Reports.Read.All", SCOPE_REPORTS_READ_ALL},
};

scope_set scope_by_name(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].name) == len && strncasecmp(names[i].name, name, len) == 0)
            return names[i].scope;
    }
    return 0;
}

bool scope_parse(const char *text, scope_set *out)
{
    scope_set set = 0;
    for (text += strspn(text, SEPARATORS); *text; text += strspn(text, SEPARATORS)) {
        size_t len = strcspn(text, SEPARATORS);
        scope_set one = scope_by_name(text, len);
        if (!one)
            return false;
        set |= one;
        text += len;
    }
    *out = set;
    return true;
}

void scope_print(scope_set set, struct buf *out)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(set & names[i].scope))
            continue;
        buf_printf(out, "%s%s", out->len ? " " : "", names[i].name);
        set &= ~names[i].scope;
    }
}
