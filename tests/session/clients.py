#!/usr/bin/env python3
"""The inventory: who came, by which means, and what `postern clients` makes of it."""

import base64
import contextlib
import csv
import fcntl
import hashlib
import hmac
import io
import json
import os
import pty
import re
import socket
import sqlite3
import ssl
import struct
import subprocess
import tempfile
import termios
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import tap
from harness import IMAP, PASSWORD, Pair, mail, make_certificate, program, trusting
from tap import PATIENCE, Skip, test

EX_OK, EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_NOPERM, EX_CONFIG = 0, 64, 65, 66, 77, 78
MESSAGE = mail("plain")
DAY_MS = 24 * 3600 * 1000
COLUMNS = ["address", "login", "protocol", "listener", "tls", "cipher", "mechanism", "program",
           "told", "first_seen", "last_seen", "sessions", "logins", "failures", "bytes_in",
           "bytes_out", "fetched", "appended", "last_failure"]
BOTH = {"pop": {"tls": "none"}, **IMAP}
SECRET = "device secret of alice"


def ask(pair, *arguments, **options):
    return subprocess.run([program("postern"), "clients", "-c", pair.postern.config, *arguments],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE,
                          check=False, **options)


def listed(pair, *filters):
    """The clients, the one seen last first; without those that only looked whether the port is
    open, as the harness does."""
    answer = ask(pair, "--json", *filters)
    assert answer.returncode == EX_OK and b"under way" not in answer.stderr, answer
    return [c for c in json.loads(answer.stdout) if c["login"] or c["failures"] or c["program"]]


def looked(pair):
    """How often somebody only looked whether the port is open."""
    return sum(c["sessions"] for c in json.loads(ask(pair, "--json").stdout) if not c["login"])


def only(pair, *filters):
    clients = listed(pair, *filters)
    assert len(clients) == 1, clients
    return clients[0]


def noted(pair, what, choose):
    """Waits for such a client: its row is written before its socket closes, but it may have left
    before."""
    return tap.wait_for(f"{what} is written down",
                        lambda: next((c for c in listed(pair) if choose(c)), None))


def expect(client, **want):
    got = {key: client[key] for key in want}
    assert got == want, (got, want)


def stored(pair):
    """All bytes of the database."""
    return b"".join(path.read_bytes() for path in (pair.work / "state").glob("clients.db*"))


def tls(pair, version):
    """A client's context that speaks this version and no other."""
    context = trusting(pair.certificate)
    context.minimum_version = context.maximum_version = version
    return context


