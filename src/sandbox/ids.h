/*
 * Ids of messages and folders as Exchange shapes them: URL-safe base64, case-sensitive, the
 * immutable kind shorter and constant, the ordinary kind longer and new after each move
 * (Graph: outlook-immutable-id). They are computed from the serial number and the mailbox's key
 * and checked when they come back; nothing is looked up.
 */
#ifndef SANDBOX_IDS_H
#define SANDBOX_IDS_H

#include "model.h"

#define ID_SIZE 160

enum id_fault { ID_FOUND, ID_MALFORMED, ID_GONE };

void id_message(const struct mailbox *b, const struct message *m, bool immutable,
                char out[ID_SIZE]);
/* The same for a message that may have left: the ordinary id it had after `moves` moves. */
void id_message_at(const struct mailbox *b, uint32_t serial, uint32_t moves, bool immutable,
                   char out[ID_SIZE]);
/* Of an attachment; the ordinary kind changes with the message's moves. */
void id_attachment(const struct message *m, uint32_t serial, bool immutable, char out[ID_SIZE]);
/* False: no id of an attachment of this message. */
bool id_find_attachment(const struct message *m, const char *id, uint32_t *serial);
void id_folder(const struct folder *f, char out[ID_SIZE]);
void id_conversation(const struct mailbox *b, const char *topic, char out[ID_SIZE]);
/* Either kind of id is understood; `immutable` says which it was. */
enum id_fault id_find_message(const struct mailbox *b, const char *id, struct message **out,
                              bool *immutable);
/* An id; well-known names are for the caller. */
enum id_fault id_find_folder(const struct mailbox *b, const char *id, struct folder **out);

#endif
