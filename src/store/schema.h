/*
 * The tables of mail.db and the steps that lead to them. PRAGMA user_version counts the steps
 * that a file has seen. A step that was released is never edited: a change is a new step.
 */
#ifndef POSTERN_STORE_SCHEMA_H
#define POSTERN_STORE_SCHEMA_H

#include <sqlite3.h>

extern const char *const schema_steps[];
extern const int schema_version; /* how many steps there are */

/* These return SQLite result codes; SQLITE_CORRUPT also where the header holds what no program
 * writes. Tables of a newer version may be unreadable for this SQLite, so the version comes
 * first. */
int schema_read_version(sqlite3 *h, int *version);
int schema_load(sqlite3 *h);
/* Takes a file from `version` to `count` steps. Each step is one transaction together with the
 * new user_version, so that a crash leaves the file at a whole step. */
int schema_migrate(sqlite3 *h, const char *const steps[], int version, int count);

#endif
