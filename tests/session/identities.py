#!/usr/bin/env python3
"""On whose behalf mailboxes are read: persons, machines, workloads; how a sign-in lives and ends."""

import contextlib
import random
import re
import subprocess
import threading
import time

import tap
from connection import Closed
from harness import (MAILBOX, PASSWORD, Pair, Process, mail, on_the_wire, program,
                     sanitized)
from tap import test, wait_for

MESSAGE = mail("plain")
BOB = "bob@example.com"
PERSON = {"flow": "device-code", "client-secret": None}
SOON = ("--set", "device-interval=1")  # how often `postern login` asks
ROUNDS = 50


def quoted(text):
    return f"'{text}'"


def login(pair, account=MAILBOX, user=None):
    """`postern login`, and the person who enters the code; user: another one signs in."""
    process = Process([program("postern"), "login", "-c", pair.postern.config, account],
                      pair.work / "login.log", stdout=subprocess.DEVNULL)
    pair.sandbox.device(user or account)
    status = process.wait()
    return status, process.log()


def signs_in(pair, account=MAILBOX):
    status, said = login(pair, account)
    assert status == 0, said


def reads(pair, name="alice", number=1):
    with pair.pop3() as client:
        client.login(name)
        assert client.retr(number) == on_the_wire(MESSAGE)
        client.quit()


def refused(pair, name="alice"):
    """What PASS is refused with."""
    with pair.pop3() as client:
        client.ok(f"USER {name}")
        return client.err(f"PASS {PASSWORD}")


def refreshes(pair):
    return pair.sandbox.sign_ins("refresh_token")


@test
def person():
    """A person signs in beside the running service, which goes on by itself"""
    with Pair(tenant=PERSON, sandbox=SOON) as pair:
        pair.deliver(MESSAGE)
        answer = refused(pair)
        assert answer.startswith("-ERR [SYS/PERM]"), answer
        assert f"postern login {MAILBOX}" in answer, answer
        signs_in(pair)
        wait_for("the login works", lambda: pair.sandbox.sign_ins() and works(pair))
        reads(pair)
        pair.log_has(rf"account {re.escape(MAILBOX)}: signed in again")
        # The token that came with the sign-in serves, also after a restart.
        pair.restart()
        reads(pair)
        assert not refreshes(pair), refreshes(pair)


def works(pair, name="alice"):
    with pair.pop3() as client:
        client.ok(f"USER {name}")
        return client.command(f"PASS {PASSWORD}").startswith("+OK")


@test
def somebody_else():
    """Another person than the one that was meant signs in: nothing is stored"""
    with Pair(tenant=PERSON, sandbox=(*SOON, "--user", BOB)) as pair:
        status, said = login(pair, user=BOB)
        assert status != 0 and BOB in said and MAILBOX in said, said
        assert "postern login" in refused(pair)


@test
def revoked():
    """A revoked sign-in: one refresh, then a clear answer to whoever comes, and one log line"""
    listeners = {"pop": {"tls": "none"}, "imap": {"protocol": "imap", "tls": "none"}}
    with Pair(tenant=PERSON, sandbox=SOON, listeners=listeners, log_level="info") as pair:
        pair.deliver(MESSAGE)
        signs_in(pair)
        wait_for("the login works", lambda: works(pair))
        pair.sandbox.revoke()
        pair.sandbox.forget()
        for _ in range(20):
            assert f"postern login {MAILBOX}" in refused(pair)
        with pair.imap() as client:
            client.login("alice")
            assert client.no("SELECT INBOX").code_is("AUTHORIZATIONFAILED")
        asked = refreshes(pair)
        assert len(asked) == 1 and asked[0]["number"] == 50173, asked
        lines = re.findall(r"(?m)^.* error: .*no token.*$", pair.postern.log())
        assert len([line for line in lines if "AADSTS50173" in line]) == 1, lines
        signs_in(pair)
        wait_for("the login works again", lambda: works(pair))
        reads(pair)


