#!/usr/bin/env python3
"""What Postern costs: requests to Graph, wall time at a simulated latency, memory.

    make bench                    all of it, a minute or two
    tests/bench/bench.py idle     those whose name contains "idle"; -l lists the names

The real postern runs before the real postern-sandbox, both on this machine. The figures are
printed beside the goals of ARCHITECTURE.md. A goal that is missed is marked and no failure: the
machine may be slow. What does not work at all, or breaks one of Graph's rules, is a failure.
"""

import math
import resource
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "session"))

from harness import Pair, most_in_flight, trusting  # noqa: E402

LARGE = 100_000
IDLE = 1_000
IDLE_MAILBOX = 5_000  # messages in the folder that the idle connections have open
MIB = 1 << 20

_benches = []


def bench(function):
    _benches.append(function)
    return function


# A first sync of the largest folder may take longer than PASS waits by default.
PATIENT = {"first-sync-wait": "10m"}


def quiet(**options):
    """A Pair as an installation would run: the log at its default level."""
    options["limits"] = {**PATIENT, **options.get("limits", {})}
    return Pair(log_level="info", **options)


def message(number, size=0):
    text = b"Subject: number %d\nFrom: bench@example.com\n\n" % number
    line = b"A line of a message that is only here to have a size.\n"
    return text + line * max(1, (size - len(text)) // len(line))


def session(pair, work=None):
    """A whole POP3 session: STAT, UIDL, and what `work` does with the client."""
    with pair.pop3() as client:
        client.login()
        count = client.stat()[0]
        assert len(client.uidl()) == count
        if work:
            work(client, count)
        client.quit()
    return count


def memory(pair, field):
    """VmRSS (now) or VmHWM (the most so far) of postern, in bytes."""
    status = Path(f"/proc/{pair.postern.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines()
                if line.startswith(field + ":"))


def need_descriptors(count):
    """Both ends of each connection: here, and in the postern that inherits the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard >= count, (
        f"this needs {count} open files; raise the limit (ulimit -Hn is {hard})")
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


# -- rows of the table ------------------------------------------------------------------------


def at_most(what, value, goal, unit="", form="{:.0f}"):
    verdict = "" if value <= goal else "  MISSED"
    return what, form.format(value) + unit, f"<= {form.format(goal)}{unit}{verdict}"


def plain(what, value, unit="", form="{:.1f}"):
    return what, form.format(value) + unit, ""


# -- what is measured ---------------------------------------------------------------------------


@bench
def poll():
    """requests of a poll with nothing new, and of one new message polled and fetched"""
    with quiet() as pair:
        pair.deliver(*(message(i) for i in range(20)))
        session(pair)
        pair.sandbox.forget()
        assert session(pair) == 20
        yield at_most("second session, nothing new: requests", len(pair.sandbox.requests()), 1)

        pair.deliver(message(20))
        pair.sandbox.forget()
        assert session(pair, lambda client, count: client.retr(count)) == 21
        yield at_most("one new message, polled and fetched: requests",
                      len(pair.sandbox.requests()), 3)


@bench
def first_opening():
    """requests of the first opening of a folder"""
    for count in (1_000, 5_000):
        with quiet(sandbox=("--generate", f"inbox={count}")) as pair:
            begin = time.monotonic()
            assert session(pair) == count
            yield at_most(f"first opening of {count:,} messages: requests",
                          len(pair.sandbox.requests()), 2 * math.ceil(count / 500) + 3)
            yield plain(f"first opening of {count:,} messages: time", time.monotonic() - begin,
                        " s")


@bench
def retrieve():
    """wall time of RETR of 200 messages of 20 KB at 100 ms latency, against the floor"""
    count, size, latency_ms, abreast = 200, 20_000, 100, 4
    with quiet() as pair:
        pair.deliver(*(message(i, size) for i in range(count)))
        session(pair)
        pair.sandbox.settings(latency_ms=latency_ms)
        pair.sandbox.forget()
        with pair.pop3() as client:
            client.login()
            begin = time.monotonic()
            for number in range(1, count + 1):
                assert b"number %d\r\n" % (number - 1) in client.retr(number)
            took = time.monotonic() - begin
            client.quit()
        downloads = pair.sandbox.requests(r"/\$value")
        assert len(downloads) == count, f"{len(downloads)} downloads of {count} messages"
        floor = count * latency_ms / 1000 / abreast
        yield plain(f"RETR of {count} x 20 KB at {latency_ms} ms: time", took, " s", "{:.2f}")
        yield at_most(f"RETR of {count} x 20 KB at {latency_ms} ms: time / floor", took / floor,
                      1.3, form="{:.2f}")
        yield at_most("downloads in flight", most_in_flight(downloads), abreast)


@bench
def large():
    """a folder of 100,000 messages: first sync, then known from before"""
    with quiet(sandbox=("--generate", f"inbox={LARGE}")) as pair:
        begin = time.monotonic()
        assert session(pair) == LARGE
        yield plain(f"first opening of {LARGE:,}: time", time.monotonic() - begin, " s")
        yield plain(f"first opening of {LARGE:,}: peak RSS", memory(pair, "VmHWM") / MIB, " MB",
                    "{:.0f}")

        # Known to the running service …
        pair.sandbox.forget()
        begin = time.monotonic()
        session(pair)
        yield at_most(f"STAT and UIDL of {LARGE:,}: requests", len(pair.sandbox.requests()), 1)
        yield plain(f"STAT and UIDL of {LARGE:,}: time", time.monotonic() - begin, " s", "{:.2f}")

        # … and to its state directory only.
        pair.stop()
        pair.sandbox.forget()
        pair.start()
        begin = time.monotonic()
        assert session(pair) == LARGE
        yield at_most(f"STAT and UIDL of {LARGE:,} after a restart: requests",
                      len(pair.sandbox.requests()), 1)
        yield plain(f"STAT and UIDL of {LARGE:,} after a restart: time", time.monotonic() - begin,
                    " s", "{:.2f}")
        yield at_most(f"STAT and UIDL of {LARGE:,} after a restart: peak RSS",
                      memory(pair, "VmHWM") / MIB, 200, " MB")


def idle_connections(what, tls):
    need_descriptors(2 * IDLE + 200)
    listener = {"pop": {"tls": "implicit" if tls else "none"}}
    limits = {"max-connections": IDLE + 10, "max-connections-per-address": IDLE + 10,
              "max-connections-per-login": IDLE + 10}
    mailbox = ("--generate", f"inbox={IDLE_MAILBOX}")
    with quiet(listeners=listener, limits=limits, tls=tls, sandbox=mailbox) as pair:
        context = trusting(pair.certificate) if tls else None

        def connect():
            return pair.pop3(tls=context).login()

        clients = [connect() for _ in range(10)]  # what is made once is not a connection's
        before = memory(pair, "VmRSS")
        clients += [connect() for _ in range(IDLE - len(clients))]
        each = (memory(pair, "VmRSS") - before) / (IDLE - 10)
        for client in clients:
            client.ok("NOOP")
        yield at_most(f"{IDLE:,} idle connections, {what}: RSS of each", each / 1024, 64, " KB",
                      "{:.1f}")
        for client in clients:
            client.quit()


@bench
def idle_plain():
    """memory of idle logged-in connections without TLS"""
    yield from idle_connections("plain", tls=False)


@bench
def idle_tls():
    """memory of idle logged-in connections with TLS"""
    yield from idle_connections("TLS", tls=True)


def run(function):
    """Prints the figures as they come; false if the bench broke."""
    try:
        for what, value, goal in function():
            print(f"{what:<66} {value:>12}  {goal}", flush=True)
        return True
    except Exception:  # the other figures are still wanted
        print(f"FAILED: {function.__name__}")
        traceback.print_exc(file=sys.stdout)
        return False


def main():
    wanted = [word for word in sys.argv[1:] if word != "-l"]
    chosen = [f for f in _benches if all(word in f.__name__ for word in wanted)]
    if "-l" in sys.argv[1:]:
        for function in chosen:
            print(f"{function.__name__:<16}{function.__doc__}")
        return
    print(f"{'figure':<66} {'measured':>12}  goal")
    sys.exit(0 if all([run(function) for function in chosen]) else 1)


main()
