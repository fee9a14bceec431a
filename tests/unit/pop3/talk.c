#include "talk.h"

#include "../unit.h"
#include "fake_mailbox.h"

#include "postern/base/alloc.h"
#include "postern/base/thread.h"
#include "postern/pop3/pop3.h"

#include <string.h>
#include <sys/socket.h>

static struct buf heard = BUF_INIT((size_t)64 * 1024 * 1024);

struct speech {
    struct door *door;
    const char *text;
    size_t len;
};

/* On a thread of its own: a client that only talks would block a session that answers. */
static void *speak(void *arg)
{
    struct speech *s = arg;
    door_send(s->door, s->text, s->len);
    shutdown(s->door->client, SHUT_WR);
    return NULL;
}

const char *talk_bytes(const struct door_options *options, const char *input, size_t len)
{
    struct door d;
    struct speech s = {&d, input, len};
    struct error e = ERROR_INIT;
    pthread_t speaker;
    door_open(&d, options);
    door_start(&d, pop3_protocol.run);
    if (!thread_start(&speaker, "speaker", THREAD_STACK_WORKER, speak, &s, &e))
        abort();
    door_hear(&d, "", &heard);
    pthread_join(speaker, NULL);
    door_close(&d);
    CU_ASSERT_EQUAL(fake.open_references, 0);
    return buf_str(&heard);
}

const char *talk(const char *input)
{
    struct door_options options = {0};
    return talk_bytes(&options, input, strlen(input));
}

const char *talk_in_with(const char *config, const char *commands)
{
    struct door_options options = {.config = config};
    char *input = xasprintf("%s%s", SIGN_IN, commands);
    const char *all = talk_bytes(&options, input, strlen(input));
    free(input);
    for (int i = 0; i < 3 && all; i++) { /* greeting, USER, PASS */
        const char *end = strstr(all, "\r\n");
        all = end ? end + 2 : NULL;
    }
    return all ? all : "(no answer)";
}

const char *talk_in(const char *commands)
{
    return talk_in_with(NULL, commands);
}
