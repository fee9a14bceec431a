/*
 * What the process as a whole is and may: its limits, and what it tells the service manager.
 */
#ifndef POSTERN_CMD_PROCESS_H
#define POSTERN_CMD_PROCESS_H

#include "postern/base/config.h"

/* Is it built with a sanitizer, which does what the service itself must not? */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PROCESS_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PROCESS_SANITIZED
#endif
#endif

/* No core files, no peeking by other processes of the user, no rights beyond those at the start
 * (set-user-id programs), SIGPIPE ignored, few malloc arenas; as many file descriptors as the
 * system allows, with a warning in the log where the connections of the config could need more. */
void process_harden(void);
/* Once it is the user that it stays: the kernel forgets the second of these when the user changes.
 * Warns of being root. */
void process_settle(void);
void process_raise_files(const struct config *config);

/* Blocks SIGTERM, SIGINT and SIGHUP for this and all later threads and returns a descriptor that
 * is readable when one came, -1 with errno set. Before any thread is started. */
int process_signals(void);
/* Takes the next one; 0 if there is none. */
int process_next_signal(int signal_fd);

/* sd_notify(3); nothing without systemd. */
void process_notify_ready(void);
void process_notify_reloading(void);
void process_notify_stopping(void);

#endif
