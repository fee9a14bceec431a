#include "../store/scratch.h"
#include "../unit.h"
#include "control/control.h"

#include "postern/base/clock.h"
#include "postern/base/file.h"
#include "postern/base/thread.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int waiting;

static bool echo(void *arg, char *const *words, struct json_object *answer, struct wait *w,
                 struct error *e)
{
    (void)w, (void)e;
    json_object_object_add(answer, "from", json_object_new_string(arg));
    json_object_object_add(answer, "word", json_object_new_string(words[0]));
    return true;
}

static bool fail(void *arg, char *const *words, struct json_object *answer, struct wait *w,
                 struct error *e)
{
    (void)arg, (void)words, (void)answer, (void)w;
    return error_set(e, ERROR_LOCAL, "the \"disk\" is full");
}

static bool wait_long(void *arg, char *const *words, struct json_object *answer, struct wait *w,
                      struct error *e)
{
    (void)arg, (void)words, (void)answer;
    atomic_store(&waiting, 1);
    while (wait_sleep(w, e))
        continue;
    return false;
}

static bool tell_much(void *arg, char *const *words, struct json_object *answer, struct wait *w,
                      struct error *e)
{
    (void)arg, (void)words, (void)w, (void)e;
    size_t size = (size_t)4 << 20;
    char *text = calloc(1, size + 1);
    memset(text, '/', size);
    json_object_object_add(answer, "much", json_object_new_string(text));
    free(text);
    return true;
}

static const struct control_handler handlers[] = {
    {"echo", 1, echo},      {"fail", 0, fail}, {"wait", 0, wait_long},
    {"much", 0, tell_much}, {NULL, 0, NULL},
};

static struct control *begin(const char *dir)
{
    struct error e = ERROR_INIT;
    CU_ASSERT_FATAL(file_make_private_dir(dir, &e));
    struct control *c = control_start(dir, handlers, (void *)"here", &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    return c;
}

static enum control_outcome ask(const char *dir, const char *name, const char *word,
                                struct json_object **answer, struct error *e)
{
    const char *words[] = {name, word, NULL};
    error_clear(e);
    return control_ask(dir, words, answer, e);
}

static void test_requests(void)
{
    static const char *const wrong[] = {
        "",      " ",         "[]",     "{}",        "\"status\"",    "[\"a\"",     "[\"a\"] x",
        "['a']", "[\"a\",1]", "[null]", "[[\"a\"]]", "[\"\\u0000\"]", "[\"\xff\"]", "status",
    };
    struct control_request r;
    struct error e = ERROR_INIT;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        error_clear(&e);
        CU_ASSERT(!control_request_parse(wrong[i], strlen(wrong[i]), &r, &e));
        CU_ASSERT_EQUAL(e.kind, ERROR_REQUEST);
        CU_ASSERT_EQUAL(r.count, 0);
    }
    const char *good = "[\"a b\", \"\", \"\xc3\xa9\\n\"]";
    CU_ASSERT(control_request_parse(good, strlen(good), &r, &e));
    CU_ASSERT_EQUAL(r.count, 3);
    CU_ASSERT_STRING_EQUAL(r.words[0], "a b");
    CU_ASSERT_STRING_EQUAL(r.words[1], "");
    CU_ASSERT_STRING_EQUAL(r.words[2], "\xc3\xa9\n");
    control_request_free(&r);
}

static void test_limits(void)
{
    struct control_request r;
    struct error e = ERROR_INIT;
    struct buf b = BUF_INIT(CONTROL_REQUEST_MAX + 1);
    for (int words = CONTROL_WORDS_MAX; words <= CONTROL_WORDS_MAX + 1; words++) {
        buf_clear(&b);
        buf_puts(&b, "[\"0\"");
        for (int i = 1; i < words; i++)
            buf_puts(&b, ",\"x\"");
        buf_puts(&b, "]");
        CU_ASSERT_EQUAL(control_request_parse(b.data, b.len, &r, &e), words == CONTROL_WORDS_MAX);
        control_request_free(&r);
    }
    for (size_t len = CONTROL_REQUEST_MAX; len <= CONTROL_REQUEST_MAX + 1; len++) {
        buf_clear(&b);
        buf_puts(&b, "[\"");
        while (b.len < len - 2)
            buf_putc(&b, 'x');
        buf_puts(&b, "\"]");
        CU_ASSERT_EQUAL(control_request_parse(b.data, b.len, &r, &e), len == CONTROL_REQUEST_MAX);
        control_request_free(&r);
    }
    buf_free(&b);
}

