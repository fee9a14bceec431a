/* From the arguments of SEARCH to a program. */
#include "search.h"

#include "postern/base/clock.h"
#include "postern/base/encode.h"
#include "postern/mime/charset.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DAY_MS        ((int64_t)86400 * CLOCK_SECOND)
#define MATCHES_FIRST 8
#define REPLACEMENT   "\xef\xbf\xbd" /* what cannot be read becomes this (mime/charset.h) */
#define UTF8_GROWTH   18

struct parser {
    struct imap_session *s;
    struct arena *arena;
    const char *charset;
    struct search_program *program;
    size_t match_cap;
    unsigned depth, keys;
    const struct imap_arg *arg; /* the next one */
    bool first;                 /* nothing stood before it in its list */
    struct search_refusal *refusal;
};

typedef struct search_key *parse_fn(struct parser *p, const char *name, int64_t detail);

static struct search_key *refuse(struct parser *p, const char *code, const char *text)
{
    if (!p->refusal->text)
        *p->refusal = (struct search_refusal){code, text};
    return NULL;
}

static struct search_key *make(struct parser *p, enum search_op op)
{
    struct search_key *k = arena_alloc(p->arena, sizeof *k);
    k->op = op;
    return k;
}

static struct search_key *make_not(struct parser *p, struct search_key *part)
{
    struct search_key *k = make(p, SEARCH_NOT);
    k->parts = part;
    return k;
}

static struct search_key *make_range(struct parser *p, enum search_op op, int64_t low, int64_t high)
{
    struct search_key *k = make(p, op);
    k->low = low;
    k->high = high;
    return k;
}

/* The argument of a key; NULL: there is none, or no space stands before it. */
static const struct imap_arg *take(struct parser *p)
{
    const struct imap_arg *arg = p->arg;
    if (arg->type == IMAP_ARG_END) {
        refuse(p, NULL, "a search key is missing, or what belongs to it");
        return NULL;
    }
    if (arg->glued && !p->first) {
        refuse(p, NULL, "a space is missing between search keys");
        return NULL;
    }
    p->first = false;
    p->arg++;
    return arg;
}

/* ---- text ---- */

bool search_charset_ok(const char *charset, struct search_refusal *refusal)
{
    bool known = mime_charset_known(charset, strlen(charset));
    if (!known)
        *refusal = (struct search_refusal){"BADCHARSET (US-ASCII UTF-8)", "unknown charset"};
    return known;
}

/* A string as valid UTF-8; NULL: it is none, or not valid in its charset. Without a charset
 * clients send UTF-8 too. */
static const char *take_text(struct parser *p, size_t *len)
{
    const struct imap_arg *arg = take(p);
    const char *text = arg ? imap_arg_astring(arg) : NULL;
    if (!text || memchr(text, '\0', arg->len)) {
        refuse(p, NULL, "a search key wants a string");
        return NULL;
    }
    struct buf utf8 = BUF_INIT(arg->len * UTF8_GROWTH);
    mime_charset_to_utf8(p->charset, p->charset ? strlen(p->charset) : 0, text, arg->len, &utf8);
    bool valid = !strstr(buf_str(&utf8), REPLACEMENT) || strstr(text, REPLACEMENT);
    const char *kept = arena_strndup(p->arena, buf_str(&utf8), utf8.len);
    *len = utf8.len;
    buf_free(&utf8);
    if (!valid)
        refuse(p, NULL, "a search string is not valid in its charset");
    return valid ? kept : NULL;
}

static size_t add_match(struct parser *p, enum mime_scope scope, const char *field,
                        const char *text, size_t len)
{
    struct search_program *program = p->program;
    if (program->match_count == p->match_cap) {
        p->match_cap = p->match_cap ? 2 * p->match_cap : MATCHES_FIRST;
        struct mime_match *grown = arena_alloc(p->arena, p->match_cap * sizeof *grown);
        if (program->match_count)
            memcpy(grown, program->matches, program->match_count * sizeof *grown);
        program->matches = grown;
    }
    mime_match_init(&program->matches[program->match_count], scope, field, text, len, p->arena);
    return program->match_count++;
}

