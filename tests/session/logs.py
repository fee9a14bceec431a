#!/usr/bin/env python3
"""The log: no secret in it whatever happens, and nobody writes lines into it but Postern."""

import base64
import contextlib
import json
import re
from email.message import EmailMessage
from urllib.parse import quote

import tap
from connection import Closed
from harness import FORGED, PASSWORD, PASSWORD_HASH, Pair, lines_are_ours, mail
from imapclient import Literal
from proxies import BetweenPair
from tap import test

MESSAGE = mail("plain")


def graph_error(text):
    return json.dumps({"error": {"code": f"Bad\r\n{FORGED}", "message": text}})


NASTY = f"x\r\n{FORGED}\x1b[2J\u202eedit\u2028{FORGED}\u0085\x7f"


@test
def user_names():
    """USER and AUTH with control characters, escapes and forged lines"""
    with Pair() as pair:
        for name in (b"x\r" + FORGED.encode(), b"x\x1b[2J" + FORGED.encode(), b"\xff\xfe\xc2",
                     "\u202e\u2028\u0085".encode(), b"x\0y", b"a" * 400,
                     b"%s%n%s%n", b"alice session=p3-1 login=root"):
            for talk in (b"USER " + name + b"\r\nPASS wrong\r\n",
                         b"AUTH PLAIN " + base64.b64encode(b"\0" + name + b"\0wrong") + b"\r\n",
                         b"APOP " + name + b" c4c9334bac560ecc979e58001b3e22fb\r\n",
                         name + b"\r\n"):
                with pair.pop3() as client:
                    client.send(talk)
                    client.line()
        lines_are_ours(pair)


@test
def graph_texts():
    """Texts of Graph's errors and of the sign-in server's with forged lines"""
    with Pair(limits={"request-timeout": "2s"}) as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        with pair.pop3() as client:
            client.login()
            for status in (400, 403, 404):
                pair.sandbox.fault(r"/\$value", status=status, count=0, body=graph_error(NASTY))
                client.err("RETR 1")
                pair.sandbox.no_faults()
            pair.sandbox.fault(r"/\$value", status=200, content_type="text/html\t\x1b[2J",
                               body="<html>")
            client.err("RETR 1")
            client.quit()
        pair.sandbox.control("POST", "/expire-tokens")
        pair.sandbox.fault("token", status=401, count=0, body=json.dumps(
            {"error": NASTY, "error_description": f"AADSTS7000222: {NASTY}",
             "trace_id": NASTY, "error_codes": [7000222]}))
        with pair.pop3() as client:
            client.ok("USER alice")
            answer = client.err(f"PASS {PASSWORD}")
            assert "forged" not in answer, answer
        lines_are_ours(pair)


@test
def folder_names():
    """Display names of folders with forged lines, and a folder of the configuration likewise"""
    name = NASTY.replace("/", "")
    with Pair(logins={"alice": {}, "bob": {"folder": "'x/\\x1b[2J'"}}) as pair:
        pair.sandbox.control("POST", "/folders", {"user": "alice@example.com", "path": name})
        pair.restart()
        for login in ("alice", "bob"):
            with pair.pop3() as client:
                client.ok(f"USER {login}")
                client.command(f"PASS {PASSWORD}")
        lines_are_ours(pair)


@test
def no_secrets():
    """Passwords, tokens and the secret stay out of the log at level debug, right or wrong"""
    wrong = "nearly the right password"
    with Pair(tls=True, listeners={"pop": {"tls": "starttls"}}) as pair:
        pair.deliver(MESSAGE)
        plain = base64.b64encode(f"\0alice\0{PASSWORD}".encode()).decode()
        for talk in (f"USER alice\r\nPASS {wrong}\r\n", f"PASS {wrong}\r\n",
                     f"USER {wrong}\r\nPASS {PASSWORD}\r\n", f"AUTH PLAIN {plain}\r\n",
                     f"AUTH PLAIN {plain}x\r\n", f"pass {wrong}\r\n", f"PASS  {wrong}\r\n",
                     f"USER alice\r\nPASS {PASSWORD}\r\nPASS {PASSWORD}\r\n"):
            with pair.pop3() as client:
                client.send(talk.encode() + b"QUIT\r\n")
                with contextlib.suppress(Closed, OSError):
                    while client.raw_line():
                        pass
        for rule in ({"status": 401}, {"reset": True}, {"truncate": 5}, {"status": 429},
                     {"redirect": "https://192.0.2.1/x", "status": 302}):
            pair.sandbox.fault("/messages", count=1, **rule)
            with pair.pop3() as client:
                client.ok("USER alice")
                client.command(f"PASS {PASSWORD}")
        pair.stop()
        log = pair.postern.log()
        # A name is told, and nobody can know that it is a password typed in the wrong place.
        for secret in (PASSWORD, plain, pair.sandbox.client_secret, PASSWORD_HASH[20:], "eyJ",
                       "Bearer", "client_secret=", "grant_type"):
            assert secret not in log, secret
        assert log.count(wrong) == log.count(f"login={wrong}") + log.count(f'"{wrong}"'), [
            line for line in log.splitlines() if wrong in line]


@test
def no_links():
    """Links that stand for a right stay out of the log, as do IMAP's passwords, searches and mail"""
    secrets = set()

    def note(body):
        with contextlib.suppress(ValueError, AttributeError):
            page = json.loads(body)
            secrets.update(page.get(name) for name in (
                "@odata.nextLink", "@odata.deltaLink", "uploadUrl", "access_token"))
        return body

    message = EmailMessage()
    message["Subject"] = "secret-subject"
    message.set_content("secret-line\n")
    message.add_attachment(bytes(4_000_000), maintype="application", subtype="octet-stream",
                           filename="secret-file")
    with BetweenPair(listeners={"pop": {"tls": "none"},
                                "imap": {"protocol": "imap", "tls": "none"}}) as pair:
        pair.between.change = {"": note}
        pair.sandbox.settings(page_cap=3)
        pair.deliver(*[MESSAGE] * 10)
        with pair.imap() as client:
            client.no('LOGIN alice "nearly the password"')
            client.no("LOGIN alice ", Literal(b"nearly the password"))
            client.bad('LOGIN alice "nearly the password')
            client.bad('LOGIN alice "nearly the password" more')
            client.bad("AUTHENTICATE PLAIN " + base64.b64encode(b"nearly the password").decode())
            client.login().select()
            client.append("INBOX", message.as_bytes())
            client.ok("NOOP")
            client.search("TEXT secret-search")
        pair.restart()
        pair.serves({str(number): MESSAGE for number in range(10)})
        links = {link for link in secrets if link and link.startswith("https:")}
        assert any(not link.startswith(pair.between.url) for link in links), "no upload session"
        assert any("deltatoken" in link for link in links), "no delta link was told"
        # Of a link the words that are no words: its tokens.
        words = {word for link in links for word in re.findall(r"[\w%-]{16,}", link.split("/", 3)[3])
                 if not re.fullmatch(r"[a-zA-Z]+", word)} | (secrets - links - {None})
        paths = {quote(word) for path, *_ in pair.between.seen for word in path.split("?")[0].split("/")}
        log = pair.postern.log()
        for secret in words - paths | {"nearly the password", "secret-search", "secret-subject",
                                       "secret-line", "secret-file"}:
            assert secret not in log, secret


tap.main()
