#include "config_report.h"

#include "postern/base/alloc.h"

#include <stdarg.h>
#include <stdlib.h>

__attribute__((format(printf, 4, 0))) static void remark(struct config_report *r, bool is_fault,
                                                         int line, const char *fmt, va_list ap)
{
    r->remarks = xreallocarray(r->remarks, r->count + 1, sizeof *r->remarks);
    r->remarks[r->count] = (struct config_remark){.in_logins_file = r->in_logins_file,
                                                  .line = line,
                                                  .order = r->count,
                                                  .is_fault = is_fault,
                                                  .text = xvasprintf(fmt, ap)};
    r->count++;
}

void config_fault(struct config_report *r, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    remark(r, true, line, fmt, ap);
    va_end(ap);
    r->faults++;
}

void config_warning(struct config_report *r, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    remark(r, false, line, fmt, ap);
    va_end(ap);
}

static int by_line(const void *a, const void *b)
{
    const struct config_remark *x = a, *y = b;
    if (x->in_logins_file != y->in_logins_file)
        return x->in_logins_file ? 1 : -1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

void config_report_file(struct config_report *r, const char *path)
{
    r->in_logins_file = path != NULL;
    if (path && !r->logins_path)
        r->logins_path = xstrdup(path);
}

void config_report_tell(struct config_report *r, const char *file, config_fault_fn *fault,
                        config_fault_fn *warning, void *arg)
{
    if (r->count)
        qsort(r->remarks, r->count, sizeof *r->remarks, by_line);
    for (size_t i = 0; i < r->count; i++) {
        config_fault_fn *fn = r->remarks[i].is_fault ? fault : warning;
        if (fn)
            fn(arg, r->remarks[i].in_logins_file ? r->logins_path : file, r->remarks[i].line,
               r->remarks[i].text);
        free(r->remarks[i].text);
    }
    free(r->remarks);
    free(r->logins_path);
}
