/*
 * The stored sign-ins as `postern token list` shows them: without their secrets, and with what a
 * running serve knows of them.
 */
#ifndef POSTERN_CMD_TOKEN_LIST_H
#define POSTERN_CMD_TOKEN_LIST_H

#include "postern/base/config.h"
#include "postern/store/vault.h"

#include <stdio.h>

/* Times are of the wall clock; 0: not known. Texts are safe to show. */
struct token_row {
    char *tenant, *account; /* "" where the file does not tell */
    char *user;             /* who signed in, NULL: not known */
    int64_t since_ms;
    int64_t renewed_ms;
    int64_t expires_ms; /* if nothing renews it till then */
    const char *state;  /* "good", "failing", "needs-login", "unreadable": static */
    char *reason;       /* "" if good */
};

struct token_list {
    struct token_row *rows;
    size_t count;
};

/* Sorted by tenant and account. False: the directory cannot be read. */
bool token_list_read(const struct config *c, struct store_vault *v, struct token_list *out,
                     struct error *e);
void token_list_free(struct token_list *l);
/* A table; sentences below it tell what is wrong. */
void token_list_print(const struct token_list *l, FILE *out);
/* An array of objects with the members' names of above; times in ISO 8601, null if not known. */
void token_list_print_json(const struct token_list *l, FILE *out);

#endif
