/*
 * What the files of requests share: pieces of paths, the frame of a request. Any thread.
 */
#ifndef POSTERN_SRC_GRAPH_BUILD_H
#define POSTERN_SRC_GRAPH_BUILD_H

#include "postern/graph/mail.h"

#define PATH_MAX_BYTES ((size_t)8 * 1024)

/* "/collection/id" */
void build_item(struct buf *path, const char *collection, const char *id);
/* "$expand=singleValueExtendedProperties($filter=id eq '…' or id eq '…')"; ends with NULL. */
void build_expand(struct buf *path, const char *const *properties);
struct graph_request build_request(struct graph_as as, enum graph_method method,
                                   enum graph_repeat repeat);
/* Sends the request to this path, which is freed. */
struct graph_call *build_start(struct graph_user *u, struct graph_request *request,
                               struct buf *path);
/* Sends it to a link, as it is. */
struct graph_call *build_follow(struct graph_user *u, struct graph_request *request,
                                const char *link);
/* Do the links of an answer lead to the configured Graph? One that leads elsewhere must not even
 * be stored. NULLs are fine. */
bool build_check_links(const struct graph_call *call, const char *next, const char *delta,
                       struct error *e);

#endif
