#include "../unit.h"

extern const struct unit_test control_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"control socket", control_tests},
        {NULL, NULL},
    };
    return unit_main(suites);
}
