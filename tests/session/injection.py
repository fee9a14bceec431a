#!/usr/bin/env python3
"""Names that come from outside and want to be more than names: of folders, messages, logins,
mailboxes, errors. They stay names in the wire protocols, in the log, in requests and in paths."""

import base64
import csv
import json
import re
import subprocess
from urllib.parse import unquote

import tap
from harness import FORGED, MAILBOX, PASSWORD, Pair, lines_are_ours, mail, on_the_wire, program
from imapclient import Literal
from proxies import BetweenPair
from tap import test

MESSAGE = mail("plain")
BOTH = {"pop": {"tls": "none"}, "imap": {"protocol": "imap", "tls": "none"}}
# What each of the places might take for its own.
TRICKS = (
    "x\r\n* BYE forged\r\na1 OK forged\r\n", "x\r\n+OK forged\r\n.\r\n-ERR forged",
    f"x\n{FORGED}", f"x\r{FORGED}", f"x\u2028{FORGED}\u0085", "x\x1b[2J\x1b]0;forged\x07\u202e",
    'x" from 192.0.2.66: wrong password', 'x", "level":"error", "message":"forged',
    "x\r\nX-Forged: 1\r\n\r\nGET /forged HTTP/1.1", "../../../../forged", "..", ".", "%2e%2e%2fforged",
    "x%0d%0aforged: 1", "x%00forged", "x?forged=1", "x#forged", "x&$filter=forged", "x') or ('1' eq '1",
    "x'; DROP TABLE folder; --", 'x" (\\Forged) {3+}', "x{5}", "x}", "%s%n%s%n%1000d", "$(touch forged)",
    "`touch forged`", "x\\", '"', "''", "=cmd|' /C forged'!A0", "*", "%", "&", "&AAA", "&-", "\u00e4\u4e2d",
    "x\x01\x7f", "~", "NIL", " x ", "x" * 250)


def wire_is_clean(client):
    """The syntax of each response was checked as it came; no trick became one."""
    stray = [response for response in client.stray if response is not client.greeting]
    assert not client.bye and not stray, (client.bye, stray)
    client.ok("NOOP")


def paths_are_ours(pair):
    """Nothing was made outside of the state directory, and inside no name is somebody else's."""
    ours = re.compile(r"[\w.-]+")
    for place in pair.work.rglob("*"):
        assert ours.fullmatch(place.name) and "forged" not in place.name, place
    assert not (pair.work.parent / "forged").exists()


def requests_are_ours(pair):
    """No name became a part of a path, a query or a header."""
    for path, headers, _ in pair.between.seen:
        assert "forged" not in path.split("?")[0].split("/") and not re.search(
            r"[?&#]\W*forged", path), path
        assert re.fullmatch(r"[!-~]+", path), path
        assert not any("forged" in f"{name}{value}".lower() for name, value in headers.items())


@test
def folders():
    """Folder names of Graph: LIST tells each so that SELECT finds it, the wire and the log are ours"""
    with BetweenPair(listeners=BOTH) as pair:
        names = [trick for trick in TRICKS if "/" not in trick]
        for name in names:
            pair.sandbox.control("POST", "/folders", {"user": MAILBOX, "path": name})
        with pair.imap() as client:
            told = client.login().list()
            assert len(told) >= len(names), told
            for name in told:
                reply = client.command("STATUS ", Literal(name.encode()), " (MESSAGES)")
                assert reply.status == "OK", (name, reply)
                client.command("EXAMINE ", Literal(name.encode()))
            client.ok('LIST "" * RETURN (STATUS (MESSAGES UNSEEN))')
            wire_is_clean(client)
        lines_are_ours(pair)
        paths_are_ours(pair)
        requests_are_ours(pair)


