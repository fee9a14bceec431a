/*
 * Messages and folders as Graph shows them (Graph: message, mailFolder resources).
 */
#ifndef SANDBOX_RENDER_H
#define SANDBOX_RENDER_H

#include "query.h"

extern const struct resource message_resource;
extern const struct resource folder_resource;

/* A message while it is looked at: its text is made once, and only as much of it as is asked for;
 * derived strings are in the arena. */
struct view {
    struct message *m;
    const struct sandbox *s;
    struct arena *arena;
    struct buf scratch, head_scratch;
    const char *mime, *head; /* NULL: not made yet */
    size_t head_len;
};

void view_init(struct view *v, const struct sandbox *s, struct arena *arena, struct message *m);
void view_free(struct view *v);
/* The header block with its blank line. */
const char *view_head(struct view *v, size_t *len);
/* What was received by transport (String 0x007D) as UTF-8, NULL: nothing was. */
const char *view_transport_headers(struct view *v);

/* The selected members and expanded properties; an etag and the id always. */
struct json_object *render_message(struct call *c, struct message *m, const struct query *q);
/* "W/\"…\"", which moves with each change. In the request's arena. */
const char *render_etag(struct call *c, const struct message *m);
/* One member into `o`, whatever was selected. False: there is none of this name. */
bool render_member(struct call *c, struct view *v, const char *member, struct json_object *o);
struct json_object *render_folder(struct call *c, struct folder *f, const struct query *q);
/* The value of an extended property of a message or a folder, NULL: absent. In the arena. */
const char *render_message_prop(struct view *v, const struct prop_id *id);
const char *render_folder_prop(const struct sandbox *s, struct arena *arena, const struct folder *f,
                               const struct prop_id *id);
/* Answers with one message, its @odata.context first. */
void render_message_answer(struct call *c, int status, struct message *m, const struct query *q);

#endif
