/* Changing a message: the PATCH of graph/write.h. */
#include "build.h"
#include "write.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#define PROPERTY_VERB    "Integer 0x1081"
#define PROPERTY_ICON    "Integer 0x1080"
#define PROPERTY_DELETED "Integer {00062008-0000-0000-C000-000000000046} Id 0x8570"

/* PidTagIconIndex: how Outlook shows a message in its lists. */
enum { ICON_READ = 0x100, ICON_UNREAD = 0x101, ICON_REPLIED = 0x105, ICON_FORWARDED = 0x106 };

static int64_t icon_of(const struct graph_update *update)
{
    switch (update->verb) {
    case GRAPH_VERB_REPLY:
    case GRAPH_VERB_REPLY_ALL:
        return ICON_REPLIED;
    case GRAPH_VERB_FORWARD:
        return ICON_FORWARDED;
    default:
        return update->is_read ? ICON_READ : ICON_UNREAD;
    }
}

static void add_property(struct json_object *list, const char *id, int64_t value)
{
    char digits[24];
    struct json_object *property = json_object_new_object();
    snprintf(digits, sizeof digits, "%" PRId64, value);
    json_object_object_add(property, "id", json_object_new_string(id));
    json_object_object_add(property, "value", json_object_new_string(digits));
    json_object_array_add(list, property);
}

static void add_properties(struct json_object *body, const struct graph_update *update)
{
    struct json_object *list = json_object_new_array();
    if (update->has & GRAPH_HAS_IMAP_DELETED)
        add_property(list, PROPERTY_DELETED, update->imap_deleted);
    if (update->has & GRAPH_HAS_VERB) {
        add_property(list, PROPERTY_VERB, update->verb);
        add_property(list, PROPERTY_ICON, icon_of(update));
    }
    json_object_object_add(body, "singleValueExtendedProperties", list);
}

struct json_object *write_update(const struct graph_update *update)
{
    struct json_object *body = json_object_new_object();
    if (update->has & GRAPH_HAS_READ)
        json_object_object_add(body, "isRead", json_object_new_boolean(update->is_read));
    if (update->has & GRAPH_HAS_FLAG) {
        struct json_object *flag = json_object_new_object();
        const char *status = update->flagged ? "flagged" : "notFlagged";
        json_object_object_add(flag, "flagStatus", json_object_new_string(status));
        json_object_object_add(body, "flag", flag);
    }
    if (update->has & GRAPH_HAS_CATEGORIES) {
        struct json_object *list = json_object_new_array();
        for (size_t i = 0; update->categories[i]; i++)
            json_object_array_add(list, json_object_new_string(update->categories[i]));
        json_object_object_add(body, "categories", list);
    }
    if (update->has & (GRAPH_HAS_IMAP_DELETED | GRAPH_HAS_VERB))
        add_properties(body, update);
    return body;
}

struct graph_call *graph_update_start(struct graph_user *u, struct graph_as as, const char *id,
                                      const struct graph_update *update)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_PATCH, GRAPH_REPEAT_SAFE);
    build_item(&path, "messages", id);
    return write_json(u, &r, &path, write_update(update));
}
