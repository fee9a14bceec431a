#include "../unit.h"

extern const struct unit_test crlf_tests[], header_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"crlf", crlf_tests},
        {"header", header_tests},
        {NULL, NULL},
    };
    return unit_main(suites);
}
