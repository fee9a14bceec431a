#include "exchange_inside.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_DEFAULT  500
#define FIRST_ARTICLE 101
#define JSON          "application/json"

static struct mail *find(struct exchange *x, const char *id, size_t len)
{
    for (size_t i = 0; i < x->count; i++)
        if (strlen(x->mails[i].id) == len && memcmp(x->mails[i].id, id, len) == 0)
            return &x->mails[i];
    return NULL;
}

static void touch(struct exchange *x, struct mail *m)
{
    m->change = ++x->change;
    m->modified_ms = clock_wall_ms() - x->faults.age_ms;
}

struct server_reply exchange_json(struct exchange *x, int status, struct buf *body)
{
    struct server_reply reply = {.status = status, .type = JSON, .delay_ms = x->faults.delay_ms};
    if (x->answer_count == ANSWERS_MAX)
        abort();
    reply.body = x->answers[x->answer_count++] = buf_steal(body);
    return reply;
}

struct server_reply exchange_failure(struct exchange *x, int status, const char *code)
{
    struct buf body = BUF_INIT(ANSWER_MAX);
    buf_printf(&body, "{\"error\":{\"code\":\"%s\",\"message\":\"as the test wants it\"}}", code);
    return exchange_json(x, status, &body);
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static void put_mail(struct buf *b, const struct mail *m, bool whole)
{
    char when[CLOCK_ISO_SIZE];
    clock_format_iso(1780000000000 + m->article * 1000, when);
    buf_printf(b,
               "{\"id\":\"%s\",\"isRead\":%s,\"isDraft\":%s,\"categories\":%s,"
               "\"flag\":{\"flagStatus\":\"%s\"},\"receivedDateTime\":\"%s\","
               "\"changeKey\":\"k%u\",\"parentFolderId\":\"%s\"",
               m->id, truth(m->read), truth(m->draft), m->categories[0] ? m->categories : "[]",
               m->flagged ? "flagged" : "notFlagged", when, m->change, m->folder);
    if (whole) {
        buf_printf(b,
                   ",\"singleValueExtendedProperties\":["
                   "{\"id\":\"Integer 0xe08\",\"value\":\"%d\"}",
                   m->size);
        if (m->deleted)
            buf_puts(b, ",{\"id\":\"Integer {00062008-0000-0000-c000-000000000046} Id "
                        "0x8570\",\"value\":\"1\"}");
        if (m->verb)
            buf_printf(b, ",{\"id\":\"Integer 0x1081\",\"value\":\"%d\"}", m->verb);
        if (m->article)
            buf_printf(b, ",{\"id\":\"Integer 0xe23\",\"value\":\"%lld\"}", (long long)m->article);
        buf_puts(b, "]");
    }
    buf_puts(b, "}");
}

static unsigned page_size(const struct exchange *x)
{
    return x->faults.page ? x->faults.page : PAGE_DEFAULT;
}

static bool in_inbox(const struct mail *m)
{
    return strcmp(m->folder, EXCHANGE_INBOX) == 0;
}

/* An item of a delta since `since`, if the message is one. */
static bool put_delta(struct exchange *x, struct buf *b, struct mail *m, unsigned since, bool comma)
{
    bool told = m->change > since && (in_inbox(m) || (since > 0 && m->was_in_inbox));
    if (!told)
        return false;
    if (comma)
        buf_puts(b, ",");
    if (in_inbox(m) && x->faults.stale && m->old_change) {
        struct mail old = *m;
        old.read = m->old_read;
        old.change = m->old_change;
        put_mail(b, &old, false);
    } else if (in_inbox(m) || x->faults.late)
        put_mail(b, m, false);
    else
        buf_printf(b, "{\"id\":\"%s\",\"@removed\":{\"reason\":\"deleted\"}}", m->id);
    return true;
}

static void put_link(const struct exchange *x, struct buf *b, const char *kind, const char *query)
{
    buf_printf(b, ",\"@odata.%s\":\"%s/v1.0/users/u/mailFolders/" EXCHANGE_INBOX "/%s\"", kind,
               server_url(x->server), query);
}

static struct server_reply delta(struct exchange *x, const char *target)
{
    unsigned since = 0, until = x->change, at = 0, empty = 0;
    const char *token = strstr(target, "token=");
    struct buf b = BUF_INIT(ANSWER_MAX);
    char link[128];
    size_t i, n = 0;
    x->counts.delta++;
    if (x->faults.no_delta)
        return exchange_failure(x, 400, "BadRequest");
    if (token && x->faults.dead_links && x->faults.dead_links--)
        return exchange_failure(x, 410, "SyncStateNotFound");
    if (token && sscanf(token, "token=%u-%u-%u-%u", &since, &until, &at, &empty) == 1)
        until = x->change;
    buf_puts(&b, "{\"value\":[");
    bool hollow = x->faults.empty_pages && !empty;
    for (i = at; !hollow && i < x->count && n < page_size(x); i++)
        n += put_delta(x, &b, &x->mails[i], since, n > 0);
    buf_puts(&b, "]");
    if (hollow)
        i = at;
    if (hollow || i < x->count) {
        snprintf(link, sizeof link, "messages/delta?$skiptoken=%u-%u-%zu-%d", since, until, i,
                 hollow);
        put_link(x, &b, "nextLink", link);
    } else {
        snprintf(link, sizeof link, "messages/delta?$deltatoken=%u", until);
        put_link(x, &b, "deltaLink", link);
    }
    buf_puts(&b, "}");
    return exchange_json(x, 200, &b);
}

static int64_t bound_of(const char *target)
{
    const char *at = strstr(target, "%20ge%20");
    int64_t ms;
    return at && clock_parse_iso(at + 8, 20, &ms) ? ms : INT64_MIN;
}

static struct server_reply listing(struct exchange *x, const char *target)
{
    const char *skip = strstr(target, "$skip=");
    struct buf b = BUF_INIT(ANSWER_MAX);
    size_t i = skip ? strtoul(skip + 6, NULL, 10) : 0, n = 0;
    int64_t since = bound_of(target);
    x->counts.listing++;
    if (x->faults.no_listing)
        return exchange_failure(x, x->faults.no_listing, "ErrorAsTold");
    if (x->faults.no_filter && since != INT64_MIN)
        return exchange_failure(x, x->faults.no_filter, "InefficientFilter");
    buf_puts(&b, "{\"value\":[");
    for (; i < x->count && n < page_size(x); i++) {
        if (!in_inbox(&x->mails[i]) || x->mails[i].modified_ms < since)
            continue;
        buf_puts(&b, n++ ? "," : "");
        put_mail(&b, &x->mails[i], true);
    }
    buf_puts(&b, "]");
    if (i < x->count) {
        char link[64];
        snprintf(link, sizeof link, "messages?$skip=%zu", i);
        put_link(x, &b, "nextLink", link);
    }
    buf_puts(&b, "}");
    return exchange_json(x, 200, &b);
}

void exchange_mime(const char *id, char out[256])
{
    snprintf(out, 256, "Subject: %s\r\nFrom: a@b.example\r\n\r\nThis is %s.\r\n.dot\r\n", id, id);
}

static struct server_reply mime(struct exchange *x, const struct mail *m)
{
    struct buf b = BUF_INIT(ANSWER_MAX);
    char text[256];
    x->counts.mime++;
    exchange_mime(m->id, text);
    buf_puts(&b, text);
    struct server_reply reply = exchange_json(x, 200, &b);
    reply.type = "text/plain";
    reply.delay_ms = x->faults.mime_delay_ms;
    if (x->faults.fail_mime && x->faults.fail_mime--)
        reply.cut_to = 20;
    return reply;
}

static struct server_reply move(struct exchange *x, struct mail *m)
{
    struct buf b = BUF_INIT(ANSWER_MAX);
    x->counts.move++;
    if (x->faults.forbidden && strcmp(m->id, x->faults.forbidden) == 0)
        return exchange_failure(x, 403, "ErrorAccessDenied");
    if (x->faults.no_trash)
        return exchange_failure(x, 404, "ErrorItemNotFound");
    if (x->faults.drop_moves && x->faults.drop_moves--)
        return (struct server_reply){.status = 0};
    m->folder = EXCHANGE_TRASH;
    touch(x, m);
    if (x->faults.lose_moves && x->faults.lose_moves--)
        return (struct server_reply){.status = 0};
    put_mail(&b, m, false);
    return exchange_json(x, 201, &b);
}

static void set_property(struct mail *m, const char *id, int value)
{
    if (strstr(id, "0x8570"))
        m->deleted = value != 0;
    else if (strcmp(id, "Integer 0x1081") == 0)
        m->verb = value;
}

/* A PATCH of a message: what it changes, as the last word. */
static void apply(struct mail *m, struct json_object *body)
{
    struct json_object *value, *list, *status;
    if (json_object_object_get_ex(body, "isRead", &value))
        m->read = json_object_get_boolean(value);
    if (json_object_object_get_ex(body, "flag", &value) &&
        json_object_object_get_ex(value, "flagStatus", &status))
        m->flagged = strcmp(json_object_get_string(status), "flagged") == 0;
    if (json_object_object_get_ex(body, "categories", &value))
        snprintf(m->categories, sizeof m->categories, "%s",
                 json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
    if (json_object_object_get_ex(body, "singleValueExtendedProperties", &list))
        for (size_t i = 0; i < json_object_array_length(list); i++) {
            struct json_object *one = json_object_array_get_idx(list, i), *id, *text;
            json_object_object_get_ex(one, "id", &id);
            json_object_object_get_ex(one, "value", &text);
            set_property(m, json_object_get_string(id), json_object_get_int(text));
        }
}

static struct server_reply update(struct exchange *x, const struct server_request *request,
                                  struct mail *m)
{
    struct buf b = BUF_INIT(ANSWER_MAX);
    struct json_object *body = json_tokener_parse(request->body);
    x->counts.update++;
    if (x->faults.forbidden && strcmp(m->id, x->faults.forbidden) == 0) {
        json_object_put(body);
        return exchange_failure(x, 403, "ErrorAccessDenied");
    }
    if (x->faults.conflicts && x->faults.conflicts--) {
        json_object_put(body);
        return exchange_failure(x, 412, "ErrorIrresolvableConflict");
    }
    bool dropped = x->faults.drop_updates && x->faults.drop_updates--;
    bool ignored = x->faults.ignore_updates;
    if (!dropped && !ignored) {
        m->old_read = m->read;
        m->old_change = m->change;
        apply(m, body);
        touch(x, m);
    }
    json_object_put(body);
    if (dropped || (x->faults.lose_updates && x->faults.lose_updates--))
        buf_puts(&b, "{\"id\":");
    else
        put_mail(&b, m, false);
    return exchange_json(x, 200, &b);
}

static struct server_reply message(struct exchange *x, const struct server_request *request,
                                   const char *id)
{
    size_t len = strcspn(id, "/?");
    struct mail *m = find(x, id, len);
    struct buf b = BUF_INIT(ANSWER_MAX);
    if (!m || m->folder[0] == '\0') {
        x->counts.message++;
        return exchange_failure(x, 404, "ErrorItemNotFound");
    }
    if (strncmp(id + len, "/$value", 7) == 0)
        return mime(x, m);
    if (strncmp(id + len, "/move", 5) == 0)
        return move(x, m);
    if (strcmp(request->method, "PATCH") == 0)
        return update(x, request, m);
    if (strcmp(request->method, "DELETE") == 0) {
        x->counts.remove++;
        m->folder = "";
        touch(x, m);
        return (struct server_reply){.status = 204};
    }
    x->counts.message++;
    put_mail(&b, m, true);
    return exchange_json(x, 200, &b);
}

static struct server_reply answer(void *arg, const struct server_request *request)
{
    struct exchange *x = arg;
    struct server_reply reply;
    const char *target = request->target, *id = strstr(target, "/messages/");
    pthread_mutex_lock(&x->lock);
    if (strstr(target, "/messages/delta"))
        reply = delta(x, target);
    else if (id && !strstr(target, "/mailFolders/"))
        reply = message(x, request, id + strlen("/messages/"));
    else if (strstr(target, "/messages"))
        reply = listing(x, target);
    else if (strcmp(request->method, "PATCH") == 0)
        reply = exchange_patch(x, request);
    else if (strstr(target, "/mailFolders/delta"))
        reply = x->faults.no_delta ? exchange_failure(x, 400, "BadRequest")
                                   : exchange_folders(x, NULL, strstr(target, "token"));
    else if (strstr(target, "/childFolders"))
        reply = exchange_folders(x, EXCHANGE_ARCHIVE, false);
    else if (strstr(target, "/mailFolders?"))
        reply = exchange_folders(x, "AAroot", false);
    else
        reply = exchange_folder(x, target);
    pthread_mutex_unlock(&x->lock);
    return reply;
}

struct exchange *exchange_start(void)
{
    struct exchange *x = xcalloc(1, sizeof *x);
    pthread_mutex_init(&x->lock, NULL);
    x->article_next = FIRST_ARTICLE;
    pthread_mutex_lock(&x->lock); /* answers are made by other threads */
    x->server = server_start(answer, x, true);
    pthread_mutex_unlock(&x->lock);
    return x;
}

void exchange_stop(struct exchange **x)
{
    server_stop(&(*x)->server);
    for (size_t i = 0; i < (*x)->answer_count; i++)
        free((*x)->answers[i]);
    pthread_mutex_destroy(&(*x)->lock);
    free(*x);
    *x = NULL;
}

const char *exchange_url(const struct exchange *x)
{
    return server_url(x->server);
}

const char *exchange_ca(const struct exchange *x)
{
    return server_ca(x->server);
}

struct exchange_faults *exchange_lock(struct exchange *x)
{
    pthread_mutex_lock(&x->lock);
    return &x->faults;
}

void exchange_unlock(struct exchange *x)
{
    pthread_mutex_unlock(&x->lock);
}

static void arrive(struct exchange *x, struct mail *m)
{
    m->folder = EXCHANGE_INBOX;
    m->was_in_inbox = true;
    m->article = x->faults.no_articles ? 0 : x->article_next++;
    touch(x, m);
}

void exchange_deliver(struct exchange *x, unsigned count)
{
    pthread_mutex_lock(&x->lock);
    for (unsigned i = 0; i < count && x->count < MAILS_MAX; i++) {
        struct mail *m = &x->mails[x->count++];
        snprintf(m->id, sizeof m->id, "m-%04zu", x->count);
        m->size = 900;
        m->draft = x->faults.drafts;
        arrive(x, m);
    }
    pthread_mutex_unlock(&x->lock);
}

void exchange_set_read(struct exchange *x, const char *id, bool read)
{
    pthread_mutex_lock(&x->lock);
    struct mail *m = find(x, id, strlen(id));
    m->read = read;
    touch(x, m);
    pthread_mutex_unlock(&x->lock);
}

void exchange_set_properties(struct exchange *x, const char *id, bool deleted, int verb)
{
    pthread_mutex_lock(&x->lock);
    struct mail *m = find(x, id, strlen(id));
    m->deleted = deleted;
    m->verb = verb;
    touch(x, m);
    pthread_mutex_unlock(&x->lock);
}

void exchange_edit(struct exchange *x, const char *id, int size)
{
    pthread_mutex_lock(&x->lock);
    struct mail *m = find(x, id, strlen(id));
    m->size = size;
    touch(x, m);
    pthread_mutex_unlock(&x->lock);
}

void exchange_send(struct exchange *x, const char *id)
{
    pthread_mutex_lock(&x->lock);
    struct mail *m = find(x, id, strlen(id));
    m->draft = false;
    touch(x, m);
    pthread_mutex_unlock(&x->lock);
}

void exchange_state(struct exchange *x, const char *id, char out[320])
{
    pthread_mutex_lock(&x->lock);
    const struct mail *m = find(x, id, strlen(id));
    snprintf(out, 320, "%s%s%s%d %s", m->read ? "read " : "", m->flagged ? "flagged " : "",
             m->deleted ? "deleted " : "", m->verb, m->categories);
    pthread_mutex_unlock(&x->lock);
}

void exchange_take_away(struct exchange *x, const char *id)
{
    pthread_mutex_lock(&x->lock);
    struct mail *m = find(x, id, strlen(id));
    m->folder = EXCHANGE_TRASH;
    touch(x, m);
    pthread_mutex_unlock(&x->lock);
}

void exchange_put_back(struct exchange *x, const char *id, bool same_article)
{
    pthread_mutex_lock(&x->lock);
    struct mail *m = find(x, id, strlen(id));
    int64_t article = m->article;
    arrive(x, m);
    if (same_article)
        m->article = article;
    pthread_mutex_unlock(&x->lock);
}

const char *exchange_where(struct exchange *x, const char *id)
{
    pthread_mutex_lock(&x->lock);
    const char *folder_id = find(x, id, strlen(id))->folder;
    pthread_mutex_unlock(&x->lock);
    return folder_id;
}

void exchange_mark(struct exchange *x, char out[64])
{
    pthread_mutex_lock(&x->lock);
    memcpy(out, x->mark, 64);
    pthread_mutex_unlock(&x->lock);
}

unsigned exchange_counts(struct exchange *x, struct exchange_counts *out)
{
    struct exchange_counts c;
    pthread_mutex_lock(&x->lock);
    c = x->counts;
    memset(&x->counts, 0, sizeof x->counts);
    pthread_mutex_unlock(&x->lock);
    if (out)
        *out = c;
    return c.delta + c.listing + c.message + c.mime + c.move + c.remove + c.folder + c.patch +
           c.update;
}

void exchange_gather(struct exchange *x, unsigned count)
{
    server_gather(x->server, count);
}

unsigned exchange_most_abreast(struct exchange *x)
{
    return server_most_abreast(x->server);
}