static void test_conversation(void)
{
    struct error e = ERROR_INIT;
    struct json_object *answer = NULL;
    const char *dir = scratch_make();
    struct control *c = begin(dir);
    CU_ASSERT_EQUAL(scratch_mode(scratch_path("control")), 0600);
    CU_ASSERT_EQUAL(ask(dir, "echo", "h\xc3\xa9 \"\n", &answer, &e), CONTROL_ANSWERED);
    CU_ASSERT_STRING_EQUAL(json_object_get_string(json_object_object_get(answer, "word")),
                           "h\xc3\xa9 \"\n");
    CU_ASSERT_STRING_EQUAL(json_object_get_string(json_object_object_get(answer, "from")), "here");
    json_object_put(answer);
    CU_ASSERT_EQUAL(ask(dir, "echo", "again", NULL, &e), CONTROL_ANSWERED);
    CU_ASSERT_EQUAL(ask(dir, "echo", NULL, NULL, &e), CONTROL_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "wants 1 words"));
    CU_ASSERT_EQUAL(ask(dir, "fail", NULL, NULL, &e), CONTROL_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "the \"disk\" is full"));
    CU_ASSERT_EQUAL(ask(dir, "nonsense", NULL, NULL, &e), CONTROL_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "knows no request \"nonsense\""));
    CU_ASSERT_EQUAL(ask(dir, "much", NULL, &answer, &e), CONTROL_ANSWERED);
    CU_ASSERT_EQUAL(json_object_get_string_len(json_object_object_get(answer, "much")), 4 << 20);
    json_object_put(answer);
    control_stop(&c);
    CU_ASSERT_PTR_NULL(c);
    control_stop(&c);
    CU_ASSERT(!scratch_exists(scratch_path("control")));
    CU_ASSERT_EQUAL(ask(dir, "echo", "x", NULL, &e), CONTROL_NO_SERVICE);
    scratch_remove();
}

/* Says something that is no request, and what comes back up to the end. */
static const char *say(const char *dir, const char *text, size_t len)
{
    static char back[512];
    size_t got = 0;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CU_ASSERT(control_attach(fd, dir, CONTROL_CONNECT));
    /* Past its limit the other side may have hung up already. */
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, text + at, len - at, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    shutdown(fd, SHUT_WR);
    for (ssize_t n; got < sizeof back - 1 && (n = read(fd, back + got, sizeof back - 1 - got)) > 0;)
        got += (size_t)n;
    back[got] = '\0';
    close(fd);
    return back;
}

