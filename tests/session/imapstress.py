#!/usr/bin/env python3
"""Many clients do anything to the same folders at random; now and then all stop and must agree.

Each client checks all that imapclient.py checks. Besides: a UID shows one message for ever, to
every client; at a checkpoint all see the same UIDs, flags and sizes, and these are what is there.
Nothing is ever lost: what was appended or copied is in a folder, or where EXPUNGE puts it.

POSTERN_TEST_STRESS sets the seconds of each run (default 6), POSTERN_TEST_SEED the choices.
POSTERN_TEST_IMAP=dovecot runs it against the oracle.
"""

import contextlib
import os
import random
import re
import threading
import time
from collections import Counter
from functools import partial

import tap
from imapclient import Literal, numbers_of
from imapservers import SERVER, server
from tap import PATIENCE, Skip, test

SECONDS = float(os.environ.get("POSTERN_TEST_STRESS", "6"))
SEED = int(os.environ.get("POSTERN_TEST_SEED", "2026"))
CLIENTS = 6
FOLDERS = ("INBOX", "Second")
FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Deleted", "work", "Later")
FEW, MANY = 8, 40  # messages in a folder: below the one all append, above the other none does
# What an answer NO may say when another client has just taken the messages away …
RACES = ("EXPUNGEISSUED", "NONEXISTENT")
# … and when Graph cannot be reached.
FAILURES = ("UNAVAILABLE", "LIMIT", "INUSE", "SERVERBUG")