@test
def trouble_ends_nothing():
    """A token endpoint that fails, and a policy that blocks, end no sign-in"""
    with Pair(tenant=PERSON, sandbox=SOON,
              limits={"request-timeout": "2s", "first-sync-wait": "3s"}) as pair:
        pair.deliver(MESSAGE)
        signs_in(pair)
        wait_for("the login works", lambda: works(pair))
        for fault in ({"status": 503}, {"reset": True}, {"status": 502, "body": "<html>"}):
            pair.sandbox.control("POST", "/expire-tokens")
            pair.sandbox.fault("token", **fault)
            assert refused(pair).startswith("-ERR [SYS/TEMP]")
            pair.sandbox.no_faults()
            wait_for("it heals", lambda: works(pair))
        pair.sandbox.control("POST", "/expire-tokens")
        pair.sandbox.account(refusal=53003)
        assert refused(pair).startswith("-ERR [SYS/PERM]")
        pair.sandbox.account(refusal=0)
        pair.reload()
        reads(pair)


@test
def claims_challenge():
    """Claims challenges are answered, for a person and for the application, without the client"""
    for app in (False, True):
        with Pair(tenant={} if app else PERSON, sandbox=SOON) as pair:
            pair.deliver(MESSAGE)
            if not app:
                signs_in(pair)
                wait_for("the login works", lambda p=pair: works(p))
            reads(pair)
            pair.sandbox.challenge(app=app)
            pair.sandbox.forget()
            reads(pair)
            asked = pair.sandbox.sign_ins()
            assert len(asked) == 1 and not asked[0]["error"], asked


@test
def shared_mailbox():
    """One account that has signed in opens several mailboxes, and those only that it may"""
    logins = {"alice": {}, "team": {"mailbox": quoted(BOB)},
              "boss": {"mailbox": "'boss@example.com'"}}
    with Pair(tenant={**PERSON, "account": quoted(MAILBOX)}, logins=logins,
              sandbox=(*SOON, "--user", BOB, "--user", "boss@example.com",
                       "--set", f"shared-mailboxes={MAILBOX}={BOB}")) as pair:
        pair.deliver(MESSAGE)
        pair.deliver(MESSAGE, user=BOB)
        signs_in(pair)
        wait_for("the login works", lambda: works(pair))
        reads(pair)
        reads(pair, "team")
        answer = refused(pair, "boss")
        assert answer.startswith("-ERR [SYS/PERM]") and "boss@example.com" in answer, answer
        assert "postern doctor" in answer, answer


@test
def outside_the_scope():
    """A mailbox outside the application's scope: its name and what to do, and no harm to others"""
    listeners = {"pop": {"tls": "none"}, "imap": {"protocol": "imap", "tls": "none"}}
    logins = {"alice": {}, "team": {"mailbox": quoted(BOB)}}
    with Pair(logins=logins, listeners=listeners, sandbox=("--user", BOB)) as pair:
        pair.deliver(MESSAGE)
        for scope in ("rbac", "policy"):
            pair.sandbox.settings(app_mailboxes=MAILBOX, app_scope=scope)
            answer = refused(pair, "team")
            assert answer.startswith("-ERR [SYS/PERM]") and BOB in answer, answer
            with pair.imap() as client:
                client.login("team")
                reply = client.no("SELECT INBOX")
                assert reply.code_is("NOPERM") and "postern doctor" in repr(reply), reply
            reads(pair)


@test
def managed_identity():
    """A virtual machine's identity, also while its metadata service is being updated"""
    with Pair(serve=False) as pair:
        pair.tenant = {"flow": "managed-identity", "client-secret": None, "client-id": None,
                       "tenant-id": None, "identity-url": quoted(pair.sandbox.imds_url)}
        pair.postern.write(pair.config_text())
        pair.sandbox.fault("^/metadata/identity/oauth2", status=404, count=2, body="{}")
        # A proxy that leads nowhere: the service is never asked through one.
        pair.process_options = {"environment": {"HTTP_PROXY": "http://127.0.0.1:1",
                                                "http_proxy": "http://127.0.0.1:1"}}
        pair.start()
        pair.deliver(MESSAGE)
        wait_for("the login works", lambda: works(pair))
        reads(pair)
        pair.sandbox.settings(managed_identity="none")
        pair.sandbox.control("POST", "/expire-tokens")
        answer = refused(pair)
        assert answer.startswith("-ERR [SYS/PERM]") and "managed identity" in answer, answer


