#include "steps.h"

#include "postern/base/alloc.h"
#include "postern/base/text.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATES (STEP_SKIP + 1)

struct steps {
    struct json_object *list; /* NULL: lines */
    char *subject;
    struct json_object *last; /* of `list`, the step added last */
    bool open;                /* a line lacks its end */
    size_t counts[STATES];
};

static const char *const words[STATES] = {"ok", "note", "warn", "fail", "skip"};
/* A failure must stand out. */
static const char *const shown[STATES] = {"ok", "note", "warn", "FAIL", "skip"};

struct steps *steps_new(bool json)
{
    struct steps *s = xcalloc(1, sizeof *s);
    s->subject = xstrdup("");
    s->list = json ? json_object_new_array() : NULL;
    return s;
}

/* Names and texts come from outside: nothing of them may steer a terminal or begin a line. */
__attribute__((format(printf, 1, 0))) static char *format(const char *fmt, va_list ap)
{
    char *text = xvasprintf(fmt, ap);
    size_t size = strlen(text) + 1;
    char *clean = xmalloc(size);
    text_clean(text, clean, size);
    free(text);
    return clean;
}

void steps_subject(struct steps *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    free(s->subject);
    s->subject = format(fmt, ap);
    va_end(ap);
}

static void end_line(struct steps *s)
{
    if (s->open)
        putchar('\n');
    s->open = false;
    fflush(stdout);
}

static void add_text(struct json_object *o, const char *name, const char *text)
{
    json_object_object_add(o, name, json_object_new_string(text));
}

static void add_json(struct steps *s, enum step_state state, const char *name, const char *text)
{
    s->last = json_object_new_object();
    add_text(s->last, "subject", s->subject);
    add_text(s->last, "step", name);
    add_text(s->last, "state", words[state]);
    add_text(s->last, "found", text);
    json_object_array_add(s->list, s->last);
}

void steps_add(struct steps *s, enum step_state state, const char *name, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = format(fmt, ap);
    va_end(ap);
    s->counts[state]++;
    if (s->list) {
        add_json(s, state, name, text);
    } else {
        end_line(s);
        printf("%-4s  %s%s%s: %s", shown[state], s->subject, *s->subject ? ": " : "", name, text);
        s->open = true;
        fflush(stdout);
    }
    free(text);
}

void steps_fix(struct steps *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = format(fmt, ap);
    va_end(ap);
    if (s->list && *text)
        add_text(s->last, "fix", text);
    else if (*text)
        printf(" -> %s", text);
    end_line(s);
    free(text);
}

size_t steps_count(const struct steps *s, enum step_state state)
{
    return s->counts[state];
}

static void print_json(struct steps *s)
{
    struct json_object *all = json_object_new_object();
    json_object_object_add(all, "steps", s->list);
    for (size_t i = 0; i < STATES; i++)
        json_object_object_add(all, words[i], json_object_new_int64((int64_t)s->counts[i]));
    puts(json_object_to_json_string_ext(all,
                                        JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(all);
}

void steps_end(struct steps **steps)
{
    struct steps *s = *steps;
    *steps = NULL;
    if (s->list)
        print_json(s);
    else {
        end_line(s);
        printf("%zu failed, %zu to be mended, %zu not tried\n", s->counts[STEP_FAIL],
               s->counts[STEP_WARN], s->counts[STEP_SKIP]);
    }
    free(s->subject);
    free(s);
}
