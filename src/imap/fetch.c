/*
 * FETCH: gets what the items need and tells the messages one by one. A message that cannot be
 * told does not keep the others from being told; the command then ends with NO. What many
 * messages need is asked for together: headers in pages, bodies several abreast.
 */
#include "fetch.h"

#include "commands.h"
#include "respond.h"
#include "structure.h"

#include "postern/base/log.h"
#include "postern/mailbox/facts.h"
#include "postern/mailbox/flags.h"

#include <string.h>

/* Bodies that are held at a time while \Seen is written for their messages. */
#define SEEN_ABREAST 16
/* Failures in a row that are no longer about single messages. */
#define FAILURES_MAX 3
/* The structure of a message as text. */
#define STRUCTURE_MAX ((size_t)16 * 1024 * 1024)
#define HEADER_MAX    ((size_t)4 * 1024 * 1024)

struct fetch {
    struct imap_session *s;
    struct fetch_request request;
    struct imap_found found;
    struct arena *arena;      /* of one message: a command may tell very many */
    struct mailbox_view *now; /* the newest generation: what is known of sizes */
    struct error error;       /* the first */
    unsigned failures;        /* in a row */
    bool over;                /* nothing more can be told */
    bool offline;             /* only what costs no request */
};

/* ---- failures ---- */

static bool is_about_one(enum error_kind kind)
{
    return kind == ERROR_GONE || kind == ERROR_ANSWER || kind == ERROR_TOO_BIG ||
           kind == ERROR_CANNOT || kind == ERROR_TEMPORARY || kind == ERROR_REQUEST ||
           kind == ERROR_DENIED;
}

static void note(struct fetch *f, const struct error *e)
{
    if (f->error.kind == ERROR_NONE || f->error.kind == ERROR_GONE)
        f->error = *e;
    f->failures = e->kind == ERROR_GONE ? 0 : f->failures + 1;
    f->offline = f->offline || !is_about_one(e->kind) || f->failures >= FAILURES_MAX;
    f->over = f->over || e->kind == ERROR_CANCELED || f->s->over;
}

static void note_gone(struct fetch *f, uint32_t uid)
{
    struct error e = ERROR_INIT;
    error_set(&e, ERROR_GONE, "the message with UID %u no longer exists", (unsigned)uid);
    note(f, &e);
}

/* ---- one message ---- */

static struct mailbox_reader *reader(const struct fetch *f)
{
    return f->s->selected->reader;
}

static struct mailbox_folder *folder(const struct fetch *f)
{
    return f->s->selected->folder;
}

/* The structure as text, from the store or made of the message and then stored. 0: it takes the
 * message, which is not there. */
static int get_structure(struct fetch *f, uint32_t uid, struct imap_fetch_state *m, struct buf *out,
                         struct error *e)
{
    int known = mailbox_fact_get(folder(f), uid, MAILBOX_FACT_STRUCTURE, out, e);
    if (known != 0 || !m)
        return known;
    const struct mime_structure *structure = message_structure(m, e);
    const char *text = structure ? message_text(m, e) : NULL;
    if (!text)
        return -1;
    if (!imap_put_structure(structure, text, f->arena, out)) {
        error_set(e, ERROR_TOO_BIG, "the structure of a message takes over %zu bytes", out->max);
        return -1;
    }
    return mailbox_fact_put(folder(f), uid, MAILBOX_FACT_STRUCTURE, buf_str(out), out->len, e) ? 1
                                                                                               : -1;
}

/* The header block that was told first, or the message's own. */
static bool get_header(struct fetch *f, uint32_t uid, struct imap_fetch_state *m, struct buf *out,
                       struct error *e)
{
    int known = mailbox_fact_get(folder(f), uid, MAILBOX_FACT_HEADER, out, e);
    if (known != 0)
        return known > 0;
    if (!m) /* it was known a moment ago, and went with its message */
        return error_set(e, ERROR_GONE, "the message with UID %u no longer exists", (unsigned)uid);
    const struct mime_structure *structure = message_structure(m, e);
    return structure && message_append(m, 0, structure->parts[0].header.len, out, e) &&
           mailbox_fact_put(folder(f), uid, MAILBOX_FACT_HEADER, buf_str(out), out->len, e);
}

