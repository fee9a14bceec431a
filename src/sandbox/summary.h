/*
 * What Exchange derives from a message's text for the JSON properties: subject, people, dates,
 * body. Works on the bytes alone; results live in the arena.
 */
#ifndef SANDBOX_SUMMARY_H
#define SANDBOX_SUMMARY_H

#include "postern/base/arena.h"
#include "postern/mime/header.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREVIEW_LENGTH     255 /* characters (Graph: message resource) */
#define SUMMARY_BODY_MAX   65536
#define SUMMARY_HEADER_MAX 262144

/* Decoded text of a header field, NULL if there is none. */
const char *summary_text(struct arena *arena, const char *mime, size_t len, const char *field);
/* What a message and its replies have in common: the subject without "Re:" and the like. */
const char *summary_topic(struct arena *arena, const char *mime, size_t len);
/* The raw field, unfolded and trimmed, NULL if there is none. */
const char *summary_raw(struct arena *arena, const char *mime, size_t len, const char *field);
/* An array of {"emailAddress":{"name","address"}}; never NULL, perhaps empty. */
struct json_object *summary_recipients(struct arena *arena, const char *mime, size_t len,
                                       const char *field);
/* The address of the first person in a field, NULL if there is none. */
const char *summary_address(struct arena *arena, const char *mime, size_t len, const char *field);
/* The Date field; `fallback_ms` if there is none that can be read. */
int64_t summary_sent(const char *mime, size_t len, int64_t fallback_ms);
/* Does it look as if there were attachments? */
bool summary_has_attachments(const char *mime, size_t len);
/* Any text as valid UTF-8 with its lines kept, cut at SUMMARY_BODY_MAX. */
const char *summary_lines(struct arena *arena, const char *s, size_t len);
/* The text after the header block, its transfer encoding undone, else as summary_lines(). */
const char *summary_body(struct arena *arena, const char *mime, size_t len);
/* The first so many characters of UTF-8 text. */
const char *summary_characters(struct arena *arena, const char *text, size_t count);

#endif
