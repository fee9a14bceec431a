#include "order.h"

#include "respond.h"

#include "postern/base/alloc.h"
#include "postern/mailbox/facts.h"
#include "postern/mime/address.h"
#include "postern/mime/casemap.h"
#include "postern/mime/date.h"
#include "postern/mime/header.h"
#include "postern/mime/msgid.h"
#include "postern/mime/subject.h"
#include "postern/mime/word.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_WANTS  ((unsigned)~ORDER_SIZE)
#define NAME_GROWTH   200 /* decoding and mapping together, at most */
#define IDS_FIRST     8
#define ADDRESS_FIELD 16384 /* bytes of a field that are read for its first address */

struct reading {
    struct imap_session *s;
    const struct imap_found *found;
    unsigned wants;
    struct order_item *items;
    size_t at;    /* of found */
    size_t count; /* of items */
    struct error *e;
};

static const char *keep(struct arena *a, const struct buf *b)
{
    return arena_strndup(a, buf_str(b), b->len);
}

/* The local part of the first address. */
static const char *first_mailbox(const char *block, size_t len, const char *name, struct arena *a)
{
    struct mime_field f;
    struct mime_addresses list = {0};
    if (!mime_field_find(block, len, name, &f))
        return "";
    struct arena *own = arena_new();
    size_t want = f.value_len < ADDRESS_FIELD ? f.value_len : ADDRESS_FIELD;
    mime_addresses_parse(f.value, want, own, &list);
    const char *mailbox = list.count && list.items[0].mailbox ? list.items[0].mailbox : "";
    size_t cap = strlen(mailbox) * NAME_GROWTH;
    struct buf text = BUF_INIT(cap), mapped = BUF_INIT(cap);
    mime_text_decode(mailbox, strlen(mailbox), &text);
    mime_casemap(buf_str(&text), text.len, &mapped);
    const char *kept = keep(a, &mapped);
    buf_free(&text);
    buf_free(&mapped);
    arena_free(&own);
    return kept;
}

static void read_subject(const char *block, size_t len, struct order_item *item, struct arena *a)
{
    struct mime_field f;
    if (!mime_field_find(block, len, "Subject", &f))
        return;
    struct buf base = BUF_INIT(f.value_len * MIME_SUBJECT_GROWTH);
    mime_base_subject(f.value, f.value_len, &base, &item->reply);
    item->subject = keep(a, &base);
    buf_free(&base);
}

/* The ids of a field, up to `max`. */
static size_t read_ids(const char *block, size_t len, const char *name, size_t max,
                       const char ***ids, struct arena *a)
{
    struct mime_field f;
    size_t count = 0, cap = 0, pos = 0;
    if (!mime_field_find(block, len, name, &f))
        return 0;
    struct buf id = BUF_INIT(f.value_len);
    while (count < max && mime_msgid_next(f.value, f.value_len, &pos, &id)) {
        if (count == cap) {
            cap = cap ? 2 * cap : IDS_FIRST;
            const char **grown = arena_alloc(a, cap * sizeof *grown);
            if (count)
                memcpy(grown, *ids, count * sizeof *grown);
            *ids = grown;
        }
        (*ids)[count++] = keep(a, &id);
    }
    buf_free(&id);
    return count;
}

/* In-Reply-To counts where there are no References (RFC 5256, THREAD=REFERENCES, step 1). */
static void read_references(const char *block, size_t len, struct order_item *item, struct arena *a)
{
    const char **ids = NULL;
    if (read_ids(block, len, "Message-ID", 1, &ids, a))
        item->id = ids[0];
    item->reference_count = read_ids(block, len, "References", SIZE_MAX, &ids, a);
    if (!item->reference_count)
        item->reference_count = read_ids(block, len, "In-Reply-To", 1, &ids, a);
    item->references = ids;
}

static void read_header(const struct reading *r, const char *block, size_t len,
                        struct order_item *item)
{
    struct arena *a = r->s->arena;
    struct mime_field f;
    struct mime_date date;
    if (r->wants & ORDER_DATE && mime_field_find(block, len, "Date", &f) &&
        mime_date_parse(f.value, f.value_len, &date))
        item->sent_ms = date.wall_ms;
    if (r->wants & ORDER_SUBJECT)
        read_subject(block, len, item, a);
    if (r->wants & ORDER_FROM)
        item->from = first_mailbox(block, len, "From", a);
    if (r->wants & ORDER_TO)
        item->to = first_mailbox(block, len, "To", a);
    if (r->wants & ORDER_CC)
        item->cc = first_mailbox(block, len, "Cc", a);
    if (r->wants & ORDER_IDS)
        read_references(block, len, item, a);
}

