#include "args.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define UINT64_DIGITS 19

bool imap_arg_is_atom(const struct imap_arg *arg, const char *text)
{
    return arg->type == IMAP_ARG_ATOM && strcasecmp(arg->text, text) == 0;
}

const char *imap_arg_string(const struct imap_arg *arg)
{
    return arg->type == IMAP_ARG_QUOTED || arg->type == IMAP_ARG_LITERAL ? arg->text : NULL;
}

const char *imap_arg_astring(const struct imap_arg *arg)
{
    return arg->type == IMAP_ARG_ATOM ? arg->text : imap_arg_string(arg);
}

bool imap_arg_is_nil(const struct imap_arg *arg)
{
    return imap_arg_is_atom(arg, "NIL");
}

bool imap_arg_number64(const struct imap_arg *arg, uint64_t *value)
{
    if (arg->type != IMAP_ARG_ATOM || arg->len == 0 || arg->len > UINT64_DIGITS ||
        strspn(arg->text, "0123456789") != arg->len)
        return false;
    *value = strtoull(arg->text, NULL, 10);
    return *value <= INT64_MAX;
}

bool imap_arg_number(const struct imap_arg *arg, uint32_t *value)
{
    uint64_t wide;
    if (!imap_arg_number64(arg, &wide) || wide > UINT32_MAX)
        return false;
    *value = (uint32_t)wide;
    return true;
}
