/* Telling what changed in the selected folder (RFC 3501 section 7, DESIGN of views: a session keeps
 * the generation that it announced, and compares it with the newest). */
#include "respond.h"
#include "session.h"

#include "postern/base/alloc.h"
#include "postern/base/table.h"
#include "postern/mailbox/flags.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RESPONSE_MAX ((size_t)256 * 1024)
/* Keywords that FLAGS names. More may be in use; a longer list helps nobody. */
#define KEYWORDS_TOLD_MAX 1000

/* ---- keywords ---- */

/* True: one of them was not known. */
static bool learn_keywords(struct imap_selected *sel, const char *words)
{
    char word[256]; /* folded: case makes no other keyword */
    bool news = false;
    for (const char *p = words; *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        if (len < sizeof word && table_count(sel->keywords) < KEYWORDS_TOLD_MAX) {
            for (size_t i = 0; i < len; i++)
                word[i] = (char)tolower((unsigned char)p[i]);
            word[len] = '\0';
            if (strcasecmp(word, IMAP_MDN_SENT) != 0 && !table_get(sel->keywords, word)) {
                table_put(sel->keywords, word, xstrndup(p, len));
                news = true;
            }
        }
        p += len;
    }
    return news;
}

static void say_flags(struct imap_session *s)
{
    struct buf flags = BUF_INIT(RESPONSE_MAX);
    imap_put_all_flags(s, false, &flags);
    imap_untagged(s, "FLAGS %s", buf_str(&flags));
    buf_free(&flags);
}

void imap_tell_flags(struct imap_session *s)
{
    struct imap_selected *sel = s->selected;
    size_t count = mailbox_view_count(sel->view);
    const char *last = NULL; /* equal sets share one string */
    for (size_t i = 0; i < count; i++) {
        const char *keywords = mailbox_view_at(sel->view, i)->keywords;
        if (keywords != last && keywords[0])
            learn_keywords(sel, keywords);
        last = keywords;
    }
    say_flags(s);
}

void imap_tell_keywords(struct imap_session *s, const char *keywords)
{
    if (learn_keywords(s->selected, keywords))
        say_flags(s);
}

/* ---- \Recent ---- */

/* What came since the last look. Whoever may write takes it, and nobody else gets it. */
static void take_recent(struct imap_selected *sel)
{
    uint32_t from, to;
    mailbox_folder_recent(sel->folder, !sel->read_only, &from, &to);
    if (from >= to)
        return;
    struct imap_range *last = sel->recent_count ? &sel->recent[sel->recent_count - 1] : NULL;
    if (last && from <= last->high + 1) {
        last->high = to - 1 > last->high ? to - 1 : last->high;
        return;
    }
    sel->recent = xreallocarray(sel->recent, sel->recent_count + 1, sizeof *sel->recent);
    sel->recent[sel->recent_count++] = (struct imap_range){from, to - 1};
}

static size_t count_recent(const struct imap_session *s)
{
    const struct imap_selected *sel = s->selected;
    size_t recent = 0;
    for (size_t i = mailbox_view_count(sel->view); sel->recent_count && i-- > 0;) {
        uint32_t uid = mailbox_view_at(sel->view, i)->uid;
        if (uid < sel->recent[0].low)
            break;
        recent += imap_is_recent(s, uid);
    }
    return recent;
}

void imap_tell_count(struct imap_session *s)
{
    take_recent(s->selected);
    imap_untagged(s, "%zu EXISTS", mailbox_view_count(s->selected->view));
    imap_untagged(s, "%zu RECENT", count_recent(s));
}

/* ---- what changed ---- */

/* First a survey of all that changed, then the telling. */
struct changes {
    struct imap_session *s;
    size_t gone, added;
    bool new_keywords;
    uint32_t *uids; /* with other flags, rising */
    size_t count, cap;

    bool keep_gone;  /* an EXPUNGE may not be told now */
    size_t expunged; /* told so far */
    struct buf line;
};

