#include "../unit.h"

#include "retry.h"

/* 2026-06-01T10:00:00Z */
#define NOW INT64_C(1780308000000)

static int64_t after(const char *value)
{
    int64_t ms = -1;
    return retry_after_parse(value, NOW, &ms) ? ms - RETRY_AFTER_MARGIN_MS : -1;
}

static void test_retry_after(void)
{
    CU_ASSERT_EQUAL(after("10"), 10000);
    CU_ASSERT_EQUAL(after("0"), 0);
    CU_ASSERT_EQUAL(after(" 2.128 "), 2128);
    CU_ASSERT_EQUAL(after("2.1281"), 2129);
    CU_ASSERT_EQUAL(after("2.1280000"), 2128);
    CU_ASSERT_EQUAL(after("0.5"), 500);
    CU_ASSERT_EQUAL(after("Mon, 01 Jun 2026 10:00:30 GMT"), 30000);
    CU_ASSERT_EQUAL(after("Mon, 01 Jun 2026 09:00:00 GMT"), 0);
    CU_ASSERT_EQUAL(after("999999999999999999999"), RETRY_AFTER_MAX_MS);
    CU_ASSERT_EQUAL(after(""), -1);
    CU_ASSERT_EQUAL(after(NULL), -1);
    CU_ASSERT_EQUAL(after("-5"), -1);
    CU_ASSERT_EQUAL(after("soon"), -1);
}

static void test_backoff(void)
{
    for (uint32_t random = 0; random < 3000; random += 7) {
        CU_ASSERT(retry_backoff_ms(1, random) <= RETRY_BASE_MS);
        CU_ASSERT(retry_backoff_ms(1, random) >= RETRY_BASE_MS / 2);
        CU_ASSERT(retry_backoff_ms(3, random) >= RETRY_BASE_MS * 2);
        CU_ASSERT(retry_backoff_ms(3, random) <= RETRY_BASE_MS * 4);
    }
    CU_ASSERT_EQUAL(retry_backoff_ms(99, 0), RETRY_CAP_MS);
    CU_ASSERT(retry_backoff_ms(99, UINT32_MAX) >= RETRY_CAP_MS / 2);
}

static enum retry_verdict verdict(enum graph_repeat repeat, int status, int64_t retry_after,
                                  unsigned tries)
{
    const struct retry_case c = {.repeat = repeat,
                                 .status = status,
                                 .sent = true,
                                 .transient = true,
                                 .retry_after_ms = retry_after,
                                 .tries = tries};
    return retry_judge(&c);
}

static void test_reads(void)
{
    static const int transient[] = {408, 500, 502, 504, 509};
    for (size_t i = 0; i < sizeof transient / sizeof transient[0]; i++) {
        CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_SAFE, transient[i], -1, 1), RETRY_CALL);
        CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_SAFE, transient[i], 5, 1), RETRY_MAILBOX);
        CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_SAFE, transient[i], -1, RETRY_TRIES_MAX), RETRY_END);
    }
    CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_SAFE, 429, -1, 1), RETRY_MAILBOX);
    CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_ONCE, 500, -1, RETRY_TRIES_ONCE - 1), RETRY_CALL);
    CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_ONCE, 500, -1, RETRY_TRIES_ONCE), RETRY_END);
    CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_ONCE, 503, -1, RETRY_TRIES_ONCE), RETRY_END);
    CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_ONCE, 429, 5, RETRY_TRIES_MAX), RETRY_MAILBOX);
    CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_SAFE, 429, -1, RETRY_TRIES_MAX), RETRY_END);
    CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_SAFE, 429, 5, RETRY_TRIES_MAX), RETRY_MAILBOX);
    CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_SAFE, 503, -1, 1), RETRY_MAILBOX);
    static const int final[] = {301, 400, 401, 403, 404, 405, 409, 410, 412, 413, 423, 501, 507};
    for (size_t i = 0; i < sizeof final / sizeof final[0]; i++)
        CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_SAFE, final[i], 5, 1), RETRY_END);
}

static void test_writes(void)
{
    CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_NEVER, 429, -1, 1), RETRY_MAILBOX);
    CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_NEVER, 503, 5, 1), RETRY_MAILBOX);
    static const int unknown[] = {408, 500, 502, 503, 504, 509};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_NEVER, unknown[i], -1, 1), RETRY_UNKNOWN);
    CU_ASSERT_EQUAL(verdict(GRAPH_REPEAT_NEVER, 404, -1, 1), RETRY_END);
}

static void test_no_answer(void)
{
    struct retry_case c = {
        .repeat = GRAPH_REPEAT_NEVER, .transient = true, .retry_after_ms = -1, .tries = 1};
    CU_ASSERT_EQUAL(retry_judge(&c), RETRY_CALL);
    c.tries = RETRY_TRIES_UNREACHED;
    CU_ASSERT_EQUAL(retry_judge(&c), RETRY_END);
    c.sent = true;
    CU_ASSERT_EQUAL(retry_judge(&c), RETRY_UNKNOWN);
    c.repeat = GRAPH_REPEAT_SAFE;
    CU_ASSERT_EQUAL(retry_judge(&c), RETRY_CALL);
    c.tries = RETRY_TRIES_MAX;
    CU_ASSERT_EQUAL(retry_judge(&c), RETRY_END);
    c.tries = 1;
    c.transient = false;
    CU_ASSERT_EQUAL(retry_judge(&c), RETRY_END);
}

extern const struct unit_test retry_tests[];
const struct unit_test retry_tests[] = {
    {"Retry-After", test_retry_after},
    {"backoff", test_backoff},
    {"reads", test_reads},
    {"writes", test_writes},
    {"without an answer", test_no_answer},
    {NULL, NULL},
};
