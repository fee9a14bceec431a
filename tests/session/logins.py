#!/usr/bin/env python3
"""Ways to sign in beside the password, by POP3 and by IMAP, with real clients where these know
them: tokens of the client's own, digests, certificates; the names that Exchange's clients write; the
policy of each login."""

import base64
import contextlib
import hashlib
import hmac
import imaplib
import poplib
import ssl
import subprocess

import tap
from harness import MAILBOX, PASSWORD, Pair, mail, make_certificate, need, on_the_wire
from tap import test

BOB = "bob@example.com"
SECRET = "a secret of an old scanner"
MESSAGE = mail("plain")
BOTH = {"pop": {"tls": "none"}, "imap": {"protocol": "imap", "tls": "none"}}
PROTOCOLS = ("pop3", "imap")
TOKENS = {"allow-client-tokens": "yes"}
TWO_USERS = ("--user", BOB)
# Debian 12's curl sends the first response only where it was told to.
CURL = ("--silent", "--show-error", "--sasl-ir", "--noproxy", "*")


def curl(pair, protocol, *arguments, tls="", path=None, fails=False, user=MAILBOX):
    """Fetches the first message; its bytes, or what went wrong."""
    port = pair.ports["pop" if protocol == "pop3" else "imap"]
    path = path or ("1" if protocol == "pop3" else "INBOX;MAILINDEX=1")
    done = subprocess.run([need("curl"), *CURL, "-u", user + ":", *arguments,
                           f"{protocol}{tls}://localhost:{port}/{path}"],
                          capture_output=True, check=False, timeout=tap.PATIENCE)
    if fails:
        assert done.returncode == 67, (done.returncode, done.stderr)  # CURLE_LOGIN_DENIED
        return done.stderr
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def xoauth2(user, token):
    return encoded(f"user={user}\x01auth=Bearer {token}\x01\x01")


def oauthbearer(user, token):
    name = f"a={user}" if user else ""
    return encoded(f"n,{name},\x01host=localhost\x01port=143\x01auth=Bearer {token}\x01\x01")


# -- tokens of the client's own ------------------------------------------------------------------

def mpop(pair, name, secret, how):
    """Fetches all there is; the messages, with the line ends that mpop gives them."""
    box = pair.work / how
    for part in ("cur", "new", "tmp"):
        (box / part).mkdir(parents=True)
    config, file = pair.work / "mpoprc", pair.work / "secret"
    file.write_text(secret + "\n")  # a line of the configuration is too short for a token
    config.write_text(
        f'account default\nhost 127.0.0.1\nport {pair.port}\nuser {name}\n'
        f'passwordeval "cat {file}"\n'
        f"tls off\nauth {how}\nkeep on\nreceived_header off\n"
        f"uidls_file {pair.work}/uidls-{how}\ndelivery maildir {box}\n")
    config.chmod(0o600)
    subprocess.run([need("mpop"), "-C", config, "--quiet"], check=True, timeout=tap.PATIENCE)
    return [path.read_bytes() for path in (box / "new").iterdir()]


@test
def tokens_by_programs():
    """Tokens of their own: curl's OAUTHBEARER, imaplib's XOAUTH2, mpop's both"""
    with Pair(listeners=BOTH, tenant=TOKENS, logins={"other": {}}) as pair:
        pair.deliver(MESSAGE)
        token = pair.sandbox.access_token(scope="Mail.ReadWrite User.Read")
        for protocol in PROTOCOLS:
            assert curl(pair, protocol, "--oauth2-bearer", token) == on_the_wire(MESSAGE), protocol
            curl(pair, protocol, "--oauth2-bearer", token[:-8] + "AAAAAAAA", fails=True)
        pair.log_has("login accepted: from 127.0.0.1 by OAUTHBEARER")
        client = imaplib.IMAP4("127.0.0.1", pair.ports["imap"], tap.PATIENCE)
        given = base64.b64decode(xoauth2(MAILBOX, token))
        client.authenticate("XOAUTH2", lambda _: given)
        assert client.select("INBOX")[1] == [b"1"]
        client.logout()
        client = imaplib.IMAP4("127.0.0.1", pair.ports["imap"], tap.PATIENCE)
        with contextlib.closing(client.socket()):  # the error inside the exchange is acknowledged
            answers = iter((given.replace(b"Bearer ", b"Bearer x"), b""))
            try:
                client.authenticate("XOAUTH2", lambda _: next(answers))
                raise AssertionError("taken")
            except imaplib.IMAP4.error as refused:
                assert "AUTHENTICATIONFAILED" in str(refused), refused
        for how in ("xoauth2", "oauthbearer"):
            assert mpop(pair, MAILBOX, token, how) == [MESSAGE.replace(b"\r\n", b"\n")], how
            pair.log_has(f"login accepted: from 127.0.0.1 by {how.upper()}")
        assert token not in pair.postern.log()


