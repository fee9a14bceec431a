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
/* Applies a checked body; returns the CHANGE_ mask. Of a message that was just created, the
 * content is there already. */
unsigned update_apply(struct message *m, struct json_object *body, enum update_mode mode);
/* What a message is to be made of that a checked body creates. */
struct content *update_content(struct json_object *body, int64_t now_ms);
/* The text of an extended property that creation honours, NULL: not given. */
const char *update_creation_prop(struct json_object *body, uint32_t tag);
/* Extended properties of a checked body into a set (folders have them, too). */
void update_props(struct prop_set *set, struct json_object *body, enum update_mode mode);
/* The shape of singleValueExtendedProperties; false: refused. What would be lost is recorded. */
bool update_check_props(struct call *c, struct json_object *value, enum update_mode mode);

#endif
