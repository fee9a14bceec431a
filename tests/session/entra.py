#!/usr/bin/env python3
"""postern-sandbox as Entra ID: how it signs in, what it refuses, and what its tokens may do."""

import base64
import contextlib
import csv
import http.server
import io
import json
import re
import subprocess
import tempfile
import threading
import urllib.parse
from pathlib import Path

import tap
from entraclient import DEVICE, JWT_BEARER, REDIRECT, SCOPE, Entra, Pkce, claims_of
from harness import MAILBOX, SANITIZER, Sandbox, make_certificate, need
from proxies import ConnectProxy
from tap import test

BOB = "bob@example.com"
INBOX = "/mailFolders/inbox/messages?$top=1"
CP1 = '{"access_token":{"xms_cc":{"values":["cp1"]}}}'


@contextlib.contextmanager
def entra(*arguments, violation=None):
    """A sandbox with two accounts and a client of it; violation: a rule that is broken on
    purpose."""
    with tempfile.TemporaryDirectory(prefix="postern-test-") as work:
        sandbox = Sandbox(Path(work), "--user", BOB, *arguments)
        try:
            yield Entra(sandbox)
            rules = {v["rule"] for v in sandbox.violations()}
            assert rules == ({violation} if violation else set()), sandbox.violations()
        finally:
            sandbox.process.terminate()
        assert not SANITIZER.search(sandbox.process.log()), sandbox.process.log()


def refused(answer, status, error, number):
    assert (answer.status, answer["error"], answer.number) == (status, error, number), answer.body
    assert answer["error_description"].startswith(f"AADSTS{number}: "), answer.body


@test
def device_code():
    """A device code: pending, signed in, once only; the tokens bear account and scopes"""
    with entra("--set", "device-interval=0") as client:
        begun = client.post("devicecode", scope=SCOPE)
        assert begun["expires_in"] == 900 and begun["interval"] == 0
        assert begun["user_code"] in begun["message"]
        assert begun["verification_uri"] in begun["message"]
        code = begun["device_code"]
        refused(client.token(DEVICE, device_code=code), 400, "authorization_pending", 70016)
        client.sandbox.device(BOB, begun["user_code"])
        tokens = client.token(DEVICE, device_code=code)
        assert tokens["token_type"] == "Bearer" and tokens["expires_in"] == 3599
        assert set(tokens["scope"].split()) == {"Mail.ReadWrite", "User.Read", "openid"}
        claims = claims_of(tokens["access_token"])
        assert claims["upn"] == BOB and claims["scp"].split() and claims["tid"] and claims["oid"]
        who = claims_of(tokens["id_token"])
        assert who["preferred_username"] == BOB and who["oid"] == claims["oid"]
        assert len(tokens["refresh_token"]) > 1000
        refused(client.token(DEVICE, device_code=code), 400, "bad_verification_code", 70018)
        assert client.sandbox.sign_ins("device")[-2]["user"] == BOB


@test
def device_code_ends():
    """A device code that is declined, expires, or is not known"""
    with entra("--set", "device-interval=0") as client:
        code = client.post("devicecode", scope=SCOPE)["device_code"]
        client.sandbox.device(decline=True)
        refused(client.token(DEVICE, device_code=code), 400, "authorization_declined", 70017)
        code = client.post("devicecode", scope=SCOPE)["device_code"]
        client.sandbox.device(expire=True)
        refused(client.token(DEVICE, device_code=code), 400, "expired_token", 70020)
        refused(client.token(DEVICE, device_code="x"), 400, "bad_verification_code", 70018)
        refused(client.token(DEVICE), 400, "invalid_request", 900144)
        refused(client.post("devicecode"), 400, "invalid_request", 900144)
        assert client.ask("GET", client.url("devicecode")).number == 900561


