/*
 * A program against the selected folder, cheapest first. Only messages that what is known leaves
 * undecided are looked at again with more: headers in pages, sizes, and at last whole messages,
 * four of which are on their way at once.
 */
#include "fetch.h"
#include "respond.h"
#include "search.h"

#include "postern/mailbox/facts.h"
#include "postern/mime/date.h"
#include "postern/mime/header.h"

#include <string.h>

#define MINUTE_MS ((int64_t)60000)
/* The reader takes so much of what will be read; it is told again before it comes to the end. */
#define TELL_EVERY (MAILBOX_SEQUENCE_MAX / 2)
#define HEADER_MAX ((size_t)64 * 1024 * 1024)
/* Of the digests of messages that tell the EMAILIDs of one search. */
#define BEARERS_MAX ((size_t)64 * 1024 * 1024)

struct run {
    struct imap_session *s;
    struct search_program *program;
    struct search_refusal *refusal;
    struct error *e;
    struct mailbox_view *now; /* the newest generation: what is known of sizes */
    uint8_t *matched;         /* by position */
    uint32_t *open;           /* positions that are undecided, rising */
    uint32_t *uids;           /* theirs */
    int64_t *sizes;           /* fetched for them; NULL: none were */
    size_t count;             /* of those */
    bool estimate;            /* sizes that are estimates count */
    unsigned downloads;       /* counted against the limit so far */
    size_t bearers_room;      /* octets of digests that may still be kept */
    size_t at, kept;          /* while headers are looked through: next, and still undecided */
};

static const struct mailbox_entry *entry_at(const struct run *r, size_t index)
{
    return mailbox_view_at(r->s->selected->view, index);
}

/* ---- what is known ---- */

int64_t search_size(const struct mailbox_view *now, const struct mailbox_entry *entry,
                    bool estimate)
{
    const struct mailbox_entry *newest = mailbox_view_find(now, entry->uid, NULL);
    if (newest)
        entry = newest;
    if (entry->told_size)
        return entry->told_size;
    return entry->size_exact || estimate ? entry->size : -1;
}

bool search_estimates(const struct imap_session *s, size_t unknown)
{
    enum config_exact_size exact = s->login->exact_size;
    return exact == EXACT_SIZE_NO || (exact == EXACT_SIZE_AUTO && unknown > IMAP_EXACT_MAX);
}

bool search_may_download(struct imap_session *s, const uint32_t *uids, size_t count,
                         unsigned *downloads, struct search_refusal *refusal)
{
    unsigned limit = imap_config(s)->limits.search_downloads;
    for (size_t i = 0; i < count; i++)
        *downloads += !mailbox_reader_has_body(s->selected->reader, uids[i]);
    if (*downloads <= limit)
        return true;
    refusal->code = "LIMIT";
    refusal->text = arena_printf(s->arena,
                                 "this must download %u messages first and may %u; narrow it by "
                                 "date or UID, or raise search-downloads",
                                 *downloads, limit);
    return false;
}

static struct search_facts facts_of(const struct run *r, size_t index)
{
    const struct mailbox_entry *entry = entry_at(r, index);
    for (size_t i = 0; i < r->program->match_count; i++)
        r->program->matches[i].found = false;
    return (struct search_facts){
        .entry = entry,
        .index = index,
        .size = r->program->needs_size ? search_size(r->now, entry, r->estimate) : -1};
}

/* The same for one that is undecided, with its size if that was fetched. */
static struct search_facts facts_of_open(const struct run *r, size_t i)
{
    struct search_facts facts = facts_of(r, r->open[i]);
    if (r->sizes && facts.size < 0)
        facts.size = r->sizes[i];
    return facts;
}

static void learn_header(const struct run *r, struct search_facts *facts, const char *block,
                         size_t len)
{
    struct mime_field f;
    struct mime_date date;
    mime_match_header(r->program->matches, r->program->match_count, block, len);
    facts->header = true;
    facts->dated =
        mime_field_find(block, len, "Date", &f) && mime_date_parse(f.value, f.value_len, &date);
    if (facts->dated)
        facts->sent_ms = date.wall_ms + date.zone_minutes * MINUTE_MS;
}

/* The header, if it costs no request. */
static bool learn_known_header(struct run *r, uint32_t uid, struct search_facts *facts)
{
    struct buf header = BUF_INIT(HEADER_MAX);
    int known = r->program->needs_header
                    ? mailbox_reader_known_header(r->s->selected->reader, uid, &header, r->e)
                    : 0;
    if (known > 0)
        learn_header(r, facts, buf_str(&header), header.len);
    buf_free(&header);
    return known >= 0;
}

