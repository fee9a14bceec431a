/*
 * What copies tell as their EMAILID (RFC 8474 section 5.1): a copy has an immutable id of its own
 * and tells the digest of its source's. By SHA-256 of the immutable id, so that a row holds in
 * whatever folder the copy is, under whatever UID. Rows outlive their message by 90 days, since one
 * that left a folder may just have moved. Written with synchronous=NORMAL (they survive a killed
 * process). Any thread, as store/mailbox_db.h says.
 */
#ifndef POSTERN_STORE_EMAIL_DB_H
#define POSTERN_STORE_EMAIL_DB_H

#include "postern/base/buf.h"
#include "postern/store/mailbox_db.h"

/* From now on `to_id` tells what `from_id` does, which may be a copy itself. The first one stays.
 */
bool store_email_copy(struct store_db *db, const char *from_id, const char *to_id, struct error *e);
/* What the message with this digest tells: of a copy its source's, of any other its own. */
bool store_email_of(struct store_db *db, const uint8_t digest[SHA256_SIZE],
                    uint8_t email[SHA256_SIZE], struct error *e);
/* The other way round: appends the digests of all that tell `email`, SHA256_SIZE bytes each,
 * rising. ERROR_TOO_BIG: `digests` is over its cap. */
bool store_email_bearers(struct store_db *db, const uint8_t email[SHA256_SIZE], struct buf *digests,
                         struct error *e);

#endif