def old_tls(version):
    """The same for a version that the system's policy has given up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    return context


@test
def pop3():
    """POP3: the row is there when the socket closes, with all that the session did"""
    with Pair() as pair:
        pair.deliver(MESSAGE, MESSAGE)
        with pair.pop3() as client:
            client.ok("CAPA")
            client.body()
            client.login().retr(1)
            client.retr(2)
            client.ok("QUIT")
            client.expect_close()
        row = only(pair)
        assert list(row) == COLUMNS
        expect(row, address="127.0.0.1", login="alice", protocol="pop3", listener="pop",
               tls="none", cipher="", mechanism="PASS", program="CAPA,USER,PASS,RETR", told=False,
               sessions=1, logins=1, failures=0, fetched=2, appended=0, last_failure="")
        assert row["bytes_out"] > 2 * len(MESSAGE) and row["bytes_in"] > 0
        assert row["first_seen"] <= row["last_seen"]
        with pair.pop3() as client:  # did less this time: the same client
            client.ok("CAPA")
            client.body()
            client.login()
            client.ok("QUIT")
            client.expect_close()
        expect(only(pair), sessions=2, logins=2, program="CAPA,USER,PASS,RETR")


@test
def imap():
    """IMAP: ID tells the program, messages fetched and appended are counted"""
    with Pair(listeners=IMAP) as pair:
        pair.deliver(MESSAGE)
        with pair.imap() as client:
            client.login().select()
            client.fetch("1", "(FLAGS)")
            client.fetch("1", "(BODY.PEEK[])")
            client.append("INBOX", MESSAGE)
            client.logout()
        expect(only(pair), protocol="imap", listener="imap", mechanism="LOGIN command", told=False,
               program="LOGIN,SELECT,FETCH,APPEND", fetched=1, appended=1)
        with pair.imap() as client:
            client.ok('ID ("name" "Scan-O-Matic" "version" "0.9")')
            client.login()
            client.logout()
        expect(listed(pair)[0], told=True, program='name "Scan-O-Matic", version "0.9"')
        assert len(listed(pair)) == 2


@test
def versions_of_tls():
    """TLS 1.2 and 1.3, from the first byte and by STARTTLS, with their ciphers"""
    listeners = {"pops": {"tls": "implicit"}, "imap": {"protocol": "imap", "tls": "starttls"}}
    with Pair(tls=True, listeners=listeners) as pair:
        for version, name in ((ssl.TLSVersion.TLSv1_2, "1.2"), (ssl.TLSVersion.TLSv1_3, "1.3")):
            with pair.pop3("pops", tls=tls(pair, version)) as client:
                cipher = client.socket.cipher()[0]
                client.login()
                client.quit()
            expect(listed(pair)[0], listener="pops", tls=name, cipher=cipher, failures=0)
            with pair.imap() as client:
                client.ok("STARTTLS")
                client.start_tls(tls(pair, version))
                client.login()
                client.logout()
            expect(listed(pair)[0], listener="imap", tls=name, cipher=cipher, sessions=1,
                   program="STARTTLS,LOGIN")
        assert [c["tls"] for c in listed(pair, "--below-tls", "1.3")] == ["1.2", "1.2"]
        assert not listed(pair, "--below-tls", "1.2") and not listed(pair, "--plaintext")


@test
def legacy_tls():
    """TLS 1.0 by the legacy gateway: the work list for retiring it"""
    listeners = {"old": {"tls": "implicit", "min-version": '"1.0"', "legacy-tls": "yes",
                         "networks": '{"127.0.0.0/8"}'}}
    with Pair(tls=True, listeners=listeners, serve=False) as pair:
        pair.certificate, pair.key = make_certificate(pair.work, stem="rsa", rsa=True)
        pair.postern.write(pair.config_text())
        pair.start()
        try:
            with pair.pop3(tls=old_tls(ssl.TLSVersion.TLSv1)) as client:
                client.login()
                client.quit()
        except (ssl.SSLError, ValueError) as error:
            raise Skip(f"this machine speaks no TLS 1.0: {error}") from None
        row = only(pair, "--below-tls", "1.1")
        expect(row, tls="1.0", login="alice", logins=1)
        assert row["cipher"]


@test
def handshakes_that_fail():
    """A handshake that fails is a client too: what it offered, and why not"""
    with Pair(tls=True, listeners={"pops": {"tls": "implicit"}}) as pair:
        for version, name in ((ssl.TLSVersion.TLSv1, "1.0"), (ssl.TLSVersion.TLSv1_1, "1.1")):
            try:
                with pair.pop3(tls=old_tls(version)):
                    raise AssertionError("the handshake succeeded")
            except OSError as error:
                if "NO_PROTOCOLS" in str(error):
                    raise Skip(f"this machine speaks no TLS {name}: {error}") from None
            row = noted(pair, "the hello that was refused", lambda c: c["tls"] == name)
            expect(row, cipher="", failures=1, logins=0, login="")
            assert "handshake" in row["last_failure"], row
        assert len(listed(pair, "--below-tls", "1.2")) == 2
        with pair.pop3(greet=False) as client:  # no TLS at all
            client.send(b"USER alice\r\n")
            with contextlib.suppress(OSError):
                client.socket.recv(100)
        row = noted(pair, "what was no hello", lambda c: c["tls"] == "unknown")
        assert row["cipher"] == "" and row["failures"], row
        context = ssl.create_default_context()  # trusts others than us
        with contextlib.suppress(ssl.SSLError), pair.pop3(tls=context):
            raise AssertionError("the handshake succeeded")
        noted(pair, "the alert", lambda c: c["failures"] and c["tls"] in ("1.2", "1.3"))


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def pop3_auth(client, mechanism, *responses):
    client.send(f"AUTH {mechanism}\r\n".encode())
    for response in responses:
        challenge = client.line()
        assert challenge.startswith("+ "), challenge
        if callable(response):
            response = response(base64.b64decode(challenge[2:]))
        client.send(b64(response).encode() + b"\r\n")
    assert client.line().startswith("+OK")


def cram(challenge):
    return "alice " + hmac.new(SECRET.encode(), challenge, hashlib.md5).hexdigest()


@test
def mechanisms():
    """Each way of logging in has its name"""
    pop = {"tls": "none"}
    with Pair(logins={"alice": {"device-secret": f"'{SECRET}'"}},
              listeners={"pop": pop, **IMAP}) as pair:
        def by_pop3(log_in):
            with pair.pop3("pop") as client:
                log_in(client)
                client.quit()

        def apop(client):
            digest = hashlib.md5(re.search(r"<.*>", client.greeting)[0].encode()
                                 + SECRET.encode()).hexdigest()
            client.ok(f"APOP alice {digest}")

        by_pop3(lambda client: client.login())
        by_pop3(lambda client: pop3_auth(client, "PLAIN", f"\0alice\0{PASSWORD}"))
        by_pop3(lambda client: pop3_auth(client, "LOGIN", "alice", PASSWORD))
        by_pop3(lambda client: pop3_auth(client, "CRAM-MD5", cram))
        by_pop3(apop)
        with pair.imap() as client:
            client.login()
            client.logout()
        with pair.imap() as client:
            client.ok("AUTHENTICATE PLAIN " + b64(f"\0alice\0{PASSWORD}"))
            client.logout()
        seen = {(c["protocol"], c["mechanism"]) for c in listed(pair)}
        assert seen == {("pop3", "PASS"), ("pop3", "PLAIN"), ("pop3", "LOGIN"),
                        ("pop3", "CRAM-MD5"), ("pop3", "APOP"), ("imap", "LOGIN command"),
                        ("imap", "PLAIN")}, seen
        assert {c["protocol"] for c in listed(pair, "--mechanism", "plain")} == {"pop3", "imap"}
        assert SECRET.encode() not in stored(pair)


@test
def tokens():
    """A client's own token: its mechanism and name, and nothing of the token"""
    with Pair(listeners=IMAP, tenant={"allow-client-tokens": "yes"}) as pair:
        token = pair.sandbox.access_token()
        with pair.imap() as client:
            client.ok("AUTHENTICATE XOAUTH2 "
                      + b64(f"user=alice@example.com\1auth=Bearer {token}\1\1"))
            client.logout()
        row = only(pair)
        expect(row, mechanism="XOAUTH2", logins=1)
        assert row["login"]
        assert token[:40].encode() not in stored(pair)


