/*
 * The command line of postern-sandbox(1).
 */
#ifndef SANDBOX_OPTIONS_H
#define SANDBOX_OPTIONS_H

#include "sandbox.h"
#include "tls.h"

#include <sys/socket.h>

struct options {
    struct sockaddr_storage listen, upload, imds, control;
    const char *dir; /* NULL: a private temporary one */
    enum tls_fault tls_fault;
    bool help, version;
};

/* Reads the command line into the options and fills the sandbox: settings, app, mailboxes, mail.
 * False: `e` says what is wrong and how to write it. */
bool options_parse(int argc, char **argv, struct options *o, struct sandbox *s, struct error *e);
void options_usage(void);

#endif