/* ---- passes ---- */

/* Notes an answer; what stays undecided moves up to `*kept`. */
static void settle(struct run *r, size_t i, size_t *kept, enum search_answer answer)
{
    if (answer == SEARCH_YES)
        r->matched[r->open[i]] = true;
    if (answer != SEARCH_UNKNOWN)
        return;
    r->open[*kept] = r->open[i];
    r->uids[*kept] = r->uids[i];
    if (r->sizes)
        r->sizes[*kept] = r->sizes[i];
    ++*kept;
}

static void pass_view(struct run *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++) {
        struct search_facts facts = facts_of_open(r, i);
        settle(r, i, &kept, search_eval(r->program, &facts));
    }
    r->count = kept;
}

static bool take_header(void *arg, uint32_t uid, const char *block, size_t len)
{
    struct run *r = arg;
    if (r->at == r->count || r->uids[r->at] != uid)
        return error_set(r->e, ERROR_LOCAL, "headers came in another order than was asked for");
    struct search_facts facts = facts_of_open(r, r->at);
    enum search_answer answer = SEARCH_NO; /* gone */
    if (block) {
        learn_header(r, &facts, block, len);
        answer = search_eval(r->program, &facts);
    }
    settle(r, r->at++, &r->kept, answer);
    return true;
}

static bool pass_headers(struct run *r)
{
    /* take_header() moves what stays undecided forward in r->uids while these are asked for. */
    uint32_t *asked = arena_alloc(r->s->arena, r->count * sizeof *asked);
    memcpy(asked, r->uids, r->count * sizeof *asked);
    r->at = r->kept = 0;
    enum mailbox_headers what =
        r->program->needs_whole_header ? MAILBOX_HEADERS_WHOLE : MAILBOX_HEADERS_ENVELOPE;
    bool ok = mailbox_reader_headers(r->s->selected->reader, what, asked, r->count, take_header, r,
                                     imap_wait(r->s), r->e);
    r->count = r->kept;
    return ok;
}

/* Those of the undecided whose size is not known; their count. */
static size_t unknown_sizes(const struct run *r, size_t *which)
{
    size_t unknown = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (search_size(r->now, entry_at(r, r->open[i]), r->estimate) < 0)
            which[unknown++] = i;
    }
    return unknown;
}

/* Fetches the sizes that are needed still. */
static bool pass_sizes(struct run *r)
{
    size_t *which = arena_alloc(r->s->arena, r->count * sizeof *which);
    size_t unknown = unknown_sizes(r, which);
    uint32_t *uids = arena_alloc(r->s->arena, unknown * sizeof *uids);
    int64_t *fetched = arena_alloc(r->s->arena, unknown * sizeof *fetched);
    for (size_t i = 0; i < unknown; i++)
        uids[i] = r->uids[which[i]];
    if (!search_may_download(r->s, uids, unknown, &r->downloads, r->refusal) ||
        !mailbox_reader_sizes(r->s->selected->reader, uids, unknown, fetched, imap_wait(r->s),
                              r->e))
        return false;
    r->sizes = arena_alloc(r->s->arena, r->count * sizeof *r->sizes);
    memset(r->sizes, 0xff, r->count * sizeof *r->sizes); /* -1 */
    for (size_t i = 0; i < unknown; i++)
        r->sizes[which[i]] = fetched[i];
    return true;
}

/* Looks again at what sizes have decided, with headers that cost no request. */
static bool pass_known(struct run *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++) {
        struct search_facts facts = facts_of_open(r, i);
        if (!learn_known_header(r, r->uids[i], &facts))
            return false;
        settle(r, i, &kept, search_eval(r->program, &facts));
    }
    r->count = kept;
    return true;
}

/* ---- whole messages ---- */

/* Takes over the reference to the body. Its header is the one that was told, where that is known.
 */
static bool learn_body(struct run *r, struct search_facts *facts, struct mailbox_body *body)
{
    struct imap_fetch_state *m = message_use(r->s, facts->entry->uid, body);
    const char *text = message_text(m, r->e);
    size_t len = (size_t)message_size(m);
    if (!text)
        return false;
    if (!facts->header)
        learn_header(r, facts, text, mime_header_size(text, len));
    mime_match_body(r->program->matches, r->program->match_count, text, len);
    facts->body = true;
    if (facts->size < 0)
        facts->size = (int64_t)len;
    return true;
}

