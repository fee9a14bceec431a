#include "model.h"

#include "postern/base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The folders that a new Exchange mailbox has (Graph: mailFolder resource, well-known names). */
static const struct {
    const char *well_known, *name, *parent;
    bool hidden;
} standard[] = {
    {"inbox", "Inbox", WELL_KNOWN_ROOT, false},
    {"drafts", "Drafts", WELL_KNOWN_ROOT, false},
    {"sentitems", "Sent Items", WELL_KNOWN_ROOT, false},
    {"deleteditems", "Deleted Items", WELL_KNOWN_ROOT, false},
    {"archive", "Archive", WELL_KNOWN_ROOT, false},
    {"junkemail", "Junk Email", WELL_KNOWN_ROOT, false},
    {"outbox", "Outbox", WELL_KNOWN_ROOT, false},
    {"conversationhistory", "Conversation History", WELL_KNOWN_ROOT, false},
    {WELL_KNOWN_DUMPSTER, "Deletions", NULL, true},
};

static struct folder *raw_folder(struct mailbox *b, const char *name)
{
    struct folder *f = xcalloc(1, sizeof *f);
    f->mailbox = b;
    f->serial = (uint32_t)b->folder_count;
    f->name = xstrdup(name);
    f->next_article = 1;
    f->sorted = true;
    b->folders = xreallocarray(b->folders, b->folder_count + 1, sizeof *b->folders);
    b->folders[b->folder_count++] = f;
    return f;
}

static void derive(const char *upn, const char *purpose, uint8_t out[16])
{
    uint8_t digest[SHA256_SIZE];
    char *text = xasprintf("%s:%s", purpose, upn);
    sha256(text, strlen(text), digest);
    memcpy(out, digest, 16);
    free(text);
}

void model_guid(const char *purpose, const char *name, char out[GUID_SIZE])
{
    uint8_t raw[16];
    char hex[33];
    derive(name, purpose, raw);
    hex_encode(raw, sizeof raw, hex);
    snprintf(out, GUID_SIZE, "%.8s-%.4s-4%.3s-8%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17,
             hex + 20);
}

struct mailbox *model_add_mailbox(struct model *m, const char *upn)
{
    struct mailbox *b = model_find(m, upn);
    if (b)
        return b;
    b = xcalloc(1, sizeof *b);
    b->upn = xstrdup(upn);
    derive(upn, "key", b->key);
    model_guid("object-id", upn, b->guid);
    struct folder *root = raw_folder(b, "Top of Information Store");
    root->well_known = WELL_KNOWN_ROOT;
    for (size_t i = 0; i < sizeof standard / sizeof standard[0]; i++) {
        struct folder *f = raw_folder(b, standard[i].name);
        f->well_known = standard[i].well_known;
        f->parent = standard[i].parent ? root : NULL;
        f->hidden = standard[i].hidden;
        f->change = f->tree_change = ++b->seq;
    }
    m->mailboxes = xreallocarray(m->mailboxes, m->count + 1, sizeof(struct mailbox *));
    m->mailboxes[m->count++] = b;
    return b;
}

struct mailbox *model_find(const struct model *m, const char *user)
{
    for (size_t i = 0; i < m->count; i++) {
        struct mailbox *b = m->mailboxes[i];
        if (strcasecmp(b->upn, user) == 0 || strcasecmp(b->guid, user) == 0)
            return b;
    }
    return NULL;
}

static void free_categories(char **categories)
{
    for (size_t i = 0; categories[i]; i++)
        free(categories[i]);
    free(categories);
}

static void free_mailbox(struct mailbox *b)
{
    for (size_t i = 0; i < b->folder_count; i++) {
        struct folder *f = b->folders[i];
        free(f->name);
        free(f->items);
        free(f->log);
        prop_free(&f->props);
        free(f);
    }
    for (size_t i = 0; i < b->message_count; i++) {
        struct message *m = b->messages[i];
        free(m->mime);
        content_free(m->content);
        prop_free(&m->props);
        free(m);
    }
    for (size_t i = 0; i < b->categories_count; i++)
        free_categories(b->categories[i]);
    free(b->categories);
    free(b->late);
    free(b->folders);
    free(b->messages);
    free(b->upn);
    free(b);
}

void model_free(struct model *m)
{
    for (size_t i = 0; i < m->count; i++)
        free_mailbox(m->mailboxes[i]);
    free(m->mailboxes);
    *m = (struct model){0};
}