@test
def device_code_hasty():
    """Whoever polls too often is told to slow down, and it is a violation"""
    with entra("--set", "device-interval=3600", violation="device-interval") as client:
        begun = client.post("devicecode", scope=SCOPE)
        assert begun["interval"] == 3600
        refused(client.token(DEVICE, device_code=begun["device_code"]),
                400, "authorization_pending", 70016)
        refused(client.token(DEVICE, device_code=begun["device_code"]), 400, "slow_down", 70016)


@test
def without_offline_access():
    """No refresh token without offline_access, no id_token without openid"""
    with entra() as client:
        tokens = client.sign_in(scope="Mail.Read")
        assert "refresh_token" not in tokens.json and "id_token" not in tokens.json
        assert tokens["scope"] == "Mail.Read"
        tokens = client.sign_in(scope=client.sandbox.graph_url + "/.default offline_access")
        assert "Mail.ReadWrite.Shared" in tokens["scope"] and "refresh_token" in tokens.json


@test
def authorization_code():
    """An authorization code with PKCE: the way back, the tokens, and once only"""
    with entra("--set", f"sign-in-as={BOB}") as client:
        pkce = Pkce()
        back = client.authorize(pkce, nonce="n1")
        assert back["uri"] == REDIRECT and back["state"] == "a b&c", back
        fields = {"code": back["code"], "redirect_uri": REDIRECT, "code_verifier": pkce.verifier}
        refused(client.token("authorization_code", **{**fields, "code_verifier": "x" * 43}),
                400, "invalid_grant", 501481)
        refused(client.token("authorization_code", **{**fields, "code_verifier": None}),
                400, "invalid_grant", 501481)
        refused(client.token("authorization_code", **{**fields, "redirect_uri": REDIRECT + "x"}),
                400, "invalid_grant", 500112)
        refused(client.token("authorization_code", **{**fields, "code": "x"}),
                400, "invalid_grant", 70000)
        tokens = client.token("authorization_code", **fields)
        assert claims_of(tokens["access_token"])["upn"] == BOB
        assert claims_of(tokens["id_token"])["nonce"] == "n1"
        refused(client.token("authorization_code", **fields), 400, "invalid_grant", 54005)
        client.sandbox.settings(code_life=0)
        fields["code"] = client.authorize(pkce)["code"]
        refused(client.token("authorization_code", **fields), 400, "invalid_grant", 70008)


@test
def authorize_refuses():
    """…/authorize: bad ways back are told the browser, the rest the client"""
    with entra() as client:
        pkce = Pkce()
        for uri in ("https://127.0.0.1/", "http://localhost.example/", "http://127.0.0.1:1x/",
                    "http://example.com/"):
            refused(client.authorize(pkce, redirect_uri=uri), 400, "invalid_request", 50011)
        for uri in ("http://localhost", "http://localhost:1/a", "http://127.0.0.1:65535/"):
            assert "code" in client.authorize(pkce, redirect_uri=uri), uri
        refused(client.authorize(pkce, redirect_uri=None), 400, "invalid_request", 900971)
        assert client.authorize(pkce, response_type="token")["error"] == "unsupported_response_type"
        assert client.authorize(pkce, code_challenge="short")["error"] == "invalid_request"
        assert client.authorize(pkce, scope="Nonsense")["error"] == "invalid_scope"
        assert client.authorize(pkce, scope=None)["error"] == "invalid_request"
        client.sandbox.settings(sign_in="decline")
        back = client.authorize(pkce)
        assert back["error"] == "access_denied" and "declined" in back["error_description"]
        assert back["state"] == "a b&c"


