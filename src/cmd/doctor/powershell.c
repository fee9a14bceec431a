#include "powershell.h"

#include "need.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TITLE_SHOWN  36 /* bytes of a tenant's title in names */
#define GRAPH_APP_ID "00000003-0000-0000-c000-000000000000"

/* The names by which the modules know a cloud; the first one needs none. */
struct environment {
    const char *graph_url, *exchange, *graph;
};
static const struct environment environments[] = {
    {"https://graph.microsoft.com", "", ""},
    {"https://graph.microsoft.us", " -ExchangeEnvironmentName O365USGovGCCHigh",
     " -Environment USGov"},
    {"https://dod-graph.microsoft.us", " -ExchangeEnvironmentName O365USGovDoD",
     " -Environment USGovDoD"},
    {"https://microsoftgraph.chinacloudapi.cn", " -ExchangeEnvironmentName O365China",
     " -Environment China"},
};

static const struct environment *environment_of(const struct config_tenant *t)
{
    for (size_t i = 0; i < sizeof environments / sizeof *environments; i++) {
        if (t->cloud_url && strcmp(environments[i].graph_url, t->cloud_url) == 0)
            return &environments[i];
    }
    return &environments[0];
}

/* PowerShell takes U+2018 to U+201B for the apostrophe, too. */
static size_t apostrophe(const char *p)
{
    if (*p == '\'')
        return 1;
    unsigned char last = strncmp(p, "\xe2\x80", 2) == 0 ? (unsigned char)p[2] : 0;
    return last >= 0x98 && last <= 0x9b ? 3 : 0;
}

void powershell_quote(struct buf *out, const char *text)
{
    buf_putc(out, '\'');
    while (*text) {
        size_t quote = apostrophe(text);
        size_t len = quote ? quote : 1;
        if (quote)
            buf_append(out, text, len);
        buf_append(out, text, len);
        text += len;
    }
    buf_putc(out, '\'');
}

/* One line of a comment: a line break in it would begin a command. */
static void put_comment(struct buf *out, const char *text)
{
    buf_puts(out, "# ");
    for (; *text; text++)
        buf_putc(out, (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text);
    buf_putc(out, '\n');
}

/* --- which mailboxes --- */

struct mailboxes {
    const char **names;
    size_t count;
};

static bool known(const struct mailboxes *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++) {
        if (strcasecmp(m->names[i], name) == 0)
            return true;
    }
    return false;
}

/* What is both read and written counts as written only. */
static void gather(const struct need *needs, size_t count, struct mailboxes *read,
                   struct mailboxes *written)
{
    for (size_t i = 0; i < count; i++) {
        if (needs[i].writes && !known(written, needs[i].mailbox))
            written->names[written->count++] = needs[i].mailbox;
    }
    for (size_t i = 0; i < count; i++) {
        if (!known(written, needs[i].mailbox) && !known(read, needs[i].mailbox))
            read->names[read->count++] = needs[i].mailbox;
    }
}

/* --- an application --- */

