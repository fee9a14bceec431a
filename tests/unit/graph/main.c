#include "../unit.h"

extern const struct unit_test url_tests[], retry_tests[], scheduler_tests[], error_tests[],
    header_tests[], jwt_tests[], decode_tests[], client_tests[], failure_tests[], batch_tests[],
    update_tests[], identity_tests[], challenge_tests[], entra_tests[], report_tests[],
    flow_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"url", url_tests},
        {"retry", retry_tests},
        {"scheduler", scheduler_tests},
        {"error", error_tests},
        {"jwt", jwt_tests},
        {"decode", decode_tests},
        {"header", header_tests},
        {"client", client_tests},
        {"failure", failure_tests},
        {"batch", batch_tests},
        {"update", update_tests},
        {"identity", identity_tests},
        {"challenge", challenge_tests},
        {"entra", entra_tests},
        {"flows", flow_tests},
        {"report", report_tests},
        {NULL, NULL},
    };
    return unit_main(suites);
}
