/* Mail folders. Graph pages: mailFolder, mailFolder: delta, list mailFolders. */
#include "decode.h"
#include "json.h"

#include <string.h>

static bool decode_count(struct json_object *o, const char *name, int64_t *out, struct error *e)
{
    bool present;
    *out = -1;
    if (!json_get_int(o, name, out, &present, e))
        return false;
    if (!present || *out < 0)
        *out = -1;
    return true;
}

static bool decode_item(struct json_object *o, struct arena *a, struct graph_folder *f,
                        struct error *e)
{
    const char *type;
    bool present;
    f->child_count = f->total = f->unread = f->article_next = -1;
    if (!decode_id(o, a, &f->id, e))
        return false;
    f->removed = json_object_object_get_ex(o, "@removed", NULL);
    if (f->removed)
        return true;
    if (!json_get_string(o, "@odata.type", a, &type, e) ||
        !json_get_string(o, "displayName", a, &f->name, e) ||
        !json_get_string(o, "parentFolderId", a, &f->parent_id, e) ||
        !json_get_bool(o, "isHidden", &f->hidden, &f->has_hidden, e) ||
        !decode_count(o, "childFolderCount", &f->child_count, e) ||
        !decode_count(o, "totalItemCount", &f->total, e) ||
        !decode_count(o, "unreadItemCount", &f->unread, e) ||
        !property_find(o, GRAPH_FOLDER_MARK, a, &f->mark, e) ||
        !property_find_int(o, "Integer 0x6751", &f->article_next, &present, e))
        return false;
    f->search_folder = type && strstr(type, "mailSearchFolder");
    return true;
}

bool decode_folder(const char *data, size_t len, struct arena *a, struct graph_folder *f,
                   struct error *e)
{
    memset(f, 0, sizeof *f);
    struct json_object *root = decode_single(data, len, e);
    bool ok = root && decode_item(root, a, f, e);
    json_object_put(root);
    return ok;
}

bool decode_folder_page(const char *data, size_t len, struct graph_folder_page *page,
                        struct error *e)
{
    struct decode_frame frame = {0};
    memset(page, 0, sizeof *page);
    page->arena = arena_new();
    bool ok = decode_frame(data, len, page->arena, &frame, e);
    if (ok) {
        page->next_link = frame.next_link;
        page->delta_link = frame.delta_link;
        page->count = frame.count;
        page->folders = arena_alloc(page->arena, frame.count * sizeof *page->folders);
    }
    for (size_t i = 0; ok && i < page->count; i++)
        ok = decode_item(json_object_array_get_idx(frame.items, i), page->arena, &page->folders[i],
                         e);
    json_object_put(frame.root);
    if (!ok)
        graph_folder_page_free(page);
    return ok;
}

void graph_folder_page_free(struct graph_folder_page *page)
{
    arena_free(&page->arena);
    memset(page, 0, sizeof *page);
}
