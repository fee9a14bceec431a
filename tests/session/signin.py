#!/usr/bin/env python3
"""Signing in to Entra ID: secret and certificate, refusals, renewal, and two tenants apart."""

import contextlib
import json
import re
import tempfile
import threading
from pathlib import Path

import tap
from connection import Closed
from harness import PASSWORD, Pair, mail, make_certificate, on_the_wire
from tap import test, wait_for

MESSAGE = mail("plain")
HTML = "<html><body>502 Bad Gateway</body></html>"


def refusal(number, word="invalid_client", text="Sign-in is refused."):
    """What Entra ID's token endpoint says when it gives no token."""
    return json.dumps({"error": word, "error_codes": [number],
                       "error_description": f"AADSTS{number}: {text}"})


@contextlib.contextmanager
def app_certificate():
    """The certificate of an app registration and its key."""
    with tempfile.TemporaryDirectory(prefix="postern-app-") as name:
        yield make_certificate(Path(name), "postern", stem="app", rsa=True)


def by_certificate(certificate, key, **settings):
    """A tenant section that signs in with a key instead of a secret."""
    return {"client-secret": None, "certificate": f"'{certificate}'", "private-key": f"'{key}'",
            **settings}


def refused(pair, code, login="alice"):
    """PASS is refused with this response code."""
    with pair.pop3() as client:
        client.ok(f"USER {login}")
        answer = client.err(f"PASS {PASSWORD}")
        assert answer.startswith(f"-ERR [SYS/{code}]"), answer


def reads(pair, login="alice"):
    """A session that logs in and reads the first message."""
    with pair.pop3() as client:
        client.login(login)
        assert client.retr(1) == on_the_wire(MESSAGE)
        client.quit()


def certificate_signs_in(**settings):
    with app_certificate() as (certificate, key):
        with Pair(tenant=by_certificate(certificate, key, **settings),
                  sandbox=("--client-certificate", certificate)) as pair:
            pair.deliver(MESSAGE)
            reads(pair)
            assert "eyJ" not in pair.postern.log(), "an assertion or a token stands in the log"


@test
def certificate_ps256():
    """A certificate instead of a secret, signed with PS256"""
    certificate_signs_in()


@test
def certificate_rs256():
    """A certificate instead of a secret, signed with RS256"""
    certificate_signs_in(assertion="RS256")


@test
def certificate_unknown():
    """A certificate that the app does not have: AADSTS700027 and what to do"""
    with app_certificate() as registered, app_certificate() as (certificate, key):
        with Pair(tenant=by_certificate(certificate, key),
                  sandbox=("--client-certificate", registered[0])) as pair:
            refused(pair, "PERM")
            pair.log_has(r"AADSTS700027")
            pair.log_has(r"check certificate and private-key")


@test
def certificate_and_key_differ():
    """A key that is not the certificate's: serve does not start, and names both files"""
    with app_certificate() as (certificate, _), app_certificate() as (_, key):
        with Pair(tenant=by_certificate(certificate, key), serve=False) as pair:
            try:
                pair.start()
            except AssertionError as ended:
                assert "does not belong to the certificate" in str(ended), ended
                assert str(key) in str(ended) and str(certificate) in str(ended), ended
            else:
                raise AssertionError("serve started")


def refused_with(tenant, number, advice):
    with Pair(tenant=tenant) as pair:
        refused(pair, "PERM")
        line = pair.log_has(rf"(?m)^.*AADSTS{number}.*$").group()
        assert re.search(advice, line), line


@test
def wrong_secret():
    """A wrong secret: AADSTS7000215 and what to do"""
    refused_with({"client-secret": "'not the secret'"}, 7000215, "the client secret is wrong")


@test
def unknown_app():
    """An unknown app: AADSTS700016 and what to do"""
    refused_with({"client-id": "'00000000-0000-0000-0000-000000000001'"}, 700016,
                 "check client-id and tenant-id")


@test
def unknown_tenant():
    """An unknown tenant: AADSTS90002 and what to do"""
    refused_with({"tenant-id": "'elsewhere.example'"}, 90002, "check tenant-id, and cloud")


@test
def expired_secret():
    """An expired secret: AADSTS7000222, and the new one is taken at SIGHUP without delay"""
    with Pair(serve=False) as pair:
        secret = pair.work / "secret"
        secret.write_text("the old one\n")
        secret.chmod(0o600)
        pair.tenant = {"client-secret": None, "client-secret-file": f"'{secret}'"}
        pair.postern.write(pair.config_text())
        pair.sandbox.fault("token", status=401, count=0, body=refusal(7000222))
        pair.start()
        refused(pair, "PERM")
        pair.log_has(r"the client secret has expired: make a new one and store it")
        pair.sandbox.no_faults()
        pair.deliver(MESSAGE)
        secret.write_text(pair.sandbox.client_secret + "\n")
        pair.reload()
        reads(pair)
        assert "the old one" not in pair.postern.log()