static bool survey(void *arg, size_t index, const struct mailbox_entry *was,
                   const struct mailbox_entry *now)
{
    struct changes *c = arg;
    (void)index;
    if (now)
        c->new_keywords |= learn_keywords(c->s->selected, now->keywords);
    if (!now) {
        c->gone++;
    } else if (!was) {
        c->added++;
    } else {
        if (c->count == c->cap) {
            c->cap = c->cap ? c->cap * 2 : 16;
            c->uids = xreallocarray(c->uids, c->cap, sizeof *c->uids);
        }
        c->uids[c->count++] = now->uid;
    }
    return true;
}

static bool tell(void *arg, size_t index, const struct mailbox_entry *was,
                 const struct mailbox_entry *now)
{
    struct changes *c = arg;
    size_t number = index + 1 - c->expunged;
    if (!was)
        return false; /* new ones come last, and are counted */
    if (!now && c->keep_gone)
        return true;
    if (!now) {
        imap_untagged(c->s, "%zu EXPUNGE", number);
        c->expunged++;
        return true;
    }
    buf_clear(&c->line);
    buf_printf(&c->line, "* %zu FETCH (FLAGS ", number);
    imap_put_flags(c->s, now, &c->line);
    if (c->s->selected->condstore)
        buf_printf(&c->line, " MODSEQ (%" PRIu64 ")", now->modseq);
    buf_puts(&c->line, ")\r\n");
    imap_send(c->s, &c->line);
    return true;
}

/* From now on `view`, of `whole`, is what the client knows; takes the references over. */
static void adopt(struct imap_selected *sel, struct mailbox_view *view, struct mailbox_view *whole)
{
    mailbox_view_unref(&sel->view);
    mailbox_view_unref(&sel->whole);
    sel->view = view;
    sel->whole = whole;
}

struct mailbox_view *imap_newest_view(const struct imap_session *s)
{
    struct mailbox_view *whole = mailbox_folder_view(s->selected->folder);
    struct mailbox_view *view = mailbox_view_since(whole, s->login->serve_since_ms);
    mailbox_view_unref(&whole);
    return view;
}

void imap_sync(struct imap_session *s, enum imap_sync how)
{
    struct imap_selected *sel = s->selected;
    if (!sel || how == IMAP_SYNC_NONE)
        return;
    uint64_t modseq = mailbox_folder_modseq(sel->folder); /* before the view: not above it */
    struct mailbox_view *whole = mailbox_folder_view(sel->folder);
    if (whole == sel->whole) {
        mailbox_view_unref(&whole);
        return;
    }
    struct mailbox_view *now = mailbox_view_since(whole, s->login->serve_since_ms);
    struct changes c = {.s = s, .line = BUF_INIT(RESPONSE_MAX)};
    mailbox_view_diff(sel->view, now, survey, &c);
    /* Until it may be told what is gone, what is new would have the wrong numbers. */
    c.keep_gone = c.gone && how == IMAP_SYNC_NO_EXPUNGE;
    if (c.added && !c.keep_gone)
        take_recent(sel);
    if (c.new_keywords)
        say_flags(s);
    size_t recent = c.gone ? count_recent(s) : 0;
    mailbox_view_diff(sel->view, now, tell, &c);
    if (c.keep_gone) {
        adopt(sel, mailbox_view_adopt(sel->view, now, c.uids, c.count), NULL);
        mailbox_view_unref(&now);
        mailbox_view_unref(&whole);
    } else {
        adopt(sel, now, whole);
        sel->modseq = modseq;
        if (c.added)
            imap_tell_count(s);
        else if (c.gone && count_recent(s) != recent)
            imap_untagged(s, "%zu RECENT", count_recent(s)); /* else it may be above EXISTS */
    }
    free(c.uids);
    buf_free(&c.line);
}

void imap_told(struct imap_session *s, const struct mailbox_view *now, const uint32_t *uids,
               size_t count)
{
    struct imap_selected *sel = s->selected;
    if (now != sel->whole)
        adopt(sel, mailbox_view_adopt(sel->view, now, uids, count), NULL);
}
