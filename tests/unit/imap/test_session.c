#include "../unit.h"
#include "fake_mailbox.h"
#include "talk.h"

#include "postern/base/clock.h"
#include "postern/imap/imap.h"

#include <string.h>

static struct buf heard = BUF_INIT(1 << 20);

/* A session with alice signed in, at whose other end the test is. */
static void open_session(struct door *d, bool selected)
{
    struct door_options options = {0};
    door_open(d, &options);
    door_start(d, imap_protocol.run);
    door_say(d, "in LOGIN alice secret\r\n");
    door_hear(d, "logged in\r\n", &heard);
    if (!selected)
        return;
    door_say(d, "sel SELECT INBOX\r\n");
    door_hear(d, "SELECT completed\r\n", &heard);
}

static void close_session(struct door *d)
{
    door_close(d);
    CU_ASSERT_EQUAL(fake.open_references, 0);
}

static void test_greeting(void)
{
    struct door_options options = {0};
    struct door d;
    fake_reset();
    door_open(&d, &options);
    door_start(&d, imap_protocol.run);
    const char *line = door_hear(&d, "\r\n", &heard);
    CU_ASSERT_EQUAL(strncmp(line, "* OK [CAPABILITY IMAP4rev1 ", 27), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(line, GREETING_END));
    close_session(&d);
}

static void test_states(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk("a SELECT INBOX\r\nb FETCH 1 UID\r\n"),
                           "a BAD log in first\r\nb BAD log in first\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a CHECK\r\nb STARTTLS\r\nc UID FETCH 1 UID\r\n"),
                           "a BAD select a folder first\r\nb BAD you are logged in already\r\n"
                           "c BAD select a folder first\r\n");
}

static void test_simple_commands(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk_in("a NAMESPACE\r\nb NAMESPACE x\r\nc LOGOUT x\r\n"),
                           "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\na OK NAMESPACE completed\r\n"
                           "b BAD NAMESPACE takes no arguments\r\n"
                           "c BAD LOGOUT takes no arguments\r\n");
}

static void test_id(void)
{
    struct buf many = BUF_INIT(1 << 16);
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk("a ID NIL\r\n"),
                           "* ID (\"name\" \"Postern\")\r\na OK pleased to meet you\r\n");
    const char *answers = talk_in("a ID (\"name\" \"x\" \"version\" NIL)\r\nb ID ()\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "* ID (\"name\" \"Postern\" \"version\" \""));
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "b OK"));
    CU_ASSERT_STRING_EQUAL(talk("a ID\r\nb ID x\r\nc ID (\"a\")\r\nd ID (a b)\r\n"),
                           "a BAD ID takes NIL or a list of fields and values\r\n"
                           "b BAD ID takes NIL or a list of fields and values\r\n"
                           "c BAD ID takes NIL or a list of fields and values\r\n"
                           "d BAD ID takes NIL or a list of fields and values\r\n");
    buf_puts(&many, "a ID (");
    for (int i = 0; i < 30; i++)
        buf_printf(&many, "%s\"k%d\" \"v\"", i ? " " : "", i);
    buf_puts(&many, ")\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(talk(buf_str(&many)), "a OK"));
    many.len -= 3;
    buf_puts(&many, " \"k30\" \"v\")\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(talk(buf_str(&many)), "a BAD"));
    buf_free(&many);
}

/* NOOP promises nothing: trouble is told by the way. A folder that is gone is another thing, and
 * the session goes on without it. */
static void test_noop(void)
{
    fake_reset();
    fake_add("A: b\r\n\r\nx\r\n");
    talk_selected("a NOOP\r\nb CHECK\r\n");
    CU_ASSERT_EQUAL(fake.refreshes, 2);
    error_set(&fake.refresh_error, ERROR_THROTTLED, "429");
    CU_ASSERT_STRING_EQUAL(talk_selected("a NOOP\r\n"),
                           "* NO [UNAVAILABLE] changes elsewhere are not known: Microsoft 365 is "
                           "slowing this mailbox down, try again later\r\na OK NOOP completed\r\n");
    error_set(&fake.refresh_error, ERROR_FOLDER_GONE, "404");
    CU_ASSERT_STRING_EQUAL(talk_selected("a NOOP\r\nb UNSELECT\r\nc NOOP\r\n"),
                           "a NO [NONEXISTENT] there is no such folder\r\nb OK UNSELECT completed\r\n"
                           "c OK NOOP completed\r\n");
}

static void test_idle(void)
{
    struct door d;
    fake_reset();
    fake_add("A: b\r\n\r\nx\r\n");
    open_session(&d, true);
    door_say(&d, "i IDLE\r\n");
    CU_ASSERT_STRING_EQUAL(door_hear(&d, "\r\n", &heard), "+ idling\r\n");
    fake_add("A: b\r\n\r\ny\r\n");
    fake_publish();
    CU_ASSERT_STRING_EQUAL(door_hear(&d, "RECENT\r\n", &heard), "* 2 EXISTS\r\n* 2 RECENT\r\n");
    door_say(&d, "DO");
    fake_remove(1);
    fake_publish();
    CU_ASSERT_STRING_EQUAL(door_hear(&d, "RECENT\r\n", &heard), "* 1 EXPUNGE\r\n* 1 RECENT\r\n");
    door_say(&d, "NE\r\n");
    CU_ASSERT_STRING_EQUAL(door_hear(&d, "completed\r\n", &heard), "i OK IDLE completed\r\n");
    CU_ASSERT_EQUAL(fake.watches, 1);
    close_session(&d);
}

static void test_idle_ends(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk_in("a IDLE\r\ndone\r\nb IDLE\r\nc NOOP\r\nd NOOP\r\ne IDLE x\r\n"),
                           "+ idling\r\na OK IDLE completed\r\n"
                           "+ idling\r\nb BAD DONE ends IDLE, nothing else does\r\n"
                           "d OK NOOP completed\r\ne BAD IDLE takes no arguments\r\n");
    CU_ASSERT_EQUAL(fake.watches, 0);                                    /* nothing is selected */
    CU_ASSERT_STRING_EQUAL(talk_selected("a IDLE\r\n"), "+ idling\r\n"); /* gone */
    CU_ASSERT_EQUAL(fake.watches, 1);
}

