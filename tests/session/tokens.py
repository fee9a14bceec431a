#!/usr/bin/env python3
"""The stored sign-ins: postern token, the key that is changed beside a running serve, and tokens
that stay usable whatever is killed and whoever else renews them (kill -9 of serve: identities.py).

POSTERN_TEST_KILLS sets how many times (default 15), POSTERN_TEST_SEED the moments."""

import json
import os
import pwd
import random
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

import tap
from delegated import (BOB, EX_CANTCREAT, EX_NOUSER, EX_OK, EX_UNAVAILABLE, EX_USAGE, command,
                       delegated, fetches, listed, opens, sign_in, stored)
from harness import MAILBOX, program, sanitizer_environment
from tap import PATIENCE, test, wait_for

KILLS = int(os.environ.get("POSTERN_TEST_KILLS", "15"))
SEED = int(os.environ.get("POSTERN_TEST_SEED", "4"))


def state_of(pair, account=MAILBOX):
    return next((row["state"] for row in listed(pair) if row["account"] == account), None)


def ask_serve(pair, *words, raw=None):
    """A request on the control socket, as any program would make it."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(PATIENCE)
        wire.connect(str(pair.work / "state" / "control"))
        wire.sendall(raw or json.dumps(words).encode() + b"\n")
        data = b""
        while piece := wire.recv(65536):
            data += piece
    return json.loads(data)


@test
def table():
    """token list: who signed in, since when, in which state; no secrets"""
    logins = {"alice": {}, "bob": {"mailbox": f"'{BOB}'"}}
    with delegated(logins=logins) as pair:
        empty = command(pair, "token", "list")
        assert empty.returncode == EX_OK and "Nobody has signed in" in empty.stdout, empty
        assert listed(pair) == []
        sign_in(pair)
        sign_in(pair, BOB, user=BOB)
        table = command(pair, "token", "list").stdout.splitlines()
        assert len(table) == 3 and table[0].startswith("TENANT"), table
        assert re.fullmatch(rf"example +{MAILBOX} +{MAILBOX} +\d{{4}}-\d\d-\d\d +\S+ +\S+ +good",
                            table[1]), table
        assert [line.index("good") for line in table[1:]] == [table[0].index("STATE")] * 2, table
        rows = listed(pair)
        assert [r["account"] for r in rows] == [MAILBOX, BOB], rows
        assert all(set(r) == {"tenant", "account", "user", "since", "renewed", "expires", "state",
                              "reason"} for r in rows), rows
        assert not re.search("Sandbox|eyJ|0\\.A", json.dumps(rows) + "\n".join(table)), rows
        for words in ((), ("list", "x"), ("revoke",), ("revoke", "--json", "x"), ("nothing",),
                      ("rotate-key", "--json"), ("rotate-key", "--tenant", "x")):
            assert command(pair, "token", *words).returncode == EX_USAGE, words


@test
def damaged():
    """A sign-in that cannot be read: told by list and check, removed by revoke"""
    with delegated(serve=False) as pair:
        sign_in(pair)
        file, = [p for p in (pair.work / "state" / "sign-ins").iterdir() if len(p.name) == 64]
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.write_bytes(data)
        row, = listed(pair)
        assert row["state"] == "unreadable" and "damaged" in row["reason"], row
        answer = command(pair, "check")
        assert answer.returncode == EX_OK and "damaged" in answer.stderr, answer
        assert command(pair, "token", "revoke", MAILBOX).returncode == EX_OK
        assert listed(pair) == []
        answer = command(pair, "check")
        assert f"run: postern login {MAILBOX}" in answer.stderr, answer
        sign_in(pair)
        answer = command(pair, "check")
        assert answer.returncode == EX_OK and not answer.stderr, answer
        (pair.work / "token.key").chmod(0o644)
        answer = command(pair, "check")
        assert "every user of this machine" in answer.stderr, answer


@test
def revoked_here():
    """token revoke beside a running serve: no client gets in until somebody signs in again"""
    with delegated() as pair:
        sign_in(pair)
        fetches(pair)
        answer = command(pair, "token", "revoke", MAILBOX.upper())
        assert answer.returncode == EX_OK, answer
        assert "has forgotten" in answer.stdout, answer
        assert f"Revoke-MgUserSignInSession -UserId '{MAILBOX}'" in answer.stdout, answer
        assert stored(pair) == 0
        asked = len(pair.sandbox.sign_ins())
        for _ in range(3):
            assert not opens(pair)
        assert len(pair.sandbox.sign_ins()) == asked, "the token endpoint was asked in vain"
        again = command(pair, "token", "revoke", MAILBOX)
        assert again.returncode == EX_NOUSER and "no sign-in of" in again.stderr, again
        sign_in(pair)
        fetches(pair)


@test
def revoked_there():
    """Revoked at Microsoft: needs-login in the table, with the reason; a new login mends it"""
    with delegated() as pair:
        sign_in(pair)
        fetches(pair)
        pair.sandbox.revoke(MAILBOX)
        wait_for("clients are refused", lambda: not opens(pair))
        row = wait_for("the table says so",
                       lambda: [r for r in listed(pair) if r["state"] == "needs-login"])[0]
        assert "AADSTS50173" in row["reason"], row
        assert f"run: postern login {MAILBOX}" in command(pair, "check").stderr
        states = [i for i in ask_serve(pair, "status")["identities"] if i["account"] == MAILBOX]
        assert states[0]["state"] == "needs-login", states
        sign_in(pair)
        fetches(pair)
        assert state_of(pair) == "good"


@test
def service_socket():
    """The socket of serve: status, reload that works and one that does not, junk"""
    with delegated() as pair:
        status = ask_serve(pair, "status")
        assert status["ok"] is True and status["pid"] == pair.postern.process.pid, status
        assert status["key_file"] == str(pair.work / "token.key"), status
        assert (pair.work / "state" / "control").stat().st_mode & 0o777 == 0o600
        assert ask_serve(pair, "reload") == {"ok": True}
        good = pair.config_text()
        pair.postern.write(good + "nonsense\n")
        assert "old one stays" in ask_serve(pair, "reload")["error"]
        pair.postern.write(good)
        assert ask_serve(pair, "reload") == {"ok": True}
        assert "error" in ask_serve(pair, raw=b"status\n")
        assert "restarted" in ask_serve(pair, "frobnicate")["error"]
        assert "wants 2 words" in ask_serve(pair, "sign-in-changed", "x")["error"]
        # A socket that a killed serve has left is taken over.
        pair.postern.process.kill()
        assert (pair.work / "state" / "control").exists()
        pair.start()
        assert ask_serve(pair, "status")["pid"] == pair.postern.process.pid
        pair.stop()
        assert not (pair.work / "state" / "control").exists()


@test
def long_state_dir():
    """A state directory whose path is longer than the address of a socket"""
    with delegated(serve=False) as pair:
        text = pair.config_text()
        long = pair.work / ("d" * 120)
        pair.postern.write(text.replace(f"{pair.work}/state", str(long)))
        pair.start()
        assert "running postern serve uses it" in sign_in(pair)
        fetches(pair)


@test
def new_key():
    """token rotate-key beside a running serve that renews its tokens all the while"""
    with delegated() as pair:
        sign_in(pair)
        key = pair.work / "token.key"
        keys = {key.read_text()}
        stop = threading.Event()
        failures = []

        def read_mail():
            while not stop.is_set():
                try:
                    pair.sandbox.control("POST", "/expire-tokens")
                    fetches(pair)
                except Exception as error:  # told by the test
                    failures.append(error)

        def rotate():
            answer = command(pair, "token", "rotate-key")
            assert answer.returncode == EX_OK, answer
            keys.add(key.read_text())
            return len(keys) > 10 and len(pair.sandbox.sign_ins("refresh_token")) > 2

        reader = threading.Thread(target=read_mail)
        reader.start()
        try:
            wait_for("ten new keys, and renewals among them", rotate)
        finally:
            stop.set()
            reader.join()
        assert not failures, failures
        assert all(len(k) == 65 for k in keys), keys
        pair.restart()
        fetches(pair)
        assert state_of(pair) == "good"
        assert not any(k.strip() in pair.postern.log() for k in keys)


@test
def key_elsewhere():
    """A serve whose key is a credential of systemd would not see a new key, so there is none"""
    with delegated(serve=False) as pair:
        sign_in(pair)
        before = (pair.work / "token.key").read_text()
        credentials = pair.work / "credentials"
        credentials.mkdir()
        (credentials / "token-key").write_text(before)
        (credentials / "token-key").chmod(0o400)
        pair.process_options = {"environment": {"CREDENTIALS_DIRECTORY": str(credentials)}}
        pair.start()
        fetches(pair)
        answer = command(pair, "token", "rotate-key")
        assert answer.returncode == EX_UNAVAILABLE, answer
        assert str(credentials) in answer.stderr and "stop it" in answer.stderr, answer
        assert (pair.work / "token.key").read_text() == before
        pair.stop()
        assert command(pair, "token", "rotate-key").returncode == EX_OK


@test
def nothing_to_rotate():
    """token rotate-key without a key"""
    with delegated(serve=False) as pair:
        answer = command(pair, "token", "rotate-key")
        assert answer.returncode == EX_CANTCREAT and "postern login makes one" in answer.stderr
        assert not (pair.work / "token.key").exists()


@test
def two_at_once():
    """Many processes renew one sign-in, each refresh token works once: none is used twice"""
    with delegated("refresh-reuse=revoked") as pair:
        sign_in(pair)
        fetches(pair)
        for _ in range(3):
            pair.sandbox.control("POST", "/expire-tokens")
            doctors = [subprocess.Popen([program("postern"), "doctor", "-c", pair.postern.config],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=sanitizer_environment())
                       for _ in range(4)]
            fetches(pair)
            for doctor in doctors:
                doctor.wait(PATIENCE)
        fetches(pair)
        refused = [s for s in pair.sandbox.sign_ins("refresh_token") if s["error"]]
        assert not refused, refused
        assert state_of(pair) == "good"


@test
def rotation_killed():
    """kill -9 of rotate-key at random moments, beside a serve: every key that is needed is there"""
    chance = random.Random(SEED)
    with delegated() as pair:
        sign_in(pair)
        for _ in range(KILLS):
            child = subprocess.Popen([program("postern"), "token", "rotate-key", "-c",
                                      pair.postern.config], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     env=sanitizer_environment())
            time.sleep(chance.random() * 0.03)  # the moment, not a wait
            child.kill()
            child.wait()
            pair.sandbox.control("POST", "/expire-tokens")
            fetches(pair)
        assert command(pair, "token", "rotate-key").returncode == EX_OK
        assert len((pair.work / "token.key").read_text()) == 65
        left = [p.name for p in pair.work.iterdir() if p.name.startswith("token.key")]
        assert left == ["token.key"], left
        fetches(pair)


@test
def service_of_another_user():
    """Root signs in, lists, rotates and revokes for a service with a user of its own"""
    if os.geteuid() != 0:
        raise tap.Skip("only root can become another user")
    nobody = pwd.getpwnam("nobody")
    with delegated(serve=False, top="user = nobody\n") as pair:
        pair.work.chmod(0o711)
        anchors = pair.work / "ca.pem"
        anchors.write_bytes(Path(pair.sandbox.ca_file).read_bytes())
        pair.tenant["ca-file"] = f"'{anchors}'"
        pair.postern.write(pair.config_text())
        os.chown(pair.postern.config, nobody.pw_uid, -1)
        sign_in(pair)
        for path in (pair.work / "token.key", *(pair.work / "state" / "sign-ins").iterdir()):
            assert path.stat().st_uid == nobody.pw_uid, path
        assert not command(pair, "check").stderr
        pair.start()
        fetches(pair)
        for _ in range(3):
            assert command(pair, "token", "rotate-key").returncode == EX_OK
            pair.sandbox.control("POST", "/expire-tokens")
            fetches(pair)
        assert state_of(pair) == "good"
        assert "running postern serve" in sign_in(pair)
        assert command(pair, "token", "revoke", MAILBOX).returncode == EX_OK
        assert not opens(pair)


tap.main(at_once=3)