@test
def browser():
    """A browser that follows the address of a sign-in comes to the client"""
    class Client(http.server.BaseHTTPRequestHandler):
        """Tells what it was asked."""

        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.path.encode())

        def log_message(self, *_):
            """Nobody reads it."""

    with entra() as client, http.server.HTTPServer(("127.0.0.1", 0), Client) as server:
        server.timeout = tap.PATIENCE
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        back = f"http://localhost:{server.server_port}/done"
        fields = {"client_id": client.sandbox.client_id, "response_type": "code", "scope": SCOPE,
                  "redirect_uri": back, "state": "s", "code_challenge": Pkce().challenge,
                  "code_challenge_method": "S256"}
        status, text = client.sandbox.browse(
            client.url("authorize") + "?" + urllib.parse.urlencode(fields))
        thread.join()
        assert status == 200 and re.fullmatch(r"/done\?code=[^&]+&state=s", text), text


@test
def no_pkce():
    """A code that is asked for without PKCE is a violation"""
    with entra(violation="pkce") as client:
        assert "code" in client.authorize()


@test
def password_grant():
    """The password grant: right, wrong, and accounts that may not"""
    with entra() as client:
        def ask(user=MAILBOX, password="sandbox-password", scope=SCOPE, **fields):
            return client.token("password", username=user, password=password, scope=scope,
                                **fields)
        assert claims_of(ask()["access_token"])["upn"] == MAILBOX
        refused(ask(password="wrong"), 400, "invalid_grant", 50126)
        refused(ask(user="nobody@example.com"), 400, "invalid_grant", 50034)
        refused(ask(password=None), 400, "invalid_request", 900144)
        client.sandbox.account(refusal=50076)
        refused(ask(), 400, "interaction_required", 50076)
        client.sandbox.account(refusal=0, password="another")
        refused(ask(), 400, "invalid_grant", 50126)
        assert ask(password="another").status == 200
        client.sandbox.account(password=" blanks ")
        refused(ask(password=" blanks "), 400, "invalid_grant", 50126)
        refused(client.post("token", tenant="common", grant_type="password"),
                400, "invalid_request", 50194)


@test
def clients():
    """Public clients show no secret, confidential ones must"""
    with entra() as client:
        secret = {"client_secret": client.sandbox.client_secret}
        refused(client.sign_in(**secret), 401, "invalid_client", 700025)
        client.sandbox.settings(public_client="no")
        refused(client.sign_in(), 401, "invalid_client", 7000218)
        assert client.sign_in(**secret).status == 200
        refused(client.sign_in(client_secret="wrong"), 401, "invalid_client", 7000215)
        refused(client.app_token(client_id="00000000-0000-0000-0000-000000000000"),
                400, "unauthorized_client", 700016)
        refused(client.token("nonsense"), 400, "unsupported_grant_type", 70003)
        refused(client.post("token"), 400, "invalid_request", 900144)
        refused(client.post("token", tenant="elsewhere"), 400, "invalid_request", 90002)


@test
def consent():
    """Scopes that nobody consented to, and such as do not exist"""
    with entra("--set", "consented=Mail.Read User.Read") as client:
        refused(client.post("devicecode", scope="Mail.ReadWrite"), 400, "consent_required", 65001)
        refused(client.post("devicecode", scope="Mail.Everything"), 400, "invalid_scope", 70011)
        refused(client.post("devicecode", scope="https://elsewhere.example/Mail.Read"),
                400, "invalid_scope", 70011)
        tokens = client.sign_in(scope="Mail.Read offline_access")
        refused(client.refresh(tokens["refresh_token"], scope="Mail.ReadWrite"),
                400, "consent_required", 65001)


@test
def resources():
    """With local-graph=no only the real address of Graph names it"""
    with entra("--set", "local-graph=no") as client:
        refused(client.app_token(), 400, "invalid_scope", 70011)
        assert client.app_token(scope="https://graph.microsoft.com/.default").status == 200
        refused(client.post("devicecode", scope=client.sandbox.graph_url + "/Mail.Read"),
                400, "invalid_scope", 70011)
        assert client.post("devicecode", scope="Mail.Read").status == 200
        not_given(client.imds(), "invalid_resource")
        assert client.imds(resource="https://graph.microsoft.com").status == 200


