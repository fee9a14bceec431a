/* APPEND of one message or of many (RFC 3501 section 6.3.11, RFC 3502, RFC 4315, RFC 7889). */
#include "commands.h"
#include "respond.h"

#include "postern/mailbox/transfer.h"
#include "postern/session/inventory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define APPENDUID_MAX ((size_t)8 * 1024)
#define AFTER_DAY_LEN ((size_t)24) /* "-Nov-2026 05:44:24 +0000" */

/* ---- date-time ---- */

/* Two digits, or more; false: something else. */
static bool digits(const char *text, size_t count, int *value)
{
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *value = *value * 10 + (text[i] - '0');
    }
    return true;
}

static int month_of(const char *text)
{
    static const char names[] = "jan feb mar apr may jun jul aug sep oct nov dec";
    char folded[4] = {0};
    for (int i = 0; i < 3; i++)
        folded[i] = (char)(text[i] | 0x20);
    const char *found = strstr(names, folded);
    return found && strchr(folded, ' ') == NULL ? (int)(found - names) / 4 + 1 : 0;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to a day that exists; false: it does not. */
static bool days_of(int year, int month, int day, int64_t *days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || day < 1 || day > lengths[month - 1] + (month == 2 && is_leap(year)))
        return false;
    int64_t y = year - 1, n = y * 365 + y / 4 - y / 100 + y / 400;
    for (int m = 1; m < month; m++)
        n += lengths[m - 1] + (m == 2 && is_leap(year));
    *days = n + day - 1 - 719162; /* of 1970 */
    return true;
}

bool imap_parse_date_time(const char *text, int64_t *wall_ms)
{
    int day, year, hour, minute, second, zone_hours, zone_minutes;
    int64_t days;
    const char *number = text + (*text == ' ');
    const char *rest = text + strcspn(text, "-");
    if (rest <= number || rest - text > 2 || strlen(rest) != AFTER_DAY_LEN || rest[4] != '-' ||
        rest[9] != ' ' || rest[12] != ':' || rest[15] != ':' || rest[18] != ' ' ||
        !strchr("+-", rest[19]))
        return false;
    if (!digits(number, (size_t)(rest - number), &day) || !digits(rest + 5, 4, &year) || year < 1 ||
        !digits(rest + 10, 2, &hour) || !digits(rest + 13, 2, &minute) ||
        !digits(rest + 16, 2, &second) || !digits(rest + 20, 2, &zone_hours) ||
        !digits(rest + 22, 2, &zone_minutes))
        return false;
    if (hour > 23 || minute > 59 || second > 60 || zone_minutes > 59 ||
        !days_of(year, month_of(rest + 1), day, &days))
        return false;
    int64_t east = (zone_hours * 60 + zone_minutes) * (rest[19] == '-' ? -1 : 1);
    *wall_ms = (((days * 24 + hour) * 60 + minute - east) * 60 + second) * 1000;
    return true;
}

/* ---- the command ---- */

/* One message of the command: "[(flags)] [date] literal". Moves *arg behind it. False: it was
 * answered. */
static bool take_message(struct imap_session *s, const struct imap_command *c,
                         const struct imap_arg **arg, struct mailbox_append *m)
{
    const struct imap_arg *a = *arg;
    enum imap_flags_refusal refusal = IMAP_FLAGS_TAKEN;
    *m = (struct mailbox_append){.keywords = "", .date_ms = INT64_MIN};
    if (a->type == IMAP_ARG_LIST) {
        if (!imap_parse_flags(a++, s->arena, &m->flags, &m->keywords, &refusal)) {
            imap_bad(s, c, "these are no flags");
            return false;
        }
    }
    if (a->type == IMAP_ARG_QUOTED) {
        if (!imap_parse_date_time((a++)->text, &m->date_ms)) {
            imap_bad(s, c, "the date is not as in \"21-Nov-2026 05:44:24 +0000\"");
            return false;
        }
    }
    if (a->type != IMAP_ARG_LITERAL || !a->upload) {
        imap_bad(s, c, "APPEND takes a folder, flags, a date and a message as a literal");
        return false;
    }
    m->upload = a->upload;
    *arg = a + 1;
    if (refusal)
        imap_refuse_flags(s, c, refusal);
    else if (a->len == 0) /* RFC 3502 section 6.3.11: the client takes the command back */
        imap_no(s, c, NULL, "an empty message is not appended");
    else if (mailbox_upload_has_nul(a->upload) && !a->binary)
        imap_bad(s, c, "a NUL byte has no place in a literal");
    else if (mailbox_upload_has_nul(a->upload))
        imap_no(s, c, "UNKNOWN-CTE", "a message with NUL bytes cannot be kept as it is");
    else
        return true;
    return false;
}

static void tell_uids(struct imap_session *s, const struct imap_command *c,
                      struct mailbox_folder *to, const uint32_t *uids, size_t count)
{
    struct buf code = BUF_INIT(APPENDUID_MAX);
    bool known = true;
    for (size_t i = 0; i < count; i++)
        known = known && uids[i] != 0;
    buf_printf(&code, "APPENDUID %" PRIu32 " ", mailbox_folder_uidvalidity(to));
    imap_put_uids(uids, count, &code);
    imap_done(s, c, known ? buf_str(&code) : NULL, "APPEND completed");
    buf_free(&code);
}

void imap_append(struct imap_session *s, const struct imap_command *c)
{
    struct error e = ERROR_INIT;
    struct mailbox_append *messages = arena_alloc(s->arena, (c->count + 1) * sizeof *messages);
    uint32_t *uids = arena_alloc(s->arena, (c->count + 1) * sizeof *uids);
    const struct imap_arg *arg = c->args + (c->count > 0);
    size_t count = 0;
    do {
        if (!take_message(s, c, &arg, &messages[count++]))
            return;
    } while (arg->type != IMAP_ARG_END);
    struct mailbox_folder *to = imap_open_target(s, c, &c->args[0]);
    if (!to)
        return;
    if (mailbox_append(to, messages, count, s->login->append, uids, imap_wait_to_end(s), &e)) {
        inventory_appended(session_conn_client(s->conn), count);
        tell_uids(s, c, to, uids, count);
    } else {
        imap_fail_target(s, c, &e);
    }
    mailbox_folder_release(&to);
}
