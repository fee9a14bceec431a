/* Answers to batches: in any order, each with its own fate. */
#include "../unit.h"

#include "batch.h"

#include "postern/base/file.h"

#include <string.h>

extern const struct unit_test batch_tests[];

static struct batch_answers *read_text(const char *text)
{
    struct error e = ERROR_INIT;
    return batch_read(text, strlen(text), &e);
}

/* NULL if the item failed; then *kind says how. */
static const char *item(struct batch_answers *answers, size_t index, enum error_kind *kind,
                        int64_t *pause_ms)
{
    struct error e = ERROR_INIT;
    size_t len = 0;
    const char *body = batch_answer(answers, index, &len, pause_ms, &e);
    *kind = e.kind;
    if (body)
        CU_ASSERT_EQUAL(strlen(body), len);
    return body;
}

static void test_order(void)
{
    enum error_kind kind;
    int64_t pause;
    struct batch_answers *answers = read_text(
        "{\"responses\":[{\"id\":\"3\",\"status\":404,\"headers\":{},\"body\":{\"error\":{"
        "\"code\":\"ErrorItemNotFound\",\"message\":\"x\"}}},{\"id\":\"1\",\"status\":\"200\","
        "\"body\":{\"id\":\"a\"},\"more\":1},{\"id\":\"4\",\"status\":204}]}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(answers);
    const char *body = item(answers, 0, &kind, &pause);
    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    CU_ASSERT_STRING_EQUAL(body, "{\"id\":\"a\"}");
    CU_ASSERT_PTR_NULL(item(answers, 1, &kind, &pause)); /* left out */
    CU_ASSERT_EQUAL(kind, ERROR_ANSWER);
    CU_ASSERT_PTR_NULL(item(answers, 2, &kind, &pause));
    CU_ASSERT_EQUAL(kind, ERROR_FOLDER_GONE);
    CU_ASSERT_EQUAL(pause, 0);
    CU_ASSERT_PTR_NULL(item(answers, 3, &kind, &pause)); /* nothing in it */
    batch_answers_free(&answers);
}

static void test_throttled(void)
{
    enum error_kind kind;
    int64_t pause;
    struct batch_answers *answers = read_text(
        "{\"responses\":[{\"id\":\"1\",\"status\":429,\"headers\":{\"retry-after\":\"2.5\"},"
        "\"body\":{\"error\":{\"code\":\"TooManyRequests\"}}},{\"id\":\"2\",\"status\":503}]}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(answers);
    CU_ASSERT_PTR_NULL(item(answers, 0, &kind, &pause));
    CU_ASSERT_EQUAL(kind, ERROR_THROTTLED);
    CU_ASSERT(pause >= 2500 && pause < 4000);
    CU_ASSERT_PTR_NULL(item(answers, 1, &kind, &pause));
    CU_ASSERT(pause > 0);
    batch_answers_free(&answers);
}

static void test_bad(void)
{
    static const char *const texts[] = {"",
                                        "{}",
                                        "[]",
                                        "{\"responses\":{}}",
                                        "{\"responses\":null}",
                                        "{\"responses\":[",
                                        "{\"error\":{\"code\":\"x\"}}"};
    static const char *const items[] = {"{\"responses\":[1,null,[],{}]}",
                                        "{\"responses\":[{\"id\":\"1\"}]}",
                                        "{\"responses\":[{\"id\":\"1\",\"status\":{}}]}"};
    enum error_kind kind;
    int64_t pause;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CU_ASSERT_PTR_NULL(read_text(texts[i]));
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        struct batch_answers *answers = read_text(items[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(answers);
        CU_ASSERT_PTR_NULL(item(answers, 0, &kind, &pause));
        CU_ASSERT_EQUAL(kind, ERROR_ANSWER);
        batch_answers_free(&answers);
    }
}

const struct unit_test batch_tests[] = {
    {"any order", test_order},
    {"an item that is throttled", test_throttled},
    {"what is no answer", test_bad},
    {NULL, NULL},
};