static void test_junk(void)
{
    struct error e = ERROR_INIT;
    const char *dir = scratch_make();
    struct control *c = begin(dir);
    size_t size = CONTROL_REQUEST_MAX;
    char *much = malloc(size + 2);
    memset(much, 'x', size + 2);
    CU_ASSERT_STRING_EQUAL(say(dir, "", 0), "");
    CU_ASSERT_STRING_EQUAL(say(dir, "[\"echo\", \"no line end\"]", 23), "");
    CU_ASSERT_PTR_NOT_NULL(strstr(say(dir, "GET / HTTP/1.0\r\n\r\n", 18), "\"error\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(say(dir, "\n", 1), "\"error\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(say(dir, much, size + 2), "at most"));
    much[size] = '\n';
    CU_ASSERT_PTR_NOT_NULL(strstr(say(dir, much, size + 1), "JSON array"));
    CU_ASSERT_EQUAL(ask(dir, "echo", "still there", NULL, &e), CONTROL_ANSWERED);
    free(much);
    control_stop(&c);
    scratch_remove();
}

/* One that says nothing is in the way for a short time only. */
static void test_silent(void)
{
    struct error e = ERROR_INIT;
    const char *dir = scratch_make();
    struct control *c = begin(dir);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CU_ASSERT(control_attach(fd, dir, CONTROL_CONNECT));
    CU_ASSERT_EQUAL(ask(dir, "echo", "x", NULL, &e), CONTROL_ANSWERED);
    close(fd);
    control_stop(&c);
    scratch_remove();
}

static void test_no_service(void)
{
    struct error e = ERROR_INIT;
    const char *dir = scratch_make();
    CU_ASSERT_EQUAL(ask(scratch_path("nowhere"), "echo", "x", NULL, &e), CONTROL_NO_SERVICE);
    /* What a killed serve leaves: a name, and nobody behind it. */
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CU_ASSERT(control_attach(fd, dir, CONTROL_BIND));
    close(fd);
    CU_ASSERT_EQUAL(ask(dir, "echo", "x", NULL, &e), CONTROL_NO_SERVICE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "no postern serve runs"));
    struct control *c = begin(dir);
    CU_ASSERT_EQUAL(ask(dir, "echo", "x", NULL, &e), CONTROL_ANSWERED);
    control_stop(&c);
    scratch_remove();
}

static void test_long_path(void)
{
    struct error e = ERROR_INIT;
    char name[200];
    memset(name, 'd', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    scratch_make();
    const char *dir = scratch_path("%s", name);
    struct control *c = begin(dir);
    CU_ASSERT_EQUAL(ask(dir, "echo", "x", NULL, &e), CONTROL_ANSWERED);
    control_stop(&c);
    CU_ASSERT_EQUAL(scratch_count(dir, ""), 0);
    CU_ASSERT_EQUAL(ask(dir, "echo", "x", NULL, &e), CONTROL_NO_SERVICE);
    scratch_remove();
}

static void *ask_to_wait(void *dir)
{
    struct error e = ERROR_INIT;
    CU_ASSERT_EQUAL(ask(dir, "wait", NULL, NULL, &e), CONTROL_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "stopping"));
    return NULL;
}

static void test_stop_while_waiting(void)
{
    struct error e = ERROR_INIT;
    pthread_t thread;
    const char *dir = scratch_make();
    struct control *c = begin(dir);
    atomic_store(&waiting, 0);
    CU_ASSERT_FATAL(
        thread_start(&thread, "asker", THREAD_STACK_WORKER, ask_to_wait, (void *)dir, &e));
    while (!atomic_load(&waiting))
        control_wake(c);
    control_stop(&c);
    pthread_join(thread, NULL);
    scratch_remove();
}

/* 0: answered, 1: none runs, 2: refused. */
static int ask_as_nobody(const char *dir)
{
    pid_t child = fork();
    if (child == 0) {
        struct error e = ERROR_INIT;
        if (setgid(65534) < 0 || setuid(65534) < 0)
            _exit(9);
        _exit((int)ask(dir, "echo", "x", NULL, &e));
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_other_users(void)
{
    if (geteuid() != 0)
        return;
    const char *dir = scratch_make();
    struct control *c = begin(dir);
    CU_ASSERT_EQUAL(ask_as_nobody(dir), CONTROL_FAILED);
    /* Even where somebody has opened the doors before it. */
    CU_ASSERT_EQUAL(chmod(dir, 0777) + chmod(scratch_path("control"), 0666), 0);
    CU_ASSERT_EQUAL(ask_as_nobody(dir), CONTROL_FAILED);
    control_stop(&c);
    scratch_remove();
}

extern const struct unit_test control_tests[];
const struct unit_test control_tests[] = {
    {"the form of a request", test_requests},
    {"limits of a request", test_limits},
    {"requests and answers", test_conversation},
    {"junk", test_junk},
    {"a silent one is not in the way for long", test_silent},
    {"nobody runs, or was killed", test_no_service},
    {"a long path", test_long_path},
    {"the end comes while one waits", test_stop_while_waiting},
    {"other users are refused", test_other_users},
    {NULL, NULL},
};