@test
def tokens_are_private():
    """What another credential fetched is not served to a token, nor one token's to another's owner"""
    with Pair(listeners=BOTH, tenant=TOKENS, sandbox=TWO_USERS) as pair:
        pair.deliver(MESSAGE)
        sandbox = pair.sandbox
        with pair.pop3() as client:  # the application's own, into the cache
            client.login()
            client.retr(1)
            client.quit()
        token = sandbox.access_token(scope="Mail.ReadWrite User.Read")
        sandbox.forget()
        with pair.pop3() as client:
            client.ok("AUTH XOAUTH2 " + xoauth2(MAILBOX, token))
            assert client.retr(1) == on_the_wire(MESSAGE)
            client.quit()
        assert len(sandbox.requests("/v1.0/me")) == 1
        assert len(sandbox.requests(r"/\$value")) == 1  # fetched anew, by right of the token
        sandbox.forget()
        with pair.pop3() as client:  # each session proves its token, and finds what was fetched
            client.ok("AUTH XOAUTH2 " + xoauth2(MAILBOX, token))
            client.retr(1)
            client.quit()
        assert len(sandbox.requests("/v1.0/me")) == 1 and not sandbox.requests(r"/\$value")
        with pair.pop3() as client:  # bob's is good, but not for alice's mailbox
            other = sandbox.access_token(BOB, scope="Mail.ReadWrite User.Read")
            client.send(f"AUTH XOAUTH2 {xoauth2(MAILBOX, other)}\r\n".encode())
            assert base64.b64decode(client.line()[2:]) == b'{"status":"401","schemes":"Bearer"}'
            assert client.command("").startswith("-ERR [AUTH]")
            client.ok("AUTH XOAUTH2 " + xoauth2(BOB, other))
            assert client.stat()[0] == 0
            client.quit()
        # One that is allowed less: refused, and the owner's other session keeps its own.
        weak = sandbox.access_token(scope="User.Read")
        with pair.imap() as client:
            client.ok(f"AUTHENTICATE XOAUTH2 {xoauth2(MAILBOX, token)}")
            client.select()
            with pair.pop3() as other_client:
                other_client.send(f"AUTH XOAUTH2 {xoauth2(MAILBOX, weak)}\r\n".encode())
                assert other_client.line().startswith("+ ")
                other_client.err("")
            client.ok("CREATE x")
        # One that Graph takes no more: refused, whatever is in the cache.
        sandbox.fault("/v1.0/me", status=401, count=1)
        with pair.pop3() as client:
            client.send(f"AUTH XOAUTH2 {xoauth2(MAILBOX, token)}\r\n".encode())
            assert client.line().startswith("+ ")
            client.err("")
        assert token not in pair.postern.log() and other not in pair.postern.log()


@test
def tokens_for_shared_mailboxes():
    """A token opens another's mailbox where Graph lets it, whichever way the name says so"""
    with Pair(listeners=BOTH, tenant=TOKENS, sandbox=TWO_USERS) as pair:
        pair.deliver(MESSAGE)
        pair.sandbox.settings(**{"shared-mailboxes": f"{BOB}={MAILBOX}"})
        shared = pair.sandbox.access_token(
            BOB, scope="Mail.ReadWrite Mail.ReadWrite.Shared User.Read")
        own = pair.sandbox.access_token(BOB, scope="Mail.ReadWrite User.Read")
        for name in (MAILBOX, f"{BOB}/{MAILBOX}"):
            with pair.imap() as client:
                client.ok(f"AUTHENTICATE XOAUTH2 {xoauth2(name, shared)}")
                assert client.select().exists == 1
            with pair.pop3() as client:
                client.send(f"AUTH XOAUTH2 {xoauth2(name, own)}\r\n".encode())
                client.line()
                client.err("*")
        with pair.pop3() as client:  # without a name: the owner's
            client.ok("AUTH OAUTHBEARER " + oauthbearer("", shared))
            assert client.stat()[0] == 0
            client.quit()


