#!/usr/bin/env python3
"""Clients that come otherwise than by a port of Postern's own: through a proxy, by a Unix socket,
by a socket that systemd opened."""

import contextlib
import os
import re
import socket
import stat
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import tap
from harness import PASSWORD, Pair, mail, on_the_wire, program, trusting
from pop3client import Pop3
from tap import Skip, test, wait_for

MESSAGE = mail("plain")
PROXIED = {"proxy-protocol": '{ "127.0.0.1" }'}
CLEAR = {"tls": "none", "allow-plaintext": "yes", **PROXIED}
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
FAR = "192.0.2.7"


def v1(client=FAR, rest="198.51.100.1 4660 110"):
    return f"PROXY TCP{6 if ':' in client else 4} {client} {rest}\r\n".encode()


def v2(client=FAR, *, command=1, tlvs=b""):
    family = socket.AF_INET6 if ":" in client else socket.AF_INET
    address = socket.inet_pton(family, client)
    block = address + bytes(len(address)) + struct.pack("!HH", 4660, 110) + tlvs
    return SIGNATURE + bytes((0x20 | command, 0x21 if ":" in client else 0x11)) + struct.pack(
        "!H", len(block)) + block


class Through(Pop3):
    """A POP3 client behind a proxy, which says `header` first."""

    def __init__(self, port, header, *, tls=None, greet=True):
        super().__init__(port, greet=False)
        self.send(header)
        if tls:
            self.start_tls(tls)
        self.greeting = self.line() if greet else None


def closed(port, data):
    """Does the server close a connection that begins so, and say nothing?"""
    with Pop3(port, greet=False) as client:
        client.send(data)
        try:
            return client.socket.recv(100) == b""
        except ConnectionResetError:
            return True


def start(pair, **options):
    """Starts postern and waits until it serves, on whatever."""
    before = pair.postern.log().count("serving:")
    pair.postern.write(pair.config_text())
    pair.postern.start([], **options)
    wait_for("it serves", lambda: pair.postern.log().count("serving:") > before
             or pair.postern.check_running())


@test
def told_address():
    """PROXY 1 and 2: the address that the proxy tells is the one that counts and is logged"""
    logins = {"alice": {"networks": '{ "192.0.2.0/24", "2001:db8::/32" }'}, "local": {}}
    with Pair(listeners={"pop": CLEAR}, logins=logins, serve=False) as pair:
        pair.deliver(MESSAGE)
        start(pair)
        for number, header in enumerate((v1(), v2(), v2(tlvs=b"\x04\x02\x00" + bytes(512)),
                                         v1("2001:db8::7", "::1 1 2"), v2("2001:db8::7"))):
            with Through(pair.port, header) as client:
                client.login()
                assert client.retr(1) == on_the_wire(MESSAGE)
                client.quit()
            wait_for("the log", lambda number=number: pair.postern.log().count(
                "login accepted: from") > number)
        accepted = pair.postern.log()
        assert accepted.count(f"login accepted: from {FAR}") == 3
        assert accepted.count("login accepted: from 2001:db8::7") == 2
        # Neither the proxy's address nor what is open to this machine counts for who is behind it.
        with Through(pair.port, v1()) as client:
            client.ok("USER local")
            client.err(f"PASS {PASSWORD}")
        with Through(pair.port, v1("198.51.100.9")) as client:
            client.ok("USER alice")
            client.err(f"PASS {PASSWORD}")


