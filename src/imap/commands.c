#include "commands.h"

#include <strings.h>

static const struct imap_verb verbs[] = {
    {"CAPABILITY", IMAP_ANY_STATE, IMAP_SYNC_ALL, imap_capability},
    {"NOOP", IMAP_ANY_STATE, IMAP_SYNC_ALL, imap_noop},
    {"LOGOUT", IMAP_ANY_STATE, IMAP_SYNC_NONE, imap_logout},
    {"ID", IMAP_ANY_STATE, IMAP_SYNC_ALL, imap_id},

    {"STARTTLS", IMAP_NOT_AUTHENTICATED, IMAP_SYNC_NONE, imap_starttls},
    {"AUTHENTICATE", IMAP_NOT_AUTHENTICATED, IMAP_SYNC_NONE, imap_authenticate},
    {"LOGIN", IMAP_NOT_AUTHENTICATED, IMAP_SYNC_NONE, imap_login},

    {"ENABLE", IMAP_AUTHENTICATED, IMAP_SYNC_ALL, imap_enable},
    {"NAMESPACE", IMAP_AUTHENTICATED, IMAP_SYNC_ALL, imap_namespace},
    {"SELECT", IMAP_AUTHENTICATED, IMAP_SYNC_NONE, imap_select},
    {"EXAMINE", IMAP_AUTHENTICATED, IMAP_SYNC_NONE, imap_examine},
    {"LIST", IMAP_AUTHENTICATED, IMAP_SYNC_ALL, imap_list},
    {"LSUB", IMAP_AUTHENTICATED, IMAP_SYNC_ALL, imap_lsub},
    {"STATUS", IMAP_AUTHENTICATED, IMAP_SYNC_ALL, imap_status},
    {"CREATE", IMAP_AUTHENTICATED | IMAP_WRITES_ELSEWHERE, IMAP_SYNC_ALL, imap_create},
    {"DELETE", IMAP_AUTHENTICATED | IMAP_WRITES_ELSEWHERE, IMAP_SYNC_ALL, imap_delete},
    {"RENAME", IMAP_AUTHENTICATED | IMAP_WRITES_ELSEWHERE, IMAP_SYNC_ALL, imap_rename},
    {"SUBSCRIBE", IMAP_AUTHENTICATED | IMAP_WRITES_ELSEWHERE, IMAP_SYNC_ALL, imap_subscribe},
    {"UNSUBSCRIBE", IMAP_AUTHENTICATED | IMAP_WRITES_ELSEWHERE, IMAP_SYNC_ALL, imap_unsubscribe},
    {"IDLE", IMAP_AUTHENTICATED, IMAP_SYNC_ALL, imap_idle},

    {"FETCH", IMAP_SELECTED | IMAP_HAS_UID, IMAP_SYNC_NO_EXPUNGE, imap_fetch},
    {"CHECK", IMAP_SELECTED, IMAP_SYNC_ALL, imap_noop},
    {"SEARCH", IMAP_SELECTED | IMAP_HAS_UID, IMAP_SYNC_NO_EXPUNGE, imap_search},
    {"SORT", IMAP_SELECTED | IMAP_HAS_UID, IMAP_SYNC_NO_EXPUNGE, imap_sort},
    {"THREAD", IMAP_SELECTED | IMAP_HAS_UID, IMAP_SYNC_NO_EXPUNGE, imap_thread},
    {"STORE", IMAP_SELECTED | IMAP_HAS_UID | IMAP_WRITES, IMAP_SYNC_NO_EXPUNGE, imap_store},
    {"UNSELECT", IMAP_SELECTED, IMAP_SYNC_NONE, imap_unselect_command},
    {"APPEND", IMAP_AUTHENTICATED | IMAP_WRITES_ELSEWHERE, IMAP_SYNC_ALL, imap_append},
    {"COPY", IMAP_SELECTED | IMAP_HAS_UID | IMAP_WRITES_ELSEWHERE, IMAP_SYNC_ALL, imap_copy},
    {"MOVE", IMAP_SELECTED | IMAP_HAS_UID | IMAP_WRITES, IMAP_SYNC_ALL, imap_move},
    {"EXPUNGE", IMAP_SELECTED | IMAP_HAS_UID | IMAP_WRITES, IMAP_SYNC_ALL, imap_expunge},
    {"CLOSE", IMAP_SELECTED, IMAP_SYNC_NONE, imap_close},
};

const struct imap_verb *imap_verb_find(const char *name, bool uid)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if ((!uid || verbs[i].where & IMAP_HAS_UID) && strcasecmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}
