#!/usr/bin/env python3
"""Where clients connect: IPv6, STLS and STARTTLS, implicit TLS, two ways at once, ports of the
kernel's choice, too few descriptors; and who is let in."""

import contextlib
import re
import time

import tap
from connection import Closed
from harness import PASSWORD, Pair, mail, on_the_wire, trusting
from pop3client import Pop3
from tap import test, wait_for

MESSAGE = mail("plain")
LACKING = "raise the limit of open files"


def visit(client):
    """A whole session: log in, read, delete, leave."""
    client.login()
    assert client.stat()[0] == len(client.uidl())
    number = client.stat()[0]
    assert client.retr(number) == on_the_wire(MESSAGE)
    client.ok(f"DELE {number}")
    client.quit()


def ports_in_log(pair, name):
    return [int(port) for port in
            re.findall(rf'listener "{name}": listening on \S+:(\d+)', pair.postern.log())]


@test
def ipv6():
    """A listener on [::1]: a whole session, and the log tells the address as one writes it"""
    with Pair(listeners={"pop": {"tls": "none", "address": "'[::1]:0'"}}, serve=False) as pair:
        pair.deliver(MESSAGE)
        pair.postern.start([])
        pair.log_has(r"listening on \[::1\]:\d+")
        with Pop3(ports_in_log(pair, "pop")[0], host="::1") as client:
            visit(client)
        pair.log_has("from ::1")
        assert len(pair.sandbox.inside("Deleted Items")) == 1


@test
def stls():
    """STLS: offered once, a whole session behind it, its capabilities asked for anew"""
    with Pair(tls=True, listeners={"pop": {"tls": "starttls"}}) as pair:
        pair.deliver(MESSAGE)
        with pair.pop3() as client:
            assert b"STLS" in client.multi("CAPA").split()
            client.ok("STLS")
            client.start_tls(trusting(pair.certificate))
            assert b"STLS" not in client.multi("CAPA").split()
            client.err("STLS")
            visit(client)
        assert len(pair.sandbox.inside("Deleted Items")) == 1


@test
def stls_injection():
    """STLS: what was sent behind it in the clear is not taken for part of the session"""
    with Pair(tls=True, listeners={"pop": {"tls": "starttls"}}) as pair:
        with pair.pop3() as client:
            client.send(b"STLS\r\nUSER alice\r\n")
            with contextlib.suppress(Closed, OSError):  # closing is an answer as well
                client.line()
                client.start_tls(trusting(pair.certificate))
                client.err(f"PASS {PASSWORD}")
        assert "login accepted" not in pair.postern.log()


@test
def implicit():
    """TLS from the first byte: a whole session; plain text there is no way in"""
    with Pair(tls=True, listeners={"pop": {"tls": "implicit"}}) as pair:
        pair.deliver(MESSAGE)
        with pair.pop3(tls=trusting(pair.certificate)) as client:
            assert b"STLS" not in client.multi("CAPA").split()
            visit(client)
        with pair.pop3(greet=False) as client:
            client.send(b"USER alice\r\n")
            try:
                answer = client.socket.recv(100)
            except OSError:
                answer = b""
            assert b"+OK" not in answer, answer


@test
def imap_by_tls():
    """IMAP by STARTTLS and by TLS from the first byte; what came before the handshake is dropped"""
    listeners = {"imap": {"protocol": "imap", "tls": "starttls"},
                 "imaps": {"protocol": "imap", "tls": "implicit"}}
    with Pair(tls=True, listeners=listeners) as pair:
        pair.deliver(MESSAGE)
        tls = trusting(pair.certificate)
        with pair.imap() as client:
            assert "STARTTLS" in client.capabilities()
            client.ok("STARTTLS")
            client.start_tls(tls)
            assert {"AUTH=PLAIN", "AUTH=LOGIN"} <= client.capabilities()
            assert "STARTTLS" not in client.capabilities()
            client.bad("STARTTLS")
            assert client.login().select().exists == 1
        with pair.imap("imaps", tls=tls) as client:
            assert "STARTTLS" not in client.capabilities()
            assert client.login().select().exists == 1
        accepted = pair.postern.log().count("login accepted")
        with pair.imap() as client:
            client.send(f'a STARTTLS\r\nb LOGIN alice "{PASSWORD}"\r\n'.encode())
            with contextlib.suppress(OSError):  # closing is an answer as well
                assert client.raw_response().startswith(b"a OK")
                client.start_tls(tls)
                client.no("LOGIN alice wrong")
        assert pair.postern.log().count("login accepted") == accepted


