#include "read.h"

#include "parse.h"
#include "respond.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"
#include "postern/mailbox/transfer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Arguments that stand before the first message of APPEND: tag, name, mailbox. */
#define APPEND_FIRST_MESSAGE 3

struct imap_input {
    struct imap_parser parser;
    const char *tag; /* for answers before the command is whole; in the arena */
    size_t taken;    /* bytes in memory */
    uint64_t skipped;
    struct mailbox_upload **uploads; /* NULL until there is one */
    size_t upload_count;
};

struct imap_input *imap_input_new(void)
{
    return xcalloc(1, sizeof(struct imap_input));
}

static void drop_uploads(struct imap_input *in)
{
    while (in->upload_count)
        mailbox_upload_free(&in->uploads[--in->upload_count]);
    free(in->uploads);
    in->uploads = NULL;
}

void imap_input_free(struct imap_input **input)
{
    struct imap_input *in = *input;
    if (!in)
        return;
    drop_uploads(in);
    imap_parser_free(&in->parser);
    free(in);
    *input = NULL;
}

void imap_read_end(struct imap_session *s)
{
    drop_uploads(s->input);
    imap_parser_free(&s->input->parser);
}

void imap_input_ended(struct imap_session *s, enum session_line how)
{
    switch (how) {
    case SESSION_LINE_TIMEOUT:
        imap_untagged(s, "BYE nothing was said for too long, goodbye");
        s->over = "silence";
        break;
    case SESSION_LINE_STOP:
        imap_untagged(s, "BYE the service is stopping, try again later");
        s->over = "the service stops";
        break;
    case SESSION_LINE_EOF:
        s->over = "the client without LOGOUT";
        break;
    default:
        s->over = "a broken connection";
        break;
    }
}

/* ---- what is not wanted ---- */

/* Ends the command before it is whole. */
static void refuse(struct imap_session *s, const char *condition, const char *code,
                   const char *text)
{
    session_conn_printf(s->conn, "%s %s %s%s%s%s\r\n", s->input->tag, condition, code ? "[" : "",
                        code ? code : "", code ? "] " : "", text);
    s->bad_commands++;
}

/* Reads bytes and drops them. False: over. */
static bool skip_bytes(struct imap_session *s, uint64_t size)
{
    const char *data;
    size_t len;
    for (; size; size -= len) {
        size_t most = size < SIZE_MAX ? (size_t)size : SIZE_MAX;
        enum session_line r = session_conn_bytes(s->conn, most, imap_patience_ms(s), &data, &len);
        if (r != SESSION_LINE_OK) {
            imap_input_ended(s, r);
            return false;
        }
    }
    return true;
}

/* A client that does not wait for "+" sends its literal whatever we answer, and more lines behind
 * it: they are read to the end of the command. False: over. */
static bool skip_rest(struct imap_session *s, struct imap_literal literal)
{
    struct imap_input *in = s->input;
    uint64_t most = s->ticket ? IMAP_SKIP_MAX : IMAP_BEFORE_SKIP_MAX;
    char *line;
    size_t len;
    while (!literal.sync) {
        if (literal.size > most - in->skipped) {
            refuse(s, "NO", "TOOBIG", "the literal is far over the limit");
            imap_untagged(s, "BYE a literal of that size is not read, goodbye");
            s->over = "a literal far over the limit";
            return false;
        }
        in->skipped += literal.size;
        if (!skip_bytes(s, literal.size))
            return false;
        enum session_line r =
            session_conn_line(s->conn, IMAP_BEFORE_LOGIN_MAX, imap_patience_ms(s), &line, &len);
        if (r != SESSION_LINE_OK && r != SESSION_LINE_TOO_LONG && r != SESSION_LINE_NUL) {
            imap_input_ended(s, r);
            return false;
        }
        if (!imap_literal_announced(line, len, &literal))
            break;
    }
    return true;
}

