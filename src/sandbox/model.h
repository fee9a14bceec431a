/*
 * The mailboxes: folders, messages, and per folder the log of changes that delta reads.
 * Everything here is guarded by the sandbox's one lock; pointers live as long as the model.
 *
 * A message that was destroyed keeps its struct (folder NULL), so that its id stays known and is
 * never given again.
 */
#ifndef SANDBOX_MODEL_H
#define SANDBOX_MODEL_H

#include "content.h"
#include "props.h"

#include "postern/base/buf.h"
#include "postern/base/encode.h"
#include "postern/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_MAX         ((size_t)150 * 1024 * 1024)
#define FOLDER_NAME_MAX     255
#define FOLDER_DEPTH_MAX    300
#define CATEGORIES_MAX      64
#define MESSAGES_MAX        5000000
#define WELL_KNOWN_ROOT     "msgfolderroot"
#define WELL_KNOWN_DUMPSTER "recoverableitemsdeletions"

enum flag_status { FLAG_NONE, FLAG_COMPLETE, FLAG_FLAGGED };
/* Derived types (Graph: eventMessage and its kin). */
enum message_kind {
    KIND_MESSAGE,
    KIND_EVENT,
    KIND_REQUEST,
    KIND_RESPONSE,
    KIND_SHARING,
    KIND_COUNT
};
enum importance { IMPORTANCE_LOW, IMPORTANCE_NORMAL, IMPORTANCE_HIGH };

/* Which members a change touched; delta of the kind "changed-only" tells no others. */
enum {
    CHANGE_READ = 1 << 0,
    CHANGE_FLAG = 1 << 1,
    CHANGE_CATEGORIES = 1 << 2,
    CHANGE_PROPS = 1 << 3, /* extended properties */
    CHANGE_OTHER = 1 << 4,
    CHANGE_ALL = (1 << 5) - 1
};

struct message {
    uint32_t serial;       /* of the mailbox, from 0 */
    uint32_t moves;        /* the ordinary id changes with it */
    struct folder *folder; /* NULL: destroyed */
    size_t slot;           /* index in the folder's items */
    uint32_t article;      /* 0x0E23 in this folder */
    bool is_read, is_draft;
    bool composed; /* made in this mailbox (a draft, a sent item), never received by transport */
    bool read_receipt, delivery_receipt;
    bool other_inbox;   /* inferenceClassification "other" */
    uint8_t kind;       /* enum message_kind */
    uint8_t flag;       /* enum flag_status */
    uint8_t importance; /* enum importance */
    int64_t received_ms, created_ms, modified_ms;
    uint64_t change;   /* sequence of its last change: changeKey, delta */
    char **categories; /* NULL-terminated, NULL: none; the mailbox owns it */
    struct prop_set props;
    char *mime;              /* NULL: generated from the seed */
    struct content *content; /* what the text is made of; NULL: it is as it came */
    size_t size;             /* of the MIME text */
    uint32_t seed;
};

/* One line of a folder's change log. */
struct change {
    uint64_t seq;
    int64_t at_ms;  /* monotonic; INT64_MIN: loaded at start, visible at once */
    uint64_t round; /* the folder's count of delta rounds then */
    uint32_t serial;
    uint32_t moves; /* for the ordinary id of a removed message */
    uint8_t mask;
    bool removed;
    bool created;
    /* What the message was then, for a server that replication has not reached. */
    bool is_read, is_draft;
    uint8_t flag;
    char **categories;
    int64_t modified_ms;
};

struct folder {
    struct mailbox *mailbox;
    uint32_t serial;
    struct folder *parent; /* NULL: the mailbox's root, or destroyed */
    char *name;
    const char *well_known; /* NULL: an ordinary folder */
    bool hidden;
    bool search; /* a mailSearchFolder */
    bool gone;
    uint64_t change;      /* of anything that folder delta may tell … */
    uint64_t tree_change; /* … and of more than the counters */
    uint32_t next_article;
    struct prop_set props;
    struct message **items;
    size_t count, cap;
    bool sorted; /* items are in listing order: newest first */
    size_t unread;
    size_t others, others_unread; /* items that are no messages: counted, never listed */
    struct change *log;
    size_t log_len, log_cap;
    uint64_t rounds;
};

