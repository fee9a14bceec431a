/* What write.c, update.c and upload.c share: making JSON. */
#ifndef POSTERN_SRC_GRAPH_WRITE_H
#define POSTERN_SRC_GRAPH_WRITE_H

#include "postern/graph/write.h"

#include <json-c/json.h>

void write_text(struct json_object *o, const char *name, const char *text);
/* The fileAttachment, its bytes in base64. */
struct json_object *write_attachment(const struct graph_attachment *a);
/* The members that change, as PATCH takes them. */
struct json_object *write_update(const struct graph_update *update);
/* Sends the request with this body; both it and the path are freed. */
struct graph_call *write_json(struct graph_user *u, struct graph_request *r, struct buf *path,
                              struct json_object *body);

#endif
