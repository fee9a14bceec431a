#include "../unit.h"

extern const struct unit_test append_tests[], auth_tests[], fetch_tests[], folders_tests[],
    order_tests[], parse_tests[], pattern_tests[], read_tests[], respond_tests[], search_tests[],
    section_tests[], select_tests[], session_tests[], set_tests[], store_tests[], structure_tests[],
    sync_tests[], utf7_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"set", set_tests},
        {"utf7", utf7_tests},
        {"parse", parse_tests},
        {"respond", respond_tests},
        {"read", read_tests},
        {"session", session_tests},
        {"auth", auth_tests},
        {"select", select_tests},
        {"sync", sync_tests},
        {"store", store_tests},
        {"pattern", pattern_tests},
        {"folders", folders_tests},
        {"append", append_tests},
        {"search", search_tests},
        {"order", order_tests},
        {"structure", structure_tests},
        {"section", section_tests},
        {"fetch", fetch_tests},
        {NULL, NULL},
    };
    return unit_main(suites);
}
