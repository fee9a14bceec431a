#include "fake_tree.h"

#include "tree/tree_build.h"

#include "postern/base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT "root"

struct fake_tree fake_tree;

static void add_names(struct tree_subscriptions *s, const char *const *names, bool subscribed)
{
    for (; *names; names++)
        s->items[s->count++] =
            (struct tree_subscription){.name = (char *)*names, .subscribed = subscribed};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct tree_subscription *)a)->name,
                  ((const struct tree_subscription *)b)->name);
}

static struct mailbox_tree *build(void)
{
    struct tree_rows *rows = tree_rows_new(NULL);
    struct tree_subscription items[2 * FAKE_FOLDERS_MAX];
    struct tree_subscriptions subscriptions = {.items = items};
    struct tree_special special = {.root = (char *)ROOT};
    for (const struct fake_folder *f = fake_tree.folders; f->id; f++) {
        struct tree_row *row = tree_rows_enter(rows, f->id);
        row->parent_id = f->parent ? f->parent : ROOT;
        row->name = f->name;
        if (f->use)
            special.uses[f->use] = (char *)f->id;
    }
    add_names(&subscriptions, fake_tree.subscribed, true);
    add_names(&subscriptions, fake_tree.unsubscribed, false);
    qsort(items, subscriptions.count, sizeof *items, by_name);
    struct mailbox_tree *t = tree_build(rows, &special, &subscriptions);
    tree_rows_unref(&rows);
    return t;
}

static bool failed(struct error *e)
{
    *e = fake_tree.error;
    return e->kind != ERROR_NONE;
}

struct mailbox_tree *mailbox_tree_get(struct mailbox_account *a, int64_t newer_than_ms,
                                      struct wait *w, struct error *e)
{
    (void)a, (void)newer_than_ms, (void)w;
    fake_tree.asked++;
    return failed(e) ? NULL : build();
}

void mailbox_node_digest(const struct mailbox_node *node, uint8_t digest[SHA256_SIZE])
{
    (void)node;
    memset(digest, 0, SHA256_SIZE);
}

static bool note(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool note(struct error *e, const char *fmt, ...)
{
    size_t len = strlen(fake_tree.writes);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(fake_tree.writes + len, sizeof fake_tree.writes - len, fmt, ap);
    va_end(ap);
    return !failed(e);
}

bool mailbox_folder_create(struct mailbox_account *a, const char *name, struct wait *w,
                           struct error *e)
{
    (void)a, (void)w;
    return note(e, "create %s; ", name);
}

bool mailbox_folder_delete(struct mailbox_account *a, const char *name, enum config_expunge how,
                           struct wait *w, struct error *e)
{
    (void)a, (void)how, (void)w;
    return note(e, "delete %s; ", name);
}

bool mailbox_folder_rename(struct mailbox_account *a, const char *from, const char *to,
                           int64_t since_ms, struct wait *w, struct error *e)
{
    (void)a, (void)since_ms, (void)w;
    return note(e, "rename %s to %s; ", from, to);
}

bool mailbox_subscribe(struct mailbox_account *a, const char *name, bool subscribed, struct wait *w,
                       struct error *e)
{
    (void)a, (void)w;
    return note(e, "%s %s; ", subscribed ? "subscribe" : "unsubscribe", name);
}

void mailbox_status(struct mailbox_account *a, const char *const *names, size_t count, bool sizes,
                    int64_t newer_than_ms, struct wait *w, struct mailbox_status *out,
                    struct error *errors)
{
    (void)a, (void)newer_than_ms, (void)w;
    struct mailbox_tree *t = build();
    fake_tree.asked_status += count;
    fake_tree.sizes = sizes;
    for (size_t i = 0; i < count; i++) {
        out[i] = (struct mailbox_status){.messages = 5,
                                         .recent = 1,
                                         .unseen = 2,
                                         .uidnext = 17,
                                         .uidvalidity = 77,
                                         .modseq = 99,
                                         .size = 5000000000};
        if (!failed(&errors[i]) && !mailbox_tree_find(t, names[i]))
            error_set(&errors[i], ERROR_FOLDER_GONE, "there is no folder \"%s\"", names[i]);
    }
    mailbox_tree_unref(&t);
}
