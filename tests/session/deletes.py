#!/usr/bin/env python3
"""Deleting: at QUIT, only what was named, and never said to be done when it was not."""

import imaplib

import tap
from harness import MAILBOX, PASSWORD, Pair, mail, most_in_flight, on_the_wire
from tap import test, wait_for


def messages(count):
    return [b"Subject: number %d\n\ntext %d\n" % (i, i) for i in range(count)]


def delete(pair, numbers, **options):
    """A session that deletes these and says QUIT; returns the answer."""
    with pair.pop3(**options) as client:
        client.login()
        for number in numbers:
            client.ok(f"DELE {number}")
        answer = client.command("QUIT")
        client.expect_close()
        return answer


@test
def at_quit():
    """QUIT moves what was deleted, and nothing else, to Deleted Items"""
    with Pair() as pair:
        ids = pair.deliver(*messages(5))
        with pair.pop3() as client:
            client.login()
            client.ok("DELE 2")
            client.ok("DELE 4")
            assert pair.sandbox.inside("Inbox") == ids, "deleted before QUIT"
            client.quit()
        assert sorted(pair.sandbox.inside("Deleted Items")) == sorted([ids[1], ids[3]])
        assert pair.sandbox.inside("Inbox") == [ids[0], ids[2], ids[4]]
        with pair.pop3() as client:
            client.login()
            assert [client.retr(n) for n in (1, 2, 3)] == [
                on_the_wire(messages(5)[i]) for i in (0, 2, 4)]
            client.quit()


@test
def abreast():
    """100 deletes run four abreast, never more"""
    with Pair() as pair:
        pair.deliver(*messages(100))
        pair.settled()
        pair.sandbox.settings(latency_ms=20)
        pair.sandbox.forget()
        assert delete(pair, range(1, 101)).startswith("+OK")
        moves = pair.sandbox.requests("/move$", "POST")
        assert len(moves) == 100
        assert most_in_flight(moves) == 4, most_in_flight(moves)
        assert not pair.sandbox.inside("Inbox") and len(pair.sandbox.inside("Deleted Items")) == 100


@test
def dropped_connection():
    """A dropped connection deletes nothing"""
    with Pair() as pair:
        ids = pair.deliver(*messages(3))
        for leave in ("close", "reset"):
            client = pair.pop3()
            client.login()
            client.ok("DELE 1")
            getattr(client, leave)()
        pair.settled()
        assert pair.sandbox.inside("Inbox") == ids
        assert not pair.sandbox.requests("/move$", "POST")


@test
def hangs_up_after_quit():
    """A client that hangs up after QUIT: the deletes run to the end"""
    with Pair() as pair:
        pair.deliver(*messages(40))
        pair.settled()
        pair.sandbox.settings(latency_ms=50)
        client = pair.pop3()
        client.login()
        client.send(b"".join(b"DELE %d\r\n" % n for n in range(1, 41)))
        for _ in range(40):
            client.line()
        client.send(b"QUIT\r\n")
        wait_for("the first delete", lambda: pair.sandbox.requests("/move$", "POST"))
        client.reset()
        wait_for("all are deleted", lambda: len(pair.sandbox.inside("Deleted Items")) == 40)
        assert not pair.sandbox.inside("Inbox")


@test
def stopped_after_quit():
    """SIGTERM after QUIT: the deletes run to the end within the grace time"""
    with Pair(limits={"grace": "20s"}) as pair:
        pair.deliver(*messages(20))
        pair.settled()
        pair.sandbox.settings(latency_ms=50)
        with pair.pop3() as client:
            client.login()
            client.send(b"".join(b"DELE %d\r\n" % n for n in range(1, 21)) + b"QUIT\r\n")
            wait_for("the first delete", lambda: pair.sandbox.requests("/move$", "POST"))
            pair.stop()
            assert len(pair.sandbox.inside("Deleted Items")) == 20
            for _ in range(20):
                client.line()
            assert client.line().startswith("+OK")


@test
def partial_failure():
    """When some deletes fail QUIT says so, and how many"""
    with Pair() as pair:
        ids = pair.deliver(*messages(6))
        pair.settled()
        pair.sandbox.fault("/move$", method="POST", status=403, count=2, body='{"error":{"code":'
                           '"ErrorAccessDenied","message":"Access is denied."}}')
        answer = delete(pair, range(1, 7))
        assert answer.startswith("-ERR") and "2" in answer, answer
        left = pair.sandbox.inside("Inbox")
        assert len(left) == 2 and len(pair.sandbox.inside("Deleted Items")) == 4
        pair.sandbox.no_faults()
        assert delete(pair, (1, 2)).startswith("+OK")
        assert sorted(pair.sandbox.inside("Deleted Items")) == sorted(ids)