/* Is it a field that an ENVELOPE tells (RFC 3501 section 7.4.2)? */
static bool in_envelope(const char *field)
{
    static const char *const fields[] = {"Date", "Subject", "From", "Sender",      "Reply-To",
                                         "To",   "Cc",      "Bcc",  "In-Reply-To", "Message-ID"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcasecmp(field, fields[i]) == 0)
            return true;
    }
    return false;
}

static struct search_key *make_match(struct parser *p, enum mime_scope scope, const char *field)
{
    bool whole = scope == MIME_IN_BODY || scope == MIME_IN_TEXT;
    size_t len;
    const char *text = take_text(p, &len);
    if (!text)
        return NULL;
    if (len == 0 && whole)
        return make(p, SEARCH_ALL);
    struct search_program *program = p->program;
    if (program->match_count == SEARCH_TEXTS_MAX)
        return refuse(p, "LIMIT", "more than 256 texts to look for; search in several steps");
    program->needs_header = program->needs_header || scope != MIME_IN_BODY;
    program->needs_whole_header = program->needs_whole_header || (field && !in_envelope(field));
    program->needs_body = program->needs_body || whole;
    struct search_key *k = make(p, SEARCH_MATCH);
    k->match = add_match(p, scope, field, text, len);
    return k;
}

static struct search_key *parse_match(struct parser *p, const char *name, int64_t scope)
{
    bool whole = scope == MIME_IN_BODY || scope == MIME_IN_TEXT;
    return make_match(p, (enum mime_scope)scope, whole ? NULL : name);
}

static struct search_key *parse_header(struct parser *p, const char *name, int64_t detail)
{
    (void)name;
    (void)detail;
    const struct imap_arg *arg = take(p);
    const char *field = arg ? imap_arg_astring(arg) : NULL;
    if (!field || !*field)
        return refuse(p, NULL, "HEADER wants the name of a field and a string");
    return make_match(p, MIME_IN_FIELD, field);
}

/* ---- flags ---- */

static struct search_key *make_flags(struct parser *p, uint32_t flags)
{
    struct search_key *k = make(p, SEARCH_FLAGS);
    k->flags = flags;
    return k;
}

static struct search_key *parse_flag(struct parser *p, const char *name, int64_t flags)
{
    (void)name;
    return make_flags(p, (uint32_t)flags);
}

static struct search_key *parse_no_flag(struct parser *p, const char *name, int64_t flags)
{
    return make_not(p, parse_flag(p, name, flags));
}

/* Some keywords are flags of their own here ($Forwarded). */
static struct search_key *parse_keyword(struct parser *p, const char *name, int64_t negated)
{
    (void)name;
    const struct imap_arg *arg = take(p);
    if (!arg || arg->type != IMAP_ARG_ATOM || arg->text[0] == '\\')
        return refuse(p, NULL, "a keyword must be an atom");
    const struct imap_arg one[2] = {*arg, {.type = IMAP_ARG_END}};
    uint32_t flags = 0;
    const char *keywords = "";
    enum imap_flags_refusal refusal;
    if (!imap_parse_flags(one, p->arena, &flags, &keywords, &refusal))
        return refuse(p, NULL, "a keyword must be an atom");
    struct search_key *k = make_flags(p, flags);
    if (!flags) {
        k->op = SEARCH_KEYWORD;
        k->keyword = arg->text;
    }
    return negated ? make_not(p, k) : k;
}

/* ---- sets ---- */

/* Numbers that no message has are found nowhere, as with any other key: scripts ask for 1:* in
 * empty folders too. */
static struct search_key *make_set(struct parser *p, const struct imap_arg *arg, bool uids)
{
    const struct mailbox_view *view = p->s->selected->view;
    size_t count = mailbox_view_count(view);
    uint32_t last = (uint32_t)count;
    struct imap_set set;
    if (arg->type != IMAP_ARG_ATOM || !imap_set_parse(arg->text, p->arena, &set))
        return refuse(p, NULL, "malformed sequence set");
    if (uids && count)
        last = mailbox_view_at(view, count - 1)->uid;
    struct search_key *k = make(p, uids ? SEARCH_UIDS : SEARCH_NUMBERS);
    k->set = imap_set_flatten(&set, last, p->arena);
    return k;
}

