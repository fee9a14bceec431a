#!/usr/bin/env python3
"""postern doctor: each kind of breakage has its line, with what to do; nothing secret is shown."""

import contextlib
import email.utils
import http.server
import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import tap
from harness import MAILBOX, Pair, mail, make_certificate, program, sanitizer_environment
from tap import PATIENCE, test
from tlsserver import TlsServer

PROXY_SECRET = "hunter2secret"
# Permissions by RBAC for Applications: no trace of them in the token.
LIMITED = {"app-scope": "rbac", "app-mailboxes": MAILBOX}
# All waits of doctor together, with everything that can hang hanging.
BOUND = 60


def doctor(pair, *arguments, status=0, environment=None):
    """Its steps, {"subject", "step", "state", "found", "fix"} each; lines and JSON agree."""
    command = [program("postern"), "doctor", "-c", pair.postern.config]
    done = subprocess.run([*command, "--json", *arguments], capture_output=True, text=True,
                          timeout=max(PATIENCE, 2 * BOUND), check=False,
                          env={**sanitizer_environment(), **(environment or {})})
    assert done.returncode == status and not done.stderr, (done.returncode, done.stdout,
                                                           done.stderr)
    for secret in (pair.sandbox.client_secret, PROXY_SECRET, "eyJ", "Bearer"):
        assert secret not in done.stdout + done.stderr, secret
    answer = json.loads(done.stdout)
    assert answer["fail"] == sum(s["state"] == "fail" for s in answer["steps"])
    assert (answer["fail"] == 0) == (status == 0), answer
    return answer["steps"]


def step(steps, name, subject=None):
    """The steps of this name, in order."""
    return [s for s in steps if s["step"] == name and subject in (None, s["subject"])]


def the(steps, name, state, *words, subject=None):
    """There is a step of this name and state whose line has these words."""
    for one in step(steps, name, subject):
        line = f'{one["found"]} -> {one.get("fix", "")}'
        if one["state"] == state and all(word in line for word in words):
            return one
    raise AssertionError(f"no {state} {name} with {words}: {json.dumps(steps, indent=1)}")


def fails(steps, name, *words):
    """The same, and no other step fails."""
    the(steps, name, "fail", *words)
    others = [s for s in steps if s["state"] == "fail" and s["step"] != name]
    assert not others, others


def reserve(port=0):
    """A socket that keeps a port from everybody but who sets SO_REUSEADDR, and does not listen."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("0.0.0.0", port))
    return holder


def port_of(holder):
    return holder.getsockname()[1]


@contextlib.contextmanager
def configured(**settings):
    """A configuration that nobody serves, with ports that nobody else takes."""
    with Pair(serve=False, **settings) as pair, contextlib.ExitStack() as held:
        pair.ports = {name: port_of(held.enter_context(reserve())) for name in pair.listeners}
        pair.postern.write(pair.config_text())
        yield pair


@contextlib.contextmanager
def stopped(pair):
    """serve has ended, and nobody else takes its ports."""
    pair.stop()
    with contextlib.ExitStack() as held:
        for port in pair.ports.values():
            held.enter_context(reserve(port))
        yield


class Clock:
    """A sign-in server whose clock is off by so many seconds, and which gives no token."""

    def __init__(self, work, seconds):
        self.certificate, key = make_certificate(work, stem=f"clock{seconds}")

        class Handler(http.server.BaseHTTPRequestHandler):
            """404 to all."""

            def refuse(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = refuse

            def date_time_string(self, timestamp=None):
                return email.utils.formatdate(time.time() + seconds, usegmt=True)

            def log_message(self, *_):
                """Nobody reads it."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def trust_also(pair, certificate):
    """A ca-file of the sandbox's anchor and this one."""
    both = pair.work / "both.pem"
    both.write_bytes(Path(pair.sandbox.ca_file).read_bytes() + Path(certificate).read_bytes())
    return f"'{both}'"


