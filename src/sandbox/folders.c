/* Mail folders (Graph: mailFolder resource and its methods). */
#include "render.h"
#include "update.h"

#include <string.h>
#include <strings.h>

static const char *const members[] = {"id",
                                      "displayName",
                                      "parentFolderId",
                                      "childFolderCount",
                                      "unreadItemCount",
                                      "totalItemCount",
                                      "isHidden",
                                      NULL};

static bool folder_knows(const char *path)
{
    return strcmp(path, "displayName") == 0;
}

static struct value folder_get(void *item, const char *path)
{
    (void)path;
    const struct folder *f = item;
    return (struct value){.kind = VALUE_STRING, .string = f->name};
}

static bool no_collection(const char *path)
{
    (void)path;
    return false;
}

static const char *folder_extended(void *item, const struct prop_id *id)
{
    const struct folder *f = item;
    return prop_get(&f->props, id);
}

static const struct filter_source folder_source = {.knows = folder_knows,
                                                   .is_collection = no_collection,
                                                   .get = folder_get,
                                                   .extended = folder_extended};
const struct resource folder_resource = {
    .type_name = "microsoft.graph.mailFolder", .members = members, .source = &folder_source};

static struct json_object *member_value(struct folder *f, const char *name)
{
    char id[ID_SIZE];
    if (strcmp(name, "id") == 0 || (strcmp(name, "parentFolderId") == 0)) {
        const struct folder *of = name[0] == 'i' || !f->parent ? f : f->parent;
        id_folder(of, id);
        return json_object_new_string(id);
    }
    if (strcmp(name, "displayName") == 0)
        return json_object_new_string(f->name);
    if (strcmp(name, "isHidden") == 0)
        return json_object_new_boolean(f->hidden);
    size_t n = strcmp(name, "childFolderCount") == 0  ? folder_child_count(f, false)
               : strcmp(name, "unreadItemCount") == 0 ? f->unread + f->others_unread
                                                      : f->count + f->others;
    return json_object_new_int64((int64_t)n);
}

/* What tells a search folder from others (Graph: mailSearchFolder resource). */
static void put_search(struct json_object *o)
{
    json_object_object_add(o, "@odata.type",
                           json_object_new_string("#microsoft.graph.mailSearchFolder"));
    json_object_object_add(o, "isSupported", json_object_new_boolean(true));
    json_object_object_add(o, "includeNestedFolders", json_object_new_boolean(false));
    json_object_object_add(o, "sourceFolderIds", json_object_new_array());
    json_object_object_add(o, "filterQuery",
                           json_object_new_string("contains(subject, 'weekly digest')"));
}

struct json_object *render_folder(struct call *c, struct folder *f, const struct query *q)
{
    struct json_object *o = json_object_new_object();
    struct json_object *list = json_object_new_array();
    if (f->search)
        put_search(o);
    for (size_t i = 0; members[i]; i++) {
        if (i == 0 || query_selects(q, members[i]))
            json_object_object_add(o, members[i], member_value(f, members[i]));
    }
    for (size_t i = 0; i < q->expand_count; i++) {
        char id[PROP_ID_SIZE];
        const char *value = render_folder_prop(c->s, c->r->arena, f, &q->expand[i]);
        if (!value)
            continue;
        struct json_object *one = json_object_new_object();
        prop_id_format(&q->expand[i], id);
        json_object_object_add(one, "id", json_object_new_string(id));
        json_object_object_add(one, "value", json_object_new_string(value));
        json_object_array_add(list, one);
    }
    if (json_object_array_length(list) > 0)
        json_object_object_add(o, "singleValueExtendedProperties", list);
    else
        json_object_put(list);
    return o;
}

static void answer_folder(struct call *c, int status, struct folder *f, const struct query *q)
{
    struct json_object *o = render_folder(c, f, q);
    json_object_object_add(o, "@odata.context",
                           json_object_new_string(graph_context(c, "mailFolders/$entity")));
    answer_json(c->a, status, o);
}

static void list_children(struct call *c, struct folder *parent)
{
    struct query q;
    const char *hidden = request_param(c->r, "includeHiddenFolders");
    if (!query_parse(c, &folder_resource, QUERY_SELECT | QUERY_EXPAND | QUERY_FILTER | QUERY_PAGING,
                     &q))
        return;
    bool hidden_too = hidden && strcasecmp(hidden, "true") == 0;
    int64_t cap = c->s->settings.page_cap;
    int64_t page = q.top > 0 ? q.top : QUERY_TOP_DEFAULT;
    if (cap > 0 && cap < page)
        page = cap;
    struct json_object *o = json_object_new_object();
    struct json_object *list = json_object_new_array();
    int64_t matched = 0;
    for (size_t i = 0; i < c->b->folder_count; i++) {
        struct folder *f = c->b->folders[i];
        if (f->gone || f->parent != parent || (f->hidden && !hidden_too) ||
            (q.filter && !filter_matches(q.filter, f)))
            continue;
        if (matched >= q.skip && matched < q.skip + page)
            json_object_array_add(list, render_folder(c, f, &q));
        matched++;
    }
    json_object_object_add(o, "@odata.context",
                           json_object_new_string(graph_context(c, "mailFolders")));
    if (q.count)
        json_object_object_add(o, "@odata.count", json_object_new_int64(matched));
    json_object_object_add(o, "value", list);
    if (matched > q.skip + page)
        json_object_object_add(o, "@odata.nextLink",
                               json_object_new_string(message_list_link(c, q.skip + page)));
    answer_json(c->a, 200, o);
}

