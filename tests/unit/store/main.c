#include "../unit.h"

extern const struct unit_test state_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"state lock", state_tests},
        {NULL, NULL},
    };
    return unit_main(suites);
}