@test
def plaintext_rules():
    """A password in the clear: from this machine, or where allow-plaintext says so; else by TLS"""
    logins = {"alice": {"networks": '{ "0.0.0.0/0", "::/0" }'}}
    listeners = {f"{tls}-{allowed}": {"tls": tls, "allow-plaintext": allowed, **PROXIED}
                 for tls in ("none", "starttls") for allowed in ("yes", "no")
                 if (tls, allowed) != ("none", "no")}  # which check refuses
    with Pair(tls=True, listeners=listeners, logins=logins, serve=False) as pair:
        start(pair)
        for name in listeners:
            for client, local in (("127.0.0.1", True), ("127.9.9.9", True), (FAR, False),
                                  ("::1", True), ("2001:db8::7", False),
                                  ("::ffff:127.0.0.1", True), ("::ffff:192.0.2.7", False)):
                with Through(pair.ports[name], v2(client)) as far:
                    taken = far.command("USER alice").startswith("+OK")
                    assert taken == (local or name.endswith("yes")), (name, client)
        # Without a proxy: whoever comes to a socket of all addresses from this machine.
        pair.listeners = {"all": {"tls": "starttls", "address": "'0.0.0.0:0'"}}
        pair.ports["all"] = 0
        pair.reload()
        port = int(re.findall(r'"all": listening on 0\.0\.0\.0:(\d+)', pair.postern.log())[-1])
        with Pop3(port) as client:
            client.login().quit()


@test
def proxy_itself():
    """PROXY: LOCAL and UNKNOWN are the proxy's own connections"""
    with Pair(listeners={"pop": CLEAR}, serve=False) as pair:
        start(pair)
        for header in (b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
                       v2(command=0), SIGNATURE + b"\x21\x00\x00\x00"):
            with Through(pair.port, header) as client:
                client.login().quit()
        pair.log_has("login accepted: from 127.0.0.1")


@test
def before_tls():
    """PROXY: the header stands before the TLS handshake, however the bytes arrive"""
    listeners = {"tls": {"tls": "implicit", **PROXIED}, "start": {"tls": "starttls", **PROXIED}}
    with Pair(tls=True, listeners=listeners, serve=False,
              logins={"alice": {"networks": '{ "192.0.2.0/24" }'}}) as pair:
        start(pair)
        tls = trusting(pair.certificate)
        for header in (v1(), v2()):
            with Through(pair.ports["tls"], header, tls=tls) as client:
                client.login().quit()
            with Through(pair.ports["start"], header) as client:
                # Its listener is on loopback, the client is not: no password in the clear.
                client.err("USER alice")
                client.ok("STLS")
                client.start_tls(tls)
                client.login().quit()
        with Pop3(pair.ports["start"], greet=False) as client:
            for byte in v2():
                client.send(bytes((byte,)))
            assert client.line().startswith("+OK")


@test
def no_header():
    """PROXY: no header, a wrong one, another address: closed without a word, and logged"""
    other = {**CLEAR, "proxy-protocol": '{ "192.0.2.9" }'}
    with Pair(listeners={"pop": CLEAR, "other": other, "none": {"tls": "none"}},
              serve=False) as pair:
        start(pair)
        for data in (b"CAPA\r\n", b"\x16\x03\x01\x02\x00\x01", v1("192.0.2.256"),
                     b"PROXY TCP4 " + b"x" * 200, SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),
                     SIGNATURE + b"\x21\x11\x00\x0b" + bytes(11)):
            assert closed(pair.ports["pop"], data), data
        assert pair.postern.log().count("does not begin with a PROXY header") == 6
        assert closed(pair.ports["other"], v1())
        pair.log_has('listener "other": 127.0.0.1 may not connect.*proxy-protocol')
        # Where no proxy is expected its header is a wrong command, and nobody believes it.
        with Pop3(pair.ports["none"]) as client:
            assert client.command(v1().decode().strip()).startswith("-ERR")
        assert FAR not in pair.postern.log()


@test
def slow_header():
    """PROXY: a header that does not come is not waited for long, and accept never waits"""
    with Pair(listeners={"pop": CLEAR}, serve=False) as pair:
        start(pair)
        silent = [Pop3(pair.port, greet=False) for _ in range(20)]
        silent[0].send(b"PROXY TCP4 192.0.")
        with Through(pair.port, v1("127.0.0.1")) as client:
            client.login().quit()
        for client in silent:
            client.expect_close()
        pair.log_has("did not come in time")


