/* Which clients are chosen. */
#include "clients/clients.h"

#include "../unit.h"

#include <string.h>

#define NOW INT64_C(1800000000000)
#define DAY INT64_C(86400000)

static bool matches(const struct clients_options *o, const struct client_row *row)
{
    struct clients_filter f;
    struct error e = ERROR_INIT;
    CU_ASSERT_TRUE_FATAL(clients_filter_make(o, NOW, &f, &e));
    return clients_match(&f, row);
}

static struct client_row usual(void)
{
    return (struct client_row){.address = "192.0.2.7",
                               .login = "nagios",
                               .protocol = "imap",
                               .tls = 0x0303,
                               .cipher = "AES128-SHA",
                               .mechanism = "PLAIN",
                               .last_ms = NOW - DAY,
                               .failures = 1};
}

static void test_tls(void)
{
    struct client_row row = usual();
    const struct clients_options below_2 = {.below_tls = "1.2"}, below_3 = {.below_tls = "1.3"},
                                 plain = {.plaintext = true},
                                 weak = {.below_tls = "1.2", .plaintext = true};
    CU_ASSERT_FALSE(matches(&below_2, &row)); /* to the version */
    CU_ASSERT_TRUE(matches(&below_3, &row));
    CU_ASSERT_FALSE(matches(&plain, &row));
    CU_ASSERT_FALSE(matches(&weak, &row));
    row.tls = 0x0302;
    CU_ASSERT_TRUE(matches(&below_2, &row));
    CU_ASSERT_TRUE(matches(&weak, &row));
    row.cipher[0] = '\0'; /* offered, not accepted */
    CU_ASSERT_TRUE(matches(&below_2, &row));
    row.tls = 0;
    CU_ASSERT_FALSE(matches(&below_2, &row));
    CU_ASSERT_TRUE(matches(&plain, &row));
    CU_ASSERT_TRUE(matches(&weak, &row));
    row.tls = CLIENT_TLS_UNKNOWN;
    CU_ASSERT_FALSE(matches(&weak, &row));
}

static void test_time(void)
{
    struct client_row row = usual();
    const struct clients_options day = {.unused_for = "1d"}, more = {.unused_for = "86401s"},
                                 since = {.since = "2027-01-14T08:00:00Z"},
                                 later = {.since = "2027-01-14T08:00:01Z"},
                                 that_day = {.since = "2027-01-14"},
                                 next_day = {.since = "2027-01-15"};
    CU_ASSERT_TRUE(matches(&day, &row));
    CU_ASSERT_FALSE(matches(&more, &row));
    CU_ASSERT_TRUE(matches(&since, &row));
    CU_ASSERT_FALSE(matches(&later, &row));
    CU_ASSERT_TRUE(matches(&that_day, &row));
    CU_ASSERT_FALSE(matches(&next_day, &row));
}

static bool from(const char *address, const char *network)
{
    struct client_row row = usual();
    const struct clients_options o = {.address = network};
    snprintf(row.address, sizeof row.address, "%s", address);
    return matches(&o, &row);
}

static void test_address(void)
{
    CU_ASSERT_TRUE(from("192.0.2.7", "192.0.2.7"));
    CU_ASSERT_TRUE(from("192.0.2.7", "192.0.2.0/29"));
    CU_ASSERT_FALSE(from("192.0.2.8", "192.0.2.0/29"));
    CU_ASSERT_TRUE(from("2001:db8::7", "2001:db8::/32"));
    CU_ASSERT_FALSE(from("2001:db9::7", "2001:db8::/32"));
    CU_ASSERT_FALSE(from("2001:db8::7", "0.0.0.0/0"));
    CU_ASSERT_TRUE(from("local", "local"));
    CU_ASSERT_FALSE(from("local", "127.0.0.0/8"));
    CU_ASSERT_FALSE(from("127.0.0.1", "local"));
}

static void test_names(void)
{
    struct client_row row = usual();
    const struct clients_options all = {.login = "nagios",
                                        .protocol = "imap",
                                        .mechanism = "plain",
                                        .failed = true},
                                 login = {.login = "Nagios"}, protocol = {.protocol = "pop3"},
                                 mechanism = {.mechanism = "LOGIN"}, failed = {.failed = true};
    CU_ASSERT_TRUE(matches(&all, &row));
    CU_ASSERT_FALSE(matches(&login, &row));
    CU_ASSERT_FALSE(matches(&protocol, &row));
    CU_ASSERT_FALSE(matches(&mechanism, &row));
    row.failures = 0;
    CU_ASSERT_FALSE(matches(&failed, &row));
}

static void test_wrong_values(void)
{
    static const struct clients_options wrong[] = {
        {.below_tls = "1.4"},      {.below_tls = ""},           {.unused_for = "30"},
        {.unused_for = "-1d"},     {.since = "21.11.2026"},     {.since = "2026-13-01"},
        {.address = "192.0.2/24"}, {.address = "192.0.2.0/33"}, {.protocol = "IMAP"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct clients_filter f;
        struct error e = ERROR_INIT;
        CU_ASSERT_FALSE(clients_filter_make(&wrong[i], NOW, &f, &e));
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "--"));
    }
}

extern const struct unit_test clients_tests[];
const struct unit_test clients_tests[] = {
    {"by TLS", test_tls},
    {"by time", test_time},
    {"by address", test_address},
    {"by names", test_names},
    {"values that are none", test_wrong_values},
    {NULL, NULL},
};
