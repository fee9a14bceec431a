/*
 * Attachments by JSON (Graph: attachment, fileAttachment, itemAttachment resources).
 */
#ifndef SANDBOX_ATTACHMENTS_H
#define SANDBOX_ATTACHMENTS_H

#include "graph.h"

/* …/messages/{id}/attachments and what is below it. */
void attachments_handle(struct call *c, struct message *m);
/* The collection inside a message that is created; false: refused. */
bool attachments_check(struct call *c, struct json_object *list);
/* A checked collection into a content; nothing if `list` is NULL. */
void attachments_apply(struct content *x, struct json_object *list);
/* "…/messages/{id}/attachments/{aid}": what Location tells, from `origin` on. In the arena. */
const char *attachment_location(struct call *c, const struct message *m,
                                const struct attachment *a);

#endif
