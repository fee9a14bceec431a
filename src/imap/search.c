/* SEARCH, in its plain form and as RFC 4731 extends it. */
#include "search.h"

#include "commands.h"
#include "respond.h"

#include <string.h>

/* A number, its separator, or half of a range. */
#define NUMBER_OCTETS 11
#define FRAME_OCTETS  ((size_t)4096) /* all else of a response: tag, names of results */

bool search_return_options(const struct imap_arg **args, unsigned *options)
{
    static const struct {
        const char *name;
        unsigned option;
    } names[] = {{"MIN", SEARCH_RETURN_MIN},
                 {"MAX", SEARCH_RETURN_MAX},
                 {"ALL", SEARCH_RETURN_ALL},
                 {"COUNT", SEARCH_RETURN_COUNT}};
    const struct imap_arg *arg = *args;
    *options = 0;
    if (!imap_arg_is_atom(arg, "RETURN"))
        return true;
    if (arg[1].type != IMAP_ARG_LIST || arg[1].glued)
        return false;
    for (const struct imap_arg *o = arg[1].list; o->type != IMAP_ARG_END; o++) {
        unsigned known = 0;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            known |= imap_arg_is_atom(o, names[i].name) ? names[i].option : 0;
        if (!known)
            return false;
        *options |= known;
    }
    if (!*options)
        *options = SEARCH_RETURN_ALL;
    *args = arg + 2;
    return true;
}

void search_put_extended(struct imap_session *s, const struct imap_command *c, unsigned options,
                         const uint32_t *numbers, size_t count, uint64_t modseq)
{
    struct buf out = BUF_INIT(FRAME_OCTETS + count * NUMBER_OCTETS);
    buf_puts(&out, "* ESEARCH (TAG ");
    imap_put_string(&out, c->tag, strlen(c->tag));
    buf_puts(&out, c->uid ? ") UID" : ")");
    if (count > 0 && options & SEARCH_RETURN_MIN)
        buf_printf(&out, " MIN %lu", (unsigned long)numbers[0]);
    if (count > 0 && options & SEARCH_RETURN_MAX)
        buf_printf(&out, " MAX %lu", (unsigned long)numbers[count - 1]);
    if (options & SEARCH_RETURN_COUNT)
        buf_printf(&out, " COUNT %zu", count);
    if (count > 0 && options & SEARCH_RETURN_ALL) {
        buf_puts(&out, " ALL ");
        imap_set_write(numbers, count, &out);
    }
    if (count > 0 && modseq)
        buf_printf(&out, " MODSEQ %llu", (unsigned long long)modseq);
    buf_puts(&out, "\r\n");
    imap_send(s, &out);
    buf_free(&out);
}

uint64_t search_highest_modseq(const struct imap_session *s, const uint32_t *indices, size_t count,
                               unsigned options)
{
    bool ends_only = options && !(options & (SEARCH_RETURN_ALL | SEARCH_RETURN_COUNT));
    uint64_t highest = 0;
    for (size_t i = 0; i < count; i++) {
        bool told = !ends_only || (i == 0 && options & SEARCH_RETURN_MIN) ||
                    (i + 1 == count && options & SEARCH_RETURN_MAX);
        uint64_t modseq = mailbox_view_at(s->selected->view, indices[i])->modseq;
        highest = told && modseq > highest ? modseq : highest;
    }
    return highest;
}

void search_put_plain(struct imap_session *s, const char *name, const uint32_t *numbers,
                      size_t count, uint64_t modseq)
{
    struct buf out = BUF_INIT(FRAME_OCTETS + count * NUMBER_OCTETS);
    buf_printf(&out, "* %s", name);
    for (size_t i = 0; i < count; i++)
        buf_printf(&out, " %lu", (unsigned long)numbers[i]);
    if (count > 0 && modseq)
        buf_printf(&out, " (MODSEQ %llu)", (unsigned long long)modseq);
    buf_puts(&out, "\r\n");
    imap_send(s, &out);
    buf_free(&out);
}

/* "CHARSET name" at *args, which moves behind it. False: the name is missing. */
static bool take_charset(const struct imap_arg **args, const char **charset)
{
    *charset = NULL;
    if (!imap_arg_is_atom(*args, "CHARSET"))
        return true;
    *charset = imap_arg_astring(*args + 1);
    *args += 2;
    return *charset != NULL;
}

void imap_search(struct imap_session *s, const struct imap_command *c)
{
    const struct imap_arg *args = c->args;
    struct search_refusal refusal = {0};
    struct error e = ERROR_INIT;
    struct imap_found found;
    const char *charset;
    unsigned options;
    if (!search_return_options(&args, &options)) {
        imap_bad(s, c, "RETURN takes MIN, MAX, ALL and COUNT");
        return;
    }
    if (!take_charset(&args, &charset)) {
        imap_bad(s, c, "CHARSET wants a name");
        return;
    }
    struct search_program *p = search_parse(s, charset, args, &refusal);
    if (!p || !search_run(s, p, &found, &refusal, &e)) {
        search_refuse(s, c, &refusal, &e);
        return;
    }
    uint64_t modseq = p->modseq ? search_highest_modseq(s, found.indices, found.count, options) : 0;
    uint32_t *numbers = found.uids;
    for (size_t i = 0; i < found.count && !c->uid; i++)
        numbers[i] = found.indices[i] + 1;
    if (options)
        search_put_extended(s, c, options, numbers, found.count, modseq);
    else
        search_put_plain(s, "SEARCH", numbers, found.count, modseq);
    imap_done(s, c, NULL, "found %zu", found.count);
}