static struct search_key *parse_uid(struct parser *p, const char *name, int64_t detail)
{
    (void)name;
    (void)detail;
    const struct imap_arg *arg = take(p);
    return arg ? make_set(p, arg, true) : NULL;
}

static struct search_key *parse_recent(struct parser *p, const char *name, int64_t negated)
{
    (void)name;
    struct search_key *k = make(p, SEARCH_UIDS);
    k->set = (struct imap_set){p->s->selected->recent, p->s->selected->recent_count};
    return negated ? make_not(p, k) : k;
}

static struct search_key *parse_new(struct parser *p, const char *name, int64_t detail)
{
    struct search_key *k = make(p, SEARCH_AND);
    k->parts = parse_recent(p, name, detail);
    k->parts->next = parse_no_flag(p, name, MAILBOX_SEEN);
    return k;
}

/* ---- dates, sizes and other numbers ---- */

enum { BEFORE, ON, SINCE };

/* "1-Feb-1994" (RFC 3501 section 9, date-text). */
static bool read_day(const char *text, int64_t *day_ms)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char iso[16], month[4];
    unsigned day, year, m = 0;
    int used = 0;
    if (sscanf(text, "%2u-%3[A-Za-z]-%4u%n", &day, month, &year, &used) != 3 ||
        (size_t)used != strlen(text) || used < 10 || strpbrk(text, "+ "))
        return false;
    while (m < 12 && strncasecmp(months + (size_t)3 * m, month, 3) != 0)
        m++;
    snprintf(iso, sizeof iso, "%04u-%02u-%02u", year, m + 1, day);
    return m < 12 && strlen(month) == 3 && clock_parse_day(iso, day_ms);
}

static struct search_key *make_days(struct parser *p, enum search_op op, int64_t which)
{
    const struct imap_arg *arg = take(p);
    const char *text = arg ? imap_arg_astring(arg) : NULL;
    int64_t day;
    if (!text || !read_day(text, &day))
        return refuse(p, NULL, "a date must look like 21-Nov-2026");
    return make_range(p, op, which == BEFORE ? INT64_MIN : day,
                      which == SINCE    ? INT64_MAX
                      : which == BEFORE ? day
                                        : day + DAY_MS);
}

static struct search_key *parse_received(struct parser *p, const char *name, int64_t which)
{
    (void)name;
    return make_days(p, SEARCH_RECEIVED, which);
}

static struct search_key *parse_sent(struct parser *p, const char *name, int64_t which)
{
    (void)name;
    p->program->needs_header = true;
    return make_days(p, SEARCH_SENT, which);
}

enum { OLDER, YOUNGER };

/* Both include the very moment (RFC 5032 section 2). */
static struct search_key *parse_age(struct parser *p, const char *name, int64_t which)
{
    (void)name;
    const struct imap_arg *arg = take(p);
    uint32_t seconds;
    if (!arg || !imap_arg_number(arg, &seconds) || seconds == 0)
        return refuse(p, NULL, "OLDER and YOUNGER want a number of seconds");
    int64_t then = clock_wall_ms() - (int64_t)seconds * CLOCK_SECOND;
    return make_range(p, SEARCH_RECEIVED, which == OLDER ? INT64_MIN : then,
                      which == OLDER ? then + 1 : INT64_MAX);
}

enum { LARGER, SMALLER };

static struct search_key *parse_size(struct parser *p, const char *name, int64_t which)
{
    (void)name;
    const struct imap_arg *arg = take(p);
    uint64_t size;
    if (!arg || !imap_arg_number64(arg, &size))
        return refuse(p, NULL, "LARGER and SMALLER want a number of octets");
    p->program->needs_size = true;
    int64_t n = (int64_t)size;
    if (which == SMALLER)
        return make_range(p, SEARCH_SIZE, 0, n);
    return make_range(p, SEARCH_SIZE, n < INT64_MAX ? n + 1 : n, INT64_MAX);
}

