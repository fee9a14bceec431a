#include "../unit.h"

#include "address.h"
#include "door.h"
#include "proxy.h"

#include "postern/base/clock.h"

#include <string.h>

#define V2         "\r\n\r\n\0\r\nQUIT\n"
#define V2_HEAD    "\x21"
#define TCP4_BYTES "\xc0\x00\x02\x07\x7f\x00\x00\x01\x12\x34\x00\x6e" /* 192.0.2.7 port 4660 */
#define TCP6_BYTES                                                                                 \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"                                                   \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x34\x00\x6e"
/* A literal with its NUL bytes. */
#define BYTES(text) (text), sizeof(text) - 1

struct parse_case {
    const char *data;
    size_t len;
    enum proxy_parsed want;
    const char *client; /* NULL: not told */
    size_t skip;
};

/* As a reader would: only what the parser asks for, so what is beyond the header is never read. */
static enum proxy_parsed feed(const char *data, size_t len, struct proxy_header *out, size_t *read)
{
    uint8_t seen[PROXY_BYTES_MAX];
    size_t more = 0;
    enum proxy_parsed parsed;
    *read = 0;
    while ((parsed = proxy_parse(seen, *read, &more, out)) == PROXY_MORE) {
        CU_ASSERT_FATAL(more > 0 && *read + more <= sizeof seen);
        if (*read + more > len)
            return PROXY_MORE;
        memcpy(seen + *read, data + *read, more);
        *read += more;
    }
    return parsed;
}

static void check_cases(const struct parse_case *cases)
{
    for (; cases->data; cases++) {
        struct proxy_header h;
        char address[ADDRESS_SIZE];
        size_t read;
        CU_ASSERT_EQUAL(feed(cases->data, cases->len, &h, &read), cases->want);
        if (cases->want != PROXY_WHOLE)
            continue;
        CU_ASSERT_EQUAL(read + h.skip, cases->len);
        CU_ASSERT_EQUAL(h.skip, cases->skip);
        CU_ASSERT_EQUAL_FATAL(h.told, cases->client != NULL);
        if (!h.told)
            continue;
        address_format((struct sockaddr *)&h.client, address);
        CU_ASSERT_STRING_EQUAL(address, cases->client);
    }
}