def rewrite(pair, **tenant):
    """The configuration with these settings of the tenant."""
    pair.tenant |= {name.replace("_", "-"): value for name, value in tenant.items()}
    pair.postern.write(pair.config_text())


# -- nothing is wrong ------------------------------------------------------------------------------


@test
def all_is_well():
    """Every step in order, to a fetched message; few requests; the mailbox looks as before"""
    with Pair(logins={"alice": {}, "reader": {"read-only": "yes"}}, log_level="info") as pair:
        pair.sandbox.settings(**LIMITED)
        pair.deliver(mail("plain"))
        pair.settled()
        pair.sandbox.forget()
        steps = doctor(pair)
        assert [(s["subject"], s["step"]) for s in steps] == [
            ("", "config"), ("", "state-dir"), ("", "disk"), ("", "serve"),
            ('listener "pop"', "address"),
            *[('tenant "example"', name) for name in ("dns", "connection", "clock", "dns",
                                                      "connection", "credential")],
            *[('login "alice"', name) for name in ("needs", "token", "mailbox", "fetch", "write")],
            *[('login "reader"', name) for name in ("needs", "mailbox")]], steps
        the(steps, "mailbox", "ok", 'as for login "alice" above', subject='login "reader"')
        # How full the disk is here is not the test's affair.
        assert all(s["state"] in ("ok", "note") for s in steps if s["step"] != "disk"), steps
        the(steps, "needs", "note", "application permission Mail.ReadWrite", subject='login "alice"')
        the(steps, "needs", "note", "application permission Mail.Read on", subject='login "reader"')
        requests = pair.sandbox.requests()
        assert len(requests) == 4, requests
        assert [r["method"] for r in requests].count("PATCH") == 1, requests


@test
def lines():
    """Without --json: a line a step, the sum at the end"""
    with configured() as pair:
        done = subprocess.run([program("postern"), "doctor", "-c", pair.postern.config],
                              capture_output=True, text=True, timeout=PATIENCE, check=True,
                              env=sanitizer_environment())
        printed = done.stdout.splitlines()
        assert not done.stderr, done.stderr
        assert all(line.split()[0] in ("ok", "note", "warn", "skip") for line in printed[:-1]), printed
        assert printed[-1] == "0 failed, 2 to be mended, 0 not tried", printed
        assert any(line.startswith('ok    login "alice": mailbox: ') for line in printed), printed


@test
def beside_serve_and_alone():
    """Beside a running serve it connects to the listeners, without one it says so and tries them"""
    with Pair(listeners={"pop": {"tls": "none"}, "imap": {"protocol": "imap"}}) as pair:
        steps = doctor(pair)
        assert [s["found"].endswith(" answers") for s in step(steps, "address")] == [True, True]
        with stopped(pair):
            steps = doctor(pair)
        the(steps, "serve", "warn", "does not run", "systemctl start")
        assert [s["found"].endswith(" is free") for s in step(steps, "address")] == [True, True]


@test
def some_logins():
    """Logins named: only theirs; an unknown name is a mistake"""
    with configured(logins={"alice": {}, "bob": {"mailbox": "'nobody@example.com'"}}) as pair:
        steps = doctor(pair, "alice")
        assert not [s for s in steps if "bob" in s["subject"]], steps
        the(doctor(pair, "carol", status=64), "logins", "fail", 'no login "carol"')


@test
def no_write():
    """--no-write: nothing is written, and that is said"""
    with configured() as pair:
        the(doctor(pair, "--no-write"), "write", "skip", "not tried")
        assert not pair.sandbox.requests(method="PATCH|POST|DELETE|PUT")


# -- this machine ----------------------------------------------------------------------------------


@test
def config_faults():
    """Faults of the configuration, each with its line, and nothing further"""
    with configured() as pair:
        pair.postern.write(pair.config_text() + "login \"x\" { mailbx = 'y@example.com' }\n")
        steps = doctor(pair, status=78)
        the(steps, "config", "fail", "postern.conf:", "mailbx")
        assert {s["step"] for s in steps} == {"config"}