static void refuse_literal(struct imap_session *s, const struct imap_literal *literal,
                           const char *condition, const char *code, const char *text)
{
    if (skip_rest(s, *literal))
        refuse(s, condition, code, text);
}

static void refuse_line(struct imap_session *s, const char *line, size_t len, bool over_limit,
                        const char *fault)
{
    struct imap_literal literal;
    if (!imap_literal_announced(line, len, &literal) || skip_rest(s, literal))
        refuse(s, over_limit ? "NO" : "BAD", over_limit ? "LIMIT" : NULL, fault);
}

/* ---- literals ---- */

static void ask_for(struct imap_session *s, const struct imap_literal *literal)
{
    if (literal->sync)
        session_conn_printf(s->conn, "+ go ahead\r\n");
}

/* Into memory. */
static bool take_text(struct imap_session *s, const struct imap_literal *literal)
{
    struct imap_input *in = s->input;
    size_t max = s->ticket ? IMAP_COMMAND_MAX : IMAP_BEFORE_LOGIN_MAX;
    const char *data;
    size_t len;
    if (literal->binary) {
        refuse_literal(s, literal, "BAD", NULL, "a binary literal is for messages of APPEND only");
        return false;
    }
    if (literal->size > max - in->taken) {
        refuse_literal(s, literal, "BAD", "TOOBIG", "the command would be longer than the limit");
        return false;
    }
    char *text = arena_alloc(s->arena, (size_t)literal->size + 1);
    struct imap_arg arg = {.type = IMAP_ARG_LITERAL, .text = text, .len = (size_t)literal->size};
    in->taken += arg.len;
    ask_for(s, literal);
    for (size_t have = 0; have < arg.len; have += len) {
        enum session_line r =
            session_conn_bytes(s->conn, arg.len - have, imap_patience_ms(s), &data, &len);
        if (r != SESSION_LINE_OK) {
            imap_input_ended(s, r);
            return false;
        }
        memcpy(text + have, data, len);
    }
    imap_parser_literal(&in->parser, &arg);
    return true;
}

/* Moves a message into its upload. False: it was answered. */
static bool stream(struct imap_session *s, const struct imap_literal *literal,
                   struct mailbox_upload *upload)
{
    struct error e = ERROR_INIT;
    char text[IMAP_ERROR_TEXT_SIZE];
    const char *data;
    size_t len;
    for (uint64_t left = literal->size; left; left -= len) {
        enum session_line r =
            session_conn_bytes(s->conn, (size_t)left, imap_patience_ms(s), &data, &len);
        if (r != SESSION_LINE_OK) {
            imap_input_ended(s, r);
            return false;
        }
        if (mailbox_upload_write(upload, data, len, &e))
            continue;
        log_error_value(LOG_LEVEL_ERROR, &e, "APPEND: a message could not be kept");
        imap_error_text(&e, text);
        refuse_literal(s, &(struct imap_literal){.size = left - len}, "NO", imap_error_code(e.kind),
                       text);
        return false;
    }
    return true;
}

/* Why a message literal is not taken; NULL: it is. */
static const char *message_refusal(const struct imap_session *s, const struct imap_literal *literal,
                                   const char **code)
{
    if (s->login->read_only) {
        *code = "NOPERM";
        return "this login may only read";
    }
    if (literal->size > imap_config(s)->limits.max_message_size) {
        *code = "TOOBIG";
        return "the message is larger than max-message-size (APPENDLIMIT)";
    }
    *code = "LIMIT";
    return s->input->upload_count == IMAP_UPLOADS_MAX ? "too many messages in one APPEND" : NULL;
}

