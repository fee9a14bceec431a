#include "../unit.h"

#include "postern/base/config.h"
#include "postern/base/file.h"
#include "postern/base/logins_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD     "$5$rounds=1000$postern$L6QlxBnV6R19/0/aHUK/uhXb2DjbKOduARYp6Sq77o3"
#define NEW     "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$YAXMK9Llbqk/FSGbrI16AP6p2zwE4UhuWrJZceAG.p2"
#define MAILBOX " mailbox = \"a@b.c\"\n tenant = \"contoso\"\n"

/* Does changing `login` make `expected` of `text`? NULL: it is not there; "": it fails. */
static bool becomes(const char *text, const char *login, const char *expected)
{
    struct buf out = BUF_INIT(1 << 16);
    struct error e = ERROR_INIT;
    enum logins_change how = logins_text_set_password(text, login, NEW, &out, &e);
    bool ok;
    if (!expected)
        ok = how == LOGINS_NOT_THERE;
    else if (!*expected)
        ok = how == LOGINS_FAILED && e.text[0];
    else
        ok = how == LOGINS_CHANGED && strcmp(buf_str(&out), expected) == 0;
    if (!ok)
        fprintf(stderr, "%d %s\n%s\n", how, e.text, buf_str(&out));
    buf_free(&out);
    return ok;
}

static void test_replaced(void)
{
    CU_ASSERT_TRUE(becomes("login \"a\" {\n" MAILBOX " password = '" OLD "'\n}\n", "a",
                           "login \"a\" {\n" MAILBOX " password = '" NEW "'\n}\n"));
    CU_ASSERT_TRUE(
        becomes("login a { password = \"x\" }", "a", "login a { password = '" NEW "' }"));
    CU_ASSERT_TRUE(becomes("login a{password=x}", "a", "login a{password='" NEW "'}"));
    CU_ASSERT_TRUE(becomes("login a { password = {x} }", "a", "login a { password = '" NEW "' }"));
    CU_ASSERT_TRUE(becomes("login 'a' {\n password = 'x' # kept\n}\n", "a",
                           "login 'a' {\n password = '" NEW "' # kept\n}\n"));
}

/* Only the one that is meant, whatever looks like it around. */
static void test_found(void)
{
#define AROUND(hash)                                                                               \
    "# login \"b\" { password = 'comment' }\n"                                                     \
    "login \"a\" {\n /* password = 'no' } */ mailbox = 'login \"b\" { password = x }'\n"           \
    " networks = { \"127.0.0.0/8\", \"::1\" }\n password = 'of a'\n}\n"                            \
    "login \"login\" { password = 'of login' }\n"                                                  \
    "login \"b\" { // \"\n networks = { }\n account = password\n device-secret = 'pass\\'word = "  \
    "{' \n"                                                                                        \
    "   password  =  '" hash "' }\n"                                                               \
    "login \"c\" { password = 'of c' } # end"
    CU_ASSERT_TRUE(becomes(AROUND("of b"), "b", AROUND(NEW)));
    CU_ASSERT_TRUE(becomes(AROUND("x"), "d", NULL));
    CU_ASSERT_TRUE(becomes(AROUND("x"), "B", NULL));
    CU_ASSERT_TRUE(becomes("login \"a\\x62\" { password = 'x' }", "ab",
                           "login \"a\\x62\" { password = '" NEW "' }"));
    CU_ASSERT_TRUE(becomes("", "a", NULL));
}

static void test_inserted(void)
{
    CU_ASSERT_TRUE(becomes("login \"a\" {\n" MAILBOX "}\n", "a",
                           "login \"a\" {\n    password = '" NEW "'\n" MAILBOX "}\n"));
    CU_ASSERT_TRUE(becomes("login \"a\" { mailbox = x }", "a",
                           "login \"a\" {\n    password = '" NEW "'\n mailbox = x }"));
}

/* What has faults, or cannot be told apart, is left alone. */
static void test_refused(void)
{
    CU_ASSERT_TRUE(becomes("login \"a\" { password = 'x'", "a", ""));
    CU_ASSERT_TRUE(becomes("login \"a\" { password = 'x' }\nlogin \"a\" { }", "a", ""));
    CU_ASSERT_TRUE(becomes("login \"a\" { passwort = 'x' }", "a", ""));
    CU_ASSERT_TRUE(becomes("login \"a\" { password += 'x' }", "a", ""));
}

struct place {
    char dir[64], path[96], link[96];
};

static void make_place(struct place *p, const char *text, mode_t mode)
{
    struct error e = ERROR_INIT;
    snprintf(p->dir, sizeof p->dir, "/tmp/postern-logins-XXXXXX");
    if (!mkdtemp(p->dir))
        abort();
    snprintf(p->path, sizeof p->path, "%s/logins.conf", p->dir);
    snprintf(p->link, sizeof p->link, "%s/link.conf", p->dir);
    if (!file_write_private(p->path, text, strlen(text), &e) || chmod(p->path, mode) != 0 ||
        symlink("logins.conf", p->link) != 0)
        abort();
}

