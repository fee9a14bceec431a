#include "../unit.h"

extern const struct unit_test body_tests[], claims_tests[], compose_tests[], diff_tests[],
    flags_tests[];
extern const struct unit_test keywords_tests[], merge_tests[], names_tests[], sync_tests[];
extern const struct unit_test commit_tests[], tree_tests[], view_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"view", view_tests},
        {"merge", merge_tests},
        {"tree", tree_tests},
        {"names", names_tests},
        {"sync", sync_tests},
        {"bodies", body_tests},
        {"diff", diff_tests},
        {"keywords", keywords_tests},
        {"flags", flags_tests},
        {"compose", compose_tests},
        {"commit", commit_tests},
        {"claims", claims_tests},
        {NULL, NULL},
    };
    return unit_main(suites);
}
