/*
 * Requests to the control port that concern mail and identities (postern-sandbox(1), CONTROL
 * PORT). The caller holds the sandbox's lock.
 */
#ifndef SANDBOX_CONTROL_MAIL_H
#define SANDBOX_CONTROL_MAIL_H

#include "sandbox.h"

struct control {
    struct sandbox *s;
    struct request *r;
    struct answer *a;
    struct json_object *body; /* of a POST with JSON, NULL otherwise */
};

void control_refuse(struct control *c, int status, const char *text);
void control_done(struct control *c);
/* A member of the body, NULL: missing or no string. */
const char *control_text(const struct control *c, const char *name);
/* Likewise, but with what a missing one means; false for a flag. */
int64_t control_number(const struct control *c, const char *name, int64_t missing);
bool control_flag(const struct control *c, const char *name);
/* The named mailbox, or the only one where none is named. NULL: refused. */
struct mailbox *control_user(struct control *c, const char *user);

/* control_mail.c */
void control_message(struct control *c);
void control_move(struct control *c);
void control_delete(struct control *c);
void control_patch(struct control *c);
void control_mailbox(struct control *c);

/* control_folders.c */
void control_folder(struct control *c);
void control_rename(struct control *c);
void control_remove(struct control *c);
void control_tree(struct control *c);

/* control_identity.c */
void control_devices(struct control *c);
void control_device(struct control *c);
void control_account(struct control *c);
void control_revoke(struct control *c);
void control_challenge(struct control *c);
void control_expire_refresh(struct control *c);
void control_federated_token(struct control *c);
void control_access_token(struct control *c);
void control_report(struct control *c);

#endif
