/* Messages and pages of messages. Graph pages: message, message: delta, list messages. */
#include "decode.h"
#include "error.h"
#include "json.h"

#include "postern/base/clock.h"
#include "postern/graph/write.h"

#include <string.h>

/* More than any $top; the body's cap limits it before this does. */
#define PAGE_ITEMS_MAX 10000
#define CATEGORIES_MAX 1000

bool decode_id(struct json_object *item, struct arena *a, const char **id, struct error *e)
{
    if (!json_get_string(item, "id", a, id, e))
        return false;
    if (!*id || !**id)
        return error_set(e, ERROR_ANSWER, "an item of the answer has no id");
    return true;
}

struct json_object *decode_single(const char *data, size_t len, struct error *e)
{
    struct json_object *error = NULL, *root = json_read(data, len, e);
    if (root && json_object_object_get_ex(root, "error", &error)) {
        graph_error_inside(error, e);
        json_object_put(root);
        return NULL;
    }
    return root;
}

static bool check_items(struct decode_frame *frame, struct error *e)
{
    struct json_object *error;
    frame->count = json_object_array_length(frame->items);
    if (frame->count > PAGE_ITEMS_MAX)
        return error_set(e, ERROR_ANSWER, "a page of %zu items is over the limit of %d",
                         frame->count, PAGE_ITEMS_MAX);
    for (size_t i = 0; i < frame->count; i++) {
        struct json_object *item = json_object_array_get_idx(frame->items, i);
        if (!json_object_is_type(item, json_type_object))
            return error_set(e, ERROR_ANSWER, "item %zu of the page is not an object", i);
        if (json_object_object_get_ex(item, "error", &error)) {
            graph_error_inside(error, e);
            return false;
        }
    }
    return true;
}

bool decode_frame(const char *data, size_t len, struct arena *a, struct decode_frame *frame,
                  struct error *e)
{
    frame->root = decode_single(data, len, e);
    if (!frame->root)
        return false;
    if (!json_get_array(frame->root, "value", &frame->items, e) ||
        !json_get_string(frame->root, "@odata.nextLink", a, &frame->next_link, e) ||
        !json_get_string(frame->root, "@odata.deltaLink", a, &frame->delta_link, e))
        goto fail;
    if (!frame->items) {
        error_set(e, ERROR_ANSWER, "the page has no \"value\" array");
        goto fail;
    }
    if (check_items(frame, e))
        return true;
fail:
    json_object_put(frame->root);
    frame->root = NULL;
    return false;
}

static bool decode_flag(struct json_object *o, struct arena *a, struct graph_message *m,
                        struct error *e)
{
    struct json_object *flag;
    if (!json_object_object_get_ex(o, "flag", &flag) || !flag)
        return true;
    if (!json_object_is_type(flag, json_type_object))
        return error_set(e, ERROR_ANSWER, "member \"flag\" of a message is not an object");
    if (!json_get_string(flag, "flagStatus", a, &m->flag_status, e))
        return false;
    if (m->flag_status)
        m->has |= GRAPH_HAS_FLAG;
    return true;
}

static bool decode_categories(struct json_object *o, struct arena *a, struct graph_message *m,
                              struct error *e)
{
    struct json_object *list;
    if (!json_get_array(o, "categories", &list, e) || !list)
        return list == NULL && e->kind == ERROR_NONE;
    size_t n = json_object_array_length(list);
    if (n > CATEGORIES_MAX)
        return error_set(e, ERROR_ANSWER, "a message with %zu categories is over the limit of %d",
                         n, CATEGORIES_MAX);
    m->categories = arena_alloc(a, (n + 1) * sizeof *m->categories);
    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(list, i);
        const char *s = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
        if (!s || strlen(s) != (size_t)json_object_get_string_len(v))
            return error_set(e, ERROR_ANSWER, "a category of a message is not a string");
        m->categories[i] = arena_strdup(a, s);
    }
    m->has |= GRAPH_HAS_CATEGORIES;
    return true;
}

