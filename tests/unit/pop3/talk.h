/*
 * Whole POP3 conversations against the fake mailbox.
 */
#ifndef TESTS_POP3_TALK_H
#define TESTS_POP3_TALK_H

#include "../session/door.h"

/* Lines that sign alice in, and what they are answered, greeting first. */
#define SIGN_IN  "USER alice\r\nPASS secret\r\n"
#define GREETING "+OK Postern is ready\r\n"

/* Runs a session: sends `input` at once, hangs up its sending half, returns all answers. The
 * result is good until the next call. Asserts that everything was released. */
const char *talk(const char *input);
const char *talk_bytes(const struct door_options *options, const char *input, size_t len);
/* The answers behind the one to PASS. */
const char *talk_in(const char *commands);
/* The same with a config. */
const char *talk_in_with(const char *config, const char *commands);

#endif
