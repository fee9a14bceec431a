/*
 * What the admin endpoint shows, as text; each is appended to `out`. Text that came from elsewhere
 * is cleaned, and escaped where it must be. Pure functions.
 */
#ifndef ADMIN_VIEWS_H
#define ADMIN_VIEWS_H

#include "postern/admin/snapshot.h"
#include "postern/base/buf.h"

/* The status page, HTML. The config tells listeners and how identities sign in. */
void admin_page(struct buf *out, const struct admin_snapshot *s, const struct config *config);
/* Text format 0.0.4 (prometheus.io, "Exposition formats"). */
void admin_metrics(struct buf *out, const struct admin_snapshot *s);
/* Plain text; true: "ok". */
bool admin_health(struct buf *out, const struct admin_snapshot *s);

#endif
