/*
 * The mail folder calls of Graph v1.0; all that graph/mail.h says of calls and decoders holds
 * here too. Folders have ids that never change, and no immutable ones (Outlook immutable ids).
 */
#ifndef POSTERN_GRAPH_FOLDER_H
#define POSTERN_GRAPH_FOLDER_H

#include "postern/graph/mail.h"

struct graph_folder {
    const char *id;
    const char *parent_id; /* NULL if missing, as the name */
    const char *name;
    bool removed;       /* folder delta */
    bool search_folder; /* "@odata.type" mailSearchFolder: skip it */
    bool hidden, has_hidden;
    int64_t child_count, total, unread; /* -1: missing */
    const char *mark;                   /* our property (GRAPH_FOLDER_MARK), NULL: none */
    int64_t article_next;               /* Integer 0x6751, -1: none */
};
struct graph_folder_page {
    struct arena *arena;
    struct graph_folder *folders;
    size_t count;
    const char *next_link;
    const char *delta_link;
};
void graph_folder_page_free(struct graph_folder_page *page);

/* ---- reading ---- */

/* GET …/mailFolders/{id or well-known name}?$select=… (mailFolder: get); `properties` adds
 * &$expand=… for our mark and 0x6751. */
struct graph_call *graph_folder_start(struct graph_user *u, struct graph_as as,
                                      const char *id_or_name, bool properties);
/* For each answer that is one folder: get, create, rename, move. */
bool graph_folder_decode(struct graph_call *call, struct arena *a, struct graph_folder *f,
                         struct error *e);
/* GET …/mailFolders/delta, a nextLink, or a deltaLink (mailFolder: delta). */
struct graph_call *graph_folder_delta_start(struct graph_user *u, struct graph_as as,
                                            const char *link);
/* GET …/mailFolders?$top=250 (`parent_id` NULL: the root's), …/{id}/childFolders?$top=250, or a
 * nextLink (user: list mailFolders, mailFolder: list childFolders). `properties` as above;
 * `name` asks only for the child of this display name, NULL: all. */
struct graph_call *graph_folder_list_start(struct graph_user *u, struct graph_as as,
                                           const char *parent_id, const char *name, bool properties,
                                           const char *link);
bool graph_folder_page_decode(struct graph_call *call, struct graph_folder_page *page,
                              struct error *e);

/* ---- many at once (JSON batching) ---- */

/* Of requests that do not depend on each other Exchange answers so many at once for one mailbox;
 * those beyond are throttled. */
#define GRAPH_BATCH_ABREAST 4
/* Of requests that wait for each other a batch takes so many. */
#define GRAPH_BATCH_MAX 20

/* GETs of folders by id or well-known name, at most GRAPH_BATCH_ABREAST, independent. */
struct graph_call *graph_folder_batch_start(struct graph_user *u, struct graph_as as,
                                            const char *const *ids_or_names, size_t count);
/* `out[i].id` NULL: that one failed, errors[i] says how. False: the whole batch failed. An item
 * that was throttled makes the mailbox pause as any answer would. */
bool graph_folder_batch_decode(struct graph_call *call, struct arena *a, struct graph_folder *out,
                               struct error *errors, size_t count, struct error *e);
/* First pages of the children of several folders, with properties, one after another: at most
 * GRAPH_BATCH_MAX. After one that failed all that follow fail. Decode: pages as above, those that
 * failed have `arena` NULL; graph_folder_page_free() the others. */
struct graph_call *graph_folder_lists_start(struct graph_user *u, struct graph_as as,
                                            const char *const *parent_ids, size_t count);
bool graph_folder_lists_decode(struct graph_call *call, struct graph_folder_page *pages,
                               struct error *errors, size_t count, struct error *e);

/* ---- writing; POST and DELETE are never repeated by themselves ---- */

/* POST …/mailFolders or …/{id}/childFolders {"displayName"} (mailFolder: post childFolders). */
struct graph_call *graph_folder_create_start(struct graph_user *u, struct graph_as as,
                                             const char *parent_id, const char *name);
/* PATCH …/mailFolders/{id} {"displayName"} (mailFolder: update). */
struct graph_call *graph_folder_rename_start(struct graph_user *u, struct graph_as as,
                                             const char *id, const char *name);
/* POST …/mailFolders/{id}/move {"destinationId"} (mailFolder: move). */
struct graph_call *graph_folder_move_start(struct graph_user *u, struct graph_as as, const char *id,
                                           const char *destination);
/* DELETE …/mailFolders/{id}; POST …/{id}/permanentDelete (mailFolder: delete, permanentDelete; the
 * latter is in the global cloud only). */
struct graph_call *graph_folder_delete_start(struct graph_user *u, struct graph_as as,
                                             const char *id);
struct graph_call *graph_folder_purge_start(struct graph_user *u, struct graph_as as,
                                            const char *id);

/* The named property of ours on a folder, "1;<uidvalidity>;exact|diverged". */
#define GRAPH_FOLDER_MARK "String {8f0f7d1a-5f0e-4c47-9a35-5c3a2f6f9b61} Name PosternUidMark"
/* PATCH …/mailFolders/{id} {"singleValueExtendedProperties":[…]} (mailFolder: update). */
struct graph_call *graph_folder_mark_start(struct graph_user *u, struct graph_as as,
                                           const char *folder_id, const char *mark);

/* May folders and messages be changed? Only a try tells: permissions given by RBAC for Applications
 * leave no trace in the token, and a try on an id that does not exist is answered 403 or 404 as it
 * pleases the service. So this writes a property that nobody sees and that always has the same
 * value: ERROR_DENIED without Mail.ReadWrite (mailFolder: update). */
#define GRAPH_FOLDER_TRY "String {8f0f7d1a-5f0e-4c47-9a35-5c3a2f6f9b61} Name PosternDoctor"
struct graph_call *graph_folder_try_start(struct graph_user *u, struct graph_as as,
                                          const char *folder_id);

#endif
