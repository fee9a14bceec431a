/* At boot and after SIGHUP: the folders of the logins are read before anybody asks. */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

#include <stdlib.h>

/* One login's folder to make ready, on a worker. */
struct warming {
    struct mailbox_registry *registry;
    struct config *config; /* its reference keeps `login` */
    const struct config_login *login;
};

static void warm_login(void *arg, struct wait *w)
{
    struct warming *warming = arg;
    struct error e = ERROR_INIT;
    struct mailbox_folder *f = NULL;
    const struct config_login *login = warming->login;
    const struct principal who = config_login_principal(login);
    log_set_mailbox(login->mailbox);
    struct mailbox_account *a =
        wait_ended(w, &e) ? NULL : mailbox_account_get(warming->registry, &who, login->mailbox, &e);
    if (a)
        f = mailbox_folder_open(a, login->folder, w, &e);
    if (f)
        sync_warm(f, login->read_only);
    else if (e.kind != ERROR_CANCELED)
        log_error_value(LOG_LEVEL_WARNING, &e, "%s is not ready yet", login->folder);
    mailbox_folder_release(&f);
    mailbox_account_release(&a);
    log_set_mailbox(NULL);
    config_unref(&warming->config);
    free(warming);
}

void mailbox_registry_warm(struct mailbox_registry *r, struct config *config)
{
    for (size_t i = 0; i < config->login_count; i++) {
        struct warming *warming = xcalloc(1, sizeof *warming);
        warming->registry = r;
        warming->config = config_ref(config);
        warming->login = &config->logins[i];
        workers_submit(r->workers, warm_login, warming, false);
    }
}