static bool decode_received(struct json_object *o, struct arena *a, struct graph_message *m,
                            struct error *e)
{
    const char *date;
    if (!json_get_string(o, "receivedDateTime", a, &date, e))
        return false;
    if (date && clock_parse_iso(date, strlen(date), &m->received_ms))
        m->has |= GRAPH_HAS_RECEIVED;
    return true;
}

static bool decode_properties(struct json_object *o, struct graph_message *m, struct error *e)
{
    static const char article[] = "Integer 0x0E23", size[] = "Integer 0x0E08",
                      long_size[] = "Long 0x0E08", verb[] = "Integer 0x1081",
                      deleted[] = "Integer {00062008-0000-0000-C000-000000000046} Id 0x8570";
    bool has;
    int64_t n = 0;
    if (!property_find_int(o, article, &m->article, &has, e))
        return false;
    m->has |= has ? GRAPH_HAS_ARTICLE : 0;
    if (!property_find_int(o, long_size, &m->size, &has, e) ||
        (!has && !property_find_int(o, size, &m->size, &has, e)))
        return false;
    m->has |= has ? GRAPH_HAS_SIZE : 0;
    if (!property_find_int(o, verb, &m->verb, &has, e))
        return false;
    m->has |= has ? GRAPH_HAS_VERB : 0;
    if (!property_find_int(o, deleted, &n, &has, e))
        return false;
    m->has |= has ? GRAPH_HAS_IMAP_DELETED : 0;
    m->imap_deleted = n != 0;
    return true;
}

static bool decode_item(struct json_object *o, struct arena *a, struct graph_message *m,
                        struct error *e)
{
    bool read, draft;
    error_clear(e);
    if (!decode_id(o, a, &m->id, e))
        return false;
    m->removed = json_object_object_get_ex(o, "@removed", NULL);
    if (m->removed)
        return true;
    if (!json_get_bool(o, "isRead", &m->is_read, &read, e) ||
        !json_get_bool(o, "isDraft", &m->is_draft, &draft, e) || !decode_flag(o, a, m, e) ||
        !decode_categories(o, a, m, e) || !decode_received(o, a, m, e) ||
        !json_get_string(o, "changeKey", a, &m->change_key, e) ||
        !json_get_string(o, "parentFolderId", a, &m->parent_folder_id, e) ||
        !json_get_string(o, "internetMessageId", a, &m->message_id, e) ||
        !property_find(o, GRAPH_APPEND_MARK, a, &m->mark, e) || !decode_properties(o, m, e))
        return false;
    m->has |= (read ? GRAPH_HAS_READ : 0) | (draft ? GRAPH_HAS_DRAFT : 0) |
              (m->change_key ? GRAPH_HAS_CHANGE_KEY : 0) |
              (m->parent_folder_id ? GRAPH_HAS_PARENT : 0);
    return true;
}

bool decode_page(const char *data, size_t len, struct graph_page *page, struct error *e)
{
    struct decode_frame frame = {0};
    bool ok;
    memset(page, 0, sizeof *page);
    page->arena = arena_new();
    ok = decode_frame(data, len, page->arena, &frame, e);
    if (ok) {
        page->next_link = frame.next_link;
        page->delta_link = frame.delta_link;
        page->count = frame.count;
        page->messages = arena_alloc(page->arena, frame.count * sizeof *page->messages);
    }
    for (size_t i = 0; ok && i < page->count; i++)
        ok = decode_item(json_object_array_get_idx(frame.items, i), page->arena, &page->messages[i],
                         e);
    json_object_put(frame.root);
    if (!ok)
        graph_page_free(page);
    return ok;
}

void graph_page_free(struct graph_page *page)
{
    arena_free(&page->arena);
    memset(page, 0, sizeof *page);
}

bool decode_message(const char *data, size_t len, struct arena *a, struct graph_message *m,
                    struct error *e)
{
    memset(m, 0, sizeof *m);
    struct json_object *root = decode_single(data, len, e);
    bool ok = root && decode_item(root, a, m, e);
    json_object_put(root);
    return ok;
}
