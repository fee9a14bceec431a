/*
 * The frame of a unit test program: a table of suites, run by CUnit, exit status 0 only if every
 * assertion held and at least one test ran.
 */
#ifndef POSTERN_TESTS_UNIT_H
#define POSTERN_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>

struct unit_test {
    const char *name;
    void (*fn)(void);
};

/* A module's tests, ended by a NULL name. */
struct unit_suite {
    const char *name;
    const struct unit_test *tests;
};

static inline int unit_main(const struct unit_suite *suites)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    for (const struct unit_suite *s = suites; s->name; s++) {
        CU_pSuite suite = CU_add_suite(s->name, NULL, NULL);
        for (const struct unit_test *t = s->tests; suite && t->name; t++)
            CU_add_test(suite, t->name, t->fn);
    }
    CU_basic_set_mode(getenv("UNIT_VERBOSE") ? CU_BRM_VERBOSE : CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned ran = CU_get_number_of_tests_run();
    unsigned failed = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
    CU_cleanup_registry();
    return ran > 0 && failed == 0 ? 0 : 1;
}

#endif