/* A display name that may be given to a child of `parent`; NULL: refused. */
static const char *new_name(struct call *c, const struct folder *parent, struct json_object *body)
{
    struct json_object *v = NULL;
    json_object_object_get_ex(body, "displayName", &v);
    const char *name = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
    if (!*name || strlen(name) > FOLDER_NAME_MAX)
        graph_error(c, 400, "ErrorInvalidFolderName",
                    "The displayName is missing, empty or too long.");
    else if (parent && folder_child(parent, name))
        graph_error(c, 409, "ErrorFolderExists",
                    "A folder with the specified name already exists.");
    else
        return name;
    return NULL;
}

static void create_folder(struct call *c, struct folder *parent)
{
    const struct query all = {0};
    struct json_object *body = graph_check_options(c) ? graph_body(c) : NULL;
    if (!body)
        return;
    bool hidden = false, ok = true;
    json_object_object_foreach(body, name, value)
    {
        if (strcmp(name, "isHidden") == 0) {
            hidden = json_object_get_boolean(value);
            ok = ok && json_object_is_type(value, json_type_boolean);
        } else if (strcmp(name, "singleValueExtendedProperties") == 0) {
            ok = ok && update_check_props(c, value, UPDATE_CREATE);
        } else if (strcmp(name, "displayName") != 0) {
            ok = graph_error(c, 400, "UnableToDeserializePostBody", "were unable to deserialize %s",
                             name);
        }
        if (!ok)
            break;
    }
    const char *new = ok ? new_name(c, parent, body) : NULL;
    if (new) {
        struct folder *f = mailbox_new_folder(c->b, parent, new, hidden);
        update_props(&f->props, body, UPDATE_CREATE);
        answer_folder(c, 201, f, &all);
    } else if (!c->a->status) {
        graph_error(c, 400, "RequestBodyRead", "The value of isHidden must be a boolean.");
    }
    json_object_put(body);
}

static bool check_patch(struct call *c, struct folder *f, struct json_object *body)
{
    json_object_object_foreach(body, name, value)
    {
        if (strcmp(name, "singleValueExtendedProperties") == 0) {
            if (!update_check_props(c, value, UPDATE_SENT))
                return false;
        } else if (strcmp(name, "displayName") == 0) {
            bool same = json_object_is_type(value, json_type_string) &&
                        strcasecmp(json_object_get_string(value), f->name) == 0;
            if (f->well_known)
                return graph_error(c, 403, "ErrorDeleteDistinguishedFolder",
                                   "Distinguished folders cannot be renamed.");
            if (!same && !new_name(c, f->parent, body))
                return false;
        } else {
            return graph_error(c, 400, "ErrorInvalidPropertySet",
                               "Set action is invalid for property '%s'.", name);
        }
    }
    return true;
}

static void patch_folder(struct call *c, struct folder *f)
{
    const struct query all = {0};
    struct json_object *body = graph_check_options(c) ? graph_body(c) : NULL;
    if (!body)
        return;
    if (check_patch(c, f, body)) {
        struct json_object *name = NULL;
        if (json_object_object_get_ex(body, "displayName", &name))
            folder_rename(f, json_object_get_string(name));
        update_props(&f->props, body, UPDATE_SENT);
        folder_touch(f);
        answer_folder(c, 200, f, &all);
    }
    json_object_put(body);
}

static bool refuse_well_known(struct call *c, const struct folder *f)
{
    return f->well_known && !graph_error(c, 403, "ErrorDeleteDistinguishedFolder",
                                         "Distinguished folders cannot be deleted or moved.");
}

/* Another folder of this name was deleted before. False: refused. */
static bool make_way(struct call *c, struct folder *f, const struct folder *bin)
{
    if (!folder_child(bin, f->name))
        return true;
    if (c->s->settings.delete_folder == DELETE_FOLDER_CONFLICT)
        return graph_error(c, 409, "ErrorFolderExists",
                           "A folder with the specified name already exists.");
    const char *name = f->name;
    for (unsigned n = 1; folder_child(bin, name); n++)
        name = arena_printf(c->r->arena, "%s%u", f->name, n);
    folder_rename(f, name);
    return true;
}

