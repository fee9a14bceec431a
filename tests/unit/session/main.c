#include "../unit.h"

extern const struct unit_test conn_tests[], counts_tests[], guesses_tests[], hasher_tests[],
    inventory_tests[], login_tests[], proxy_tests[], sasl_tests[], server_tests[], throttle_tests[],
    token_tests[], user_name_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"conn", conn_tests},
        {"counts", counts_tests},
        {"hasher", hasher_tests},
        {"login", login_tests},
        {"guesses", guesses_tests},
        {"throttle", throttle_tests},
        {"server", server_tests},
        {"sasl", sasl_tests},
        {"user_name", user_name_tests},
        {"token", token_tests},
        {"inventory", inventory_tests},
        {"proxy", proxy_tests},
        {NULL, NULL},
    };
    return unit_main(suites);
}