/* False: an error; a message that is gone is none. */
static bool look_into(struct run *r, size_t i, enum search_answer *answer)
{
    struct imap_selected *selected = r->s->selected;
    struct search_facts facts = facts_of_open(r, i);
    *answer = SEARCH_NO;
    if (!learn_known_header(r, r->uids[i], &facts))
        return false;
    *answer = search_eval(r->program, &facts);
    if (*answer != SEARCH_UNKNOWN)
        return true;
    struct mailbox_body *body =
        mailbox_reader_body(selected->reader, r->uids[i], imap_wait(r->s), r->e);
    *answer = SEARCH_NO;
    if (!body && r->e->kind == ERROR_GONE) {
        error_clear(r->e);
        return true;
    }
    if (!body || !learn_body(r, &facts, body))
        return false;
    *answer = search_eval(r->program, &facts);
    return true;
}

static bool pass_bodies(struct run *r)
{
    if (!search_may_download(r->s, r->uids, r->count, &r->downloads, r->refusal))
        return false;
    for (size_t i = 0; i < r->count; i++) {
        enum search_answer answer;
        if (i % TELL_EVERY == 0)
            mailbox_reader_sequence(r->s->selected->reader, r->uids + i, r->count - i);
        if (!look_into(r, i, &answer))
            return error_prefix(r->e, "message with UID %lu: ", (unsigned long)r->uids[i]);
        if (answer == SEARCH_YES)
            r->matched[r->open[i]] = true;
    }
    r->count = 0;
    return true;
}

/* ---- all of it ---- */

/* Asks who tells the EMAILIDs that are looked for, once for each of them. */
static bool learn_bearers(struct run *r, struct search_key *k)
{
    bool ok = true;
    for (struct search_key *part = k->parts; ok && part; part = part->next)
        ok = learn_bearers(r, part);
    if (!ok || k->op != SEARCH_EMAIL)
        return ok;
    struct buf digests = BUF_INIT(r->bearers_room);
    ok = mailbox_email_bearers(r->s->account, k->email, &digests, r->e);
    k->bearers = memcpy(arena_alloc(r->s->arena, digests.len + 1), buf_str(&digests), digests.len);
    k->bearer_count = digests.len / SHA256_SIZE;
    r->bearers_room -= digests.len;
    buf_free(&digests);
    return ok;
}

static bool decide(struct run *r)
{
    const struct search_program *p = r->program;
    pass_view(r);
    if (r->count && p->needs_size) {
        r->estimate = search_estimates(
            r->s, unknown_sizes(r, arena_alloc(r->s->arena, r->count * sizeof(size_t))));
        if (r->estimate)
            pass_view(r);
    }
    if (r->count && p->needs_header && !pass_headers(r))
        return false;
    if (r->count && p->needs_size && !(pass_sizes(r) && pass_known(r)))
        return false;
    return r->count == 0 || pass_bodies(r);
}

bool search_run(struct imap_session *s, struct search_program *p, struct imap_found *found,
                struct search_refusal *refusal, struct error *e)
{
    const struct mailbox_view *view = s->selected->view;
    size_t count = mailbox_view_count(view);
    struct run r = {.s = s,
                    .program = p,
                    .refusal = refusal,
                    .e = e,
                    .matched = arena_alloc(s->arena, count + 1),
                    .open = arena_alloc(s->arena, (count + 1) * sizeof *r.open),
                    .uids = arena_alloc(s->arena, (count + 1) * sizeof *r.uids),
                    .count = count,
                    .bearers_room = BEARERS_MAX};
    for (size_t i = 0; i < count; i++) {
        r.open[i] = (uint32_t)i;
        r.uids[i] = mailbox_view_at(view, i)->uid;
    }
    *refusal = (struct search_refusal){0};
    if (p->modseq)
        imap_condstore(s);
    r.now = mailbox_folder_view(s->selected->folder);
    bool ok = learn_bearers(&r, p->root) && decide(&r);
    mailbox_view_unref(&r.now);
    message_rest(s);
    if (!ok)
        return false;
    *found = (struct imap_found){.indices = r.open, .uids = r.uids};
    for (size_t i = 0; i < count; i++) {
        if (!r.matched[i])
            continue;
        found->indices[found->count] = (uint32_t)i;
        found->uids[found->count++] = mailbox_view_at(view, i)->uid;
    }
    return true;
}

void search_refuse(struct imap_session *s, const struct imap_command *c,
                   const struct search_refusal *refusal, const struct error *e)
{
    if (refusal->code)
        imap_no(s, c, refusal->code, "%s", refusal->text);
    else if (refusal->text)
        imap_bad(s, c, "%s", refusal->text);
    else
        imap_fail(s, c, e);
}
