/*
 * libconfuse glue. libconfuse on its own lets the last of two equal keys or titles win, stops at
 * the first unknown key, takes a file that ends inside a section or a comment for whole, and
 * keeps no line of a key. So every key is declared as a list of strings with a callback that
 * records value and line; an unknown key is reported, declared, and the text is read again; and a
 * last key of our own behind the text shows whether the end was seen. It also counts the lines of
 * comments more than once, so it never sees one (config_text.h).
 */
#include "config_text.h"
#include "config_tree.h"

#include "postern/base/alloc.h"

#include <confuse.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END_MARK     "end-of-this-file"
#define UNKNOWN_MAX  32 /* unknown keys reported; a file with more is no config of ours */
#define SECTIONS_MAX 10000
#define VALUES_MAX   1000
#define NAME_SHOWN   64 /* bytes of a name or token repeated in a fault */

struct unknown_key {
    enum settings_section section;
    char *name;
};

/* One reading of the text. libconfuse's callbacks carry no argument, and its lexer is global. */
struct reading {
    struct config_tree *tree;
    struct config_report *report;
    cfg_t *root;
    struct config_section open; /* the titled or single section being read */
    bool whole;                 /* END_MARK was read where it belongs */
    bool told;                  /* or the reason why not was told */
    bool survey;                /* only looking for unknown keys */
    bool again;                 /* the survey found one */
    struct unknown_key unknown[UNKNOWN_MAX];
    size_t unknown_count;
};

static pthread_mutex_t reading_lock = PTHREAD_MUTEX_INITIALIZER;
static struct reading *reading;

const struct config_entry *config_tree_get(const struct config_section *section, const char *name)
{
    for (size_t i = 0; i < section->count; i++) {
        if (strcmp(section->entries[i].setting->name, name) == 0)
            return &section->entries[i];
    }
    return NULL;
}

static void section_clear(struct config_section *s)
{
    for (size_t i = 0; i < s->count; i++) {
        for (size_t j = 0; j < s->entries[i].count; j++)
            secret_free(s->entries[i].values[j]);
        free(s->entries[i].values);
    }
    free(s->entries);
    free(s->title);
    *s = (struct config_section){.kind = s->kind};
}

void config_tree_free(struct config_tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        section_clear(&tree->sections[i]);
    free(tree->sections);
    *tree = (struct config_tree){0};
}

static enum settings_section section_kind(const char *name)
{
    for (enum settings_section k = SECTION_TOP + 1; k < SECTION_COUNT; k++) {
        if (strcmp(settings_section_name(k), name) == 0)
            return k;
    }
    return SECTION_TOP;
}

static enum settings_section kind_of(const cfg_t *cfg)
{
    return cfg == reading->root ? SECTION_TOP : section_kind(cfg->name);
}

/* Levenshtein distance, for short names only. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_SHOWN];
    size_t n = strlen(b);
    if (n >= NAME_SHOWN)
        return NAME_SHOWN;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; *a; a++, i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = diagonal + (*a != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[n];
}

/* The name that was probably meant: a key of this section, or, at top level, a section. */
static const char *nearest(enum settings_section section, const char *name)
{
    const char *found = NULL;
    size_t best = strlen(name) / 3 + 1;
    for (const struct setting *s = settings_table; s->name; s++) {
        const char *candidate = s->name;
        if (s->section != section) {
            if (section != SECTION_TOP)
                continue;
            candidate = settings_section_name(s->section);
        }
        size_t d = distance(name, candidate);
        if (d <= best && (!found || d < best)) {
            best = d;
            found = candidate;
        }
    }
    return found;
}

/* The section that does have this key. */
static const char *home_of(const char *name)
{
    for (const struct setting *s = settings_table; s->name; s++) {
        if (strcmp(s->name, name) == 0)
            return s->section == SECTION_TOP ? "the top level" : settings_section_name(s->section);
    }
    return NULL;
}

static bool is_section(const char *name)
{
    for (const struct setting *s = settings_table; s->name; s++) {
        if (s->section != SECTION_TOP && strcmp(settings_section_name(s->section), name) == 0)
            return true;
    }
    return false;
}

static void fault_unknown(enum settings_section section, int line, const char *name)
{
    const char *where = section == SECTION_TOP ? "the top level" : settings_section_name(section);
    const char *guess = nearest(section, name);
    const char *home = home_of(name);
    if (section != SECTION_TOP && is_section(name))
        config_fault(reading->report, line,
                     "section '%.*s' begins inside %s; the '}' before it is missing", NAME_SHOWN,
                     name, where);
    else if (guess)
        config_fault(reading->report, line, "unknown key '%.*s' in %s; did you mean '%s'?",
                     NAME_SHOWN, name, where, guess);
    else if (home)
        config_fault(reading->report, line, "unknown key '%.*s' in %s; it belongs in %s",
                     NAME_SHOWN, name, where, home);
    else
        config_fault(reading->report, line, "unknown key '%.*s' in %s; see postern.conf(5)",
                     NAME_SHOWN, name, where);
}

