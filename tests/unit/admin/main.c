#include "../unit.h"

extern const struct unit_test request_tests[], view_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"request", request_tests}, {"views", view_tests}, {NULL, NULL}};
    return unit_main(suites);
}
