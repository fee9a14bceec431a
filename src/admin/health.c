#include "views.h"

#include "postern/base/text.h"

static void put_clean(struct buf *out, const char *text)
{
    char clean[ERROR_TEXT_MAX];
    text_clean(text, clean, sizeof clean);
    buf_puts(out, clean);
}

bool admin_health(struct buf *out, const struct admin_snapshot *s)
{
    bool well = true;
    for (size_t i = 0; i < s->identity_count; i++) {
        const struct admin_identity *identity = &s->identities[i];
        if (identity->state != GRAPH_IDENTITY_FAILING &&
            identity->state != GRAPH_IDENTITY_NEEDS_LOGIN)
            continue;
        well = false;
        buf_printf(out, "%s: tenant ", admin_state_name(identity->state));
        put_clean(out, identity->tenant);
        buf_puts(out, ", ");
        put_clean(out, identity->account ? identity->account : "the application");
        buf_puts(out, ": ");
        put_clean(out, identity->reason);
        buf_putc(out, '\n');
    }
    if (well)
        buf_puts(out, "ok\n");
    return well;
}