class Truth:
    """What all clients together know. Guarded by its lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tokens = 0
        self.subject = {}   # (folder, UIDVALIDITY, UID) -> the message's subject
        self.fixed = {}     # … -> (size, date)
        self.made = Counter()   # by subject: copies that a success told of
        self.maybe = Counter()  # … that may be there: nobody heard how it ended
        self.untold = 0     # copies that may have been made

    def token(self):
        with self.lock:
            self.tokens += 1
            return f"token{self.tokens}"

    def same(self, table, place, value):
        with self.lock:
            known = table.setdefault(place, value)
        assert known == value, f"{place} was {known!r} and is {value!r}"


class Player(threading.Thread):
    """One client that does things at random until it is told to stop."""

    def __init__(self, run, number):
        super().__init__(name=f"client {number}")
        self.run_, self.truth = run, run.truth
        self.random = random.Random(f"{run.seed} {number}")
        self.client = run.where.login("user0")
        self.history = []
        self.failure = None

    # -- a turn -------------------------------------------------------------------------------

    def run(self):
        try:
            while True:
                if self.run_.pausing.is_set():
                    self.checkpoint()
                if self.run_.over.is_set():
                    break
                self.turn()
            self.client.logout()
        except Exception as failure:  # shown by the main thread
            self.failure = failure
            self.run_.stop()

    def turn(self):
        if not self.client.selected:
            return self.select()
        actions = [(self.fetch, 6), (self.store, 6), (self.search, 3), (self.noop, 2),
                   (self.append, 4), (self.copy, 2), (self.move, 2), (self.expunge, 2),
                   (self.idle, 1), (self.select, 1), (self.close, 1), (self.status, 1),
                   (self.pipeline, 1)]
        return self.random.choices(*zip(*actions))[0]()

    def command(self, *parts):
        self.history.append(str(parts[0]))
        return self.checked(self.client.command(*parts))

    def checked(self, reply):
        allowed = RACES + (FAILURES if self.run_.faults else ())
        assert reply.status == "OK" or (
            reply.status == "NO" and any(map(reply.code_is, allowed))), reply
        return reply

    def numbers(self):
        """A set of sequence numbers, or None."""
        exists = self.client.selected.exists
        if not exists:
            return None
        low = self.random.randint(1, exists)
        return self.random.choice([
            str(low), f"{low}:{min(exists, low + self.random.randint(0, 5))}", "1:*", "*",
            ",".join(str(self.random.randint(1, exists)) for _ in range(3))])

    def uids(self):
        known = [m["UID"] for m in self.client.selected.messages if "UID" in m]
        if not known:
            return None
        chosen = sorted(self.random.sample(known, min(len(known), self.random.randint(1, 4))))
        return ",".join(map(str, chosen))

    def target(self):
        """("UID ", a set) or ("", a set), or None."""
        uid = self.random.random() < 0.5
        chosen = self.uids() if uid else self.numbers()
        return chosen and ("UID " if uid else "", chosen)

    # -- what it does -------------------------------------------------------------------------

    def select(self):
        name = self.random.choice(FOLDERS)
        self.command(f'{self.random.choice(["SELECT"] * 4 + ["EXAMINE"])} "{name}"')

    def close(self):
        self.command(self.random.choice(["CLOSE", "UNSELECT"]))

    def noop(self):
        self.command(self.random.choice(["NOOP", "CHECK"]))

    def status(self):
        name = self.random.choice(FOLDERS)
        self.command(f'STATUS "{name}" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)')

    def append(self):
        if self.client.selected.exists > MANY:
            return
        token, name = self.truth.token(), self.random.choice(FOLDERS)
        flags = " ".join(self.random.sample(FLAGS[:3], self.random.randint(0, 2)))
        message = (f"Subject: {token}\r\nMessage-ID: <{token}@example.com>\r\n\r\n".encode()
                   + b"text\r\n" * self.random.randint(0, 50))
        reply = self.command(f'APPEND "{name}" ({flags}) ',
                             Literal(message, sync=self.random.random() < 0.5))
        with self.truth.lock:
            (self.truth.made if reply.status == "OK" else self.truth.maybe)[token] += 1
        if reply.code_is("APPENDUID"):
            self.truth.same(self.truth.subject, (name, int(reply.code[1]), int(reply.code[2])),
                            token)

    def fetch(self):
        target = self.target()
        if target:
            items = self.random.choice([
                "(UID FLAGS)", "(UID RFC822.SIZE INTERNALDATE ENVELOPE)", "(UID BODY.PEEK[])",
                "(UID BODY[TEXT]<0.10>)", "(UID BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (SUBJECT)])"])
            self.learn(self.command(f"{target[0]}FETCH {target[1]} {items}"))

    def learn(self, reply):
        """Compares what was told of messages with what was ever told of them."""
        box = self.client.selected
        for number, items in reply.fetched().items():
            if "UID" not in items or any(r.kind == "EXPUNGE" for r in reply.untagged):
                continue
            place = (box.name.strip('"'), box.uidvalidity, items["UID"])
            text = (items.get("BODY[]") or items.get("BODY[HEADER.FIELDS (SUBJECT)]") or b"")
            subject = re.search(rb"Subject: (\S+)", text)
            if subject or "ENVELOPE" in items:
                found = subject[1] if subject else items["ENVELOPE"][1]
                if not found and SERVER == "dovecot":
                    continue  # it shows nothing of what has just been expunged
                self.truth.same(self.truth.subject, place, found.decode())
            if "RFC822.SIZE" in items:
                self.truth.same(self.truth.fixed, place,
                                (items["RFC822.SIZE"], items["INTERNALDATE"]))

    def store(self):
        target = self.target()
        if target and not self.client.selected.read_only:
            flags = " ".join(self.random.sample(FLAGS, self.random.randint(0, 3)))
            how = self.random.choice(["FLAGS", "+FLAGS", "+FLAGS", "-FLAGS"])
            silent = self.random.choice(["", ".SILENT"])
            self.command(f"{target[0]}STORE {target[1]} {how}{silent} ({flags})")

    def search(self):
        keys = self.random.choice(["ALL", "DELETED", "UNSEEN FLAGGED", "NOT KEYWORD work",
                                   "SUBJECT token1", "SINCE 1-Jan-2020", "LARGER 200",
                                   "OR SEEN ANSWERED", "BODY text"])
        self.command(self.random.choice(["", "UID "]) + "SEARCH " + keys)

    def copy(self):
        target = self.target()
        if target and self.client.selected.exists <= MANY:
            self.transfer("COPY", *target)

    def move(self):
        target = self.target()
        if target and not self.client.selected.read_only:
            self.transfer("MOVE", *target)

    def transfer(self, verb, uid, chosen):
        """COPYUID says which message is where now."""
        here, name = self.client.selected, self.random.choice(FOLDERS)
        if verb == "MOVE" and name == here.name.strip('"'):
            return
        wanted = len(set(numbers_of(chosen.replace("*", str(here.exists)))))
        told = 0
        reply = self.command(f'{uid}{verb} {chosen} "{name}"')
        for response in [*reply.untagged, reply.end]:
            if response.code_is("COPYUID"):
                validity, source, target = response.code[1:]
                told = self.moved(verb, (here.name.strip('"'), here.uidvalidity), source,
                                  (name, int(validity)), target)
        if verb == "COPY":
            # What was gone before, or was taken away from there at once, is not told; of one that
            # failed something may be left for later, or was taken away before it was undone.
            with self.truth.lock:
                self.truth.untold += wanted - told

    def moved(self, verb, here, source, there, target):
        source, target = numbers_of(source), numbers_of(target)
        assert len(source) == len(target), f"COPYUID {source} {target}"
        for old, new in zip(source, target):
            with self.truth.lock:
                subject = self.truth.subject.get((*here, old))
                if verb == "COPY":
                    self.truth.made[subject] += 1
            if subject:
                self.truth.same(self.truth.subject, (*there, new), subject)
        return len(source)

    def expunge(self):
        if self.client.selected.read_only or self.client.selected.exists < FEW:
            return
        uids = self.uids()
        self.command(f"UID EXPUNGE {uids}" if uids and self.random.random() < 0.5 else "EXPUNGE")

    def idle(self):
        self.history.append("IDLE")
        command = self.client.idle()
        while self.client.ready(self.random.uniform(0, 0.2)) and self.random.random() < 0.9:
            self.client.response()
        self.checked(self.client.done(command))

    def pipeline(self):
        commands = ["UID FETCH 1:* (FLAGS)", "NOOP", "UID SEARCH ALL", "CAPABILITY"]
        self.random.shuffle(commands)
        self.history.append("pipelined: " + ", ".join(commands))
        for begun in [self.client.begin(command) for command in commands]:
            self.checked(self.client.finish(begun))

    # -- checkpoints --------------------------------------------------------------------------

    def checkpoint(self):
        """Tells what it sees when nobody does anything."""
        self.run_.barrier.wait(PATIENCE)  # all have stopped
        self.run_.barrier.wait(PATIENCE)  # the server has looked for news
        seen = None
        if self.client.selected:
            self.command("NOOP")
            reply = self.command("UID FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE "
                                 "BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            self.learn(reply)
            seen = {items["UID"]: ({f.lower() for f in items["FLAGS"]} - {"\\recent"},
                                   items["RFC822.SIZE"]) for items in reply.fetched().values()}
            assert len(seen) == self.client.selected.exists, "FETCH 1:* told of other messages"
        self.run_.views[self] = seen and (self.client.selected.name, seen)
        self.run_.barrier.wait(PATIENCE)  # all have told
        self.run_.barrier.wait(PATIENCE)  # all was compared


class Run:
    """Players, and the one who stops and compares them."""

    def __init__(self, where, seed, faults=None):
        self.where = where
        self.seed = seed
        self.faults = faults
        self.truth = Truth()
        self.pausing = threading.Event()
        self.over = threading.Event()
        self.barrier = threading.Barrier(CLIENTS + 1)
        self.views = {}
        self.meddling = threading.Lock()  # not while all are compared
        where.folder("user0", FOLDERS[1])
        self.players = [Player(self, number) for number in range(CLIENTS)]

    def stop(self):
        self.over.set()
        self.barrier.abort()

    def others(self):
        """Changes the folders behind everybody's back, as Outlook would."""
        moments = random.Random(f"{self.seed} others")
        while not self.over.wait(0.1):
            with self.meddling:
                if not self.pausing.is_set():
                    self.where.meddle(self.truth, moments)

    def play(self, seconds):
        end = time.monotonic() + seconds
        meddler = threading.Thread(target=self.others)
        for thread in (*self.players, meddler):
            thread.start()
        try:
            while time.monotonic() < end and not self.over.is_set():
                if self.faults:
                    self.faults(True)
                self.over.wait(seconds / 4)
                if self.faults:
                    self.faults(False)
                self.check()
        except threading.BrokenBarrierError:
            pass
        finally:
            self.over.set()
            self.barrier.abort()
            for thread in (*self.players, meddler):
                thread.join()
        for player in self.players:
            if player.failure and not isinstance(player.failure, threading.BrokenBarrierError):
                last = "\n".join(player.history[-8:])
                raise AssertionError(f"seed {self.seed}, {player.name} after\n{last}\n"
                                     f"{player.failure!r}") from player.failure
        print(f"# seed {self.seed}: {sum(len(p.history) for p in self.players)} commands")

    def check(self):
        """A checkpoint."""
        with self.meddling:
            self.pausing.set()
        self.barrier.wait(PATIENCE)
        with self.where.login("user0") as client:
            # Twice: the first may share a round that began before the last change from outside.
            for name in FOLDERS * 2:
                client.examine(name)
        self.barrier.wait(PATIENCE)
        self.barrier.wait(PATIENCE)
        try:
            self.compare()
        except AssertionError:
            self.over.set()
            raise
        finally:
            self.pausing.clear()
            if not self.over.is_set():
                self.barrier.wait(PATIENCE)

    def compare(self):
        with self.where.login("user0") as client:
            for name in FOLDERS:
                client.examine(name)
                fetched = client.uid_fetch("1:*", "(FLAGS RFC822.SIZE)")
                truth = {uid: ({f.lower() for f in items["FLAGS"]} - {"\\recent"},
                               items["RFC822.SIZE"]) for uid, items in fetched.items()}
                for player, view in self.views.items():
                    if view and view[0].strip('"') == name:
                        assert view[1] == truth, (
                            f"seed {self.seed}, {name}: {player.name} sees other things than a "
                            f"new client: {difference(view[1], truth)}")
        self.where.conserved(self.truth)


