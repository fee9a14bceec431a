"""Starts the real postern before the real postern-sandbox, and looks after both.

    with Pair() as pair:
        pair.deliver(mail("plain"))
        with pair.pop3() as client:
            client.login()

On leaving, every Pair checks that the sandbox saw no violation of Graph's rules, that no secret
stands in the log, that no sanitizer complained, and that postern ended cleanly on SIGTERM.
"""

import contextlib
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

from imapclient import Imap
from pop3client import Pop3
from tap import PATIENCE, Skip, wait_for

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("POSTERN_BUILD", os.getcwd())).resolve()
MAIL = SOURCE / "tests" / "data" / "mail"

PASSWORD = "correct horse battery"
# crypt(3) of PASSWORD: few rounds, so that a test is not about hashing …
PASSWORD_HASH = ("$6$rounds=1000$postern$mZ0638u2aMh3VxDx/.Fcv.a4hwqY/Lb0o3IpLJyg8FZSt3CQv6MPB8Mmdj"
                 "xzVKWXPrJ1V2t99q7au6MFgBZDY/")
# … and as `postern passwd` would, where it is.
PASSWORD_YESCRYPT = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$YAXMK9Llbqk/FSGbrI16AP6p2zwE4UhuWrJZceAG.p2"
OTHER_PASSWORD = "a second password"
OTHER_HASH = ("$6$rounds=1000$second$jrJ3wkhtZOsHl6JRpkzNk/XEKEvnsV1sOEnWzXEwmswimxM1YZMkxw3vLqET"
              "zDl6.1lHLbZYcFvfCeSYcfVtS1")
MAILBOX = "alice@example.com"

# Listeners of a Pair whose tests speak IMAP.
IMAP = {"imap": {"protocol": "imap", "tls": "none"}}

# What tests try to get into the log as a line of its own.
FORGED = "2026-01-01T00:00:00.000Z error: forged"
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warning|info|debug)"
                      r"( \w+=\S.*?)*: ")
SANITIZER = re.compile(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error: |"
                       r"MemorySanitizer)")


def mail(name):
    """The bytes of one message of tests/data/mail."""
    return (MAIL / f"{name}.eml").read_bytes()


def corpus():
    """All messages of tests/data/mail by name, in one order."""
    return {path.stem: path.read_bytes() for path in sorted(MAIL.glob("*.eml"))}


def on_the_wire(data):
    """What POP3 makes of a message: CRLF everywhere, the last line ended (mime/crlf.h)."""
    data = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    return data if not data or data.endswith(b"\r\n") else data + b"\r\n"


def free_port():
    """A port that stays free until it is bound: none of those that the kernel gives to the
    connections that all the tests make meanwhile."""
    for _ in range(1000):
        port = random.randrange(10000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no port is free")


def listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def program(name):
    path = BUILD / name
    if not path.exists():
        raise AssertionError(f"{path} is not built; run this in the build directory, "
                             "or set POSTERN_BUILD")
    return path


def sanitized():
    """Is postern built with a sanitizer, which takes memory of its own and suffers no valgrind?"""
    code = program("postern").read_bytes()
    return b"__asan_init" in code or b"__tsan_init" in code


def sanitizer_environment():
    """Reports go to stderr, where they are looked for; leaks count."""
    return {**os.environ,
            "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "TSAN_OPTIONS": "halt_on_error=0:second_deadlock_stack=1",
            # A test must not depend on a proxy of the machine that it runs on.
            "no_proxy": "*", "NO_PROXY": "*"}


def make_certificate(directory, name="localhost", *, days=30, stem="tls", rsa=False):
    """A self-signed certificate and its key, as PEM files; RSA is what Entra ID wants."""
    certificate, key = directory / f"{stem}.pem", directory / f"{stem}.key"
    subprocess.run(
        ["openssl", "req", "-x509",
         *(["-newkey", "rsa:2048"] if rsa else
           ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]), "-nodes", "-keyout", key, "-out", certificate, "-days", str(days),
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"],
        check=True, capture_output=True)
    key.chmod(0o600)
    return certificate, key


def trusting(certificate):
    """A TLS context of a client that trusts this certificate."""
    return ssl.create_default_context(cafile=certificate)


class Process:
    """A child process whose output goes to a file; ended by its pid.

    With file_size (bytes) a write beyond it fails with an errno, as it does on a full disk; with
    open_files it has so many descriptors. environment: further variables; pass_fds: descriptors that it keeps."""

    def __init__(self, arguments, log, *, stdout=None, file_size=None, open_files=None,
                 environment=None, pass_fds=()):
        def limit():
            if file_size:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
            if open_files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))

        self.log_path = log
        with open(log, "ab") as output:
            self.child = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=stdout or output, stderr=output,
                env={**sanitizer_environment(), **(environment or {})}, pass_fds=pass_fds,
                preexec_fn=limit if file_size or open_files else None)

    @property
    def pid(self):
        return self.child.pid

    def log(self):
        return self.log_path.read_text("utf-8", "backslashreplace")

    def signal(self, number):
        if self.child.poll() is None:
            self.child.send_signal(number)

    def wait(self, patience=None):
        return self.child.wait(patience or PATIENCE)

    def running(self):
        return self.child.poll() is None

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.child.wait()

    def terminate(self):
        self.signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("did not end on SIGTERM") from None


