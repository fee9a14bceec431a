/*
 * postern demo: the sandbox in place of Microsoft 365, postern serve before it, a message
 * fetched as a client would over POP3 and over IMAP, and both left running to be tried.
 */
#include "child.h"
#include "cmd.h"
#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/file.h"
#include "service/process.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define MAILBOX       "alerts@contoso.com"
#define LOGIN         "demo"
#define PASSWORD      "postern-demo"
#define FACTS_MAX     ((size_t)64 << 10) /* the line that the sandbox prints when it is ready */
#define MESSAGE_MAX   ((size_t)64 << 20)
#define LOOK_EVERY_MS 50
#define LOOKS_MAX     600 /* until postern listens: half a minute */
#define OPEN_FILES    16  /* of nftw() */
#define FETCH_SECONDS 60L

static const char usage[] =
    "usage: postern demo [DIRECTORY]\n"
    "Serves a mailbox of the messages (*.eml) of the directory, or of a few that come with\n"
    "postern, from an offline stand-in for Microsoft 365, until Ctrl-C. Needs no network.\n";

struct demo {
    const char *messages;
    char *dir; /* temporary, for the configuration and the state */
    char *config;
    int signal_fd;
    in_port_t pop, imap;
    struct child sandbox, postern;
    struct json_object *facts; /* what the sandbox says of itself */
};

static const char *fact(const struct demo *d, const char *name)
{
    struct json_object *value;
    return json_object_object_get_ex(d->facts, name, &value) ? json_object_get_string(value) : "";
}

/* The program beside our own, else the one in PATH. */
static char *find_program(const char *name)
{
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self);
    for (; len > 0 && self[len - 1] != '/'; len--)
        continue;
    char *beside = xasprintf("%.*s%s", (int)(len > 0 ? len : 0), self, name);
    if (access(beside, X_OK) == 0)
        return beside;
    free(beside);
    return xstrdup(name);
}

/* Its first line tells where it listens and what signs in to it. */
static bool start_sandbox(struct demo *d, struct error *e)
{
    char *program = find_program("postern-sandbox");
    char *argv[] = {program, (char *)"--user", (char *)MAILBOX, NULL};
    bool ok = child_start(&d->sandbox, program, argv, e);
    free(program);
    struct buf line = BUF_INIT(FACTS_MAX);
    char c;
    while (ok && read(d->sandbox.output, &c, 1) == 1 && c != '\n' && buf_putc(&line, c))
        continue;
    if (ok)
        d->facts = json_tokener_parse(buf_str(&line));
    buf_free(&line);
    if (ok && !json_object_is_type(d->facts, json_type_object))
        ok = error_set(e, ERROR_LOCAL, "postern-sandbox did not start; is it installed?");
    return ok;
}

static CURL *new_transfer(const char *url)
{
    CURL *curl = curl_easy_init();
    if (!curl)
        alloc_out_of_memory();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, FETCH_SECONDS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    return curl;
}