static void add_item(struct reading *r, bool uid, size_t i)
{
    uint32_t index = r->found->indices[i];
    const struct mailbox_entry *entry = mailbox_view_at(r->s->selected->view, index);
    r->items[i] = (struct order_item){.number = uid ? entry->uid : index + 1,
                                      .index = index,
                                      .arrival_ms = entry->received_ms,
                                      .sent_ms = entry->received_ms,
                                      .size = -1,
                                      .subject = "",
                                      .from = "",
                                      .to = "",
                                      .cc = ""};
}

static bool take_header(void *arg, uint32_t uid, const char *block, size_t len)
{
    struct reading *r = arg;
    if (r->at == r->found->count || r->found->uids[r->at] != uid)
        return error_set(r->e, ERROR_LOCAL, "headers came in another order than was asked for");
    struct order_item *item = &r->items[r->count];
    *item = r->items[r->at++];
    if (!block)
        return true;
    read_header(r, block, len, item);
    r->count++;
    return true;
}

/* The same rule as for FETCH and SEARCH. */
static bool read_sizes(struct reading *r, struct search_refusal *refusal)
{
    struct imap_selected *selected = r->s->selected;
    uint32_t *uids = arena_alloc(r->s->arena, r->count * sizeof *uids);
    int64_t *sizes = arena_alloc(r->s->arena, r->count * sizeof *sizes);
    size_t *which = arena_alloc(r->s->arena, r->count * sizeof *which);
    struct mailbox_view *now = mailbox_folder_view(selected->folder);
    bool estimate = false, ok = false;
    for (;;) {
        size_t unknown = 0;
        for (size_t i = 0; i < r->count; i++) {
            const struct mailbox_entry *entry = mailbox_view_at(selected->view, r->items[i].index);
            r->items[i].size = search_size(now, entry, estimate);
            if (r->items[i].size >= 0)
                continue;
            uids[unknown] = entry->uid;
            which[unknown++] = i;
        }
        if (!estimate && search_estimates(r->s, unknown)) {
            estimate = true;
            continue;
        }
        unsigned downloads = 0;
        ok = search_may_download(r->s, uids, unknown, &downloads, refusal) &&
             mailbox_reader_sizes(selected->reader, uids, unknown, sizes, imap_wait(r->s), r->e);
        for (size_t i = 0; ok && i < unknown; i++)
            r->items[which[i]].size = sizes[i];
        break;
    }
    mailbox_view_unref(&now);
    return ok;
}

bool order_read(struct imap_session *s, bool uid, const struct imap_found *found, unsigned wants,
                struct order_item **items, size_t *count, struct search_refusal *refusal,
                struct error *e)
{
    struct reading r = {.s = s, .found = found, .wants = wants, .e = e};
    r.items = arena_alloc(s->arena, (found->count + 1) * sizeof *r.items);
    for (size_t i = 0; i < found->count; i++)
        add_item(&r, uid, i);
    /* Only References are not among the fields of an ENVELOPE. */
    enum mailbox_headers what =
        wants & ORDER_IDS ? MAILBOX_HEADERS_WHOLE : MAILBOX_HEADERS_ENVELOPE;
    if (!(wants & HEADER_WANTS))
        r.count = found->count;
    else if (found->count &&
             !mailbox_reader_headers(s->selected->reader, what, found->uids, found->count,
                                     take_header, &r, imap_wait(s), e))
        return false;
    if (wants & ORDER_SIZE && r.count && !read_sizes(&r, refusal))
        return false;
    *items = r.items;
    *count = r.count;
    return true;
}

const struct search_program *order_search(struct imap_session *s, const struct imap_command *c,
                                          const struct imap_arg *args, struct imap_found *found)
{
    struct search_refusal refusal = {0};
    struct error e = ERROR_INIT;
    const char *charset = imap_arg_astring(args);
    if (!charset || args->glued) {
        imap_bad(s, c, "a charset is missing");
        return NULL;
    }
    struct search_program *p = search_parse(s, charset, args + 1, &refusal);
    if (p && search_run(s, p, found, &refusal, &e))
        return p;
    search_refuse(s, c, &refusal, &e);
    return NULL;
}
