/*
 * What LIST and LSUB are asked: "LIST (selection) reference patterns RETURN (options)" (RFC 5258
 * section 6).
 */
#ifndef IMAP_LIST_H
#define IMAP_LIST_H

#include "session.h"

enum {
    IMAP_LIST_SUBSCRIBED = 1 << 0,
    IMAP_LIST_RECURSIVE = 1 << 1, /* RECURSIVEMATCH */
    IMAP_LIST_SPECIAL = 1 << 2
};

struct imap_list_request {
    bool lsub;
    bool delimiter;        /* the empty pattern: what separates levels? */
    unsigned select, give; /* sets of IMAP_LIST_… */
    unsigned status;       /* RETURN (STATUS (…)): set of IMAP_STATUS_…, 0: none */
    const char **patterns; /* UTF-8, with the reference before them */
    size_t pattern_count;
};

/* False: it was answered. `lsub` is set before. */
bool imap_list_parse(struct imap_session *s, const struct imap_command *c,
                     struct imap_list_request *out);

#endif