/* What the envelope was told of first, or the header. */
static bool get_envelope(struct fetch *f, uint32_t uid, struct imap_fetch_state *m, struct buf *out,
                         struct error *e)
{
    int known = mailbox_fact_get(folder(f), uid, MAILBOX_FACT_ENVELOPE, out, e);
    return known != 0 ? known > 0 : get_header(f, uid, m, out, e);
}

static uint32_t size_of(const struct fetch *f, const struct mailbox_entry *entry,
                        const struct imap_fetch_state *m)
{
    const struct mailbox_entry *now = mailbox_view_find(f->now, entry->uid, NULL);
    if (!now)
        now = entry;
    if (now->told_size)
        return now->told_size;
    uint64_t size = m ? message_size(m) : now->size > 0 ? (uint64_t)now->size : 0;
    return size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
}

/* What a header block must be for what was asked for. */
static enum mailbox_headers block_kind(const struct fetch *f)
{
    return f->request.needs & FETCH_NEEDS_HEADER ? MAILBOX_HEADERS_WHOLE : MAILBOX_HEADERS_ENVELOPE;
}

/* Tells one message with what is there of it: its body, or a header block of block_kind(), or
 * neither. */
static void tell(struct fetch *f, size_t index, const struct mailbox_entry *entry,
                 struct imap_fetch_state *m, const char *block, size_t block_len, bool changed)
{
    struct error e = ERROR_INIT;
    unsigned needs = f->request.needs;
    struct buf structure = BUF_INIT(STRUCTURE_MAX);
    struct buf header = BUF_INIT(HEADER_MAX), envelope = BUF_INIT(HEADER_MAX);
    struct fetch_source source = {
        .arena = f->arena, .index = index, .entry = entry, .message = m, .flags_changed = changed};
    bool ok = true;
    if (needs & FETCH_NEEDS_SIZE)
        source.size = size_of(f, entry, m);
    if (needs & FETCH_NEEDS_STRUCTURE)
        ok = get_structure(f, entry->uid, m, &structure, &e) > 0;
    if (ok && (needs & FETCH_NEEDS_HEADER) && !block)
        ok = get_header(f, entry->uid, m, &header, &e);
    bool given = block && block_kind(f) == MAILBOX_HEADERS_ENVELOPE;
    if (ok && (needs & FETCH_NEEDS_ENVELOPE) && !given)
        ok = get_envelope(f, entry->uid, m, &envelope, &e);
    source.structure = buf_str(&structure);
    source.header = block ? block : buf_str(&header);
    source.header_len = block ? block_len : header.len;
    source.envelope = given ? block : buf_str(&envelope);
    source.envelope_len = given ? block_len : envelope.len;
    ok = ok && fetch_reply(f->s, &f->request, &source, &e);
    buf_free(&structure);
    buf_free(&header);
    buf_free(&envelope);
    arena_clear(f->arena);
    if (ok)
        f->failures = 0;
    else
        note(f, &e);
}

/* ---- with bodies ---- */

/* Bodies in hand (NULL: the header is all that is needed), while \Seen is written. */
struct batch {
    size_t indices[SEEN_ABREAST];
    uint32_t uids[SEEN_ABREAST];
    struct mailbox_body *bodies[SEEN_ABREAST];
    bool seen[SEEN_ABREAST]; /* \Seen was written */
    size_t count;
};

static const struct mailbox_entry *announced(const struct fetch *f, size_t index)
{
    return mailbox_view_at(f->s->selected->view, index);
}

/* Takes the next body that can be had. */
static void take_body(struct fetch *f, struct batch *b, size_t index, uint32_t uid)
{
    struct error e = ERROR_INIT;
    if (f->offline && !mailbox_reader_has_body(reader(f), uid))
        return;
    struct mailbox_body *body = mailbox_reader_body(reader(f), uid, imap_wait(f->s), &e);
    if (!body) {
        note(f, &e);
        return;
    }
    b->indices[b->count] = index;
    b->uids[b->count] = uid;
    b->seen[b->count] = false;
    b->bodies[b->count++] = body;
}

