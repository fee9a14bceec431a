#include "talk.h"

#include "../unit.h"
#include "fake_mailbox.h"

#include "postern/base/alloc.h"
#include "postern/base/thread.h"
#include "postern/imap/imap.h"

#include <string.h>
#include <sys/socket.h>

#define SIGN_IN "in LOGIN alice secret\r\n"
#define SELECT  "sel SELECT INBOX\r\n"

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

/* What follows the first line that begins with `start`. */
static const char *behind(const char *all, const char *start)
{
    for (const char *line = all; line && *line;) {
        const char *end = strstr(line, "\r\n");
        if (strncmp(line, start, strlen(start)) == 0)
            return end ? end + 2 : "(cut off)";
        line = end ? end + 2 : NULL;
    }
    return "(no answer)";
}

const char *talk_bytes(const struct door_options *options, const char *input, size_t len)
{
    struct door d;
    struct speech s = {&d, input, len};
    struct error e = ERROR_INIT;
    pthread_t speaker;
    door_open(&d, options);
    door_start(&d, imap_protocol.run);
    if (!thread_start(&speaker, "speaker", THREAD_STACK_WORKER, speak, &s, &e))
        abort();
    door_hear(&d, "", &heard);
    pthread_join(speaker, NULL);
    door_close(&d);
    CU_ASSERT_EQUAL(fake.open_references, 0);
    return behind(buf_str(&heard), "* OK [CAPABILITY ");
}

const char *talk(const char *input)
{
    struct door_options options = {0};
    return talk_bytes(&options, input, strlen(input));
}

static const char *talk_after(const char *config, const char *first, const char *tag,
                              const char *commands, size_t len)
{
    struct door_options options = {.config = config};
    struct buf input = BUF_INIT((size_t)64 * 1024 * 1024);
    buf_puts(&input, first);
    buf_append(&input, commands, len);
    const char *answers = talk_bytes(&options, input.data, input.len);
    buf_free(&input);
    return behind(answers, tag);
}

const char *talk_in_with(const char *config, const char *commands, size_t len)
{
    return talk_after(config, SIGN_IN, "in OK", commands, len);
}

const char *talk_in(const char *commands)
{
    return talk_in_with(NULL, commands, strlen(commands));
}

const char *talk_selected(const char *commands)
{
    return talk_after(NULL, SIGN_IN SELECT, "sel OK", commands, strlen(commands));
}
