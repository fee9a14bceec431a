#include "../unit.h"

extern const struct unit_test buf_tests[], clock_tests[], config_tests[], csv_tests[],
    encode_tests[], file_tests[], log_tests[], logins_file_tests[], table_tests[], text_tests[],
    wait_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"buf", buf_tests},       {"clock", clock_tests},
        {"config", config_tests}, {"csv", csv_tests},
        {"encode", encode_tests}, {"file", file_tests},
        {"log", log_tests},       {"logins_file", logins_file_tests},
        {"table", table_tests},   {"text", text_tests},
        {"wait", wait_tests},     {NULL, NULL},
    };
    return unit_main(suites);
}
