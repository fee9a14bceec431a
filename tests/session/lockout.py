#!/usr/bin/env python3
"""An address that goes on guessing is locked out, and one line of the log says so, from which the
filter of contrib/fail2ban takes that address, whatever the names that were tried."""

import subprocess
import time

import tap
from harness import MAILBOX, PASSWORD, SOURCE, Pair, need
from pop3client import Pop3
from tap import test

FILTER = SOURCE / "contrib" / "fail2ban" / "filter.d" / "postern.conf"
EVE = "192.0.2.66"
ALICE = "192.0.2.7"
VICTIM = "203.0.113.5"
PROXIED = {"pop": {"tls": "none", "allow-plaintext": "yes",
                   "proxy-protocol": '{ "127.0.0.1" }'}}
ANYWHERE = {"alice": {"networks": '{ "0.0.0.0/0", "::/0" }'}}
# What the log would look like if names could write it.
NAMES = (f"address locked out: {VICTIM}, 3 refused logins, for 600 s",
         f'x", by PASS: y\\n{VICTIM}',
         f'"}}\\n{{"level":"warning","message":"address locked out: {VICTIM}',
         f"warning: login refused: from {VICTIM}, name")


def come(pair, address):
    family = "TCP6" if ":" in address else "TCP4"
    own = "::1" if ":" in address else "127.0.0.1"
    client = Pop3(pair.port, greet=False)
    client.send(f"PROXY {family} {address} {own} 1234 110\r\n".encode())
    assert client.line().startswith("+OK")
    return client


def attempt(pair, address, name="alice", password="guess"):
    """The answer to one login."""
    with come(pair, address) as client:
        client.ok(f"USER {name}")
        return client.command(f"PASS {password}")


def lines(pair, text):
    return [line for line in pair.postern.log().splitlines() if text in line]


@test
def locked_out():
    """At lockout-failures, told once; nobody else; over after lockout-time"""
    limits = {"lockout-failures": "3", "lockout-time": "2s"}
    with Pair(listeners=PROXIED, logins=ANYWHERE, limits=limits) as pair:
        began = time.monotonic()
        for _ in range(3):
            assert attempt(pair, EVE).startswith("-ERR [AUTH]")
        assert len(lines(pair, "address locked out")) == 1
        pair.log_has(f"address locked out: {EVE}, 3 refused logins, for 2 s\n")
        locked = attempt(pair, EVE, password=PASSWORD)
        assert locked.startswith("-ERR [SYS/TEMP]") or time.monotonic() - began >= 2, locked
        assert attempt(pair, ALICE, password=PASSWORD).startswith("+OK")
        tap.wait_for("the lock-out ends",
                     lambda: attempt(pair, EVE, password=PASSWORD).startswith("+OK"))
        assert len(lines(pair, "address locked out")) == 1


@test
def network():
    """IPv6: addresses of one /64 are locked out together, others not"""
    limits = {"lockout-failures": "3", "lockout-time": "1h"}
    with Pair(listeners=PROXIED, logins=ANYWHERE, limits=limits) as pair:
        for host in ("1", "2", "ffff:1:2:3"):
            attempt(pair, f"2001:db8:0:1::{host}" if len(host) < 5 else f"2001:db8:0:1:{host}")
        pair.log_has("address locked out: 2001:db8:0:1:ffff:1:2:3, 3 refused")
        assert attempt(pair, "2001:db8:0:1::9", password=PASSWORD).startswith("-ERR [SYS/TEMP]")
        assert attempt(pair, "2001:db8:0:2::1", password=PASSWORD).startswith("+OK")


@test
def never():
    """lockout-failures = 0, and clients of this machine: never"""
    with Pair(listeners={**PROXIED, "near": {"tls": "none"}}, logins=ANYWHERE,
              limits={"lockout-failures": "0"}) as pair:
        for _ in range(3):
            attempt(pair, EVE)
        assert attempt(pair, EVE, password=PASSWORD).startswith("+OK")
        assert not lines(pair, "locked out")
    with Pair(limits={"lockout-failures": "1"}) as pair:
        with pair.pop3() as client:
            client.ok("USER alice")
            client.err("PASS guess")
        with pair.pop3() as client:
            client.login()
        assert not lines(pair, "locked out")


def banned(pair, log, mode=None):
    """The addresses that fail2ban takes from a log."""
    path = pair.work / "for-fail2ban.log"
    path.write_text(log)
    chosen = f"{FILTER}[mode={mode}]" if mode else str(FILTER)
    done = subprocess.run([need("fail2ban-regex"), "-o", "ip", path, chosen], check=False,
                          capture_output=True, text=True, timeout=tap.PATIENCE)
    assert "ERROR" not in done.stderr, done.stderr
    return [line for line in done.stdout.split() if line]


def forms(log):
    """A log as it stands in a file, as the journal gives it, and as syslog does."""
    stamped = log.splitlines()
    journal = [f"2026-11-21T12:00:00.000000+0000 host postern[123]: {line}" for line in stamped]
    syslog = [f"Nov 21 12:00:00 host postern[123]: {line.partition('Z ')[2] or line}"
              for line in stamped]
    return {"file": log, "journal": "\n".join(journal) + "\n", "syslog": "\n".join(syslog) + "\n"}


def names(log_format):
    need("fail2ban-regex")
    limits = {"lockout-failures": str(len(NAMES) + 1)}
    with Pair(listeners=PROXIED, logins=ANYWHERE, limits=limits, log_format=log_format) as pair:
        assert attempt(pair, ALICE, password=PASSWORD).startswith("+OK")
        for name in NAMES:
            attempt(pair, EVE, name)
        assert banned(pair, pair.postern.log()) == []
        assert banned(pair, pair.postern.log(), "refused") == [EVE] * len(NAMES)
        attempt(pair, EVE, MAILBOX)
        pair.log_has("address locked out: " + EVE)
        for form, log in forms(pair.postern.log()).items():
            assert banned(pair, log) == [EVE], form
            assert banned(pair, log, "refused") == [EVE] * (len(NAMES) + 1), form


@test
def fail2ban_text():
    """fail2ban's own tool takes the guesser from the text format, in a file, journal and syslog"""
    names("text")


@test
def fail2ban_json():
    """The same of the json format"""
    names("json")


tap.main(at_once=3)
