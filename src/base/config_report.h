/*
 * What is wrong with a configuration: gathered as it is found, told in the order of the lines.
 * Private to the configuration; one thread.
 */
#ifndef POSTERN_BASE_CONFIG_REPORT_H
#define POSTERN_BASE_CONFIG_REPORT_H

#include "postern/base/config.h"

#include <stdbool.h>
#include <stddef.h>

struct config_remark {
    bool in_logins_file;
    int line; /* 0: the file as a whole */
    size_t order;
    bool is_fault;
    char *text;
};
/* Starts as zeros. */
struct config_report {
    struct config_remark *remarks;
    size_t count;
    size_t faults;
    bool in_logins_file; /* that is what remarks are about now */
    char *logins_path;
};

/* From now on remarks are about the logins-file at `path`; NULL: about the config itself. */
void config_report_file(struct config_report *r, const char *path);

void config_fault(struct config_report *r, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void config_warning(struct config_report *r, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Tells all remarks and frees them; a function that is NULL hears nothing. */
void config_report_tell(struct config_report *r, const char *file, config_fault_fn *fault,
                        config_fault_fn *warning, void *arg);

#endif