@test
def rotation():
    """Each refresh gives a new token; the old one stays, or not"""
    with entra() as client:
        first = client.sign_in()["refresh_token"]
        second = client.refresh(first)
        assert second["refresh_token"] != first and second["scope"].split()
        assert client.refresh(first).status == 200
        fewer = client.refresh(first, scope="Mail.Read")
        assert fewer["scope"] == "Mail.Read" and "refresh_token" not in fewer.json
        client.sandbox.settings(refresh_reuse="revoked")
        third = client.refresh(second["refresh_token"])
        refused(client.refresh(second["refresh_token"]), 400, "invalid_grant", 70000)
        assert client.refresh(third["refresh_token"]).status == 200
        refused(client.refresh("x"), 400, "invalid_grant", 70000)


@test
def refresh_ends():
    """Refresh tokens die by age, revocation, a changed password, and what befalls the account"""
    with entra() as client:
        mine, other = client.sign_in()["refresh_token"], client.sign_in(BOB)["refresh_token"]
        client.sandbox.expire_refresh()
        refused(client.refresh(mine), 400, "invalid_grant", 700082)
        mine = client.sign_in()["refresh_token"]
        client.sandbox.revoke()
        refused(client.refresh(mine), 400, "invalid_grant", 50173)
        mine = client.sign_in()["refresh_token"]
        client.sandbox.account(password="new")
        refused(client.refresh(mine), 400, "invalid_grant", 50173)
        mine = client.sign_in()["refresh_token"]
        for number, error in ((50076, "interaction_required"), (50057, "invalid_grant"),
                              (53003, "invalid_grant"), (70043, "invalid_grant")):
            client.sandbox.account(refusal=number)
            refused(client.refresh(mine), 400, error, number)
        client.sandbox.account(refusal=0)
        assert client.refresh(mine).status == 200 and client.refresh(other).status == 200
        client.sandbox.settings(refresh_life=0)
        refused(client.refresh(mine), 400, "invalid_grant", 700082)


@test
def confidential_refresh():
    """A confidential client's refresh token outlives the password, not a revocation"""
    with entra("--set", "public-client=no") as client:
        secret = {"client_secret": client.sandbox.client_secret}
        token = client.sign_in(**secret)["refresh_token"]
        client.sandbox.account(password="new")
        assert client.refresh(token, **secret).status == 200
        client.sandbox.revoke()
        refused(client.refresh(token, **secret), 400, "invalid_grant", 50173)


def challenge_in(answer):
    """The claims of a claims challenge."""
    header = answer.headers["WWW-Authenticate"]
    assert answer.status == 401 and 'error="insufficient_claims"' in header, header
    assert 'realm=""' in header and "authorization_uri=" in header
    return json.loads(base64.b64decode(re.search(r'claims="([^"]+)"', header)[1]))


def merged(claims):
    """These claims and the client's capability, as the documentation merges them."""
    return json.dumps({"access_token": {"xms_cc": {"values": ["cp1"]}, **claims["access_token"]}})


@test
def claims_challenge():
    """Claims challenges: for cp1 only, answered by a token that was asked for with the claims"""
    with entra() as client:
        plain, aware = client.sign_in(), client.sign_in(claims=CP1)
        assert "xms_cc" not in claims_of(plain["access_token"])
        path = f"/users/{MAILBOX}{INBOX}"
        assert client.graph(path, aware["access_token"]).status == 200
        client.sandbox.challenge()
        assert client.graph(path, plain["access_token"]).status == 200
        claims = challenge_in(client.graph(path, aware["access_token"]))
        assert claims["access_token"]["nbf"]["essential"] is True
        again = client.refresh(aware["refresh_token"], claims=CP1)
        challenge_in(client.graph(path, again["access_token"]))
        good = client.refresh(aware["refresh_token"], claims=merged(claims))
        assert client.graph(path, good["access_token"]).status == 200
        client.sandbox.challenge()
        newer = challenge_in(client.graph(path, good["access_token"]))
        assert newer != claims
        refused(client.refresh(aware["refresh_token"], claims="{"), 400, "invalid_request", 90100)
        client.sandbox.challenge(acrs="c25")
        good = client.refresh(aware["refresh_token"], claims=merged(newer))
        both = challenge_in(client.graph(path, good["access_token"]))
        assert both["access_token"]["acrs"] == {"essential": True, "value": "c25"}
        good = client.refresh(aware["refresh_token"], claims=merged(both))
        assert client.graph(path, good["access_token"]).status == 200


