/*
 * Whole IMAP conversations against the fake mailbox.
 */
#ifndef TESTS_IMAP_TALK_H
#define TESTS_IMAP_TALK_H

#include "../session/door.h"

#define GREETING_END "] Postern is ready\r\n"

/* Runs a session: sends `input` at once, hangs up its sending half, returns all answers, the
 * greeting left out. The result is good until the next call. Asserts that everything was
 * released. */
const char *talk(const char *input);
const char *talk_bytes(const struct door_options *options, const char *input, size_t len);
/* Signs alice in and returns the answers behind that. */
const char *talk_in(const char *commands);
const char *talk_in_with(const char *config, const char *commands, size_t len);
/* The same, with INBOX selected. */
const char *talk_selected(const char *commands);

#endif