@test
def workload_identity():
    """A workload's federated token is read anew each time"""
    with Pair(serve=False, sandbox=("--set", "federated-issuer=https://issuer.example/",
                                    "--set", "federated-subject=system:mail")) as pair:
        path = pair.work / "federated"
        path.write_text(pair.sandbox.federated_token(life=-1000) + "\n")
        path.chmod(0o600)
        pair.tenant = {"flow": "workload-identity", "client-secret": None}
        pair.postern.write(pair.config_text())
        pair.process_options = {"environment": {"AZURE_FEDERATED_TOKEN_FILE": str(path)}}
        pair.start()
        pair.deliver(MESSAGE)
        answer = refused(pair)
        assert answer.startswith("-ERR [SYS/PERM]"), answer
        path.write_text(pair.sandbox.federated_token() + "\n")
        wait_for("the login works", lambda: works(pair))
        pair.sandbox.control("POST", "/expire-tokens")
        path.write_text(pair.sandbox.federated_token())
        reads(pair)


@test
def password_grant():
    """The password grant: only where it is allowed; its refresh tokens live in memory"""
    with Pair(serve=False) as pair:
        path = pair.work / "password"
        path.write_text(pair.sandbox.password + "\n")
        path.chmod(0o600)
        pair.tenant = {"flow": "password", "client-secret": None, "account": quoted(MAILBOX),
                       "password-file": quoted(path), "allow-password-grant": "yes"}
        pair.postern.write(pair.config_text())
        pair.start()
        pair.deliver(MESSAGE)
        reads(pair)
        pair.sandbox.forget()
        pair.sandbox.control("POST", "/expire-tokens")
        reads(pair)
        assert [s["grant"] for s in pair.sandbox.sign_ins()] == ["refresh_token"]
        pair.sandbox.expire_refresh()
        pair.sandbox.control("POST", "/expire-tokens")
        pair.sandbox.forget()
        reads(pair)
        assert [s["grant"] for s in pair.sandbox.sign_ins()] == ["refresh_token", "password"]


def tries(pair):
    """A login that the end of the service may cut off."""
    with contextlib.suppress(Closed, OSError):
        works(pair)


@test
def killed_while_renewing():
    """kill -9 at any moment of a refresh, fifty times: the sign-in serves"""
    rounds = ROUNDS if not sanitized() else 10
    chance = random.Random(4711)
    with Pair(tenant=PERSON, sandbox=SOON) as pair:
        pair.deliver(MESSAGE)
        signs_in(pair)
        wait_for("the login works", lambda: works(pair))
        pair.stop()
        pair.sandbox.forget()
        for number in range(rounds):
            pair.sandbox.control("POST", "/expire-tokens")
            before = len(refreshes(pair))
            pair.start()
            client = threading.Thread(target=tries, args=(pair,))
            client.start()
            if number % 2:
                wait_for("a refresh", lambda b=before: len(refreshes(pair)) > b)
            else:
                time.sleep(chance.random() * 0.1)  # the very moment is what is tried
            pair.postern.process.kill()
            client.join()
        assert len(refreshes(pair)) >= rounds // 2
        assert not [s for s in refreshes(pair) if s["error"]], refreshes(pair)
        pair.sandbox.control("POST", "/expire-tokens")
        pair.start()
        wait_for("the login works", lambda: works(pair))
        reads(pair)


def three_times_expired(pair):
    """Three times: nobody's token serves any more, and nothing was asked yet; Graph takes its time."""
    pair.deliver(MESSAGE)
    signs_in(pair)
    wait_for("the login works", lambda: works(pair))
    pair.settled()
    pair.sandbox.settings(latency_ms=100)
    for _ in range(3):
        pair.sandbox.control("POST", "/expire-tokens")
        pair.sandbox.forget()
        yield


@test
def one_refresh():
    """Twenty sessions that need a new token: the sign-in is renewed once"""
    with Pair(tenant=PERSON, sandbox=SOON) as pair:
        for _ in three_times_expired(pair):
            threads = [threading.Thread(target=reads, args=(pair,)) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(refreshes(pair)) == 1, refreshes(pair)


@test
def two_processes():
    """`postern doctor` beside the service: one refresh for both"""
    with Pair(tenant=PERSON, sandbox=SOON) as pair:
        for _ in three_times_expired(pair):
            doctor = Process([program("postern"), "doctor", "-c", pair.postern.config],
                             pair.work / "doctor.log", stdout=subprocess.DEVNULL)
            reads(pair)
            doctor.wait()
            assert len(refreshes(pair)) == 1, refreshes(pair)


tap.main()