struct folder *mailbox_well_known(const struct mailbox *b, const char *name)
{
    for (size_t i = 0; i < b->folder_count; i++) {
        struct folder *f = b->folders[i];
        if (f->well_known && !f->gone && strcasecmp(f->well_known, name) == 0)
            return f;
    }
    return NULL;
}

struct folder *folder_child(const struct folder *parent, const char *name)
{
    const struct mailbox *b = parent->mailbox;
    for (size_t i = 0; i < b->folder_count; i++) {
        struct folder *f = b->folders[i];
        if (f->parent == parent && !f->gone && strcasecmp(f->name, name) == 0)
            return f;
    }
    return NULL;
}

size_t folder_child_count(const struct folder *f, bool hidden_too)
{
    const struct mailbox *b = f->mailbox;
    size_t n = 0;
    for (size_t i = 0; i < b->folder_count; i++) {
        const struct folder *child = b->folders[i];
        if (child->parent == f && !child->gone && (hidden_too || !child->hidden))
            n++;
    }
    return n;
}

bool folder_is_inside(const struct folder *f, const struct folder *ancestor)
{
    for (; f; f = f->parent) {
        if (f == ancestor)
            return true;
    }
    return false;
}

struct folder *mailbox_folder_path(struct mailbox *b, const char *path)
{
    struct folder *f = mailbox_well_known(b, path);
    if (f)
        return f;
    f = mailbox_well_known(b, WELL_KNOWN_ROOT);
    for (unsigned depth = 0; depth < FOLDER_DEPTH_MAX; depth++) {
        size_t len = strcspn(path, "/");
        if (len == 0 || len > FOLDER_NAME_MAX)
            return NULL;
        char *name = xstrndup(path, len);
        struct folder *child = folder_child(f, name);
        f = child ? child : mailbox_new_folder(b, f, name, false);
        free(name);
        if (!path[len])
            return f;
        path += len + 1;
    }
    return NULL;
}

struct folder *mailbox_new_folder(struct mailbox *b, struct folder *parent, const char *name,
                                  bool hidden)
{
    struct folder *f = raw_folder(b, name);
    f->parent = parent;
    f->hidden = hidden;
    folder_touch(f);
    folder_touch(parent);
    return f;
}

void folder_touch(struct folder *f)
{
    f->change = f->tree_change = ++f->mailbox->seq;
}

void folder_touch_counts(struct folder *f)
{
    f->change = ++f->mailbox->seq;
}

void folder_rename(struct folder *f, const char *name)
{
    free(f->name);
    f->name = xstrdup(name);
    folder_touch(f);
}

void folder_move(struct folder *f, struct folder *parent)
{
    if (f->parent)
        folder_touch(f->parent);
    f->parent = parent;
    folder_touch(parent);
    folder_touch(f);
}

void folder_destroy(struct folder *f)
{
    struct mailbox *b = f->mailbox;
    for (size_t i = 0; i < b->folder_count; i++) {
        if (b->folders[i]->parent == f && !b->folders[i]->gone)
            folder_destroy(b->folders[i]);
    }
    while (f->count > 0)
        message_destroy(f->items[f->count - 1]);
    f->gone = true;
    folder_touch(f);
    if (f->parent)
        folder_touch(f->parent);
}

char *folder_path(const struct folder *f)
{
    if (!f->parent || f->parent->well_known == NULL || f->parent->parent ||
        strcmp(f->parent->well_known, WELL_KNOWN_ROOT) != 0) {
        if (!f->parent)
            return xstrdup(f->name);
        char *above = folder_path(f->parent);
        char *path = xasprintf("%s/%s", above, f->name);
        free(above);
        return path;
    }
    return xstrdup(f->name);
}

static int newest_first(const void *a, const void *b)
{
    const struct message *x = *(struct message *const *)a;
    const struct message *y = *(struct message *const *)b;
    if (x->received_ms != y->received_ms)
        return x->received_ms > y->received_ms ? -1 : 1;
    return x->serial > y->serial ? -1 : x->serial < y->serial;
}

void folder_sort(struct folder *f)
{
    if (f->sorted)
        return;
    qsort(f->items, f->count, sizeof(struct message *), newest_first);
    for (size_t i = 0; i < f->count; i++)
        f->items[i]->slot = i;
    f->sorted = true;
}
