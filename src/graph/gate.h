/*
 * The gate before every message body: an error page that came with a 200 must not become mail.
 * Pure; any thread.
 */
#ifndef POSTERN_SRC_GRAPH_GATE_H
#define POSTERN_SRC_GRAPH_GATE_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>

/* So many first bytes are held back at most until the gate is sure. */
#define GATE_HEAD_MAX 4096

enum gate { GATE_HOLD, GATE_PASS, GATE_REFUSE };

/* Judges the beginning of a body: refused is what starts, after white space, with an HTML page
 * or a JSON error object. GATE_HOLD: more bytes are needed (never at the `end` of the body, nor
 * from GATE_HEAD_MAX bytes on). */
enum gate gate_look(const char *head, size_t len, bool end);
/* Are the bytes of the body the message's own? Nothing else was asked for (transfer.c). */
bool gate_encoding(const struct answer *a);
/* Can a body of this content type be a message? Graph sends text/plain. */
bool gate_type(const struct answer *a);

#endif
