#!/usr/bin/env python3
"""What Postern costs: requests to Graph, wall time at a simulated latency, memory.

    make bench                    all of it, a minute or two
    tests/bench/bench.py idle     those whose name contains "idle"; -l lists the names

The real postern runs before the real postern-sandbox, both on this machine. The figures are
printed beside the goals of ARCHITECTURE.md. A goal that is missed is marked and no failure: the
machine may be slow. What does not work at all, or breaks one of Graph's rules, is a failure.
"""

import math
import os
import resource
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "session"))

from harness import IMAP, Pair, most_in_flight, trusting  # noqa: E402

LARGE = 100_000
IDLE = 1_000
LATENCY = 100  # ms to Graph, of the benches of IMAP
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


# -- IMAP -----------------------------------------------------------------------------------------


def quiet_imap(count=0, **options):
    """A Pair that speaks IMAP, its inbox known, Graph 100 ms away."""
    if count:
        options["sandbox"] = ("--generate", f"inbox={count}")
    return quiet(listeners=IMAP, top="poll-interval = 15s", **options)


def far(pair):
    """From now on Graph takes 100 ms, and requests are counted."""
    pair.sandbox.settings(latency_ms=LATENCY)
    pair.sandbox.forget()


def session_of_imap(pair):
    with pair.imap() as client:
        client.login().select()
        client.logout()


def timed(function, *arguments):
    begin = time.monotonic()
    result = function(*arguments)
    return time.monotonic() - begin, result


def requests(what, pair, goal):
    return at_most(f"{what}: requests", len(pair.sandbox.requests()), goal)


@bench
def imap_select():
    """IMAP: first SELECT of 5,000 messages, and again"""
    with quiet_imap(5_000, serve=False) as pair:
        far(pair)
        pair.start()
        with pair.imap() as client:
            took, _ = timed(lambda: client.login().select())
            yield requests("IMAP, first SELECT of 5,000", pair, 2 * 10 + 3 + 1)
            yield plain("IMAP, first SELECT of 5,000: time", took, " s")
            client.logout()
        pair.sandbox.forget()
        with pair.imap() as client:
            took, _ = timed(lambda: client.login().select())
            yield requests("IMAP, SELECT again", pair, 1)
            yield plain("IMAP, SELECT again: time", took, " s", "{:.2f}")
            client.logout()


@bench
def imap_headers():
    """IMAP: envelopes and header fields of 1,000 messages"""
    for items in ("ENVELOPE", "BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)]"):
        with quiet_imap(1_000) as pair, pair.imap() as client:
            client.login().select()
            far(pair)
            took, got = timed(client.fetch, "1:*", f"({items})")
            assert len(got) == 1_000
            yield requests(f"IMAP, {items.split(' ')[0]} of 1,000", pair, 4)
            yield plain(f"IMAP, {items.split(' ')[0]} of 1,000: time", took, " s", "{:.2f}")
            client.logout()


@bench
def imap_bodies():
    """IMAP: 200 bodies of 20 KB"""
    with quiet_imap() as pair, pair.imap() as client:
        pair.deliver(*(message(i, 20_000) for i in range(200)))
        client.login().select()
        far(pair)
        took, got = timed(client.fetch, "1:*", "(BODY.PEEK[])")
        assert len(got) == 200
        yield requests("IMAP, 200 bodies", pair, 200)
        yield at_most("IMAP, 200 bodies: time / floor", took / (200 * LATENCY / 4000), 1.3,
                      form="{:.2f}")
        client.logout()


@bench
def imap_writes():
    """IMAP: STORE, MOVE and EXPUNGE of 200 messages"""
    with quiet_imap() as pair, pair.imap() as client:
        pair.deliver(*(message(i) for i in range(200)))
        pair.sandbox.control("POST", "/folders", {"user": "alice@example.com", "path": "There"})
        client.login().select("There")
        client.select()
        far(pair)
        floor = 200 * LATENCY / 4000
        for what in ("STORE 1:* +FLAGS (\\Flagged)", "MOVE 1:* There"):
            took, _ = timed(client.ok, what)
            yield at_most(f"IMAP, {what.split(' ')[0]} of 200: time / floor", took / floor, 1.2,
                          form="{:.2f}")
        client.select("There")
        client.ok("STORE 1:* +FLAGS.SILENT (\\Deleted)")
        took, _ = timed(client.ok, "EXPUNGE")
        # Two requests each: in Deleted Items it bears \\Deleted no more.
        yield at_most("IMAP, EXPUNGE of 200: time / floor", took / (2 * floor), 1.2, form="{:.2f}")
        client.logout()


