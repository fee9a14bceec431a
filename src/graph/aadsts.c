/* Numbers of Entra ID's errors. Source: "Microsoft Entra authentication and authorization error
 * codes". The number decides the advice; OAuth's own `error` word the rest. */
#include "oauth.h"

#define APP    "check client-id and tenant-id against the app registration in Entra ID"
#define SECRET "the client secret is wrong: store the secret's value (not its id) of this app"
#define ASSERTION                                                                                  \
    "check certificate and private-key, and that the app registration has this "                   \
    "certificate"
#define FEDERATED                                                                                  \
    "the app registration has no federated credential for issuer, subject and audience of this "   \
    "token"
#define CONSENT "an administrator must grant consent to the app's permissions in Entra ID"
#define TENANT  "check tenant-id, and cloud: the tenant may live in a national cloud"
#define POLICY                                                                                     \
    "a Conditional Access policy or an assignment blocks this app: exempt it or assign it"
#define USER    "the account's name or password is wrong, or the account is disabled or locked"
#define MFA     "this account needs a person to sign in: use an app-only or interactive flow"
#define AGAIN   "sign in again: the stored sign-in has ended"
#define PASSING "the sign-in service has a passing fault; try again later"
#define DEVICE  "the device code sign-in was not completed"

/* Does a person's sign-in serve again once it is mended? */
#define KEEPS true
#define ENDS  false

static const struct aadsts table[] = {
    {50126, ERROR_SIGN_IN, USER, ENDS},
    {50034, ERROR_SIGN_IN, USER, ENDS},
    {50055, ERROR_SIGN_IN, "the account's password has expired: change it", KEEPS},
    {50057, ERROR_SIGN_IN, "the account is disabled: enable it", KEEPS},
    {50053, ERROR_SIGN_IN, "the account is locked, or this address is blocked", KEEPS},
    {50072, ERROR_SIGN_IN, MFA, ENDS},
    {50074, ERROR_SIGN_IN, MFA, ENDS},
    {50076, ERROR_SIGN_IN, MFA, ENDS},
    {50078, ERROR_SIGN_IN, MFA, ENDS},
    {50079, ERROR_SIGN_IN, MFA, ENDS},
    {65001, ERROR_SIGN_IN, CONSENT, KEEPS},
    {90094, ERROR_SIGN_IN, CONSENT, KEEPS},
    {650056, ERROR_SIGN_IN, CONSENT, KEEPS},
    {650057, ERROR_SIGN_IN, CONSENT, KEEPS},
    {50173, ERROR_SIGN_IN, AGAIN, ENDS},
    {70000, ERROR_SIGN_IN, AGAIN, ENDS},
    {70008, ERROR_SIGN_IN, AGAIN, ENDS},
    {70043, ERROR_SIGN_IN, AGAIN, ENDS},
    {700082, ERROR_SIGN_IN, AGAIN, ENDS},
    {700084, ERROR_SIGN_IN, AGAIN, ENDS},
    {50089, ERROR_SIGN_IN, AGAIN, ENDS},
    {50132, ERROR_SIGN_IN, AGAIN, ENDS},
    {50133, ERROR_SIGN_IN, AGAIN, ENDS},
    {54005, ERROR_SIGN_IN, AGAIN, ENDS},
    {53000, ERROR_SIGN_IN, POLICY, KEEPS},
    {53001, ERROR_SIGN_IN, POLICY, KEEPS},
    {53003, ERROR_SIGN_IN, POLICY, KEEPS},
    {530032, ERROR_SIGN_IN, POLICY, KEEPS},
    {530035, ERROR_SIGN_IN, POLICY, KEEPS},
    {50105, ERROR_SIGN_IN, POLICY, KEEPS},
    {7000112, ERROR_SIGN_IN, "the app is disabled in this tenant: enable it in Entra ID", KEEPS},
    {700016, ERROR_SIGN_IN, APP, KEEPS},
    {70001, ERROR_SIGN_IN, APP, KEEPS},
    {7000215, ERROR_SIGN_IN, SECRET, KEEPS},
    {7000222, ERROR_SIGN_IN, "the client secret has expired: make a new one and store it", KEEPS},
    {7000218, ERROR_SIGN_IN,
     "the app wants a secret or certificate: set client-secret-file, or allow public client flows",
     KEEPS},
    {700025, ERROR_SIGN_IN, "the app is a public client: remove the secret or certificate", KEEPS},
    {700027, ERROR_SIGN_IN, ASSERTION, KEEPS},
    {50012, ERROR_SIGN_IN, ASSERTION, KEEPS},
    {50013, ERROR_SIGN_IN, ASSERTION, KEEPS},
    {700024, ERROR_SIGN_IN, "the assertion is outside its time: set this machine's clock", KEEPS},
    {70021, ERROR_SIGN_IN, FEDERATED, KEEPS},
    {700211, ERROR_SIGN_IN, FEDERATED, KEEPS},
    {700212, ERROR_SIGN_IN, FEDERATED, KEEPS},
    {700213, ERROR_SIGN_IN, FEDERATED, KEEPS},
    {500133, ERROR_SIGN_IN, "the assertion is outside its time: set this machine's clock", KEEPS},
    {700030, ERROR_SIGN_IN, ASSERTION, KEEPS},
    {50011, ERROR_SIGN_IN, "the redirect address is not registered with the app", KEEPS},
    {70011, ERROR_SIGN_IN, "the scope is not valid: check graph-url and cloud", KEEPS},
    {28002, ERROR_SIGN_IN, "the scope is not valid: check graph-url and cloud", KEEPS},
    {700022, ERROR_SIGN_IN, "the scope is not valid: check graph-url and cloud", KEEPS},
    {90002, ERROR_SIGN_IN, TENANT, KEEPS},
    {50059, ERROR_SIGN_IN, TENANT, KEEPS},
    {50128, ERROR_SIGN_IN, TENANT, KEEPS},
    {50194, ERROR_SIGN_IN, TENANT, KEEPS},
    {9001023, ERROR_SIGN_IN, TENANT, KEEPS},
    {90130, ERROR_SIGN_IN, TENANT, KEEPS},
    {90038, ERROR_SIGN_IN, TENANT, KEEPS},
    {900382, ERROR_SIGN_IN, TENANT, KEEPS},
    {900432, ERROR_SIGN_IN, TENANT, KEEPS},
    {70016, ERROR_SIGN_IN, DEVICE, ENDS},
    {70018, ERROR_SIGN_IN, DEVICE, ENDS},
    {70019, ERROR_SIGN_IN, DEVICE, ENDS},
    {90033, ERROR_TEMPORARY, PASSING, KEEPS},
    {90006, ERROR_TEMPORARY, PASSING, KEEPS},
    {90012, ERROR_TEMPORARY, PASSING, KEEPS},
    {90024, ERROR_TEMPORARY, PASSING, KEEPS},
    {90090, ERROR_TEMPORARY, PASSING, KEEPS},
    {50033, ERROR_TEMPORARY, PASSING, KEEPS},
    {90055, ERROR_THROTTLED, "the tenant is throttled at sign-in; try again later", KEEPS},
    {50196, ERROR_SIGN_IN, "the sign-in service sees a loop: stop other programs using this app",
     KEEPS},
};

const struct aadsts *aadsts_find(int number)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].number == number)
            return &table[i];
    }
    return NULL;
}