def difference(one, other):
    return {uid: (one.get(uid), other.get(uid)) for uid in one.keys() | other.keys()
            if one.get(uid) != other.get(uid)}


def graph(where):
    """The folders and messages that Graph has."""
    return where.pair.sandbox.control("GET", "/mailbox?user=user0@example.com")["folders"]


def meddle(where, truth, moments):
    """Delivers, moves, destroys or marks a message on Graph's side."""
    folders = {f["path"]: f["messages"] for f in graph(where) if f["path"] in ("Inbox", "Second")}
    messages = [m for each in folders.values() for m in each]
    if len(messages) < 2 * FEW or moments.random() < 0.3:
        token = truth.token()
        text = f"Subject: {token}\nMessage-ID: <{token}@example.com>\n\ntext\n".encode()
        with truth.lock:
            truth.made[token] += 1
        where.deliver("user0", text, moments.choice(FOLDERS))
        return
    message = moments.choice(messages)
    what, more = moments.choice([("/move", {"folder": moments.choice(["inbox", "Second"])}),
                                 ("/delete", {}), ("/patch", {"isRead": not message["isRead"]})])
    # Somebody may have taken it meanwhile, then this fails.
    with contextlib.suppress(AssertionError):
        where.pair.sandbox.control("POST", what, {"user": "user0@example.com",
                                                  "id": message["id"], **more})
        if what == "/delete":
            with truth.lock:
                truth.made[message["subject"]] -= 1


