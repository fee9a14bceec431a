#!/usr/bin/env python3
"""The way to Microsoft 365: HTTPS proxies, compressed answers, trust anchors."""

import os
import re
import socket
import subprocess
import tempfile
import zlib
from pathlib import Path

import tap
from harness import (PASSWORD, Pair, corpus, mail, make_certificate, need, on_the_wire,
                     sanitized)
from proxies import BetweenPair, ConnectProxy, GzipProxy
from tap import Skip, test, wait_for

MESSAGE = mail("alternative")
SHORT = {"request-timeout": "2s", "first-sync-wait": "3s"}


def reads(pair):
    with pair.pop3() as client:
        client.login()
        assert client.retr(1) == on_the_wire(MESSAGE)
        client.quit()


def refused(pair, login="alice"):
    with pair.pop3() as client:
        client.ok(f"USER {login}")
        answer = client.err(f"PASS {PASSWORD}")
        assert answer.startswith("-ERR [SYS/TEMP]"), answer


def through(proxy, no_proxy="", credentials=""):
    """Variables that send everything but no_proxy through a proxy."""
    address = proxy.url.replace("://", f"://{credentials}")
    return {"HTTPS_PROXY": address, "https_proxy": address,
            "NO_PROXY": no_proxy, "no_proxy": no_proxy}


@test
def proxy():
    """HTTPS_PROXY: tokens and Graph go through the proxy, one tunnel each at least"""
    with ConnectProxy() as between:
        with Pair(process={"environment": through(between)}) as pair:
            pair.deliver(MESSAGE)
            reads(pair)
            host = pair.sandbox.graph_url.removeprefix("https://")
            assert between.targets and all(
                t == f"CONNECT {host} HTTP/1.1" for t in between.targets), between.targets
            pair.stop()


@test
def proxy_not_for_all():
    """NO_PROXY: a host in it is asked directly"""
    with ConnectProxy() as between:
        with Pair(process={"environment": through(between, "192.0.2.1,127.0.0.1")}) as pair:
            pair.deliver(MESSAGE)
            reads(pair)
            assert not between.targets, between.targets


@test
def proxy_with_password():
    """A proxy that wants a name and a password gets them, and they do not reach the log"""
    with ConnectProxy(wants="scripts:very-private") as between:
        environment = through(between, credentials="scripts:very-private@")
        with Pair(process={"environment": environment}) as pair:
            pair.deliver(MESSAGE)
            reads(pair)
            pair.stop()
            assert between.targets and "very-private" not in pair.postern.log()


def proxy_refuses(status, advice):
    with ConnectProxy(refuse=status) as between:
        with Pair(limits=SHORT, process={"environment": through(between)}) as pair:
            pair.deliver(MESSAGE)
            refused(pair)
            line = pair.log_has(rf"(?m)^.*no token.*{status}.*$").group()
            assert re.search(advice, line), line
            between.refuse = None
            wait_for("the login works again", lambda: logs_in(pair))
            pair.stop()


def logs_in(pair):
    with pair.pop3() as client:
        client.ok("USER alice")
        return client.command(f"PASS {PASSWORD}").startswith("+OK")


tap.add("A proxy that answers 407: the log tells what to do, and it heals",
        lambda: proxy_refuses(407, "put them into HTTPS_PROXY"))
tap.add("A proxy that answers 403: the log tells what to do, and it heals",
        lambda: proxy_refuses(403, "check what it allows"))
tap.add("A proxy that answers 502: the log tells what to do, and it heals",
        lambda: proxy_refuses(502, "check what it allows"))


@test
def proxy_address_wrong():
    """An HTTPS_PROXY that makes no sense is told of without its password"""
    for address in ("http://scripts:very-private@127.0.0.1:port",
                    "gopher://scripts:very-private@127.0.0.1:80"):
        environment = {"HTTPS_PROXY": address, "https_proxy": address,
                       "NO_PROXY": "", "no_proxy": ""}
        with Pair(limits=SHORT, process={"environment": environment}) as pair:
            refused(pair)
            pair.log_has("no token.*(?i:proxy)")
            assert "very-private" not in pair.postern.log()


@test
def private_proxy():
    """A proxy spoken to by TLS, with an authority of its own: trusted by ca-file and not without"""
    with tempfile.TemporaryDirectory(prefix="postern-proxy-") as work:
        tls = make_certificate(Path(work), stem="proxy")
        with ConnectProxy(tls=tls, wants="scripts:very-private") as between:
            environment = through(between, credentials="scripts:very-private@")
            with Pair(limits=SHORT, process={"environment": environment}) as pair:
                pair.deliver(MESSAGE)
                refused(pair)
                pair.log_has(r"no token.*name the anchor of a proxy .* in ca-file")
                assert not between.targets, between.targets
                both = Path(work) / "both.pem"
                both.write_text(tls[0].read_text() + Path(pair.sandbox.ca_file).read_text())
                pair.tenant = {"ca-file": f"'{both}'"}
                pair.reload()
                reads(pair)
                pair.stop()
                assert between.targets and "very-private" not in pair.postern.log()


def need_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        raise Skip("there is no IPv6 here") from None