@test
def folders_of_clients():
    """Folder names, keywords and searches of a client: each is what it is at Graph, or refused"""
    with BetweenPair(listeners=BOTH) as pair:
        pair.deliver(MESSAGE)
        with pair.imap() as client:
            client.login().select()
            for trick in TRICKS:
                raw = trick.encode()
                for words in (("CREATE ", Literal(raw)), ("RENAME ", Literal(raw), " Other"),
                              ("DELETE ", Literal(raw)), ("STATUS ", Literal(raw), " (MESSAGES)"),
                              ("SEARCH CHARSET UTF-8 SUBJECT ", Literal(raw)),
                              ("SEARCH KEYWORD ", Literal(raw)),
                              ("SEARCH HEADER ", Literal(raw), " x"),
                              ("STORE 1 +FLAGS (", Literal(raw), ")"),
                              ("COPY 1 ", Literal(raw)), ('LIST "" ', Literal(raw)),
                              ("APPEND ", Literal(raw), " ", Literal(b"Subject: x\r\n\r\n"))):
                    client.command(*words)
            wire_is_clean(client)
        lines_are_ours(pair)
        paths_are_ours(pair)
        requests_are_ours(pair)


@test
def subjects():
    """Subjects, addresses and ids of messages: the envelope tells them as strings"""
    def evil(trick):
        def change(body):
            page = json.loads(body)
            for item in page.get("value", []):
                for name in ("subject", "internetMessageId", "bodyPreview"):
                    item[name] = trick
                for name in ("from", "sender"):
                    item[name] = {"emailAddress": {"name": trick, "address": trick}}
                for name in ("toRecipients", "ccRecipients", "bccRecipients", "replyTo"):
                    item[name] = [{"emailAddress": {"name": trick, "address": trick}}] * 2
                item["categories"] = [trick, "x"]
                item["singleValueExtendedProperties"] = [
                    {"id": "String 0x7D", "value": f"Subject: {trick}\r\nFrom: {trick}\r\n"}]
            return json.dumps(page).encode()
        return change

    with BetweenPair(listeners=BOTH) as pair:
        for number, trick in enumerate(TRICKS):
            folder = f"Folder {number}"
            pair.sandbox.control("POST", "/folders", {"user": MAILBOX, "path": folder})
            pair.deliver(*[MESSAGE] * 3, folder=folder)
        with pair.imap() as client:
            client.login()
            for number, trick in enumerate(TRICKS):
                pair.between.change = {r"/messages(/delta)?[?]": evil(trick)}
                client.select(f"Folder {number}")
                client.ok("FETCH 1:* (FLAGS ENVELOPE BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)])")
                client.ok("FETCH 1:* (BODYSTRUCTURE RFC822.SIZE)")
                client.ok("SORT (SUBJECT) UTF-8 ALL")
            wire_is_clean(client)
        lines_are_ours(pair)
        requests_are_ours(pair)


def refusals(protocol, pair):
    """Tries every trick as a name to log in with, in every way there is."""
    for trick in TRICKS:
        raw = trick.encode()
        plain = base64.b64encode(b"\0" + raw + b"\0wrong")
        with (pair.imap() if protocol == "imap" else pair.pop3()) as client:
            if protocol == "imap":
                client.command("LOGIN ", Literal(raw), " wrong")
                client.command(b"AUTHENTICATE PLAIN " + plain)
                client.command("AUTHENTICATE ", Literal(raw))
                client.command("ID (", '"name" ', Literal(raw), ' "version" NIL)')
                assert not client.bye, client.bye
            else:
                client.send(b"AUTH PLAIN " + plain + b"\r\n")
                assert client.line().startswith("-ERR")
                if not set(b"\r\n") & set(raw):
                    client.send(b"USER " + raw + b"\r\nPASS wrong\r\nAUTH " + raw + b"\r\nCAPA\r\n")
                    for _ in range(3):
                        client.line()
                    assert b"Postern" in client.multi("CAPA")


@test
def login_names():
    """Names to log in with: refused in one clean line, and the log is ours, as text and as JSON"""
    for log_format in ("text", "json"):
        with Pair(listeners=BOTH, log_format=log_format) as pair:
            refusals("imap", pair)
            refusals("pop", pair)
            if log_format == "text":
                lines_are_ours(pair)
                continue
            for line in pair.postern.process.log_path.read_bytes().splitlines():
                told = json.loads(line)
                assert set(told) <= {"time", "level", "session", "login", "mailbox", "message"}, line
                assert not told["message"].startswith("forged"), line


