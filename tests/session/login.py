#!/usr/bin/env python3
"""postern login: by device code and by browser, beside a running serve and without one, and all
the ways in which it comes to nothing."""

import fcntl
import http.client
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import termios
import urllib.parse

import tap
from delegated import (BOB, BROWSER, DEVICE, EX_CANTCREAT, EX_NOPERM, EX_NOUSER, EX_OK,
                       EX_TEMPFAIL, EX_USAGE, Login, command, delegated, fetches, listed, opens,
                       sign_in, stored)
from harness import BUILD, MAILBOX, Pair, program, sanitizer_environment
from tap import PATIENCE, test, wait_for


@test
def before_serve():
    """A device code while no serve runs; the next one uses it"""
    with delegated(serve=False) as pair:
        said = sign_in(pair)
        assert "https://" in said and f"{MAILBOX} is signed in" in said, said
        assert "No postern serve runs" in said, said
        assert stored(pair) == 1
        key = pair.work / "token.key"
        assert key.stat().st_mode & 0o777 == 0o600
        pair.start()
        fetches(pair)
        log = pair.postern.log()
        assert key.read_text().strip() not in log + said


@test
def beside_serve():
    """A device code beside a running serve, which uses it at once"""
    with delegated() as pair:
        assert not opens(pair)
        assert "running postern serve uses it" in sign_in(pair, "alice")
        fetches(pair)
        row, = [r for r in listed(pair) if r["account"] == MAILBOX]
        assert row["state"] == "good" and row["user"] == MAILBOX, row


@test
def declined():
    """Declined at Microsoft: 77, nothing stored"""
    with delegated() as pair:
        with Login(pair, MAILBOX) as login:
            login.read_until("enter")
            pair.sandbox.device(decline=True)
            assert login.end() == EX_NOPERM, login.said
            assert "declined" in login.said, login.said
        assert stored(pair) == 0


@test
def expired():
    """Nobody enters the code in time"""
    with delegated() as pair:
        with Login(pair, MAILBOX) as login:
            login.read_until("enter")
            pair.sandbox.device(expire=True)
            assert login.end() == EX_TEMPFAIL, login.said
            assert "in time" in login.said, login.said
        assert stored(pair) == 0


@test
def somebody_else():
    """Signed in as somebody else: refused by name, the old sign-in stays"""
    with delegated() as pair:
        with Login(pair, MAILBOX) as login:
            code = login.read_until(r"enter +(\S+)").group(1)
            pair.sandbox.device(BOB, code)
            assert login.end() == EX_NOPERM, login.said
            assert f"{BOB} signed in, but {MAILBOX} was meant" in login.said, login.said
        assert stored(pair) == 0


@test
def interrupted():
    """Ctrl-C leaves nothing"""
    for words in ((MAILBOX,), ("--browser", MAILBOX)):
        with delegated() as pair:
            with Login(pair, *words) as login:
                login.read_until("https://")
                login.child.send_signal(signal.SIGINT)
                assert login.end() == -signal.SIGINT, login.said
            assert stored(pair) == 0
            assert "running postern serve" in sign_in(pair)


@test
def names():
    """Accounts, mailboxes and logins are understood; what is not, is told"""
    logins = {"nagios": {"account": f"'{BOB}'"}, "other": {"mailbox": "'shared@example.com'",
                                                          "account": f"'{BOB}'"}}
    with delegated(logins=logins, serve=False) as pair:
        for name in (MAILBOX, BOB.upper(), "nagios", "shared@example.com"):
            with Login(pair, name) as login:
                login.read_until(f"as {BOB}, on any device")
        for words, reason in ((("nobody@example.com",), "has no login for"),
                              (("--tenant", "other", "nagios"), 'in tenant "other"')):
            answer = command(pair, "login", *words)
            assert answer.returncode == EX_NOUSER and reason in answer.stderr, answer
        answer = command(pair, "login", "--browser", "--device-code", BOB)
        assert answer.returncode == EX_USAGE, answer
    with Pair(serve=False) as pair:
        answer = command(pair, "login", MAILBOX)
        assert answer.returncode == EX_NOUSER and "by itself" in answer.stderr, answer


@test
def ambiguous():
    """A mailbox that is opened with two sign-ins"""
    logins = {"one": {"account": f"'{BOB}'"}, "two": {"account": "'carol@example.com'"}}
    with delegated(logins=logins, serve=False) as pair:
        answer = command(pair, "login", MAILBOX)
        assert answer.returncode == EX_NOUSER, answer
        assert BOB in answer.stderr and "carol@example.com" in answer.stderr, answer