static void remove_place(const struct place *p)
{
    unlink(p->link);
    unlink(p->path);
    CU_ASSERT_EQUAL(rmdir(p->dir), 0); /* nothing else was left behind */
}

static void test_file(void)
{
    struct place p;
    struct stat before, after;
    struct buf text = BUF_INIT(1 << 16);
    struct error e = ERROR_INIT;
    make_place(&p, "login \"a\" { password = 'x' }\n", 0640);
    stat(p.path, &before);
    CU_ASSERT_EQUAL(logins_file_set_password(p.link, "a", NEW, &e), LOGINS_CHANGED);
    CU_ASSERT_EQUAL(logins_file_set_password(p.path, "b", NEW, &e), LOGINS_NOT_THERE);
    CU_ASSERT_TRUE(file_read(p.path, &text, &e));
    CU_ASSERT_STRING_EQUAL(buf_str(&text), "login \"a\" { password = '" NEW "' }\n");
    CU_ASSERT_EQUAL(stat(p.path, &after), 0);
    CU_ASSERT_EQUAL(after.st_mode, before.st_mode);
    CU_ASSERT_EQUAL(after.st_uid, before.st_uid);
    CU_ASSERT_EQUAL(after.st_gid, before.st_gid);
    CU_ASSERT_EQUAL(lstat(p.link, &after), 0);
    CU_ASSERT_TRUE(S_ISLNK(after.st_mode));
    CU_ASSERT_EQUAL(logins_file_set_password("/nonexistent/x", "a", NEW, &e), LOGINS_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/nonexistent/x"));
    remove_place(&p);
    buf_free(&text);
}

/* ---- in the config ---- */

static struct buf told = BUF_INIT(1 << 16);

static void on_fault(void *arg, const char *file, int line, const char *text)
{
    const char *name = strrchr(file, '/');
    (void)arg;
    buf_printf(&told, "%s:%d: %s\n", name ? name + 1 : file, line, text);
}

#define MAIN                                                                                       \
    "state-dir = \"/nonexistent\"\n"                                                               \
    "tenant \"contoso\" { tenant-id = \"contoso.onmicrosoft.com\" client-secret = 'x' "            \
    "client-id = \"6731de76-14a6-49ae-97bc-6eba6914391e\" }\n"                                     \
    "listener \"pop\" { protocol = pop3 address = \"127.0.0.1:1110\" }\n"
#define LOGIN(name) "login \"" name "\" {\n" MAILBOX " password = '" OLD "'\n}\n"

struct files {
    struct place logins;
    char config[96];
};

static void make_files(struct files *f, const char *text, const char *logins)
{
    struct error e = ERROR_INIT;
    struct buf b = BUF_INIT(1 << 16);
    make_place(&f->logins, logins, 0600);
    snprintf(f->config, sizeof f->config, "%s/postern.conf", f->logins.dir);
    buf_printf(&b, "logins-file = '%s'\n%s", f->logins.path, text);
    if (!file_write_private(f->config, b.data, b.len, &e))
        abort();
    buf_free(&b);
}

static void write_logins(const struct files *f, const char *text)
{
    struct error e = ERROR_INIT;
    CU_ASSERT_TRUE(file_write_private(f->logins.path, text, strlen(text), &e));
}

static void remove_files(const struct files *f)
{
    unlink(f->config);
    remove_place(&f->logins);
}

static struct config *load(const struct files *f)
{
    buf_clear(&told);
    return config_load(f->config, on_fault, on_fault, NULL);
}

static void test_loaded(void)
{
    struct files f;
    make_files(&f, MAIN LOGIN("own"), LOGIN("a") LOGIN("b"));
    struct config *c = load(&f);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL(c->login_count, 3);
    CU_ASSERT_FALSE(config_find_login(c, "own")->in_logins_file);
    CU_ASSERT_TRUE(config_find_login(c, "b")->in_logins_file);
    CU_ASSERT_EQUAL(config_find_login(c, "b")->line, 6);
    CU_ASSERT_PTR_EQUAL(config_find_login(c, "b")->tenant, &c->tenants[0]);
    CU_ASSERT_STRING_EQUAL(buf_str(&told), "");
    config_unref(&c);
    char *path = logins_file_of(f.config);
    CU_ASSERT_STRING_EQUAL(path, f.logins.path);
    free(path);
    CU_ASSERT_PTR_NULL(logins_file_of("/nonexistent/postern.conf"));
    CU_ASSERT_PTR_NULL(logins_file_of(f.logins.path));
    remove_files(&f);
}

static void check_fault(const char *text, const char *logins, const char *expected)
{
    struct files f;
    make_files(&f, text, logins);
    struct config *c = load(&f);
    CU_ASSERT_PTR_NULL(c);
    if (!strstr(buf_str(&told), expected))
        fprintf(stderr, "%s\nnot in\n%s", expected, buf_str(&told));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&told), expected));
    remove_files(&f);
}

