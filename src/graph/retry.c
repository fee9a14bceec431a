#include "retry.h"

#include <curl/curl.h>
#include <string.h>

/* ".128": milliseconds, rounded up. */
static int64_t parse_fraction(const char **s)
{
    int64_t ms = 0;
    bool rest = false;
    int scale = 100;
    for ((*s)++; **s >= '0' && **s <= '9'; (*s)++) {
        ms += (**s - '0') * scale;
        rest = rest || (scale == 0 && **s != '0');
        scale /= 10;
    }
    return ms + rest;
}

/* "120" or "2.128" with blanks around. */
static bool parse_seconds(const char *s, int64_t *ms)
{
    int64_t n = 0;
    s += strspn(s, " \t");
    if (*s < '0' || *s > '9')
        return false;
    for (; *s >= '0' && *s <= '9'; s++) {
        if (n < RETRY_AFTER_MAX_MS)
            n = n * 10 + (*s - '0');
    }
    n = n > RETRY_AFTER_MAX_MS / 1000 ? RETRY_AFTER_MAX_MS : n * 1000;
    if (*s == '.')
        n += parse_fraction(&s);
    s += strspn(s, " \t\r\n");
    *ms = n;
    return *s == '\0';
}

bool retry_after_parse(const char *value, int64_t wall_now_ms, int64_t *ms)
{
    if (!value || !*value)
        return false;
    if (!parse_seconds(value, ms)) {
        time_t date = curl_getdate(value, NULL);
        if (date == (time_t)-1)
            return false;
        *ms = (int64_t)date * 1000 - wall_now_ms;
    }
    if (*ms < 0)
        *ms = 0;
    if (*ms > RETRY_AFTER_MAX_MS)
        *ms = RETRY_AFTER_MAX_MS;
    *ms += RETRY_AFTER_MARGIN_MS;
    return true;
}

int64_t retry_backoff_ms(unsigned failures, uint32_t random)
{
    int64_t full = RETRY_BASE_MS;
    for (unsigned i = 1; i < failures && full < RETRY_CAP_MS; i++)
        full *= 2;
    if (full > RETRY_CAP_MS)
        full = RETRY_CAP_MS;
    return full - (int64_t)(random % (uint32_t)(full / 2 + 1));
}

static enum retry_verdict judge_status(const struct retry_case *c)
{
    bool told = c->retry_after_ms >= 0;
    unsigned most = c->repeat == GRAPH_REPEAT_ONCE ? RETRY_TRIES_ONCE : RETRY_TRIES_MAX;
    bool again = told || c->tries < most;
    switch (c->status) {
    case 429:
        return again ? RETRY_MAILBOX : RETRY_END;
    case 503:
        if (!told && c->repeat == GRAPH_REPEAT_NEVER)
            return RETRY_UNKNOWN;
        return again ? RETRY_MAILBOX : RETRY_END;
    case 408:
    case 500:
    case 502:
    case 504:
    case 509:
        if (c->repeat == GRAPH_REPEAT_NEVER)
            return RETRY_UNKNOWN;
        if (c->tries >= most)
            return RETRY_END;
        return told ? RETRY_MAILBOX : RETRY_CALL;
    default:
        return RETRY_END;
    }
}

enum retry_verdict retry_judge(const struct retry_case *c)
{
    if (c->status)
        return judge_status(c);
    if (c->sent && c->repeat == GRAPH_REPEAT_NEVER)
        return RETRY_UNKNOWN;
    if (!c->transient)
        return RETRY_END;
    return c->tries < (c->sent ? RETRY_TRIES_MAX : RETRY_TRIES_UNREACHED) ? RETRY_CALL : RETRY_END;
}
