/* Damaged files, full disks, killed processes. */
#include "../unit.h"
#include "db_util.h"
#include "scratch.h"

#include "postern/base/clock.h"
#include "postern/base/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE     4096
#define MESSAGES 2000
/* More than SQLite's cache of pages holds, so that damage behind its back is met. */
#define MESSAGES_UNCACHED 15000

static const char *root;
static const char *path;

/* A closed database with that many rows. The log goes to a file of the scratch directory. */
static void begin_with(uint32_t messages)
{
    bool fresh;
    struct error e = ERROR_INIT;
    root = scratch_make();
    struct log_settings log = {LOG_LEVEL_INFO, LOG_TEXT, scratch_path("log")};
    CU_ASSERT(log_open(&log, &e));
    struct store_db *db = db_open(root, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    CU_ASSERT(db_fill(db, db_folder(db, "f"), 1, messages));
    store_db_close(&db);
    path = db_path(root);
}

static void begin(void)
{
    begin_with(MESSAGES);
}

static void end(void)
{
    struct error e = ERROR_INIT;
    struct log_settings log = {LOG_LEVEL_INFO, LOG_TEXT, "stderr"};
    CU_ASSERT(log_open(&log, &e));
    scratch_remove();
}

static int64_t folder_key(struct store_db *db)
{
    struct error e = ERROR_INIT;
    struct store_folder f;
    int64_t key = store_folder_find(db, "f", &f, &e) == 1 ? f.key : 0;
    store_folder_free(&f);
    return key;
}

/* It was noticed, kept under another name, told in the log, and a new one works. */
static void check_replaced(void)
{
    bool fresh = false;
    struct error e = ERROR_INIT;
    struct store_db *db = db_open(root, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    CU_ASSERT(fresh);
    CU_ASSERT_EQUAL(folder_key(db), 0);
    CU_ASSERT(db_fill(db, db_folder(db, "f"), 1, 10));
    CU_ASSERT(scratch_count(store_db_dir(db), "mail.db.corrupt-") >= 1);
    CU_ASSERT(scratch_size(scratch_path("log")) > 0);
    store_db_close(&db);
    db = db_open(root, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    CU_ASSERT_FALSE(fresh);
    CU_ASSERT_EQUAL(db_uids(db, folder_key(db), NULL, 0), 10);
    store_db_close(&db);
}

static void test_header(void)
{
    begin();
    CU_ASSERT(scratch_flip(path, 0, 16));
    check_replaced();
    end();
}

/* Some bytes of the header do no harm; no other one may leave the mailbox shut out for ever. */
static void test_each_byte_of_the_header(void)
{
    const off_t version_low = 63; /* one byte off it looks like a newer program's */
    begin_with(10);
    for (off_t at = 0; at < 100; at++) {
        bool fresh;
        struct error e = ERROR_INIT;
        CU_ASSERT(scratch_flip(path, at, 1));
        struct store_db *db = db_open(root, &fresh, &e);
        CU_ASSERT((db != NULL) == (at != version_low));
        bool ok = db ? !fresh || db_fill(db, db_folder(db, "f"), 1, 10) : scratch_flip(path, at, 1);
        CU_ASSERT(ok);
        store_db_close(&db);
    }
    end();
}

static void test_header_fields(void)
{
    begin();
    CU_ASSERT(scratch_flip(path, 40, 40));
    check_replaced();
    end();
}

/* Each time one more is set aside, and the newest three are kept. */
static void test_again_and_again(void)
{
    begin_with(1);
    char *dir = strndup(path, strlen(path) - strlen("/mail.db"));
    for (int i = 0; i < 5; i++) {
        bool fresh;
        struct error e = ERROR_INIT;
        clock_test_set(0, (1000 + i) * CLOCK_SECOND);
        CU_ASSERT(scratch_flip(path, 0, 64));
        struct store_db *db = db_open(root, &fresh, &e);
        CU_ASSERT(db && fresh);
        store_db_close(&db);
        CU_ASSERT_EQUAL(scratch_count(dir, "corrupt"), i < 3 ? i + 1 : 3);
    }
    clock_test_off();
    CU_ASSERT_EQUAL(scratch_count(dir, "00:16:40"), 0);
    CU_ASSERT_EQUAL(scratch_count(dir, "00:16:44"), 1);
    free(dir);
    end();
}

static void test_not_a_database(void)
{
    begin();
    FILE *f = fopen(path, "w");
    fputs("this was once a database\n", f);
    fclose(f);
    check_replaced();
    end();
}

static void test_page_in_the_middle(void)
{
    begin();
    CU_ASSERT(scratch_flip(path, scratch_size(path) / 2 / PAGE * PAGE, PAGE));
    check_replaced();
    end();
}

static void test_cut_short(void)
{
    begin();
    CU_ASSERT_EQUAL(truncate(path, scratch_size(path) / 2 / PAGE * PAGE), 0);
    check_replaced();
    end();
}

static void test_noticed_later(void)
{
    bool fresh;
    struct error e = ERROR_INIT;
    begin_with(MESSAGES_UNCACHED);
    struct store_db *db = db_open(root, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    int64_t folder = folder_key(db);
    CU_ASSERT(scratch_flip(path, 4 * PAGE, (size_t)(scratch_size(path) - 4 * PAGE)));
    CU_ASSERT_EQUAL(db_uids(db, folder, NULL, 0), -1);
    struct store_folder f;
    CU_ASSERT_EQUAL(store_folder_find(db, "f", &f, &e), -1);
    CU_ASSERT_EQUAL(e.kind, ERROR_LOCAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "opened again"));
    CU_ASSERT_PTR_NULL(store_tx_begin(db, &e));
    CU_ASSERT(scratch_count(store_db_dir(db), "mail.db.corrupt-") >= 1);
    CU_ASSERT_FALSE(scratch_exists(path));
    store_db_close(&db);
    check_replaced();
    end();
}

static void test_noticed_in_a_transaction(void)
{
    bool fresh;
    struct error e = ERROR_INIT;
    begin_with(MESSAGES_UNCACHED);
    struct store_db *db = db_open(root, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    int64_t folder = folder_key(db);
    CU_ASSERT(scratch_flip(path, 4 * PAGE, (size_t)(scratch_size(path) - 4 * PAGE)));
    struct store_tx *tx = store_tx_begin(db, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tx);
    bool ok = true;
    for (uint32_t uid = 1; ok && uid <= MESSAGES_UNCACHED; uid += 100)
        ok = store_tx_expunge(tx, folder, uid, 1, &e);
    CU_ASSERT_FALSE(ok);
    CU_ASSERT_FALSE(store_tx_commit(&tx, &e));
    CU_ASSERT(scratch_count(store_db_dir(db), "mail.db.corrupt-") >= 1);
    store_db_close(&db);
    check_replaced();
    end();
}

/* Commits `count` messages in pairs, then dies without closing. */
static void child_leaves_wal(uint32_t first, uint32_t count)
{
    pid_t child = fork();
    if (child == 0) {
        bool fresh;
        struct error e = ERROR_INIT;
        struct store_db *db = db_open(root, &fresh, &e);
        bool ok = db != NULL;
        for (uint32_t i = 0; ok && i < count; i += 2)
            ok = db_fill(db, folder_key(db), first + i, first + i + 1);
        kill(getpid(), ok ? SIGKILL : SIGTERM);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* What a torn end of the write-ahead log holds is lost, as a whole transaction; no more. */
static void test_torn_wal(void)
{
    bool fresh;
    struct error e = ERROR_INIT;
    begin();
    child_leaves_wal(MESSAGES + 1, 20);
    const char *wal = scratch_find(scratch_path("mailboxes/%.32s", strstr(path, "mailboxes") + 10),
                                   "mail.db-wal");
    CU_ASSERT_PTR_NOT_NULL_FATAL(wal);
    CU_ASSERT_EQUAL(truncate(wal, scratch_size(wal) - 100), 0);
    struct store_db *db = db_open(root, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    CU_ASSERT_FALSE(fresh);
    CU_ASSERT_EQUAL(db_uids(db, folder_key(db), NULL, 0), MESSAGES + 18);
    store_db_close(&db);
    end();
}

static void test_full_disk(void)
{
    bool fresh;
    struct error e = ERROR_INIT;
    struct rlimit old, tight;
    begin();
    struct store_db *db = db_open(root, &fresh, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    int64_t folder = folder_key(db);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    tight = old;
    tight.rlim_cur = 96 * 1024;
    setrlimit(RLIMIT_FSIZE, &tight);
    struct store_tx *tx = store_tx_begin(db, &e);
    bool ok = tx != NULL;
    for (uint32_t uid = MESSAGES + 1; ok && uid < MESSAGES + 5000; uid++) {
        char id[32];
        snprintf(id, sizeof id, "new-%u", uid);
        struct store_message m = db_message(uid, id);
        ok = store_tx_put(tx, folder, &m, &e);
    }
    ok = tx && store_tx_commit(&tx, &e) && ok;
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    CU_ASSERT_FALSE(ok);
    CU_ASSERT_EQUAL(e.kind, ERROR_LOCAL);
    /* Room again: nothing was lost, and it goes on. */
    CU_ASSERT_EQUAL(db_uids(db, folder, NULL, 0), MESSAGES);
    CU_ASSERT(db_fill(db, folder, MESSAGES + 1, MESSAGES + 10));
    store_db_close(&db);
    db = db_open(root, &fresh, &e);
    CU_ASSERT_EQUAL(db_uids(db, folder, NULL, 0), MESSAGES + 10);
    store_db_close(&db);
    end();
}

/* Says each UID on the pipe once its commit has returned. Never returns. */
static void commit_for_ever(int out, uint32_t uid)
{
    bool fresh;
    struct error e = ERROR_INIT;
    struct store_db *db = db_open(root, &fresh, &e);
    int64_t folder = db ? folder_key(db) : 0;
    for (; db && db_fill(db, folder, uid, uid + 2); uid += 3) {
        uint32_t last = uid + 2;
        if (write(out, &last, sizeof last) != sizeof last)
            break;
    }
    _exit(1);
}

static uint32_t run_and_kill(uint32_t first, int reports)
{
    int fds[2];
    uint32_t last = 0, seen;
    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        commit_for_ever(fds[1], first);
    }
    close(fds[1]);
    for (int i = 0; i < reports && read(fds[0], &seen, sizeof seen) == sizeof seen; i++)
        last = seen;
    kill(child, SIGKILL);
    while (read(fds[0], &seen, sizeof seen) == sizeof seen)
        last = seen;
    waitpid(child, NULL, 0);
    close(fds[0]);
    return last;
}

static void test_kill(void)
{
    begin();
    uint32_t told = MESSAGES;
    for (int round = 0; round < 20; round++) {
        bool fresh;
        struct error e = ERROR_INIT;
        uint32_t last = run_and_kill(told + 1, 1 + round * 3);
        CU_ASSERT(last > told);
        struct store_db *db = db_open(root, &fresh, &e);
        CU_ASSERT_PTR_NOT_NULL_FATAL(db);
        CU_ASSERT_FALSE(fresh);
        int count = db_uids(db, folder_key(db), NULL, 0);
        /* Every UID that was reported, and at most one more transaction, whole. */
        CU_ASSERT(count == (int)last || count == (int)last + 3);
        told = (uint32_t)count;
        store_db_close(&db);
    }
    end();
}

extern const struct unit_test damage_tests[];
const struct unit_test damage_tests[] = {
    {"a broken header", test_header},
    {"broken fields of the header", test_header_fields},
    {"each byte of the header", test_each_byte_of_the_header},
    {"damaged again and again", test_again_and_again},
    {"not a database at all", test_not_a_database},
    {"a broken page", test_page_in_the_middle},
    {"a file cut short", test_cut_short},
    {"damage noticed by a later call", test_noticed_later},
    {"damage noticed in a transaction", test_noticed_in_a_transaction},
    {"a torn write-ahead log", test_torn_wal},
    {"a full disk", test_full_disk},
    {"kill -9 loses no UID that was reported", test_kill},
    {NULL, NULL},
};
