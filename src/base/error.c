#include "postern/base/error.h"

#include "postern/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
    [ERROR_NONE] = "none",
    [ERROR_CANCELED] = "canceled",
    [ERROR_GONE] = "gone",
    [ERROR_FOLDER_GONE] = "folder-gone",
    [ERROR_MAILBOX_GONE] = "mailbox-gone",
    [ERROR_CONFLICT] = "conflict",
    [ERROR_DENIED] = "denied",
    [ERROR_SIGN_IN] = "sign-in",
    [ERROR_RESYNC] = "resync",
    [ERROR_THROTTLED] = "throttled",
    [ERROR_TEMPORARY] = "temporary",
    [ERROR_TIMEOUT] = "timeout",
    [ERROR_TOO_BIG] = "too-big",
    [ERROR_QUOTA] = "quota",
    [ERROR_ANSWER] = "answer",
    [ERROR_REQUEST] = "request",
    [ERROR_LOCAL] = "local",
    [ERROR_READ_ONLY] = "read-only",
    [ERROR_EXISTS] = "exists",
    [ERROR_HAS_CHILDREN] = "has-children",
    [ERROR_CANNOT] = "cannot",
    [ERROR_UNKNOWN_WRITE] = "unknown-write",
};

void error_clear(struct error *e)
{
    memset(e, 0, sizeof *e);
}

/* One line, whoever's words are in it, that plays no tricks on a terminal. */
static void flatten(char *s)
{
    for (size_t n; *s; s += n ? n : 1) {
        n = text_utf8_len(s);
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = ' ';
        else if (n > 1 && text_is_trick(s, n))
            memset(s, ' ', n);
    }
}

bool error_set(struct error *e, enum error_kind kind, const char *fmt, ...)
{
    /* Formatted aside: an argument may be the old text itself. */
    char text[ERROR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    error_clear(e);
    e->kind = kind;
    memcpy(e->text, text, sizeof text);
    flatten(e->text);
    return false;
}

bool error_prefix(struct error *e, const char *fmt, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return false;
    if ((size_t)n < sizeof text)
        snprintf(text + n, sizeof text - (size_t)n, "%s", e->text);
    memcpy(e->text, text, sizeof text);
    flatten(e->text);
    return false;
}

bool error_advise(struct error *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->advice, sizeof e->advice, fmt, ap);
    va_end(ap);
    flatten(e->advice);
    return false;
}

void error_turn(struct error *e, enum error_kind kind)
{
    e->kind = kind;
    e->advice[0] = '\0';
}

const char *error_kind_name(enum error_kind kind)
{
    if ((unsigned)kind >= sizeof kind_names / sizeof kind_names[0])
        return "unknown";
    return kind_names[kind];
}
