/*
 * Encodings and digests: base64 (RFC 4648, with and without the URL alphabet), hexadecimal,
 * HTML, SHA-256, random bytes, GUIDs. Pure functions; any thread.
 */
#ifndef POSTERN_BASE_ENCODE_H
#define POSTERN_BASE_ENCODE_H

#include "postern/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

/* Standard alphabet with padding. False: `out` is over its cap. */
bool base64_encode(const void *data, size_t len, struct buf *out);
/* URL alphabet without padding (RFC 4648 section 5). */
bool base64url_encode(const void *data, size_t len, struct buf *out);
/* Strict: whole quartets, right padding, no white space, no stray bits. On false `out` may hold
 * part of the result. */
bool base64_decode(const char *text, size_t len, struct buf *out);
/* Takes the URL alphabet, padded or not. */
bool base64url_decode(const char *text, size_t len, struct buf *out);

/* Lower case; `out` has room for 2 * len + 1. */
void hex_encode(const void *data, size_t len, char *out);
bool hex_decode(const char *text, size_t len, uint8_t *out);

/* As text or as a quoted attribute of HTML. False: `out` is over its cap. */
bool html_escape(const char *text, struct buf *out);

void sha256(const void *data, size_t len, uint8_t out[SHA256_SIZE]);
/* Dies if the system has no randomness. */
void random_bytes(void *out, size_t len);
/* "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx" */
#define GUID_SIZE 37
void guid_make(char out[GUID_SIZE]);
/* Is a text of that form, in either case? */
bool guid_is(const char *text);

/* Compares secrets in a time that depends on the lengths only. */
bool secret_equal(const void *a, size_t alen, const void *b, size_t blen);

#endif
