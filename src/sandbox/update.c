#include "update.h"

#include "attachments.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <string.h>
#include <strings.h>

#define CATEGORY_MAX  255
#define X_HEADERS_MAX 5 /* Graph: user-post-messages */

enum writable { WRITE_ALWAYS, WRITE_DRAFT, WRITE_CREATE };
enum shape {
    SHAPE_BOOLEAN,
    SHAPE_STRING,
    SHAPE_CHOICE,
    SHAPE_FLAG,
    SHAPE_STRINGS,
    SHAPE_PROPS,
    SHAPE_BODY,
    SHAPE_PERSON,
    SHAPE_PEOPLE,
    SHAPE_HEADERS,
    SHAPE_ATTACHMENTS
};

static const char *const importances[] = {"low", "normal", "high", NULL};
static const char *const classes[] = {"focused", "other", NULL};
static const char *const body_types[] = {"text", "html", NULL};
static const char *const flags[] = {"notFlagged", "complete", "flagged", NULL};

static const struct member {
    const char *name;
    enum writable writable;
    enum shape shape;
    const char *const *choices;
} members[] = {
    {"isRead", WRITE_ALWAYS, SHAPE_BOOLEAN, NULL},
    {"flag", WRITE_ALWAYS, SHAPE_FLAG, NULL},
    {"categories", WRITE_ALWAYS, SHAPE_STRINGS, NULL},
    {"importance", WRITE_ALWAYS, SHAPE_CHOICE, importances},
    {"inferenceClassification", WRITE_ALWAYS, SHAPE_CHOICE, classes},
    {"isReadReceiptRequested", WRITE_ALWAYS, SHAPE_BOOLEAN, NULL},
    {"isDeliveryReceiptRequested", WRITE_ALWAYS, SHAPE_BOOLEAN, NULL},
    {"singleValueExtendedProperties", WRITE_ALWAYS, SHAPE_PROPS, NULL},
    {"subject", WRITE_DRAFT, SHAPE_STRING, NULL},
    {"body", WRITE_DRAFT, SHAPE_BODY, NULL},
    {"internetMessageId", WRITE_DRAFT, SHAPE_STRING, NULL},
    {"from", WRITE_DRAFT, SHAPE_PERSON, NULL},
    {"sender", WRITE_DRAFT, SHAPE_PERSON, NULL},
    {"toRecipients", WRITE_DRAFT, SHAPE_PEOPLE, NULL},
    {"ccRecipients", WRITE_DRAFT, SHAPE_PEOPLE, NULL},
    {"bccRecipients", WRITE_DRAFT, SHAPE_PEOPLE, NULL},
    {"replyTo", WRITE_DRAFT, SHAPE_PEOPLE, NULL},
    {"internetMessageHeaders", WRITE_CREATE, SHAPE_HEADERS, NULL},
    {"attachments", WRITE_CREATE, SHAPE_ATTACHMENTS, NULL},
};

static const struct member *find(const char *name)
{
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    }
    return NULL;
}

static int choice(const char *const *choices, struct json_object *v)
{
    for (int i = 0; json_object_is_type(v, json_type_string) && choices[i]; i++) {
        if (strcasecmp(choices[i], json_object_get_string(v)) == 0)
            return i;
    }
    return -1;
}

static struct json_object *get(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, name, &v)
               ? v
               : NULL;
}

static const char *text(struct json_object *o, const char *name)
{
    struct json_object *v = get(o, name);
    return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}

/* Honoured when a message is created, and never again. */
static bool is_creation_only(const struct prop_id *id)
{
    static const uint32_t tags[] = {TAG_SUBMIT_TIME,   TAG_HEADERS,    TAG_DELIVERY_TIME,
                                    TAG_MESSAGE_FLAGS, TAG_MESSAGE_ID, TAG_REFERENCES,
                                    TAG_IN_REPLY_TO};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (id->kind == PROP_TAG && id->number == tags[i])
            return true;
    }
    return false;
}

/* What the store computes by itself. */
static bool is_computed(const struct prop_id *id)
{
    static const uint32_t tags[] = {TAG_MESSAGE_SIZE, TAG_ARTICLE, TAG_CREATED, TAG_MODIFIED,
                                    TAG_ARTICLE_NEXT};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (id->kind == PROP_TAG && id->number == tags[i])
            return true;
    }
    return false;
}