@test
def tokens_by_policy():
    """A login section of the token's name is its policy; no section, its listener's networks"""
    proxied = {"networks": '{ "192.0.2.0/24", "127.0.0.0/8" }', "proxy-protocol": '{ "127.0.0.1" }'}
    listeners = {**BOTH, "listed": {"tls": "implicit", **proxied},
                 "open": {"tls": "implicit", "proxy-protocol": '{ "127.0.0.1" }'}}
    logins = {MAILBOX: {"read-only": "yes", "password": None, "protocols": "{ imap }"},
              "alerts": {"password": None, "networks": '{ "192.0.2.0/24" }'}}
    with Pair(listeners=listeners, logins=logins, tenant=TOKENS, sandbox=TWO_USERS,
              tls=True) as pair:
        pair.deliver(MESSAGE)
        token = pair.sandbox.access_token(scope="Mail.ReadWrite User.Read")
        bobs = pair.sandbox.access_token(BOB, scope="Mail.ReadWrite User.Read")
        with pair.imap() as client:
            client.ok(f"AUTHENTICATE XOAUTH2 {xoauth2(MAILBOX, token)}")
            assert client.no("CREATE x").code_is("NOPERM")

        def attempt(listener, address, name, given):
            with proxied_pop3(pair, listener, address) as client:
                client.send(f"AUTH OAUTHBEARER {oauthbearer(name, given)}\r\n".encode())
                answer = client.line()
                if answer.startswith("+ "):
                    answer = client.command("AQ==")
                return answer[:3]

        with pair.pop3() as client:  # its section knows IMAP only
            client.send(f"AUTH XOAUTH2 {xoauth2(MAILBOX, token)}\r\n".encode())
            client.line()
            client.err("")
        assert attempt("listed", "192.0.2.7", BOB, bobs) == "+OK"
        assert attempt("open", "192.0.2.7", BOB, bobs) == "-ER"  # this machine only by default
        assert attempt("open", "192.0.2.7", "alerts", token) == "+OK"
        pair.log_has("name \"bob@example.com\", by OAUTHBEARER: the address is in none")


def proxied_pop3(pair, listener, address):
    """A connection by TLS behind a proxy that tells this address."""
    from pop3client import Pop3
    client = Pop3(pair.ports[listener], greet=False)
    client.send(f"PROXY TCP4 {address} 127.0.0.1 1234 995\r\n".encode())
    if pair.tls:
        client.start_tls(ssl.create_default_context(cafile=pair.certificate))
    assert client.line().startswith("+OK")
    return client


@test
def tokens_where_none_is_allowed():
    """Without allow-client-tokens: not announced, not known; a login of such a tenant neither"""
    with Pair(listeners=BOTH) as pair:
        token = pair.sandbox.access_token(scope="Mail.ReadWrite User.Read")
        with pair.pop3() as client:
            assert b"OAUTH" not in client.multi("CAPA")
            client.err("AUTH XOAUTH2 " + xoauth2(MAILBOX, token))
        with pair.imap() as client:
            assert not any(word.startswith("AUTH=") for word in client.capabilities())
            client.no(f"AUTHENTICATE OAUTHBEARER {oauthbearer(MAILBOX, token)}")


@test
def graph_is_away():
    """Graph cannot be asked about a token: try again later, and no wrong password"""
    with Pair(listeners=BOTH, tenant=TOKENS, limits={"request-timeout": "1s"}) as pair:
        token = pair.sandbox.access_token(scope="Mail.ReadWrite User.Read")
        pair.sandbox.fault("/v1.0/me", status=503)
        with pair.pop3() as client:
            assert client.err("AUTH XOAUTH2 " + xoauth2(MAILBOX, token)).startswith(
                "-ERR [SYS/TEMP]")
        with pair.imap() as client:
            reply = client.no(f"AUTHENTICATE XOAUTH2 {xoauth2(MAILBOX, token)}")
            assert reply.code_is("UNAVAILABLE")
        pair.sandbox.no_faults()


# -- digests -------------------------------------------------------------------------------------

DEVICE = {"scanner": {"password": None, "device-secret": f"'{SECRET}'"}, "alice": {}}


@test
def digests_by_python():
    """CRAM-MD5 of imaplib, APOP of poplib; the secret is no password, nor the other way round"""
    with Pair(listeners=BOTH, logins=DEVICE) as pair:
        pair.deliver(MESSAGE)
        client = imaplib.IMAP4("127.0.0.1", pair.ports["imap"], tap.PATIENCE)
        assert "AUTH=CRAM-MD5" in client.capabilities
        client.login_cram_md5("scanner", SECRET)
        assert client.select("INBOX")[1] == [b"1"]
        client.logout()
        client = poplib.POP3("127.0.0.1", pair.port, tap.PATIENCE)
        client.apop("scanner", SECRET)
        assert client.stat()[0] == 1
        client.quit()
        for name, secret in (("scanner", SECRET + "x"), ("alice", PASSWORD), ("nobody", SECRET)):
            client = poplib.POP3("127.0.0.1", pair.port, tap.PATIENCE)
            with contextlib.closing(client):
                try:
                    client.apop(name, secret)
                    raise AssertionError(name)
                except poplib.error_proto as refused:
                    assert refused.args[0] == b"-ERR [AUTH] login refused"
        with pair.pop3() as client:
            client.ok("USER scanner")
            client.err(f"PASS {SECRET}")
        assert SECRET not in pair.postern.log()