static bool is_unknown(enum settings_section section, const char *name)
{
    for (size_t i = 0; i < reading->unknown_count; i++) {
        if (reading->unknown[i].section == section && strcmp(reading->unknown[i].name, name) == 0)
            return true;
    }
    return false;
}

static void note_unknown(const cfg_t *cfg, const char *name)
{
    enum settings_section section = kind_of(cfg);
    if (strcmp(name, END_MARK) == 0) {
        if (!reading->survey)
            config_fault(reading->report, reading->root->line,
                         "the section '%s' that begins here has no closing '}'",
                         settings_section_name(section));
        reading->told = true;
        return;
    }
    if (reading->survey && reading->unknown_count == UNKNOWN_MAX)
        return;
    fault_unknown(section, cfg->line, name);
    reading->told = true;
    if (!reading->survey)
        return;
    reading->unknown[reading->unknown_count++] =
        (struct unknown_key){.section = section, .name = xstrdup(name)};
    reading->again = true;
}

__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
    char text[256];
    if (strncmp(fmt, "no such option", 14) == 0) {
        note_unknown(cfg, va_arg(ap, const char *));
        return;
    }
    if (reading->survey)
        return;
    reading->told = true;
    if (strncmp(fmt, "premature end", 13) == 0) {
        config_fault(reading->report, cfg->line,
                     "the file ends inside a string: a quote is missing");
        return;
    }
    vsnprintf(text, sizeof text, fmt, ap);
    /* An unknown section was declared as an unknown key. */
    for (size_t i = 0; i < reading->unknown_count; i++) {
        if (strncmp(fmt, "missing equal sign", 18) == 0 && strstr(text, reading->unknown[i].name))
            return;
    }
    config_fault(reading->report, cfg->line, "syntax: %s", text);
}

/* Adds a value to a section's entry. `first`: libconfuse begins a new assignment with it. */
static void record(struct config_section *s, const struct setting *setting, int line, bool first,
                   const char *value)
{
    bool list = setting_is_list(setting);
    struct config_entry *entry = NULL;
    for (size_t i = 0; i < s->count; i++) {
        if (s->entries[i].setting == setting)
            entry = &s->entries[i];
    }
    if (entry && first) {
        config_fault(reading->report, line, "'%s' is here again; it was set on line %d",
                     setting->name, entry->line);
        return;
    }
    if (entry && (!list || entry->count >= VALUES_MAX)) {
        config_fault(reading->report, line,
                     list ? "'%s' has too many values" : "'%s' takes one value, not a list",
                     setting->name);
        return;
    }
    if (!entry) {
        s->entries = xreallocarray(s->entries, s->count + 1, sizeof *s->entries);
        entry = &s->entries[s->count++];
        *entry = (struct config_entry){.setting = setting, .line = line};
    }
    entry->values = xreallocarray(entry->values, entry->count + 1, sizeof *entry->values);
    entry->values[entry->count++] = xstrdup(value);
}

static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    *(const char **)result = value;
    if (strcmp(opt->name, END_MARK) == 0) {
        if (reading->whole && !reading->survey)
            config_fault(reading->report, cfg->line, "'" END_MARK "' is no setting");
        reading->whole = true;
        return 0;
    }
    enum settings_section kind = kind_of(cfg);
    if (reading->survey || is_unknown(kind, opt->name))
        return 0;
    struct config_section *s = &reading->tree->sections[SECTION_TOP];
    if (kind != SECTION_TOP) {
        s = &reading->open;
        s->line = reading->root->line; /* stands at the section's opening brace meanwhile */
        if (cfg->title && !s->title)
            s->title = xstrdup(cfg->title);
    }
    record(s, settings_find(kind, opt->name), cfg->line, opt->nvalues == 1, value);
    return 0;
}

static void close_single(struct config_section *s)
{
    struct config_section *place = &reading->tree->sections[s->kind];
    if (!place->line) {
        *place = *s;
        return;
    }
    config_fault(reading->report, s->line, "section '%s' is here again; it was on line %d",
                 settings_section_name(s->kind), place->line);
    section_clear(s);
}

/* libconfuse gives a repeated title the slot of the first one, and does not tell which that was
 * if the section is empty. `distinct` titles of the kind are in the tree. */
static const char *title_of(cfg_opt_t *opt, size_t distinct)
{
    if (reading->open.title)
        return reading->open.title;
    return opt->nvalues > distinct ? cfg_title(cfg_opt_getnsec(opt, opt->nvalues - 1)) : NULL;
}