class Sandbox:
    """postern-sandbox and its control port."""

    def __init__(self, work, *arguments):
        # On a busy machine a request may be on its way for long; with a sanitizer for a second and
        # more, so that the rule is for the other builds.
        grace = ("--set", f"retry-grace-ms={2000 if sanitized() else 500}")
        self.process = Process([program("postern-sandbox"), "--user", MAILBOX, *grace, *arguments],
                               work / "sandbox.log",
                               stdout=subprocess.PIPE)
        line = self.process.child.stdout.readline()
        if not line:
            self.process.wait()
            raise AssertionError(f"postern-sandbox did not start:\n{self.process.log()}")
        self.facts = json.loads(line)

    def __getattr__(self, name):
        """graph_url, login_url, ca_file, tenant_id, client_id, client_secret …"""
        try:
            return self.__dict__["facts"][name]
        except KeyError:
            raise AttributeError(name) from None

    def control(self, method, path, body=None, content_type="application/json"):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        request = urllib.request.Request(self.control_url + path, body, method=method,
                                         headers={"Content-Type": content_type})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE) as answer:
                data = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()!r}") from None
        return json.loads(data) if data.strip() else None

    def settings(self, **values):
        self.control("POST", "/settings", values)

    def fault(self, path, *, method=None, **what):
        """Answers to requests whose path matches go wrong as said: status, retry_after, body,
        content_type, reset, truncate, stall_ms, redirect, next_link, after; skip so many first,
        and count so many, else all."""
        rule = {"path": path, "count": 0, **what}
        if method:
            rule["method"] = method
        self.control("POST", "/faults", rule)

    def no_faults(self):
        self.control("DELETE", "/faults")

    def requests(self, path="", method=""):
        """The Graph requests since forget(), oldest first; token requests are not Graph's."""
        return [r for r in self.control("GET", "/log")["requests"]
                if r["path"].startswith("/v1.0/") and re.search(path, r["path"])
                and re.fullmatch(method or ".*", r["method"])]

    def tokens(self):
        """How many tokens were given since forget()."""
        return self.control("GET", "/log")["tokens"]

    def forget(self):
        self.control("DELETE", "/log")

    # -- identities: the user's part of a sign-in, and the administrator's ----------------------

    def sign_ins(self, grant=""):
        """Requests for tokens and codes since forget(), oldest first, as the sandbox ended them:
        endpoint, grant, user, error, number (AADSTS), status, at_ms."""
        return [s for s in self.control("GET", "/log")["sign_ins"] if grant in (s["grant"] or "")]

    def devices(self):
        """Device codes that were not redeemed: user_code, state, scope."""
        return self.control("GET", "/devices")["devices"]

    def device(self, user=MAILBOX, user_code=None, *, decline=False, expire=False):
        """The user waits for a device code, enters it (the newest unless one is named), and signs
        in; or declines; or nobody comes in time."""
        wait_for("a device code that nobody has entered",
                 lambda: any(code["state"] == "pending" for code in self.devices()))
        body = {"user": user, "decline": decline, "expire": expire}
        if user_code:
            body["user_code"] = user_code
        self.control("POST", "/device", body)

    def browse(self, url):
        """What a browser does with the address of a sign-in: it goes there, is sent back to the
        client, and shows the client's page. Status and text."""
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=trusting(self.ca_file)))
        try:
            with opener.open(url, timeout=PATIENCE) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def account(self, user=MAILBOX, **what):
        """refusal: the AADSTS number that sign-ins and refreshes get, 0 for none; password: a new
        one, which ends the sign-ins that the old one was typed for."""
        self.control("POST", "/account", {"user": user, **what})

    def revoke(self, user=MAILBOX):
        """The administrator revokes all sessions of an account: AADSTS50173 at the next refresh,
        and a claims challenge for tokens asked for with cp1."""
        self.control("POST", "/revoke", {"user": user})

    def challenge(self, user=MAILBOX, *, app=False, acrs=None):
        """From now on Graph takes only tokens that were asked for with its new claims, of clients
        that know claims challenges (cp1): those of a user, or of the application itself. The claim
        is a newer nbf, or the authentication context acrs."""
        self.control("POST", "/challenge", {"user": user, "app": app,
                                            **({"acrs": acrs} if acrs else {})})

    def expire_refresh(self, user=MAILBOX):
        """The refresh tokens of an account were not used for too long: AADSTS700082."""
        self.control("POST", "/expire-refresh", {"user": user})

    def federated_token(self, **claims):
        """What a workload's platform gives it: a JWT of the issuer that the settings
        federated_issuer and federated_subject name; other claims (issuer, subject, audience, life
        in seconds) or another key (forged) where they are given."""
        return self.control("POST", "/federated-token", claims)["token"]

    def access_token(self, user=MAILBOX, **what):
        """A token for Graph that somebody else got: scope, life in seconds, cp1, app_id."""
        return self.control("POST", "/access-token", {"user": user, **what})["access_token"]

    def report(self, user, **what):
        """A line of the usage report: pop3, imap4, smtp are days before the report's date; cell is
        what the column of a used program holds; name, deleted."""
        self.control("POST", "/report", {"user": user, **what})

    def violations(self):
        return self.control("GET", "/violations")["violations"]

    def folders(self, user=MAILBOX):
        """The ids of the messages in each folder, by its path, in the order of their arrival."""
        return {folder["path"]: [message["id"] for message in folder["messages"]]
                for folder in self.control("GET", f"/mailbox?user={user}")["folders"]}

    def inside(self, path):
        """The ids of the messages in one folder of alice's."""
        return self.folders()[path]


