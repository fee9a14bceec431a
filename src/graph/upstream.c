#include "upstream.h"

#include "postern/base/clock.h"

#include <stdio.h>

/* libcurl keeps its own timers in mind; this only bounds a sleep that nobody would end. */
#define POLL_MAX_MS 60000

bool upstream_open(struct upstream *u, struct error *e)
{
    u->first = NULL;
    u->multi = curl_multi_init();
    if (!u->multi)
        return error_set(e, ERROR_LOCAL, "libcurl cannot start: raise the limit of open files");
    curl_multi_setopt(u->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    return true;
}

void upstream_close(struct upstream *u)
{
    curl_multi_cleanup(u->multi);
    u->multi = NULL;
}

bool upstream_add(struct upstream *u, struct transfer *t, struct error *e)
{
    CURLMcode code = curl_multi_add_handle(u->multi, t->easy);
    if (code != CURLM_OK)
        return error_set(e, ERROR_LOCAL, "libcurl cannot start a transfer: %s",
                         curl_multi_strerror(code));
    t->prev = NULL;
    t->next = u->first;
    if (u->first)
        u->first->prev = t;
    u->first = t;
    return true;
}

void upstream_remove(struct upstream *u, struct transfer *t)
{
    curl_multi_remove_handle(u->multi, t->easy);
    if (t->prev)
        t->prev->next = t->next;
    else
        u->first = t->next;
    if (t->next)
        t->next->prev = t->prev;
}

static void end(struct upstream *u, struct transfer *t, CURLcode code)
{
    upstream_remove(u, t);
    t->request.ended(t, code);
}

static void end_stalled(struct upstream *u)
{
    int64_t now = clock_mono_ms();
    struct transfer *next;
    for (struct transfer *t = u->first; t; t = next) {
        next = t->next;
        if (now - t->progress_ms < t->request.timeout_ms)
            continue;
        snprintf(t->detail, sizeof t->detail, "not a byte moved for %lld ms",
                 (long long)t->request.timeout_ms);
        end(u, t, CURLE_OPERATION_TIMEDOUT);
    }
}

void upstream_run(struct upstream *u)
{
    int running, left;
    CURLMsg *m;
    curl_multi_perform(u->multi, &running);
    while ((m = curl_multi_info_read(u->multi, &left))) {
        struct transfer *t = NULL;
        if (m->msg != CURLMSG_DONE)
            continue;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        end(u, t, code);
    }
    end_stalled(u);
}

int64_t upstream_stall_at(const struct upstream *u)
{
    int64_t at = CLOCK_NEVER;
    for (const struct transfer *t = u->first; t; t = t->next) {
        if (t->progress_ms + t->request.timeout_ms < at)
            at = t->progress_ms + t->request.timeout_ms;
    }
    return at;
}

void upstream_poll(struct upstream *u, int64_t until_ms)
{
    int64_t ms = until_ms == CLOCK_NEVER ? POLL_MAX_MS : until_ms - clock_mono_ms();
    if (ms < 0)
        ms = 0;
    if (ms > POLL_MAX_MS)
        ms = POLL_MAX_MS;
    curl_multi_poll(u->multi, NULL, 0, (int)ms, NULL);
}

void upstream_wake(struct upstream *u)
{
    curl_multi_wakeup(u->multi);
}
