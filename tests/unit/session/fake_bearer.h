/*
 * A Graph that knows one access token, for tests of the layers above the mailbox.
 */
#ifndef TESTS_SESSION_FAKE_BEARER_H
#define TESTS_SESSION_FAKE_BEARER_H

#include "postern/base/error.h"

#define FAKE_TOKEN   "eyJ0b2tlbg.of-alice~+/=="
#define FAKE_SUBJECT "11111111-2222-3333-4444-555555555555"
#define FAKE_USER    "alice@contoso.com"
#define FAKE_SHARED  "shared@contoso.com" /* the other mailbox that the token opens */

/* Fails otherwise than by a refusal; ERROR_NONE: works. */
extern enum error_kind fake_bearer_failure;
/* How often Graph was asked. */
extern unsigned fake_bearer_asked;

#endif
