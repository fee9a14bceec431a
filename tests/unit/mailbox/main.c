#include "../unit.h"

extern const struct unit_test merge_tests[], view_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"view", view_tests},
        {"merge", merge_tests},
        {NULL, NULL},
    };
    return unit_main(suites);
}
