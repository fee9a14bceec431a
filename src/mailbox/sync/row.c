#include "row.h"

#include "change/keywords.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* Headers that Exchange renders but does not count in 0x0E08. */
#define ESTIMATE_HEADERS 2048

void row_init(struct row *r, const char *id)
{
    memset(r, 0, sizeof *r);
    r->id = xstrdup(id);
    r->article = ROW_ARTICLE_UNKNOWN;
    r->estimate = -1;
    r->size = -1;
}

void row_clear(struct row *r)
{
    free(r->id);
    free(r->change_key);
    free(r->keywords);
    memset(r, 0, sizeof *r);
}

void row_from_store(struct row *r, const struct store_message *m)
{
    row_init(r, m->graph_id);
    r->uid = m->uid;
    r->flags = m->flags;
    r->received_ms = m->received_ms;
    r->article = m->article;
    r->estimate = m->estimate;
    r->size = m->size;
    r->told = m->told;
    r->written = m->written;
    r->modseq = m->modseq;
    if (m->change_key[0])
        r->change_key = xstrdup(m->change_key);
    if (m->keywords[0])
        r->keywords = xstrdup(m->keywords);
}

void row_to_store(const struct row *r, struct store_message *m)
{
    *m = (struct store_message){
        .graph_id = r->id,
        .uid = r->uid,
        .flags = r->flags,
        .received_ms = r->received_ms,
        .article = r->article,
        .estimate = r->estimate,
        .size = r->size,
        .told = r->told,
        .written = r->written,
        .modseq = r->modseq,
        .change_key = r->change_key ? r->change_key : "",
        .keywords = r->keywords ? r->keywords : "",
    };
}

static void set_flag(struct row *r, uint32_t flag, bool on)
{
    r->flags = on ? r->flags | flag : r->flags & ~flag;
}

static void replace(char **old, char *value)
{
    free(*old);
    *old = value;
}

static void apply_categories(struct row *r, const char **categories)
{
    bool cut;
    replace(&r->keywords, keywords_of_categories(categories, &cut));
    set_flag(r, MAILBOX_KEYWORDS_CUT, cut);
}

/* One property for two flags: the last verb hides the one before, which is kept. */
static void apply_verb(struct row *r, int64_t verb)
{
    if (verb == GRAPH_VERB_REPLY || verb == GRAPH_VERB_REPLY_ALL)
        r->flags |= MAILBOX_ANSWERED;
    else if (verb == GRAPH_VERB_FORWARD)
        r->flags |= MAILBOX_FORWARDED;
    else
        r->flags &= ~(MAILBOX_ANSWERED | MAILBOX_FORWARDED);
}

static void apply_extended(struct row *r, const struct graph_message *m, bool whole)
{
    /* Where a server shows none at all, absence says nothing of a flag. */
    bool told =
        whole &&
        (m->has & (GRAPH_HAS_ARTICLE | GRAPH_HAS_SIZE | GRAPH_HAS_VERB | GRAPH_HAS_IMAP_DELETED));
    if (m->has & GRAPH_HAS_ARTICLE)
        r->article = m->article;
    else if (told || (whole && r->article < 0))
        r->article = ROW_ARTICLE_NONE;
    if (m->has & GRAPH_HAS_SIZE)
        r->estimate = m->size;
    if (told || (m->has & GRAPH_HAS_IMAP_DELETED))
        set_flag(r, MAILBOX_DELETED, (m->has & GRAPH_HAS_IMAP_DELETED) && m->imap_deleted);
    if (told || (m->has & GRAPH_HAS_VERB))
        apply_verb(r, m->has & GRAPH_HAS_VERB ? m->verb : GRAPH_VERB_NONE);
}

/* What clients said holds as long as Graph says what it said then. */
static void apply_draft(struct row *r, bool is_draft)
{
    if (is_draft == mailbox_is_draft(r->flags))
        return;
    set_flag(r, MAILBOX_DRAFT_CONTRARY, false);
    set_flag(r, MAILBOX_DRAFT, is_draft);
}

void row_apply(struct row *r, const struct graph_message *m, bool whole)
{
    if (m->has & GRAPH_HAS_READ)
        set_flag(r, MAILBOX_SEEN, m->is_read);
    if (m->has & GRAPH_HAS_DRAFT)
        apply_draft(r, m->is_draft);
    if ((m->has & GRAPH_HAS_FLAG) && m->flag_status)
        set_flag(r, MAILBOX_FLAGGED, strcmp(m->flag_status, "flagged") == 0);
    if (m->has & GRAPH_HAS_CATEGORIES)
        apply_categories(r, m->categories);
    if (m->has & GRAPH_HAS_RECEIVED)
        r->received_ms = m->received_ms;
    if ((m->has & GRAPH_HAS_CHANGE_KEY) && m->change_key)
        replace(&r->change_key, xstrdup(m->change_key));
    apply_extended(r, m, whole);
}

int64_t row_told_estimate(int64_t estimate)
{
    /* Base64 with its line ends takes 78 octets for 57. */
    return estimate < 0 ? -1 : estimate + estimate * 2 / 5 + ESTIMATE_HEADERS;
}

void row_entry(const struct row *r, struct mailbox_entry *entry)
{
    memset(entry, 0, sizeof *entry);
    entry->uid = r->uid;
    entry->flags = r->flags;
    entry->received_ms = r->received_ms;
    entry->size_exact = r->size >= 0;
    entry->told_size = r->told;
    entry->keywords = r->keywords ? r->keywords : "";
    entry->size = entry->size_exact ? r->size : row_told_estimate(r->estimate);
    entry->modseq = r->modseq;
    sha256(r->id, strlen(r->id), entry->digest);
}
