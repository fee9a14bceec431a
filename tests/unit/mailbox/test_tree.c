/* From paths to folders. */
#include "../../../src/mailbox/internal.h"
#include "rig.h"

#include "postern/base/alloc.h"

#include <ctype.h>
#include <stdlib.h>
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

/* A folder that is gone is looked for again under each of its names. */
static void test_gone(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    rig_init(&r, 1);
    rig_open(&r);
    open_path(&r, "Archive", EXCHANGE_ARCHIVE);
    open_path(&r, "archive", EXCHANGE_ARCHIVE);
    struct mailbox_folder *f = mailbox_folder_open(r.account, "Archive", &r.wait, &e);
    tree_forget(f);
    mailbox_folder_release(&f);
    CU_ASSERT(open_path(&r, "archive", EXCHANGE_ARCHIVE) > 0);
    open_path(&r, "Archive", EXCHANGE_ARCHIVE);
    rig_close(&r);
    rig_free(&r);
}

/* Two logins may spell one mailbox differently. */
static void test_case(void)
{
    struct rig r;
    struct error e = ERROR_INIT;
    rig_init(&r, 1);
    rig_open(&r);
    char *shouted = xstrdup(r.account->mailbox);
    shouted[0] = (char)toupper((unsigned char)shouted[0]);
    struct mailbox_account *same = mailbox_account_get(
        r.registry, &(struct principal){.tenant = r.account->owner}, shouted, &e);
    CU_ASSERT_PTR_EQUAL(same, r.account);
    mailbox_account_release(&same);
    free(shouted);
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

static void test_paths_with_delta_of_the_top(void)
{
    struct rig r;
    rig_init(&r, 1);
    exchange_lock(r.exchange)->top_delta = true;
    exchange_unlock(r.exchange);
    rig_open(&r);
    open_all(&r);
    rig_close(&r);
    rig_free(&r);
}

const struct unit_test tree_tests[] = {
    {"paths", test_paths},
    {"a folder that is gone", test_gone},
    {"a mailbox spelled differently", test_case},
    {"paths without folder delta", test_paths_without_delta},
    {"paths where the delta tells the top level", test_paths_with_delta_of_the_top},
    {NULL, NULL},
};
