#include "account.h"

#include "postern/base/alloc.h"

#include <stdlib.h>

struct account *accounts_get(struct accounts *a, struct mailbox *mailbox)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->items[i]->mailbox == mailbox)
            return a->items[i];
    }
    struct account *account = xcalloc(1, sizeof *account);
    account->mailbox = mailbox;
    account->password = xstrdup(ACCOUNT_PASSWORD);
    a->items = xreallocarray(a->items, a->count + 1, sizeof(struct account *));
    a->items[a->count++] = account;
    return account;
}

void accounts_free(struct accounts *a)
{
    for (size_t i = 0; i < a->count; i++) {
        secret_free(a->items[i]->password);
        free(a->items[i]);
    }
    free(a->items);
    *a = (struct accounts){0};
}

void account_set_password(struct account *account, const char *password)
{
    secret_free(account->password);
    account->password = xstrdup(password);
}
