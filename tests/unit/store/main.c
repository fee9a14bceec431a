#include "../unit.h"

extern const struct unit_test cache_tests[], client_tests[], damage_tests[], db_tests[],
    email_tests[], fact_tests[], message_tests[], original_tests[], schema_tests[], state_tests[],
    vault_tests[], vault_key_tests[];

int main(void)
{
    const struct unit_suite suites[] = {
        {"mailbox database", db_tests},
        {"ids of copies", email_tests},
        {"fact", fact_tests},
        {"messages", message_tests},
        {"schema", schema_tests},
        {"damage", damage_tests},
        {"body cache", cache_tests},
        {"originals", original_tests},
        {"state lock", state_tests},
        {"clients", client_tests},
        {"vault", vault_tests},
        {"keys of the vault", vault_key_tests},
        {NULL, NULL},
    };
    return unit_main(suites);
}
