#!/usr/bin/env python3
"""TLS towards clients: certificates by name, versions, the legacy gateway, client certificates."""

import re
import socket
import subprocess

import tap
from harness import Pair, mail, make_certificate, need, on_the_wire, program, trusting
from tap import test

MESSAGE = mail("plain")
VERSIONS = {"1.0": "-tls1", "1.1": "-tls1_1", "1.2": "-tls1_2", "1.3": "-tls1_3"}
OLD = ("1.0", "1.1")
# What an old device allows itself; a program of today has to be told to.
ANY_CIPHER = ("-cipher", "ALL:@SECLEVEL=0")
LEGACY = {"tls": "implicit", "min-version": '"1.0"', "legacy-tls": "yes",
          "networks": '{ "127.0.0.0/8" }'}


def handshake(port, *options, says=b""):
    """What `openssl s_client` tells of a connection that it ends at once, after `says`."""
    return subprocess.run(
        [need("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", "-ign_eof",
         *options] if says else
        [need("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", *options],
        input=says, capture_output=True, timeout=tap.PATIENCE, check=False)


def negotiated(port, version, *options):
    """The version of a handshake that offers this one alone, or None."""
    told = handshake(port, VERSIONS[version], *ANY_CIPHER, *options)
    text = (told.stdout + told.stderr).decode(errors="replace")
    match = re.search(r"^\s*(?:New, |Protocol\s*: )\s*TLSv(1(?:\.\d)?)", text, re.M)
    if told.returncode or not match or "Cipher is (NONE)" in text:
        return None
    return {"1": "1.0"}.get(match.group(1), match.group(1))


def shown(port, *options):
    """The subject and the type of key of the certificate that a client is shown."""
    told = handshake(port, *options)
    subject = re.search(r"^subject=.*CN\s*=\s*(\S+)", told.stdout.decode(), re.M)
    assert subject, told
    pem = told.stdout[told.stdout.index(b"-----BEGIN"):]
    text = subprocess.run([need("openssl"), "x509", "-noout", "-text"], input=pem,
                          capture_output=True, check=True).stdout.decode()
    return subject.group(1), "rsa" if "rsaEncryption" in text else "ec"


def certificates(pair, *wanted):
    """The tls section with these (stem, host name, rsa) in order."""
    made = [make_certificate(pair.work, name, stem=stem, rsa=rsa) for stem, name, rsa in wanted]

    def quoted(files):
        return "{ " + ", ".join(f"'{path}'" for path in files) + " }"

    return (f"tls {{ certificate = {quoted(c for c, _ in made)}\n"
            f"    private-key = {quoted(k for _, k in made)} }}\n")


class Doors(Pair):
    """A Pair whose listeners have several certificates."""

    def __init__(self, *wanted, **options):
        super().__init__(serve=False, **options)
        self.wanted = wanted

    def __enter__(self):
        super().__enter__()
        self.top += certificates(self, *self.wanted)
        self.postern.write(self.config_text())
        self.start()
        return self


@test
def by_name():
    """SNI: the certificate of the name, wildcards too; unknown or no name: the first"""
    with Doors(("one", "one.example", False), ("two", "two.example", False),
               ("wild", "*.wild.example", True),
               listeners={"pop": {"tls": "implicit"}}) as pair:
        for name, expected in (("one.example", "one.example"), ("two.example", "two.example"),
                               ("TWO.example", "two.example"), ("a.wild.example", "*.wild.example"),
                               ("a.b.wild.example", "one.example"), ("three.example", "one.example"),
                               (None, "one.example")):
            options = ("-servername", name) if name else ("-noservername",)
            assert shown(pair.port, *options)[0] == expected, name


@test
def by_key():
    """RSA and ECDSA for one name: each client gets what it can use"""
    with Doors(("ec", "one.example", False), ("rsa", "one.example", True),
               ("other", "two.example", True), listeners={"pop": {"tls": "implicit"}}) as pair:
        for options in (("-servername", "one.example"), ("-noservername",)):
            for cipher, kind in (("ECDHE-RSA-AES128-GCM-SHA256", "rsa"),
                                 ("ECDHE-ECDSA-AES128-GCM-SHA256", "ec")):
                assert shown(pair.port, "-tls1_2", "-cipher", cipher,
                             *options) == ("one.example", kind)
            for scheme, kind in (("rsa_pss_rsae_sha256", "rsa"), ("ecdsa_secp256r1_sha256", "ec")):
                assert shown(pair.port, "-tls1_3", "-sigalgs", scheme,
                             *options) == ("one.example", kind)


@test
def versions():
    """A loop through the versions: old ones on the legacy listener only, the newest on both"""
    with Doors(("ec", "localhost", False), ("rsa", "localhost", True),
               listeners={"pop": {"tls": "implicit"}, "old": LEGACY,
                          "older": {**LEGACY, "min-version": '"1.1"'},
                          "new": {"tls": "implicit", "min-version": '"1.3"'},
                          "start": {**LEGACY, "tls": "starttls"}}) as pair:
        taken = {name: [v for v in VERSIONS if negotiated(
            pair.ports[name], v, *(("-starttls", "pop3") if name == "start" else ()))]
            for name in pair.listeners}
        assert taken == {"pop": ["1.2", "1.3"], "old": ["1.0", "1.1", "1.2", "1.3"],
                         "older": ["1.1", "1.2", "1.3"], "new": ["1.3"],
                         "start": ["1.0", "1.1", "1.2", "1.3"]}, taken
        assert pair.postern.log().count("accepts TLS 1.0 and 1.1") == 2, "the log is silent"


POLICY = """openssl_conf = all
[all]
ssl_conf = tls
[tls]
system_default = policy
[policy]
MinProtocol = {}
CipherString = {}
"""


@test
def policies():
    """The system's own policy, strict or lax, changes neither what is weakened nor what is not"""
    for minimum, suites in (("TLSv1.2", "DEFAULT:@SECLEVEL=2"), ("TLSv1", "ALL:@SECLEVEL=0")):
        with Doors(("rsa", "localhost", True), listeners={"old": LEGACY,
                                                          "pop": {"tls": "implicit"}}) as pair:
            pair.stop()
            policy = pair.work / "openssl.cnf"
            policy.write_text(POLICY.format(minimum, suites))
            pair.process_options = {"environment": {"OPENSSL_CONF": str(policy)}}
            pair.start()
            taken = {name: [v for v in VERSIONS if negotiated(pair.ports[name], v)]
                     for name in pair.listeners}
            assert taken == {"old": list(VERSIONS), "pop": ["1.2", "1.3"]}, (minimum, taken)


@test
def legacy_suites():
    """The legacy listener: AES-CBC and RSA key exchange; nothing without encryption or identity"""
    with Doors(("ec", "one.example", False), ("rsa", "two.example", True),
               listeners={"old": LEGACY, "pop": {"tls": "implicit"}}) as pair:
        for cipher in ("AES128-SHA", "AES256-SHA", "ECDHE-RSA-AES128-SHA"):
            for version in OLD:
                for name in ("one.example", "two.example", None):
                    options = ("-servername", name) if name else ("-noservername",)
                    told = handshake(pair.ports["old"], VERSIONS[version], "-cipher",
                                     f"{cipher}:@SECLEVEL=0", *options)
                    good = name != "one.example"  # whose key is none for such a client
                    assert (f"Cipher is {cipher}".encode() in told.stdout) == good, (name, told)
        for cipher in ("NULL", "aNULL", "PSK", "LOW", "EXPORT"):
            told = handshake(pair.ports["old"], "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
            assert b"Cipher is (NONE)" in told.stdout or told.returncode, (cipher, told)
        told = handshake(pair.ports["old"], "-tls1_2", "-servername", "two.example")
        assert b"Cipher is ECDHE-RSA-AES256-GCM-SHA384" in told.stdout, told


@test
def legacy_session():
    """A whole session by TLS 1.0: curl fetches a message through the gateway"""
    with Doors(("rsa", "localhost", True), listeners={"old": LEGACY,
                                                      "pop": {"tls": "implicit"}}) as pair:
        pair.deliver(MESSAGE)

        def fetch(listener):
            return subprocess.run(
                [need("curl"), "-sS", "-k", "--tlsv1.0", "--tls-max", "1.0", "--ciphers",
                 "DEFAULT:@SECLEVEL=0", "-u", "alice:correct horse battery",
                 f"pop3s://127.0.0.1:{pair.ports[listener]}/1"],
                capture_output=True, timeout=tap.PATIENCE, check=False)

        got = fetch("old")
        assert got.returncode == 0 and on_the_wire(MESSAGE) == got.stdout, got
        assert fetch("pop").returncode == 35, "TLS 1.0 was taken elsewhere"
        pair.log_has("login accepted")


@test
def legacy_networks():
    """The legacy listener serves its own networks alone"""
    away = {**LEGACY, "networks": '{ "192.0.2.0/24" }'}
    with Doors(("rsa", "localhost", True), listeners={"old": away}) as pair:
        assert not any(negotiated(pair.port, version) for version in VERSIONS)
        pair.log_has('listener "old": 127.0.0.1 may not connect')


def check(pair, text):
    path = pair.work / "changed.conf"
    path.write_text(text)
    path.chmod(0o600)
    return subprocess.run([program("postern"), "check", "-c", path], capture_output=True, text=True,
                          timeout=tap.PATIENCE, check=False)


@test
def legacy_check():
    """check: tells what legacy-tls weakens; half of it, or no RSA key, is a fault with its line"""
    with Pair(serve=False, listeners={"old": LEGACY}) as pair:
        plain = pair.config_text()
        told = check(pair, plain + certificates(pair, ("rsa", "localhost", True)))
        assert told.returncode == 0 and "accepts TLS 1.0 and 1.1" in told.stderr, told
        assert "127.0.0.0/8" in told.stderr, told
        told = check(pair, plain + certificates(pair, ("ec", "localhost", False)))
        assert told.returncode == 78 and re.search(r'conf:\d+: listener "old": .*RSA',
                                                   told.stderr), told
        both = certificates(pair, ("rsa", "localhost", True))
        for line in ("legacy-tls", "networks"):
            told = check(pair, re.sub(rf"    {line} = .*\n", "", plain) + both)
            assert told.returncode == 78 and re.search(r"conf:\d+: .*(legacy-tls|networks)",
                                                       told.stderr), (line, told)


@test
def client_certificates():
    """client-certificates: asked for there only, self-signed ones too, none is fine"""
    with Pair(tls=True, listeners={"asks": {"tls": "implicit", "client-certificates": "yes"},
                                   "pop": {"tls": "implicit"}}) as pair:
        certificate, key = make_certificate(pair.work, "device", stem="device")
        for name, asked in (("asks", True), ("pop", False)):
            for version in ("-tls1_2", "-tls1_3"):
                for shows in ((), ("-cert", certificate, "-key", key)):
                    told = handshake(pair.ports[name], version, *shows, says=b"QUIT\r\n")
                    assert told.stdout.startswith(b"+OK"), (name, version, shows, told)
                told = handshake(pair.ports[name], version)
                assert (b"Requested Signature Algorithms" in told.stdout) == asked, told


@test
def no_resumption():
    """No session is resumed, and no ticket given: each handshake stands for itself"""
    with Pair(tls=True, listeners={"pop": {"tls": "implicit"}}) as pair:
        for version in ("-tls1_2", "-tls1_3"):
            told = handshake(pair.port, version, "-reconnect")
            assert b"Reused" not in told.stdout, told
            assert b"TLS session ticket:" not in told.stdout, told


@test
def reload_keeps_sessions():
    """SIGHUP: mode, networks and certificate of a listener change for new connections only"""
    with Pair(tls=True, listeners={"pop": {"tls": "implicit"}, "two": {"tls": "none"}}) as pair:
        pair.deliver(MESSAGE)
        old = trusting(pair.certificate)
        with pair.pop3(tls=old) as first, pair.pop3("two") as second:
            first.login()
            pair.certificate, pair.key = make_certificate(pair.work)
            pair.listeners = {"pop": {"tls": "starttls"},
                              "two": {"tls": "none", "networks": '{ "192.0.2.0/24" }'}}
            pair.reload()
            assert first.retr(1) == on_the_wire(MESSAGE)
            second.login()
            with pair.pop3() as client:
                client.ok("STLS")
                client.start_tls(trusting(pair.certificate))
                client.login().quit()
            with socket.create_connection(("127.0.0.1", pair.ports["two"])) as refused:
                assert refused.recv(100) == b""
            first.quit()
            second.quit()


tap.main()
