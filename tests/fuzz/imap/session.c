/*
 * A whole IMAP session fed with bytes, against the fake mailbox. The first byte chooses how it
 * starts and which errors there are. Nothing may stay held, and nothing be expunged by who did
 * not ask for it.
 */
#include "../fuzz.h"

#include "../../unit/imap/fake_mailbox.h"
#include "../../unit/session/door.h"

#include "postern/base/log.h"
#include "postern/imap/imap.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* The answers to this much fit into the socket, so that one thread can play both sides. */
#define INPUT_MAX 2048

#define SIGN_IN       0x01
#define SELECT        0x02
#define BODY_FAILS    0x04
#define EXPUNGE_FAILS 0x08
#define SYNC_FAILS    0x10
#define UPLOAD_FAILS  0x20

static void furnish(uint8_t choice)
{
    fake_reset();
    fake_add("From: a@b\r\nSubject: x\r\n\r\ntext\r\n")->flags = MAILBOX_SEEN;
    fake_add("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n");
    fake_add(NULL)->keywords = "Work";
    fake_add("no header")->flags = MAILBOX_DELETED;
    if (choice & BODY_FAILS)
        error_set(&fake.body_error, ERROR_THROTTLED, "429");
    if (choice & EXPUNGE_FAILS)
        error_set(&fake.expunge_error, ERROR_TEMPORARY, "503");
    if (choice & SYNC_FAILS)
        error_set(&fake.refresh_error, ERROR_FOLDER_GONE, "404");
    if (choice & UPLOAD_FAILS)
        error_set(&fake.write_error, ERROR_LOCAL, "the disk is full");
}

static bool says(const uint8_t *data, size_t size, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= size; i++) {
        if (strncasecmp((const char *)data + i, word, len) == 0)
            return true;
    }
    return false;
}

static void be_quiet(void)
{
    struct log_settings settings = {.level = LOG_LEVEL_ERROR, .target = "/dev/null"};
    struct error e = ERROR_INIT;
    log_open(&settings, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool quiet;
    struct door_options options = {.config = DOOR_WITH_MORE, .timeout_ms = 100};
    struct door d;
    if (size < 1 || size > INPUT_MAX)
        return 0;
    if (!quiet)
        be_quiet();
    quiet = true;
    furnish(data[0]);
    door_open(&d, &options);
    if (data[0] & SIGN_IN)
        door_say(&d, "in LOGIN alice secret\r\n");
    if ((data[0] & SIGN_IN) && (data[0] & SELECT))
        door_say(&d, "sel SELECT INBOX\r\n");
    door_send(&d, (const char *)data + 1, size - 1);
    shutdown(d.client, SHUT_WR);
    imap_protocol.run(d.conn, NULL, d.config);
    door_close(&d);
    FUZZ_CHECK(fake.open_references == 0);
    FUZZ_CHECK(fake.expunged_count == 0 || says(data, size, "CLOSE") ||
               says(data, size, "EXPUNGE"));
    return 0;
}
