/*
 * What `postern clients` asks for and prints. clients.c is the command, clients_filter.c chooses,
 * clients_print.c prints.
 */
#ifndef POSTERN_CMD_CLIENTS_H
#define POSTERN_CMD_CLIENTS_H

#include "postern/base/config.h"
#include "postern/base/error.h"
#include "postern/store/client_db.h"

/* Options as they were given; NULL or false: not at all. */
struct clients_options {
    const char *below_tls;
    bool plaintext;
    const char *unused_for;
    const char *since;
    const char *login;
    const char *address;
    const char *protocol;
    const char *mechanism;
    bool failed;
    bool csv;
    bool json;
};

struct clients_filter {
    int below_tls; /* 0: any */
    bool plaintext;
    bool failed;
    int64_t before_ms; /* last seen until then */
    int64_t since_ms;
    const char *login;
    const char *protocol;
    const char *mechanism;
    bool by_address;
    bool local; /* of Unix sockets */
    struct config_network network;
};

/* False: `e` says which option has what is no value of it. */
bool clients_filter_make(const struct clients_options *o, int64_t now_ms, struct clients_filter *f,
                         struct error *e);
bool clients_match(const struct clients_filter *f, const struct client_row *row);
/* Below this version, offered or agreed on; not those without TLS. */
bool clients_below_tls(const struct client_row *row, int version);
bool clients_plaintext(const struct client_row *row);

void clients_print_table(const struct client_row *rows, size_t count, bool failures);
void clients_print_csv(const struct client_row *rows, size_t count);
void clients_print_json(const struct client_row *rows, size_t count);

#endif