/* Writes \Seen for what the batch holds. Where that fails the bodies are told all the same, and no
 * \Seen. */
static void mark_seen(struct fetch *f, struct batch *b)
{
    static const struct mailbox_flag_change seen = {
        .op = MAILBOX_FLAGS_ADD, .flags = MAILBOX_SEEN, .keywords = ""};
    uint32_t uids[SEEN_ABREAST];
    size_t which[SEEN_ABREAST], count = 0;
    enum mailbox_outcome outcomes[SEEN_ABREAST];
    struct error e = ERROR_INIT;
    for (size_t i = 0; i < b->count; i++) {
        if (announced(f, b->indices[i])->flags & MAILBOX_SEEN)
            continue;
        which[count] = i;
        uids[count++] = b->uids[i];
    }
    if (count == 0)
        return;
    if (!mailbox_store(folder(f), uids, count, &seen, MAILBOX_ANY_MODSEQ, outcomes,
                       imap_wait_to_end(f->s), &e))
        log_error_value(LOG_LEVEL_WARNING, &e, "messages were read, but cannot be marked as read");
    imap_wait(f->s);
    for (size_t i = 0; i < count; i++)
        b->seen[which[i]] = outcomes[i] == MAILBOX_DONE;
}

/* Tells the batch, and lets go of it. What was marked is told as the newest generation has it. */
static void tell_batch(struct fetch *f, struct batch *b)
{
    struct mailbox_view *newest = mailbox_folder_view(folder(f));
    uint32_t told[SEEN_ABREAST];
    size_t told_count = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct mailbox_entry *entry = announced(f, b->indices[i]);
        const struct mailbox_entry *now =
            b->seen[i] ? mailbox_view_find(newest, b->uids[i], NULL) : NULL;
        if (f->over) {
            mailbox_body_unref(&b->bodies[i]);
            continue;
        }
        if (now)
            imap_tell_keywords(f->s, now->keywords);
        struct imap_fetch_state *m =
            b->bodies[i] ? message_use(f->s, b->uids[i], b->bodies[i]) : NULL;
        tell(f, b->indices[i], now ? now : entry, m, NULL, 0, now != NULL);
        if (now)
            told[told_count++] = b->uids[i];
    }
    if (told_count)
        imap_told(f->s, newest, told, told_count);
    mailbox_view_unref(&newest);
    b->count = 0;
}

static bool marks(const struct fetch *f)
{
    return f->request.sets_seen && !f->s->selected->read_only;
}

static void with_bodies(struct fetch *f, const struct imap_found *which)
{
    size_t abreast = marks(f) ? SEEN_ABREAST : 1;
    struct batch b = {.count = 0};
    for (size_t i = 0; i < which->count && !f->over; i++) {
        if (i % MAILBOX_SEQUENCE_MAX == 0)
            mailbox_reader_sequence(reader(f), which->uids + i, which->count - i);
        take_body(f, &b, which->indices[i], which->uids[i]);
        if (b.count < abreast && i + 1 < which->count)
            continue;
        if (marks(f))
            mark_seen(f, &b);
        tell_batch(f, &b);
    }
    tell_batch(f, &b);
}

/* Messages whose headers the store has by now. */
static void mark_and_tell(struct fetch *f, const struct imap_found *which)
{
    struct batch b = {.count = 0};
    for (size_t i = 0; i < which->count && !f->over; i++) {
        b.indices[b.count] = which->indices[i];
        b.uids[b.count] = which->uids[i];
        b.bodies[b.count] = NULL;
        b.seen[b.count++] = false;
        if (b.count < SEEN_ABREAST && i + 1 < which->count)
            continue;
        mark_seen(f, &b);
        tell_batch(f, &b);
    }
}

