/*
 * The log. Text or JSON lines to stderr, syslog or a file; each line bears the context of its
 * thread (session, login, mailbox). Any thread.
 *
 * Text that came from outside is safe to log: control characters are escaped. Secrets are not:
 * never pass one.
 */
#ifndef POSTERN_BASE_LOG_H
#define POSTERN_BASE_LOG_H

#include "postern/base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_settings {
    enum log_level level;
    enum log_format format;
    const char *target; /* "stderr", "syslog", or the path of a file */
};

/* Is the target the path of a file? */
bool log_target_is_file(const char *target);
/* Opens the target. Called again it switches (SIGHUP: a rotated file is opened anew). On false
 * the old target stays in use. `e` names the file. */
bool log_open(const struct log_settings *settings, struct error *e);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
    do {                                                                                           \
        if (log_enabled(LOG_LEVEL_DEBUG))                                                          \
            log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                               \
    } while (0)

/* One line for an error value: the given words, its text, its code and request-id. */
void log_error_value(enum log_level level, const struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Context of the calling thread, copied (truncated at 95 bytes each); NULL clears. */
void log_set_session(const char *session);
void log_set_login(const char *login);
void log_set_mailbox(const char *mailbox);

#endif
