/* Numbers of Entra ID's errors. Source: "Microsoft Entra authentication and authorization error
 * codes". The number decides the advice; OAuth's own `error` word the rest. */
#include "oauth.h"

#define APP    "check client-id and tenant-id against the app registration in Entra ID"
#define SECRET "the client secret is wrong: store the secret's value (not its id) of this app"
#define ASSERTION                                                                                  \
    "check certificate and private-key, and that the app registration has this "                   \
    "certificate"
#define CONSENT "an administrator must grant consent to the app's permissions in Entra ID"
#define TENANT  "check tenant-id, and cloud: the tenant may live in a national cloud"
#define POLICY                                                                                     \
    "a Conditional Access policy or an assignment blocks this app: exempt it or assign it"
#define USER    "the account's name or password is wrong, or the account is disabled or locked"
#define MFA     "this account needs a person to sign in: use an app-only or interactive flow"
#define AGAIN   "sign in again: the stored sign-in has ended"
#define PASSING "the sign-in service has a passing fault; try again later"
#define DEVICE  "the device code sign-in was not completed"

static const struct aadsts table[] = {
    {50126, ERROR_SIGN_IN, USER},
    {50034, ERROR_SIGN_IN, USER},
    {50055, ERROR_SIGN_IN, "the account's password has expired: change it"},
    {50057, ERROR_SIGN_IN, "the account is disabled: enable it"},
    {50053, ERROR_SIGN_IN, "the account is locked, or this address is blocked"},
    {50072, ERROR_SIGN_IN, MFA},
    {50074, ERROR_SIGN_IN, MFA},
    {50076, ERROR_SIGN_IN, MFA},
    {50078, ERROR_SIGN_IN, MFA},
    {50079, ERROR_SIGN_IN, MFA},
    {65001, ERROR_SIGN_IN, CONSENT},
    {90094, ERROR_SIGN_IN, CONSENT},
    {650056, ERROR_SIGN_IN, CONSENT},
    {650057, ERROR_SIGN_IN, CONSENT},
    {50173, ERROR_SIGN_IN, AGAIN},
    {70000, ERROR_SIGN_IN, AGAIN},
    {70008, ERROR_SIGN_IN, AGAIN},
    {70043, ERROR_SIGN_IN, AGAIN},
    {700082, ERROR_SIGN_IN, AGAIN},
    {700084, ERROR_SIGN_IN, AGAIN},
    {50089, ERROR_SIGN_IN, AGAIN},
    {50132, ERROR_SIGN_IN, AGAIN},
    {50133, ERROR_SIGN_IN, AGAIN},
    {54005, ERROR_SIGN_IN, AGAIN},
    {53000, ERROR_SIGN_IN, POLICY},
    {53001, ERROR_SIGN_IN, POLICY},
    {53003, ERROR_SIGN_IN, POLICY},
    {530032, ERROR_SIGN_IN, POLICY},
    {530035, ERROR_SIGN_IN, POLICY},
    {50105, ERROR_SIGN_IN, POLICY},
    {7000112, ERROR_SIGN_IN, "the app is disabled in this tenant: enable it in Entra ID"},
    {700016, ERROR_SIGN_IN, APP},
    {70001, ERROR_SIGN_IN, APP},
    {7000215, ERROR_SIGN_IN, SECRET},
    {7000222, ERROR_SIGN_IN, "the client secret has expired: make a new one and store it"},
    {7000218, ERROR_SIGN_IN, "the app wants a secret or certificate: set client-secret-file"},
    {700025, ERROR_SIGN_IN, "the app is a public client: remove the secret or certificate"},
    {700027, ERROR_SIGN_IN, ASSERTION},
    {50012, ERROR_SIGN_IN, ASSERTION},
    {50013, ERROR_SIGN_IN, ASSERTION},
    {500133, ERROR_SIGN_IN, "the assertion is outside its time: set this machine's clock"},
    {700030, ERROR_SIGN_IN, ASSERTION},
    {50011, ERROR_SIGN_IN, "the redirect address is not registered with the app"},
    {70011, ERROR_SIGN_IN, "the scope is not valid: check graph-url and cloud"},
    {28002, ERROR_SIGN_IN, "the scope is not valid: check graph-url and cloud"},
    {700022, ERROR_SIGN_IN, "the scope is not valid: check graph-url and cloud"},
    {90002, ERROR_SIGN_IN, TENANT},
    {50059, ERROR_SIGN_IN, TENANT},
    {50128, ERROR_SIGN_IN, TENANT},
    {50194, ERROR_SIGN_IN, TENANT},
    {9001023, ERROR_SIGN_IN, TENANT},
    {90130, ERROR_SIGN_IN, TENANT},
    {90038, ERROR_SIGN_IN, TENANT},
    {900382, ERROR_SIGN_IN, TENANT},
    {900432, ERROR_SIGN_IN, TENANT},
    {70016, ERROR_SIGN_IN, DEVICE},
    {70018, ERROR_SIGN_IN, DEVICE},
    {70019, ERROR_SIGN_IN, DEVICE},
    {90033, ERROR_TEMPORARY, PASSING},
    {90006, ERROR_TEMPORARY, PASSING},
    {90012, ERROR_TEMPORARY, PASSING},
    {90024, ERROR_TEMPORARY, PASSING},
    {90090, ERROR_TEMPORARY, PASSING},
    {50033, ERROR_TEMPORARY, PASSING},
    {90055, ERROR_THROTTLED, "the tenant is throttled at sign-in; try again later"},
    {50196, ERROR_SIGN_IN, "the sign-in service sees a loop: stop other programs using this app"},
};

const struct aadsts *aadsts_find(int number)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].number == number)
            return &table[i];
    }
    return NULL;
}
