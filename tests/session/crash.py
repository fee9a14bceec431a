#!/usr/bin/env python3
"""kill -9 at random moments under load: no UID lost, changed or given twice.

POSTERN_TEST_KILLS sets how many times (default 15; CI uses 200), POSTERN_TEST_SEED the moments.
"""

import os
import random
import threading
import time

import tap
from connection import Closed
from harness import Pair, on_the_wire
from staterows import check_rows
from tap import test

KILLS = int(os.environ.get("POSTERN_TEST_KILLS", "15"))
SEED = int(os.environ.get("POSTERN_TEST_SEED", "2026"))
CLIENTS = 4
LONGEST_LIFE = 0.6  # seconds from ready to kill


class Load:
    """Clients that read and delete, and a postman who delivers, until postern dies."""

    def __init__(self, pair, seed):
        self.pair = pair
        self.random = random.Random(seed)
        self.stop = threading.Event()
        self.order = []     # of each session: the UIDLs in the order of their numbers
        self.sent = {}      # by UIDL: the bytes that RETR gave
        self.wrong = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.client, args=(self.random.random(),))
                        for _ in range(CLIENTS)]
        self.threads.append(threading.Thread(target=self.postman))
        for thread in self.threads:
            thread.start()

    def client(self, seed):
        moments = random.Random(seed)
        while not self.stop.is_set():
            try:
                with self.pair.pop3() as client:
                    client.login()
                    self.session(client, moments)
            except (Closed, OSError):
                pass
            except AssertionError as failure:
                # -ERR while it is being killed is an answer; anything else is not.
                if "-ERR" not in str(failure) and not self.stop.is_set():
                    self.wrong.append(failure)

    def session(self, client, moments):
        table = client.uidl()
        with self.lock:
            self.order.append([table[n] for n in sorted(table)])
        for number in moments.sample(sorted(table), min(3, len(table))):
            body = client.retr(number)
            with self.lock:
                if self.sent.setdefault(table[number], body) != body:
                    self.wrong.append(f"other bytes for {table[number]}")
        if table and moments.random() < 0.3:
            client.ok(f"DELE {moments.choice(sorted(table))}")
        client.quit()

    def postman(self):
        while not self.stop.is_set():
            self.pair.deliver(b"Subject: under load\n\n%d\n" % self.random.getrandbits(64))
            self.stop.wait(0.05)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong[:3]


def check_order(orders):
    """Two messages stand in the same order in every session that showed both."""
    before = {}
    for order in orders:
        for earlier, later in zip(order, order[1:]):
            assert (later, earlier) not in before, f"{earlier} and {later} changed places"
            before[earlier, later] = True


@test
def kills():
    """kill -9 under load"""
    moments = random.Random(SEED)
    known = {"numbers": {}, "following": {}}
    orders = []
    with Pair() as pair:
        pair.deliver(*[b"Subject: %d\n\n%s" % (i, b"text\n" * i) for i in range(40)])
        pair.settled()
        for number in range(KILLS):
            load = Load(pair, moments.random())
            time.sleep(moments.uniform(0, LONGEST_LIFE))  # the moment is what is random
            pair.postern.process.kill()
            load.end()
            check_rows(known, pair)
            orders += load.order
            check_order(orders)
            pair.start()
            if number % 5 == 4:
                check_whole(pair)
        check_whole(pair)


def check_whole(pair):
    """All mail of the inbox is there, once, with its bytes."""
    with pair.pop3() as client:
        client.login()
        table = client.uidl()
        assert len(set(table.values())) == len(table)
        assert len(table) == len(pair.sandbox.inside("Inbox"))
        client.quit()


@test
def kill_in_first_sync():
    """kill -9 in the first sync, again and again: it goes on where it stopped"""
    moments = random.Random(SEED + 1)
    with Pair(serve=False, sandbox=("--generate", "Inbox=3000")) as pair:
        pair.sandbox.settings(page_cap=100, latency_ms=10)
        known = {"numbers": {}, "following": {}}
        for _ in range(max(3, KILLS // 5)):
            pair.start()
            time.sleep(moments.uniform(0, 0.4))  # the moment is what is random
            pair.postern.process.kill()
            check_rows(known, pair)
        pair.sandbox.settings(page_cap=0, latency_ms=0)
        pair.start()
        with pair.pop3() as client:
            assert client.login().stat()[0] == 3000
            assert len(set(client.uidl().values())) == 3000
            client.quit()
        pair.stop()
        check_rows(known, pair)


@test
def kill_in_deletes():
    """kill -9 while QUIT deletes: the rest is still there, and what is told is true"""
    with Pair() as pair:
        messages = [b"Subject: %d\n\nx\n" % i for i in range(40)]
        pair.deliver(*messages)
        pair.settled()
        pair.sandbox.settings(latency_ms=30)
        client = pair.pop3()
        client.login()
        client.send(b"".join(b"DELE %d\r\n" % n for n in range(1, 41)) + b"QUIT\r\n")
        tap.wait_for("some deletes", lambda: len(pair.sandbox.requests("/move$", "POST")) > 8)
        pair.postern.process.kill()
        client.close()
        pair.sandbox.settings(latency_ms=0)
        pair.start()
        check_whole(pair)
        assert sum(map(len, pair.sandbox.folders().values())) == 40


@test
def damaged_state():
    """A damaged database or cache file is set aside and rebuilt, with the same UIDLs"""
    with Pair() as pair:
        messages = [b"Subject: %d\n\n%s" % (i, b"text\n" * 500) for i in range(20)]
        pair.deliver(*messages)
        with pair.pop3() as client:
            before = client.login().uidl()
            for number in before:
                client.retr(number)
            client.quit()
        pair.stop()
        for path in (pair.work / "state").rglob("*"):
            if path.is_file() and path.stat().st_size > 100:
                with path.open("r+b") as file:
                    file.seek(40)
                    file.write(b"\xde\xad\xbe\xef" * 10)
        pair.start()
        with pair.pop3() as client:
            client.login()
            assert client.uidl() == before
            for number, message in enumerate(messages, 1):
                assert client.retr(number) == on_the_wire(message)
            client.quit()
        pair.log_has("(?i)damaged|corrupt|malformed|set aside")


tap.main()
