/* Answers of a machine's metadata service, and the ID token in those of the token endpoint: the
 * first byte chooses the status. */
#include "../fuzz.h"

#include "oauth.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 400, 403, 404, 410, 429, 500, 302};
    static char id[] = "1", url[] = "http://169.254.169.254", graph[] = "https://graph.example";
    const struct config_tenant tenant = {
        .flow = FLOW_MANAGED_IDENTITY, .client_id = id, .identity_url = url, .graph_url = graph};
    if (size == 0)
        return 0;
    struct answer a = {.status = statuses[data[0] % 8]};
    struct oauth_grant grant;
    struct oauth_person person;
    struct error e = ERROR_INIT;
    struct oauth_provider *p = oauth_managed_identity_new(&tenant);
    bool ok = p->decode(&a, (const char *)data + 1, size - 1, &grant, &e);
    FUZZ_CHECK(ok == (a.status == 200 && grant.access != NULL));
    FUZZ_CHECK(ok == (e.kind == ERROR_NONE));
    /* A metadata service that is not ready ends nothing. */
    FUZZ_CHECK(ok || a.status != 410 || (e.kind == ERROR_TEMPORARY && grant.patient));
    oauth_person_decode(grant.id_token, &person);
    oauth_person_clear(&person);
    oauth_grant_clear(&grant);
    p->free(p);
    return 0;
}
