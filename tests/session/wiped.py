#!/usr/bin/env python3
"""What stays in the memory of the process: no password after a login, right or wrong, and no
secret in more places than it is used from. Nor may it be dumped."""

import base64
import contextlib
import os
import re
import secrets
import shutil
import string
import subprocess

import tap
from harness import MAILBOX, Pair, mail, need, sanitized, trusting
from imapclient import Literal
from tap import Skip, test, wait_for

MARK_SIZE = 12
POP_AND_IMAP = {"pop": {"tls": "none"}, "imap": {"protocol": "imap", "tls": "none"}}
LISTENERS = {"pop": {"tls": "starttls"}, "pops": {"tls": "implicit"},
             "imap": {"protocol": "imap", "tls": "starttls"},
             "imaps": {"protocol": "imap", "tls": "implicit"}}


def mark():
    return "".join(secrets.choice(string.ascii_letters) for _ in range(MARK_SIZE))


def forms(secret):
    """What a secret looks like raw and inside base64, wherever it begins in a group of three."""
    yield secret.encode()
    for before in range(3):
        whole = base64.b64encode(b"x" * before + secret.encode() + b"xx")
        yield whole[-(-before * 8 // 6):(before + len(secret)) * 8 // 6]


class Marked:
    """Passwords that all begin and end in the same unlikely letters, so that one look finds what
    is left of any of them."""

    def __init__(self):
        self.ends = (mark(), mark())

    def password(self, name):
        return f"{self.ends[0]}.{name}.{self.ends[1]}"

    def forms(self):
        return [form for end in self.ends for form in forms(end)]


def memory(process):
    """(place, bytes) of each piece of memory that the process may write to."""
    try:
        with open(f"/proc/{process.pid}/maps", encoding="utf-8", errors="replace") as maps:
            places = re.findall(r"(?m)^(\w+)-(\w+) rw\S* \w+ \S+ \d+ *(.*)$", maps.read())
        with open(f"/proc/{process.pid}/mem", "rb", 0) as content:
            for begin, end, name in places:
                content.seek(int(begin, 16))
                with contextlib.suppress(OSError):  # a piece that is gone since, or guarded
                    yield name or "anonymous", content.read(int(end, 16) - int(begin, 16))
    except PermissionError:
        raise Skip("this user may not read the memory of a process that forbids it") from None


def found(process, needles):
    """Where the needles stand, with what is around them."""
    return [f"{name}: {data[max(at.start() - 40, 0):at.end() + 60]!r}"
            for name, data in memory(process) for needle in set(needles)
            for at in re.finditer(re.escape(needle), data)]


def readable():
    if sanitized():
        raise Skip("a sanitizer keeps what was freed")


def crypted(password):
    """crypt(3) of a password, by a program that is not ours."""
    answer = subprocess.run([need("openssl"), "passwd", "-6", "-stdin"], input=password, text=True,
                            capture_output=True, check=True)
    return answer.stdout.strip()


def b64(*words):
    return base64.b64encode("\0".join(words).encode()).decode()


# -- ways to give a password: (client, password) → was it taken? ----------------------------------

def pass_(client, word):
    client.ok("USER alice")
    return client.command(f"PASS {word}").startswith("+OK")


def pop_plain(client, word):
    return client.command(f"AUTH PLAIN {b64('', 'alice', word)}").startswith("+OK")


def pop_plain_asked(client, word):
    client.command("AUTH PLAIN")
    return client.command(b64("", "alice", word)).startswith("+OK")


def pop_login(client, word):
    client.command("AUTH LOGIN")
    client.command(b64("alice"))
    return client.command(b64(word)).startswith("+OK")


def pop_pieces(client, word):
    client.ok("USER alice")
    for piece in (f"PASS {word[:20]}", word[20:], "\r\n"):
        client.send(piece.encode())
    return client.line().startswith("+OK")


def pop_pipelined(client, word):
    client.send(f"USER alice\r\nPASS {word}\r\nNOOP\r\n".encode())
    client.line()
    taken = client.line().startswith("+OK")
    client.line()
    return taken


def imap_login(client, word):
    return client.command(f'LOGIN alice "{word}"').status == "OK"


def imap_literal(client, word):
    return client.command("LOGIN alice ", Literal(word.encode())).status == "OK"


def imap_literal_at_once(client, word):
    return client.command("LOGIN alice ", Literal(word.encode(), sync=False)).status == "OK"


def imap_plain(client, word):
    return client.command(f"AUTHENTICATE PLAIN {b64('', 'alice', word)}").status == "OK"


def imap_asked(client, mechanism, answers):
    command = client.begin(f"AUTHENTICATE {mechanism}")
    for answer in answers:
        assert client.continued(command)
        client.send(answer.encode() + b"\r\n")
    return client.finish(command).status == "OK"


def imap_plain_asked(client, word):
    return imap_asked(client, "PLAIN", [b64("", "alice", word)])


def imap_auth_login(client, word):
    return imap_asked(client, "LOGIN", [b64("alice"), b64(word)])


def imap_malformed(client, word):
    return client.command(f'LOGIN alice "{word}" surplus').status == "OK"


def imap_too_long(client, word):
    return client.command(f'LOGIN alice "{word}{"x" * 9000}"').status == "OK"


def pop_too_long(client, word):
    client.ok("USER alice")
    return client.command(f"PASS {word}{'x' * 600}").startswith("+OK")


POP_WAYS = (pass_, pop_plain, pop_plain_asked, pop_login, pop_pieces, pop_pipelined)
IMAP_WAYS = (imap_login, imap_literal, imap_literal_at_once, imap_plain, imap_plain_asked,
             imap_auth_login)
NEVER = (pop_too_long, imap_malformed, imap_too_long)


@test
def passwords():
    """No password is left after a login of any kind, in the clear or by TLS, right or wrong"""
    readable()
    marked = Marked()
    right = marked.password("right")
    with Pair(tls=True, listeners=LISTENERS, logins={"alice": {"password": f"'{crypted(right)}'"}},
              limits={"max-connections-per-login": "100"}) as pair, contextlib.ExitStack() as open_:
        pair.deliver(mail("plain"))
        tls = trusting(pair.certificate)

        def visit(listener, way, name, secured):
            """One login, whose connection stays open, as it does for hours."""
            client = open_.enter_context(
                (pair.imap if listener.startswith("imap") else pair.pop3)(
                    listener, tls=tls if listener.endswith("s") else None))
            if secured and not listener.endswith("s"):
                client.ok("STARTTLS" if listener == "imap" else "STLS")
                client.start_tls(tls)
            word = right if name == "right" else marked.password(name)
            assert way(client, word) == (name == "right" and way not in NEVER), way.__name__
            client.ok("NOOP" if listener.startswith("imap") else "CAPA")
            if not listener.startswith("imap"):
                client.body()
            return client

        clients = []
        for listener, secured in (("pop", False), ("pop", True), ("pops", True),
                                  ("imap", False), ("imap", True), ("imaps", True)):
            ways = IMAP_WAYS if listener.startswith("imap") else POP_WAYS
            for way in ways + tuple(w for w in NEVER if w.__name__[:4] == ways[-1].__name__[:4]):
                clients.append(visit(listener, way, "right", secured))
            # Few, since each earns its login a delay.
            clients.append(visit(listener, ways[0], f"wrong-{listener}-{secured}", secured))
        left = found(pair.postern.process, marked.forms())
        assert not left, "\n".join(["while the sessions are open:", *left])
        for client in clients:
            client.close()
        wait_for("the sessions end", lambda: len(
            re.findall("session ended", pair.postern.log())) >= len(clients))
        left = found(pair.postern.process, marked.forms())
        assert not left, "\n".join(["after the sessions:", *left])


@test
def tokens_of_clients():
    """A client's own token is gone with its session, right or wrong, by POP3 and by IMAP"""
    readable()
    with Pair(listeners=POP_AND_IMAP, tenant={"allow-client-tokens": "yes"}) as pair:
        pair.deliver(mail("plain"))
        good = pair.sandbox.access_token(scope="Mail.ReadWrite User.Read")
        bad = f"{mark()}.{mark()}.{mark()}"

        def bearer(token):
            return base64.b64encode(
                f"n,a={MAILBOX},\x01auth=Bearer {token}\x01\x01".encode()).decode()

        with pair.pop3() as pop, pair.imap() as imap:
            pop.send(f"AUTH OAUTHBEARER {bearer(bad)}\r\n\r\n".encode())
            assert pop.line().startswith("+ ") and pop.line().startswith("-ERR [AUTH]")
            pop.ok(f"AUTH OAUTHBEARER {bearer(good)}")
            pop.retr(1)
            imap.ok(f"AUTHENTICATE OAUTHBEARER {bearer(good)}")
            imap.select()
            needles = [form for token in (good, bad) for form in forms(token[-20:])]
            assert found(pair.postern.process, needles), "the search finds nothing"
            pop.quit()
            imap.logout()
        wait_for("the tokens are gone", lambda: not found(pair.postern.process, needles))


@test
def secrets_of_the_app():
    """The client secret of an app is left where it is used from, and nowhere else"""
    readable()
    with Pair(serve=False, sandbox=("--client-secret", f"{mark()}.~{mark()}")) as pair:
        file = pair.work / "secret"
        file.write_text(pair.sandbox.client_secret + "\n")
        file.chmod(0o600)
        pair.tenant = {"client-secret": None, "client-secret-file": f"'{file}'"}
        pair.postern.write(pair.config_text())
        pair.deliver(mail("plain"))
        pair.start()
        for _ in range(3):
            pair.sandbox.control("POST", "/expire-tokens")
            pair.serves({"plain": mail("plain")})
        copies = found(pair.postern.process, [pair.sandbox.client_secret.encode()])
        # In the settings, and in what makes token requests of them.
        assert 1 <= len(copies) <= 2, "\n".join(copies)


@test
def no_core():
    """The process leaves no core file, and no other process of its user may look into it"""
    with Pair(serve=False) as pair:
        if os.geteuid() == 0:
            # The kernel gives the files in /proc to root: to be seen with another user only.
            pair.process_options = {"under": [need("setpriv"), "--reuid=65534", "--clear-groups"]}
            anchors = pair.work / "ca.pem"
            shutil.copy(pair.sandbox.ca_file, anchors)
            pair.tenant = {"ca-file": f"'{anchors}'"}
            pair.postern.write(pair.config_text())
            for place in (pair.work, *pair.work.rglob("*")):
                os.chown(place, 65534, -1)
        try:
            pair.start()
        except AssertionError:
            if os.geteuid() == 0 and "ermission denied" in pair.postern.log():
                raise Skip("another user cannot run what was built here") from None
            raise
        proc = f"/proc/{pair.postern.process.pid}"
        with open(f"{proc}/limits", encoding="ascii") as limits:
            assert re.search(r"(?m)^Max core file size +0 +0 ", limits.read()), "a core file"
        if not sanitized():  # LeakSanitizer must be let in
            assert os.stat(f"{proc}/mem").st_uid == 0, "its user may read its memory"


tap.main()
