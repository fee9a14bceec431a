/*
 * The calls that look for messages and that make them: filters, copies, new messages, attachments.
 * As in graph/mail.h, `*_start` return a call for graph_call_wait(), `*_decode` read an ended,
 * successful one on the thread that asked.
 */
#ifndef POSTERN_GRAPH_WRITE_H
#define POSTERN_GRAPH_WRITE_H

#include "postern/graph/mail.h"

/* What a listing of a folder is to show. */
enum graph_find {
    GRAPH_FIND_DELETED,    /* IMAP's \Deleted: PidLidImapDeleted is 1 */
    GRAPH_FIND_MESSAGE_ID, /* internetMessageId is `value` */
    GRAPH_FIND_MARK        /* our own property GRAPH_APPEND_MARK is `value` */
};
/* A property of our own on a message that Postern makes, so that it is found when the answer to
 * its making is lost. */
#define GRAPH_APPEND_MARK "String {8f0f7d1a-5f0e-4c47-9a35-5c3a2f6f9b61} Name PosternAppend"

/* GET …/mailFolders/{id}/messages?$select=id,parentFolderId&$filter=… (user: list messages; get
 * singleValueLegacyExtendedProperty). Pages for graph_page_decode(); `link`: a nextLink. A server
 * that refuses the filter answers ERROR_REQUEST. */
struct graph_call *graph_find_start(struct graph_user *u, struct graph_as as, const char *folder_id,
                                    enum graph_find what, const char *value, const char *link);

#endif