@test
def no_place():
    """No key can be made, or there is a wrong one: told before anybody is asked to sign in"""
    with delegated(serve=False, top="key-file = '/nonexistent/token.key'") as pair:
        answer = command(pair, "login", MAILBOX)
        assert answer.returncode == EX_CANTCREAT and "/nonexistent/" in answer.stderr, answer
    with delegated(serve=False) as pair:
        sign_in(pair)
        (pair.work / "token.key").write_text("0" * 64)
        answer = command(pair, "login", MAILBOX)
        assert answer.returncode == EX_NOPERM and "another key" in answer.stderr, answer
        assert stored(pair) == 1
        assert command(pair, "token", "revoke", MAILBOX).returncode == EX_OK
        sign_in(pair)


@test
def by_browser():
    """A browser signs in, and its page says as whom"""
    for tenant, words in ((BROWSER, (MAILBOX,)), (DEVICE, ("--browser", MAILBOX))):
        with delegated(tenant=tenant) as pair:
            with Login(pair, *words) as login:
                status, page = pair.sandbox.browse(login.url())
                assert status == 200 and "Signed in" in page and MAILBOX in page, page
                assert login.end() == EX_OK, login.said
            assert stored(pair) == 1
            fetches(pair)


@test
def browser_declines():
    """Declined in the browser: its page and the terminal say so"""
    with delegated(tenant=BROWSER) as pair:
        pair.sandbox.settings(sign_in="decline")
        with Login(pair, MAILBOX) as login:
            _, page = pair.sandbox.browse(login.url())
            assert "Not signed in" in page and "access_denied" in page, page
            assert login.end() == EX_NOPERM, login.said
            assert "access_denied" in login.said, login.said
        assert stored(pair) == 0


@test
def browser_of_somebody_else():
    """Another account in the browser: page and terminal tell both names, nothing is stored"""
    with delegated(tenant=BROWSER) as pair:
        pair.sandbox.settings(sign_in_as=BOB)
        with Login(pair, MAILBOX) as login:
            _, page = pair.sandbox.browse(login.url())
            assert "Not signed in" in page and BOB in page and MAILBOX in page, page
            assert login.end() == EX_NOPERM, login.said
        assert stored(pair) == 0


def ask(port, method, path, host=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        headers = {"Host": host or f"localhost:{port}"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


@test
def junk_at_the_door():
    """What else comes to the port of the browser changes nothing"""
    with delegated(tenant=BROWSER) as pair:
        with Login(pair, MAILBOX) as login:
            url = login.url()
            query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
            port = urllib.parse.urlsplit(query["redirect_uri"]).port
            state = urllib.parse.quote(query["state"])
            good = f"/?code=x&state={state}"
            for method, path, host, status in (
                    ("GET", "/", None, 400), ("GET", "/?code=x", None, 400),
                    ("GET", "/?code=x&state=", None, 400),
                    ("GET", f"/?code=x&state={state}x", None, 400),
                    ("GET", f"/?code=x&state={state[:-1]}", None, 400),
                    ("GET", f"/?state={state}", None, 400),
                    ("GET", f"/?code=&state={state}", None, 400),
                    ("GET", f"/?error=access_denied&state=y{state}", None, 400),
                    ("GET", "/favicon.ico", None, 404), ("GET", f"/x{good}", None, 404),
                    ("HEAD", good, None, 405), ("POST", good, None, 405),
                    ("OPTIONS", good, None, 405), ("GET", good, "evil.example", 403),
                    ("GET", good, f"evil.example:{port}", 403),
                    ("GET", f"/?state=<script>&code={'x' * 8000}", None, 400)):
                got, text, headers = ask(port, method, path, host, b"a=b" if method == "POST"
                                         else None)
                assert got == status, (method, path, got)
                assert "<script>" not in text
                policy = headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'none'") and "unsafe" not in policy
                assert headers["Referrer-Policy"] == "no-referrer"
                assert headers["Cache-Control"] == "no-store"
            for raw in (b"\0\0\0\0\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00" * 50,
                        b"GET /?" + b"x" * 100000 + b" HTTP/1.1\r\n\r\n"):
                with socket.create_connection(("127.0.0.1", port), PATIENCE) as wire:
                    try:
                        wire.sendall(raw)
                        wire.shutdown(socket.SHUT_WR)
                        wire.recv(4096)
                    except OSError:
                        pass
            # Others keep connections open and say nothing.
            idle = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(8)]
            status, page = pair.sandbox.browse(url)
            assert status == 200 and MAILBOX in page, page
            for wire in idle:
                wire.close()
            assert login.end() == EX_OK, login.said


@test
def forged_code():
    """The right state with a code that is none: Entra ID refuses, nothing is stored"""
    with delegated(tenant=BROWSER) as pair:
        with Login(pair, MAILBOX) as login:
            query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(login.url()).query))
            port = urllib.parse.urlsplit(query["redirect_uri"]).port
            state = urllib.parse.quote(query["state"])
            _, page, _ = ask(port, "GET", f"/?code=%3Cb%3Eforged&state={state}")
            assert "Not signed in" in page and "AADSTS" in page and "<b>" not in page, page
            assert login.end() == EX_NOPERM, login.said
        assert stored(pair) == 0