bool update_check_props(struct call *c, struct json_object *value, enum update_mode mode)
{
    bool ok = json_object_is_type(value, json_type_array);
    for (size_t i = 0; ok && i < json_object_array_length(value); i++) {
        struct json_object *one = json_object_array_get_idx(value, i);
        struct prop_id id;
        ok = text(one, "id") && text(one, "value") && prop_id_parse(text(one, "id"), &id) &&
             prop_value_fits(id.type, text(one, "value"));
        if (ok && (is_computed(&id) || (mode != UPDATE_CREATE && is_creation_only(&id))))
            journal_violation(&c->s->journal, "lost-property", "%s %s: writing %s has no effect",
                              c->r->method, c->r->path, text(one, "id"));
    }
    return ok || graph_error(c, 400, "ErrorInvalidProperty",
                             "An extended property has an invalid id or a value that does not fit "
                             "its type.");
}

static bool is_person(struct json_object *v)
{
    return text(get(v, "emailAddress"), "address") != NULL;
}

static bool all(struct json_object *list, bool (*test)(struct json_object *v))
{
    if (!json_object_is_type(list, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        if (!test(json_object_array_get_idx(list, i)))
            return false;
    }
    return true;
}

static bool is_category(struct json_object *v)
{
    return json_object_is_type(v, json_type_string) &&
           json_object_get_string_len(v) <= CATEGORY_MAX;
}

static bool is_x_header(struct json_object *v)
{
    const char *name = text(v, "name");
    size_t len = name ? strlen(name) : 0;
    for (size_t i = 0; i < len; i++) {
        if (name[i] <= ' ' || name[i] > '~' || name[i] == ':')
            return false;
    }
    return len > 2 && text(v, "value") && strncasecmp(name, "x-", 2) == 0;
}

static bool has_shape(const struct member *m, struct json_object *v)
{
    switch (m->shape) {
    case SHAPE_BOOLEAN:
        return json_object_is_type(v, json_type_boolean);
    case SHAPE_STRING:
        return json_object_is_type(v, json_type_string);
    case SHAPE_CHOICE:
        return choice(m->choices, v) >= 0;
    case SHAPE_FLAG:
        return choice(flags, get(v, "flagStatus")) >= 0;
    case SHAPE_STRINGS:
        return all(v, is_category) && json_object_array_length(v) <= CATEGORIES_MAX;
    case SHAPE_BODY:
        return text(v, "content") && choice(body_types, get(v, "contentType")) >= 0;
    case SHAPE_PERSON:
        return is_person(v);
    case SHAPE_PEOPLE:
        return all(v, is_person);
    case SHAPE_HEADERS:
        return all(v, is_x_header);
    case SHAPE_PROPS:
    case SHAPE_ATTACHMENTS:
        return true;
    }
    return false;
}

static bool check_member(struct call *c, const char *name, struct json_object *value,
                         enum update_mode mode)
{
    const struct member *m = find(name);
    if (!m && mode == UPDATE_CREATE)
        return graph_error(c, 400, "UnableToDeserializePostBody", "were unable to deserialize %s",
                           name);
    if (!m)
        return graph_error(c, 400, "RequestBodyRead",
                           "The property '%s' does not exist on type "
                           "'Microsoft.OutlookServices.Message' or cannot be written.",
                           name);
    if ((m->writable == WRITE_DRAFT && mode == UPDATE_SENT) ||
        (m->writable == WRITE_CREATE && mode != UPDATE_CREATE))
        return graph_error(c, 400, "ErrorInvalidPropertySet",
                           "Set action is invalid for property '%s'.", name);
    if (m->shape == SHAPE_PROPS)
        return update_check_props(c, value, mode);
    if (m->shape == SHAPE_ATTACHMENTS)
        return attachments_check(c, value);
    if (m->shape == SHAPE_HEADERS && json_object_is_type(value, json_type_array) &&
        json_object_array_length(value) > X_HEADERS_MAX)
        return graph_error(c, 400, "InvalidInternetMessageHeaderCollection",
                           "The maximum number of internet message headers is %d.", X_HEADERS_MAX);
    if (has_shape(m, value))
        return true;
    if (m->shape == SHAPE_HEADERS)
        return graph_error(c, 400, "InvalidInternetMessageHeader",
                           "The name of an internet message header must begin with 'x-'.");
    return graph_error(c, 400, "RequestBodyRead",
                       "The value of the property '%s' is of the wrong type or not allowed.", name);
}

/* A client that sends back what it read fails with all annotations but that of the type. */
static bool check_annotation(struct call *c, const char *name, struct json_object *value,
                             enum update_mode mode)
{
    const char *type =
        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
    if (mode != UPDATE_CREATE || (strcmp(name, "@odata.type") == 0 &&
                                  strcmp(type + (type[0] == '#'), "microsoft.graph.message") == 0))
        return true;
    return graph_error(c, 400, "UnableToDeserializePostBody", "were unable to deserialize %s",
                       name);
}

bool update_check(struct call *c, struct json_object *body, enum update_mode mode)
{
    json_object_object_foreach(body, name, value)
    {
        bool ok = name[0] == '@' ? check_annotation(c, name, value, mode)
                                 : check_member(c, name, value, mode);
        if (!ok)
            return false;
    }
    return true;
}

void update_props(struct prop_set *set, struct json_object *body, enum update_mode mode)
{
    struct json_object *list = get(body, "singleValueExtendedProperties");
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        struct prop_id id;
        bool kept = prop_id_parse(text(one, "id"), &id) && !is_computed(&id) &&
                    (!is_creation_only(&id) || (id.number == TAG_HEADERS && mode == UPDATE_CREATE));
        if (kept)
            prop_put(set, &id, text(one, "value"));
    }
}