static size_t drop(char *data, size_t size, size_t count, void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

/* Puts one message into the sandbox's mailbox by its control port. */
static bool deliver(const struct demo *d, const char *path, struct error *e)
{
    struct buf message = BUF_INIT(MESSAGE_MAX);
    if (!file_read(path, &message, e))
        return false;
    char *url = xasprintf("%s/messages?user=" MAILBOX "&folder=inbox", fact(d, "control_url"));
    CURL *curl = new_transfer(url);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: message/rfc822");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, buf_str(&message));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)message.len);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    CURLcode rc = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    free(url);
    buf_free(&message);
    return rc == CURLE_OK ||
           error_set(e, ERROR_LOCAL, "cannot deliver %s: %s", path, curl_easy_strerror(rc));
}

static bool deliver_all(const struct demo *d, struct error *e)
{
    char *pattern = xasprintf("%s/*.eml", d->messages);
    glob_t found;
    bool ok = glob(pattern, 0, NULL, &found) == 0;
    if (!ok)
        error_set(e, ERROR_LOCAL,
                  "there are no messages in %s (*.eml); name a directory: postern "
                  "demo DIRECTORY",
                  d->messages);
    for (size_t i = 0; ok && i < found.gl_pathc; i++)
        ok = deliver(d, found.gl_pathv[i], e);
    globfree(&found);
    free(pattern);
    return ok;
}

static int open_socket(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return fd;
}

/* A port that nobody has now. Whoever takes it before us makes the start fail, not more. */
static bool find_port(in_port_t *port, struct error *e)
{
    struct sockaddr_in address = {.sin_port = 0};
    socklen_t len = sizeof address;
    int fd = open_socket(&address);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
              getsockname(fd, (struct sockaddr *)&address, &len) == 0;
    if (!ok)
        error_set(e, ERROR_LOCAL, "cannot find a free port: %s", strerror(errno));
    *port = ntohs(address.sin_port);
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool write_config(struct demo *d, struct error *e)
{
    char *hash = cmd_hash_password(PASSWORD);
    char *text = xasprintf("state-dir = '%s/state'\n"
                           "log { level = warning }\n"
                           "tenant \"contoso\" {\n"
                           "    tenant-id = '%s'\n"
                           "    client-id = '%s'\n"
                           "    client-secret = '%s'\n"
                           "    graph-url = '%s'\n"
                           "    login-url = '%s'\n"
                           "    ca-file = '%s'\n"
                           "}\n"
                           "listener \"pop\" { protocol = pop3  address = '127.0.0.1:%u' }\n"
                           "listener \"imap\" { protocol = imap  address = '127.0.0.1:%u' }\n"
                           "login \"" LOGIN "\" {\n"
                           "    mailbox = '" MAILBOX "'\n"
                           "    tenant = 'contoso'\n"
                           "    password = '%s'\n"
                           "}\n",
                           d->dir, fact(d, "tenant_id"), fact(d, "client_id"),
                           fact(d, "client_secret"), fact(d, "graph_url"), fact(d, "login_url"),
                           fact(d, "ca_file"), d->pop, d->imap, hash ? hash : "");
    bool ok = file_write_private(d->config, text, strlen(text), e);
    free(hash);
    secret_free(text);
    return ok;
}

static bool listens(in_port_t port)
{
    struct sockaddr_in address = {.sin_port = htons(port)};
    int fd = open_socket(&address);
    bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Until both ports answer; false when postern ended, or the user had enough. */
static bool start_postern(struct demo *d, struct error *e)
{
    char *argv[] = {(char *)"postern", (char *)"serve", (char *)"-c", d->config, NULL};
    if (!child_start(&d->postern, "/proc/self/exe", argv, e))
        return false;
    for (int looks = 0; looks < LOOKS_MAX && !(listens(d->pop) && listens(d->imap)); looks++) {
        struct pollfd ends[] = {{.fd = d->postern.output, .events = POLLIN},
                                {.fd = d->signal_fd, .events = POLLIN}};
        if (poll(ends, 2, LOOK_EVERY_MS) > 0)
            return error_set(e, ERROR_LOCAL, "postern serve did not start");
    }
    return true;
}

/* Prints what curl would print for the URL. */
static bool fetch(const char *url, struct error *e)
{
    CURL *curl = new_transfer(url);
    printf("$ curl -u " LOGIN ":" PASSWORD " '%s'\n\n", url);
    curl_easy_setopt(curl, CURLOPT_USERNAME, LOGIN);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, PASSWORD);
    CURLcode rc = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    return rc == CURLE_OK || error_set(e, ERROR_LOCAL, "cannot fetch the message by %s: %s", url,
                                       curl_easy_strerror(rc));
}

static bool fetch_both(const struct demo *d, struct error *e)
{
    char *pop = xasprintf("pop3://127.0.0.1:%u/1", d->pop);
    char *imap = xasprintf("imap://127.0.0.1:%u/INBOX;MAILINDEX=2", d->imap);
    bool ok = fetch(pop, e) && putchar('\n') != EOF && fetch(imap, e);
    free(pop);
    free(imap);
    return ok;
}

static void print_settings(const struct demo *d)
{
    printf("\n"
           "Both came out of a stand-in for Microsoft Graph, over HTTPS, with an OAuth token.\n"
           "Try a client of yours:\n"
           "\n"
           "    host      127.0.0.1   (no TLS: this machine only)\n"
           "    POP3 port %u\n"
           "    IMAP port %u\n"
           "    user      " LOGIN "\n"
           "    password  " PASSWORD "\n"
           "\n"
           "    curl -u " LOGIN ":" PASSWORD " pop3://127.0.0.1:%u/      # the list\n"
           "    curl -u " LOGIN ":" PASSWORD " 'imap://127.0.0.1:%u/INBOX?ALL'   # a search\n"
           "\n"
           "The configuration is %s.\n"
           "Ctrl-C ends it all and leaves nothing behind.\n",
           d->pop, d->imap, d->pop, d->imap, d->config);
    fflush(stdout);
}

/* Until a signal, or until one of the two ends by itself. */
static bool stay(const struct demo *d, struct error *e)
{
    struct pollfd ends[] = {{.fd = d->signal_fd, .events = POLLIN},
                            {.fd = d->sandbox.output, .events = 0},
                            {.fd = d->postern.output, .events = 0}};
    while (poll(ends, 3, -1) < 0 && errno == EINTR)
        continue;
    return ends[0].revents || error_set(e, ERROR_LOCAL, "%s ended by itself",
                                        ends[1].revents ? "postern-sandbox" : "postern serve");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static bool run(struct demo *d, struct error *e)
{
    puts("Starting a stand-in for Microsoft 365, and Postern before it.\n");
    if (!start_sandbox(d, e) || !deliver_all(d, e) || !find_port(&d->pop, e) ||
        !find_port(&d->imap, e) || !write_config(d, e) || !start_postern(d, e) || !fetch_both(d, e))
        return false;
    print_settings(d);
    return stay(d, e);
}

int cmd_demo(int argc, char **argv)
{
    struct cmd_arguments arguments;
    struct error e = ERROR_INIT;
    char dir[] = "/tmp/postern-demo-XXXXXX";
    enum cmd_parsed parsed = cmd_parse(argc, argv, usage, 0, 1, &arguments);
    if (parsed != CMD_GO_ON)
        return cmd_exit_code(parsed);
    struct demo d = {.messages = arguments.count ? arguments.rest[0] : POSTERN_DEMODIR,
                     .signal_fd = process_signals()};
    if (d.signal_fd < 0 || !mkdtemp(dir)) {
        fprintf(stderr, "postern demo: cannot begin: %s\n", strerror(errno));
        return EX_OSERR;
    }
    d.dir = dir;
    d.config = xasprintf("%s/postern.conf", dir);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    bool ok = run(&d, &e);
    if (!ok)
        fprintf(stderr, "postern demo: %s\n", e.text);
    child_end(&d.postern);
    child_end(&d.sandbox);
    nftw(dir, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS);
    json_object_put(d.facts);
    curl_global_cleanup();
    free(d.config);
    close(d.signal_fd);
    return ok ? EX_OK : EX_UNAVAILABLE;
}
