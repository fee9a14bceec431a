#include "journal.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>
#include <string.h>

void journal_init(struct journal *j)
{
    *j = (struct journal){.next_n = 1, .epoch_ms = clock_mono_ms()};
    j->violations = json_object_new_array();
    j->sign_ins = json_object_new_array();
}

static void free_entry(struct journal_entry *e)
{
    free(e->method);
    free(e->path);
    free(e->query);
    free(e->user);
    free(e->client_request_id);
    json_object_put(e->items);
    *e = (struct journal_entry){0};
}

void journal_clear_requests(struct journal *j)
{
    for (size_t i = 0; i < j->count; i++)
        free_entry(&j->entries[(j->first + i) % j->cap]);
    j->first = j->count = 0;
    j->tokens = 0;
    json_object_put(j->sign_ins);
    j->sign_ins = json_object_new_array();
}

void journal_clear_violations(struct journal *j)
{
    json_object_put(j->violations);
    j->violations = json_object_new_array();
}

void journal_free(struct journal *j)
{
    journal_clear_requests(j);
    free(j->entries);
    json_object_put(j->violations);
    json_object_put(j->sign_ins);
}

static void make_room(struct journal *j)
{
    if (j->count < j->cap)
        return;
    if (j->cap == JOURNAL_REQUESTS_MAX) {
        free_entry(&j->entries[j->first]);
        j->first = (j->first + 1) % j->cap;
        j->count--;
        return;
    }
    /* The ring has not turned yet while it still grows. */
    size_t cap = j->cap ? j->cap * 2 : 256;
    j->cap = cap < JOURNAL_REQUESTS_MAX ? cap : JOURNAL_REQUESTS_MAX;
    j->entries = xreallocarray(j->entries, j->cap, sizeof *j->entries);
}

uint64_t journal_begin(struct journal *j, const struct request *r)
{
    make_room(j);
    const char *id = request_header(r, "client-request-id");
    j->entries[(j->first + j->count++) % j->cap] = (struct journal_entry){
        .n = j->next_n,
        .method = xstrdup(r->method),
        .path = xstrdup(r->path),
        .query = xstrdup(r->query),
        .client_request_id = xstrdup_null(id),
        .start_ms = clock_mono_ms() - j->epoch_ms,
        .end_ms = -1,
    };
    return j->next_n++;
}

struct journal_entry *journal_find(struct journal *j, uint64_t n)
{
    if (j->count == 0)
        return NULL;
    uint64_t oldest = j->entries[j->first].n;
    if (n < oldest || n - oldest >= j->count)
        return NULL;
    return &j->entries[(j->first + (size_t)(n - oldest)) % j->cap];
}

void journal_set_user(struct journal *j, uint64_t n, const char *user)
{
    struct journal_entry *e = journal_find(j, n);
    if (e) {
        free(e->user);
        e->user = xstrdup(user);
    }
}

void journal_end(struct journal *j, uint64_t n, int status)
{
    struct journal_entry *e = journal_find(j, n);
    if (e && e->end_ms < 0) {
        e->status = status;
        e->end_ms = clock_mono_ms() - j->epoch_ms;
    }
}

void journal_violation(struct journal *j, const char *rule, const char *fmt, ...)
{
    if (json_object_array_length(j->violations) >= JOURNAL_VIOLATIONS_MAX)
        return;
    va_list ap;
    va_start(ap, fmt);
    char *text = xvasprintf(fmt, ap);
    va_end(ap);
    struct json_object *v = json_object_new_object();
    json_object_object_add(v, "rule", json_object_new_string(rule));
    json_object_object_add(v, "text", json_object_new_string(text));
    json_object_array_add(j->violations, v);
    free(text);
}

static struct json_object *string_or_null(const char *s)
{
    return s ? json_object_new_string(s) : NULL;
}

void journal_sign_in(struct journal *j, const struct sign_in_entry *entry)
{
    if (json_object_array_length(j->sign_ins) >= JOURNAL_SIGN_INS_MAX)
        return;
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "endpoint", json_object_new_string(entry->endpoint));
    json_object_object_add(o, "grant", string_or_null(entry->grant));
    json_object_object_add(o, "user", string_or_null(entry->user));
    json_object_object_add(o, "error", string_or_null(entry->error));
    json_object_object_add(o, "number", json_object_new_int(entry->number));
    json_object_object_add(o, "status", json_object_new_int(entry->status));
    json_object_object_add(o, "at_ms", json_object_new_int64(clock_mono_ms() - j->epoch_ms));
    json_object_array_add(j->sign_ins, o);
}

struct json_object *journal_requests_json(const struct journal *j)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < j->count; i++) {
        const struct journal_entry *e = &j->entries[(j->first + i) % j->cap];
        struct json_object *o = json_object_new_object();
        json_object_object_add(o, "n", json_object_new_int64((int64_t)e->n));
        json_object_object_add(o, "method", json_object_new_string(e->method));
        json_object_object_add(o, "path", json_object_new_string(e->path));
        json_object_object_add(o, "query", json_object_new_string(e->query));
        json_object_object_add(o, "status", json_object_new_int(e->status));
        json_object_object_add(o, "user", string_or_null(e->user));
        json_object_object_add(o, "start_ms", json_object_new_int64(e->start_ms));
        json_object_object_add(o, "end_ms", json_object_new_int64(e->end_ms));
        json_object_object_add(o, "client_request_id", string_or_null(e->client_request_id));
        if (e->items)
            json_object_object_add(o, "items", json_object_get(e->items));
        json_object_array_add(list, o);
    }
    return list;
}
