/*
 * The control port: plain HTTP with JSON, for tests (postern-sandbox(1), CONTROL PORT).
 */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include "sandbox.h"

/* Takes the lock itself. */
void control_handle(struct sandbox *s, struct request *r, struct answer *a);

#endif
