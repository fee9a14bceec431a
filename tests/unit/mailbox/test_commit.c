/* Commits to a folder, and originals of appended messages, in front of the mailbox of exchange.h.
 */
#include "../../../src/mailbox/internal.h"
#include "rig.h"

#include "postern/mailbox/flags.h"
#include "postern/mailbox/view.h"
#include "postern/store/original.h"

extern const struct unit_test commit_tests[];

static void open_with(struct rig *r, unsigned messages)
{
    rig_init(r, messages);
    rig_open(r);
    rig_sync(r);
}

static void finish(struct rig *r)
{
    rig_close(r);
    rig_free(r);
}

/* STATUS may tell what it decided before a first sync told more. */
static void test_told_does_not_fall(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    open_with(&r, 3);
    uint32_t uidnext = mailbox_folder_uidnext(r.folder);
    uint32_t uidvalidity = mailbox_folder_uidvalidity(r.folder);
    CU_ASSERT(folder_set_told(r.folder, uidvalidity - 1, uidnext - 1, &e));
    CU_ASSERT_EQUAL(mailbox_folder_uidvalidity(r.folder), uidvalidity);
    CU_ASSERT_EQUAL(mailbox_folder_uidnext(r.folder), uidnext);
    CU_ASSERT(folder_set_told(r.folder, uidvalidity + 1, uidnext + 1, &e));
    CU_ASSERT_EQUAL(mailbox_folder_uidvalidity(r.folder), uidvalidity + 1);
    CU_ASSERT_EQUAL(mailbox_folder_uidnext(r.folder), uidnext + 1);
    finish(&r);
}

/* A round that began before STATUS told a higher one. */
static void test_commit_does_not_fall(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    struct merge_result nothing = {0};
    struct folder_commit c = {.result = &nothing};
    bool marked;
    open_with(&r, 3);
    char *link = folder_sync_state(r.folder, &c.uids, &marked);
    uint32_t uidnext = c.uids.uidnext;
    c.delta_link = link;
    c.marked = marked;
    CU_ASSERT(folder_set_told(r.folder, 0, uidnext + 7, &e));
    CU_ASSERT(folder_commit(r.folder, &c, &e));
    CU_ASSERT_EQUAL(mailbox_folder_uidnext(r.folder), uidnext + 7);
    free(link);
    finish(&r);
}

static void keep_original(struct rig *r, const char *id)
{
    struct error e = ERROR_INIT;
    struct store_spool *spool = store_spool_new(r->account->db, &e);
    const struct store_original original = {
        .size = 4, .received_ms = INT64_MIN, .flags = MAILBOX_DRAFT};
    CU_ASSERT_FATAL(spool != NULL);
    CU_ASSERT(store_spool_append(spool, "text", 4, &e));
    CU_ASSERT(store_original_keep(r->account->db, spool, id, &original, &e));
    store_spool_free(&spool);
}

static bool has_original(struct rig *r, const char *id)
{
    struct error e = ERROR_INIT;
    struct store_original found;
    return store_original_find(r->account->db, id, &found, &e) == 1;
}

/* What is sent has the id of its draft, and not its text. */
static void test_sent_draft(void)
{
    struct rig r;
    open_with(&r, 0);
    keep_original(&r, "m-0001");
    keep_original(&r, "m-0002");
    exchange_lock(r.exchange)->drafts = true;
    exchange_unlock(r.exchange);
    exchange_deliver(r.exchange, 2);
    rig_sync(&r);
    CU_ASSERT(has_original(&r, "m-0001") && has_original(&r, "m-0002"));
    exchange_take_away(r.exchange, "m-0001");
    exchange_take_away(r.exchange, "m-0002");
    rig_sync(&r);
    exchange_send(r.exchange, "m-0001");
    exchange_put_back(r.exchange, "m-0001", false);
    exchange_put_back(r.exchange, "m-0002", false); /* that was only moved */
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_count(&r), 2);
    CU_ASSERT(!has_original(&r, "m-0001") && has_original(&r, "m-0002"));
    finish(&r);
}

/* The last word counts, not that of the APPEND. */
static void test_draft_told_later(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    struct store_original original;
    enum mailbox_outcome outcome;
    const struct mailbox_flag_change change = {
        .op = MAILBOX_FLAGS_REMOVE, .flags = MAILBOX_DRAFT, .keywords = ""};
    open_with(&r, 0);
    keep_original(&r, "m-0001");
    exchange_lock(r.exchange)->drafts = true;
    exchange_unlock(r.exchange);
    exchange_deliver(r.exchange, 1);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_DRAFT);
    uint32_t uid = rig_uid(&r, 0);
    CU_ASSERT(mailbox_store(r.folder, &uid, 1, &change, MAILBOX_ANY_MODSEQ, &outcome, &r.wait, &e));
    exchange_set_read(r.exchange, "m-0001", true);
    rig_sync(&r);
    CU_ASSERT_EQUAL(rig_flags(&r, 0), MAILBOX_DRAFT_CONTRARY | MAILBOX_SEEN);
    CU_ASSERT_EQUAL(store_original_find(r.account->db, "m-0001", &original, &e), 1);
    CU_ASSERT(!(original.flags & MAILBOX_DRAFT) && original.draft);
    finish(&r);
}

/* Who deletes by POP3 what another marked by IMAP: in Deleted Items it waits for no EXPUNGE. */
static void test_deleted_twice(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    struct mailbox_delete_result result;
    char state[320];
    open_with(&r, 2);
    exchange_set_properties(r.exchange, "m-0001", true, 0);
    const uint32_t uids[] = {rig_uid(&r, 0), rig_uid(&r, 1)};
    CU_ASSERT(mailbox_delete(r.folder, uids, 2, EXPUNGE_DELETED_ITEMS, &r.wait, &result, &e));
    CU_ASSERT_STRING_EQUAL(exchange_where(r.exchange, "m-0001"), EXCHANGE_TRASH);
    exchange_state(r.exchange, "m-0001", state);
    CU_ASSERT_STRING_EQUAL(state, "0 ");
    struct exchange_counts counts;
    exchange_counts(r.exchange, &counts);
    CU_ASSERT_EQUAL(counts.update, 1);
    finish(&r);
}

const struct unit_test commit_tests[] = {
    {"what STATUS told does not fall", test_told_does_not_fall},
    {"UIDNEXT does not fall by a commit", test_commit_does_not_fall},
    {"a draft that was sent", test_sent_draft},
    {"\\Draft told later than appended", test_draft_told_later},
    {"what is marked as deleted is deleted", test_deleted_twice},
    {NULL, NULL},
};
