/*
 * STORE and UID STORE (RFC 3501 section 6.4.6, RFC 7162 section 3.1.3).
 *
 * What Graph confirmed is told, whatever became of the rest: .SILENT or not where the client would
 * believe otherwise.
 */
#include "commands.h"
#include "respond.h"

#include "postern/mailbox/flags.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define RESPONSE_MAX ((size_t)256 * 1024)
/* "MODIFIED 1,3,5 …": every other one of a folder of a million. */
#define MODIFIED_MAX ((size_t)8 * 1024 * 1024)

struct store {
    struct mailbox_flag_change change;
    bool silent;
    uint64_t unchanged_since;
    struct imap_found found;
    enum mailbox_outcome *outcomes;
    size_t gone, failed;
    uint32_t *modified; /* numbers, or UIDs of UID STORE */
    size_t modified_count;
};

/* ---- arguments ---- */

/* "FLAGS", "+FLAGS", "-FLAGS", with ".SILENT" or without. */
static bool parse_item(const struct imap_arg *arg, struct store *x)
{
    const char *name = arg->type == IMAP_ARG_ATOM ? arg->text : "";
    x->change.op = *name == '+'   ? MAILBOX_FLAGS_ADD
                   : *name == '-' ? MAILBOX_FLAGS_REMOVE
                                  : MAILBOX_FLAGS_REPLACE;
    name += x->change.op != MAILBOX_FLAGS_REPLACE;
    x->silent = strcasecmp(name, "FLAGS.SILENT") == 0;
    return x->silent || strcasecmp(name, "FLAGS") == 0;
}

/* "(UNCHANGEDSINCE n)", if it is there; *arg moves on. False: another modifier. */
static bool parse_modifier(const struct imap_arg **arg, struct store *x)
{
    x->unchanged_since = MAILBOX_ANY_MODSEQ;
    if ((*arg)->type != IMAP_ARG_LIST)
        return true;
    const struct imap_arg *list = (*arg)->list;
    (*arg)++;
    return imap_arg_is_atom(&list[0], "UNCHANGEDSINCE") &&
           imap_arg_number64(&list[1], &x->unchanged_since) && list[2].type == IMAP_ARG_END;
}

/* False: it was answered. */
static bool parse(struct imap_session *s, const struct imap_command *c, struct store *x)
{
    const struct imap_arg *arg = c->args;
    enum imap_flags_refusal refusal;
    if (c->count < 3) {
        imap_bad(s, c, "STORE takes a set, an item and flags");
        return false;
    }
    if (!imap_find(s, c, arg++, &x->found))
        return false;
    if (!parse_modifier(&arg, x)) {
        imap_bad(s, c, "the one modifier is UNCHANGEDSINCE with a number");
        return false;
    }
    if (!parse_item(arg, x)) {
        imap_bad(s, c, "the item is FLAGS, +FLAGS or -FLAGS, with .SILENT or without");
        return false;
    }
    arg++;
    if (arg->type == IMAP_ARG_END || (arg->type == IMAP_ARG_LIST && arg[1].type != IMAP_ARG_END) ||
        !imap_parse_flags(arg, s->arena, &x->change.flags, &x->change.keywords, &refusal)) {
        imap_bad(s, c, "a list of flags is missing, or is none");
        return false;
    }
    if (refusal)
        imap_refuse_flags(s, c, refusal);
    return !refusal;
}

/* ---- telling ---- */

static size_t count_words(const char *words)
{
    size_t n = *words != '\0';
    for (; *words; words++)
        n += *words == ' ';
    return n;
}

/* How many of the words are in the set. */
static size_t count_common(const char *set, const char *words)
{
    size_t n = 0;
    for (const char *p = words; *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        n += imap_has_keyword(set, p, len);
        p += len;
    }
    return n;
}

static bool keywords_as_expected(const struct mailbox_flag_change *change, const char *was,
                                 const char *is)
{
    size_t named = count_words(change->keywords), had = count_common(was, change->keywords);
    size_t has = count_common(is, change->keywords), kept = count_common(is, was);
    switch (change->op) {
    case MAILBOX_FLAGS_ADD:
        return has == named && kept == count_words(was) &&
               count_words(is) == count_words(was) + named - had;
    case MAILBOX_FLAGS_REMOVE:
        return has == 0 && count_words(is) == count_words(was) - had && kept == count_words(is);
    case MAILBOX_FLAGS_REPLACE:
        break;
    }
    return has == named && count_words(is) == named;
}

