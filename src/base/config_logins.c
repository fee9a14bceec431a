/*
 * The second file of logins, so that password hashes need not stand in the main one.
 */
#include "config_tree.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/file.h"

#include <string.h>
#include <sys/stat.h>

static void fault_setting(const struct config_section *s, int line, struct config_report *r)
{
    config_fault(r, line,
                 "only login sections stand in the logins-file; %s belongs into the main "
                 "configuration",
                 s->kind == SECTION_TOP ? s->entries[0].setting->name
                                        : settings_section_name(s->kind));
}

static void check_sections(const struct config_tree *tree, struct config_report *r)
{
    const struct config_section *top = &tree->sections[SECTION_TOP];
    if (top->count)
        fault_setting(top, top->entries[0].line, r);
    for (size_t i = SECTION_TOP + 1; i < tree->count; i++) {
        const struct config_section *s = &tree->sections[i];
        if (s->line && s->kind != SECTION_LOGIN)
            fault_setting(s, s->line, r);
    }
}

void config_tree_read_logins(struct config_tree *tree, const char *path, struct config_report *r)
{
    struct buf text = BUF_INIT(CONFIG_FILE_MAX);
    struct error e = ERROR_INIT;
    struct stat st;
    config_report_file(r, path);
    if (!file_read(path, &text, &e))
        config_fault(r, 0, "%s; the setting logins-file names it", e.text);
    else if (strlen(buf_str(&text)) != text.len)
        config_fault(r, 0, "the file holds a NUL byte; it is not a text file");
    else
        config_tree_parse(tree, buf_str(&text), r);
    if (tree->count)
        check_sections(tree, r);
    if (stat(path, &st) == 0 && (st.st_mode & S_IROTH))
        config_warning(r, 0,
                       "every user of this machine can read the password hashes and secrets in "
                       "this file; chmod o-r it");
    buf_free_secret(&text);
    config_report_file(r, NULL);
}
