/*
 * The snapshot that a session serves: one generation of its folder, fixed from PASS to QUIT
 * (RFC 1939 section 4), with the marks of DELE and the sizes that were told.
 *
 * `index` counts from 0; the client's message number is one more.
 */
#ifndef POP3_MAILDROP_H
#define POP3_MAILDROP_H

#include "postern/base/config.h"
#include "postern/base/error.h"
#include "postern/base/wait.h"
#include "postern/mailbox/account.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `exact-size = auto` fetches bodies for up to this many unknown sizes. */
#define POP3_EXACT_MAX 100
/* "P" and 43 characters of base64url, NUL. */
#define POP3_UIDL_SIZE 45

struct pop3_maildrop;

/* Takes the folder's newest generation; messages received before `since_ms` are left out. NULL
 * before the folder's first sync. `folder` must outlive it. */
struct pop3_maildrop *pop3_maildrop_open(struct mailbox_folder *folder, int64_t since_ms,
                                         enum config_exact_size exact);
void pop3_maildrop_free(struct pop3_maildrop **d);

size_t pop3_maildrop_count(const struct pop3_maildrop *d); /* marked ones too */
size_t pop3_maildrop_marked_count(const struct pop3_maildrop *d);
bool pop3_maildrop_marked(const struct pop3_maildrop *d, size_t index);
void pop3_maildrop_mark(struct pop3_maildrop *d, size_t index);
void pop3_maildrop_reset(struct pop3_maildrop *d);
/* The UIDs of the marked messages, in order; free() it. */
uint32_t *pop3_maildrop_marked_uids(const struct pop3_maildrop *d, size_t *count);

uint32_t pop3_maildrop_uid(const struct pop3_maildrop *d, size_t index);
/* Stable for ever: from the digest of the immutable id, whatever happens to our state. */
void pop3_maildrop_uidl(const struct pop3_maildrop *d, size_t index, char out[POP3_UIDL_SIZE]);

/* Before sizes of all unmarked messages are told: finds out exact ones as the setting says. What
 * is settled stays so for the session. `exact-size = auto` falls back on estimates if that fails;
 * false only with `yes`. */
bool pop3_maildrop_settle(struct pop3_maildrop *d, struct wait *w, struct error *e);
/* The same for one. */
bool pop3_maildrop_settle_one(struct pop3_maildrop *d, size_t index, struct wait *w,
                              struct error *e);
/* The size to tell: exact, or an estimate that errs high. */
uint64_t pop3_maildrop_size(const struct pop3_maildrop *d, size_t index);
/* Count and octets of the unmarked messages. */
void pop3_maildrop_total(const struct pop3_maildrop *d, size_t *count, uint64_t *octets);

/* The body of a message; read-ahead follows from here. */
struct mailbox_body *pop3_maildrop_body(struct pop3_maildrop *d, size_t index, struct wait *w,
                                        struct error *e);

#endif