@test
def app_challenge():
    """The application's own tokens are challenged, too"""
    with entra() as client:
        path = f"/users/{MAILBOX}{INBOX}"
        token = client.app_token(claims=CP1)["access_token"]
        client.sandbox.challenge(app=True)
        claims = challenge_in(client.graph(path, token))
        token = client.app_token(claims=merged(claims))["access_token"]
        assert client.graph(path, token).status == 200


@test
def revoked_sessions():
    """Revoked sessions: a challenge for cp1, and nothing but a new sign-in helps"""
    with entra() as client:
        path = f"/users/{MAILBOX}{INBOX}"
        tokens = client.sign_in(claims=CP1)
        client.sandbox.revoke()
        claims = challenge_in(client.graph(path, tokens["access_token"]))
        refused(client.refresh(tokens["refresh_token"], claims=merged(claims)),
                400, "invalid_grant", 50173)
        fresh = client.sign_in(claims=CP1)["access_token"]
        assert client.graph(path, fresh).status == 200


@test
def token_lives():
    """Lives of tokens: the setting, and longer ones for clients that know challenges"""
    with entra("--set", "token-life=100", "--set", "cae-life=86400") as client:
        assert client.app_token()["expires_in"] == 100
        assert client.app_token(claims=CP1)["expires_in"] == 86400


@test
def federated():
    """Assertions of another issuer: issuer, subject, audience, time and signature must fit"""
    with entra("--set", "federated-issuer=https://issuer.example/",
               "--set", "federated-subject=system:serviceaccount:mail:postern") as client:
        def ask(**claims):
            return client.app_token(client_secret=None, client_assertion_type=JWT_BEARER,
                                    client_assertion=client.sandbox.federated_token(**claims))
        assert ask().status == 200
        assert ask(audience="api://AzureADTokenExchange").status == 200
        refused(ask(issuer="https://other.example/"), 401, "invalid_client", 700211)
        refused(ask(subject="system:serviceaccount:mail:Postern"), 401, "invalid_client", 700213)
        refused(ask(audience="api://other"), 401, "invalid_client", 700212)
        refused(ask(life=-1000), 401, "invalid_client", 700024)
        refused(ask(forged=True), 401, "invalid_client", 50013)
        client.sandbox.settings(federated_issuer="")
        refused(ask(), 401, "invalid_client", 700211)


def mailbox(user):
    return f"/users/{user}{INBOX}"


def denied(answer, text="Access is denied."):
    assert (answer.status, answer.code) == (403, "ErrorAccessDenied"), answer.body
    assert answer["error"]["message"].startswith(text), answer.body


@test
def profile():
    """/me and /users/{id}: for users their own, for the application anybody's but /me"""
    with entra() as client:
        token = client.sign_in()["access_token"]
        me = client.graph("/me", token)
        assert (me["userPrincipalName"], me["mail"]) == (MAILBOX, MAILBOX) and me["displayName"]
        assert me["id"] == claims_of(token)["oid"]
        assert set(client.graph("/me?$select=id", token).json) == {"@odata.context", "id"}
        assert client.graph(f"/users/{MAILBOX}", token)["id"] == me["id"]
        answer = client.graph(f"/users/{BOB}", token)
        assert (answer.status, answer.code) == (403, "Authorization_RequestDenied")
        app = client.app_token()["access_token"]
        for path in ("/me", "/me" + INBOX):
            answer = client.graph(path, app)
            assert (answer.status, answer.code) == (400, "BadRequest"), answer.body
        assert client.graph(f"/users/{BOB}", app)["mail"] == BOB
        answer = client.graph("/users/nobody@example.com", app)
        assert (answer.status, answer.code) == (404, "Request_ResourceNotFound")