@test
def digests_by_programs():
    """CRAM-MD5 and APOP of curl and mpop"""
    with Pair(listeners=BOTH, logins=DEVICE) as pair:
        pair.deliver(MESSAGE)
        for protocol, how in (("pop3", "AUTH=CRAM-MD5"), ("pop3", "AUTH=+APOP"),
                              ("imap", "AUTH=CRAM-MD5")):
            got = curl(pair, protocol, "-u", f"scanner:{SECRET}", "--login-options", how)
            assert got == on_the_wire(MESSAGE), (protocol, how)
            curl(pair, protocol, "-u", f"scanner:{SECRET}x", "--login-options", how, fails=True)
        for how in ("cram-md5", "apop"):
            got = mpop(pair, "scanner", SECRET, how)
            assert got == [MESSAGE.replace(b"\r\n", b"\n")], how


@test
def no_digest_without_a_secret():
    """Where no login has a device-secret for this address: no timestamp, no CRAM-MD5"""
    logins = {"alice": {}, "far": {"device-secret": f"'{SECRET}'", "networks": '{ "192.0.2.1" }'},
              "imap": {"device-secret": f"'{SECRET}'", "protocols": "{ imap }"}}
    with Pair(listeners=BOTH, logins=logins) as pair:
        with pair.pop3() as client:
            assert "<" not in client.greeting
            assert b"CRAM-MD5" not in client.multi("CAPA")
            client.err("APOP far " + "0" * 32)
            client.err("AUTH CRAM-MD5")
        with pair.imap() as client:
            assert "AUTH=CRAM-MD5" in client.capabilities()


@test
def a_challenge_is_for_once():
    """CRAM-MD5: what answered one challenge answers no other; odd answers are refused in their way"""
    with Pair(listeners=BOTH, logins=DEVICE) as pair:
        def ask(client):
            client.send(b"AUTH CRAM-MD5\r\n")
            return base64.b64decode(client.line()[2:])

        with pair.pop3() as client:
            first = ask(client)
            digest = hmac.new(SECRET.encode(), first, hashlib.md5).hexdigest()
            assert client.command("*").startswith("-ERR authentication cancelled")
            assert ask(client) != first
            assert client.command(encoded(f"scanner {digest}")).startswith("-ERR [AUTH]")
            for odd, told in (("%", "not base64"), ("", "malformed"), (encoded("scanner"), "malformed"),
                              (encoded("scanner\0 " + digest), "malformed"),
                              ("QUJD" * 7000, "not base64")):
                ask(client)
                assert told in client.err(odd), odd[:20]
            client.send(b"AUTH CRAM-MD5\r\n")
            client.line()
            client.send(b"QU\0JD\r\n")
            assert "not base64" in client.line()
            client.ok("QUIT")


# -- certificates --------------------------------------------------------------------------------

def fingerprint(certificate):
    told = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-fingerprint",
                           "-sha256"], check=True, capture_output=True, text=True).stdout
    return told.strip().split("=")[1]


@test
def certificates():
    """EXTERNAL: a client's certificate names its login; by curl and by hand"""
    listeners = {name: {**settings, "tls": "implicit", "client-certificates": "yes"}
                 for name, settings in BOTH.items()}
    with Pair(listeners=listeners, tls=True, serve=False) as pair:
        files = {who: make_certificate(pair.work, who, stem=who) for who in ("one", "two", "none")}
        pair.logins = {"one": {"password": None,
                               "certificate-fingerprint": f"{{ '{fingerprint(files['one'][0])}' }}"}}
        two = fingerprint(files["two"][0]).replace(":", "").lower()
        for name in ("two", "twin"):
            pair.logins[name] = {"password": None, "certificate-fingerprint": f"{{ '{two}' }}"}
        pair.postern.write(pair.config_text())
        pair.deliver(MESSAGE)
        pair.start()

        def context(who):
            tls = ssl.create_default_context(cafile=pair.certificate)
            if who:
                tls.load_cert_chain(*files[who])
            return tls

        for who, name, expected in (("one", "", "+OK"), ("one", "one", "+OK"), ("two", "two", "+OK"),
                                    ("two", "twin", "+OK"), ("two", "", "-ERR [AUTH]"),
                                    ("one", "two", "-ERR [AUTH]"), ("none", "", "-ERR [AUTH]"),
                                    ("none", "one", "-ERR [AUTH]")):
            with pair.pop3(tls=context(who)) as client:
                assert b"EXTERNAL" in client.multi("CAPA")
                answer = client.command("AUTH EXTERNAL " + (encoded(name) or "="))
                assert answer.startswith(expected), (who, name, answer)
        with pair.imap(tls=context("one")) as client:
            assert "AUTH=EXTERNAL" in client.capabilities()
            client.ok("AUTHENTICATE EXTERNAL =")
            assert client.select().exists == 1
        with pair.imap(tls=context(None)) as client:
            assert "AUTH=EXTERNAL" not in client.capabilities()
            client.no("AUTHENTICATE EXTERNAL =")
        certificate, key = files["one"]
        for protocol in PROTOCOLS:
            got = curl(pair, protocol, "-u", "one:", "--cacert", pair.certificate, "--cert",
                       certificate, "--key", key, "--login-options", "AUTH=EXTERNAL", tls="s")
            assert got == on_the_wire(MESSAGE), protocol