@test
def state_directory():
    """A state directory that is open to others, none, or a file"""
    with configured() as pair:
        state = pair.work / "state"
        state.mkdir()
        state.chmod(0o755)
        the(doctor(pair), "state-dir", "warn", "open to others", "chmod 700")
        shutil.rmtree(state)
        the(doctor(pair), "state-dir", "note", "not there yet")
        state.write_text("")
        the(doctor(pair, status=69), "state-dir", "fail", "no directory", "of its own")
        state.unlink()


@test
def address_taken():
    """An address that another program has, and one that this machine has not"""
    with configured() as pair, reserve(pair.port) as other:
        other.listen()
        fails(doctor(pair, status=69), "address", "cannot be taken", "ss -ltnp")
        pair.listeners["pop"]["address"] = "'192.0.2.77:1110'"
        pair.listeners["pop"]["allow-plaintext"] = "yes"
        rewrite(pair)
        fails(doctor(pair, status=69), "address", "no such address")


@test
def listener_gone():
    """serve runs, but not where the configuration says now"""
    with Pair() as pair, reserve() as silent:
        pair.ports["pop"] = port_of(silent)
        rewrite(pair)
        fails(doctor(pair, status=69), "address", "does not answer", "reload")


@test
def weakened():
    """What the configuration gives away is said, here and by check"""
    with configured() as pair, reserve() as first, reserve() as second:
        pair.ports |= {"open": port_of(first), "old": port_of(second)}
        pair.listeners["open"] = {"address": f"'0.0.0.0:{port_of(first)}'",
                                  "allow-plaintext": "yes"}
        pair.listeners["old"] = {"tls": "starttls", "legacy-tls": "yes", "min-version": '"1.0"',
                                 "networks": "{ 127.0.0.0/8 }"}
        pair.tls, (pair.certificate, pair.key) = True, make_certificate(pair.work, days=300)
        pair.logins["alice"]["device-secret"] = "'not shown anywhere'"
        pair.postern.write(pair.config_text())
        steps = doctor(pair, status=69)
        the(steps, "weakened", "warn", 'listener "open"', "in the clear")
        the(steps, "weakened", "warn", 'listener "old"', "TLS 1.0 and 1.1", "127.0.0.0/8")
        the(steps, "weakened", "warn", 'login "alice"', "CRAM-MD5", "APOP")
        fails(steps, "certificate", "none of the certificates is RSA", "add an RSA certificate")
        assert "not shown" not in json.dumps(steps)
        make_certificate(pair.work, days=300, rsa=True)
        assert not [s for s in doctor(pair) if s["step"] == "certificate" and s["state"] == "fail"]
        check = subprocess.run([program("postern"), "check", "-c", pair.postern.config],
                               capture_output=True, text=True, timeout=PATIENCE, check=True,
                               env=sanitizer_environment())
        assert 'warning: listener "open" takes passwords' in check.stderr, check.stderr


@test
def listener_certificates():
    """Certificates for clients: soon over, over, without names"""
    with configured(tls=True, listeners={"pops": {"tls": "implicit"}}) as pair:
        the(doctor(pair), "certificate", "warn", "expires in", "renew it")
        make_certificate(pair.work, days=400)
        the(doctor(pair), "certificate", "ok", "good until")
        the(doctor(pair), "certificate", "note", "localhost")
        with TlsServer("expired") as server:
            directory = Path(server.directory.name)
            for end in ("pem", "key"):
                shutil.copy(directory / f"leaf.{end}", pair.work / f"tls.{end}")
            steps = doctor(pair, status=69)
        fails(steps, "certificate", "expired on 2020-02-01", "renew it")
        the(steps, "certificate", "warn", "no intermediate certificates", "between")