/* ---- without ---- */

struct header_walk {
    struct fetch *f;
    const struct imap_found *which;
    size_t at;
    struct imap_found in_hand; /* where they are marked before they are told */
};

static bool tell_header(void *arg, uint32_t uid, const char *block, size_t len)
{
    struct header_walk *walk = arg;
    struct fetch *f = walk->f;
    /* A message that failed alone was passed over. */
    while (walk->which->uids[walk->at] != uid)
        walk->at++;
    size_t index = walk->which->indices[walk->at++];
    if (!block) {
        note_gone(f, uid);
    } else if (marks(f)) {
        walk->in_hand.indices[walk->in_hand.count] = index;
        walk->in_hand.uids[walk->in_hand.count++] = uid;
    } else {
        tell(f, index, announced(f, index), NULL, block, len, false);
    }
    return !f->over;
}

static void with_headers(struct fetch *f, const struct imap_found *which)
{
    struct header_walk walk = {.f = f, .which = which};
    struct error e = ERROR_INIT;
    if (marks(f)) {
        walk.in_hand.indices = arena_alloc(f->s->arena, which->count * sizeof(uint32_t) + 1);
        walk.in_hand.uids = arena_alloc(f->s->arena, which->count * sizeof(uint32_t) + 1);
    }
    if (which->count &&
        !mailbox_reader_headers(reader(f), block_kind(f), which->uids, which->count, tell_header,
                                &walk, imap_wait(f->s), &e) &&
        e.kind != ERROR_NONE)
        note(f, &e);
    mark_and_tell(f, &walk.in_hand);
}

static void with_nothing(struct fetch *f, const struct imap_found *which)
{
    for (size_t i = 0; i < which->count && !f->over; i++)
        tell(f, which->indices[i], announced(f, which->indices[i]), NULL, NULL, 0, false);
}

/* ---- sizes ---- */

static void refresh(struct fetch *f)
{
    mailbox_view_unref(&f->now);
    f->now = mailbox_folder_view(folder(f));
}

/* Messages whose size was never told and is not known; those that no estimate is had of too. */
static size_t unknown_sizes(const struct fetch *f, uint32_t *uids, size_t *blind)
{
    size_t count = 0;
    *blind = 0;
    for (size_t i = 0; i < f->found.count; i++) {
        const struct mailbox_entry *now = mailbox_view_find(f->now, f->found.uids[i], NULL);
        if (!now || now->told_size || now->size_exact)
            continue;
        uids[count++] = now->uid;
        *blind += now->size < 0;
    }
    return count;
}

/* Estimates err high; each is told from now on, so it is stored before (DESIGN: what was told
 * stays true). */
static bool settle_estimates(struct fetch *f, const uint32_t *uids, size_t count, struct error *e)
{
    uint32_t *sizes = arena_alloc(f->s->arena, count * sizeof *sizes);
    for (size_t i = 0; i < count; i++) {
        const struct mailbox_entry *now = mailbox_view_find(f->now, uids[i], NULL);
        sizes[i] = now->size < 1 ? 1 : now->size < UINT32_MAX ? (uint32_t)now->size : UINT32_MAX;
    }
    return mailbox_note_told_sizes(folder(f), uids, sizes, count, e);
}

/* Exact sizes of up to IMAP_EXACT_MAX messages, or as the login wants it; else estimates. False: no
 * size can be told. */
static bool settle_sizes(struct fetch *f)
{
    struct error e = ERROR_INIT;
    enum config_exact_size exact = f->s->login->exact_size;
    uint32_t *uids = arena_alloc(f->s->arena, (f->found.count + 1) * sizeof *uids);
    size_t blind, count = unknown_sizes(f, uids, &blind);
    bool fetches = exact == EXACT_SIZE_YES || blind > 0 ||
                   (exact == EXACT_SIZE_AUTO && count <= IMAP_EXACT_MAX);
    if (count && fetches) {
        int64_t *sizes = arena_alloc(f->s->arena, count * sizeof *sizes);
        if (!mailbox_reader_sizes(reader(f), uids, count, sizes, imap_wait(f->s), &e)) {
            if (exact == EXACT_SIZE_YES || blind > 0 || e.kind == ERROR_CANCELED) {
                note(f, &e);
                return false;
            }
            log_error_value(LOG_LEVEL_WARNING, &e,
                            "exact sizes could not be had, estimates are told");
        }
        refresh(f);
        count = unknown_sizes(f, uids, &blind);
    }
    error_clear(&e);
    if (count && !settle_estimates(f, uids, count, &e)) {
        note(f, &e);
        return false;
    }
    if (count)
        refresh(f);
    return true;
}