# -- names, and what a login may -----------------------------------------------------------------

@test
def other_mailboxes():
    """user@dom/shared@dom and its like open the login's other mailboxes, and no others"""
    logins = {"alice": {"mailboxes": f'{{ "{BOB}" }}'}, "alice@example.com": {}}
    with Pair(listeners=BOTH, logins=logins, sandbox=TWO_USERS) as pair:
        pair.deliver(MESSAGE)
        pair.deliver(MESSAGE, MESSAGE, user=BOB)
        for name, count in (("alice", 1), ("alice/bob@example.com", 2), ("alice\\BOB@example.com", 2),
                            ("EXAMPLE\\alice\\bob", 2), ("alice/alice@example.com", 1)):
            with pair.pop3() as client:
                client.login(name)
                assert client.stat()[0] == count, name
                client.quit()
            with pair.imap() as client:
                quoted = name.replace("\\", "\\\\")
                client.ok(f'LOGIN "{quoted}" "{PASSWORD}"')
                assert client.select().exists == count, name
        for name in ("alice/carol@example.com", f"alice@example.com/{BOB}", f"bob/{BOB}", BOB):
            with pair.pop3() as client:
                client.ok(f"USER {name}")
                assert client.err(f"PASS {PASSWORD}") == "-ERR [AUTH] login refused", name
        pair.log_has("login=alice mailbox=bob@example.com: login accepted")


@test
def policy():
    """What a login may: protocols, networks, read-only, folder, expunge, sessions; over both"""
    logins = {"pop": {"protocols": "{ pop3 }"}, "imap": {"protocols": "{ imap }"},
              "far": {"networks": '{ "192.0.2.0/24" }'}, "reader": {"read-only": "yes"},
              "sent": {"folder": '"Sent Items"', "expunge": "recoverable"},
              "few": {"max-connections": "1"}}
    with Pair(listeners=BOTH, logins=logins) as pair:
        pair.deliver(MESSAGE)
        pair.deliver(MESSAGE, MESSAGE, folder="sentitems")

        def pop3_login(name):
            client = pair.pop3()
            client.ok(f"USER {name}")
            return client, client.command(f"PASS {PASSWORD}")

        for name, pop, imap in (("pop", True, False), ("imap", False, True), ("far", False, False),
                                ("reader", True, True)):
            client, answer = pop3_login(name)
            with client:
                assert answer.startswith("+OK" if pop else "-ERR [AUTH] login refused"), answer
            with pair.imap() as client:
                (client.ok if imap else client.no)(f'LOGIN {name} "{PASSWORD}"')
        client, _ = pop3_login("reader")
        with client:
            assert client.err("DELE 1").startswith("-ERR [SYS/PERM]")
        client, _ = pop3_login("sent")
        with client:
            assert client.stat()[0] == 2
            client.ok("DELE 1")
            client.quit()
        with pair.imap() as client:
            client.login("sent")
            assert client.select("Sent Items").exists == 1
            client.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
            client.ok("EXPUNGE")
        assert not pair.sandbox.inside("Sent Items") and not pair.sandbox.inside("Deleted Items")
        first, answer = pop3_login("few")
        with first:
            assert answer.startswith("+OK")
            client, answer = pop3_login("few")
            with client:
                assert answer.startswith("-ERR [SYS/TEMP]"), answer
            with pair.imap() as client:
                assert client.no(f'LOGIN few "{PASSWORD}"').code_is("UNAVAILABLE")


tap.main(at_once=3)
