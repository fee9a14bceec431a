#!/usr/bin/env python3
"""Whom Postern believes to be Microsoft 365: no server with a wrong certificate or old TLS, no
redirect; told clearly, and no secret and no token is sent there."""

import re

import tap
from harness import PASSWORD, Pair, mail, on_the_wire
from proxies import BetweenPair
from tlsserver import CERTIFICATES, KINDS, TlsServer
from tap import test, wait_for

LIMITS = {"request-timeout": "2s", "first-sync-wait": "3s"}
MESSAGE = mail("alternative")
ADVICE = {"certificate": r"not trusted: check the system's clock and trust anchors, and name the "
                         r"anchor of a proxy that inspects TLS in ca-file",
          "handshake": r"no TLS 1\.2 connection came about: check the network and the proxy"}


def refused(pair):
    with pair.pop3() as client:
        client.ok("USER alice")
        answer = client.err(f"PASS {PASSWORD}")
        assert re.match(r"-ERR \[SYS/(TEMP|PERM)\]", answer), answer


def not_believed(kind, place):
    """A server of this kind in the place of Graph or of Entra ID; the other one is the sandbox."""
    with TlsServer(kind) as server, Pair(limits=LIMITS, serve=False) as pair:
        both = pair.work / "both.pem"
        with open(pair.sandbox.ca_file, encoding="ascii") as anchor:
            both.write_text(anchor.read() + server.anchor.read_text())
        pair.tenant = {"ca-file": f"'{both}'", place: f"'{server.url}'"}
        pair.postern.write(pair.config_text())
        pair.start()
        refused(pair)
        pair.log_has(ADVICE["certificate" if kind in CERTIFICATES else "handshake"])
        pair.stop()
        assert not server.requests, server.requests


for one in KINDS:
    for where, name in (("login-url", "Entra ID"), ("graph-url", "Graph")):
        tap.add(f"{name}, {one}: refused, the log tells what to do, nothing is sent",
                lambda kind=one, place=where: not_believed(kind, place))


@test
def believed():
    """The same server with nothing wrong is asked, so that the others are refused for what is"""
    with TlsServer("fine") as server, Pair(limits=LIMITS, serve=False) as pair:
        pair.tenant = {"ca-file": f"'{server.anchor}'", "login-url": f"'{server.url}'"}
        pair.postern.write(pair.config_text())
        pair.start()
        refused(pair)
        assert b"oauth2/v2.0/token" in server.requests[0], server.requests


@test
def redirects():
    """A redirect of Entra ID or Graph to another server is followed by nobody"""
    for path in ("/oauth2/", "/messages/delta"):
        with TlsServer("fine") as elsewhere, BetweenPair(limits=LIMITS) as pair:
            pair.anchors.write_text(pair.anchors.read_text() + elsewhere.anchor.read_text())
            pair.deliver(MESSAGE)
            for status in (301, 302, 303, 307, 308):
                pair.between.change = {path: lambda _, status=status: (
                    status, [("Location", f"{elsewhere.url}/v1.0/evil?sig=very-private#y")], b"")}
                pair.sandbox.control("POST", "/expire-tokens")
                before = len(pair.postern.log())
                pair.reload()  # the first try may be at once
                refused(pair)
                wait_for("the log tells", lambda before=before: re.search(
                    rf"{elsewhere.port}.*no redirects", pair.postern.log()[before:]))
            pair.between.change = {}
            pair.reload()
            wait_for("the login works again", lambda: reads(pair))
            assert not elsewhere.requests, elsewhere.requests
            assert "very-private" not in pair.postern.log()


def reads(pair):
    with pair.pop3() as client:
        client.ok("USER alice")
        if not client.command(f"PASS {PASSWORD}").startswith("+OK"):
            return False
        assert client.retr(1) == on_the_wire(MESSAGE)
        client.quit()
    return True


tap.main(at_once=4)
