/*
 * URLs: the one place that escapes into them and that judges links.
 *
 * Pure functions; any thread. RFC 3986; OData 4.01 URL conventions section 5.1.1.6.
 */
#ifndef POSTERN_SRC_GRAPH_URL_H
#define POSTERN_SRC_GRAPH_URL_H

#include "postern/base/buf.h"

#include <stdbool.h>

/* A longer link than this is refused; Graph's delta tokens stay well below it. */
#define URL_LINK_MAX 16384

/* Appends a path segment (UPN, id): everything but unreserved characters is percent-encoded. */
bool url_put_segment(struct buf *out, const char *text);
/* Appends the value of a query option: OData's own punctuation stays, a space becomes %20. */
bool url_put_query(struct buf *out, const char *text);
/* Appends an application/x-www-form-urlencoded value. */
bool url_put_form(struct buf *out, const char *text);
/* Appends an OData string literal: in single quotes, quotes inside doubled. Not yet escaped. */
bool url_put_odata_string(struct buf *out, const char *text);

/* Appends what the log shows of a path below /users/{upn} or of a link: "/users/…/messages/delta",
 * without host, mailbox and query, long ids cut short. */
bool url_put_shown(struct buf *out, const char *path_or_link);

/* An https URL with a plain host, without user information and fragment, of any origin: where
 * bytes may be sent that Graph asked for, but never a token. */
bool url_is_https(const char *link);
/* May a token be sent to this link? Only if it has the scheme (https), the host (any case) and
 * the port (443 if none is written) of `origin`, no user information, no fragment, and nothing
 * that a second parser could read differently (control characters, spaces, backslashes).
 * `host` gets what to name in the log: the host, or a word on what is wrong. */
bool url_same_origin(const char *link, const char *origin, struct buf *host);

#endif