static bool take_message(struct imap_session *s, const struct imap_literal *literal)
{
    struct imap_input *in = s->input;
    struct error e = ERROR_INIT;
    const char *code;
    char text[IMAP_ERROR_TEXT_SIZE];
    const char *refusal = message_refusal(s, literal, &code);
    if (refusal) {
        refuse_literal(s, literal, "NO", code, refusal);
        return false;
    }
    struct mailbox_upload *upload = mailbox_upload_new(s->account, &e);
    if (!upload) {
        log_error_value(LOG_LEVEL_ERROR, &e, "APPEND: a message could not be kept");
        imap_error_text(&e, text);
        refuse_literal(s, literal, "NO", imap_error_code(e.kind), text);
        return false;
    }
    if (!in->uploads)
        in->uploads = xcalloc(IMAP_UPLOADS_MAX, sizeof *in->uploads);
    in->uploads[in->upload_count++] = upload;
    struct imap_arg arg = {.type = IMAP_ARG_LITERAL,
                           .binary = literal->binary,
                           .len = (size_t)literal->size,
                           .upload = upload};
    ask_for(s, literal);
    if (!stream(s, literal, upload))
        return false;
    imap_parser_literal(&in->parser, &arg);
    return true;
}

/* A literal of APPEND behind its mailbox, outside of lists, is a message: flags are a list and
 * dates are quoted. */
static bool is_message(const struct imap_session *s)
{
    const struct imap_parser *p = &s->input->parser;
    size_t position = imap_parser_position(p);
    return s->account && position != SIZE_MAX && position >= APPEND_FIRST_MESSAGE &&
           imap_arg_is_atom(&p->pending[1], "APPEND");
}

/* ---- lines ---- */

/* The word that answers begin with, "*" where there is none that could be one. */
static const char *tag_of(struct imap_session *s, const char *line, size_t len)
{
    size_t n = 0;
    while (n < len && line[n] > 0x20 && line[n] < 0x7f && !strchr("(){%*\"\\+", line[n]))
        n++;
    return n > 0 && (n == len || line[n] == ' ') ? arena_strndup(s->arena, line, n) : "*";
}

/* The next line of the command. False: it was answered. */
static bool next_line(struct imap_session *s, char **line, size_t *len)
{
    struct imap_input *in = s->input;
    size_t max = s->ticket ? IMAP_COMMAND_MAX : IMAP_BEFORE_LOGIN_MAX;
    enum session_line r =
        session_conn_line(s->conn, max - in->taken, imap_patience_ms(s), line, len);
    if (r != SESSION_LINE_OK && r != SESSION_LINE_TOO_LONG && r != SESSION_LINE_NUL) {
        imap_input_ended(s, r);
        return false;
    }
    if (!in->tag)
        in->tag = tag_of(s, *line, *len);
    if (r == SESSION_LINE_TOO_LONG)
        refuse_line(s, *line, *len, false, "the command is longer than the limit");
    else if (r == SESSION_LINE_NUL)
        refuse_line(s, *line, *len, false, "a NUL byte has no place in a command");
    else
        in->taken += *len;
    return r == SESSION_LINE_OK;
}

static bool whole(struct imap_session *s, struct imap_command *c)
{
    struct imap_input *in = s->input;
    c->args = imap_parser_args(&in->parser, &c->count);
    if (strcmp(in->tag, "*") == 0 || c->count < 2 || c->args[1].type != IMAP_ARG_ATOM) {
        refuse(s, "BAD", NULL, "a command is a tag, a space and a name");
        return false;
    }
    c->tag = in->tag;
    c->args++;
    c->count--;
    return true;
}

bool imap_read(struct imap_session *s, struct imap_command *c)
{
    struct imap_input *in = s->input;
    struct imap_literal literal;
    char *line;
    size_t len;
    *c = (struct imap_command){0};
    imap_parser_init(&in->parser, s->arena);
    in->tag = NULL;
    in->taken = 0;
    in->skipped = 0;
    while (next_line(s, &line, &len)) {
        enum imap_parse result = imap_parser_line(&in->parser, line, len, &literal);
        if (result == IMAP_PARSE_DONE)
            return whole(s, c);
        if (result == IMAP_PARSE_BAD) {
            refuse_line(s, line, len, in->parser.over_limit, in->parser.fault);
            return false;
        }
        if (!(is_message(s) ? take_message(s, &literal) : take_text(s, &literal)))
            return false;
    }
    return false;
}
