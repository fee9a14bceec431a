/*
 * Search keys: whatever is accepted is a program that changes no answer once it has given one,
 * however much more becomes known of a message, and whose negation says the opposite.
 */
#include "../fuzz.h"

#include "parse.h"
#include "search.h"
#include "sync/view_build.h"

#include "postern/mime/header.h"

#include <string.h>

#define MESSAGES 9

static const char message[] = "From: a@b\r\nSubject: re: x\r\nDate: Thu, 1 Jan 1970 00:00 +0000\r\n"
                              "\r\nalpha\r\n";

static struct mailbox_view *make_view(void)
{
    struct view_builder *b = view_builder_new();
    for (uint32_t i = 0; i < MESSAGES; i++) {
        struct mailbox_entry entry = {.uid = 2 * i + 1,
                                      .flags = 7 * i % 64,
                                      .received_ms = (int64_t)i * 86400000,
                                      .size = 100 * i,
                                      .modseq = i + 1,
                                      .keywords = i % 2 ? "a b" : ""};
        view_builder_add(b, &entry);
    }
    return view_builder_finish(&b);
}

static enum search_answer opposite(const struct search_program *p, const struct search_facts *facts)
{
    struct search_key not = {.op = SEARCH_NOT, .parts = p->root};
    struct search_program negated = *p;
    negated.root = &not ;
    return search_eval(&negated, facts);
}

static void check_step(const struct search_program *p, const struct search_facts *facts,
                       enum search_answer *before)
{
    enum search_answer now = search_eval(p, facts), other = opposite(p, facts);
    FUZZ_CHECK(*before == SEARCH_UNKNOWN || now == *before);
    FUZZ_CHECK((now == SEARCH_UNKNOWN) == (other == SEARCH_UNKNOWN));
    FUZZ_CHECK(now == SEARCH_UNKNOWN || now != other);
    *before = now;
}

static void check_message(const struct search_program *p, const struct mailbox_view *view, size_t i)
{
    const struct mailbox_entry *entry = mailbox_view_at(view, i);
    struct search_facts facts = {.entry = entry, .index = i, .size = -1};
    enum search_answer answer = SEARCH_UNKNOWN;
    for (size_t m = 0; m < p->match_count; m++)
        p->matches[m].found = false;
    check_step(p, &facts, &answer);
    facts.size = entry->size;
    check_step(p, &facts, &answer);
    mime_match_header(p->matches, p->match_count, message,
                      mime_header_size(message, sizeof message));
    facts.header = facts.dated = true;
    check_step(p, &facts, &answer);
    FUZZ_CHECK(p->needs_body || answer != SEARCH_UNKNOWN);
    mime_match_body(p->matches, p->match_count, message, sizeof message - 1);
    facts.body = true;
    check_step(p, &facts, &answer);
    FUZZ_CHECK(answer != SEARCH_UNKNOWN);
}

static void check_keys(struct imap_session *s, const struct imap_arg *keys)
{
    struct search_refusal refusal = {0};
    struct search_program *p = search_parse(s, NULL, keys, &refusal);
    FUZZ_CHECK((p == NULL) == (refusal.text != NULL));
    for (size_t i = 0; p && i < MESSAGES; i++)
        check_message(p, s->selected->view, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct imap_range recent = {3, 5};
    struct imap_selected selected = {.view = make_view(), .recent = &recent, .recent_count = 1};
    struct imap_session s = {.arena = arena_new(), .selected = &selected};
    struct imap_parser parser;
    struct imap_literal literal;
    size_t count;
    imap_parser_init(&parser, s.arena);
    if (imap_parser_line(&parser, (const char *)data, size, &literal) == IMAP_PARSE_DONE)
        check_keys(&s, imap_parser_args(&parser, &count));
    imap_parser_free(&parser);
    mailbox_view_unref(&selected.view);
    arena_free(&s.arena);
    return 0;
}
