/*
 * The loopback end of the authorization code flow (RFC 8252 section 7.3): an HTTP server on
 * 127.0.0.1 and a port of the kernel's choice, that takes one answer and shows a page.
 *
 * Only GET / with the right state counts; whatever else comes is answered and forgotten. The
 * browser is held until it is known what became of the sign-in, so that its page can say so.
 */
#ifndef POSTERN_CMD_REDIRECT_H
#define POSTERN_CMD_REDIRECT_H

#include "postern/base/buf.h"
#include "postern/base/wait.h"

struct redirect;

struct redirect *redirect_open(struct error *e);
unsigned redirect_port(const struct redirect *r);
/* From now on an answer with this state is taken: before anybody knows the address. `state` stays
 * until the close, `w`, by which redirect_wait() waits, until that has returned. */
void redirect_expect(struct redirect *r, const char *state, struct wait *w);
/* Until the browser has come back. True: *code (secret) is to secret_free(). False: the person
 * declined, or the wait ended. Once. */
bool redirect_wait(struct redirect *r, char **code, struct error *e);
/* Lets the browser see how it ended (`e` NULL: well; `user` then is who signed in), waits a moment
 * until the page is out, and closes. */
void redirect_close(struct redirect **r, const char *user, const struct error *e);

/* --- Pure parts. --- */

enum redirect_kind {
    REDIRECT_CODE,     /* a code with the right state */
    REDIRECT_ERROR,    /* an error with the right state */
    REDIRECT_NO_ANSWER /* anything else */
};
/* `state`, `code` and `error` as in the query, NULL where absent. */
enum redirect_kind redirect_classify(const char *expected, const char *state, const char *code,
                                     const char *error);
/* A page of its own (no other file is asked for); `nonce` is that of its style (CSP level 2). */
void redirect_page(struct buf *out, const char *nonce, const char *title, const char *text);

#endif
