#include "../unit.h"

extern const struct unit_test address_tests[], casemap_tests[], charset_tests[], corpus_tests[],
    crlf_tests[], date_tests[], header_tests[], match_tests[], msgid_tests[], param_tests[],
    structure_tests[], subject_tests[], transfer_tests[], word_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"address", address_tests}, {"casemap", casemap_tests},
        {"charset", charset_tests}, {"corpus", corpus_tests},
        {"crlf", crlf_tests},       {"date", date_tests},
        {"header", header_tests},   {"match", match_tests},
        {"param", param_tests},     {"structure", structure_tests},
        {"subject", subject_tests}, {"transfer", transfer_tests},
        {"word", word_tests},       {NULL, NULL},
    };
    return unit_main(suites);
}