@test
def proxy_password():
    """The proxy in force is named, its password is not"""
    with configured() as pair:
        steps = doctor(pair, status=69, environment={
            "https_proxy": f"http://me:{PROXY_SECRET}@127.0.0.1:1/", "no_proxy": "", "NO_PROXY": ""})
        the(steps, "proxy", "note", "https_proxy=http://me:***@127.0.0.1:1/")
        the(steps, "connection", "fail", "proxy")
        the(steps, "mailbox", "skip", "see the tenant above")


# -- the way ---------------------------------------------------------------------------------------


@test
def no_name():
    """A host that DNS does not know"""
    with configured() as pair:
        rewrite(pair, graph_url="'https://graph.postern.invalid'")
        steps = doctor(pair, status=69)
        fails(steps, "dns", "graph.postern.invalid", "resolv.conf")
        the(steps, "mailbox", "skip")


@test
def nobody_there():
    """A port that refuses, and a server that says nothing at all: an end within bounds"""
    with configured() as pair, reserve() as silent:
        hole = f"'https://127.0.0.1:{port_of(silent)}'"
        rewrite(pair, login_url=hole)
        fails(doctor(pair, status=69), "connection", "check the network")
        silent.listen()
        rewrite(pair, login_url=hole, graph_url=hole)
        begin = time.monotonic()
        fails(doctor(pair, status=69), "connection", "check the network")
        assert time.monotonic() - begin < BOUND


@test
def inspected():
    """A certificate from an authority that nobody named: ca-file"""
    with configured(tenant={"ca-file": None}) as pair:
        steps = doctor(pair, status=69)
        fails(steps, "connection", "Postern sandbox authority", "a proxy inspects TLS", "ca-file")
        the(steps, "mailbox", "skip")


@test
def bad_servers():
    """Certificates that prove nothing, TLS 1.1, no TLS: each fails the connection"""
    for kind in ("expired", "wrong-host", "self-signed", "missing-intermediate", "tls-1.1",
                 "plaintext"):
        with configured() as pair, TlsServer(kind) as server:
            rewrite(pair, login_url=f"'{server.url}'", ca_file=trust_also(pair, server.anchor))
            fails(doctor(pair, status=69), "connection", f"127.0.0.1:{server.port}")
            assert not server.requests, (kind, server.requests)


@test
def wrong_clock():
    """A clock that is off: a fault where it is signed, else a warning"""
    with configured() as pair:
        for seconds, words in ((-3600, "ahead of"), (3600, "behind")):
            with Clock(pair.work, seconds) as clock:
                rewrite(pair, login_url=f"'{clock.url}'",
                        ca_file=trust_also(pair, clock.certificate))
                the(doctor(pair, status=69), "clock", "warn", words, "NTP")
        certificate, key = make_certificate(pair.work, "app", stem="app", rsa=True, days=100)
        with Clock(pair.work, 600) as clock:
            rewrite(pair, login_url=f"'{clock.url}'", ca_file=trust_also(pair, clock.certificate),
                    client_secret=None, certificate=f"'{certificate}'", private_key=f"'{key}'")
            the(doctor(pair, status=69), "clock", "fail", "behind", "refuses what it signs", "NTP")


# -- signing in ------------------------------------------------------------------------------------


@test
def secrets():
    """A wrong secret, an expired one: Entra ID's number and what to do"""
    with configured() as pair:
        rewrite(pair, client_secret="'not the secret'")
        steps = doctor(pair, status=69)
        fails(steps, "token", "AADSTS7000215", "the client secret is wrong")
        pair.sandbox.fault("token", status=401, body=json.dumps({
            "error": "invalid_client", "error_codes": [7000222],
            "error_description": "AADSTS7000222: The provided client secret keys are expired."}))
        rewrite(pair, client_secret=f"'{pair.sandbox.client_secret}'")
        fails(doctor(pair, status=69), "token", "the client secret has expired: make a new one")
        pair.sandbox.no_faults()