@test
def only_loopback():
    """The browser's port is open on 127.0.0.1 alone"""
    with delegated(tenant=BROWSER) as pair:
        with Login(pair, MAILBOX) as login:
            login.url()
            inodes = subprocess.run(["ls", "-l", f"/proc/{login.child.pid}/fd"], text=True,
                                    capture_output=True, check=False).stdout
            inodes = set(re.findall(r"socket:\[(\d+)\]", inodes))
            if not inodes:
                raise tap.Skip("the process does not show its descriptors")
            listening = []
            for table in ("tcp", "tcp6"):
                with open(f"/proc/net/{table}", encoding="ascii") as rows:
                    for row in list(rows)[1:]:
                        cells = row.split()
                        if cells[9] in inodes and cells[3] == "0A":
                            listening.append(cells[1])
            assert len(listening) == 1 and listening[0].startswith("0100007F:"), listening


@test
def untold_service():
    """A serve that cannot be told finds the sign-in by itself"""
    with delegated() as pair:
        with Login(pair, MAILBOX) as login:
            code = login.read_until(r"enter +(\S+)").group(1)
            (pair.work / "state" / "control").unlink()
            pair.sandbox.device(MAILBOX, code)
            assert login.end() == EX_OK, login.said
        wait_for("the mailbox opens", lambda: opens(pair))


def on_terminal(pair, columns, rows=24, **environment):
    """What a terminal of this size shows until the countdown begins."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    child = subprocess.Popen(
        [program("postern"), "login", "-c", pair.postern.config, MAILBOX], stdin=slave,
        stdout=slave, stderr=slave, start_new_session=True,
        env={**sanitizer_environment(), "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment})
    shown = b""
    try:
        while b"are left" not in shown:
            assert select.select([master], [], [], PATIENCE)[0], shown
            shown += os.read(master, 65536)
        return shown.decode()
    finally:
        child.kill()
        child.wait()
        os.close(slave)
        os.close(master)


def write_picture(path, shown):
    """The half blocks of a terminal as a picture in shades of grey, eight dots a module."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip("\r\n")[2:] for line in shown.splitlines()
             if line.lstrip().startswith("\x1b[38;5;16;48;5;231m")]
    width = max(map(len, lines))
    dots = []
    for line in lines:
        for dark in ("\u2580\u2588", "\u2584\u2588"):
            row = b"".join(b"\0" * 8 if c in dark else b"\xff" * 8 for c in line.ljust(width))
            dots += [row] * 8
    path.write_bytes(b"P5 %d %d 255\n" % (width * 8, len(dots)) + b"".join(dots))


@test
def qr_code():
    """A telephone reads the address from a terminal that shows UTF-8, others show none"""
    if "#define HAVE_QRENCODE 1" not in (BUILD / "config.h").read_text():
        raise tap.Skip("built without libqrencode")
    with delegated(serve=False) as pair:
        for columns, environment in ((30, {}), (100, {"LC_ALL": "C"}), (100, {"TERM": "dumb"})):
            shown = on_terminal(pair, columns, **environment)
            assert "https://" in shown and "\u2588" not in shown, (columns, environment)
        assert "\u2588" not in on_terminal(pair, 100, rows=12)
        shown = on_terminal(pair, 100)
        address = re.search(r"open +(https://\S+)", shown).group(1)
        if not shutil.which("zbarimg"):
            raise tap.Skip("zbarimg is not installed")
        picture = pair.work / "code.pgm"
        write_picture(picture, shown)
        read = subprocess.run(["zbarimg", "--quiet", "--raw", picture], capture_output=True,
                              text=True, check=False)
        assert read.stdout.strip() == address, read


tap.main(at_once=4)
