#include "vault_util.h"

#include "scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_LEN 64

struct store_vault *vault_begin(void)
{
    struct error e = ERROR_INIT;
    scratch_make();
    return store_vault_open(scratch_path("state"), NULL, scratch_path("postern.conf"), true, &e);
}

struct store_vault *vault_again(void)
{
    struct error e = ERROR_INIT;
    return store_vault_open(scratch_path("state"), NULL, scratch_path("postern.conf"), false, &e);
}

void vault_end(struct store_vault **v)
{
    store_vault_close(v);
    scratch_remove();
}

bool vault_put(struct store_vault *v, const char *account, const char *token, struct error *e)
{
    const struct sign_in_vault *f = store_vault_functions(v);
    const struct sign_in s = {.refresh_token = (char *)token};
    return f->save(f->arg, "contoso", account, &s, e);
}

const char *vault_get(struct store_vault *v, const char *account)
{
    static char text[ERROR_TEXT_MAX];
    const struct sign_in_vault *f = store_vault_functions(v);
    struct sign_in s;
    struct error e = ERROR_INIT;
    bool ok = f->load(f->arg, "contoso", account, &s, &e);
    snprintf(text, sizeof text, "%s", !ok ? e.text : s.refresh_token ? s.refresh_token : "(none)");
    sign_in_clear(&s);
    return text;
}

const char *vault_only_file(void)
{
    static char path[SCRATCH_PATH];
    DIR *d = opendir(scratch_path("state/sign-ins"));
    path[0] = '\0';
    for (struct dirent *entry; d && (entry = readdir(d));) {
        if (strlen(entry->d_name) == NAME_LEN)
            snprintf(path, sizeof path, "%s", scratch_path("state/sign-ins/%s", entry->d_name));
    }
    if (d)
        closedir(d);
    return path;
}
