/*
 * Address lists (RFC 5322 sections 3.4 and 4.4; output as RFC 3501 section 7.4.2 wants them in an
 * ENVELOPE). Pure functions, any thread.
 *
 * Anything is parsed into something: a bare word is a mailbox without host, a phrase a
 * name without mailbox, what follows a domain is left out, an open quote, bracket or comment ends
 * with the text, ";" outside of a group separates like ",".
 */
#ifndef POSTERN_MIME_ADDRESS_H
#define POSTERN_MIME_ADDRESS_H

#include "postern/base/arena.h"
#include "postern/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Addresses read of one field; the others are left out and `cut` is set. */
#define MIME_ADDRESSES_MAX 10000

/*
 * One address, or a mark: host NULL and a mailbox opens a group of that name; both NULL closes it.
 * Every group that opens is closed. Quoting is removed, comments are left out, bytes above 127
 * and encoded words are as they were (mime_text_decode() the name to show it), line ends gone.
 */
struct mime_address {
    const char *name;    /* the phrase, or of "a@b (Name)" the comment; NULL if there is none */
    const char *adl;     /* obsolete source route, "@a,@b"; NULL if there is none */
    const char *mailbox; /* local part, "" if missing */
    const char *host;    /* domain, also a literal with its brackets; "" if missing */
};

struct mime_addresses {
    struct mime_address *items;
    size_t count;
    bool cut; /* there were more than MIME_ADDRESSES_MAX */
};

/* Parses a raw field value; everything in `list` lives in `arena`. */
void mime_addresses_parse(const char *value, size_t len, struct arena *arena,
                          struct mime_addresses *list);
/* Appends "local@host", the local part quoted where it must be and "@host" left out where there is
 * none: what Graph calls an address. Not for group marks. False: `out` is over its cap. */
bool mime_address_spec(const struct mime_address *address, struct buf *out);

#endif
