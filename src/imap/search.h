/*
 * Searching, from the inside (RFC 3501 section 6.4.4, RFC 5032, RFC 7162, RFC 8474): keys become a
 * program, and the program is asked about messages with ever more known about them: first what
 * the view tells, which costs nothing, then headers, sizes and whole messages, only of those that
 * are still undecided. SEARCH, SORT and THREAD share it. Everything lives in the command's arena.
 */
#ifndef IMAP_SEARCH_H
#define IMAP_SEARCH_H

#include "session.h"
#include "set.h"

#include "postern/mime/match.h"

/* Keys inside each other: parentheses, NOT and OR. */
#define SEARCH_DEPTH_MAX 100
/* Every message may be held against each of them. */
#define SEARCH_KEYS_MAX 5000
/* Texts to look for: every message may be looked through for each of them. */
#define SEARCH_TEXTS_MAX 256

enum search_op {
    SEARCH_ALL,
    SEARCH_AND, /* of all its parts */
    SEARCH_OR,
    SEARCH_NOT,
    SEARCH_FLAGS,
    SEARCH_KEYWORD,
    SEARCH_NUMBERS, /* in the view, from 1 */
    SEARCH_UIDS,
    SEARCH_RECEIVED, /* low <= INTERNALDATE < high, wall clock */
    SEARCH_SENT,     /* the same of the Date field, in its own zone */
    SEARCH_SIZE,     /* low <= RFC822.SIZE < high */
    SEARCH_MODSEQ,   /* low <= MODSEQ */
    SEARCH_EMAIL,    /* EMAILID */
    SEARCH_MATCH     /* text in header or body */
};

struct search_key {
    enum search_op op;
    struct search_key *parts; /* of AND, OR and NOT */
    struct search_key *next;  /* part of the same whole */
    int64_t low, high;
    uint32_t flags;
    const char *keyword;
    struct imap_set set;        /* of NUMBERS and UIDS, flat */
    uint8_t email[SHA256_SIZE]; /* what an EMAILID is made of */
    const char *bearers;        /* digests of the messages that tell it, rising (search_run.c) */
    size_t bearer_count;
    size_t match; /* index into the program's matches */
};

struct search_program {
    struct search_key *root;
    struct mime_match *matches;
    size_t match_count;
    bool needs_header, needs_size, needs_body;
    bool needs_whole_header; /* the fields of an ENVELOPE will not do; for TEXT they do at first,
                                since the rest comes with the body */
    bool modseq;             /* MODSEQ is among the keys */
};

/* Why a command ends without an answer; `code` NULL: BAD, a fault of syntax. */
struct search_refusal {
    const char *code;
    const char *text;
};

/* Takes the keys, all the rest of the arguments, apart; `charset` of their strings, NULL for none
 * given. NULL: `refusal` says why. */
struct search_program *search_parse(struct imap_session *s, const char *charset,
                                    const struct imap_arg *keys, struct search_refusal *refusal);

/* "NO [BADCHARSET …]" unless the name is of a charset that can be read. */
bool search_charset_ok(const char *charset, struct search_refusal *refusal);

/* ---- search_eval.c: pure ---- */

enum search_answer { SEARCH_NO, SEARCH_YES, SEARCH_UNKNOWN };

/* What is known of one message while it is looked at. */
struct search_facts {
    const struct mailbox_entry *entry;
    size_t index;
    int64_t size; /* as IMAP tells it, -1: unknown */
    bool header;  /* its header was looked through: `found` of matches, and the date below */
    bool body;    /* likewise the rest of it */
    bool dated;   /* the header has a date */
    int64_t sent_ms;
};

enum search_answer search_eval(const struct search_program *p, const struct search_facts *facts);

/* ---- search_run.c ---- */

/* Positions in the announced view that the program answers with yes, rising, and their UIDs. Keys
 * with MODSEQ switch CONDSTORE on.
 * False: `refusal->code` is set (NO), or else `e`. */
bool search_run(struct imap_session *s, struct search_program *p, struct imap_found *found,
                struct search_refusal *refusal, struct error *e);
/* Ends a command that search_parse() or search_run() did not let happen. */
void search_refuse(struct imap_session *s, const struct imap_command *c,
                   const struct search_refusal *refusal, const struct error *e);

/* A size as FETCH has told it or would tell it, by what the newest generation knows; -1: not known.
 * With `estimate` estimates count. */
int64_t search_size(const struct mailbox_view *now, const struct mailbox_entry *entry,
                    bool estimate);
/* Do estimates do where so many sizes are not exact (exact-size)? */
bool search_estimates(const struct imap_session *s, size_t unknown);
/* Adds what must be downloaded of these messages to *downloads before anything is. False: it is
 * more than the limit (NO). */
bool search_may_download(struct imap_session *s, const uint32_t *uids, size_t count,
                         unsigned *downloads, struct search_refusal *refusal);

/* ---- search.c: what SEARCH and SORT have in common ---- */

enum {
    SEARCH_RETURN_MIN = 1 << 0,
    SEARCH_RETURN_MAX = 1 << 1,
    SEARCH_RETURN_ALL = 1 << 2,
    SEARCH_RETURN_COUNT = 1 << 3
};

/* "RETURN (…)" at *args, which moves behind it; *options 0 if there is none (RFC 4731 section 3.1).
 * False: it is malformed. */
bool search_return_options(const struct imap_arg **args, unsigned *options);
/* The highest modseq of the messages that are told: with MIN and MAX alone those two, else all that
 * were found (RFC 4731 section 3.2). */
uint64_t search_highest_modseq(const struct imap_session *s, const uint32_t *indices, size_t count,
                               unsigned options);
/* "* SEARCH 2 3 5", also with the highest modseq (RFC 7162 section 3.1.6). */
void search_put_plain(struct imap_session *s, const char *name, const uint32_t *numbers,
                      size_t count, uint64_t modseq);
/* "* ESEARCH …" of numbers in the order in which they were found, or sorted (RFC 5267 section 3);
 * `modseq` 0: none is told. */
void search_put_extended(struct imap_session *s, const struct imap_command *c, unsigned options,
                         const uint32_t *numbers, size_t count, uint64_t modseq);

#endif
