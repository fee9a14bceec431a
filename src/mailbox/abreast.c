#include "abreast.h"

#include "internal.h"

struct lane {
    struct graph_call *call; /* NULL: free */
    size_t index;
};

struct run {
    const struct abreast *what;
    void *arg;
    size_t next, count;
    struct lane lanes[ABREAST];
    struct error outage;
};

bool abreast_is_outage(const struct error *e)
{
    return e->kind == ERROR_THROTTLED || e->kind == ERROR_TEMPORARY || e->kind == ERROR_TIMEOUT;
}

/* Fills the free lanes; false: nothing is under way any more. */
static bool refill(struct run *r)
{
    bool busy = false;
    size_t lanes = r->what->lanes ? r->what->lanes : ABREAST;
    for (size_t i = 0; i < lanes; i++) {
        struct lane *lane = &r->lanes[i];
        while (!lane->call && r->next < r->count && r->outage.kind == ERROR_NONE) {
            lane->index = r->next++;
            lane->call = r->what->start(r->arg, lane->index);
        }
        busy = busy || lane->call;
    }
    return busy;
}

static void advance(struct run *r, struct lane *lane)
{
    struct graph_call *ended = lane->call;
    struct error e = ERROR_INIT;
    if (!graph_call_outcome(ended, &e) && abreast_is_outage(&e))
        r->outage = e;
    lane->call = r->what->next(r->arg, lane->index, ended);
    graph_call_free(&ended);
}

static void abandon(struct run *r, const struct error *e)
{
    for (size_t i = 0; i < ABREAST; i++) {
        if (!r->lanes[i].call)
            continue;
        graph_call_free(&r->lanes[i].call);
        r->what->abandon(r->arg, r->lanes[i].index, e);
    }
    for (; r->next < r->count; r->next++)
        r->what->abandon(r->arg, r->next, e);
}

bool abreast_run(const struct abreast *what, void *arg, size_t count, struct wait *w)
{
    struct run r = {.what = what, .arg = arg, .count = count};
    struct error e = ERROR_INIT;
    for (;;) {
        bool busy = refill(&r);
        if (what->wave)
            what->wave(arg);
        if (!busy) {
            bool whole = r.next == count;
            abandon(&r, &r.outage);
            return whole;
        }
        struct graph_call *calls[ABREAST];
        for (size_t i = 0; i < ABREAST; i++)
            calls[i] = r.lanes[i].call;
        if (!graph_call_wait_any(calls, ABREAST, w, &e)) {
            abandon(&r, &e);
            return false;
        }
        for (size_t i = 0; i < ABREAST; i++)
            if (calls[i] && graph_call_ended(calls[i]))
                advance(&r, &r.lanes[i]);
    }
}
