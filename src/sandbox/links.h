/*
 * The opaque part of delta links: all that a round needs to go on, signed, so that nobody can
 * make one up and nothing has to be kept. A link is bound to its mailbox and resource, and it
 * carries the options of the first request.
 */
#ifndef SANDBOX_LINKS_H
#define SANDBOX_LINKS_H

#include "graph.h"

#define LINK_MAX 8192

struct link {
    int64_t folder; /* serial, -1: the folder tree */
    uint64_t epoch;
    uint64_t cursor; /* last change that was told */
    uint64_t start;  /* the newest change when the first round began */
    bool first_round;
    bool gap; /* an empty page was just sent */
};

/* A fresh round without a link, or what the link says; false: refused (400, or 410 for a dead
 * one). On a link, the request's options are replaced by those that it carries. */
bool link_read(struct call *c, int64_t folder, struct link *out);
/* "@odata.nextLink" or "@odata.deltaLink" into the answer. */
void link_put(struct call *c, struct json_object *o, const struct link *link, bool is_delta);

#endif