/* ---- the command ---- */

/* CHANGEDSINCE (RFC 7162 section 3.1.4.1). */
static void keep_changed(struct fetch *f)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->found.count; i++) {
        if (announced(f, f->found.indices[i])->modseq <= f->request.changed_since)
            continue;
        f->found.indices[kept] = f->found.indices[i];
        f->found.uids[kept++] = f->found.uids[i];
    }
    f->found.count = kept;
}

/* The messages whose structure the store has, and the others. */
static void split(struct fetch *f, struct imap_found *known, struct imap_found *unknown)
{
    struct arena *a = f->s->arena;
    struct buf text = BUF_INIT(STRUCTURE_MAX);
    struct imap_found *const all[] = {known, unknown};
    for (size_t k = 0; k < 2; k++) {
        all[k]->indices = arena_alloc(a, f->found.count * sizeof *all[k]->indices);
        all[k]->uids = arena_alloc(a, f->found.count * sizeof *all[k]->uids);
        all[k]->count = 0;
    }
    for (size_t i = 0; i < f->found.count; i++) {
        struct error ignored = ERROR_INIT;
        buf_clear(&text);
        bool has = mailbox_fact_get(folder(f), f->found.uids[i], MAILBOX_FACT_STRUCTURE, &text,
                                    &ignored) > 0;
        struct imap_found *to = has ? known : unknown;
        to->indices[to->count] = f->found.indices[i];
        to->uids[to->count++] = f->found.uids[i];
    }
    buf_free(&text);
}

static void run(struct fetch *f)
{
    unsigned needs = f->request.needs;
    if (needs & FETCH_NEEDS_BODY) {
        with_bodies(f, &f->found);
        return;
    }
    struct imap_found known = f->found, unknown = {0};
    if (needs & FETCH_NEEDS_STRUCTURE)
        split(f, &known, &unknown);
    /* What a body shows is not asked for a second time. */
    with_bodies(f, &unknown);
    if ((needs & FETCH_NEEDS_SIZE) && !settle_sizes(f))
        return;
    if (needs & (FETCH_NEEDS_HEADER | FETCH_NEEDS_ENVELOPE))
        with_headers(f, &known);
    else
        with_nothing(f, &known);
}

void imap_fetch(struct imap_session *s, const struct imap_command *c)
{
    struct fetch f = {.s = s};
    const char *wrong = fetch_parse(c, s->arena, &f.request);
    if (wrong) {
        if (f.request.over_limit)
            imap_no(s, c, "LIMIT", "%s", wrong);
        else
            imap_bad(s, c, "%s", wrong);
        return;
    }
    if (!imap_find(s, c, &c->args[0], &f.found))
        return;
    if (f.request.wants_modseq)
        imap_condstore(s);
    if (f.request.changed_since_given)
        keep_changed(&f);
    f.arena = arena_new();
    f.now = mailbox_folder_view(folder(&f));
    run(&f);
    mailbox_view_unref(&f.now);
    arena_free(&f.arena);
    message_rest(s);
    if (f.error.kind == ERROR_CANNOT)
        imap_no(s, c, "UNKNOWN-CTE", "%s", f.error.text); /* RFC 3516 section 4.3 */
    else if (f.error.kind != ERROR_NONE)
        imap_fail(s, c, &f.error);
    else
        imap_done(s, c, NULL, "%s completed", c->verb->name);
}
