/*
 * What can be changed while the sandbox runs: by --set on the command line and by POST /settings
 * on the control port. Names may be written with '-' or '_'. Guarded by the sandbox's lock.
 */
#ifndef SANDBOX_SETTINGS_H
#define SANDBOX_SETTINGS_H

#include "caller.h"

#include <stdbool.h>
#include <stdint.h>

#define SETTING_TEXT_MAX 1024

enum article_mode { ARTICLE_NORMAL, ARTICLE_ABSENT, ARTICLE_SHUFFLED, ARTICLE_DUPLICATE };
enum expand_mode { EXPAND_FAIL, EXPAND_IGNORE, EXPAND_HONOUR };
enum headers_mode {
    HEADERS_FULL,
    HEADERS_UNENDED, /* without the blank line */
    HEADERS_CUT_255,
    HEADERS_CUT_510,
    HEADERS_CUT_512,
    HEADERS_ABSENT
};
enum folder_delta_mode { FOLDER_DELTA_WHOLE, FOLDER_DELTA_TOP, FOLDER_DELTA_ABSENT };
enum quota_mode { QUOTA_NONE, QUOTA_403, QUOTA_507 };
enum too_large_mode { TOO_LARGE_413, TOO_LARGE_400 };
enum delete_folder_mode { DELETE_FOLDER_RENAME, DELETE_FOLDER_CONFLICT };
enum delete_mode { DELETE_TO_BIN, DELETE_TO_DUMPSTER };
enum refresh_mode { REFRESH_KEPT, REFRESH_REVOKED };
enum sign_in_mode { SIGN_IN_ACCEPT, SIGN_IN_DECLINE };
enum app_scope_mode { APP_SCOPE_RBAC, APP_SCOPE_POLICY };
enum identity_mode { IDENTITY_SYSTEM, IDENTITY_USER, IDENTITY_SEVERAL, IDENTITY_NONE };

struct settings {
    int64_t latency_ms;       /* each answer waits this long */
    int64_t page_cap;         /* most items in a page, 0: as asked */
    int64_t delta_lag_ms;     /* writes show in delta only after this time … */
    int64_t delta_lag_rounds; /* … or only after so many further rounds */
    int64_t late_touch_ms;    /* the service itself changes what was written once more, 0: never */
    int64_t token_life_s;     /* of tokens issued from now on */
    int64_t max_concurrent;   /* per mailbox, the documented 4 */
    int64_t retry_after_ms;   /* told when that is exceeded */
    int64_t retry_grace_ms;   /* a request that was on its way when that went out is no offence */
    bool empty_pages;         /* delta: each page comes after an empty one */
    bool repeats;             /* delta: superseded entries are sent as well */
    bool isread_string;       /* delta: "isRead":"true", as the documentation's own sample */
    bool changed_only;        /* delta: later rounds bear only what changed */
    bool mime_rerender;       /* $value differs at each request in one header */
    bool delta_absent;        /* delta is unknown, as in the cloud run by 21Vianet */
    bool delta_categories;    /* changes of categories alone show in delta */
    bool delta_properties;    /* changes of extended properties alone show in delta */
    bool folder_delta_counts; /* changes of a folder's counters alone show in folder delta */
    bool article_next_absent; /* folders lack Integer 0x6751 */
    bool permanent_delete;    /* permanentDelete is known: the global cloud only */
    int folder_delta;         /* enum folder_delta_mode */
    int delete_to;            /* enum delete_mode: where DELETE puts a message */
    int delete_folder;        /* enum delete_folder_mode: where its name is in Deleted Items */
    int mailbox_full;         /* enum quota_mode: what creates and copies are refused with */
    int too_large;            /* enum too_large_mode: what a request over 4 MB is refused with */
    int64_t upload_life_s;    /* of upload sessions opened from now on */
    int headers;              /* enum headers_mode: String 0x007D of received mail */
    int article;              /* enum article_mode: Integer 0x0E23 and 0x6751 */
    int delta_expand;         /* enum expand_mode: $expand in message delta */

    /* Signing in. */
    int64_t cae_life_s;        /* of tokens for clients that know claims challenges, 0: as others */
    int64_t refresh_life_s;    /* a refresh token that was not used for so long is dead */
    int64_t code_life_s;       /* of authorization codes */
    int64_t device_life_s;     /* of device codes, of those given from now on … */
    int64_t device_interval_s; /* … and how often they may be polled */
    int refresh_reuse;         /* enum refresh_mode: what becomes of one that was used */
    int sign_in;               /* enum sign_in_mode: what the user does at …/authorize */
    char sign_in_as[SETTING_TEXT_MAX]; /* and as whom; "": the login_hint, or the first mailbox */
    bool public_client;                /* users sign in without a credential of the client */
    bool local_graph;    /* addresses of this machine are Graph's in scopes and resources */
    scope_set consented; /* delegated permissions that the application has */
    char federated_issuer[SETTING_TEXT_MAX]; /* whose assertions are taken; "": nobody's */
    char federated_subject[SETTING_TEXT_MAX];
    char federated_audience[SETTING_TEXT_MAX];
    int managed_identity; /* enum identity_mode: what the metadata service has */

    /* What a token may do. */
    scope_set app_roles;                  /* the application's permissions */
    char app_mailboxes[SETTING_TEXT_MAX]; /* the only ones that it reaches; "": all */
    int app_scope;                        /* enum app_scope_mode: by what it is limited to them */
    char shared_mailboxes[SETTING_TEXT_MAX]; /* "delegate=mailbox …": who may open whose */

    bool report_concealed; /* reports bear no names */
    int64_t report_life_s; /* of their URLs */
};

void settings_init(struct settings *s);
/* Is the application limited to mailboxes by Exchange's RBAC for Applications? */
bool settings_app_is_scoped(const struct settings *s);
/* False: unknown name, or a value that does not fit; `why` (static text) says which. */
bool settings_set(struct settings *s, const char *name, const char *value, const char **why);

#endif
