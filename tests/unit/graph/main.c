#include "../unit.h"

extern const struct unit_test client_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"client", client_tests},
        {NULL, NULL},
    };
    return unit_main(suites);
}
