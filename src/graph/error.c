#include "error.h"

#include "json.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* So much of Graph's own message goes into ours; advice and ids need the rest. */
#define MESSAGE_SHOWN 140

struct meaning {
    int status;       /* 0: whatever the status */
    const char *code; /* NULL: whatever the code; compared without case */
    enum error_kind kind;
    const char *advice;
};

#define GRANT                                                                                      \
    "grant Mail.ReadWrite for it (RBAC for Applications may leave it out; a person needs Full "    \
    "Access, too); postern doctor looks into it"
#define MAILBOX "check the login's mailbox: it must be an Exchange Online mailbox of this tenant"
#define LATER   "Microsoft 365 has a passing fault; try again later"
#define FULL    "the mailbox is full: free space or raise its quota"
#define TAKEN   "a folder of that name is there already"
#define FIXED   "Exchange needs this folder and keeps it as it is"

/* First match wins: codes before bare statuses. */
static const struct meaning meanings[] = {
    {0, "SyncStateNotFound", ERROR_RESYNC, "the folder is read anew"},
    {0, "SyncStateInvalid", ERROR_RESYNC, "the folder is read anew"},
    {0, "ResyncRequired", ERROR_RESYNC, "the folder is read anew"},
    {0, "ErrorQuotaExceeded", ERROR_QUOTA, FULL},
    {0, "ErrorMessageSizeExceeded", ERROR_TOO_BIG, "the message is over Exchange's limit"},
    {0, "ErrorFolderExists", ERROR_EXISTS, TAKEN},
    {0, "ErrorDeleteDistinguishedFolder", ERROR_CANNOT, FIXED},
    {0, "ErrorMoveDistinguishedFolder", ERROR_CANNOT, FIXED},
    {0, "ErrorCreateDistinguishedFolder", ERROR_CANNOT, FIXED},
    {0, "ErrorInvalidFolderName", ERROR_CANNOT, "choose another name for the folder"},
    {0, "ErrorIrresolvableConflict", ERROR_CONFLICT, "it was changed at the same moment"},
    {0, "ApplicationThrottled", ERROR_THROTTLED, "Microsoft 365 throttles; try again later"},
    {0, "ActivityLimitReached", ERROR_THROTTLED, "Microsoft 365 throttles; try again later"},
    {0, "TooManyRequests", ERROR_THROTTLED, "Microsoft 365 throttles; try again later"},
    {0, "ErrorServerBusy", ERROR_THROTTLED, "Microsoft 365 throttles; try again later"},
    {0, "MailboxNotEnabledForRESTAPI", ERROR_MAILBOX_GONE, MAILBOX},
    {0, "ErrorNonExistentMailbox", ERROR_MAILBOX_GONE, MAILBOX},
    {0, "ErrorInvalidUser", ERROR_MAILBOX_GONE, MAILBOX},
    {0, "MailboxNotFound", ERROR_MAILBOX_GONE, MAILBOX},
    {0, "ErrorMailboxMoveInProgress", ERROR_TEMPORARY, "the mailbox is being moved; wait"},
    {0, "ErrorMailboxStoreUnavailable", ERROR_TEMPORARY, LATER},
    {404, "ResourceNotFound", ERROR_MAILBOX_GONE, MAILBOX},
    {404, "Request_ResourceNotFound", ERROR_MAILBOX_GONE, MAILBOX},
    {404, "ErrorFolderNotFound", ERROR_FOLDER_GONE, "the folder no longer exists"},
    {404, "ErrorToFolderNotFound", ERROR_FOLDER_GONE, "the folder no longer exists"},
    {0, "ErrorAccessDenied", ERROR_DENIED, GRANT},
    {0, "Authorization_RequestDenied", ERROR_DENIED, GRANT},
    {401, NULL, ERROR_SIGN_IN,
     "Graph refuses a fresh token: check tenant-id, client-id and cloud of the tenant"},
    {403, NULL, ERROR_DENIED, GRANT},
    {408, NULL, ERROR_TEMPORARY, LATER},
    {409, NULL, ERROR_CONFLICT, "it was changed at the same moment"},
    {410, NULL, ERROR_RESYNC, "the folder is read anew"},
    {412, NULL, ERROR_CONFLICT, "it was changed at the same moment"},
    {413, NULL, ERROR_TOO_BIG, "the request is over Graph's limit of 4 MB"},
    {423, NULL, ERROR_TEMPORARY, "the mailbox is locked; try again later"},
    {429, NULL, ERROR_THROTTLED, "Microsoft 365 throttles; try again later"},
    {507, NULL, ERROR_QUOTA, FULL},
};

