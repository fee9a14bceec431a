#include "../unit.h"

#include "postern/base/file.h"
#include "postern/base/log.h"

#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/postern-log-XXXXXX";

/* The log's content since it was last read; opens it anew so that every test starts empty. */
static void reopen(enum log_level level, enum log_format format)
{
    struct error e = ERROR_INIT;
    struct log_settings s = {.level = level, .format = format, .target = path};
    CU_ASSERT_EQUAL(truncate(path, 0), 0);
    CU_ASSERT(log_open(&s, &e));
}

static const char *content(void)
{
    static struct buf b = BUF_INIT(1 << 20);
    struct error e = ERROR_INIT;
    buf_clear(&b);
    CU_ASSERT(file_read(path, &b, &e));
    return buf_str(&b);
}

static bool has(const char *needle)
{
    return strstr(content(), needle) != NULL;
}

static void test_text(void)
{
    int fd = mkstemp(path);
    close(fd);
    reopen(LOG_LEVEL_INFO, LOG_TEXT);
    log_debug("not this");
    log_set_session("p1");
    log_set_login("nagios");
    log_set_mailbox("alerts@contoso.com");
    log_info("hello %d", 5);
    CU_ASSERT(has(" info session=p1 login=nagios mailbox=alerts@contoso.com: hello 5\n"));
    CU_ASSERT(!has("not this"));
    log_set_session(NULL);
    log_set_login(NULL);
    log_set_mailbox(NULL);
    log_warning("plain");
    CU_ASSERT(has(" warning: plain\n"));
}

/* What came from outside makes no lines of its own. */
static void test_injection(void)
{
    reopen(LOG_LEVEL_DEBUG, LOG_TEXT);
    log_info("%s", "a\r\nerror: forged\x1b[2J \xff caf\xc3\xa9 \xe2\x80\xae");
    CU_ASSERT(has("a\\x0d\\x0aerror: forged\\x1b[2J \\xff caf\xc3\xa9 \\xe2\\x80\\xae\n"));
}

static void test_json(void)
{
    reopen(LOG_LEVEL_DEBUG, LOG_JSON);
    log_set_login("a\"b");
    log_info("%s", "say \"hi\"\\\n\xff");
    log_set_login(NULL);
    CU_ASSERT(has("\"login\":\"a\\\"b\",\"message\":\"say \\\"hi\\\"\\\\\\u000a\\u00ff\"}\n"));
}

static void test_long_line(void)
{
    char text[9000];
    memset(text, '\x01', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    reopen(LOG_LEVEL_DEBUG, LOG_JSON);
    log_info("%s", text);
    CU_ASSERT(has("\"}\n"));
}

static void test_error_value(void)
{
    struct error e = ERROR_INIT;
    reopen(LOG_LEVEL_DEBUG, LOG_TEXT);
    error_set(&e, ERROR_THROTTLED, "Graph is busy\nnow");
    snprintf(e.code, sizeof e.code, "TooManyRequests");
    snprintf(e.request_id, sizeof e.request_id, "abc-123");
    error_prefix(&e, "opening %s: ", "INBOX");
    log_error_value(LOG_LEVEL_WARNING, &e, "sync");
    CU_ASSERT(has("warning: sync: opening INBOX: Graph is busy now (throttled, TooManyRequests, "
                  "request-id abc-123)\n"));
    error_set(&e, ERROR_THROTTLED, "Graph is busy [request-id abc-123]");
    snprintf(e.request_id, sizeof e.request_id, "abc-123");
    log_error_value(LOG_LEVEL_WARNING, &e, "sync");
    CU_ASSERT(has("warning: sync: Graph is busy [request-id abc-123] (throttled)\n"));
}

static void test_bad_target(void)
{
    struct error e = ERROR_INIT;
    struct log_settings bad = {.target = "/nonexistent/postern.log"};
    CU_ASSERT(!log_open(&bad, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/nonexistent/postern.log"));
    log_error("still here");
    CU_ASSERT(has("still here"));
    struct log_settings back = {.level = LOG_LEVEL_INFO, .target = "stderr"};
    CU_ASSERT(log_open(&back, &e));
    unlink(path);
}

extern const struct unit_test log_tests[];
const struct unit_test log_tests[] = {
    {"text with context", test_text},
    {"injection", test_injection},
    {"JSON", test_json},
    {"a line too long", test_long_line},
    {"errors", test_error_value},
    {"a target that fails", test_bad_target},
    {NULL, NULL},
};
