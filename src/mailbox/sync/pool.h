/*
 * One copy of each set of keywords for the whole process, by reference count: a folder has many
 * messages and few different sets. Any thread.
 */
#ifndef POSTERN_MAILBOX_POOL_H
#define POSTERN_MAILBOX_POOL_H

/* The one copy of this text, with a reference; "" costs nothing. */
const char *pool_intern(const char *text);
/* One more reference to what pool_intern() gave. */
const char *pool_ref(const char *interned);
void pool_unref(const char *interned);

#endif