bool answer_is_type(const struct answer *a, const char *type)
{
    size_t n = strcspn(a->content_type, "; \t");
    return n == strlen(type) && strncasecmp(a->content_type, type, n) == 0;
}

bool answer_is_json(const struct answer *a)
{
    size_t n = strcspn(a->content_type, "; \t");
    return answer_is_type(a, "application/json") ||
           (n > 17 && strncasecmp(a->content_type, "application/", 12) == 0 &&
            strncasecmp(a->content_type + n - 5, "+json", 5) == 0);
}

static enum error_kind kind_of_status(int status, enum error_subject subject, const char **advice)
{
    if (status >= 300 && status < 400) {
        *advice = "Postern follows no redirects; check graph-url and the proxy";
        return ERROR_ANSWER;
    }
    if (status == 404) {
        *advice = "it no longer exists";
        return subject == SUBJECT_MESSAGE ? ERROR_GONE : ERROR_FOLDER_GONE;
    }
    if (status >= 500 && status != 501) {
        *advice = LATER;
        return ERROR_TEMPORARY;
    }
    *advice = "please report this as a fault of Postern";
    return ERROR_REQUEST;
}

static enum error_kind judge(const struct answer *a, enum error_subject subject, const char *code,
                             const char *message, const char **advice)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        const struct meaning *m = &meanings[i];
        if ((!m->status || m->status == a->status) &&
            (!m->code || strcasecmp(m->code, code) == 0)) {
            *advice = m->advice;
            return m->kind;
        }
    }
    if (a->status == 400 && strcasestr(message, "maximum request length")) {
        *advice = "the request is over Graph's limit of 4 MB";
        return ERROR_TOO_BIG;
    }
    if (a->status == 503 && a->retry_after[0]) {
        *advice = "Microsoft 365 throttles; try again later";
        return ERROR_THROTTLED;
    }
    return kind_of_status(a->status, subject, advice);
}

/* The request-id of the body, for where a proxy ate the header. */
static const char *inner_request_id(struct json_object *error)
{
    struct json_object *inner = NULL;
    if (!json_object_object_get_ex(error, "innerError", &inner) &&
        !json_object_object_get_ex(error, "innererror", &inner))
        return NULL;
    return json_peek_string(inner, "request-id");
}

void graph_error_classify(const struct answer *a, enum error_subject subject, const char *body,
                          size_t len, struct error *e)
{
    struct error ignored = ERROR_INIT;
    struct json_object *error = NULL;
    struct json_object *root = len ? json_read(body, len, &ignored) : NULL;
    if (root)
        json_object_object_get_ex(root, "error", &error);
    const char *code = json_peek_string(error, "code");
    const char *message = json_peek_string(error, "message");
    const char *inner_id =
        json_object_is_type(error, json_type_object) ? inner_request_id(error) : NULL;
    const char *advice;
    enum error_kind kind = judge(a, subject, code ? code : "", message ? message : "", &advice);
    if (code)
        error_set(e, kind, "Graph answered %d %s (%.*s); %s", a->status, code, MESSAGE_SHOWN,
                  message ? message : "", advice);
    else
        error_set(e, kind, "Graph, or a proxy before it, answered %d%s%s; %s", a->status,
                  a->location[0] ? " to " : "", a->location, advice);
    graph_error_word(e->code, sizeof e->code, code);
    if (inner_id)
        graph_error_word(e->request_id, sizeof e->request_id, inner_id);
    graph_error_sign(e, a);
    json_object_put(root);
}

void graph_error_inside(struct json_object *error, struct error *e)
{
    const char *code = json_peek_string(error, "code");
    const char *message = json_peek_string(error, "message");
    error_set(e, ERROR_ANSWER, "Graph answered with an error inside a success: %s (%.*s)",
              code ? code : "no code", MESSAGE_SHOWN, message ? message : "");
    graph_error_word(e->code, sizeof e->code, code);
}

void graph_error_word(char *out, size_t size, const char *text)
{
    size_t n = 0;
    for (; text && text[n] && n + 1 < size; n++)
        out[n] = text[n] > ' ' && text[n] < 0x7f ? text[n] : '?';
    out[n] = '\0';
}

void graph_error_sign(struct error *e, const struct answer *a)
{
    e->status = a->status;
    if (a->request_id[0])
        graph_error_word(e->request_id, sizeof e->request_id, a->request_id);
    size_t n = strlen(e->text);
    snprintf(e->text + n, sizeof e->text - n, " [request-id %s, client-request-id %s]",
             e->request_id[0] ? e->request_id : "none",
             a->client_request_id[0] ? a->client_request_id : "none");
}