@test
def serve_without_token():
    """A running serve that has no token is believed, and the present state is told beside it"""
    with Pair() as pair:
        pair.sandbox.fault("token", status=401, body=json.dumps({
            "error": "invalid_client", "error_codes": [7000222],
            "error_description": "AADSTS7000222: The provided client secret keys are expired."}))
        pair.restart()
        pair.log_has("AADSTS7000222")
        pair.sandbox.no_faults()
        steps = doctor(pair)
        the(steps, "serve", "warn", "has no token of the application itself", "AADSTS7000222", "reload")
        the(steps, "token", "ok", "of the application itself")


@test
def reaches_all_mailboxes():
    """A permission on the whole tenant's mail, which the token does name, is too much"""
    with configured() as pair:
        the(doctor(pair), "scope", "warn", "whole tenant", "--powershell")
        pair.sandbox.settings(**LIMITED)
        steps = doctor(pair)
        assert not step(steps, "scope"), steps
        the(steps, "token", "ok", "names no permissions")


@test
def workload_token():
    """The token file of a workload is named, with its age"""
    with configured() as pair:
        path = pair.work / "token"
        path.write_text("a.b.c")
        rewrite(pair, client_secret=None, flow="workload-identity",
                federated_token_file=f"'{path}'")
        steps = doctor(pair, status=69)
        the(steps, "credential", "note", str(path), "minutes old")
        the(steps, "token", "fail")


@test
def credential_certificate():
    """The certificate that signs in: soon over, over"""
    with tempfile.TemporaryDirectory(prefix="postern-app-") as name:
        certificate, key = make_certificate(Path(name), "postern", stem="app", rsa=True, days=20)
        tenant = {"client-secret": None, "certificate": f"'{certificate}'",
                  "private-key": f"'{key}'"}
        with configured(tenant=tenant, sandbox=("--client-certificate", certificate)) as pair:
            steps = doctor(pair)
            the(steps, "credential", "warn", "expires in", "upload it to the app registration")
            the(steps, "token", "ok")
            with TlsServer("expired") as server:
                old = Path(server.directory.name)
                rewrite(pair, certificate=f"'{old}/leaf.pem'", private_key=f"'{old}/leaf.key'")
                the(doctor(pair, status=69), "credential", "fail", "expired on", "make a new one")


@test
def needs_login():
    """A person who has not signed in: postern login, once for all logins of that person"""
    tenant = {"client-secret": None, "flow": "device-code"}
    logins = {"a": {}, "b": {"mailbox": "'shared@example.com'", "account": f"'{MAILBOX}'"}}
    with configured(tenant=tenant, logins=logins) as pair:
        steps = doctor(pair, status=69)
        fails(steps, "token", MAILBOX, "postern login")
        assert len(step(steps, "token")) == 1, steps
        the(steps, "mailbox", "skip", "no token of", subject='login "b"')
        the(steps, "needs", "note", "delegated permission Mail.ReadWrite on", subject='login "a"')
        the(steps, "needs", "note", "Mail.ReadWrite.Shared", subject='login "b"')


@test
def persons():
    """A person who has signed in: own and shared mailboxes, and what each lacks; the end of it"""
    tenant = {"client-secret": None, "flow": "device-code"}
    shared = {"mailbox": "'shared@example.com'", "account": f"'{MAILBOX}'"}
    with configured(tenant=tenant, logins={"own": {}, "shared": shared},
                    sandbox=("--user", "shared@example.com", "--set", "device-interval=0")) as pair:
        login = subprocess.Popen([program("postern"), "login", "-c", pair.postern.config, MAILBOX],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 env=sanitizer_environment())
        pair.sandbox.device()
        assert login.wait(PATIENCE) == 0
        steps = doctor(pair, status=69)
        the(steps, "token", "ok", f"of {MAILBOX}", "it names", "Mail.ReadWrite")
        the(steps, "write", "ok", subject='login "own"')
        fails(steps, "mailbox", "shared@example.com", "Mail.ReadWrite.Shared", "Full Access")
        pair.sandbox.settings(**{"shared-mailboxes": f"{MAILBOX}=shared@example.com"})
        the(doctor(pair), "write", "ok", subject='login "shared"')
        rewrite(pair, scope="'Mail.Read'")
        steps = doctor(pair)
        the(steps, "scope", "warn", "needs Mail.ReadWrite,", "postern login again")
        the(steps, "scope", "note", "no login needs Mail.Read of")
        pair.sandbox.control("POST", "/revoke", {"user": MAILBOX})
        fails(doctor(pair, status=69), "token", MAILBOX, "must sign in", "postern login")


