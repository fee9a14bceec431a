/*
 * The one table of settings: names, types, defaults, limits. Private to the configuration; what
 * others may see of it is config_each_setting().
 */
#ifndef POSTERN_BASE_SETTINGS_H
#define POSTERN_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum settings_section {
    SECTION_TOP,
    SECTION_LOG,
    SECTION_CACHE,
    SECTION_LIMITS,
    SECTION_TLS,
    SECTION_ADMIN,
    SECTION_TENANT, /* from here on: sections with a title, any number of them */
    SECTION_LISTENER,
    SECTION_LOGIN,
    SECTION_COUNT
};
#define SECTION_FIRST_TITLED SECTION_TENANT

enum setting_type {
    SETTING_TEXT,     /* char *, NULL if empty */
    SETTING_COUNT,    /* unsigned */
    SETTING_SIZE,     /* size_t, bytes: "64K", "2G" */
    SETTING_DURATION, /* int64_t, milliseconds: "20s", "10m" */
    SETTING_BOOL,     /* bool */
    SETTING_CHOICE,   /* int or enum: the choice's value */
    SETTING_SET,      /* unsigned: a list of choices, or-ed */
    SETTING_DAY,      /* int64_t, milliseconds since 1970 UTC: "2026-01-31" */
    SETTING_NETWORKS, /* struct config_network *: a list of "192.0.2.0/24" */
    SETTING_TEXTS     /* char **: a list */
};

struct settings_choice {
    const char *name; /* NULL ends the list */
    int value;
};

struct setting {
    enum settings_section section;
    const char *name;
    enum setting_type type;
    const char *fallback; /* as it would stand in the file; NULL: none (for a list: empty) */
    int64_t min, max;     /* COUNT, SIZE (bytes), DURATION (milliseconds) */
    const struct settings_choice *choices;
    /* Where the value goes: in struct config for sections without a title, else in the section's
     * own struct. SETTING_ELSEWHERE: config_check.c looks at it. */
    size_t offset;
    size_t count_offset; /* NETWORKS, TEXTS: where their number goes */
    unsigned flags;
};

#define SETTING_ELSEWHERE ((size_t)-1)
#define SETTING_REQUIRED  1u /* no default makes sense: its absence is a fault */
#define SETTING_IS_SECRET 2u /* never repeated in a fault */

/* Does the setting take more than one value? */
static inline bool setting_is_list(const struct setting *s)
{
    return s->type == SETTING_NETWORKS || s->type == SETTING_SET || s->type == SETTING_TEXTS;
}

/* Ended by a NULL name. */
extern const struct setting settings_table[];

/* "tenant"; "" for SECTION_TOP. */
const char *settings_section_name(enum settings_section section);
/* NULL if the section has no such key. */
const struct setting *settings_find(enum settings_section section, const char *name);
/* NULL if there is no such choice. */
const struct settings_choice *settings_choice_find(const struct settings_choice *choices,
                                                   const char *name);

#endif
