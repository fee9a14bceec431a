/* One message against a program. Three values, since what is not known yet may not matter. */
#include "search.h"

#include <stdlib.h>
#include <string.h>

static enum search_answer within(const struct search_key *k, int64_t value)
{
    return value >= k->low && value < k->high ? SEARCH_YES : SEARCH_NO;
}

static int by_digest(const void *a, const void *b)
{
    return memcmp(a, b, SHA256_SIZE);
}

static enum search_answer tells_email(const struct search_key *k, const uint8_t *digest)
{
    bool told =
        k->bearer_count && bsearch(digest, k->bearers, k->bearer_count, SHA256_SIZE, by_digest);
    return told ? SEARCH_YES : SEARCH_NO;
}

static enum search_answer match(const struct mime_match *m, const struct search_facts *facts)
{
    bool done = m->scope == MIME_IN_BODY || m->scope == MIME_IN_TEXT ? facts->body : facts->header;
    if (m->found && (facts->header || facts->body))
        return SEARCH_YES;
    return done ? SEARCH_NO : SEARCH_UNKNOWN;
}

static enum search_answer eval(const struct search_program *p, const struct search_key *k,
                               const struct search_facts *facts);

/* Of AND a "no" decides, of OR a "yes"; with none of that, what is unknown keeps it open. */
static enum search_answer eval_parts(const struct search_program *p, const struct search_key *k,
                                     const struct search_facts *facts, enum search_answer decides)
{
    enum search_answer answer = decides == SEARCH_NO ? SEARCH_YES : SEARCH_NO;
    for (const struct search_key *part = k->parts; part; part = part->next) {
        enum search_answer a = eval(p, part, facts);
        if (a == decides)
            return a;
        if (a == SEARCH_UNKNOWN)
            answer = a;
    }
    return answer;
}

static enum search_answer negate(enum search_answer a)
{
    return a == SEARCH_UNKNOWN ? a : a == SEARCH_YES ? SEARCH_NO : SEARCH_YES;
}

static enum search_answer eval(const struct search_program *p, const struct search_key *k,
                               const struct search_facts *facts)
{
    const struct mailbox_entry *entry = facts->entry;
    switch (k->op) {
    case SEARCH_ALL:
        return SEARCH_YES;
    case SEARCH_AND:
        return eval_parts(p, k, facts, SEARCH_NO);
    case SEARCH_OR:
        return eval_parts(p, k, facts, SEARCH_YES);
    case SEARCH_NOT:
        return negate(eval(p, k->parts, facts));
    case SEARCH_FLAGS:
        return entry->flags & k->flags ? SEARCH_YES : SEARCH_NO;
    case SEARCH_KEYWORD:
        return imap_has_keyword(entry->keywords, k->keyword, strlen(k->keyword)) ? SEARCH_YES
                                                                                 : SEARCH_NO;
    case SEARCH_NUMBERS:
        return imap_set_has(&k->set, (uint32_t)facts->index + 1) ? SEARCH_YES : SEARCH_NO;
    case SEARCH_UIDS:
        return imap_set_has(&k->set, entry->uid) ? SEARCH_YES : SEARCH_NO;
    case SEARCH_RECEIVED:
        return within(k, entry->received_ms);
    case SEARCH_SENT:
        if (!facts->header)
            return SEARCH_UNKNOWN;
        return facts->dated ? within(k, facts->sent_ms) : SEARCH_NO;
    case SEARCH_SIZE:
        return facts->size < 0 ? SEARCH_UNKNOWN : within(k, facts->size);
    case SEARCH_MODSEQ:
        return entry->modseq >= (uint64_t)k->low ? SEARCH_YES : SEARCH_NO;
    case SEARCH_EMAIL:
        return tells_email(k, entry->digest);
    case SEARCH_MATCH:
        return match(&p->matches[k->match], facts);
    }
    return SEARCH_NO;
}

enum search_answer search_eval(const struct search_program *p, const struct search_facts *facts)
{
    return eval(p, p->root, facts);
}
