#include "faults.h"

#include "postern/base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_fault(struct fault *f)
{
    free(f->method);
    free(f->retry_after);
    free(f->body);
    free(f->content_type);
    free(f->redirect);
    free(f->next_link);
    regfree(&f->regex);
}

void faults_clear(struct faults *f)
{
    for (size_t i = 0; i < f->count; i++)
        free_fault(&f->items[i]);
    f->count = 0;
}

/* One member into the fault. False: unknown, or of the wrong type. The regular expression is
 * compiled by the caller. */
static bool take_member(struct fault *f, const char *name, struct json_object *value)
{
    const struct {
        const char *name;
        char **field;
    } strings[] = {{"method", &f->method},     {"retry_after", &f->retry_after},
                   {"body", &f->body},         {"content_type", &f->content_type},
                   {"redirect", &f->redirect}, {"next_link", &f->next_link}};
    const struct {
        const char *name;
        int64_t *field;
    } numbers[] = {{"skip", &f->skip},
                   {"count", &f->count},
                   {"truncate", &f->truncate},
                   {"stall_ms", &f->stall_ms}};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        if (strcmp(strings[i].name, name) == 0) {
            /* Retry-After may be given as a number, too. */
            free(*strings[i].field);
            *strings[i].field = xstrdup(json_object_get_string(value));
            return true;
        }
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(numbers[i].name, name) == 0) {
            *numbers[i].field = json_object_get_int64(value);
            return json_object_is_type(value, json_type_int) && *numbers[i].field >= 0;
        }
    }
    if (strcmp(name, "status") == 0) {
        f->status = json_object_get_int(value);
        return f->status >= FAULT_STATUS_MIN && f->status <= FAULT_STATUS_MAX;
    }
    if (strcmp(name, "reset") == 0)
        f->reset = json_object_get_boolean(value);
    else if (strcmp(name, "after") == 0)
        f->after = json_object_get_boolean(value);
    else
        return strcmp(name, "path") == 0 && json_object_is_type(value, json_type_string);
    return json_object_is_type(value, json_type_boolean);
}

bool faults_add(struct faults *f, struct json_object *spec, char *why, size_t size)
{
    if (!json_object_is_type(spec, json_type_object) || f->count == FAULTS_MAX) {
        snprintf(why, size, "not a JSON object, or more than %d faults", FAULTS_MAX);
        return false;
    }
    struct fault fault = {.count = 1, .truncate = -1};
    struct json_object *path = NULL;
    json_object_object_get_ex(spec, "path", &path);
    const char *pattern = path ? json_object_get_string(path) : ".*";
    if (regcomp(&fault.regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        snprintf(why, size, "path is not a POSIX extended regular expression");
        return false;
    }
    /* "token" alone would match $skiptoken and $deltatoken as well. */
    fault.on_token = strcmp(pattern, "token") == 0 || strstr(pattern, "oauth2") != NULL;
    json_object_object_foreach(spec, name, value)
    {
        if (!value || !take_member(&fault, name, value)) {
            snprintf(why, size, "member %s is unknown or does not fit", name);
            free_fault(&fault);
            return false;
        }
    }
    if (fault.stall_ms > FAULT_STALL_MAX)
        fault.stall_ms = FAULT_STALL_MAX;
    f->items[f->count++] = fault;
    return true;
}

static bool matches(const struct fault *f, const struct request *r, bool is_token)
{
    if (f->on_token != is_token || (f->method && strcmp(f->method, r->method) != 0))
        return false;
    const char *text = r->query[0] ? arena_printf(r->arena, "%s?%s", r->path, r->query) : r->path;
    return regexec(&f->regex, text, 0, NULL, 0) == 0;
}

static void drop(struct faults *f, size_t i)
{
    free_fault(&f->items[i]);
    memmove(&f->items[i], &f->items[i + 1], (f->count - i - 1) * sizeof f->items[0]);
    f->count--;
}

void faults_match(struct faults *f, const struct request *r, bool is_token,
                  struct fault_effect *out)
{
    *out = (struct fault_effect){.truncate = -1};
    for (size_t i = 0; i < f->count; i++) {
        struct fault *fault = &f->items[i];
        if (!matches(fault, r, is_token))
            continue;
        if (fault->skip > 0) {
            fault->skip--;
            continue;
        }
        *out = (struct fault_effect){
            .active = true,
            .status = fault->status,
            .retry_after = xstrdup_null(fault->retry_after),
            .body = xstrdup_null(fault->body),
            .content_type = xstrdup_null(fault->content_type),
            .redirect = xstrdup_null(fault->redirect),
            .next_link = xstrdup_null(fault->next_link),
            .reset = fault->reset,
            .after = fault->after,
            .truncate = fault->truncate,
            .stall_ms = fault->stall_ms,
        };
        if (fault->count > 0 && --fault->count == 0)
            drop(f, i);
        return;
    }
}

void fault_effect_free(struct fault_effect *e)
{
    free(e->retry_after);
    free(e->body);
    free(e->content_type);
    free(e->redirect);
    free(e->next_link);
    *e = (struct fault_effect){.truncate = -1};
}