@test
def own_mailbox():
    """A user's token reaches /me and the own mailbox, and no other"""
    with entra() as client:
        token = client.sign_in()["access_token"]
        assert client.graph("/me" + INBOX, token).status == 200
        assert client.graph(mailbox(MAILBOX), token).status == 200
        denied(client.graph(mailbox(BOB), token))
        for _ in range(3):
            draft = client.graph("/me/messages", token, "POST", {"subject": "x"})
            assert draft.status == 201
        page = client.graph("/me/messages?$top=2", token)
        assert len(page["value"]) == 2
        rest = page["@odata.nextLink"].removeprefix(client.sandbox.graph_url + "/v1.0")
        assert len(client.graph(rest, token)["value"]) == 1
        page = client.graph("/me/mailFolders/drafts/messages/delta", token)
        link = page["@odata.deltaLink"].removeprefix(client.sandbox.graph_url + "/v1.0")
        assert len(page["value"]) == 3 and client.graph(link, token)["value"] == []
        steps = [{"id": number, "method": "GET", "url": url,
                  "headers": {"Prefer": 'IdType="ImmutableId"'}}
                 for number, url in (("1", "/me" + INBOX), ("2", mailbox(BOB)))]
        answers = client.graph("/$batch", token, "POST", {"requests": steps})["responses"]
        assert {a["id"]: a["status"] for a in answers} == {"1": 200, "2": 403}


@test
def read_only_scopes():
    """Mail.Read refuses writes; Mail.ReadBasic more than that"""
    with entra() as client:
        token = client.sandbox.access_token(scope="Mail.Read")
        assert client.graph("/me" + INBOX, token).status == 200
        denied(client.graph("/me/messages", token, "POST", {"subject": "x"}))
        basic = client.sandbox.access_token(scope="Mail.ReadBasic")
        assert client.graph("/me" + INBOX, basic).status == 200
        property_8 = "singleValueExtendedProperties($filter=id%20eq%20'Integer%200x0E08')"
        denied(client.graph("/me" + INBOX + "&$expand=" + property_8, basic))
        denied(client.graph("/me" + INBOX, client.sandbox.access_token(scope="User.Read")))


@test
def shared_mailboxes():
    """Another's mailbox: with a .Shared scope and where it was shared, not with one alone"""
    with entra("--set", f"shared-mailboxes={MAILBOX}={BOB}") as client:
        shared = client.sandbox.access_token(scope="Mail.Read.Shared")
        assert client.graph(mailbox(BOB), shared).status == 200
        assert client.graph(mailbox(MAILBOX), shared).status == 200
        denied(client.graph(f"/users/{BOB}/messages", shared, "POST", {"subject": "x"}))
        denied(client.graph(mailbox(BOB), client.sandbox.access_token(scope="Mail.ReadWrite")))
        writer = client.sandbox.access_token(scope="Mail.ReadWrite.Shared")
        assert client.graph(f"/users/{BOB}/messages", writer, "POST", {"subject": "x"}).status == 201
        other = client.sandbox.access_token(BOB, scope="Mail.ReadWrite.Shared")
        denied(client.graph(mailbox(MAILBOX), other))


