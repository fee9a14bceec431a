/*
 * How many connections there are, in all and from each address. Any thread.
 */
#ifndef SESSION_COUNTS_H
#define SESSION_COUNTS_H

#include "postern/base/config.h"

struct counts;

struct counts *counts_new(void);
void counts_free(struct counts **c);
/* Counts a connection in, unless that would be over a limit: then the limit's name comes back, to
 * be logged. NULL: it is in. */
const char *counts_enter(struct counts *c, const struct config_limits *limits);
/* The same for an address key (address.h) of a connection that is in. */
const char *counts_enter_address(struct counts *c, const struct config_limits *limits,
                                 const char *key);
/* `key`: the address that was counted in, "" for none. */
void counts_leave(struct counts *c, const char *key);
unsigned counts_total(struct counts *c);

#endif
