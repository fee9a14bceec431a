/*
 * Downloads: one for each message at a time, however many want it. A download is held by those
 * who wait for it or read ahead; the last who leaves cancels it. Any thread.
 */
#ifndef POSTERN_MAILBOX_BODY_H
#define POSTERN_MAILBOX_BODY_H

#include "internal.h"

struct download;

/* Joins the download of the message, or opens the cached body, or starts a download as `as` says.
 * `name` is what the content is kept under. Never NULL: what goes wrong shows in the outcome. */
struct download *download_get(struct mailbox_account *a, const char *graph_id, const char *name,
                              struct graph_as as);
/* What was read ahead is waited for now. */
void download_promote(struct download *d);
bool download_done(struct download *d);
/* Sleeps until the wait is notified because one of the downloads ended (NULLs are skipped). Look
 * with download_done() first and again; returns at once if one has ended. */
bool download_wait_any(struct download *const *downloads, size_t count, struct wait *w,
                       struct error *e);
/* The body of one that is done, with a reference; NULL and `e`: it failed. */
struct mailbox_body *download_body(struct download *d, struct error *e);
/* Gives up one's hold; clears *d. */
void download_leave(struct download **d);

struct mailbox_body *mailbox_body_ref(struct mailbox_body *b);

#endif
