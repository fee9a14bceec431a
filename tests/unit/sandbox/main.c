#include "../unit.h"

extern const struct unit_test assertion_tests[], caller_tests[], create_tests[], delta_tests[],
    entra_tests[], filter_tests[], folders_tests[], ids_tests[], mbox_tests[], messages_tests[],
    props_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"assertion", assertion_tests}, {"caller", caller_tests}, {"create", create_tests},
        {"delta", delta_tests},         {"entra", entra_tests},   {"filter", filter_tests},
        {"folders", folders_tests},     {"ids", ids_tests},       {"mbox", mbox_tests},
        {"messages", messages_tests},   {"props", props_tests},   {NULL, NULL},
    };
    return unit_main(suites);
}
