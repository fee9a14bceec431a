#include "../unit.h"

extern const struct unit_test auth_tests[], parse_tests[], session_tests[], sizes_tests[],
    transaction_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"parse", parse_tests}, {"auth", auth_tests},       {"transaction", transaction_tests},
        {"sizes", sizes_tests}, {"session", session_tests}, {NULL, NULL},
    };
    return unit_main(suites);
}
