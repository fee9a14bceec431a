#!/usr/bin/env python3
"""A Microsoft 365 that is not what it says, or that somebody speaks for: links that lead away, and
JSON that no honest server writes. Nothing goes where it leads; nobody else notices."""

import base64
import contextlib
import json
import os
import random
import re
import socket
import ssl
import subprocess
import threading

import tap
from connection import Closed
from harness import PASSWORD, lines_are_ours, mail, on_the_wire, program, sanitized
from imapclient import Literal
from proxies import BetweenPair
from tap import test, wait_for

MESSAGE = mail("alternative")
BOB = "bob@example.com"
ROUNDS = int(os.environ.get("POSTERN_TEST_ROUNDS", "20"))
LIMITS = {"request-timeout": "3s", "first-sync-wait": "3s"}
POP_AND_IMAP = {"pop": {"tls": "none"}, "imap": {"protocol": "imap", "tls": "none"}}


class Trap:
    """Where links lead that must not be followed: a server with the very certificate that is
    trusted, and one without TLS. came: what was said to them."""

    def __init__(self, between):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(between.certificate, between.key)
        self.came = []
        self.listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.tls, self.plain = (listener.getsockname()[1] for listener in self.listeners)
        self.threads = [threading.Thread(target=self.serve, args=(listener,))
                        for listener in self.listeners]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        for listener, thread in zip(self.listeners, self.threads):
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            listener.close()

    def serve(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.settimeout(tap.PATIENCE)
            with client, contextlib.suppress(OSError):
                if listener is self.listeners[0]:
                    client = self.context.wrap_socket(client, server_side=True)
                self.came.append(client.recv(4096))
                client.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def links(between, trap):
    """Links that lead elsewhere, or that two readers might read differently."""
    path, here = "/v1.0/users/x/messages?away", f"127.0.0.1:{between.port}"
    there, plain = f"127.0.0.1:{trap.tls}", f"127.0.0.1:{trap.plain}"
    return (
        f"https://{there}{path}", f"https://localhost:{between.port}{path}",
        f"http://{plain}{path}", f"http://{here}{path}", f"HTTP://{plain}{path}",
        f"https://{here}@{there}{path}", f"https://user:secret@{here}{path}",
        f"https://user@{here}{path}", f"https://@{here}{path}",
        f"https://{there}#@{here}{path}", f"https://{there}?@{here}{path}",
        f"https://{there}\\@{here}{path}", f"https:\\\\{there}{path}",
        f"https:///{there}{path}", f"https:/{there}{path}", f"https:{there}{path}",
        f"//{there}{path}", f"{there}{path}", path, "v1.0/me", "", "?",
        f"ftp://{there}/", "file:///etc/passwd", f"gopher://{plain}/x", f"ldap://{plain}/",
        f"ws://{plain}/", "javascript:alert(1)", "data:,x", "https://", "https://:443/",
        f"https://{here} .{there}{path}", f"https://{here}%00.{there}{path}",
        f"https://{here}%2f@{there}{path}", f"https://%31%32%37.0.0.1:{trap.tls}{path}",
        f"https://{here}\r\nHost: {there}\r\n{path}", f"https://{here}{path}\r\nX-Evil: 1",
        f"https://{here}{path}\n", f"\thttps://{here}{path}", f"https://{here}/\u2025/x",
        f"https://127。0。0。1:{between.port}{path}", f"https://{there}／{here}{path}",
        f"https://127.0.0.1.:{trap.tls}{path}", f"https://127.0.0.1:{between.port}0{path}",
        f"https://127.0.0.1:0{path}", f"https://127.0.0.1:-1{path}", f"https://127.0.0.1{path}",
        f"https://[::1]:{between.port}{path}", f"https://[::ffff:127.0.0.1]:{trap.tls}{path}",
        f"https://{here}{path}" + "x" * 70000)


def linked(kind, link):
    """The page with this link instead of its own."""
    def change(body):
        page = json.loads(body)
        for name in ("@odata.nextLink", "@odata.deltaLink"):
            page.pop(name, None)
        page[kind] = link
        return json.dumps(page).encode()
    return change


def says_nothing(pair, trap, path, kind, ask, answer):
    """ask(link) fails with an answer for each of the links; nobody is asked, the log tells."""
    for link in links(pair.between, trap):
        pair.between.change = {path: linked(kind, link)}
        before = len(pair.postern.log())
        reply = ask()
        assert re.search(answer, reply), (link, reply)
        assert re.search(r"warning.*link", pair.postern.log()[before:]), (
            link, pair.postern.log()[before:])
        assert not trap.came, (link, trap.came)
        # What was asked was asked of whom we know, with the token, and it was not the link.
        assert not [p for p, *_ in pair.between.seen if "away" in p], link
    pair.between.change = {}
    lines_are_ours(pair)


def pass_(pair):
    def ask():
        with pair.pop3() as client:
            client.ok("USER alice")
            return client.command(f"PASS {PASSWORD}")
    return ask


for name in ("nextLink", "deltaLink"):
    def messages(name=name):
        with BetweenPair(limits=LIMITS) as pair, Trap(pair.between) as trap:
            pair.deliver(MESSAGE)
            pair.settled()
            pair.deliver(MESSAGE)
            says_nothing(pair, trap, "/messages/delta", f"@odata.{name}", pass_(pair),
                         r"^-ERR \[SYS/")
            with pair.pop3() as client:
                client.login()
                assert client.stat()[0] == 2
                client.quit()
    tap.add(f"A {name} of messages that leads elsewhere: refused, logged, and no token goes there",
            messages)


@test
def link_of_listing():
    """A nextLink of the listing beside a first sync that leads elsewhere"""
    with BetweenPair(limits=LIMITS, listeners=POP_AND_IMAP) as pair, Trap(pair.between) as trap:
        pair.sandbox.control("POST", "/folders", {"user": "alice@example.com", "path": "Later"})
        pair.settled()
        pair.deliver(MESSAGE, folder="Later")
        with pair.imap() as client:
            client.login()
            says_nothing(pair, trap, "/messages[?]", "@odata.nextLink",
                         lambda: client.command("SELECT Later").end.kind, "NO")
            assert client.select("Later").exists == 1


@test
def link_of_folders():
    """A nextLink or deltaLink of the folders that leads elsewhere"""
    with BetweenPair(limits=LIMITS, listeners=POP_AND_IMAP) as pair, Trap(pair.between) as trap:
        with pair.imap() as client:
            client.login()
            says_nothing(pair, trap, "/mailFolders/delta", "@odata.nextLink",
                         lambda: client.command('LIST "" *').end.kind, "NO")
            says_nothing(pair, trap, "/mailFolders/delta", "@odata.deltaLink",
                         lambda: client.command('LIST "" *').end.kind, "NO")
            assert "INBOX" in client.list()


# -- JSON that no honest server writes -------------------------------------------------------------

def nested(depth):
    return "[" * depth + "]" * depth


# Whole answers.
TEXTS = [b"", b" ", b"null", b"true", b"7", b'""', b"[]", b"{}", b"{", b'{"value":', b"[" * 100_000,
         b'{"value":' * 50_000, b'{"value":[]}' * 2, b'{"value":[]}\0', b"\xef\xbb\xbf{\"value\":[]}",
         b"\xff\xfe{\0}\0", b'{"value":[],"value":{}}', b'{"value":[' + b"{}," * 20_000 + b"{}]}",
         b'{"value":[' + b'{"id":"A"},' * 10_000 + b'{"id":"A"}]}', b"{'value':[]}",
         b'{"value":[],}', b'{"value":[NaN]}', b'{"value":[/**/]}', b'{"value":[{"id":"A\x01"}]}',
         b'{"value":[' + nested(40).encode() + b"]}", b'{"' + b"k" * 1_000_000 + b'":1}',
         b'{"value":[{"id":"' + b"A" * 1_000_000 + b'"}]}', b"<html>", b"\x1f\x8b\x08rubbish",
         b'{"error":{"code":"x\\r\\n* BYE","message":"\\u0000\\u001b[2J"}}', b'{"error":"x"}',
         b'{"error":{"code":{},"message":[]},"value":[]}', b'{"error":null}', b" " * 3_000_000]
# Values in the place of others, as they stand in JSON.
VALUES = ["null", "true", "false", "0", "-0", "-1", "1.5", "1e999", "-1e999", "1e-999",
          "9223372036854775807", "9223372036854775808", "-9223372036854775809",
          "18446744073709551616", "9" * 400, '""', '"true"', '"False"', '"0"', '"-1"', '"1e999"',
          '"99999999999999999999"', '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"',
          '"\xff"', '"\xc0\xaf"', '"\xed\xa0\x80"', '"../../etc/passwd"', '"%2e%2e%2f%00"',
          '"a\\r\\n* BYE x\\r\\n"', '"a\\r\\nX-Evil: 1"', '"\\" {3+}\\r\\nab)"', '"\'; DROP TABLE x"',
          '"%s%n%s"', '"\\u202e\\u2028\\u0085"', '"' + "x" * 70_000 + '"', "[]", "{}", "[[]]", "[null]",
          nested(20), nested(40), '{"error":{"code":"x"}}', '[{"id":[{"id":{}}]}]',
          '"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59.9999999Z"', '"2026-13-45T99:99:99Z"']


def places(node):
    """(container, key) of every value inside."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield node, key
        if isinstance(value, (dict, list)):
            yield from places(value)


def spoiled(chance):
    """One value of the answer replaced, or left out, or a member told twice; or all of it."""
    def change(body):
        try:
            tree = json.loads(body)
        except ValueError:
            return body
        whole = list(places(tree)) if isinstance(tree, (dict, list)) else []
        if not whole or chance.random() < 0.1:
            return chance.choice(TEXTS)
        place, key = chance.choice(whole)
        kind = chance.random()
        if kind < 0.1:
            del place[key]
        elif kind < 0.2 and isinstance(place, list):
            place.extend([place[key]] * 300)
        else:
            mark = "spoiled here"
            again = kind < 0.3 and isinstance(place, dict)
            place[f"{mark}, too" if again else key] = mark
            text = json.dumps(tree).replace(f'"{mark}"', chance.choice(VALUES)).replace(
                f"{mark}, too", str(key))
            return text.encode("latin-1")
        return json.dumps(tree).encode()
    return change


# Paths of alice's, what is behind them, and what asks for it: some words of POP3 or IMAP.
TARGETS = {
    r"alice.*/messages/delta": ("pop", "UIDL"),
    r"alice.*/messages/delta(?#)": ("imap", "SELECT INBOX", "NOOP"),
    r"alice.*/mailFolders/[^/]+/messages[?]": ("imap", "SELECT Later", "FETCH 1:* (FLAGS ENVELOPE)"),
    r"alice.*/mailFolders/delta": ("imap", 'LIST "" *', "STATUS Later (MESSAGES UNSEEN)"),
    r"alice.*/mailFolders/\w+[?]|alice.*/mailFolders$": ("imap", "CREATE Fresh", "DELETE Fresh"),
    r"\$batch": ("imap", 'LIST "" * RETURN (STATUS (MESSAGES UNSEEN))'),
    r"alice.*/messages/[^/]+$": ("imap", "SELECT INBOX", "STORE 1 +FLAGS (\\Flagged)",
                                "STORE 1 -FLAGS (\\Flagged)"),
    r"alice.*/(copy|move)$": ("imap", "SELECT INBOX", "COPY 1 Later", "MOVE 1 Later"),
    r"alice.*/messages$|createUploadSession|attachments": ("imap", "APPEND"),
}


def ask(pair, protocol, *words):
    """Says all of it; every command is answered in the protocol's syntax, or the session ends."""
    with contextlib.suppress(Closed, ConnectionError):
        if protocol == "pop":
            with pair.pop3() as client:
                client.ok("USER alice")
                if client.command(f"PASS {PASSWORD}").startswith("+OK"):
                    for word in words:
                        if client.command(word).startswith("+OK") and word == "UIDL":
                            client.body()
            return
        with pair.imap() as client:
            client.login()
            for word in words:
                if word == "APPEND":
                    client.command("APPEND INBOX ", Literal(MESSAGE))
                elif client.command(word).end.kind != "OK" and word.startswith("SELECT"):
                    break


def bob_is_served(pair):
    with pair.pop3() as client:
        client.login("bob")
        assert client.retr(1) == on_the_wire(MESSAGE)
        client.quit()


@test
def hostile_json():
    """Answers with any value in any place: a clear answer or none, and no harm to another mailbox"""
    chance = random.Random(int(os.environ.get("POSTERN_TEST_SEED", "4")))
    with BetweenPair(limits={**LIMITS, "request-timeout": "5s" if sanitized() else "1s"},
                     listeners=POP_AND_IMAP,
                     logins={"alice": {}, "bob": {"mailbox": f"'{BOB}'"}}, log_level="info",
                     sandbox=("--user", BOB)) as pair:
        # What was spoiled makes requests that no careful client would make.
        pair.expected_violations = ""
        pair.sandbox.control("POST", "/folders", {"user": "alice@example.com", "path": "Later"})
        pair.deliver(*[MESSAGE] * 5)
        pair.deliver(MESSAGE, folder="Later")
        pair.deliver(MESSAGE, user=BOB)
        bob_is_served(pair)
        for _ in range(ROUNDS):
            for path, question in TARGETS.items():
                pair.between.change = {path: spoiled(chance)}
                ask(pair, *question)
                pair.postern.check_running()
            pair.between.change = {}
            bob_is_served(pair)
        lines_are_ours(pair)


# -- the usage report ------------------------------------------------------------------------------

HEAD = "Report Refresh Date,User Principal Name,Is Deleted,Last Activity Date,POP3 App,IMAP4 App"
EVIL = "e\x1b[2J\u009b31m\u202e\r\nlogin \"\"x\"\" {"
REPORTS = ["", "\ufeff", ",", '"', "\0", HEAD, f"{HEAD}\n,,,,,", f"{HEAD}\n" + "," * 100_000,
           f'{HEAD}\n"{EVIL}","{EVIL}@example.com",No,"{EVIL}",Yes,Yes\n' * 3,
           f'{HEAD}\n2026-01-01,"=cmd|\'/C x\'!A0@example.com",No,2026-01-01,Yes,No\n',
           f"{HEAD}\nx,{'a' * 70_000}@example.com,No,x,Yes,Yes\n", "<html>", "[" * 100_000]


def discover(pair, *options):
    """What `postern discover` prints; it never dies of it, and nothing steers the terminal."""
    answer = subprocess.run([program("postern"), "discover", "-c", pair.postern.config, *options],
                            capture_output=True, timeout=tap.PATIENCE, check=False)
    told = answer.stdout + answer.stderr
    assert answer.returncode in (0, 69), (answer.returncode, told[-2000:])
    assert not re.search(b"\x1b|\x7f|\xc2[\x80-\x9f]|\xe2\x80\xae", told), told
    return told.decode(errors="replace")


@test
def report():
    """The usage report: its file may be anywhere by HTTPS, gets no token, and may hold anything"""
    with BetweenPair(limits=LIMITS) as pair, Trap(pair.between) as trap:
        def leads(link):
            pair.between.change = {"/reports/": lambda _: (302, [("Location", link)], b"")}

        leads(f"https://127.0.0.1:{trap.tls}/file.csv?sig=very-private")
        assert "very-private" not in discover(pair)
        assert trap.came and not any(b"Authorization" in said for said in trap.came), trap.came
        trap.came.clear()
        for link in (f"http://127.0.0.1:{trap.plain}/file.csv", "file:///etc/passwd", "/file.csv",
                     f"https://user:secret@127.0.0.1:{trap.tls}/file.csv", "",
                     f"gopher://127.0.0.1:{trap.plain}/_x"):
            leads(link)
            assert "root:" not in discover(pair)
            assert not trap.came, (link, trap.came)
        leads(f"{pair.between.url}/file.csv")
        for text in REPORTS:
            pair.between.change["/file.csv"] = lambda _, text=text: (
                200, [("Content-Type", "text/csv")], text.encode())
            for options in ((), ("--csv",), ("--json",), ("--print-logins",)):
                told = discover(pair, *options)
                assert not re.search(r'(?m)^login "x', told), (options, told)
                assert options != ("--csv",) or ",=" not in told, told
        lines_are_ours(pair)


class TwoTenants(BetweenPair):
    """bob is in a tenant of his own, whose name is spelled otherwise than the first one's."""

    def config_text(self):
        text = super().config_text()
        first = re.search(r'tenant "example" \{.*?\n\}\n', text, re.S).group()
        return text + first.replace('"example"', '"second"').replace(
            self.sandbox.tenant_id, "CONTOSO.onmicrosoft.com")


@test
def hostile_tokens():
    """Token answers with any value in any place: no harm to another tenant, and it heals"""
    chance = random.Random(int(os.environ.get("POSTERN_TEST_SEED", "4")))
    logins = {"alice": {}, "bob": {"tenant": "'second'", "mailbox": f"'{BOB}'"}}
    with TwoTenants(limits=LIMITS, logins=logins, sandbox=("--user", BOB)) as pair:
        pair.deliver(MESSAGE, user=BOB)
        bob_is_served(pair)
        for _ in range(2 * ROUNDS):
            pair.between.change = {f"/{pair.sandbox.tenant_id}/oauth2": spoiled(chance)}
            pair.sandbox.control("POST", "/expire-tokens")
            pair.reload()  # else a refusal is remembered
            ask(pair, "pop", "STAT")
            bob_is_served(pair)
        pair.between.change = {}
        pair.restart()  # a token that was taken for good may be forced anew once in a while only
        with pair.pop3() as client:
            client.login()
            client.quit()
        lines_are_ours(pair)


tap.main()