# -- the mailbox -----------------------------------------------------------------------------------


@test
def outside_scope():
    """A mailbox outside the scope of the application: said, with the way to the commands"""
    logins = {"alice": {}, "bob": {"mailbox": "'bob@example.com'"}}
    with configured(logins=logins, sandbox=("--user", "bob@example.com")) as pair:
        pair.sandbox.settings(**{"app-mailboxes": MAILBOX})
        for scope in ("rbac", "policy"):
            pair.sandbox.settings(**{"app-scope": scope})
            steps = doctor(pair, status=69)
            the(steps, "mailbox", "ok", subject='login "alice"')
            the(steps, "mailbox", "fail", "bob@example.com", "403 ErrorAccessDenied",
                "Mail.ReadWrite for this mailbox", "--powershell", subject='login "bob"')


@test
def read_only_permission():
    """Mail.Read alone: enough for read-only logins, told for the others"""
    with configured(logins={"alice": {}, "reader": {"read-only": "yes"}}) as pair:
        pair.deliver(mail("plain"))
        pair.sandbox.settings(**{"app-roles": "Mail.Read"})
        steps = doctor(pair, status=69)
        fails(steps, "write", "denies changes", "Mail.ReadWrite", "read-only = yes")
        the(steps, "fetch", "ok", subject='login "reader"')
        assert not step(steps, "write", 'login "reader"'), steps
        pair.sandbox.settings(**{"app-roles": "Mail.ReadBasic.All"})
        the(doctor(pair, "reader", status=69), "fetch", "fail", "403", "Mail.Read")


@test
def no_mailbox():
    """A mailbox that is not there"""
    with configured(logins={"x": {"mailbox": "'nobody@example.com'"}}) as pair:
        fails(doctor(pair, status=69), "mailbox", "nobody@example.com", "check the login's mailbox")


@test
def pop3_folder():
    """The folder that POP3 serves is there, or missed"""
    logins = {"sent": {"folder": "'Sent Items'"}, "deep": {"folder": "'INBOX/None/Such'"},
              "imap": {"folder": "'INBOX/None'", "protocols": "{ imap }"}}
    with configured(logins=logins, listeners={"pop": {}, "imap": {"protocol": "imap"}}) as pair:
        steps = doctor(pair, status=69)
        the(steps, "folder", "ok", "Sent Items", subject='login "sent"')
        fails(steps, "folder", "INBOX/None/Such", "correct 'folder'")
        assert not step(steps, "folder", 'login "imap"')


@test
def throttled_and_failing():
    """Graph that only throttles or fails: an end within bounds, and the reason"""
    for status, more, words in ((429, {"retry_after": "1"}, "throttle"),
                                (429, {"retry_after": "3600"}, "throttle"),
                                (500, {}, "passing fault")):
        with configured() as pair:
            pair.sandbox.fault("/mailFolders", status=status, **more)
            begin = time.monotonic()
            fails(doctor(pair, status=69), "mailbox", words)
            assert time.monotonic() - begin < BOUND


