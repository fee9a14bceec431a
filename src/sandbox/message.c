#include "compose.h"
#include "generator.h"
#include "model.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/mime/header.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void log_change(struct folder *f, const struct message *m, struct change change)
{
    if (f->log_len == f->log_cap) {
        f->log_cap = f->log_cap ? f->log_cap * 2 : 64;
        f->log = xreallocarray(f->log, f->log_cap, sizeof *f->log);
    }
    change.seq = f->mailbox->seq;
    change.serial = m->serial;
    change.moves = m->moves;
    change.round = f->rounds;
    change.is_read = m->is_read;
    change.is_draft = m->is_draft;
    change.flag = m->flag;
    change.categories = m->categories;
    change.modified_ms = m->modified_ms;
    if (change.at_ms != INT64_MIN)
        change.at_ms = clock_mono_ms();
    f->log[f->log_len++] = change;
}

static void stamp(struct message *m)
{
    m->change = ++m->folder->mailbox->seq;
    m->modified_ms = clock_wall_ms();
}

/* Puts the message into a folder, with that folder's next article number. */
static void insert(struct message *m, struct folder *f, bool at_start)
{
    if (f->count == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 16;
        f->items = xreallocarray(f->items, f->cap, sizeof(struct message *));
    }
    m->folder = f;
    m->slot = f->count;
    f->items[f->count++] = m;
    f->sorted = f->count == 1;
    f->unread += !m->is_read;
    m->article = f->next_article++;
    m->change = ++f->mailbox->seq;
    log_change(
        f, m,
        (struct change){.mask = CHANGE_ALL, .created = true, .at_ms = at_start ? INT64_MIN : 0});
    folder_touch_counts(f);
}

static void extract(struct message *m)
{
    struct folder *f = m->folder;
    f->mailbox->seq++;
    log_change(f, m, (struct change){.removed = true});
    f->count--;
    if (m->slot != f->count) {
        f->items[m->slot] = f->items[f->count];
        f->items[m->slot]->slot = m->slot;
        f->sorted = false;
    }
    f->unread -= !m->is_read;
    m->folder = NULL;
    folder_touch_counts(f);
}

static struct message *raw_message(struct mailbox *b)
{
    if (b->message_count == MESSAGES_MAX)
        return NULL;
    if (b->message_count == b->message_cap) {
        b->message_cap = b->message_cap ? b->message_cap * 2 : 64;
        b->messages = xreallocarray(b->messages, b->message_cap, sizeof(struct message *));
    }
    struct message *m = xcalloc(1, sizeof *m);
    m->serial = (uint32_t)b->message_count;
    m->importance = IMPORTANCE_NORMAL;
    b->messages[b->message_count++] = m;
    return m;
}

/* Mail in these folders was written here. */
static bool is_outgoing(const struct folder *f)
{
    static const char *const names[] = {"drafts", "outbox", "sentitems"};
    for (size_t i = 0; f->well_known && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(f->well_known, names[i]) == 0)
            return true;
    }
    return false;
}

static const char *const type_names[] = {
    [KIND_MESSAGE] = "#microsoft.graph.message",
    [KIND_EVENT] = "#microsoft.graph.eventMessage",
    [KIND_REQUEST] = "#microsoft.graph.eventMessageRequest",
    [KIND_RESPONSE] = "#microsoft.graph.eventMessageResponse",
    [KIND_SHARING] = "#microsoft.graph.calendarSharingMessage",
};

const char *message_type_name(enum message_kind kind)
{
    return type_names[kind];
}

bool message_kind_parse(const char *name, enum message_kind *kind)
{
    for (int i = 0; i < KIND_COUNT; i++) {
        if (strcmp(strrchr(type_names[i], '.') + 1, name) == 0) {
            *kind = (enum message_kind)i;
            return true;
        }
    }
    return false;
}

/* What Exchange makes of the calendar part of a message (RFC 6047: its method parameter). */
static enum message_kind kind_of(const char *mime)
{
    const char *part = mime ? strcasestr(mime, "Content-Type: text/calendar") : NULL;
    const char *method = part ? strcasestr(part, "method=") : NULL;
    if (!method)
        return KIND_MESSAGE;
    method += strlen("method=");
    method += *method == '"';
    return strncasecmp(method, "REQUEST", 7) == 0 ? KIND_REQUEST
           : strncasecmp(method, "REPLY", 5) == 0 ? KIND_RESPONSE
                                                  : KIND_EVENT;
}