@test
def limits_behind_proxy():
    """PROXY: limits by address count who is behind the proxy, and its listener's networks too"""
    with Pair(listeners={"pop": {**CLEAR, "networks": '{ "192.0.2.0/24" }'}}, serve=False,
              limits={"max-connections-per-address": "2"}) as pair:
        start(pair)
        held = [Through(pair.port, v1(address)) for address in (FAR, FAR, "192.0.2.8")]
        with Through(pair.port, v2()) as refused:
            assert refused.greeting.startswith("-ERR")
        pair.log_has(f"{FAR} turned away, max-connections-per-address")
        held.pop(0).quit()

        def let_in():
            with Through(pair.port, v1()) as client:
                return client.greeting.startswith("+OK")
        wait_for("a place is free", let_in)
        with Through(pair.port, v1("198.51.100.9"), greet=False) as outside:
            outside.expect_close()
        pair.log_has("198.51.100.9 may not connect")
        for client in held:
            client.quit()


class Local(Pop3):
    """A POP3 client at a Unix socket."""

    def __init__(self, path):  # not by a port: Connection's own is not called
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(tap.PATIENCE)
        self.socket.connect(str(path))
        self.buffer = b""
        self.greeting = self.line()


def unix_start(pair, name="pop.sock"):
    path = pair.work / name
    pair.listeners["pop"]["address"] = f"'unix:{path}'"
    start(pair)
    return path


@test
def unix_socket():
    """A Unix socket: its mode, a whole session by the default networks, who came; gone at the end"""
    with Pair(listeners={"pop": {"tls": "none", "socket-mode": "0600"}}, serve=False) as pair:
        pair.deliver(MESSAGE)
        path = unix_start(pair)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with Local(path) as client:
            client.login()
            assert client.retr(1) == on_the_wire(MESSAGE)
            pair.listeners["pop"]["socket-mode"] = "0666"
            inode = path.stat().st_ino
            pair.reload()
            assert (path.stat().st_ino, stat.S_IMODE(path.stat().st_mode)) == (inode, 0o666)
            client.ok("NOOP")
            client.quit()
        Local(path).quit()
        pair.log_has(f"process {os.getpid()} of user {os.getuid()}")
        pair.stop()
        assert not path.exists()


@test
def unix_stale():
    """A Unix socket that nobody serves any more is taken over; one that is served, or a file, not"""
    with Pair(listeners={"pop": {"tls": "none"}}, serve=False) as pair:
        path = unix_start(pair)
        pair.postern.process.kill()
        assert path.exists()
        path = unix_start(pair)
        Local(path).quit()

        other = pair.work / "other.conf"
        other.write_text(pair.config_text().replace("/state'", "/other-state'"))
        other.chmod(0o600)
        for said in ("another program listens there", "not a socket"):
            answer = subprocess.run([program("postern"), "serve", "-c", other],
                                    capture_output=True, text=True, timeout=tap.PATIENCE,
                                    check=False)
            assert answer.returncode == 69 and said in answer.stderr, answer
            assert path.exists()
            if said.startswith("another"):
                Local(path).quit()
                pair.stop()
                path.write_text("precious")
        assert path.read_text() == "precious"


@test
def unix_reload():
    """SIGHUP: a Unix socket that is taken out goes, another comes; what somebody else made stays"""
    with Pair(listeners={"pop": {"tls": "none"}}, serve=False) as pair:
        first = unix_start(pair)
        pair.listeners["renamed"] = pair.listeners.pop("pop")
        pair.ports["renamed"] = pair.ports.pop("pop")
        pair.reload()
        Local(first).quit()
        pair.listeners["pop"] = pair.listeners.pop("renamed")
        pair.ports["pop"] = pair.ports.pop("renamed")
        second = pair.work / "second.sock"
        pair.listeners["pop"]["address"] = f"'unix:{second}'"
        pair.reload()
        wait_for("the first goes", lambda: not first.exists())
        Local(second).quit()
        second.unlink()
        second.write_text("precious")
        pair.stop()
        assert second.read_text() == "precious"