static void delete_folder(struct call *c, struct folder *f, bool for_good)
{
    if (!graph_check_options(c) || refuse_well_known(c, f))
        return;
    struct folder *bin = mailbox_well_known(c->b, "deleteditems");
    if (for_good || folder_is_inside(f, bin))
        folder_destroy(f);
    else if (!make_way(c, f, bin))
        return;
    else
        folder_move(f, bin);
    graph_no_content(c);
}

static struct folder *copy_tree(struct folder *from, struct folder *to)
{
    struct mailbox *b = from->mailbox;
    size_t known = b->folder_count;
    struct folder *copy = mailbox_new_folder(b, to, from->name, from->hidden);
    prop_copy(&copy->props, &from->props);
    for (size_t i = 0; i < from->count; i++)
        message_copy(from->items[i], copy);
    for (size_t i = 0; i < known; i++) {
        if (b->folders[i]->parent == from && !b->folders[i]->gone)
            copy_tree(b->folders[i], copy);
    }
    return copy;
}

static void move_or_copy_folder(struct call *c, struct folder *f, bool copy)
{
    struct folder *to;
    const struct query all = {0};
    if (!graph_destination(c, &to) || refuse_well_known(c, f))
        return;
    if (folder_is_inside(to, f)) {
        graph_error(c, 400, "ErrorMoveCopyFailed", "A folder cannot be put into itself.");
    } else if (folder_child(to, f->name)) {
        graph_error(c, 409, "ErrorFolderExists",
                    "A folder with the specified name already exists.");
    } else if (copy) {
        answer_folder(c, 201, copy_tree(f, to), &all);
    } else {
        folder_move(f, to);
        answer_folder(c, 200, f, &all);
    }
}

static void one_folder(struct call *c, struct folder *f)
{
    struct query q;
    if (strcmp(c->r->method, "GET") == 0) {
        if (query_parse(c, &folder_resource, QUERY_SELECT | QUERY_EXPAND, &q))
            answer_folder(c, 200, f, &q);
    } else if (strcmp(c->r->method, "PATCH") == 0) {
        patch_folder(c, f);
    } else if (strcmp(c->r->method, "DELETE") == 0) {
        delete_folder(c, f, false);
    } else {
        graph_method_error(c);
    }
}

static void folder_messages(struct call *c, struct folder *f)
{
    bool get = strcmp(c->r->method, "GET") == 0;
    if (c->depth == 3 && get) {
        message_list_handle(c, f);
    } else if (c->depth == 3 && strcmp(c->r->method, "POST") == 0) {
        message_create_handle(c, f);
    } else if (c->depth == 4 && get && strcmp(c->path[3], "$count") == 0) {
        message_count_handle(c, f);
    } else if (c->depth == 4 && get && strcmp(c->path[3], "delta") == 0) {
        message_delta_handle(c, f);
    } else if (c->depth == 3) {
        graph_method_error(c);
    } else {
        /* Also …/messages/{id}/$value below a folder: documented, but observed to fail so. */
        graph_error(c, 400, "ErrorInvalidRequest", "The OData request is not supported.");
    }
}

static void below_folder(struct call *c, struct folder *f)
{
    const char *what = c->path[2];
    bool get = strcmp(c->r->method, "GET") == 0, post = strcmp(c->r->method, "POST") == 0;
    if (strcmp(what, "messages") == 0)
        folder_messages(c, f);
    else if (c->depth > 3)
        graph_error(c, 400, "BadRequest", "Resource not found for the segment '%s'.", c->path[3]);
    else if (strcmp(what, "childFolders") == 0 && get)
        list_children(c, f);
    else if (strcmp(what, "childFolders") == 0 && post)
        create_folder(c, f);
    else if (strcmp(what, "move") == 0 && post)
        move_or_copy_folder(c, f, false);
    else if (strcmp(what, "copy") == 0 && post)
        move_or_copy_folder(c, f, true);
    else if (strcmp(what, "permanentDelete") == 0 && post && c->s->settings.permanent_delete)
        delete_folder(c, f, true);
    else
        graph_error(c, 400, "BadRequest", "Resource not found for the segment '%s'.", what);
}

void folders_handle(struct call *c)
{
    struct folder *f = NULL;
    struct folder *root = mailbox_well_known(c->b, WELL_KNOWN_ROOT);
    if (c->depth == 1 && strcmp(c->r->method, "GET") == 0)
        list_children(c, root);
    else if (c->depth == 1 && strcmp(c->r->method, "POST") == 0)
        create_folder(c, root);
    else if (c->depth == 1)
        graph_method_error(c);
    else if (c->depth == 2 && strcmp(c->path[1], "delta") == 0)
        folder_delta_handle(c);
    else if (graph_find_folder(c, c->path[1], &f) && c->depth == 2)
        one_folder(c, f);
    else if (f)
        below_folder(c, f);
}
