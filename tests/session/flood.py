#!/usr/bin/env python3
"""Many who mean no good, at once: passwords tried a thousand times a second, and two thousand
connections that say next to nothing. Whoever means well is served meanwhile.

    tests/session/flood.py               the tests
    tests/session/flood.py stuff PORT [proxied]
                                         tries passwords at this port until its input ends, and
                                         tells all the while how many it has sent
"""

import asyncio
import contextlib
import re
import resource
import select
import socket
import subprocess
import sys
import threading
import time

import tap
from harness import PASSWORD, Pair, mail, on_the_wire, sanitized
from tap import Skip, test, wait_for

MESSAGE = mail("plain")
SLOWER = 8 if sanitized() else 1  # what a sanitizer makes slow is asked for less
RATE = 1000 // SLOWER  # attempts a second
ATTEMPTS = 3 * RATE
LORIS = 2000 // SLOWER  # as many as one address may have
# Beside what the tests hold, postern has two descriptors for each of these.
FILES = 12000


def many_files():
    """Raises the limit of open files, which postern inherits, or skips."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < FILES:
        raise Skip(f"{most} open files are allowed, {FILES} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


# -- who tries passwords --------------------------------------------------------------------------

def told_by_proxy(address, port):
    return f"PROXY TCP4 {address} 127.0.0.1 40000 {port}\r\n"


async def attempt(port, number, proxied):
    """One guess, as a list of leaked passwords has it: by many addresses, at one login over and
    over, and at a thousand that may exist. It waits for its answer."""
    name = ("alice", f"name{number}", "root", "carol")[number % 4]
    head = told_by_proxy(f"198.51.100.{number % 40}", port) if proxied else ""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=(f"127.0.0.{2 + number % 40}", 0))
        with contextlib.closing(writer):
            writer.write(f"{head}USER {name}\r\nPASS guess{number}\r\nQUIT\r\n".encode())
            while await reader.readline():
                pass


async def stuff(port, proxied):
    """RATE attempts a second, or as many as this machine can, until the input ends."""
    over = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    tasks = set()
    begin = told = time.monotonic()
    sent = 0
    while not over.done():
        due = int((time.monotonic() - begin) * RATE)
        for number in range(sent, min(due, sent + RATE // 10)):
            task = asyncio.create_task(attempt(port, number, proxied))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            sent = number + 1
        if time.monotonic() > told + 0.2:
            told = time.monotonic()
            print(sent, f"{sent / (told - begin):.0f}", flush=True)
        await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Stuffing:
    """A process that tries passwords; sent: how many so far."""

    def __init__(self, port, *options):
        self.child = subprocess.Popen([sys.executable, "-B", __file__, "stuff", str(port), *options],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.sent = 0
        self.rate = 0
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.child.stdout:
            self.sent, self.rate = map(int, line.split())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        try:
            self.child.wait(tap.PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.reader.join()
        self.child.stdout.close()

    def check(self):
        assert self.child.poll() is None, "the attempts have ended"


def visit(pair, name, address=None):
    """A whole session; how long it took. address: from where, as the proxy says."""
    begin = time.monotonic()
    with pair.pop3(greet=not address) as client:
        if address:
            client.send(told_by_proxy(address, pair.port).encode())
            assert client.line().startswith("+OK")
        client.ok(f"USER {name}")
        answer = client.command(f"PASS {PASSWORD}")
        assert answer.startswith("+OK"), f"{name}: {answer}"
        assert client.retr(1) == on_the_wire(MESSAGE)
        client.quit()
    return time.monotonic() - begin


@test
def stuffing():
    """A thousand passwords a second: other logins are served, and who was there before is, too"""
    many_files()
    with Pair(logins={"alice": {}, "bob": {}, "carol": {}, "dora": {}},
              log_level="warning") as pair:
        pair.deliver(MESSAGE)
        visit(pair, "alice")
        with Stuffing(pair.port) as attempts:
            wait_for("the first attempts", lambda: attempts.sent)
            visits = []
            while attempts.sent < ATTEMPTS or len(visits) < 10:
                # bob is known after his first visit; alice was before, and is who is aimed at.
                visits.append(max(visit(pair, "bob"), visit(pair, "alice")))
                attempts.check()
            # dora was never here, so that her password is hashed in the midst of it.
            first = visit(pair, "dora")
            attempts.check()
            print(f"# {attempts.rate} attempts a second, {len(visits)} visits of two logins, the "
                  f"longest {max(visits):.2f} s, a first one {first:.2f} s")
        assert "login accepted" not in pair.postern.log()
        refused = len(re.findall("login (?:refused|turned away)", pair.postern.log()))
        assert refused > 100 // SLOWER, f"{refused} refusals in the log"


@test
def lock_outs():
    """A thousand passwords a second from afar, told by a proxy: they are locked out, others are not"""
    many_files()
    far = {"networks": '{ "0.0.0.0/0" }'}
    with Pair(logins={"alice": far, "bob": far},
              listeners={"pop": {"tls": "none", "allow-plaintext": "yes",
                                 "proxy-protocol": '{ "127.0.0.1/8" }'}},
              limits={"lockout-failures": "20"}, log_level="warning") as pair:
        pair.deliver(MESSAGE)
        visit(pair, "alice", "203.0.113.1")
        with Stuffing(pair.port, "proxied") as attempts:
            wait_for("the first attempts", lambda: attempts.sent)
            while attempts.sent < ATTEMPTS or "locked out: 198.51.100." not in pair.postern.log():
                for name in ("bob", "alice"):
                    visit(pair, name, "203.0.113.1")
                attempts.check()
        locked = set(re.findall(r"address locked out: (\S+),", pair.postern.log()))
        print(f"# {len(locked)} of 40 addresses were locked out")
        assert all(address.startswith("198.51.100.") for address in locked), locked
        assert "login accepted" not in pair.postern.log()


# -- who says next to nothing ---------------------------------------------------------------------

def loris(port, number):
    """A connection that does not go on, in one of the ways in which that can be done."""
    client = socket.socket()
    client.bind(("127.0.0.2", 0))
    client.settimeout(tap.PATIENCE)
    client.connect(("127.0.0.1", port))
    client.setblocking(False)
    with contextlib.suppress(OSError):
        client.send((b"", b"US", b"USER alice\r\nPA", b"AUTH PLAIN\r\n")[number % 4])
    return client


def still_open(clients):
    """Those that the server has not closed; each says one byte more."""
    left = []
    for client in clients:
        try:
            while True:
                if not client.recv(4096):
                    break
        except BlockingIOError:
            with contextlib.suppress(OSError):
                client.send(b"x")
            left.append(client)
        except OSError:
            pass
    return left


@test
def slow_loris():
    """Two thousand connections that say a byte at a time: others are served, they are dropped"""
    many_files()
    patience = 15
    with Pair(limits={"login-timeout": f"{patience}s"}, logins={"bob": {}},
              log_level="warning") as pair, contextlib.ExitStack() as sockets:
        pair.deliver(MESSAGE)
        pair.settled()
        clients = [sockets.enter_context(loris(pair.port, number)) for number in range(LORIS)]
        busy = select.poll()
        for client in clients:
            busy.register(client, select.POLLIN)
        wait_for("all are greeted", lambda: len(busy.poll(0)) == LORIS)
        begin = time.monotonic()
        longest = max(visit(pair, "bob") for _ in range(20))
        left = still_open(clients)
        assert len(left) > LORIS // 2, f"only {len(left)} were there while others were served"
        while left:
            assert time.monotonic() < begin + patience + tap.PATIENCE, f"{len(left)} are still there"
            time.sleep(0.2)  # between two bytes of each
            longest = max(longest, visit(pair, "bob"))
            left = still_open(left)
        print(f"# {LORIS} connections; the longest visit meanwhile took {longest:.2f} s")
        visit(pair, "bob")


if sys.argv[1:2] == ["stuff"]:
    asyncio.run(stuff(int(sys.argv[2]), sys.argv[3:] == ["proxied"]))
else:
    tap.main()
