/* User names: whatever is asked for, the mailbox is one of the login that was found. */
#include "../fuzz.h"

#include "../../unit/session/door.h"
#include "user_name.h"

#include <string.h>

static const char text[] = "state-dir = \"/nonexistent\"\n" DOOR_TENANT DOOR_LISTENER DOOR_LOGIN(
    "alice", "mailboxes = { \"shared@contoso.com\", \"team@contoso.com\" }")
    DOOR_LOGIN("bob@contoso.com", "mailboxes = { \"shared@contoso.com\" }")
        DOOR_LOGIN("a/b", "mailboxes = { \"team@fabrikam.com\" }");

static bool owns(const struct config_login *l, const char *mailbox)
{
    bool own = strcmp(l->mailbox, mailbox) == 0;
    for (size_t i = 0; i < l->mailbox_count; i++)
        own |= strcmp(l->mailboxes[i], mailbox) == 0;
    return own;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config *config;
    if (!config)
        config = door_config(text);
    char *name = malloc(size + 1);
    const char *mailbox = NULL;
    if (!name)
        return 0;
    memcpy(name, data, size);
    name[size] = '\0';
    const struct config_login *l = user_name_find(config, name, &mailbox);
    FUZZ_CHECK(!l || (strstr(name, l->name) && owns(l, mailbox)));
    const char *asked = user_name_mailbox(name);
    FUZZ_CHECK(asked >= name && asked <= name + strlen(name) && !strpbrk(asked, "/\\"));
    char *key = user_name_key(name);
    FUZZ_CHECK(strlen(key) <= strlen(name));
    free(key);
    free(name);
    return 0;
}