static void test_stop(void)
{
    struct door d;
    for (int idling = 0; idling < 2; idling++) {
        fake_reset();
        open_session(&d, true);
        if (idling) {
            door_say(&d, "i IDLE\r\n");
            door_hear(&d, "idling\r\n", &heard);
        }
        door_stop(&d);
        CU_ASSERT_STRING_EQUAL(door_hear(&d, "", &heard),
                               "* BYE the service is stopping, try again later\r\n");
        close_session(&d);
    }
}

static void wake(struct door *d)
{
    pthread_mutex_lock(&d->lock);
    if (d->conn)
        wait_notify(session_conn_wait(d->conn));
    pthread_mutex_unlock(&d->lock);
}

/* RFC 3501 section 5.4: half an hour at least, though the setting says ten minutes. */
static void test_autologout(void)
{
    struct door d;
    int64_t start = clock_mono_ms(), minute = INT64_C(60) * CLOCK_SECOND;
    for (int idling = 0; idling < 2; idling++) {
        fake_reset();
        clock_test_set(start, clock_wall_ms());
        open_session(&d, true);
        if (idling) {
            door_say(&d, "i IDLE\r\n");
            door_hear(&d, "idling\r\n", &heard);
        }
        clock_test_set(start + 29 * minute, 0);
        wake(&d);
        door_say(&d, idling ? "DONE\r\n" : "n NOOP\r\n");
        CU_ASSERT_PTR_NOT_NULL(strstr(door_hear(&d, "completed\r\n", &heard), " OK "));
        clock_test_set(start + 60 * minute, 0);
        wake(&d);
        CU_ASSERT_STRING_EQUAL(door_hear(&d, "", &heard),
                               "* BYE nothing was said for too long, goodbye\r\n");
        close_session(&d);
        clock_test_off();
    }
}

const struct unit_test session_tests[] = {
    {"greeting", test_greeting},
    {"states", test_states},
    {"simple commands", test_simple_commands},
    {"ID", test_id},
    {"NOOP", test_noop},
    {"IDLE", test_idle},
    {"how IDLE ends", test_idle_ends},
    {"stop", test_stop},
    {"autologout", test_autologout},
    {NULL, NULL},
};
