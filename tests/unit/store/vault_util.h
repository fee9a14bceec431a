/* A vault in a scratch directory. */
#ifndef POSTERN_TESTS_STORE_VAULT_UTIL_H
#define POSTERN_TESTS_STORE_VAULT_UTIL_H

#include "postern/store/vault.h"

/* SCRATCH/state and SCRATCH/token.key, made. */
struct store_vault *vault_begin(void);
/* Another view of the same. */
struct store_vault *vault_again(void);
void vault_end(struct store_vault **v);
/* Saves a refresh token for an account of tenant "contoso". */
bool vault_put(struct store_vault *v, const char *account, const char *token, struct error *e);
/* The refresh token in a static buffer; "(none)", or the text of the error. */
const char *vault_get(struct store_vault *v, const char *account);
/* The path of the only stored sign-in. */
const char *vault_only_file(void);

#endif