@test
def no_hammering():
    """After a refusal the token endpoint is left alone, however many log in"""
    with Pair() as pair:
        pair.sandbox.fault("token", status=401, count=0, body=refusal(7000222))
        pair.restart()
        refused(pair, "PERM")
        pair.sandbox.forget()
        for _ in range(50):
            refused(pair, "PERM")
        asked = pair.sandbox.tokens()
        assert asked <= 1, f"{asked} more token requests"
        assert pair.postern.log().count("no token") == 1, "the log says it more than once"


def token_trouble(log, **rule):
    """The endpoint fails: a temporary answer, the cause in the log, and it heals by itself."""
    with Pair(limits={"request-timeout": "2s", "first-sync-wait": "3s"}, serve=False) as pair:
        pair.sandbox.fault("token", count=0, **rule)
        pair.start()
        pair.deliver(MESSAGE)
        refused(pair, "TEMP")
        pair.log_has(log)
        pair.sandbox.no_faults()

        def again():
            with pair.pop3() as client:
                client.ok("USER alice")
                return client.command(f"PASS {PASSWORD}").startswith("+OK")
        wait_for("the login works again", again)
        reads(pair)


tap.add("The token endpoint answers 429",
        lambda: token_trouble("429|throttl", status=429, retry_after="1", body="{}"))
tap.add("The token endpoint answers 503",
        lambda: token_trouble("503", status=503, body=""))
tap.add("The token endpoint answers 502 with HTML",
        lambda: token_trouble("502", status=502, body=HTML, content_type="text/html"))
tap.add("The token endpoint answers 200 with HTML",
        lambda: token_trouble("check login-url", status=200, body=HTML, content_type="text/html"))
tap.add("The token endpoint resets the connection",
        lambda: token_trouble("the sign-in server", reset=True))
tap.add("The token endpoint is silent",
        lambda: token_trouble("not a byte moved", stall_ms=600_000))


@test
def one_flight():
    """Twenty sessions that need a token ask for one"""
    with Pair() as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        pair.sandbox.settings(latency_ms=100)
        for _ in range(3):
            pair.sandbox.control("POST", "/expire-tokens")
            pair.sandbox.forget()
            at_once(20, lambda: reads(pair))
            assert pair.sandbox.tokens() == 1, pair.sandbox.tokens()


def at_once(count, work):
    """Runs work() in so many threads; the first failure is raised."""
    failures = []

    def guarded():
        try:
            work()
        except (AssertionError, Closed, OSError) as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@test
def renewed_early():
    """Tokens of 6 seconds: twenty busy sessions never meet an expired one, nor ask twice"""
    with Pair(top="cache { max-size = 0 }\npoll-interval = 100ms",
              sandbox=("--token-life", "6")) as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        pair.sandbox.forget()

        def visit():
            while pair.sandbox.tokens() < 3:
                reads(pair)

        at_once(20, visit)
        assert pair.sandbox.tokens() == 3, pair.sandbox.tokens()
        late = [r for r in pair.sandbox.requests() if r["status"] == 401]
        assert not late, late


class TwoTenants(Pair):
    """A second tenant, with settings of its own, for the login "bob"."""

    def __init__(self, **second):
        self.second = second
        super().__init__(logins={"alice": {}, "bob": {"tenant": "'second'"}})

    def config_text(self):
        first = re.search(r'tenant "example" \{.*?\n\}\n', super().config_text(), re.S).group()
        second = first.replace('"example"', '"second"')
        for key, value in self.second.items():
            second = re.sub(rf"(?m)^    {key} = .*$", f"    {key} = {value}", second)
        return super().config_text() + second


@test
def two_tenants():
    """A tenant that is refused does not disturb another"""
    with TwoTenants(**{"client-secret": "'wrong'"}) as pair:
        pair.deliver(MESSAGE)
        for _ in range(3):
            refused(pair, "PERM", "bob")
            reads(pair)
        pair.log_has('tenant "second": no token')
        assert 'tenant "example": no token' not in pair.postern.log()


@test
def silent_tenant():
    """A tenant whose sign-in server is silent does not delay another"""
    # The same tenant by another spelling, by which the fault tells the two apart.
    with TwoTenants(**{"tenant-id": "'CONTOSO.onmicrosoft.com'"}) as pair:
        pair.deliver(MESSAGE)
        reads(pair)
        pair.sandbox.fault(r"^/CONTOSO\.onmicrosoft\.com/oauth2", count=0, stall_ms=600_000)
        pair.restart()
        with pair.pop3() as waiting:
            waiting.ok("USER bob")
            waiting.send(f"PASS {PASSWORD}\r\n".encode())
            for _ in range(3):
                reads(pair)
            waiting.reset()


tap.main()
