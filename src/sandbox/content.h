/*
 * What a message is made of that was written by JSON: members, attachments. Exchange keeps such
 * properties and renders MIME from them; the sandbox renders anew whenever one of them changes.
 */
#ifndef SANDBOX_CONTENT_H
#define SANDBOX_CONTENT_H

#include "postern/base/buf.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum attachment_kind { ATTACHMENT_FILE, ATTACHMENT_ITEM };

struct attachment {
    uint32_t serial; /* of the message, from 1 */
    enum attachment_kind kind;
    char *name, *content_type, *content_id, *content_location; /* NULL: none */
    bool is_inline;
    char *bytes; /* of an item: its MIME text */
    size_t size;
    int64_t modified_ms;
};

struct content {
    struct json_object *members; /* subject, body, people, headers, as Graph names them */
    int64_t sent_ms;
    char *references, *in_reply_to; /* NULL: none */
    struct attachment *items;
    size_t count;
    uint32_t last_serial;
};

/* `members` is shared, not taken. A message id is made where none is given. */
struct content *content_new(struct json_object *members, int64_t sent_ms);
/* From a text that came as MIME: its people and subject, its first text, its other parts. */
struct content *content_of_mime(const char *mime, size_t len, int64_t sent_ms);
struct content *content_copy(const struct content *from);
/* NULL is fine. */
void content_free(struct content *x);
/* Replaces a member. */
void content_set(struct content *x, const char *member, struct json_object *value);
/* Takes what is in `a` and gives it a serial number. */
struct attachment *content_attach(struct content *x, struct attachment *a);
/* NULL: there is none of this number. */
struct attachment *content_find(const struct content *x, uint32_t serial);
void content_detach(struct content *x, uint32_t serial);
void attachment_free(struct attachment *a);

#endif
