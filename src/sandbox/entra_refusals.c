/* Accounts that may not sign in (Entra: reference-error-codes). */
#include "entra.h"

static const struct {
    int number;
    const char *word, *text;
} refusals[] = {
    {50034, "invalid_grant",
     "The user account does not exist in the directory. To sign into this application, the account "
     "must be added to the directory."},
    {50053, "invalid_grant",
     "The account is locked, you've tried to sign in too many times with an incorrect user ID or "
     "password."},
    {50055, "invalid_grant", "The password is expired."},
    {50057, "invalid_grant", "The user account is disabled."},
    {50072, "interaction_required",
     "Due to a configuration change made by your administrator, or because you moved to a new "
     "location, you must enroll in multi-factor authentication to access the resource."},
    {50074, "interaction_required",
     "Strong authentication is required and the user did not pass the MFA challenge."},
    {50076, "interaction_required",
     "Due to a configuration change made by your administrator, or because you moved to a new "
     "location, you must use multi-factor authentication to access the resource."},
    {50078, "interaction_required",
     "Presented multi-factor authentication has expired due to policies configured by your "
     "administrator, you must refresh your multi-factor authentication to access the resource."},
    {50079, "interaction_required",
     "Due to a configuration change made by your administrator, or because you moved to a new "
     "location, you must enroll in multi-factor authentication to access the resource."},
    {50105, "invalid_grant",
     "Your administrator has configured the application to block users unless they are "
     "specifically "
     "granted access to the application."},
    {50126, "invalid_grant", "Error validating credentials due to invalid username or password."},
    {50173, "invalid_grant",
     "The provided grant has expired due to it being revoked, a fresh auth token is needed. The "
     "user might have changed or reset their password."},
    {53003, "invalid_grant",
     "Access has been blocked by Conditional Access policies. The access policy does not allow "
     "token issuance."},
    {65001, "consent_required",
     "The user or administrator has not consented to use the application."},
    {70000, "invalid_grant", "The provided value for the refresh token is not valid."},
    {70008, "invalid_grant",
     "The provided authorization code or refresh token has expired due to inactivity. Send a new "
     "interactive authorization request for this user and resource."},
    {70043, "invalid_grant",
     "The refresh token has expired or is invalid due to sign-in frequency checks by conditional "
     "access."},
    {90033, "temporarily_unavailable", "A transient error has occurred. Please try again."},
    {700082, "invalid_grant",
     "The refresh token has expired due to inactivity. Send a new interactive authorization "
     "request "
     "for this user and resource."},
    {530032, "invalid_grant", "Access has been blocked by security policy of the tenant."},
};

bool entra_refuse_account(struct entra_call *c, struct account *account, int number)
{
    c->account = account;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].number == number)
            return entra_refuse(c, number == 90033 ? 503 : 400, refusals[i].word, number, "%s",
                                refusals[i].text);
    }
    return entra_refuse(c, 400, "invalid_grant", number, "The sign-in is refused.");
}