/* Is the message what a client that is told nothing will take it for? */
static bool as_expected(const struct mailbox_flag_change *change, const struct mailbox_entry *was,
                        const struct mailbox_entry *is)
{
    uint32_t named = change->flags, flags = named;
    if (change->op == MAILBOX_FLAGS_ADD)
        flags = was->flags | named;
    if (change->op == MAILBOX_FLAGS_REMOVE)
        flags = was->flags & ~named;
    return !((flags ^ is->flags) & ~MAILBOX_NOT_TOLD) &&
           keywords_as_expected(change, was->keywords, is->keywords);
}

/* "* 3 FETCH (FLAGS (\Seen) UID 7 MODSEQ (12))" */
static void put_fetch(struct imap_session *s, const struct imap_command *c, size_t number,
                      const struct mailbox_entry *entry, bool flags, struct buf *line)
{
    buf_clear(line);
    buf_printf(line, "* %zu FETCH (", number);
    if (flags) {
        buf_puts(line, "FLAGS ");
        imap_put_flags(s, entry, line);
    }
    if (c->uid)
        buf_printf(line, "%sUID %" PRIu32, flags ? " " : "", entry->uid);
    if (s->selected->condstore)
        buf_printf(line, "%sMODSEQ (%" PRIu64 ")", flags || c->uid ? " " : "", entry->modseq);
    buf_puts(line, ")\r\n");
}

/* Tells what was done, in the generation that holds it. */
static void tell(struct imap_session *s, const struct imap_command *c, struct store *x)
{
    struct mailbox_view *now = mailbox_folder_view(s->selected->folder);
    struct buf line = BUF_INIT(RESPONSE_MAX);
    uint32_t *told = arena_alloc(s->arena, (x->found.count + 1) * sizeof *told);
    size_t count = 0;
    for (size_t i = 0; now && i < x->found.count; i++) {
        uint32_t index = x->found.indices[i];
        const struct mailbox_entry *was = mailbox_view_at(s->selected->view, index);
        const struct mailbox_entry *is = mailbox_view_find(now, x->found.uids[i], NULL);
        if (x->outcomes[i] != MAILBOX_DONE || !is)
            continue;
        bool flags = !x->silent || !as_expected(&x->change, was, is);
        told[count++] = is->uid;
        imap_tell_keywords(s, is->keywords); /* .SILENT or not: a later FETCH names them */
        if (!flags && !s->selected->condstore)
            continue;
        put_fetch(s, c, (size_t)index + 1, is, flags, &line);
        imap_send(s, &line);
    }
    imap_told(s, now, told, count);
    mailbox_view_unref(&now);
    buf_free(&line);
}

static void survey(struct imap_session *s, const struct imap_command *c, struct store *x)
{
    x->modified = arena_alloc(s->arena, (x->found.count + 1) * sizeof *x->modified);
    for (size_t i = 0; i < x->found.count; i++) {
        x->gone += x->outcomes[i] == MAILBOX_GONE;
        x->failed += x->outcomes[i] == MAILBOX_FAILED;
        if (x->outcomes[i] == MAILBOX_MODIFIED)
            x->modified[x->modified_count++] = c->uid ? x->found.uids[i] : x->found.indices[i] + 1;
    }
}

/* Messages that are gone fail the command only where it named them by number: RFC 3501 section
 * 6.4.8 lets UID STORE pass over them. */
static void answer(struct imap_session *s, const struct imap_command *c, const struct store *x,
                   const struct error *e)
{
    struct buf code = BUF_INIT(MODIFIED_MAX);
    bool gone = x->gone && !c->uid;
    if (x->modified_count) {
        buf_puts(&code, "MODIFIED ");
        imap_set_write(x->modified, x->modified_count, &code);
    }
    if (x->failed)
        imap_fail(s, c, e);
    else if (gone)
        imap_no(s, c, x->modified_count ? buf_str(&code) : "EXPUNGEISSUED",
                "some of the messages are gone");
    else if (x->modified_count)
        imap_done(s, c, buf_str(&code), "some of the messages were changed since");
    else
        imap_done(s, c, NULL, "%sSTORE completed", c->uid ? "UID " : "");
    buf_free(&code);
}

void imap_store(struct imap_session *s, const struct imap_command *c)
{
    struct store x = {0};
    struct error e = ERROR_INIT;
    if (!parse(s, c, &x))
        return;
    if (x.unchanged_since != MAILBOX_ANY_MODSEQ)
        imap_condstore(s);
    x.outcomes = arena_alloc(s->arena, (x.found.count + 1) * sizeof *x.outcomes);
    if (x.found.count)
        mailbox_store(s->selected->folder, x.found.uids, x.found.count, &x.change,
                      x.unchanged_since, x.outcomes, imap_wait_to_end(s), &e);
    survey(s, c, &x);
    tell(s, c, &x);
    answer(s, c, &x, &e);
}
