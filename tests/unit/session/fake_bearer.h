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

/* FAKE_TOKEN in responses: user=NAME ^A auth=Bearer TOKEN ^A ^A and RFC 7628's. */
#define XOAUTH2                                                                                    \
    "dXNlcj1hbGljZUBjb250b3NvLmNvbQFhdXRoPUJlYXJlciBleUowYjJ0bGJnLm9mLWFsaWNlfisvPT0BAQ=="
#define XOAUTH2_SHARED                                                                             \
    "dXNlcj1zaGFyZWRAY29udG9zby5jb20BYXV0aD1CZWFyZXIgZXlKMGIydGxiZy5vZi1hbGljZX4rLz09AQE="
#define XOAUTH2_OTHER                                                                              \
    "dXNlcj1vdGhlckBjb250b3NvLmNvbQFhdXRoPUJlYXJlciBleUowYjJ0bGJnLm9mLWFsaWNlfisvPT0BAQ=="
#define XOAUTH2_WRONG "dXNlcj1hbGljZUBjb250b3NvLmNvbQFhdXRoPUJlYXJlciB3cm9uZwEB"
#define OAUTHBEARER                                                                                \
    "bixhPWFsaWNlQGNvbnRvc28uY29tLAFob3N0PWxvY2FsaG9zdAFwb3J0PTE0MwFhdXRoPUJlYXJlciBleUowYjJ0bGJn" \
    "Lm9mLWFsaWNlfisvPT0BAQ=="
#define OAUTHBEARER_NO_NAME "biwsAWF1dGg9QmVhcmVyIGV5SjBiMnRsYmcub2YtYWxpY2V+Ky89PQEB"
/* What is said of a wrong one, in JSON. */
#define XOAUTH2_ERROR "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiQmVhcmVyIn0="

#endif