@test
def certificates():
    """A client's certificate: EXTERNAL"""
    with Pair(tls=True, serve=False,
              listeners={"imaps": {"protocol": "imap", "tls": "implicit",
                                   "client-certificates": "yes"}}) as pair:
        certificate, key = make_certificate(pair.work, "printer", stem="client")
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
        pair.logins["alice"]["certificate-fingerprint"] = f"'{digest}'"
        pair.postern.write(pair.config_text())
        pair.start()
        context = trusting(pair.certificate)
        context.load_cert_chain(certificate, key)
        with pair.imap("imaps", tls=context) as client:
            client.ok("AUTHENTICATE EXTERNAL =")
            client.logout()
        expect(only(pair), login="alice", mechanism="EXTERNAL", logins=1)


@test
def other_ways_in():
    """Behind a proxy the client's address counts; a header that is none is a failure; Unix sockets
    are local"""
    with tempfile.TemporaryDirectory(prefix="postern-") as place, Pair(
            listeners={"far": {"tls": "none", "allow-plaintext": "yes",
                               "proxy-protocol": '{"127.0.0.1"}'},
                       "near": {"tls": "none", "address": f"'unix:{place}/pop'"}},
            logins={"alice": {"networks": '{"192.0.2.0/24", "127.0.0.0/8", "::1"}'}},
            serve=False) as pair:
        pair.postern.start([])
        tap.wait_for("it serves", lambda: "serving:" in pair.postern.log()
                     or pair.postern.check_running())
        with pair.pop3("far", greet=False) as client:
            client.send(b"PROXY TCP4 192.0.2.77 198.51.100.1 4660 110\r\n")
            assert client.line().startswith("+OK")
            client.login()
            client.quit()
        expect(only(pair), address="192.0.2.77", listener="far", logins=1)
        assert len(listed(pair, "--address", "192.0.2.77")) == 1
        with pair.pop3("far", greet=False) as client:
            client.send(b"USER alice\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert not client.socket.recv(100)
        expect(only(pair, "--failed"), address="127.0.0.1", failures=1)
        with socket.socket(socket.AF_UNIX) as near:
            near.settimeout(PATIENCE)
            near.connect(f"{place}/pop")
            near.sendall(f"USER alice\r\nPASS {PASSWORD}\r\nQUIT\r\n".encode())
            while near.recv(1000):
                pass
        expect(only(pair, "--address", "local"), address="local", listener="near", logins=1)
        assert len(listed(pair, "--address", "127.0.0.0/8")) == 1


@test
def refusals():
    """Refused logins: a known name keeps its row, unknown ones leave no trace but their number"""
    with Pair(listeners=BOTH, logins={"alice": {}, "bob": {"protocols": "{imap}"}},
              limits={"lockout-failures": 0}) as pair:
        for name in ("nobody-knows-me", "nor-me"):
            with pair.pop3() as client:
                client.ok(f"USER {name}")
                client.err("PASS hunter22")
                client.ok("QUIT")
                client.expect_close()
        row = only(pair, "--failed")
        expect(row, login="", failures=2, logins=0, sessions=2, mechanism="PASS")
        with pair.pop3() as client:
            client.ok("USER bob")
            client.err(f"PASS {PASSWORD}")
            client.ok("USER alice")
            client.err("PASS wrong")
            client.login()
            client.quit()
        bob = only(pair, "--login", "bob")
        expect(bob, failures=1, logins=0)
        assert "protocols" in bob["last_failure"]
        expect(only(pair, "--login", "alice"), failures=1, logins=1, sessions=1)
        assert "password" in only(pair, "--login", "alice")["last_failure"]
        data = stored(pair)
        for word in (b"nobody-knows-me", b"nor-me", b"hunter22", PASSWORD.encode()):
            assert word not in data, word


def enter(pair):
    """A client that was not turned away, if there is room for it."""
    client = pair.pop3("pop", greet=False)
    if client.line().startswith("+OK"):
        return client
    client.close()
    return None


@test
def turned_away():
    """Who may not connect, and who is one too many, is written down as well"""
    with Pair(listeners={"pop": {"tls": "none"},
                         "fenced": {"tls": "none", "networks": '{"192.0.2.0/24"}'}},
              limits={"max-connections": 1}) as pair:
        with contextlib.suppress(OSError), pair.pop3("fenced", greet=False) as client:
            client.expect_close()
        row = noted(pair, "who was fenced out", lambda c: c["failures"])
        expect(row, listener="fenced", logins=0)
        assert "networks" in row["last_failure"]
        with tap.wait_for("there is room", lambda: enter(pair)) as first:
            with pair.pop3("pop", greet=False) as second:
                assert "too many" in second.line()
            first.login()
            first.quit()
        noted(pair, "who was one too many", lambda c: "max-connections" in c["last_failure"])
    with Pair(logins={"alice": {"max-connections": 1}}) as pair:
        with pair.pop3() as first, pair.pop3() as second:
            first.login()
            second.ok("USER alice")
            second.err(f"PASS {PASSWORD}")
            second.quit()
        noted(pair, "the refusal", lambda c: c["login"] == "alice"
              and "too many sessions" in c["last_failure"])


@test
def vanished():
    """Clients that vanish: by reset, by closing, in the middle of a message, before the login"""
    with Pair(listeners=BOTH) as pair:
        pair.deliver(b"Subject: large\r\n\r\n" + 200000 * b"x" * 10)
        with pair.pop3() as client:
            client.login()
            client.reset()
        noted(pair, "the reset", lambda c: c["protocol"] == "pop3")
        with pair.imap() as client:
            client.login().select()
            client.send(b"x FETCH 1 BODY[]\r\n")
            client.receive()
            client.reset()
        noted(pair, "the second", lambda c: c["protocol"] == "imap")
        before = looked(pair)
        with pair.imap():
            pass
        tap.wait_for("the third", lambda: looked(pair) == before + 1)


@test
def under_way():
    """Sessions under way are in the list, and nothing counts twice when they end"""
    with Pair(listeners=BOTH) as pair:
        with pair.imap() as client:
            client.login().select()
            row = only(pair)
            expect(row, login="alice", sessions=1, logins=1)
            before = row["bytes_out"]
            client.ok("NOOP")
            tap.wait_for("more bytes", lambda: only(pair)["bytes_out"] > before)
            expect(only(pair), sessions=1, logins=1)
            client.logout()
        expect(only(pair), sessions=1, logins=1, program="LOGIN,SELECT")
        with pair.pop3():
            assert len(listed(pair)) == 1  # whose it is, is not known yet


@test
def stop_and_kill():
    """SIGTERM writes what is under way; kill -9 loses nothing that was written"""
    with Pair(listeners=BOTH) as pair:
        client = pair.imap()
        client.login()
        pair.stop()
        expect(only(pair), logins=1)
        client.close()
        pair.start()
        with pair.pop3() as client:
            client.login()
            client.quit()
        with pair.imap() as client:
            client.login().select()
            assert len(listed(pair)) == 2
            client.fetch("1:*", "FLAGS") if client.selected.exists else None
            pair.postern.process.kill()
        rows = {c["protocol"]: c for c in listed(pair)}  # beside nobody, by the files alone
        assert rows["imap"]["logins"] == 2 and rows["pop3"]["logins"] == 1, rows
        pair.start()
        assert len(listed(pair)) == 2


@test
def many_at_once():
    """200 sessions side by side, and a reader among them: every one is counted"""
    with Pair() as pair:
        pair.settled()
        begun = only(pair)["logins"]

        def visit(_):
            with pair.pop3() as client:
                client.login()
                client.ok("QUIT")
                client.expect_close()

        with ThreadPoolExecutor(200) as pool:
            visits = [pool.submit(visit, i) for i in range(200)]
            while not all(v.done() for v in visits):
                listed(pair)
            for v in visits:
                v.result()
        assert sum(c["logins"] for c in listed(pair)) == begun + 200
        assert len(listed(pair)) == 1


@test
def formats():
    """CSV and JSON are read by Python's modules, say the same, and no field is a formula"""
    with Pair(listeners=IMAP) as pair:
        with pair.imap() as client:
            client.ok('ID ("name" "=cmd|\' /C calc\'!A0, \\"x\\"")')
            client.login()
            client.logout()
        with pair.imap() as client:
            client.ok(b'ID ("name" "\x1b[2J\xe2\x80\xae\xff")'.decode("latin-1"))
            client.login()
            client.logout()
        clients = listed(pair)
        text = ask(pair, "--csv", "--login", "alice").stdout
        assert not re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f]", text)
        rows = list(csv.DictReader(io.StringIO(text.decode(), newline="")))
        assert list(rows[0]) == COLUMNS
        for row, client in zip(rows, clients, strict=True):
            for column in COLUMNS:
                want = client[column]
                want = {True: "yes", False: "no"}.get(want, str(want)) \
                    if isinstance(want, bool) else str(want)
                assert row[column] == want, (column, row[column], want)
                assert not row[column].startswith(("=", "+", "-", "@")), row
        assert "cmd|" in clients[1]["program"]
        assert ask(pair, "--csv", "--login", "nobody").stdout == text.split(b"\r\n")[0] + b"\r\n"
        assert listed(pair, "--login", "nobody") == []


