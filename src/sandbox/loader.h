/*
 * Mail from files: an .eml, a directory of them, a Maildir, an mbox.
 */
#ifndef SANDBOX_LOADER_H
#define SANDBOX_LOADER_H

#include "model.h"

/* Loads what lies at `path` into the folder, in order of names (Maildir: of its file names too).
 * False: `e` names the file. */
bool loader_load(struct folder *f, const char *path, struct error *e);

/* One message of an mbox, "From " line left out, ">From " unquoted by one ">" (mboxrd), the
 * blank line before the next "From " line not part of it. `received_ms` is INT64_MIN if the
 * "From " line has no date. Line ends stay as they are. */
typedef bool mbox_message_fn(void *arg, const char *text, size_t len, int64_t received_ms);
/* False: not an mbox (it does not begin with "From "), or the callback said so. */
bool mbox_split(const char *data, size_t len, mbox_message_fn *fn, void *arg);

#endif