# Takes the place of systemd: opens the sockets, hands them over from descriptor 3 on.
LAUNCHER = """
import os, sys
fds, names, command = sys.argv[1].split(","), sys.argv[2], sys.argv[3:]
for number, fd in enumerate(map(int, fds)):
    os.dup2(fd, 100 + number)
for number in range(len(fds)):
    os.dup2(100 + number, 3 + number)
    os.close(100 + number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=names)
os.execv(command[0], command)
"""


def activated(pair, **sockets):
    """Starts postern as systemd would, with these sockets by name."""
    if b"sd_listen_fds" not in program("postern").read_bytes():
        raise Skip("built without libsystemd")
    numbers = [s.fileno() for s in sockets.values()]
    start(pair, under=[sys.executable, "-c", LAUNCHER, ",".join(map(str, numbers)),
                       ":".join(sockets)], pass_fds=numbers)


@test
def from_systemd():
    """systemd:NAME: sockets that were handed over, of every family, which a reload keeps"""
    with tempfile.TemporaryDirectory(prefix="postern-test-") as directory, \
            socket.create_server(("127.0.0.1", 0)) as ours, \
            socket.create_server(("127.0.0.1", 0)) as other, \
            socket.socket(socket.AF_UNIX) as local, \
            Pair(listeners={"one": {"address": "'systemd:one'"},
                            "two": {"address": "'systemd:two'", "tls": "starttls"}},
                 tls=True, serve=False) as pair:
        path = Path(directory) / "pop.sock"
        local.bind(str(path))
        local.listen()
        activated(pair, two=other, one=ours, three=local)
        pair.deliver(MESSAGE)

        def told_apart():
            for port, offered in ((ours.getsockname()[1], False), (other.getsockname()[1], True)):
                with Pop3(port) as client:
                    assert (b"STLS" in client.multi("CAPA").split()) == offered
                    client.login()
                    client.quit()

        told_apart()
        with Pop3(ours.getsockname()[1]) as client:
            client.login()
            pair.listeners = {"one": pair.listeners["one"], "three": {"address": "'systemd:three'"}}
            pair.ports["three"] = 0  # it has none
            pair.reload()
            assert client.retr(1) == on_the_wire(MESSAGE)
            client.quit()
        Local(path).login().quit()
        pair.listeners["two"] = {"address": "'systemd:two'", "tls": "starttls"}
        pair.reload()
        told_apart()
        Local(path).quit()


@test
def not_from_systemd():
    """systemd:NAME: what is missing, twice there, or no such socket is a clear error"""
    def refused(pair, said, **sockets):
        with contextlib.ExitStack() as stack:
            made = {name: stack.enter_context(s) for name, s in sockets.items()}
            try:
                activated(pair, **made)
            except AssertionError:
                assert pair.postern.process.wait() == 69
            else:
                raise AssertionError("it serves")
            pair.log_has(said)

    with Pair(listeners={"pop": {"address": "'systemd:pop'"}}, serve=False) as pair:
        refused(pair, "hands over no socket named", other=socket.create_server(("127.0.0.1", 0)))
        refused(pair, "no listening stream socket", pop=socket.socket(type=socket.SOCK_DGRAM))
        refused(pair, "no listening stream socket", pop=socket.socket())
        refused(pair, "passwords in the clear from other machines",
                pop=socket.create_server(("0.0.0.0", 0)))
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(
                ("127.0.0.1", 0)) as two:
            numbers = [one.fileno(), two.fileno()]
            pair.postern.start([], under=[sys.executable, "-c", LAUNCHER,
                                          ",".join(map(str, numbers)), "pop:pop"],
                               pass_fds=numbers)
            assert pair.postern.process.wait() == 69
            pair.log_has("several sockets named")
        pair.postern.process = None
        answer = subprocess.run([program("postern"), "serve", "-c", pair.postern.config],
                                capture_output=True, text=True, timeout=tap.PATIENCE, check=False)
        assert answer.returncode == 69 and "hands over no socket" in answer.stderr, answer


tap.main()
