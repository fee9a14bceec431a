/* What both ends of the control socket need: its address, and the form of a request. */
#include "control.h"

#include "postern/base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_NAME "control"
#define DEPTH       2 /* an array of strings, and no deeper */

static bool attach_by(int fd, const char *dir, enum control_end end)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path, sizeof address.sun_path, "%s/" SOCKET_NAME, dir);
    if (len < 0 || (size_t)len >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    const struct sockaddr *to = (const struct sockaddr *)&address;
    return (end == CONTROL_BIND ? bind : connect)(fd, to, sizeof address) == 0;
}

bool control_attach(int fd, const char *state_dir, enum control_end end)
{
    char by_descriptor[64];
    if (attach_by(fd, state_dir, end))
        return true;
    if (errno != ENAMETOOLONG)
        return false;
    int dir = open(state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return false;
    snprintf(by_descriptor, sizeof by_descriptor, "/proc/self/fd/%d", dir);
    bool ok = attach_by(fd, by_descriptor, end);
    int why = errno;
    close(dir);
    errno = why;
    return ok;
}

static bool take_words(struct json_object *list, struct control_request *out)
{
    size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    if (count == 0 || count > CONTROL_WORDS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct json_object *word = json_object_array_get_idx(list, i);
        const char *text = json_object_get_string(word);
        if (!json_object_is_type(word, json_type_string) ||
            strlen(text) != (size_t)json_object_get_string_len(word))
            return false;
        out->words[out->count++] = xstrdup(text);
    }
    return true;
}

bool control_request_parse(const char *line, size_t len, struct control_request *out,
                           struct error *e)
{
    memset(out, 0, sizeof *out);
    if (len > CONTROL_REQUEST_MAX)
        return error_set(e, ERROR_TOO_BIG, "a request has at most %zu bytes", CONTROL_REQUEST_MAX);
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
    if (!tokener)
        alloc_out_of_memory();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *list = json_tokener_parse_ex(tokener, line, (int)len);
    bool ok = json_tokener_get_error(tokener) == json_tokener_success &&
              json_tokener_get_parse_end(tokener) == len && take_words(list, out);
    json_object_put(list);
    json_tokener_free(tokener);
    if (ok)
        return true;
    control_request_free(out);
    return error_set(e, ERROR_REQUEST,
                     "a request is one line, a JSON array of 1 to %d strings, such as [\"status\"]",
                     CONTROL_WORDS_MAX);
}

void control_request_free(struct control_request *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->words[i]);
    r->count = 0;
}
