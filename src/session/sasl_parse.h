/*
 * What clients answer in SASL exchanges, taken apart. Pure. Each parser writes NULs into `data`,
 * which must be NUL-terminated behind its `len` bytes, and the results point into it; false if it
 * is malformed.
 */
#ifndef SESSION_SASL_PARSE_H
#define SESSION_SASL_PARSE_H

#include <stdbool.h>
#include <stddef.h>

/* RFC 4616: authzid NUL authcid NUL password. An authzid other than authcid is refused. */
bool sasl_parse_plain(char *data, size_t len, const char **name, const char **password);
/* RFC 2195: name SP digest, 32 hexadecimal digits; the name may hold spaces. */
bool sasl_parse_cram_md5(char *data, size_t len, const char **name, const char **digest);
/* "user=" name ^A "auth=Bearer " token ^A ^A. */
bool sasl_parse_xoauth2(char *data, size_t len, const char **name, const char **token);
/* RFC 7628 section 3.1: GS2 header with the name ("" if it has none), then key=value pairs, of
 * which auth is needed and the others are passed over. Channel binding is not offered. */
bool sasl_parse_oauthbearer(char *data, size_t len, const char **name, const char **token);

#endif