@test
def names_of_programs():
    """Names that programs give themselves: the list of clients shows them as text, in every format"""
    with Pair(listeners=BOTH) as pair:
        for trick in TRICKS:
            with pair.imap() as client:
                client.command("ID (", '"name" ', Literal(trick.encode()), ' "vendor" ',
                               Literal(trick.encode()), ")")
                client.login()
                client.ok("LOGOUT")
        for options in ((), ("--csv",), ("--json",)):
            answer = subprocess.run([program("postern"), "clients", "-c", pair.postern.config,
                                     *options], capture_output=True, timeout=tap.PATIENCE,
                                    check=True)
            told = answer.stdout
            assert told.count(b"forged") > 5, told
            assert not re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]",
                                 told), (options, told)
            assert not answer.stderr, answer.stderr
            assert not re.search(rb"(?m)^(2026-01-01T|\* BYE|\+OK|-ERR|X-Forged)", told), told
            if options == ("--csv",):
                rows = list(csv.reader(told.decode().splitlines()))
                assert all(len(row) == len(rows[0]) for row in rows), rows
                assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@")]
            if options == ("--json",):
                assert isinstance(json.loads(told), list)
        lines_are_ours(pair)


@test
def names_of_mailboxes():
    """Mailboxes, folders and logins of the configuration: one segment of a path, or refused"""
    def quoted(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace(
            "\n", "\\n").replace("$", "\\$") + '"'

    with BetweenPair() as pair:
        taken = 0
        for trick in TRICKS:
            if "forged" in trick and not trick.isprintable():
                trick = ascii(trick)  # what is told of it before there is a log is the owner's own
            pair.logins = {"alice": {"mailbox": quoted(trick), "folder": quoted(trick)}}
            pair.postern.write(pair.config_text())
            answer = subprocess.run([program("postern"), "check", "-c", pair.postern.config],
                                    capture_output=True, timeout=tap.PATIENCE, check=False)
            assert answer.returncode in (0, 78), answer
            assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", answer.stderr), answer.stderr
            if answer.returncode:
                continue
            taken += 1
            pair.stop()
            pair.between.seen.clear()
            pair.start()
            pair.between.change = {"/v1": lambda _: (403, [], b"")}  # "… mailbox NAME …"
            with pair.pop3() as client:
                client.ok("USER alice")
                client.err(f"PASS {PASSWORD}")
            pair.between.change = {}
            for path, _, body in pair.between.seen:
                paths = ([r["url"] for r in json.loads(body)["requests"]] if "$batch" in path
                         else [path.removeprefix("/v1.0")])
                for one in paths:
                    asked = re.fullmatch(r"/users/([^/?]+)/.*", one)
                    assert "/oauth2/" in one or unquote(asked[1]) == trick, (trick, one)
        assert taken, "all were refused"
        paths_are_ours(pair)


@test
def error_texts():
    """Codes, texts and headers of Graph's errors: one clean line for the client, one for the log"""
    with BetweenPair(listeners=BOTH, limits={"request-timeout": "2s"}) as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        for trick in TRICKS:
            header = re.sub(r"[\r\n]|[^\x00-\xff]", " ", trick)
            body = json.dumps({"error": {"code": trick, "message": trick, "innerError": {
                "request-id": trick}}}).encode()
            for status in (400, 403, 404, 409):
                pair.between.change = {r"/\$value|/folders|mailFolders": lambda _, s=status: (
                    s, [("Content-Type", "application/json"), ("request-id", header),
                        ("Location", header)], body)}
                with pair.imap() as client:
                    client.login()
                    client.no("CREATE x")
                    wire_is_clean(client)
        pair.between.change = {}
        with pair.pop3() as client:
            client.login()
            for trick in TRICKS:
                body = json.dumps({"error": {"code": trick, "message": trick}}).encode()
                pair.between.change = {r"/\$value": lambda _: (
                    403, [("Content-Type", "application/json")], body)}
                answer = client.err("RETR 1")
                assert "forged" not in answer, answer
            pair.between.change = {}
            assert client.retr(1) == on_the_wire(MESSAGE)
        lines_are_ours(pair)


tap.main(at_once=4)
