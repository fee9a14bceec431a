/*
 * Writing to a message by JSON: which members may be written when, and of which shape
 * (Graph: message-update, user-post-messages).
 */
#ifndef SANDBOX_UPDATE_H
#define SANDBOX_UPDATE_H

#include "graph.h"

enum update_mode { UPDATE_CREATE, UPDATE_DRAFT, UPDATE_SENT };

/* Checks the whole body before anything is changed; false: refused. */
bool update_check(struct call *c, struct json_object *body, enum update_mode mode);
/* Applies a checked body; returns the CHANGE_ mask. */
unsigned update_apply(struct message *m, struct json_object *body);
/* Does the body hold members from which the text is made? */
bool update_has_content(struct json_object *body);
/* Extended properties of a checked body into a set (folders have them, too). */
void update_props(struct prop_set *set, struct json_object *body);
/* The shape of singleValueExtendedProperties; false: refused. */
bool update_check_props(struct call *c, struct json_object *value);

#endif
