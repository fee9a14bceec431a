/*
 * The arguments of a command, as syntax only (RFC 3501 section 9): atoms, strings, literals and
 * lists, with no idea of what they mean. Everything lives in the command's arena.
 *
 * "BODY[HEADER.FIELDS (From)]<0.10>" is an atom `BODY[HEADER.FIELDS`, a list, and a glued atom
 * `]<0.10>`: brackets and angles are atom characters here, and `glued` says that no space stood
 * before. Pure, one thread.
 */
#ifndef IMAP_ARGS_H
#define IMAP_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mailbox_upload;

enum imap_arg_type {
    IMAP_ARG_END, /* ends every array of arguments */
    IMAP_ARG_ATOM,
    IMAP_ARG_QUOTED,
    IMAP_ARG_LITERAL,
    IMAP_ARG_LIST
};

struct imap_arg {
    enum imap_arg_type type;
    bool glued;
    bool binary;      /* a literal8 (RFC 3516), which may hold NULs */
    const char *text; /* NUL-terminated; not of lists */
    size_t len;
    const struct imap_arg *list;   /* ends with IMAP_ARG_END */
    size_t count;                  /* of the list, without its end */
    struct mailbox_upload *upload; /* a message literal of APPEND; text is NULL then */
};

/* ASCII case ignored; an atom only. */
bool imap_arg_is_atom(const struct imap_arg *arg, const char *text);
/* The text of an astring: atom, quoted or literal ("NIL" is a word like others here); NULL for
 * anything else. */
const char *imap_arg_astring(const struct imap_arg *arg);
/* A string but no atom. */
const char *imap_arg_string(const struct imap_arg *arg);
/* "NIL" as an atom. */
bool imap_arg_is_nil(const struct imap_arg *arg);
/* A number: digits only, at most 2^32-1 or 2^63-1. */
bool imap_arg_number(const struct imap_arg *arg, uint32_t *value);
bool imap_arg_number64(const struct imap_arg *arg, uint64_t *value);

#endif