@test
def already_gone():
    """A message that somebody else deleted meanwhile counts as deleted"""
    with Pair() as pair:
        ids = pair.deliver(*messages(3))
        with pair.pop3() as client:
            client.login()
            client.ok("DELE 1")
            client.ok("DELE 2")
            pair.sandbox.control("POST", "/delete", {"user": MAILBOX, "id": ids[0]})
            client.quit()
        assert pair.sandbox.inside("Inbox") == [ids[2]]


@test
def moved_away():
    """A message that somebody moved to another folder stays there"""
    with Pair() as pair:
        ids = pair.deliver(*messages(3))
        with pair.pop3() as client:
            client.login()
            client.ok("DELE 1")
            client.ok("DELE 2")
            pair.sandbox.control("POST", "/move", {"user": MAILBOX, "id": ids[0],
                                                   "folder": "archive"})
            client.quit()
        assert pair.sandbox.inside("Archive") == [ids[0]]
        assert pair.sandbox.inside("Deleted Items") == [ids[1]]


@test
def lost_answer():
    """A delete whose answer was lost is settled by looking, not by repeating"""
    with Pair() as pair:
        ids = pair.deliver(*messages(4))
        pair.settled()
        # "after": Graph does what it was asked, and the answer does not arrive.
        pair.sandbox.fault("/move$", method="POST", reset=True, after=True, count=2)
        assert delete(pair, (1, 2, 3)).startswith("+OK")
        assert sorted(pair.sandbox.inside("Deleted Items")) == sorted(ids[:3])
        assert pair.sandbox.inside("Inbox") == [ids[3]]


@test
def throttled():
    """429 during the deletes: they wait, and all are done"""
    with Pair() as pair:
        pair.deliver(*messages(10))
        pair.settled()
        pair.sandbox.fault("/move$", method="POST", status=429, retry_after="0.5", count=3, skip=2)
        assert delete(pair, range(1, 11)).startswith("+OK")
        assert len(pair.sandbox.inside("Deleted Items")) == 10


@test
def read_only():
    """A read-only login writes nothing at all"""
    with Pair(logins={"alice": {"read-only": "yes"}}) as pair:
        ids = pair.deliver(*messages(2))
        with pair.pop3() as client:
            client.login()
            assert client.err("DELE 1").startswith("-ERR [SYS/PERM]")
            client.retr(2)
            client.quit()
        assert pair.sandbox.inside("Inbox") == ids
        written = [r for r in pair.sandbox.requests() if r["method"] != "GET"]
        assert not written, written


@test
def in_deleted_items():
    """In Deleted Items, deleting means deleting"""
    with Pair(logins={"alice": {"folder": "'Deleted Items'"}}) as pair:
        pair.deliver(*messages(2), folder="deleteditems")
        assert delete(pair, (1,)).startswith("+OK")
        assert len(pair.sandbox.inside("Deleted Items")) == 1


@test
def expunge_recoverable():
    """expunge = recoverable moves to the recoverable items"""
    with Pair(logins={"alice": {"expunge": "recoverable"}}) as pair:
        ids = pair.deliver(*messages(2))
        assert delete(pair, (2,)).startswith("+OK")
        assert pair.sandbox.inside("Deletions") == [ids[1]]
        assert pair.sandbox.inside("Inbox") == [ids[0]] and not pair.sandbox.inside("Deleted Items")


@test
def expunge_permanent():
    """expunge = permanent deletes for good"""
    with Pair(logins={"alice": {"expunge": "permanent"}}) as pair:
        ids = pair.deliver(*messages(2))
        assert delete(pair, (1,)).startswith("+OK")
        assert pair.sandbox.inside("Inbox") == [ids[1]]
        assert not pair.sandbox.inside("Deleted Items")
        assert not pair.sandbox.inside("Deletions")
        assert pair.sandbox.requests("/permanentDelete$", "POST")


@test
def not_seen():
    """Reading over POP3 marks nothing as read"""
    with Pair() as pair:
        pair.deliver(*messages(2))
        with pair.pop3() as client:
            client.login()
            client.retr(1)
            client.quit()
        changed = pair.sandbox.requests("/messages/", "PATCH")
        assert not changed, changed


@test
def mark_stays_behind():
    """\\Deleted does not follow into Deleted Items: only what is marked there anew goes further"""
    with Pair(listeners={"imap": {"protocol": "imap", "tls": "none"}}) as pair:
        pair.deliver(*[mail("plain")] * 5)
        client = imaplib.IMAP4("127.0.0.1", pair.port, tap.PATIENCE)
        client.login("alice", PASSWORD)
        client.select("INBOX")
        client.store("1:3", "+FLAGS.SILENT", "(\\Deleted)")
        assert client.expunge()[1] == [b"1", b"1", b"1"]
        client.select('"Deleted Items"')
        assert client.search(None, "DELETED")[1] == [b""]
        client.store("2", "+FLAGS.SILENT", "(\\Deleted)")
        client.close()
        client.logout()
        assert len(pair.sandbox.inside("Deleted Items")) == 2
        assert len(pair.sandbox.inside("Deletions")) == 1


tap.main()
