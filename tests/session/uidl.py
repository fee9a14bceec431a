#!/usr/bin/env python3
"""UIDL for ever: whatever Exchange's numbers are, and when the state is lost."""

import shutil
import time

import tap
from harness import MAILBOX, Pair
from tap import test, wait_for

MODES = ("normal", "absent", "shuffled", "duplicate")


def messages(first, count):
    return [b"Subject: number %d\n\ntext\n" % i for i in range(first, first + count)]


def uidl(pair):
    """{subject: UIDL} as a session sees it."""
    with pair.pop3() as client:
        client.login()
        table = client.uidl()
        named = {client.retr(number).split(b"\r\n")[0]: value for number, value in table.items()}
        client.quit()
    assert len(set(table.values())) == len(table) == len(named), table
    return named


def delete(pair, subject):
    with pair.pop3() as client:
        client.login()
        for number in client.uidl():
            if client.retr(number).startswith(subject + b"\r\n"):
                client.ok(f"DELE {number}")
        client.quit()


def lose_state(pair):
    """The directory goes, and a second passes: UIDVALIDITY counts seconds."""
    pair.stop()
    shutil.rmtree(pair.work / "state")
    second = int(time.time())
    wait_for("the next second", lambda: int(time.time()) > second)
    pair.start()


def only_true(before, after):
    """Nothing that was once told of one message is told of another now."""
    owner = {value: subject for subject, value in before.items()}
    for subject, value in after.items():
        assert owner.get(value, subject) == subject, f"{value} was {owner[value]}, is {subject}"


def stable(mode):
    """Sessions, restarts, deletes and new mail; then a loss of the state."""
    with Pair(serve=False) as pair:
        pair.sandbox.settings(article=mode)
        pair.deliver(*messages(0, 8))
        pair.start()
        told = uidl(pair)
        delete(pair, b"Subject: number 3")
        pair.deliver(*messages(8, 4))
        now = uidl(pair)
        assert {s: told.get(s, v) for s, v in now.items()} == now, "changed by new mail"
        only_true(told, now)
        pair.restart()
        assert uidl(pair) == now, "changed by a restart"
        told.update(now)
        lose_state(pair)
        pair.deliver(*messages(12, 2))
        after = uidl(pair)
        assert len(after) == 13
        only_true(told, after)
        pair.restart()
        assert uidl(pair) == after, "changed after the loss"


for each in MODES:
    tap.add(f"Numbers of Exchange: {each}", lambda mode=each: stable(mode))


@test
def kept_by_mark():
    """Exact numbers outlive the loss of the state, those of deleted mail are not given again"""
    with Pair() as pair:
        pair.deliver(*messages(0, 6))
        told = uidl(pair)
        delete(pair, b"Subject: number 2")
        delete(pair, b"Subject: number 5")
        lose_state(pair)
        pair.deliver(*messages(6, 2))
        after = uidl(pair)
        for subject, value in after.items():
            assert told.get(subject, value) == value, subject
        only_true(told, after)


@test
def turned_bad():
    """Numbers that stop rising: what was told stays true, and is marked before more is told"""
    with Pair() as pair:
        pair.deliver(*messages(0, 5))
        told = uidl(pair)
        pair.sandbox.forget()
        pair.sandbox.settings(article="absent")
        pair.deliver(*messages(5, 3))
        now = uidl(pair)
        assert {s: now[s] for s in told} == told
        marks = pair.sandbox.requests("/mailFolders/", "PATCH")
        assert marks and all(r["status"] == 200 for r in marks), marks
        told.update(now)
        lose_state(pair)
        only_true(told, uidl(pair))


@test
def read_only_mark():
    """A read-only login marks nothing, and after a loss nothing false is told"""
    for mode in MODES:
        with Pair(logins={"alice": {"read-only": "yes"}}, serve=False) as pair:
            pair.sandbox.settings(article=mode)
            ids = pair.deliver(*messages(0, 6))
            pair.start()
            told = uidl(pair)
            pair.sandbox.control("POST", "/delete", {"user": MAILBOX, "id": ids[2]})
            lose_state(pair)
            pair.deliver(*messages(6, 2))
            only_true(told, uidl(pair))
            written = [r for r in pair.sandbox.requests() if r["method"] != "GET"]
            assert not written, written


tap.main()