struct mailbox {
    char *upn;
    char guid[GUID_SIZE];
    uint8_t key[16]; /* binds ids and links to this mailbox */
    struct folder **folders;
    size_t folder_count;
    struct message **messages;
    size_t message_count, message_cap;
    uint64_t seq;         /* the last change */
    uint64_t delta_epoch; /* links of an older epoch are dead */
    char ***categories;   /* every list that a message has or had */
    size_t categories_count;
    struct late_touch {
        uint32_t serial;
        int64_t due_ms; /* monotonic */
    } * late;           /* in order of time */
    size_t late_count;
};

struct model {
    struct mailbox **mailboxes;
    size_t count;
};

/* A mailbox with the folders that Exchange makes. Two runs with the same names make the same ids
 * (the key comes from the name). Returns the one that is there already. */
struct mailbox *model_add_mailbox(struct model *m, const char *upn);
/* The GUID that a name has in this sandbox, in every run the same. */
void model_guid(const char *purpose, const char *name, char out[GUID_SIZE]);
/* By UPN (ASCII case ignored) or object id. */
struct mailbox *model_find(const struct model *m, const char *user);
void model_free(struct model *m);

/* By well-known name; NULL: this mailbox has none. */
struct folder *mailbox_well_known(const struct mailbox *b, const char *name);
/* "Inbox", "INBOX", a well-known name, or a path "Projects/2026"; missing folders are made. NULL:
 * a name is empty or too long. */
struct folder *mailbox_folder_path(struct mailbox *b, const char *path);
struct folder *mailbox_new_folder(struct mailbox *b, struct folder *parent, const char *name,
                                  bool hidden);
/* NULL: none of that name below it (ASCII case ignored). */
struct folder *folder_child(const struct folder *parent, const char *name);
size_t folder_child_count(const struct folder *f, bool hidden_too);
bool folder_is_inside(const struct folder *f, const struct folder *ancestor);
/* Marks the folder as changed (for mailFolders/delta): itself, or its counters alone. */
void folder_touch(struct folder *f);
void folder_touch_counts(struct folder *f);
void folder_rename(struct folder *f, const char *name);
void folder_move(struct folder *f, struct folder *parent);
/* With all below it; its messages are destroyed. */
void folder_destroy(struct folder *f);
/* "Inbox/Sub" below the root; malloc'ed. */
char *folder_path(const struct folder *f);
/* Puts the items into listing order. */
void folder_sort(struct folder *f);

/* What a new message is to be; a NULL `mime` means generated. */
struct message_new {
    const char *mime;
    size_t size;
    uint32_t seed;
    int64_t received_ms;
    bool is_read, is_draft;
    bool composed; /* a draft, and what lies where such mail is made, is so anyway */
    bool at_start; /* loaded before anybody looked: no delay in delta */
};
/* NULL: the mailbox is full. */
struct message *message_add(struct folder *f, const struct message_new *n);
/* A message changed: new changeKey, lastModifiedDateTime, a line in the log. */
void message_touch(struct message *m, unsigned mask);
void message_set_read(struct message *m, bool is_read);
/* Takes the list. */
void message_set_categories(struct message *m, char **categories);
/* A while after a write the service touches the message by itself once more … */
void message_touch_later(struct message *m, int64_t ms);
/* … which is done here, when its time has come. */
void mailbox_touch_late(struct mailbox *b);
void message_move(struct message *m, struct folder *to);
struct message *message_copy(const struct message *m, struct folder *to);
void message_destroy(struct message *m);
/* What the message is made of, taken from its text the first time that somebody asks. */
struct content *message_content(struct message *m);
/* Makes the text anew from the content. */
void message_compose(struct message *m);
/* "#microsoft.graph.eventMessageRequest" and so on. */
const char *message_type_name(enum message_kind kind);
/* By the last part of that name; false: there is none. */
bool message_kind_parse(const char *name, enum message_kind *kind);
/* The message's bytes: points into the message or into `scratch`, which is filled if the text is
 * generated. */
const char *message_mime(const struct message *m, struct buf *scratch);
/* The same up to the end of the header block, which costs little whatever the size. */
const char *message_head(const struct message *m, struct buf *scratch, size_t *len);

#endif
