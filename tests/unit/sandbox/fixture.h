/*
 * A sandbox with one mailbox, asked without HTTP: a request goes straight to the Graph side, and
 * its answer stays until the next one.
 */
#ifndef SANDBOX_FIXTURE_H
#define SANDBOX_FIXTURE_H

#include "graph.h"

#include "postern/mime/header.h"

#define UPN    "alerts@example.com"
#define ORIGIN "https://localhost"
#define USER   "/v1.0/users/" UPN

struct fixture {
    struct sandbox s;
    struct mailbox *b;
    struct folder *inbox;
    int status;
    struct json_object *answer; /* NULL: no JSON */
    struct buf text;            /* its bytes */
};

/* With so many small messages in the inbox. */
void fixture_set_up(struct fixture *x, size_t messages);
void fixture_tear_down(struct fixture *x);
struct message *fixture_add(struct fixture *x, const char *folder, const char *mime);

void fixture_get(struct fixture *x, const char *target);
/* `body` NULL: none; it is JSON unless `type` says otherwise (NULL). */
void fixture_send(struct fixture *x, const char *method, const char *target, const char *type,
                  const char *body);
void fixture_post(struct fixture *x, const char *target, const char *body);
/* Follows a link of the last answer; false: there is none of this name. */
bool fixture_follow(struct fixture *x, const char *name);

/* USER, then "/messages/", the immutable id, and `rest`. In a static buffer. */
const char *fixture_message(const struct message *m, const char *rest);
/* A member of the last answer; "a/b/0" goes deeper. NULL: there is none. */
struct json_object *fixture_member(const struct fixture *x, const char *path);
/* The text of a member, "" if there is none. */
const char *fixture_string(const struct fixture *x, const char *path);
const char *fixture_code(const struct fixture *x);
/* Items of "value" in the last answer. */
size_t fixture_items(const struct fixture *x);
/* How often this rule was broken. */
size_t fixture_violations(const struct fixture *x, const char *rule);

#endif