@test
def ipv6():
    """Graph, Entra ID and a proxy at IPv6 addresses"""
    need_ipv6()
    with Pair(sandbox=("--listen", "[::1]:0")) as pair:
        assert "[::1]" in pair.sandbox.graph_url
        pair.deliver(MESSAGE)
        reads(pair)
    with ConnectProxy(host="::1") as between:
        with Pair(sandbox=("--listen", "[::1]:0"),
                  process={"environment": through(between)}) as pair:
            pair.deliver(MESSAGE)
            reads(pair)
            pair.stop()
            assert all(t.startswith("CONNECT [::1]:") for t in between.targets), between.targets
            assert between.targets


class GzipPair(BetweenPair):
    """A Pair whose postern sees the sandbox through a server that compresses."""

    def __init__(self, *, forced=False, **options):
        super().__init__(lambda pair: GzipProxy(pair, forced=forced), **options)


@test
def compressed():
    """Compressed answers: the whole corpus with the same bytes"""
    messages = corpus()
    with GzipPair() as pair:
        pair.deliver(*messages.values())
        pair.serves(messages)
        assert pair.between.compressed, "nothing was compressed"


@test
def compressed_cut_short():
    """A compressed listing that is cut short inside a whole answer is an error, not a short one"""
    for keep in (0, 5, 12, 0.5, -9, -1):
        with GzipPair(limits=SHORT) as pair:
            pair.deliver(MESSAGE, MESSAGE)
            pair.settled()
            pair.deliver(MESSAGE)
            pair.between.change["/messages"] = lambda body: body[:int(
                len(body) * keep if isinstance(keep, float) else keep)]
            with pair.pop3() as client:
                client.ok("USER alice")
                answer = client.command(f"PASS {PASSWORD}")
                # What is whole but for its check sum may be taken; less must not be.
                assert answer.startswith("-ERR [SYS/TEMP]") or (
                    keep in (-1, -9) and client.stat()[0] == 3), (keep, answer)
            pair.between.change.clear()
            wait_for("the login works again", lambda: logs_in(pair))
            with pair.pop3() as client:
                client.login()
                assert client.stat()[0] == 3
                client.quit()


@test
def compressed_message():
    """A message that comes compressed though nobody asked is never handed on, cut short or whole"""
    for damage in (lambda body: body, lambda body: body[:-20], lambda body: body[:len(body) // 2],
                   lambda body: body[:15]):
        with GzipPair(forced=True, limits=SHORT) as pair:
            pair.deliver(MESSAGE)
            pair.settled()
            pair.between.change[r"/\$value"] = damage
            with pair.pop3() as client:
                client.login()
                assert client.err("RETR 1").startswith("-ERR [SYS/TEMP]")
                pair.log_has("sent a message as gzip")
                pair.between.forced = False
                assert client.retr(1) == on_the_wire(MESSAGE)
                client.quit()


def bomb(size):
    """So many spaces, compressed: a thousandth of it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * (1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()


@test
def compressed_bomb():
    """A gigabyte packed into one megabyte: refused at the limit, memory stays where it was"""
    explosive = bomb(1 << 30)
    with GzipPair(limits=SHORT) as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        pair.between.change["/messages"] = lambda _: explosive
        refused(pair)
        pair.log_has("over the limit of")
        with open(f"/proc/{pair.postern.process.pid}/status", encoding="ascii") as status:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) >> 10
        if not sanitized():
            assert peak < 256, f"{peak} MB"
        pair.between.change.clear()
        wait_for("the login works again", lambda: logs_in(pair))


class TwoAnchors(Pair):
    """A second tenant that trusts a certificate of its own only, for the login "bob"."""

    def config_text(self):
        text = super().config_text()
        first = re.search(r'tenant "example" \{.*?\n\}\n', text, re.S).group()
        second = first.replace('"example"', '"second"')
        return text + second.replace(self.sandbox.ca_file, str(self.foreign()))

    def foreign(self):
        path = self.work / "foreign.pem"
        return path if path.exists() else make_certificate(self.work, stem="foreign")[0]


@test
def anchors_apart():
    """What one tenant's ca-file vouches for is not trusted for another, nor its connection used"""
    with TwoAnchors(limits=SHORT,
                    logins={"alice": {}, "bob": {"tenant": "'second'"}}) as pair:
        pair.deliver(MESSAGE)
        for _ in range(2):
            reads(pair)
            refused(pair, "bob")
        pair.log_has(r'tenant "second": no token.*name the anchor of a proxy .* in ca-file')


def with_anchors(file):
    """A command that runs another where the system's trust anchors are those of this file."""
    system = "/etc/ssl/certs/ca-certificates.crt"
    command = [need("unshare"), "--mount", "sh", "-c",
               'mount --bind "$0" "$1" && shift && exec "$@"', str(file), system]
    if not os.path.exists(system) or subprocess.run(
            [*command, "true"], capture_output=True, check=False).returncode:
        raise Skip("this user may not lay other trust anchors over the system's")
    return command


@test
def anchors_together():
    """ca-file is trusted beside the system's anchors, not instead of them"""
    with Pair(serve=False, limits=SHORT) as pair:
        foreign, _ = make_certificate(pair.work, stem="foreign")
        pair.deliver(MESSAGE)
        pair.tenant = {"ca-file": f"'{foreign}'"}
        pair.postern.write(pair.config_text())
        pair.start()
        refused(pair)
        pair.stop()
        pair.process_options = {"under": with_anchors(pair.sandbox.ca_file)}
        pair.start()
        reads(pair)


tap.main()
