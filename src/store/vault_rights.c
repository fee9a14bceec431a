#include "vault_inside.h"

#include <sys/fsuid.h>
#include <unistd.h>

struct vault_rights vault_assume_owner(const struct store_vault *v)
{
    struct vault_rights was = {false};
    struct file_owner owner;
    if (geteuid() == 0 && file_owner_of(v->state_dir, &owner) && owner.uid != 0) {
        was.changed = true;
        setfsgid(owner.gid);
        setfsuid(owner.uid);
    }
    return was;
}

void vault_resume(const struct vault_rights *was)
{
    if (was->changed) {
        setfsuid(geteuid());
        setfsgid(getegid());
    }
}

bool vault_make_dir(const struct store_vault *v, struct error *e)
{
    struct vault_rights was = vault_assume_owner(v);
    bool ok = file_make_private_dir(v->dir, e);
    vault_resume(&was);
    return ok;
}