/* Each with the name of its file. */
static void test_faults(void)
{
    check_fault(MAIN LOGIN("a"), LOGIN("b") LOGIN("a"), "logins.conf:6: login \"a\" stands in ");
    check_fault(MAIN, LOGIN("a") "poll-interval = 5s\n",
                "logins.conf:6: only login sections stand in the logins-file; poll-interval");
    check_fault(MAIN, LOGIN("a") "tls { min-version = \"1.3\" }\n", "logins.conf:6: only login sections");
    check_fault(MAIN, LOGIN("a") "listener \"x\" { }\n", "logins.conf:6: only login sections");
    check_fault(MAIN, LOGIN("a") "login \"b\" {\n mailbox = x\n password = y\n}\n",
                "logins.conf:8: 'password' must be a crypt(3) hash");
    check_fault(MAIN, "login \"b\" {\n" MAILBOX "\n", "logins.conf:1: the section 'login'");
    check_fault(MAIN, "", "postern.conf:0: there is no login section");
    check_fault(MAIN, LOGIN("a") LOGIN("a"), "logins.conf:6: login \"a\" is here again");
}

static void test_warnings(void)
{
    struct files f;
    make_files(&f, MAIN,
               "login \"a\" {\n" MAILBOX " password = '" OLD "'\n protocols = { imap }\n}\n");
    chmod(f.logins.path, 0644);
    struct config *c = load(&f);
    CU_ASSERT_PTR_NOT_NULL(c);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&told), "logins.conf:1: there is no listener for"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&told), "logins.conf:0: every user of this machine"));
    config_unref(&c);
    unlink(f.logins.path);
    CU_ASSERT_PTR_NULL(load(&f));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&told), "logins.conf:0: cannot open"));
    write_logins(&f, "");
    remove_files(&f);
}

/* The logins alone are read anew; a faulty file changes nothing; what shares outlives. */
static void test_reloaded(void)
{
    struct files f;
    make_files(&f, MAIN LOGIN("own"), LOGIN("a"));
    struct config *first = load(&f);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    unlink(f.config); /* not looked at again */
    write_logins(&f, LOGIN("b") LOGIN("c"));
    struct config *second = config_reload_logins(first, on_fault, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    CU_ASSERT_EQUAL(second->login_count, 3);
    CU_ASSERT_PTR_NULL(config_find_login(second, "a"));
    CU_ASSERT_PTR_NOT_NULL(config_find_login(second, "c"));
    CU_ASSERT_PTR_NOT_NULL(config_find_login(second, "own"));
    CU_ASSERT_EQUAL(first->login_count, 2);
    buf_clear(&told);
    write_logins(&f, LOGIN("own"));
    CU_ASSERT_PTR_NULL(config_reload_logins(second, on_fault, NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&told), "logins.conf:1: login \"own\" stands in"));
    write_logins(&f, "");
    struct config *third = config_reload_logins(second, on_fault, NULL);
    config_unref(&first);
    config_unref(&second);
    CU_ASSERT_PTR_NOT_NULL_FATAL(third);
    CU_ASSERT_EQUAL(third->login_count, 1);
    CU_ASSERT_STRING_EQUAL(config_find_login(third, "own")->tenant->name, "contoso");
    config_unref(&third);
    remove_files(&f);
    buf_free(&told);
}

static void test_fingerprints(void)
{
#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    static const char text[] = MAIN
        "login \"a\" {\n" MAILBOX " certificate-fingerprint = { \"" DIGEST "\", "
        "\"01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:"
        "AB:CD:EF\" }\n device-secret = 'short'\n}\n";
    buf_clear(&told);
    struct config *c = config_parse("x.conf", text, on_fault, on_fault, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_STRING_EQUAL(c->logins[0].fingerprints[0], DIGEST);
    CU_ASSERT_STRING_EQUAL(c->logins[0].fingerprints[1], DIGEST);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&told), "x.conf:7: no listener has client-certificates"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&told), "x.conf:8: a 'device-secret' of less than 16"));
    config_unref(&c);
    static const char *const wrong[] = {
        MAIN "login a {\n" MAILBOX " certificate-fingerprint = \"" DIGEST "0\"\n}\n",
        MAIN "login a {\n" MAILBOX " certificate-fingerprint = \"0123\"\n}\n",
        MAIN "login a {\n" MAILBOX " device-secret = '" OLD "'\n}\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CU_ASSERT_PTR_NULL(config_parse("x.conf", wrong[i], on_fault, NULL, NULL));
    buf_free(&told);
}

const struct unit_test logins_file_tests[] = {
    {"replaced", test_replaced},
    {"found", test_found},
    {"inserted", test_inserted},
    {"refused", test_refused},
    {"file", test_file},
    {"loaded", test_loaded},
    {"faults", test_faults},
    {"warnings", test_warnings},
    {"reloaded", test_reloaded},
    {"fingerprints, device secrets", test_fingerprints},
    {NULL, NULL},
};
