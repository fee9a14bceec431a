/* The files of originals (original.c), for those who keep their rows. */
#ifndef POSTERN_STORE_ORIGINAL_FILE_H
#define POSTERN_STORE_ORIGINAL_FILE_H

#include "postern/store/original.h"

/* Ends the spool's file and gives it the name of the message's original too; on disk when it
 * returns. */
bool original_name_spool(struct store_spool *s, const char *graph_id, struct error *e);
/* A second name of the same bytes. */
bool original_link(struct store_db *db, const char *from_id, const char *to_id, struct error *e);
void original_unlink(struct store_db *db, const char *graph_id);
/* Spools that were being written when the last process ended; `dir` is the mailbox's. */
void original_remove_spools(const char *dir);

#endif
