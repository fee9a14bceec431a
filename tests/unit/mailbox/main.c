#include "../unit.h"

extern const struct unit_test body_tests[], merge_tests[], sync_tests[], tree_tests[], view_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"view", view_tests}, {"merge", merge_tests}, {"tree", tree_tests},
        {"sync", sync_tests}, {"bodies", body_tests}, {NULL, NULL},
    };
    return unit_main(suites);
}