@test
def who_is_let_in():
    """IMAP: what a client is told that may not come in or may not write, and what the log says"""
    logins = {"alice": {}, "pop": {"protocols": "{ pop3 }"},
              "far": {"networks": '{ "192.0.2.0/24" }'}, "reader": {"read-only": "yes"}}
    with Pair(listeners={"imap": {"protocol": "imap", "tls": "none"}}, logins=logins) as pair:
        pair.deliver(MESSAGE)
        told = set()
        for name, password, logged in (("alice", "wrong", "wrong password"),
                                       ("nobody", PASSWORD, "no such login"),
                                       ("pop", PASSWORD, "protocols"),
                                       ("far", PASSWORD, "networks")):
            with pair.imap() as client:
                refused = client.no(f'LOGIN {name} "{password}"')
                assert refused.code_is("AUTHENTICATIONFAILED"), refused
                told.add(refused.text)
            pair.log_has(f'login refused: from 127.0.0.1, name "{name}", by .*: .*{logged}')
        assert len(told) == 1, told
        with pair.imap() as client:
            client.login("reader")
            assert client.no("SELECT nowhere").code_is("NONEXISTENT")
            client.select()
            assert client.no("STORE 1 +FLAGS (\\Deleted)").code_is("READ-ONLY")
            assert client.no("CREATE another").code_is("NOPERM")
            assert client.fetch(1, "FLAGS")[1]["FLAGS"] in ([], ["\\Recent"])


@test
def side_by_side():
    """Three listeners at once, each with its own TLS"""
    listeners = {"plain": {"tls": "none"}, "start": {"tls": "starttls"},
                 "tls": {"tls": "implicit"}}
    with Pair(tls=True, listeners=listeners) as pair:
        pair.deliver(MESSAGE, MESSAGE, MESSAGE)
        tls = trusting(pair.certificate)
        with pair.pop3("plain") as client:
            assert b"STLS" not in client.multi("CAPA").split()
            visit(client)
        with pair.pop3("start") as client:
            client.ok("STLS")
            client.start_tls(tls)
            visit(client)
        with pair.pop3("tls", tls=tls) as client:
            visit(client)
        assert len(pair.sandbox.inside("Deleted Items")) == 3


@test
def any_port():
    """Two listeners on port 0: two ports, which stay theirs over SIGHUP"""
    listeners = {"one": {"tls": "none", "address": "'127.0.0.1:0'"},
                 "two": {"tls": "starttls", "address": "'127.0.0.1:0'"}}
    with Pair(tls=True, listeners=listeners, serve=False) as pair:
        pair.postern.start([])
        pair.log_has("serving:")
        ports = {name: ports_in_log(pair, name) for name in listeners}
        assert all(len(p) == 1 for p in ports.values()) and ports["one"] != ports["two"], ports

        def told_apart():
            for name, offered in (("one", False), ("two", True)):
                with Pop3(ports_in_log(pair, name)[-1]) as client:
                    assert (b"STLS" in client.multi("CAPA").split()) == offered, name
                    client.quit()

        told_apart()
        for _ in range(2):
            pair.reload()
            told_apart()
        assert {name: ports_in_log(pair, name) for name in listeners} == ports, "a port has moved"


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


@test
def descriptors_run_out():
    """No descriptor left: one clear line a second at most, no spinning, and it recovers"""
    with Pair(process={"open_files": 60}, limits={"login-timeout": "1h"}) as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        held = [Pop3(pair.port, greet=False) for _ in range(80)]
        pair.log_has(LACKING)
        begin, used = time.monotonic(), cpu_seconds(pair.postern.process.pid)
        lines = pair.postern.log().count(LACKING)
        wait_for("another try", lambda: pair.postern.log().count(LACKING) > lines + 2)
        spent = time.monotonic() - begin
        assert cpu_seconds(pair.postern.process.pid) - used < spent / 2, "it spins"
        assert pair.postern.log().count(LACKING) - lines <= spent + 2, "it floods the log"
        for client in held:
            client.close()

        def works():
            try:
                with pair.pop3() as client:
                    client.ok("USER alice")
                    return client.command(f"PASS {PASSWORD}").startswith("+OK")
            except (Closed, OSError):
                return False
        wait_for("it recovers", works)
        with pair.pop3() as client:
            visit(client)


tap.main()
