#include "../unit.h"

extern const struct unit_test conn_tests[], hasher_tests[], inventory_tests[], login_tests[],
    server_tests[], throttle_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"conn", conn_tests},
        {"hasher", hasher_tests},
        {"login", login_tests},
        {"throttle", throttle_tests},
        {"server", server_tests},
        {"inventory", inventory_tests},
        {NULL, NULL},
    };
    return unit_main(suites);
}