struct message *message_add(struct folder *f, const struct message_new *n)
{
    struct message *m = raw_message(f->mailbox);
    if (!m)
        return NULL;
    if (n->mime) {
        m->mime = xmalloc(n->size + 1);
        memcpy(m->mime, n->mime, n->size);
        m->mime[n->size] = '\0';
    }
    m->kind = (uint8_t)kind_of(m->mime);
    m->size = n->size;
    m->seed = n->seed;
    m->received_ms = n->received_ms;
    m->created_ms = n->received_ms;
    m->is_read = n->is_read;
    m->is_draft = n->is_draft;
    m->composed = n->composed || n->is_draft || is_outgoing(f);
    m->modified_ms = n->at_start ? n->received_ms : clock_wall_ms();
    insert(m, f, n->at_start);
    return m;
}

void message_touch(struct message *m, unsigned mask)
{
    stamp(m);
    log_change(m->folder, m, (struct change){.mask = (uint8_t)mask});
}

void message_set_read(struct message *m, bool is_read)
{
    if (m->is_read == is_read)
        return;
    m->is_read = is_read;
    if (is_read)
        m->folder->unread--;
    else
        m->folder->unread++;
    folder_touch_counts(m->folder);
}

void message_set_categories(struct message *m, char **categories)
{
    struct mailbox *b = m->folder->mailbox;
    b->categories = xreallocarray(b->categories, b->categories_count + 1, sizeof *b->categories);
    b->categories[b->categories_count++] = categories;
    m->categories = categories;
}

void message_touch_later(struct message *m, int64_t ms)
{
    struct mailbox *b = m->folder->mailbox;
    b->late = xreallocarray(b->late, b->late_count + 1, sizeof *b->late);
    b->late[b->late_count++] = (struct late_touch){m->serial, clock_mono_ms() + ms};
}

void mailbox_touch_late(struct mailbox *b)
{
    size_t n = 0;
    while (n < b->late_count && b->late[n].due_ms <= clock_mono_ms()) {
        struct message *m = b->messages[b->late[n++].serial];
        if (m->folder)
            message_touch(m, CHANGE_OTHER);
    }
    b->late_count -= n;
    if (n > 0)
        memmove(b->late, b->late + n, b->late_count * sizeof *b->late);
}

void message_move(struct message *m, struct folder *to)
{
    extract(m);
    m->moves++;
    m->modified_ms = clock_wall_ms();
    insert(m, to, false);
}

struct message *message_copy(const struct message *from, struct folder *to)
{
    struct message *m = raw_message(to->mailbox);
    if (!m)
        return NULL;
    uint32_t serial = m->serial;
    *m = *from;
    m->serial = serial;
    m->moves = 0;
    m->created_ms = m->modified_ms = clock_wall_ms();
    m->props = (struct prop_set){0};
    prop_copy(&m->props, &from->props);
    if (from->content)
        m->content = content_copy(from->content);
    if (from->mime)
        m->mime = memcpy(xmalloc(from->size + 1), from->mime, from->size + 1);
    insert(m, to, false);
    return m;
}

void message_destroy(struct message *m)
{
    extract(m);
    free(m->mime);
    m->mime = NULL;
    content_free(m->content);
    m->content = NULL;
    m->size = 0;
}

struct content *message_content(struct message *m)
{
    if (!m->content) {
        struct buf scratch = BUF_INIT(MESSAGE_MAX);
        m->content = content_of_mime(message_mime(m, &scratch), m->size, m->received_ms);
        buf_free(&scratch);
    }
    return m->content;
}

void message_compose(struct message *m)
{
    struct buf text;
    compose_mime(message_content(m), &text);
    free(m->mime);
    m->size = text.len;
    m->mime = buf_steal(&text);
}

const char *message_mime(const struct message *m, struct buf *scratch)
{
    if (m->mime)
        return m->mime;
    buf_clear(scratch);
    generator_write(m->seed, m->size, m->received_ms, scratch);
    return buf_str(scratch);
}

const char *message_head(const struct message *m, struct buf *scratch, size_t *len)
{
    if (m->mime) {
        *len = mime_header_size(m->mime, m->size);
        return m->mime;
    }
    generator_write_head(m->seed, m->received_ms, scratch);
    *len = scratch->len;
    return buf_str(scratch);
}
