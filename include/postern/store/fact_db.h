/*
 * What is known of a message for good, by folder and UID: small blobs of a few kinds, whose
 * meaning is the caller's. They go with the message. Written with synchronous=NORMAL (they survive
 * a killed process). Any thread, as store/mailbox_db.h says.
 */
#ifndef POSTERN_STORE_FACT_DB_H
#define POSTERN_STORE_FACT_DB_H

#include "postern/base/buf.h"
#include "postern/store/mailbox_db.h"

/* Appends the fact to `out`. 1 known, 0 not, -1 error (ERROR_TOO_BIG: `out` is over its cap). */
int store_fact_get(struct store_db *db, int64_t folder, uint32_t uid, int kind, struct buf *out,
                   struct error *e);
/* The first one stays. Of a UID that is not there nothing is kept, which is no error. */
bool store_fact_put(struct store_db *db, int64_t folder, uint32_t uid, int kind, const void *data,
                    size_t len, struct error *e);

#endif
