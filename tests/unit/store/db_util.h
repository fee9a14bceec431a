/* Short forms for the tests of the mailbox database. */
#ifndef POSTERN_TESTS_STORE_DB_UTIL_H
#define POSTERN_TESTS_STORE_DB_UTIL_H

#include "postern/store/mailbox_db.h"

/* The mailbox of all tests: opened, or NULL. */
struct store_db *db_open(const char *state_dir, bool *fresh, struct error *e);
/* The path of its mail.db; a buffer of scratch_path(). */
const char *db_path(const char *state_dir);
/* A new folder row; its key, 0 if that failed. */
int64_t db_folder(struct store_db *db, const char *graph_id);
/* A message with plain values: id "id-UID" (or as given), article UID, unknown size. */
struct store_message db_message(uint32_t uid, const char *graph_id);
/* Puts messages first … last in one transaction, ids "id-N…" as long as Graph's. */
bool db_fill(struct store_db *db, int64_t folder, uint32_t first, uint32_t last);
/* UIDs of the folder in order into `uids`; how many there are, -1: error. */
int db_uids(struct store_db *db, int64_t folder, uint32_t *uids, int max);

#endif
