/* Flags as the wire has them (RFC 3501 sections 2.3.2 and 9). */
#include "session.h"

#include "postern/base/table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- flags ---- */

static const struct {
    const char *name;
    uint32_t flag;
} flag_names[] = {
    {"\\Answered", MAILBOX_ANSWERED}, {"\\Flagged", MAILBOX_FLAGGED},
    {"\\Deleted", MAILBOX_DELETED},   {"\\Seen", MAILBOX_SEEN},
    {"\\Draft", MAILBOX_DRAFT},       {"$Forwarded", MAILBOX_FORWARDED},
};
#define FLAG_NAMES (sizeof flag_names / sizeof *flag_names)

bool imap_is_recent(const struct imap_session *s, uint32_t uid)
{
    const struct imap_selected *sel = s->selected;
    return imap_set_has(&(struct imap_set){sel->recent, sel->recent_count}, uid);
}

bool imap_put_flags(const struct imap_session *s, const struct mailbox_entry *entry,
                    struct buf *out)
{
    const char *space = "";
    buf_putc(out, '(');
    for (size_t i = 0; i < FLAG_NAMES; i++) {
        if (entry->flags & flag_names[i].flag) {
            buf_printf(out, "%s%s", space, flag_names[i].name);
            space = " ";
        }
    }
    if (imap_is_recent(s, entry->uid)) {
        buf_printf(out, "%s\\Recent", space);
        space = " ";
    }
    if (entry->keywords[0])
        buf_printf(out, "%s%s", space, entry->keywords);
    return buf_putc(out, ')');
}

static bool put_keyword(void *arg, const char *key, void *value)
{
    (void)key;
    return buf_printf(arg, " %s", (const char *)value);
}

bool imap_put_all_flags(const struct imap_session *s, bool settable, struct buf *out)
{
    buf_putc(out, '(');
    for (size_t i = 0; i < FLAG_NAMES; i++)
        buf_printf(out, "%s%s", i ? " " : "", flag_names[i].name);
    buf_puts(out, " " IMAP_MDN_SENT);
    table_each(s->selected->keywords, put_keyword, out);
    return buf_puts(out, settable ? " \\*)" : ")");
}

/* One flag of a list; a keyword goes to `keywords`. False: it is none. */
static bool parse_flag(const struct imap_arg *arg, uint32_t *flags, struct buf *keywords,
                       enum imap_flags_refusal *refusal)
{
    if (arg->type != IMAP_ARG_ATOM)
        return false;
    for (size_t i = 0; i < FLAG_NAMES; i++) {
        if (strcasecmp(arg->text, flag_names[i].name) == 0) {
            *flags |= flag_names[i].flag;
            return true;
        }
    }
    if (arg->text[0] == '\\') {
        if (!arg->text[1] || strpbrk(arg->text + 1, "\\]%*"))
            return false;
        if (strcasecmp(arg->text, "\\Recent") != 0) /* RFC 3501 section 2.3.2: not the client's */
            *refusal = IMAP_FLAGS_UNKNOWN;
        return true;
    }
    if (strpbrk(arg->text, "\\]%*"))
        return false;
    if (keywords->len + 1 + arg->len > IMAP_KEYWORDS_MAX)
        *refusal = IMAP_FLAGS_LIMIT;
    else
        buf_printf(keywords, "%s%s", keywords->len ? " " : "", arg->text);
    return true;
}

bool imap_has_keyword(const char *words, const char *word, size_t len)
{
    for (const char *p = words; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
        if (strcspn(p, " ") == len && strncasecmp(p, word, len) == 0)
            return true;
    }
    return false;
}

/* Each word once, however it is spelled. */
static char *without_repeats(char *words, struct arena *a)
{
    struct buf out = BUF_INIT(IMAP_KEYWORDS_MAX);
    for (char *p = words; *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        if (!imap_has_keyword(buf_str(&out), p, len)) {
            buf_puts(&out, out.len ? " " : "");
            buf_append(&out, p, len);
        }
        p += len;
    }
    char *result = arena_strdup(a, buf_str(&out));
    buf_free(&out);
    return result;
}

bool imap_parse_flags(const struct imap_arg *args, struct arena *a, uint32_t *flags,
                      const char **keywords, enum imap_flags_refusal *refusal)
{
    struct buf words = BUF_INIT(IMAP_KEYWORDS_MAX);
    bool ok = true;
    const struct imap_arg *list = args->type == IMAP_ARG_LIST ? args->list : args;
    *flags = 0;
    *refusal = IMAP_FLAGS_TAKEN;
    for (; ok && list->type != IMAP_ARG_END; list++)
        ok = parse_flag(list, flags, &words, refusal);
    char *all = ok ? buf_steal(&words) : NULL;
    *keywords = all ? without_repeats(all, a) : NULL;
    free(all);
    buf_free(&words);
    return ok;
}