@test
def damaged():
    """A message that cannot be fetched, an answer that is none"""
    with configured() as pair:
        pair.deliver(mail("plain"))
        pair.sandbox.fault(r"\$value", body="<html>", content_type="text/html", status=200)
        fails(doctor(pair, status=69), "fetch", "error page")
        pair.sandbox.no_faults()
        pair.sandbox.fault(r"/mailFolders/inbox(\?|$)", body="{}", status=200,
                           content_type="application/json")
        the(doctor(pair, status=69), "mailbox", "fail")


# -- PowerShell ------------------------------------------------------------------------------------


def powershell(pair):
    """What --powershell prints, twice the same."""
    command = [program("postern"), "doctor", "--powershell", "-c", pair.postern.config]
    texts = [subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True,
                            env=sanitizer_environment()).stdout for _ in range(2)]
    assert texts[0] == texts[1]
    assert pair.sandbox.client_secret not in texts[0]
    assert not pair.sandbox.requests() and not pair.sandbox.tokens()
    return texts[0]


@test
def script_of_an_application():
    """RBAC for Applications: exactly these mailboxes, written and read apart, names quoted"""
    logins = {"a": {"mailbox": "\"o'brien@example.com\""},
              "b": {"mailbox": "'reader@example.com'", "read-only": "yes"},
              "c": {"mailbox": "\"O'Brien@example.com\"", "read-only": "yes"},
              "d": {"mailbox": "'x’; Remove-Mailbox @example.com'", "mailboxes":
                    "{ 'second@example.com' }"}}
    with configured(logins=logins) as pair:
        text = powershell(pair)
        writes, reads = text.split("# Application Mail.Read:")
        assert "# Application Mail.ReadWrite: 3 mailboxes" in writes, text
        assert "    'o''brien@example.com'\n" in writes, text
        assert "    'x’’; Remove-Mailbox @example.com'\n" in writes, text
        assert "    'second@example.com'\n" in writes, text
        assert "    'reader@example.com'\n" in reads and "rien@" not in reads, text
        for command in ("New-ServicePrincipal -AppId", "New-ManagementScope -Name",
                        "-RecipientRestrictionFilter", "-Role 'Application Mail.ReadWrite'",
                        "-CustomResourceScope", "Test-ServicePrincipalAuthorization",
                        "Remove-MgServicePrincipalAppRoleAssignment", pair.sandbox.client_id):
            assert command in text, command
        assert "-Role 'Application Mail.Read' " in reads


@test
def script_of_many_mailboxes():
    """Fifty stand in the filter, more in a group"""
    def logins(count):
        return {f"l{i}": {"mailbox": f"'m{i}@example.com'"} for i in range(count)}
    for count, grouped in ((50, False), (51, True)):
        with configured(logins=logins(count)) as pair:
            text = powershell(pair)
            assert ("MemberOfGroup -eq" in text) == grouped, text
            assert text.count("@example.com'") == count


@test
def script_of_a_national_cloud():
    """The modules are told the cloud"""
    with configured(tenant={"cloud": "usgov", "graph-url": None, "login-url": None}) as pair:
        text = powershell(pair)
        assert "-ExchangeEnvironmentName O365USGovGCCHigh" in text and "-Environment USGov" in text


@test
def script_of_persons():
    """Sign-ins of persons: delegated permissions, consent, rights on shared mailboxes"""
    tenant = {"client-secret": None, "flow": "device-code"}
    logins = {"a": {}, "b": {"mailbox": "\"o'brien@example.com\"", "account": f"'{MAILBOX}'",
                             "read-only": "yes"}}
    with configured(tenant=tenant, logins=logins) as pair:
        text = powershell(pair)
        for words in ("#     Mail.ReadWrite\n", "#     Mail.Read.Shared\n", "offline_access",
                      f"/adminconsent?client_id={pair.sandbox.client_id}",
                      f"Add-MailboxPermission -Identity 'o''brien@example.com' -User '{MAILBOX}'"):
            assert words in text, (words, text)
        assert "New-ManagementScope" not in text


tap.main()