def conserved(where, truth):
    """In the mailbox is what was made, as often as it was made."""
    found = Counter(m["subject"] for folder in graph(where) for m in folder["messages"])
    with truth.lock:
        known = Counter({subject: count for subject, count in truth.made.items() if subject})
        nameless, maybe = truth.made[None] + truth.untold, truth.maybe
    lost = known - found
    more = sum((found - known - maybe).values())
    assert not lost, f"lost: {lost}"
    assert more <= nameless, f"made of nothing: {found - known - maybe}"


def stress(seed, faults=None, latency_ms=0):
    with server(1) as where:
        if latency_ms:
            where.pair.sandbox.settings(latency_ms=latency_ms)
        where.conserved = where.meddle = lambda *_: None
        if SERVER == "postern":
            where.conserved, where.meddle = partial(conserved, where), partial(meddle, where)
        Run(where, seed, faults and (lambda on: faults(where.pair.sandbox, on))).play(SECONDS)


@test
def without_faults():
    """Random clients, and Graph at its best"""
    stress(SEED)


@test
def with_latency():
    """Random clients, and Graph takes its time"""
    if SERVER == "dovecot":
        raise Skip("not for the oracle")
    stress(SEED + 1, latency_ms=15)


@test
def with_faults():
    """Random clients, and Graph refuses, throttles and hangs up"""
    if SERVER == "dovecot":
        raise Skip("not for the oracle")

    def faults(sandbox, on):
        if not on:
            sandbox.no_faults()
            return
        for number, what in enumerate(({"status": 429, "retry_after": "0.2"}, {"status": 503},
                                       {"reset": True}, {"reset": True, "after": True})):
            sandbox.fault("users/", skip=5 + 7 * number, count=2, **what)

    stress(SEED + 2, faults)


tap.main(at_once=3)
