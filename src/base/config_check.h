/*
 * What the cross checks of the sections share. Private to the configuration.
 */
#ifndef POSTERN_BASE_CONFIG_CHECK_H
#define POSTERN_BASE_CONFIG_CHECK_H

#include "config_tree.h"

#include <stddef.h>

#define CONFIG_TLS_1_2 0x0303
#define NAME_SHOWN     64 /* bytes of a value repeated in a fault */

/* The line of a key, or of its section where the key is left out. */
static inline int line_of(const struct config_section *s, const char *key)
{
    const struct config_entry *entry = config_tree_get(s, key);
    return entry ? entry->line : s->line;
}

/* NULL if it is left out or empty. */
static inline const char *value_of(const struct config_section *s, const char *key)
{
    const struct config_entry *entry = config_tree_get(s, key);
    return entry && entry->values[0][0] ? entry->values[0] : NULL;
}

/* Has the text letters and digits only, and what is in `also`? */
bool config_only_of(const char *text, const char *also);
/* Reads one byte: permissions, NFS and missing files alike show now, not at the first sign-in. */
bool config_check_readable(const char *path, bool secret, int line, struct config_report *r);

/* One tenant: what its flow needs; finds out its URLs, reads its secrets. `files`: those that it
 * names may be opened. */
void config_check_tenant(struct config_tenant *t, const struct config_section *s, bool files,
                         struct config_report *r);

/* One listener, against those before it and the tls section; finds out where it listens. `whole`:
 * the file was read to its end. */
void config_check_listener(const struct config *c, struct config_listener *l,
                           const struct config_section *s, bool whole, struct config_report *r);

/* The login sections of one file: those of c->logins from `first` on. */
void config_check_logins(struct config *c, const struct config_tree *tree, size_t first, bool whole,
                         struct config_report *r);
#endif