/* [entry-name entry-type-req] mod-sequence-valzer (RFC 7162 section 3.1.5). Changes of single
 * flags have no modseq of their own here, so that the message's counts, as the RFC allows. */
static struct search_key *parse_modseq(struct parser *p, const char *name, int64_t detail)
{
    (void)name;
    (void)detail;
    const struct imap_arg *arg = take(p);
    uint64_t value;
    if (arg && arg->type == IMAP_ARG_QUOTED) {
        const struct imap_arg *kind = take(p);
        bool known = kind && (imap_arg_is_atom(kind, "priv") || imap_arg_is_atom(kind, "shared") ||
                              imap_arg_is_atom(kind, "all"));
        if (!known || strncasecmp(arg->text, "/flags/", 7) != 0)
            return refuse(p, NULL, "MODSEQ wants the name of a flag's entry and its type");
        arg = take(p);
    }
    if (!arg || !imap_arg_number64(arg, &value))
        return refuse(p, NULL, "MODSEQ wants a number");
    p->program->modseq = true;
    return make_range(p, SEARCH_MODSEQ, (int64_t)value, INT64_MAX);
}

/* An id of another form is nobody's. */
static struct search_key *parse_email_id(struct parser *p, const char *name, int64_t detail)
{
    (void)name;
    (void)detail;
    const struct imap_arg *arg = take(p);
    struct buf bytes = BUF_INIT(arg ? arg->len : 0);
    if (!arg || arg->type != IMAP_ARG_ATOM)
        return refuse(p, NULL, "EMAILID wants an object id");
    struct search_key *k = make_not(p, make(p, SEARCH_ALL));
    if (*arg->text == 'M' && base64url_decode(arg->text + 1, arg->len - 1, &bytes) &&
        bytes.len == SHA256_SIZE) {
        k = make(p, SEARCH_EMAIL);
        memcpy(k->email, bytes.data, SHA256_SIZE);
    }
    buf_free(&bytes);
    return k;
}

/* No message tells a THREADID (RFC 8474 section 5.2 lets it be NIL), so none has this one. */
static struct search_key *parse_thread_id(struct parser *p, const char *name, int64_t detail)
{
    (void)name;
    (void)detail;
    const struct imap_arg *arg = take(p);
    if (!arg || arg->type != IMAP_ARG_ATOM)
        return refuse(p, NULL, "THREADID wants an object id");
    return make_not(p, make(p, SEARCH_ALL));
}

/* ---- keys made of keys ---- */

static struct search_key *parse_key(struct parser *p);

static struct search_key *parse_all(struct parser *p, const char *name, int64_t detail)
{
    (void)name;
    (void)detail;
    return make(p, SEARCH_ALL);
}

static struct search_key *parse_not(struct parser *p, const char *name, int64_t detail)
{
    (void)name;
    (void)detail;
    struct search_key *part = parse_key(p);
    return part ? make_not(p, part) : NULL;
}

static struct search_key *parse_or(struct parser *p, const char *name, int64_t detail)
{
    (void)name;
    (void)detail;
    struct search_key *k = make(p, SEARCH_OR);
    k->parts = parse_key(p);
    if (k->parts)
        k->parts->next = parse_key(p);
    return k->parts && k->parts->next ? k : NULL;
}

/* One key or more up to the end of their list: all must be true. */
static struct search_key *parse_list(struct parser *p, const struct imap_arg *list)
{
    const struct imap_arg *behind = p->arg;
    struct search_key *all = make(p, SEARCH_AND), **end = &all->parts;
    p->arg = list;
    p->first = true;
    do {
        *end = parse_key(p);
        if (!*end)
            return NULL;
        end = &(*end)->next;
    } while (p->arg->type != IMAP_ARG_END);
    p->arg = behind;
    p->first = false;
    return all;
}

