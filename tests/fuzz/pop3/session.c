/*
 * A whole POP3 session fed with bytes, against the fake mailbox. The first byte chooses how it
 * starts and which errors there are. Nothing may be deleted without QUIT, nothing stay held.
 */
#include "../fuzz.h"

#include "../../unit/pop3/fake_mailbox.h"
#include "../../unit/session/door.h"

#include "postern/base/log.h"
#include "postern/pop3/pop3.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* The answers to this much fit into the socket, so that one thread can play both sides. */
#define INPUT_MAX 2048

#define SIGN_IN      0x01
#define BODY_FAILS   0x02
#define SIZES_FAIL   0x04
#define DELETE_FAILS 0x08
#define SYNC_FAILS   0x10

static void furnish(uint8_t choice)
{
    fake_reset();
    fake_add("A: b\r\n\r\n.x\r\n");
    fake_add("no header\n\n\n.");
    fake_add("")->size = 40;
    fake_add("A: \r\r\n\n")->breaks_at = 6;
    if (choice & BODY_FAILS)
        error_set(&fake.body_error, ERROR_THROTTLED, "429");
    if (choice & SIZES_FAIL)
        error_set(&fake.sizes_error, ERROR_TEMPORARY, "503");
    if (choice & SYNC_FAILS)
        error_set(&fake.sync_error, ERROR_TIMEOUT, "1 of 2");
    if (choice & DELETE_FAILS) {
        fake.delete_failures = 1;
        error_set(&fake.delete_error, ERROR_CONFLICT, "409");
    }
}

static bool says_quit(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 4 <= size; i++) {
        if (strncasecmp((const char *)data + i, "QUIT", 4) == 0)
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
    struct door_options options = {.config = DOOR_WITH_MORE};
    struct door d;
    if (size < 1 || size > INPUT_MAX)
        return 0;
    if (!quiet)
        be_quiet();
    quiet = true;
    furnish(data[0]);
    door_open(&d, &options);
    if (data[0] & SIGN_IN)
        door_say(&d, "USER alice\r\nPASS secret\r\n");
    door_send(&d, (const char *)data + 1, size - 1);
    shutdown(d.client, SHUT_WR);
    pop3_protocol.run(d.conn, NULL, d.config);
    door_close(&d);
    FUZZ_CHECK(fake.open_references == 0);
    FUZZ_CHECK(fake.deleted_count == 0 || says_quit(data, size));
    return 0;
}