def set_rows(pair, sql, *values):
    with contextlib.closing(sqlite3.connect(pair.work / "state" / "clients.db")) as database:
        with database:
            database.execute(sql, values)


@test
def formula_names():
    """A field of CSV that begins like a formula is a text"""
    with Pair(logins={"=1+2": {}}) as pair:
        with pair.pop3() as client:
            client.login("=1+2")
            client.quit()
        row = next(csv.DictReader(io.StringIO(ask(pair, "--csv", "--login", "=1+2").stdout.decode(),
                                        newline="")))
        assert row["login"] == "'=1+2"
        expect(only(pair), login="=1+2")


@test
def filters():
    """Each filter, alone and with others"""
    with Pair(listeners=BOTH, logins={"alice": {}, "bob": {}}) as pair:
        for name in ("alice", "bob"):
            with pair.pop3() as client:
                client.login(name)
                client.quit()
        with pair.imap() as client:
            client.login("bob")
            client.logout()
        now = int(time.time() * 1000)
        set_rows(pair, "UPDATE client SET last_seen = ? WHERE login = 'alice'", now - 40 * DAY_MS)
        set_rows(pair, "UPDATE client SET address = '192.0.2.9', tls = 0x302, cipher = 'x' "
                 "WHERE protocol = 'imap'")

        def names(*arguments):
            return sorted(f"{c['login']} {c['protocol']}" for c in listed(pair, *arguments))

        everyone = ["alice pop3", "bob imap", "bob pop3"]
        assert names() == everyone
        assert names("--login", "bob") == ["bob imap", "bob pop3"]
        assert names("--protocol", "pop3") == ["alice pop3", "bob pop3"]
        assert names("--unused-for", "30d") == ["alice pop3"]
        assert names("--unused-for", "41d") == []
        assert names("--since", time.strftime("%Y-%m-%d", time.gmtime(now / 1000 - 2 * 86400))) \
            == ["bob imap", "bob pop3"]
        assert names("--since", "1999-12-31T00:00:00Z") == everyone
        assert names("--address", "192.0.2.0/24") == ["bob imap"]
        assert names("--address", "127.0.0.1") == ["alice pop3", "bob pop3"]
        assert names("--address", "local") == []
        assert names("--below-tls", "1.2") == ["bob imap"]
        assert names("--plaintext") == ["alice pop3", "bob pop3"]
        assert names("--plaintext", "--below-tls", "1.2") == everyone
        assert names("--plaintext", "--login", "bob") == ["bob pop3"]
        assert names("--failed") == []
        assert listed(pair)[-1]["login"] == "alice"  # the one seen last first
        for wrong in (("--below-tls", "2.0"), ("--unused-for", "soon"), ("--since", "yesterday"),
                      ("--address", "nowhere"), ("--protocol", "smtp"), ("--csv", "--json"),
                      ("--what",), ("more",)):
            answer = ask(pair, *wrong)
            assert answer.returncode == EX_USAGE and not answer.stdout, (wrong, answer)
            assert answer.stderr, wrong


