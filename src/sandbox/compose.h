/*
 * The text of a draft that came as JSON. Exchange keeps properties and renders MIME from them;
 * the sandbox renders once, when they are set.
 */
#ifndef SANDBOX_COMPOSE_H
#define SANDBOX_COMPOSE_H

#include "postern/base/buf.h"

#include <json-c/json.h>
#include <stdint.h>

/* `message` has members of the Graph message resource, those that are missing are left out. */
void compose_mime(struct json_object *message, int64_t now_ms, struct buf *out);

#endif