@bench
def imap_status():
    """IMAP: STATUS of 50 folders, LIST with STATUS of 200"""
    with quiet_imap() as pair, pair.imap() as client:
        for number in range(200):
            pair.sandbox.control("POST", "/folders", {"user": "alice@example.com",
                                                      "path": f"Folder {number}"})
        client.login()
        far(pair)
        took, _ = timed(lambda: [client.status(f"Folder {n}", "MESSAGES UNSEEN")
                                 for n in range(50)])
        yield requests("IMAP, STATUS of 50 folders", pair, 5)
        yield plain("IMAP, STATUS of 50 folders: time", took, " s", "{:.2f}")
        client.logout()
        pair.restart()
        pair.sandbox.forget()
        with pair.imap() as other:
            took, _ = timed(other.login().ok, 'LIST "" * RETURN (STATUS (MESSAGES UNSEEN))')
            yield requests("IMAP, LIST with STATUS of 200 folders", pair, 5)
            yield plain("IMAP, LIST with STATUS of 200 folders: time", took, " s", "{:.2f}")
            other.logout()


@bench
def imap_noop():
    """IMAP: a storm of NOOP"""
    with quiet_imap(100) as pair, pair.imap() as client:
        client.login().select()
        far(pair)
        took, _ = timed(lambda: [client.ok("NOOP") for _ in range(2_000)])
        yield requests("IMAP, 2,000 NOOP", pair, math.ceil(took / 15))
        yield plain("IMAP, NOOP: each", took / 2_000 * 1e6, " us", "{:.0f}")
        client.logout()


@bench
def imap_large():
    """IMAP: a folder of 100,000 messages, memory and SELECT again"""
    with quiet_imap(LARGE) as pair:
        session_of_imap(pair)
        pair.restart()  # so that only what is kept is seen, not what a first sync needs
        before = memory(pair, "VmRSS")
        session_of_imap(pair)
        yield plain(f"IMAP, folder of {LARGE:,}: RSS a message",
                    (memory(pair, "VmRSS") - before) / LARGE, " B", "{:.0f}")
        with pair.imap() as client:
            client.login()
            took, _ = timed(client.select)
            yield at_most(f"IMAP, SELECT of {LARGE:,} again: time", took * 1000, 100, " ms")
            sessions = [pair.imap().login() for _ in range(20)]
            before = memory(pair, "VmRSS")
            for session_of in sessions:
                session_of.ok("SELECT INBOX")
            yield plain(f"IMAP, folder of {LARGE:,}: RSS of one more session",
                        (memory(pair, "VmRSS") - before) / 20 / 1024, " KB")
            for session_of in sessions:
                session_of.logout()
            client.logout()


@bench
def imap_idle():
    """IMAP: 1,000 connections in IDLE over TLS"""
    need_descriptors(2 * IDLE + 200)
    limits = {"max-connections": IDLE + 10, "max-connections-per-address": IDLE + 10,
              "max-connections-per-login": IDLE + 10}
    listener = {"imap": {"protocol": "imap", "tls": "implicit"}}
    with quiet(listeners=listener, limits=limits, tls=True, top="poll-interval = 1h",
               sandbox=("--generate", f"inbox={IDLE_MAILBOX}")) as pair:
        context = trusting(pair.certificate)

        def connect():
            client = pair.imap(tls=context).login()
            client.ok("SELECT INBOX")
            client.idle()
            return client

        clients = [connect() for _ in range(10)]
        before = memory(pair, "VmRSS")
        clients += [connect() for _ in range(IDLE - len(clients))]
        yield at_most(f"IMAP, {IDLE:,} in IDLE over TLS: RSS of each",
                      (memory(pair, "VmRSS") - before) / (IDLE - 10) / 1024, 64, " KB", "{:.1f}")
        used = cpu_seconds(pair)
        time.sleep(5)  # what is measured is that nothing happens
        yield at_most(f"IMAP, {IDLE:,} in IDLE: CPU in 5 s", (cpu_seconds(pair) - used) * 1000, 50,
                      " ms")
        for client in clients:
            client.close()


def cpu_seconds(pair):
    """What postern has used of the processors since it started."""
    fields = Path(f"/proc/{pair.postern.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
