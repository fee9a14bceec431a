/* From paths to folders. */
#include "../../../src/mailbox/internal.h"
#include "rig.h"

#include <string.h>

extern const struct unit_test tree_tests[];

/* Opens the path; its id is `id`, or it is not there. Returns the requests that it took. */
static unsigned open_path(struct rig *r, const char *path, const char *id_or_null)
{
    struct error e = ERROR_INIT;
    exchange_counts(r->exchange, NULL);
    struct mailbox_folder *f = mailbox_folder_open(r->account, path, &r->wait, &e);
    CU_ASSERT_EQUAL(f != NULL, id_or_null != NULL);
    if (f && id_or_null)
        CU_ASSERT_STRING_EQUAL(f->graph_id, id_or_null);
    if (!f)
        CU_ASSERT_EQUAL(e.kind, ERROR_FOLDER_GONE);
    mailbox_folder_release(&f);
    return exchange_counts(r->exchange, NULL);
}

static void open_all(struct rig *r)
{
    open_path(r, "Archive", EXCHANGE_ARCHIVE);
    open_path(r, "archive", EXCHANGE_ARCHIVE);         /* Exchange does not mind */
    open_path(r, "Archive/2026/Q1", EXCHANGE_QUARTER); /* a '/' of its own */
    open_path(r, "Posteingang", EXCHANGE_INBOX);
    open_path(r, "Archive/2026", NULL);
    open_path(r, "INBOX/Archive", NULL);
    open_path(r, "/", NULL);
    open_path(r, "", NULL);
    CU_ASSERT_EQUAL(open_path(r, "inbox", EXCHANGE_INBOX), 0);
    CU_ASSERT_EQUAL(open_path(r, "Archive/2026/Q1", EXCHANGE_QUARTER), 0); /* remembered */
}

static void test_paths(void)
{
    struct rig r;
    rig_init(&r, 1);
    rig_open(&r);
    open_all(&r);
    rig_close(&r);
    rig_open(&r);
    CU_ASSERT_EQUAL(open_path(&r, "Archive/2026/Q1", EXCHANGE_QUARTER), 0);
    rig_close(&r);
    rig_free(&r);
}

static void test_paths_without_delta(void)
{
    struct rig r;
    rig_init(&r, 1);
    exchange_lock(r.exchange)->no_delta = true;
    exchange_unlock(r.exchange);
    rig_open(&r);
    open_all(&r);
    rig_close(&r);
    rig_free(&r);
}

const struct unit_test tree_tests[] = {
    {"paths", test_paths},
    {"paths without folder delta", test_paths_without_delta},
    {NULL, NULL},
};
