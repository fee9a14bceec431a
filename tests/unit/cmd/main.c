#include "../unit.h"

extern const struct unit_test clients_tests[], control_tests[], grid_tests[], login_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"control socket", control_tests},
        {"choice of clients", clients_tests},
        {"tables", grid_tests},
        {"signing in", login_tests},
        {NULL, NULL},
    };
    return unit_main(suites);
}