static const struct {
    const char *name;
    parse_fn *parse;
    int64_t detail;
} keys[] = {
    {"ALL", parse_all, 0},
    {"ANSWERED", parse_flag, MAILBOX_ANSWERED},
    {"BCC", parse_match, MIME_IN_ADDRESSES},
    {"BEFORE", parse_received, BEFORE},
    {"BODY", parse_match, MIME_IN_BODY},
    {"CC", parse_match, MIME_IN_ADDRESSES},
    {"DELETED", parse_flag, MAILBOX_DELETED},
    {"DRAFT", parse_flag, MAILBOX_DRAFT},
    {"EMAILID", parse_email_id, 0},
    {"FLAGGED", parse_flag, MAILBOX_FLAGGED},
    {"FROM", parse_match, MIME_IN_ADDRESSES},
    {"HEADER", parse_header, 0},
    {"KEYWORD", parse_keyword, false},
    {"LARGER", parse_size, LARGER},
    {"MODSEQ", parse_modseq, 0},
    {"NEW", parse_new, false},
    {"NOT", parse_not, 0},
    {"OLD", parse_recent, true},
    {"OLDER", parse_age, OLDER},
    {"ON", parse_received, ON},
    {"OR", parse_or, 0},
    {"RECENT", parse_recent, false},
    {"SEEN", parse_flag, MAILBOX_SEEN},
    {"SENTBEFORE", parse_sent, BEFORE},
    {"SENTON", parse_sent, ON},
    {"SENTSINCE", parse_sent, SINCE},
    {"SINCE", parse_received, SINCE},
    {"SMALLER", parse_size, SMALLER},
    {"SUBJECT", parse_match, MIME_IN_LINE},
    {"TEXT", parse_match, MIME_IN_TEXT},
    {"THREADID", parse_thread_id, 0},
    {"TO", parse_match, MIME_IN_ADDRESSES},
    {"UID", parse_uid, 0},
    {"UNANSWERED", parse_no_flag, MAILBOX_ANSWERED},
    {"UNDELETED", parse_no_flag, MAILBOX_DELETED},
    {"UNDRAFT", parse_no_flag, MAILBOX_DRAFT},
    {"UNFLAGGED", parse_no_flag, MAILBOX_FLAGGED},
    {"UNKEYWORD", parse_keyword, true},
    {"UNSEEN", parse_no_flag, MAILBOX_SEEN},
    {"YOUNGER", parse_age, YOUNGER},
};

static struct search_key *parse_word(struct parser *p, const struct imap_arg *arg)
{
    if (arg->type == IMAP_ARG_LIST)
        return parse_list(p, arg->list);
    if (arg->type != IMAP_ARG_ATOM)
        return refuse(p, NULL, "a search key cannot be a string");
    if (*arg->text == '*' || (*arg->text >= '0' && *arg->text <= '9'))
        return make_set(p, arg, false);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (imap_arg_is_atom(arg, keys[i].name))
            return keys[i].parse(p, keys[i].name, keys[i].detail);
    }
    return refuse(p, NULL, "unknown search key");
}

static struct search_key *parse_key(struct parser *p)
{
    const struct imap_arg *arg = take(p);
    if (!arg)
        return NULL;
    if (p->depth == SEARCH_DEPTH_MAX)
        return refuse(p, "LIMIT", "search keys lie more than 100 deep inside each other");
    if (++p->keys > SEARCH_KEYS_MAX)
        return refuse(p, "LIMIT", "more than 5000 search keys; search in several steps");
    p->depth++;
    struct search_key *k = parse_word(p, arg);
    p->depth--;
    return k;
}

struct search_program *search_parse(struct imap_session *s, const char *charset,
                                    const struct imap_arg *keys_given,
                                    struct search_refusal *refusal)
{
    *refusal = (struct search_refusal){0};
    if (charset && !search_charset_ok(charset, refusal))
        return NULL;
    struct search_program *program = arena_alloc(s->arena, sizeof *program);
    struct parser p = {.s = s,
                       .arena = s->arena,
                       .charset = charset,
                       .program = program,
                       .arg = keys_given,
                       .refusal = refusal};
    program->root = parse_list(&p, keys_given);
    return program->root ? program : NULL;
}