class Postern:
    """`postern serve` with its configuration and state directory."""

    def __init__(self, work, text):
        self.work = work
        self.config = work / "postern.conf"
        self.write(text)
        self.process = None

    def write(self, text):
        """Replaces the configuration in one step, as an administrator's editor would."""
        fresh = self.config.with_suffix(".new")
        fresh.write_text(text)
        fresh.chmod(0o600)
        fresh.rename(self.config)

    def start(self, ports, under=(), **options):
        """under: a command that runs postern, as valgrind does; options: those of Process."""
        self.process = Process([*under, program("postern"), "serve", "-c", self.config],
                               self.work / "postern.log", **options)
        for port in ports:
            wait_for(f"postern listens on port {port}",
                     lambda port=port: listening(port) or self.check_running())
        return self

    def check_running(self):
        if not self.process.running():
            raise AssertionError(f"postern serve ended with {self.process.wait()}:\n"
                                 f"{self.process.log()[-4000:]}")
        return False

    def log(self):
        return self.process.log() if self.process else ""


class Pair:
    """The sandbox, postern before it, and a directory of their own.

    logins    {name: {setting: value}}; the default is alice, whose mailbox is MAILBOX; what is
              None is left out
    listeners {name: {setting: value}}; the default is "pop" without TLS; addresses are added
    limits, tenant, top: further settings of these places
    process   options of Postern.start()
    sandbox   arguments of postern-sandbox
    tls       a certificate is there; "rsa": with a key of that type
    """

    def __init__(self, *, logins=None, listeners=None, limits=None, tenant=None, top="",
                 sandbox=(), tls=False, serve=True, log_level="debug", log_format="text",
                 process=None):
        self.logins = {name: dict(settings)
                       for name, settings in (logins or {"alice": {}}).items()}
        self.listeners = {name: dict(settings)
                          for name, settings in (listeners or {"pop": {"tls": "none"}}).items()}
        self.limits = {"grace": "5s", **(limits or {})}
        self.tenant = dict(tenant or {})
        self.top = top
        self.sandbox_arguments = sandbox
        self.tls = tls
        self.serve = serve
        self.log_level = log_level
        self.log_format = log_format
        self.log_format = log_format
        self.process_options = process or {}
        self.expected_violations = None
        self.may_violate = None
        self.ports = {}
        self.work = None
        self.sandbox = None
        self.postern = None

    # -- life ---------------------------------------------------------------------------------

    def __enter__(self):
        self.work = Path(tempfile.mkdtemp(prefix="postern-test-"))
        try:
            self.sandbox = Sandbox(self.work, *self.sandbox_arguments)
            if self.tls:
                self.certificate, self.key = make_certificate(self.work, rsa=self.tls == "rsa")
            self.ports = {name: free_port() for name in self.listeners}
            self.postern = Postern(self.work, self.config_text())
            if self.serve:
                self.start()
        except BaseException:
            self.clean_up()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.check_at_end()
            else:
                self.show_logs()
        except BaseException:
            self.show_logs()
            raise
        finally:
            self.clean_up()

    def clean_up(self):
        for side in (self.postern, self.sandbox):
            if side and side.process:
                side.process.kill()
                if side.process.child.stdout:
                    side.process.child.stdout.close()
        shutil.rmtree(self.work)

    def show_logs(self):
        for side in (self.postern, self.sandbox):
            if side and side.process:
                for line in side.process.log()[-6000:].splitlines():
                    print("# |", line.encode("ascii", "backslashreplace").decode())
        with contextlib.suppress(Exception):
            print("# violations:", self.sandbox.violations())

    def start(self):
        self.postern.start(self.ports.values(), **self.process_options)

    def stop(self):
        status = self.postern.process.terminate()
        assert status == 0, f"postern ended with {status} on SIGTERM"

    def restart(self):
        self.stop()
        self.start()

    def reload(self):
        """SIGHUP with the configuration as it would be written now; waits until it is in force."""
        before = self.postern.log().count("reload")
        self.postern.write(self.config_text())
        self.postern.process.signal(signal.SIGHUP)
        wait_for("the log tells of the reload",
                 lambda: self.postern.log().count("reload") > before)

    def check_at_end(self):
        if self.postern.process and self.postern.process.running():
            self.stop()
        violations = [v for v in self.sandbox.violations() if v["rule"] != self.may_violate]
        if self.expected_violations is None:
            assert not violations, f"Graph's rules were broken: {violations}"
        else:
            assert re.search(self.expected_violations, json.dumps(violations)), violations
        self.sandbox.process.terminate()
        for side in (self.postern, self.sandbox):
            report = SANITIZER.search(side.process.log()) if side.process else None
            assert not report, f"{report.group()} in {side.process.log_path.name}"
        self.check_secrets()

    def check_secrets(self):
        log = self.postern.log()
        for secret in (PASSWORD, OTHER_PASSWORD, self.sandbox.client_secret, PASSWORD_HASH[30:],
                       self.sandbox.password, "Bearer ", "access_token", "client_assertion",
                       "eyJ0eXAi", "SandboxRefresh", "SandboxCode", "SandboxDevice"):
            assert secret not in log, f"a secret stands in the log: {secret[:6]}…"

    # -- configuration ------------------------------------------------------------------------

    def config_text(self):
        def section(name, title, settings):
            head = f'{name} "{title}"' if title else name
            return (f"{head} {{\n" + "".join(f"    {k} = {v}\n" for k, v in settings.items())
                    + "}\n")

        def quoted(value):
            return f"'{value}'"

        facts = self.sandbox
        # Where clients bring tokens, their directory is told by the GUID.
        guid = "allow-client-tokens" in self.tenant
        tenant = {"tenant-id": quoted(facts.tenant_guid if guid else facts.tenant_id),
                  "client-id": quoted(facts.client_id),
                  "flow": "client-credentials", "client-secret": quoted(facts.client_secret),
                  "graph-url": quoted(facts.graph_url), "login-url": quoted(facts.login_url),
                  "ca-file": quoted(facts.ca_file), **self.tenant}
        parts = [f"state-dir = '{self.work}/state'\n{self.top}\n",
                 section("log", None, {"level": self.log_level, "format": self.log_format}),
                 section("limits", None, self.limits),
                 section("tenant", "example", {k: v for k, v in tenant.items() if v is not None})]
        if self.tls:
            parts.append(section("tls", None, {"certificate": quoted(self.certificate),
                                               "private-key": quoted(self.key)}))
        for name, settings in self.listeners.items():
            address = quoted(f"127.0.0.1:{self.ports[name]}")
            parts.append(section("listener", name,
                                 {"protocol": "pop3", "address": address, **settings}))
        for name, settings in self.logins.items():
            login = {"mailbox": quoted(MAILBOX), "tenant": quoted("example"),
                     "password": quoted(PASSWORD_HASH), **settings}
            parts.append(section("login", name, {k: v for k, v in login.items() if v is not None}))
        return "\n".join(parts)

    # -- what tests do ------------------------------------------------------------------------

    @property
    def port(self):
        return next(iter(self.ports.values()))

    def pop3(self, listener=None, **options):
        return Pop3(self.ports[listener] if listener else self.port, **options)

    def imap(self, listener=None, **options):
        return Imap(self.ports[listener or "imap"], **options)

    def deliver(self, *messages, user=MAILBOX, folder="inbox"):
        """Puts messages into the mailbox and returns their ids."""
        place = f"/messages?user={user}&folder={quote(folder)}"
        return [self.sandbox.control("POST", place, message, "message/rfc822")["id"]
                for message in messages]

    def serves(self, messages):
        """Fetches what was delivered, {name: bytes}, over POP3: each comes back as it was."""
        with self.pop3() as client:
            client.login()
            for number, (name, message) in enumerate(messages.items(), 1):
                assert client.retr(number) == on_the_wire(message), name
            client.quit()

    def log_has(self, pattern):
        """Waits until a line of postern's log matches."""
        return wait_for(f"a log line with {pattern}",
                        lambda: re.search(pattern, self.postern.log()))

    def settled(self):
        """Waits until the first sync that starts at boot has ended."""
        with self.pop3() as client:
            client.login(next(iter(self.logins)))
            client.quit()


def lines_are_ours(pair):
    """Every line begins as Postern begins it; nothing that others sent begins one, nor moves the
    cursor of who reads it."""
    log = pair.postern.process.log_path.read_bytes()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", log), "a control character"
    for trick in ("\u202e", "\u2028", "\u0085"):
        assert trick.encode() not in log, repr(trick)
    for line in log.decode().splitlines():
        assert LOG_LINE.match(line), line
        assert not line.startswith(FORGED), line


def most_in_flight(requests):
    """How many of these requests were in the sandbox's hands at one moment."""
    moments = sorted([(r["start_ms"], 1) for r in requests]
                     + [(r["end_ms"], -1) for r in requests if r["end_ms"] >= 0])
    most = now = 0
    for _, step in moments:
        now += step
        most = max(most, now)
    return most


def need(name):
    """The path of a program of this machine, or the test is skipped."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not path:
        raise Skip(f"{name} is not installed")
    return path