@test
def application_scope():
    """The application limited to mailboxes, by RBAC or by an access policy, and to roles"""
    with entra() as client:
        token = client.app_token()["access_token"]
        assert "Mail.ReadWrite" in claims_of(token)["roles"]
        assert client.graph(mailbox(BOB), token).status == 200
        client.sandbox.settings(app_mailboxes=f"other@example.com {MAILBOX}")
        denied(client.graph(mailbox(BOB), token), "Access is denied. Check credentials")
        assert client.graph(mailbox(MAILBOX), token).status == 200
        assert "roles" not in claims_of(client.app_token()["access_token"])
        client.sandbox.settings(app_scope="policy")
        denied(client.graph(mailbox(BOB), token), "Access to OData is disabled: [RAOP]")
        client.sandbox.settings(app_roles="Mail.Read", app_mailboxes="")
        reader = client.app_token()["access_token"]
        assert claims_of(reader)["roles"] == ["Mail.Read"]
        assert client.graph(mailbox(BOB), reader).status == 200
        denied(client.graph(f"/users/{BOB}/messages", reader, "POST", {"subject": "x"}))


def not_given(answer, error, status=400):
    assert (answer.status, answer["error"]) == (status, error), answer.body
    assert answer["error_description"]


@test
def managed_identity():
    """The metadata service: a token as the documentation shows it, and only to those who ask so"""
    with entra() as client:
        answer = client.imds()
        assert answer["expires_in"] == "3599" and answer["refresh_token"] == ""
        assert int(answer["expires_on"]) - int(answer["not_before"]) == 3599
        assert answer["token_type"] == "Bearer" and answer["resource"] == client.sandbox.graph_url
        own = client.sandbox.managed_identities[0]["client_id"]
        assert claims_of(answer["access_token"])["appid"] == own == answer["client_id"]
        assert client.graph(mailbox(BOB), answer["access_token"]).status == 200
        not_given(client.imds(headers={}), "bad_request_102")
        not_given(client.imds(headers={"Metadata": "True"}), "bad_request_102")
        not_given(client.imds(headers={"Metadata": "true", "X-Forwarded-For": "10.0.0.1"}),
                  "bad_request")
        not_given(client.imds(**{"api-version": None}), "invalid_request")
        not_given(client.imds(**{"api-version": "2017-09-01"}), "invalid_request")
        not_given(client.imds(resource=None), "invalid_request")
        not_given(client.imds(resource="https://vault.example"), "invalid_resource")
        assert client.imds(resource="https://graph.microsoft.com/").status == 200


@test
def managed_identities():
    """User-assigned identities by each of their names, and which one where none is named"""
    with entra("--set", "managed-identity=user") as client:
        system, first, second = client.sandbox.managed_identities
        assert client.imds()["client_id"] == first["client_id"]
        for name, value in first.items():
            assert client.imds(**{name: value})["client_id"] == first["client_id"], name
        not_given(client.imds(client_id=second["client_id"]), "invalid_request")
        client.sandbox.settings(managed_identity="several")
        not_given(client.imds(), "invalid_request")
        assert client.imds(client_id=second["client_id"])["client_id"] == second["client_id"]
        not_given(client.imds(client_id=system["client_id"]), "invalid_request")
        client.sandbox.settings(managed_identity="none")
        not_given(client.imds(), "invalid_request")


@test
def metadata_service_fails():
    """Faults of the metadata service: 404, 410, 429 and 500 for a while"""
    with entra() as client:
        for status in (404, 410, 429, 500):
            client.sandbox.fault("^/metadata/identity/oauth2", status=status, count=2, body="{}")
            assert [client.imds().status for _ in range(3)] == [status, status, 200]


def report(client, call, **headers):
    """The lines of a usage report as dictionaries."""
    token = client.app_token()["access_token"]
    answer = client.graph(f"/reports/getEmailAppUsageUserDetail({call})", token)
    assert answer.status == 302 and not answer.body, answer.body
    url = answer.headers["Location"]
    assert not url.startswith(client.sandbox.graph_url)
    answer = client.ask("GET", url, headers=headers)
    if answer.status != 200:
        return answer.status
    assert answer.headers["Content-Type"] == "application/octet-stream"
    return list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"), newline="")))