const char *update_creation_prop(struct json_object *body, uint32_t tag)
{
    struct json_object *list = get(body, "singleValueExtendedProperties");
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        struct prop_id id;
        if (prop_id_parse(text(one, "id"), &id) && id.kind == PROP_TAG && id.number == tag)
            return text(one, "value");
    }
    return NULL;
}

static bool is_content(const char *name)
{
    const struct member *m = find(name);
    return m && m->writable != WRITE_ALWAYS && m->shape != SHAPE_ATTACHMENTS;
}

struct content *update_content(struct json_object *body, int64_t now_ms)
{
    struct json_object *made = json_object_new_object();
    json_object_object_foreach(body, name, value)
    {
        if (is_content(name))
            json_object_object_add(made, name, json_object_get(value));
    }
    const char *id = update_creation_prop(body, TAG_MESSAGE_ID);
    const char *sent = update_creation_prop(body, TAG_SUBMIT_TIME);
    if (id && !get(body, "internetMessageId"))
        json_object_object_add(made, "internetMessageId", json_object_new_string(id));
    struct content *x = content_new(made, now_ms);
    if (sent)
        clock_parse_iso(sent, strlen(sent), &x->sent_ms);
    x->references = xstrdup_null(update_creation_prop(body, TAG_REFERENCES));
    x->in_reply_to = xstrdup_null(update_creation_prop(body, TAG_IN_REPLY_TO));
    attachments_apply(x, get(body, "attachments"));
    json_object_put(made);
    return x;
}

static char **categories_of(struct json_object *list)
{
    size_t n = json_object_array_length(list);
    char **out = xcalloc(n + 1, sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = xstrdup(json_object_get_string(json_object_array_get_idx(list, i)));
    return out;
}

static unsigned apply_member(struct message *m, const char *name, struct json_object *value)
{
    if (strcmp(name, "isRead") == 0) {
        message_set_read(m, json_object_get_boolean(value));
        return CHANGE_READ;
    }
    if (strcmp(name, "flag") == 0) {
        m->flag = (uint8_t)choice(flags, get(value, "flagStatus"));
        return CHANGE_FLAG;
    }
    if (strcmp(name, "categories") == 0) {
        message_set_categories(m, categories_of(value));
        return CHANGE_CATEGORIES;
    }
    if (strcmp(name, "singleValueExtendedProperties") == 0)
        return CHANGE_PROPS;
    if (strcmp(name, "importance") == 0)
        m->importance = (uint8_t)choice(importances, value);
    else if (strcmp(name, "inferenceClassification") == 0)
        m->other_inbox = choice(classes, value) == 1;
    else if (strcmp(name, "isReadReceiptRequested") == 0)
        m->read_receipt = json_object_get_boolean(value);
    else if (strcmp(name, "isDeliveryReceiptRequested") == 0)
        m->delivery_receipt = json_object_get_boolean(value);
    return CHANGE_OTHER;
}

unsigned update_apply(struct message *m, struct json_object *body, enum update_mode mode)
{
    unsigned mask = 0;
    bool compose = false;
    json_object_object_foreach(body, name, value)
    {
        mask |= apply_member(m, name, value);
        if (mode != UPDATE_CREATE && is_content(name)) {
            content_set(message_content(m), name, json_object_get(value));
            compose = true;
        }
    }
    if (compose)
        message_compose(m);
    update_props(&m->props, body, mode);
    return mask;
}
