/*
 * The text of a message that was written by JSON, as MIME: what $value tells of it.
 */
#ifndef SANDBOX_COMPOSE_H
#define SANDBOX_COMPOSE_H

#include "content.h"

/* Initialises `out`. The same content gives the same bytes. */
void compose_mime(const struct content *x, struct buf *out);

#endif
