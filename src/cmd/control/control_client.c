#include "control.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 70 /* longer than serve takes for anything */
#define DEPTH      32

static struct json_object *make_request(const char *const *words)
{
    struct json_object *list = json_object_new_array();
    for (; *words; words++)
        json_object_array_add(list, json_object_new_string(*words));
    return list;
}

static bool send_request(int fd, const char *const *words)
{
    struct json_object *list = make_request(words);
    struct buf line = BUF_INIT(CONTROL_REQUEST_MAX + 1);
    bool ok = buf_puts(&line, json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN)) &&
              buf_putc(&line, '\n');
    json_object_put(list);
    if (!ok)
        errno = E2BIG;
    for (size_t at = 0; ok && at < line.len;) {
        ssize_t n = send(fd, line.data + at, line.len - at, MSG_NOSIGNAL);
        ok = n > 0 || (n < 0 && errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
    }
    buf_free(&line);
    return ok;
}

/* Up to the end of what serve says. False with errno. */
static bool read_answer(int fd, struct buf *out)
{
    char piece[16384];
    for (;;) {
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        if (!buf_append(out, piece, (size_t)n)) {
            errno = EFBIG;
            return false;
        }
    }
}

static enum control_outcome understand(const struct buf *text, struct json_object **answer,
                                       struct error *e)
{
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
    struct json_object *object = NULL, *member;
    if (!tokener)
        alloc_out_of_memory();
    if (text->len > 0)
        object = json_tokener_parse_ex(tokener, text->data, (int)text->len);
    json_tokener_free(tokener);
    bool ok = json_object_object_get_ex(object, "ok", &member);
    if (!ok)
        error_set(e, ERROR_ANSWER, "the running postern serve says: %s",
                  json_object_object_get_ex(object, "error", &member)
                      ? json_object_get_string(member)
                      : "nothing that can be understood");
    if (ok && answer)
        *answer = object;
    else
        json_object_put(object);
    return ok ? CONTROL_ANSWERED : CONTROL_FAILED;
}

static enum control_outcome explain(const char *state_dir, int why, struct error *e)
{
    bool late = why == EAGAIN || why == EWOULDBLOCK || why == EINPROGRESS;
    error_set(e, ERROR_LOCAL, "cannot talk to the postern serve of %s: %s", state_dir,
              late            ? "it does not answer"
              : why == EACCES ? "Permission denied; be root, or the user that it runs as"
                              : strerror(why));
    return CONTROL_FAILED;
}

/* Nobody is behind the name, or the name is not there. */
static enum control_outcome explain_no_connection(const char *state_dir, int why, struct error *e)
{
    if (why != ENOENT && why != ECONNREFUSED && why != ENOTDIR)
        return explain(state_dir, why, e);
    error_set(e, ERROR_LOCAL, "no postern serve runs on %s", state_dir);
    return CONTROL_NO_SERVICE;
}

enum control_outcome control_ask(const char *state_dir, const char *const *words,
                                 struct json_object **answer, struct error *e)
{
    /* For connect(2) too, where the line is long. */
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct buf text = BUF_INIT(CONTROL_ANSWER_MAX);
    enum control_outcome outcome;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return explain(state_dir, errno, e);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!control_attach(fd, state_dir, CONTROL_CONNECT)) {
        outcome = explain_no_connection(state_dir, errno, e);
    } else if (!send_request(fd, words) || !read_answer(fd, &text)) {
        outcome = explain(state_dir, errno, e);
    } else {
        outcome = understand(&text, answer, e);
    }
    buf_free(&text);
    close(fd);
    return outcome;
}