/* How many bytes of the text to show, at most `most`, and no character in part. */
static size_t utf8_cut(const char *text, size_t most)
{
    size_t len = strnlen(text, most);
    while (len == most && len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static void put_application(const struct config_tenant *t, struct buf *out)
{
    if (t->client_id) {
        buf_printf(out, "$app = Get-MgServicePrincipal -Filter \"appId eq '%s'\"\n", t->client_id);
    } else if (t->identity_object_id) {
        buf_puts(out, "$app = Get-MgServicePrincipal -ServicePrincipalId ");
        powershell_quote(out, t->identity_object_id);
        buf_putc(out, '\n');
    } else {
        put_comment(out, "The managed identity bears the name of its machine: put that name here.");
        buf_puts(out, "$app = Get-MgServicePrincipal -Filter \"displayName eq 'NAME OF THE "
                      "MACHINE' and servicePrincipalType eq 'ManagedIdentity'\"\n");
    }
    buf_puts(out, "if (-not $app -or @($app).Count -ne 1) { throw 'There is no such application in "
                  "this tenant, "
                  "or more than one' }\n"
                  "if (-not (Get-ServicePrincipal | Where-Object AppId -eq $app.AppId)) {\n"
                  "    New-ServicePrincipal -AppId $app.AppId -ObjectId $app.Id -DisplayName "
                  "$app.DisplayName\n"
                  "}\n");
}

static void put_list(const struct mailboxes *m, struct buf *out)
{
    buf_puts(out, "$mailboxes = @(\n");
    for (size_t i = 0; i < m->count; i++) {
        buf_puts(out, "    ");
        powershell_quote(out, m->names[i]);
        buf_putc(out, '\n');
    }
    buf_puts(out, ") | ForEach-Object { Get-EXOMailbox -Identity $_ -ErrorAction Stop }\n");
}

/* By GUID: a filter on addresses would also match the aliases of other mailboxes. */
static void put_filter(const struct mailboxes *m, struct buf *out)
{
    if (m->count <= POWERSHELL_SCOPE_MAX) {
        buf_puts(out, "$filter = ($mailboxes | ForEach-Object { \"Guid -eq '$($_.Guid)'\" }) -join "
                      "' -or '\n");
        return;
    }
    put_comment(out, "More than a filter should list, so a group: direct members count, groups "
                     "inside it do not.");
    buf_puts(out,
             "$group = Get-DistributionGroup -Identity $name -ErrorAction SilentlyContinue\n"
             "if (-not $group) {\n"
             "    $group = New-DistributionGroup -Name $name -Type Security -MemberJoinRestriction "
             "Closed -MemberDepartRestriction Closed\n"
             "}\n"
             "Update-DistributionGroupMember -Identity $group.Guid.ToString() -Members ($mailboxes "
             "| ForEach-Object { $_.Guid.ToString() }) -Confirm:$false\n"
             "$filter = \"MemberOfGroup -eq '$($group.DistinguishedName -replace \"'\", "
             "\"''\")'\"\n");
}

/* Exchange's names of scopes and assignments have 64 characters at most. */
static void put_scope_name(const struct config_tenant *t, const char *what, struct buf *out)
{
    char *name = xasprintf("Postern %.*s %s", (int)utf8_cut(t->name, TITLE_SHOWN), t->name, what);
    buf_puts(out, "$name = ");
    powershell_quote(out, name);
    buf_putc(out, '\n');
    free(name);
}

static void put_scope(const struct config_tenant *t, const char *what, const char *role,
                      const struct mailboxes *m, struct buf *out)
{
    buf_printf(out, "\n# %s: %zu mailbox%s\n", role, m->count, m->count == 1 ? "" : "es");
    put_scope_name(t, what, out);
    if (!m->count) {
        buf_puts(out,
                 "Get-ManagementRoleAssignment -Identity $name -ErrorAction SilentlyContinue | "
                 "Remove-ManagementRoleAssignment -Confirm:$false\n");
        return;
    }
    put_list(m, out);
    put_filter(m, out);
    buf_printf(out,
               "if (Get-ManagementScope -Identity $name -ErrorAction SilentlyContinue) {\n"
               "    Set-ManagementScope -Identity $name -RecipientRestrictionFilter $filter\n"
               "} else {\n"
               "    New-ManagementScope -Name $name -RecipientRestrictionFilter $filter\n"
               "}\n"
               "if (-not (Get-ManagementRoleAssignment -Identity $name -ErrorAction "
               "SilentlyContinue)) {\n"
               "    New-ManagementRoleAssignment -Name $name -App $app.Id -Role '%s' "
               "-CustomResourceScope $name\n"
               "}\n"
               "# InScope must be True:\n"
               "$mailboxes | ForEach-Object { Test-ServicePrincipalAuthorization -Identity "
               "$app.Id -Resource $_.Guid.ToString() } | Format-Table\n",
               role);
}

static const char tenant_wide[] =
    "\n# Permissions add up: with one of these beside it the scope limits nothing.\n"
    "$graph = Get-MgServicePrincipal -Filter \"appId eq '" GRAPH_APP_ID "'\"\n"
    "$mail = $graph.AppRoles | Where-Object Value -like 'Mail.*'\n"
    "Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $app.Id -All |\n"
    "    Where-Object { $_.ResourceId -eq $graph.Id -and $mail.Id -contains $_.AppRoleId } |\n"
    "    ForEach-Object { Remove-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $app.Id "
    "-AppRoleAssignmentId $_.Id }\n"
    "# Take what it removed out of API permissions of the app registration, too, so that nobody\n"
    "# grants it again.\n"
    "# Exchange acts on changes after 30 minutes to 2 hours; leave the application alone "
    "meanwhile.\n";

static void put_application_rights(const struct config_tenant *t, const struct need *needs,
                                   size_t count, struct buf *out)
{
    const struct environment *cloud = environment_of(t);
    struct mailboxes read = {xcalloc(count + 1, sizeof(char *)), 0};
    struct mailboxes written = {xcalloc(count + 1, sizeof(char *)), 0};
    gather(needs, count, &read, &written);
    put_comment(out, "Run as an Exchange administrator who may also change applications. Modules: "
                     "ExchangeOnlineManagement,");
    put_comment(out, "Microsoft.Graph.Applications (Install-Module).");
    buf_printf(out, "Connect-ExchangeOnline%s\n", cloud->exchange);
    buf_printf(out,
               "Connect-MgGraph%s -Scopes 'Application.Read.All', "
               "'AppRoleAssignment.ReadWrite.All'\n",
               cloud->graph);
    put_application(t, out);
    put_scope(t, "reads and writes", "Application Mail.ReadWrite", &written, out);
    put_scope(t, "reads", "Application Mail.Read", &read, out);
    buf_puts(out, tenant_wide);
    free(read.names);
    free(written.names);
}

/* --- persons --- */

static void put_permissions(const struct need *needs, size_t count, struct buf *out)
{
    static const char *const all[] = {"Mail.Read", "Mail.ReadWrite", "Mail.Read.Shared",
                                      "Mail.ReadWrite.Shared"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        bool needed = false;
        for (size_t k = 0; k < count; k++)
            needed = needed || strcmp(need_permission(&needs[k]), all[i]) == 0;
        if (needed)
            buf_printf(out, "#     %s\n", all[i]);
    }
    buf_puts(out, "#     offline_access\n");
}

/* Which rights on the mailbox itself let another account in. */
static void put_shared(const struct need *needs, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct need *n = &needs[i];
        bool told = !n->shared;
        for (size_t k = 0; k < i && !told; k++)
            told = needs[k].shared && strcasecmp(needs[k].mailbox, n->mailbox) == 0 &&
                   strcasecmp(needs[k].who.account, n->who.account) == 0;
        if (told)
            continue;
        buf_puts(out, "Add-MailboxPermission -Identity ");
        powershell_quote(out, n->mailbox);
        buf_puts(out, " -User ");
        powershell_quote(out, n->who.account);
        buf_puts(out, " -AccessRights FullAccess -AutoMapping $false\n");
    }
}

static void put_delegated_rights(const struct config_tenant *t, const struct need *needs,
                                 size_t count, struct buf *out)
{
    bool shared = false;
    for (size_t i = 0; i < count; i++)
        shared = shared || needs[i].shared;
    buf_puts(out, "# Persons sign in here, so the application needs delegated permissions of "
                  "Microsoft Graph\n"
                  "# (App registrations, API permissions, Delegated permissions):\n");
    put_permissions(needs, count, out);
    if (t->flow != FLOW_PASSWORD)
        buf_puts(out, "# and, under Authentication, \"Allow public client flows\" and the redirect "
                      "address\n# http://localhost of the platform \"Mobile and desktop "
                      "applications\".\n");
    buf_puts(out, "# Consent for the whole tenant, if persons may not give their own: open this as "
                  "an administrator.\n");
    buf_printf(out, "# %s/%s/adminconsent?client_id=%s\n", t->login_url,
               t->tenant_id ? t->tenant_id : "organizations", t->client_id ? t->client_id : "");
    if (!shared)
        return;
    buf_printf(out,
               "\n# Accounts that open mailboxes of others need rights there.\n"
               "Connect-ExchangeOnline%s\n",
               environment_of(t)->exchange);
    put_shared(needs, count, out);
}

void powershell_tenant(const struct config *c, const struct config_tenant *t, struct buf *out)
{
    size_t count;
    struct need *needs = need_all(c, t, &count);
    char *title = xasprintf("Postern, tenant %s", t->name);
    put_comment(out, title);
    free(title);
    if (!count)
        buf_puts(out, "# No login uses this tenant, so it needs no rights.\n");
    else if (config_flow_is_delegated(t->flow))
        put_delegated_rights(t, needs, count, out);
    else
        put_application_rights(t, needs, count, out);
    free(needs);
}
