/* The arguments of LIST and its options (RFC 5258). */
#include "folders.h"
#include "list.h"
#include "pattern.h"
#include "respond.h"
#include "utf7.h"

#include <string.h>

#define PATTERNS_MAX 64

static bool read_selection(const struct imap_arg *list, struct imap_list_request *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct imap_arg *arg = &list->list[i];
        if (imap_arg_is_atom(arg, "SUBSCRIBED"))
            out->select |= IMAP_LIST_SUBSCRIBED;
        else if (imap_arg_is_atom(arg, "RECURSIVEMATCH"))
            out->select |= IMAP_LIST_RECURSIVE;
        else if (imap_arg_is_atom(arg, "SPECIAL-USE"))
            out->select |= IMAP_LIST_SPECIAL;
        else if (!imap_arg_is_atom(arg, "REMOTE")) /* there are no others */
            return false;
    }
    /* RFC 5258 section 3.1: it modifies another one. */
    return !(out->select & IMAP_LIST_RECURSIVE) || (out->select & IMAP_LIST_SUBSCRIBED);
}

/* CHILDREN and SPECIAL-USE are always told. */
static bool read_return(struct imap_session *s, const struct imap_arg *list,
                        struct imap_list_request *out)
{
    if (list->type != IMAP_ARG_LIST)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct imap_arg *arg = &list->list[i];
        if (imap_arg_is_atom(arg, "SUBSCRIBED")) {
            out->give |= IMAP_LIST_SUBSCRIBED;
        } else if (imap_arg_is_atom(arg, "STATUS") && i + 1 < list->count) {
            out->status = imap_status_items(s, &list->list[++i]);
            if (!out->status)
                return false;
        } else if (!imap_arg_is_atom(arg, "CHILDREN") && !imap_arg_is_atom(arg, "SPECIAL-USE")) {
            return false;
        }
    }
    return true;
}

/* "**" and "*%" say no more than "*": fewer wildcards, less to try. */
static void squeeze(char *pattern)
{
    char *to = pattern;
    for (const char *from = pattern; *from; from++) {
        bool wild = *from == '*' || *from == '%';
        bool after = wild && to > pattern && (to[-1] == '*' || to[-1] == '%');
        if (!after)
            *to++ = *from;
        else if (*from == '*')
            to[-1] = '*';
    }
    *to = '\0';
}

/* The name that the pattern stands for, behind the reference. One that no name can match, being too
 * long or no modified UTF-7, matches none (RFC 5258 section 3). */
static bool add_pattern(struct imap_session *s, const struct imap_command *c, const char *reference,
                        const struct imap_arg *arg, struct imap_list_request *out)
{
    const char *text = imap_arg_astring(arg);
    struct buf name = BUF_INIT(IMAP_PATTERN_MAX);
    if (!text) {
        imap_bad(s, c, "%s takes a reference and a pattern", c->verb->name);
        return false;
    }
    char *whole = arena_printf(s->arena, "%s%s", reference, text);
    bool ok = imap_utf7_decode(whole, &name);
    if (ok) {
        char *pattern = arena_strndup(s->arena, buf_str(&name), name.len);
        squeeze(pattern);
        out->patterns[out->pattern_count++] = pattern;
    }
    buf_free(&name);
    return true;
}

static bool add_patterns(struct imap_session *s, const struct imap_command *c,
                         const char *reference, const struct imap_arg *arg,
                         struct imap_list_request *out)
{
    bool many = arg->type == IMAP_ARG_LIST;
    size_t count = many ? arg->count : 1;
    if (count > PATTERNS_MAX) {
        imap_no(s, c, "LIMIT", "more than %d patterns", PATTERNS_MAX);
        return false;
    }
    out->patterns = arena_alloc(s->arena, (count + 1) * sizeof *out->patterns);
    for (size_t i = 0; i < count; i++)
        if (!add_pattern(s, c, reference, many ? &arg->list[i] : arg, out))
            return false;
    return true;
}

bool imap_list_parse(struct imap_session *s, const struct imap_command *c,
                     struct imap_list_request *out)
{
    const struct imap_arg *arg = c->args;
    bool selection = arg->type == IMAP_ARG_LIST && !out->lsub;
    size_t left = c->count - (selection ? 1 : 0);
    bool returns = left == 4 && !out->lsub && imap_arg_is_atom(&arg[selection + 2], "RETURN");
    bool ok = (left == 2 || returns) && (!selection || read_selection(arg, out));
    if (selection)
        arg++;
    const char *reference = ok ? imap_arg_astring(&arg[0]) : NULL;
    if (!reference || (out->lsub && arg[1].type == IMAP_ARG_LIST) ||
        (returns && !read_return(s, &arg[3], out))) {
        imap_bad(s, c, "%s takes a reference and a pattern", c->verb->name);
        return false;
    }
    if (out->lsub)
        out->select = IMAP_LIST_SUBSCRIBED;
    const char *pattern = imap_arg_astring(&arg[1]);
    out->delimiter = !selection && !returns && pattern && *pattern == '\0';
    return out->delimiter || add_patterns(s, c, reference, &arg[1], out);
}