def shown(pair, columns, *arguments):
    """What stands on a terminal of so many columns."""
    try:
        master, slave = pty.openpty()
    except OSError as error:
        raise Skip(f"no terminal is to be had: {error}") from None
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    output = b""
    with subprocess.Popen([program("postern"), "clients", "-c", pair.postern.config, *arguments],
                          stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}) as child:
        os.close(slave)
        with contextlib.suppress(OSError):
            while piece := os.read(master, 4096):
                output += piece
        assert child.wait(PATIENCE) == EX_OK, output
    os.close(master)
    return output.decode().replace("\r\n", "\n").splitlines()


@test
def table():
    """The table fits 80 columns, and no terminal cuts it; the last line sums it up"""
    with Pair(listeners=BOTH, logins={"a-login-with-a-very-long-name-indeed": {}}) as pair:
        nobody = ask(pair, "--login", "nobody").stdout
        assert nobody == b"0 clients, 0 below TLS 1.2, 0 plaintext\n"
        with pair.imap() as client:
            client.ok('ID ("name" "Drucker im Keller, zweites Regal, der graue" "os" "VxWorks")')
            client.login("a-login-with-a-very-long-name-indeed")
            client.logout()
        set_rows(pair, "UPDATE client SET address = '2001:db8:1234:5678:9abc:def0:1234:5678', "
                 "program = program || 'ü漢字'")
        with pair.pop3() as client:
            client.ok("USER unknown")
            client.err("PASS wrong")
            client.quit()
        set_rows(pair, "DELETE FROM client WHERE login = '' AND failures = 0")
        lines = shown(pair, 80)
        assert len(lines) == 4 and max(map(len, lines)) <= 80, lines
        assert lines[0].split() == ["LAST", "SEEN", "LOGIN", "ADDRESS", "PROTO", "TLS", "AUTH",
                                    "LOGINS", "FAILED", "PROGRAM"]
        assert lines[-1] == "2 clients, 0 below TLS 1.2, 2 plaintext"
        assert "a-login" in lines[2] and "~" in lines[2], lines
        whole = ask(pair, env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout.decode()
        assert "2001:db8:1234:5678:9abc:def0:1234:5678" in whole and "~" not in whole
        assert "漢字" in whole and "VxWorks" in whole
        plain = ask(pair, env={**os.environ, "LC_ALL": "C"}).stdout.decode("ascii")
        assert "a-login-with-a-very-long-name-indeed" in plain
        assert "no such login" in ask(pair, "--failed").stdout.decode()


@test
def nothing_there():
    """No database, none that may be read, one that is none: each has its words and its code"""
    with Pair(serve=False) as pair:
        answer = ask(pair)
        assert answer.returncode == EX_NOINPUT and b"serve" in answer.stderr, answer
        pair.start()
        pair.settled()
        pair.stop()
        state, database = pair.work / "state", pair.work / "state" / "clients.db"
        as_other = {}
        if os.geteuid() == 0:
            pair.work.chmod(0o755)
            pair.postern.write(pair.config_text().replace("ca-file", "# ca-file"))
            pair.postern.config.chmod(0o644)
            as_other = {"user": 65534}
            if subprocess.run([program("postern"), "version"], user=65534, capture_output=True,
                              check=False).returncode:
                as_other = None  # the programs are where others may not go
        else:
            database.chmod(0)
        if as_other is not None:
            answer = ask(pair, **as_other)
            assert answer.returncode == EX_NOPERM and b"root" in answer.stderr, answer
        pair.postern.write(pair.config_text())
        database.chmod(0o600)
        database.write_bytes(b"this was overwritten by somebody who knew no better\n" * 100)
        for path in state.glob("clients.db-*"):
            path.unlink()
        answer = ask(pair)
        assert answer.returncode == EX_DATAERR and b"clients.db" in answer.stderr, answer
        pair.start()  # set aside, begun anew
        assert listed(pair) == []
        assert list(state.glob("clients.db.corrupt-*"))
        with pair.pop3() as client:
            client.login()
            client.quit()
        expect(only(pair), logins=1)
        assert ask(pair, "-c", "/nonexistent/postern.conf").returncode == EX_CONFIG


@test
def retention():
    """Who was not seen for client-retention is forgotten, by a reload too"""
    with Pair(listeners=BOTH, top="client-retention = 10d") as pair:
        for visit in (pair.pop3, pair.imap):
            with visit() as client:
                client.login()
        tap.wait_for("both are written", lambda: len(listed(pair)) == 2)
        now = int(time.time() * 1000)
        set_rows(pair, "UPDATE client SET last_seen = ? WHERE protocol = 'pop3'",
                 now - 11 * DAY_MS)
        set_rows(pair, "UPDATE client SET last_seen = ? WHERE protocol = 'imap'",
                 now - 9 * DAY_MS)
        pair.restart()
        tap.wait_for("the older one is forgotten", lambda: len(listed(pair)) == 1)
        expect(only(pair), protocol="imap")


@test
def modes():
    """The database is its owner's alone"""
    with Pair() as pair:
        pair.settled()
        for path in (pair.work / "state").glob("clients.db*"):
            assert path.stat().st_mode & 0o777 == 0o600, path


if __name__ == "__main__":
    tap.main()