@test
def usage_report():
    """The usage report: documented columns, by period and by day"""
    with entra() as client:
        client.sandbox.report(BOB, pop3=3, imap4=20, name='Bob, "the" Öld')
        client.sandbox.report("gone@example.com", smtp=100, deleted=True)
        alice, bob, gone = sorted(report(client, "period='D7'"),
                                  key=lambda line: line["User Principal Name"])
        assert alice["POP3 App"] == "" and alice["Last Activity Date"] == ""
        assert bob["Display Name"] == 'Bob, "the" Öld' and bob["Is Deleted"] == "False"
        assert (bob["POP3 App"], bob["IMAP4 App"], bob["Report Period"]) == ("Undetermined", "", "7")
        assert gone["Is Deleted"] == "True" and gone["Deleted Date"] and gone["SMTP App"] == ""

        def used(call):
            bob = next(line for line in report(client, call)
                       if line["User Principal Name"] == BOB)
            return [name for name in ("POP3 App", "IMAP4 App", "SMTP App") if bob[name]]
        assert used("period='D30'") == used("period=%27D180%27") == ["POP3 App", "IMAP4 App"]
        day = bob["Last Activity Date"]
        assert used(f"date={day}") == ["POP3 App"]
        assert used(f"date={alice['Report Refresh Date']}") == []
        token = client.app_token()["access_token"]
        for call in ("period='D8'", "date=2020-01-01", "date=yesterday", ""):
            answer = client.graph(f"/reports/getEmailAppUsageUserDetail({call})", token)
            assert (answer.status, answer.code) == (400, "BadRequest"), call


@test
def usage_report_is_kept():
    """The usage report: concealed names, its permission, and a URL that ends"""
    with entra("--set", "report-concealed=yes") as client:
        names = {line["User Principal Name"] for line in report(client, "period='D7'")}
        assert len(names) == 2 and all(re.fullmatch("[0-9A-F]{32}", name) for name in names)
        client.sandbox.settings(report_life=0)
        assert report(client, "period='D7'") == 404
        client.sandbox.settings(app_roles="Mail.ReadWrite")
        token = client.app_token()["access_token"]
        answer = client.graph("/reports/getEmailAppUsageUserDetail(period='D7')", token)
        assert answer.status == 403


@test
def usage_report_wants_no_token():
    """A token sent to the report's own URL is a violation"""
    with entra(violation="report-authorization") as client:
        assert report(client, "period='D7'", Authorization="Bearer x") == 400


def through(proxy, url, anchor, credentials=None):
    """The status that curl gets for this URL through the proxy."""
    done = subprocess.run(
        [need("curl"), "-sS", "--noproxy", "", "--proxy", proxy.url, "--cacert", anchor,
         "--proxy-cacert", anchor, "-o", "/dev/null", "-w", "%{http_connect} %{http_code}",
         *(["--proxy-user", credentials] if credentials else []), url],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=tap.PATIENCE,
        check=False)
    return done.stdout


@test
def connect_proxy():
    """The proxy of the tests: over HTTP and HTTPS, with a name and a password"""
    with tempfile.TemporaryDirectory(prefix="postern-test-") as work, entra() as client:
        tls = make_certificate(Path(work))
        anchors = Path(work, "anchors.pem")
        anchors.write_text(tls[0].read_text() + Path(client.sandbox.ca_file).read_text())
        url = client.url("token")
        for settings in ({}, {"tls": tls}):
            with ConnectProxy(wants="scripts:very-private", **settings) as proxy:
                assert through(proxy, url, anchors) == "407 000"
                assert through(proxy, url, anchors, "scripts:wrong") == "407 000"
                assert through(proxy, url, anchors, "scripts:very-private") == "200 400"
                assert proxy.targets[-1].startswith("CONNECT 127.0.0.1:"), proxy.targets


tap.main()