static void test_v1(void)
{
    static const char longest_v6[] = "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                                     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                                     "65535 65535\r\n";
    static const struct parse_case cases[] = {
        {BYTES("PROXY TCP4 192.0.2.7 127.0.0.1 4660 110\r\n"), PROXY_WHOLE, "192.0.2.7", 0},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 0 65535\r\n"), PROXY_WHOLE, "1.2.3.4", 0},
        {BYTES("PROXY TCP6 2001:db8::7 ::1 4660 110\r\n"), PROXY_WHOLE, "2001:db8::7", 0},
        {BYTES("PROXY TCP6 ::ffff:192.0.2.7 ::1 4660 110\r\n"), PROXY_WHOLE, "192.0.2.7", 0},
        {BYTES(longest_v6), PROXY_WHOLE, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0},
        {BYTES("PROXY UNKNOWN\r\n"), PROXY_WHOLE, NULL, 0},
        {BYTES("PROXY UNKNOWN whatever it says 1 2\r\n"), PROXY_WHOLE, NULL, 0},
        {BYTES("PROXY UNKNOWNS\r\n"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY TCP4 192.0.2.7 127.0.0.1 4660 65536\r\n"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY TCP4 192.0.2.7 127.0.0.1 04660 110\r\n"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY TCP4 192.0.2.7 127.0.0.1 -1 110\r\n"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY TCP4 192.0.2.7 127.0.0.1 4660\r\n"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY TCP4 192.0.2.7 127.0.0.1 4660 110 \r\n"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY TCP4  192.0.2.7 127.0.0.1 4660 110\r\n"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY TCP4 192.0.2.256 127.0.0.1 4660 110\r\n"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY TCP4 2001:db8::7 ::1 4660 110\r\n"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY UDP4 192.0.2.7 127.0.0.1 4660 110\r\n"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY TCP4 192.0.2.7 127.0.0.1 4660 110\nU"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY TCP4 192.0.2.7\r127.0.0.1 4660 110\r\n"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY TCP4 192.0.2.7\0 127.0.0.1 4660 110\r\n"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY TCP4\r\nUSER alice\r\n"), PROXY_BAD, NULL, 0},
        {BYTES("proxy TCP4 192.0.2.7 127.0.0.1 4660 110\r\n"), PROXY_BAD, NULL, 0},
        {BYTES("CAPA\r\n0123456789"), PROXY_BAD, NULL, 0},
        {BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03----"), PROXY_BAD, NULL, 0},
        {BYTES("PROXY TCP4 192.0"), PROXY_MORE, NULL, 0},
        {NULL, 0, PROXY_BAD, NULL, 0}};
    check_cases(cases);
}

/* A line of 107 bytes is one, of 108 none. */
static void test_v1_limit(void)
{
    char line[PROXY_V1_MAX + 2];
    struct proxy_header h;
    size_t read;
    for (size_t len = PROXY_V1_MAX - 3; len <= PROXY_V1_MAX + 1; len++) {
        memset(line, 'x', sizeof line);
        memcpy(line, BYTES("PROXY UNKNOWN "));
        memcpy(line + len - 2, BYTES("\r\n"));
        CU_ASSERT_EQUAL(feed(line, len, &h, &read), len <= PROXY_V1_MAX ? PROXY_WHOLE : PROXY_BAD);
        CU_ASSERT_TRUE(read <= PROXY_V1_MAX);
    }
    /* Refused as soon as it can be none, whatever is still to come. */
    CU_ASSERT_EQUAL(proxy_parse((const uint8_t *)"C", 1, &read, &h), PROXY_BAD);
    CU_ASSERT_EQUAL(proxy_parse((const uint8_t *)"PROXZ", 5, &read, &h), PROXY_BAD);
    CU_ASSERT_EQUAL(proxy_parse((const uint8_t *)"\r\n\r\n\r", 5, &read, &h), PROXY_BAD);
}

static void test_v2(void)
{
    static const struct parse_case cases[] = {
        {BYTES(V2 V2_HEAD "\x11\x00\x0c" TCP4_BYTES), PROXY_WHOLE, "192.0.2.7", 0},
        {BYTES(V2 V2_HEAD "\x21\x00\x24" TCP6_BYTES), PROXY_WHOLE, "2001:db8::7", 0},
        {BYTES(V2 V2_HEAD "\x11\x00\x10" TCP4_BYTES "\x04\x00\x01\x00"), PROXY_WHOLE, "192.0.2.7",
         4},
        {BYTES(V2 "\x20\x00\x00\x00"), PROXY_WHOLE, NULL, 0},
        {BYTES(V2 "\x20\x11\x00\x0c" TCP4_BYTES), PROXY_WHOLE, NULL, 12},
        {BYTES(V2 "\x20\xff\x00\x02xx"), PROXY_WHOLE, NULL, 2},
        {BYTES(V2 V2_HEAD "\x00\x00\x03xxx"), PROXY_WHOLE, NULL, 3},
        {BYTES(V2 V2_HEAD "\x11\x00\x0b" TCP4_BYTES), PROXY_BAD, NULL, 0},
        {BYTES(V2 V2_HEAD "\x21\x00\x23" TCP6_BYTES), PROXY_BAD, NULL, 0},
        {BYTES(V2 V2_HEAD "\x12\x00\x0c" TCP4_BYTES), PROXY_BAD, NULL, 0},
        {BYTES(V2 V2_HEAD "\x41\x00\x0c" TCP4_BYTES), PROXY_BAD, NULL, 0},
        {BYTES(V2 "\x22\x11\x00\x0c" TCP4_BYTES), PROXY_BAD, NULL, 0},
        {BYTES(V2 "\x11\x11\x00\x0c" TCP4_BYTES), PROXY_BAD, NULL, 0},
        {BYTES("\r\n\r\n\0\r\nQUIX\n" V2_HEAD "\x11\x00\x0c" TCP4_BYTES), PROXY_BAD, NULL, 0},
        {BYTES(V2 V2_HEAD "\x11\x00"), PROXY_MORE, NULL, 0},
        {BYTES(V2 V2_HEAD "\x11\x00\x0c\xc0\x00"), PROXY_MORE, NULL, 0},
        {NULL, 0, PROXY_BAD, NULL, 0}};
    check_cases(cases);
    /* Addresses of Unix sockets mean nothing here, and the longest header is skipped as a whole. */
    struct proxy_header h;
    size_t more;
    CU_ASSERT_EQUAL(proxy_parse((const uint8_t *)V2 V2_HEAD "\x31\xff\xff", 16, &more, &h),
                    PROXY_WHOLE);
    CU_ASSERT_FALSE(h.told);
    CU_ASSERT_EQUAL(h.skip, 65535);
}

/* What follows the header stays for whoever comes next, be it a line or a handshake. */
static void test_read(void)
{
    static const char header[] = V2 V2_HEAD "\x11\x02\x0c" TCP4_BYTES;
    struct door_options options = {.no_plaintext_login = true};
    struct error e = ERROR_INIT;
    struct proxy_header h;
    struct door d;
    char tlvs[512] = {0}, *line;
    size_t len;
    door_open(&d, &options);
    door_send(&d, BYTES(header));
    door_send(&d, tlvs, sizeof tlvs);
    door_say(&d, "CAPA\r\n");
    CU_ASSERT_TRUE(proxy_read(d.conn, clock_mono_ms() + 60000, &h, &e));
    CU_ASSERT_EQUAL(session_conn_line(d.conn, 100, 60000, &line, &len), SESSION_LINE_OK);
    CU_ASSERT_STRING_EQUAL(line, "CAPA");
    session_conn_set_client(d.conn, (struct sockaddr *)&h.client, h.client_len, false);
    CU_ASSERT_STRING_EQUAL(session_conn_address(d.conn), "192.0.2.7");
    CU_ASSERT_FALSE(session_conn_login_allowed(d.conn));
    door_close(&d);

    door_open(&d, &options);
    door_say(&d, "PROXY TCP4 192.0.2.7");
    CU_ASSERT_FALSE(proxy_read(d.conn, clock_mono_ms() + 50, &h, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_TIMEOUT);
    door_say(&d, "USER alice\r\n");
    CU_ASSERT_FALSE(proxy_read(d.conn, clock_mono_ms() + 60000, &h, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_CANCELED);
    door_close(&d);
}

const struct unit_test proxy_tests[] = {
    {"version 1", test_v1}, {"the longest line", test_v1_limit},
    {"version 2", test_v2}, {"a connection", test_read},
    {NULL, NULL},
};
