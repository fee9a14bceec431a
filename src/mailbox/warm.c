/* At boot and after SIGHUP: the folders of the logins are read before anybody asks. */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

#include <stdlib.h>

/* One login's folder to make ready, on a worker. */
struct warming {
    struct mailbox_registry *registry;
    char *tenant, *mailbox, *folder;
    bool read_only;
};

static void warm_login(void *arg, struct wait *w)
{
    struct warming *warming = arg;
    struct error e = ERROR_INIT;
    struct mailbox_folder *f = NULL;
    log_set_mailbox(warming->mailbox);
    struct mailbox_account *a =
        wait_ended(w, &e)
            ? NULL
            : mailbox_account_get(warming->registry, warming->tenant, warming->mailbox, &e);
    if (a)
        f = mailbox_folder_open(a, warming->folder, w, &e);
    if (f)
        sync_warm(f, warming->read_only);
    else if (e.kind != ERROR_CANCELED)
        log_error_value(LOG_LEVEL_WARNING, &e, "%s is not ready yet", warming->folder);
    mailbox_folder_release(&f);
    mailbox_account_release(&a);
    log_set_mailbox(NULL);
    free(warming->tenant);
    free(warming->mailbox);
    free(warming->folder);
    free(warming);
}

void mailbox_registry_warm(struct mailbox_registry *r, const struct config *config)
{
    for (size_t i = 0; i < config->login_count; i++) {
        const struct config_login *login = &config->logins[i];
        struct warming *warming = xcalloc(1, sizeof *warming);
        warming->registry = r;
        warming->tenant = xstrdup(login->tenant->name);
        warming->mailbox = xstrdup(login->mailbox);
        warming->folder = xstrdup(login->folder);
        warming->read_only = login->read_only;
        workers_submit(r->workers, warm_login, warming, false);
    }
}
