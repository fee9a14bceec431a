/* Folders made and changed from outside. */
#include "control_mail.h"

#include "generator.h"
#include "ids.h"

#include <string.h>

#define TREE_FOLDERS_MAX 10000
#define TREE_WIDTH       10

static struct json_object *id_json(const struct folder *f)
{
    char id[ID_SIZE];
    id_folder(f, id);
    return json_object_new_string(id);
}

static void answer_id(struct control *c, const struct folder *f)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "id", id_json(f));
    answer_json(c->a, 200, o);
}

/* The folder at "path", which is made if it is missing. NULL: refused. */
static struct folder *find(struct control *c)
{
    struct mailbox *b = control_user(c, control_text(c, "user"));
    const char *path = control_text(c, "path");
    if (!b)
        return NULL;
    struct folder *f = path ? mailbox_folder_path(b, path) : NULL;
    if (!f)
        control_refuse(c, 400, "path is missing or not possible");
    return f;
}

/* "name" is that of a child, and may have any character in it. */
void control_folder(struct control *c)
{
    struct folder *f = find(c);
    const char *name = control_text(c, "name"), *class = control_text(c, "class");
    const struct prop_id id = {.type = PROP_STRING, .number = TAG_CONTAINER_CLASS};
    if (!f)
        return;
    if (name) {
        struct folder *child = folder_child(f, name);
        f = child ? child : mailbox_new_folder(f->mailbox, f, name, false);
    }
    f->hidden = f->hidden || control_flag(c, "hidden");
    f->search = f->search || control_flag(c, "search");
    if (class)
        prop_put(&f->props, &id, class);
    f->others = (size_t)control_number(c, "items", 0);
    f->others_unread = (size_t)control_number(c, "unread", 0);
    f->next_article += (uint32_t)f->others; /* they are numbered like messages */
    folder_touch(f);
    answer_id(c, f);
}

void control_rename(struct control *c)
{
    struct folder *f = find(c);
    const char *name = control_text(c, "name");
    if (f && name) {
        folder_rename(f, name);
        control_done(c);
    } else if (f) {
        control_refuse(c, 400, "name is missing");
    }
}

void control_remove(struct control *c)
{
    struct folder *f = find(c);
    if (!f)
        return;
    folder_destroy(f);
    control_done(c);
}

/* "folders" folders below "path", ten to each, with "messages" messages in each. */
void control_tree(struct control *c)
{
    struct folder *top = find(c);
    int64_t folders = control_number(c, "folders", 0), messages = control_number(c, "messages", 0);
    if (!top)
        return;
    if (folders < 1 || folders > TREE_FOLDERS_MAX || messages < 0 || messages > MESSAGES_MAX) {
        control_refuse(c, 400, "folders or messages is missing or too large");
        return;
    }
    struct folder **made = arena_alloc(c->r->arena, (size_t)folders * sizeof(struct folder *));
    struct json_object *ids = json_object_new_array();
    for (size_t i = 0; i < (size_t)folders; i++) {
        struct folder *parent = i < TREE_WIDTH ? top : made[i / TREE_WIDTH - 1];
        const char *name = arena_printf(c->r->arena, "F%05zu", i + 1);
        made[i] = mailbox_new_folder(top->mailbox, parent, name, false);
        generator_fill(made[i], (size_t)messages, 0, GENERATED_NEWEST_MS);
        json_object_array_add(ids, id_json(made[i]));
    }
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "ids", ids);
    answer_json(c->a, 200, o);
}
