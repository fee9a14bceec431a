/*
 * What a config file says, before it means anything: sections and keys with their lines, as
 * libconfuse read them. Private to the configuration.
 */
#ifndef POSTERN_BASE_CONFIG_TREE_H
#define POSTERN_BASE_CONFIG_TREE_H

#include "config_report.h"
#include "settings.h"

#include "postern/base/config.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a file. */
#define CONFIG_FILE_MAX ((size_t)4 << 20)

/* One key with its values; more than one only where the setting is a list. */
struct config_entry {
    const struct setting *setting;
    int line;
    char **values;
    size_t count;
};

struct config_section {
    enum settings_section kind;
    char *title; /* NULL where the kind has none */
    int line;    /* of its opening brace; 0 for SECTION_TOP and for sections left out */
    struct config_entry *entries;
    size_t count;
};

/* The first SECTION_FIRST_TITLED sections are the ones without a title, in the order of enum
 * settings_section, whether the file holds them or not. */
struct config_tree {
    struct config_section *sections;
    size_t count;
    bool whole; /* the text was read to its end: what is not in the tree is not in the file */
};

/* Reads the text by libconfuse's rules, reporting what is wrong with its form: syntax, unknown
 * and repeated keys, repeated titles. The tree holds what could be understood. */
void config_tree_parse(struct config_tree *tree, const char *text, struct config_report *r);
void config_tree_free(struct config_tree *tree);
/* NULL if the section has no such key. */
const struct config_entry *config_tree_get(const struct config_section *section, const char *name);

/* Turns the text of a value into a setting's type and stores it at `base` + its offset; a
 * repeated call frees what was there. The fallback goes the same way, so the table's text is the
 * default. Faults name the entry's line. */
void config_store(struct config_report *r, const struct setting *setting,
                  const struct config_entry *entry_or_null, void *base);
/* Frees a list of texts; NULL is fine. */
void config_texts_free(char **texts, size_t count);
/* "127.0.0.1:1110", "[::1]:1110". */
bool config_parse_address(const char *text, struct sockaddr_storage *out, socklen_t *len);
bool config_address_is_loopback(const struct sockaddr_storage *address);

/* Reads the logins-file at `path` into a tree of login sections; faults, in its name, for whatever
 * else stands in it. The file may be empty, but must be there. */
void config_tree_read_logins(struct config_tree *tree, const char *path, struct config_report *r);

/* Cross checks, and what follows from several settings at once (URLs of a cloud, the tenant of a
 * login). `logins`: of the logins-file. `files`: those that the text names may be looked at. */
void config_check(struct config *c, const struct config_tree *tree,
                  const struct config_tree *logins, bool files, struct config_report *r);

#endif