static void close_titled(cfg_opt_t *opt, struct config_section *s)
{
    struct config_tree *tree = reading->tree;
    size_t distinct = 0;
    for (size_t i = SECTION_FIRST_TITLED; i < tree->count; i++)
        distinct += tree->sections[i].kind == s->kind;
    const char *title = title_of(opt, distinct);
    const struct config_section *same = NULL;
    for (size_t i = SECTION_FIRST_TITLED; title && i < tree->count; i++) {
        if (tree->sections[i].kind == s->kind && strcmp(tree->sections[i].title, title) == 0)
            same = &tree->sections[i];
    }
    if (!title || same) {
        if (same)
            config_fault(reading->report, s->line,
                         "%s \"%.*s\" is here again (it was on line %d); each needs a title of its "
                         "own",
                         opt->name, NAME_SHOWN, title, same->line);
        else
            config_fault(reading->report, s->line,
                         "this empty %s has the title of one above; each needs a title of its own",
                         opt->name);
        section_clear(s);
        return;
    }
    if (!s->title)
        s->title = xstrdup(title);
    tree->sections = xreallocarray(tree->sections, tree->count + 1, sizeof *tree->sections);
    tree->sections[tree->count++] = *s;
}

static int on_section_end(cfg_t *cfg, cfg_opt_t *opt)
{
    struct config_section *s = &reading->open;
    if (reading->survey)
        return 0;
    if (reading->tree->count == SECTIONS_MAX) {
        config_fault(reading->report, cfg->line, "more than %d sections", SECTIONS_MAX);
        reading->told = true;
        return -1;
    }
    s->kind = section_kind(opt->name);
    if (!s->line)
        s->line = cfg->line;
    if (s->kind < SECTION_FIRST_TITLED)
        close_single(s);
    else
        close_titled(opt, s);
    *s = (struct config_section){0};
    return 0;
}

static cfg_opt_t value_option(const char *name)
{
    return (cfg_opt_t)CFG_STR_LIST_CB(name, NULL, CFGF_NODEFAULT, on_value);
}

/* The keys of a section, known and unknown, ended by CFG_END; free() it. */
static cfg_opt_t *make_options(enum settings_section section, size_t extra, size_t *count)
{
    size_t n = 0;
    for (const struct setting *s = settings_table; s->name; s++)
        n += s->section == section;
    cfg_opt_t *options = xcalloc(n + reading->unknown_count + extra + 1, sizeof *options);
    n = 0;
    for (const struct setting *s = settings_table; s->name; s++) {
        if (s->section == section)
            options[n++] = value_option(s->name);
    }
    for (size_t i = 0; i < reading->unknown_count; i++) {
        if (reading->unknown[i].section == section)
            options[n++] = value_option(reading->unknown[i].name);
    }
    options[n] = (cfg_opt_t)CFG_END();
    *count = n;
    return options;
}

/* Reads the text once with the keys known so far. */
static void read_once(const char *text)
{
    cfg_opt_t *sections[SECTION_COUNT] = {NULL};
    size_t n;
    cfg_opt_t *top = make_options(SECTION_TOP, SECTION_COUNT + 1, &n);
    for (enum settings_section k = SECTION_TOP + 1; k < SECTION_COUNT; k++) {
        size_t unused;
        sections[k] = make_options(k, 0, &unused);
        top[n] = (cfg_opt_t)CFG_SEC(settings_section_name(k), sections[k],
                                    k < SECTION_FIRST_TITLED ? CFGF_NONE : CFGF_MULTI | CFGF_TITLE);
        top[n++].validcb = on_section_end;
    }
    top[n++] = value_option(END_MARK);
    top[n] = (cfg_opt_t)CFG_END();

    reading->again = reading->whole = reading->told = false;
    reading->root = cfg_init(top, CFGF_NONE);
    if (!reading->root)
        alloc_out_of_memory();
    cfg_set_error_function(reading->root, on_error);
    cfg_parse_buf(reading->root, text);
    if (!reading->survey && !reading->whole && !reading->told)
        config_fault(reading->report, reading->root->line,
                     "the file ends inside a comment: a '*/' is missing");
    section_clear(&reading->open);
    cfg_free(reading->root);
    free(top);
    for (int k = 0; k < SECTION_COUNT; k++)
        free(sections[k]);
}

void config_tree_parse(struct config_tree *tree, const char *text, struct config_report *r)
{
    struct reading mine = {.tree = tree, .report = r, .survey = true};
    char *marked = xasprintf("%s\n" END_MARK " = x\n", text);
    config_blank_comments(marked);
    tree->count = SECTION_FIRST_TITLED;
    tree->sections = xcalloc(tree->count, sizeof *tree->sections);
    for (enum settings_section k = SECTION_TOP; k < SECTION_FIRST_TITLED; k++)
        tree->sections[k].kind = k;

    pthread_mutex_lock(&reading_lock);
    reading = &mine;
    do {
        read_once(marked);
    } while (mine.again);
    mine.survey = false;
    read_once(marked);
    tree->whole = mine.whole;
    reading = NULL;
    pthread_mutex_unlock(&reading_lock);

    for (size_t i = 0; i < mine.unknown_count; i++)
        free(mine.unknown[i].name);
    secret_free(marked);
}
