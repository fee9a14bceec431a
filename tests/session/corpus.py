#!/usr/bin/env python3
"""Every message of tests/data/mail, and large ones, through POP3 with the same bytes."""

import base64
import random
import shutil

import tap
from harness import Pair, corpus, on_the_wire
from tap import test

MIB = 1 << 20


def with_attachment(size):
    """A message with a binary attachment of `size` bytes."""
    content = base64.encodebytes(random.Random(size).randbytes(size))
    return (b"From: big@example.org\nTo: alerts@example.com\nSubject: %d bytes attached\n"
            b"Message-ID: <attached-%d@example.org>\nMIME-Version: 1.0\n"
            b"Content-Type: multipart/mixed; boundary=big\n\n--big\n\nSee the attachment.\n--big\n"
            b"Content-Type: application/octet-stream; name=big.bin\n"
            b"Content-Disposition: attachment; filename=big.bin\n"
            b"Content-Transfer-Encoding: base64\n\n%s--big--\n" % (size, size, content))


def split_lines(wire):
    """By CRLF alone: other octets that Python takes for line ends are text."""
    return [line + b"\r\n" for line in wire.split(b"\r\n")[:-1]]


def top_lines(wire, count):
    """What TOP answers: the header, the empty line, so many lines of the body."""
    lines = split_lines(wire)
    end = lines.index(b"\r\n") + 1 if b"\r\n" in lines else len(lines)
    return b"".join(lines[:end + count])


@test
def same_bytes():
    """RETR gives every message as delivered; LIST and STAT tell its octets"""
    messages = corpus()
    assert len(messages) >= 60
    with Pair() as pair:
        pair.deliver(*messages.values())
        with pair.pop3() as client:
            client.login()
            sizes = client.list()
            assert len(sizes) == len(messages)
            for number, (name, message) in enumerate(messages.items(), 1):
                wire = on_the_wire(message)
                assert client.retr(number) == wire, f"{name}: other bytes"
                assert sizes[number] == len(wire), f"{name}: {sizes[number]}, not {len(wire)}"
            assert client.stat() == (len(messages), sum(sizes.values()))
            client.quit()


@test
def tops():
    """TOP gives the header and as many lines as asked for"""
    messages = corpus()
    with Pair() as pair:
        pair.deliver(*messages.values())
        with pair.pop3() as client:
            client.login()
            for number, (name, message) in enumerate(messages.items(), 1):
                wire = on_the_wire(message)
                for lines in (0, 1, 10, 1_000_000):
                    got = client.multi(f"TOP {number} {lines}")
                    want = top_lines(wire, lines)
                    assert got == want, f"{name}: TOP {lines} gave {got[-200:]!r}"
            client.quit()


@test
def uidl_for_ever():
    """UIDL is unique, and survives sessions, a restart and the loss of the state directory"""
    messages = corpus()
    with Pair() as pair:
        pair.deliver(*messages.values())

        def uidl():
            with pair.pop3() as client:
                table = client.login().uidl()
                client.quit()
            return table

        first = uidl()
        assert len(first) == len(messages)
        assert len(set(first.values())) == len(first), "two messages of one UIDL"
        assert all(len(value) <= 70 for value in first.values())
        assert uidl() == first, "changed in the next session"
        pair.restart()
        assert uidl() == first, "changed by a restart"
        pair.stop()
        shutil.rmtree(pair.work / "state")
        pair.start()
        assert uidl() == first, "changed by the loss of the state directory"


@test
def same_twice():
    """What was fetched once comes back alike after a restart, though Graph renders it anew"""
    messages = list(corpus().values())[:10]
    with Pair() as pair:
        pair.sandbox.settings(mime_rerender=True)
        pair.deliver(*messages)

        def fetch():
            with pair.pop3() as client:
                client.login()
                found = client.list(), [client.retr(n) for n in range(1, len(messages) + 1)]
                client.quit()
            return found

        first = fetch()
        assert fetch() == first
        pair.restart()
        assert fetch() == first


@test
def attachments():
    """Attachments of 0 bytes to 10 MB"""
    messages = [with_attachment(size) for size in (0, 1, MIB - 1, MIB, 3 * MIB, 10 * MIB)]
    with Pair() as pair:
        pair.deliver(*messages)
        with pair.pop3() as client:
            client.login()
            sizes = client.list()
            for number, message in enumerate(messages, 1):
                wire = on_the_wire(message)
                assert client.retr(number) == wire
                assert sizes[number] == len(wire)
                assert client.multi(f"TOP {number} 3") == top_lines(wire, 3)
            client.quit()


@test
def without_cache():
    """With cache { max-size = 0 } nothing is kept, and the bytes are the same"""
    messages = list(corpus().values())[::5]
    with Pair(top="cache { max-size = 0 }") as pair:
        pair.deliver(*messages)
        with pair.pop3() as client:
            client.login()
            for number, message in enumerate(messages, 1):
                assert client.retr(number) == on_the_wire(message)
            client.quit()


@test
def small_cache():
    """A cache too small for the mailbox evicts, and serves the same bytes again"""
    messages = [b"Subject: %d\n\n" % i + b"x" * 60_000 + b"\n" for i in range(40)]
    with Pair(top="cache { max-size = 256K }") as pair:
        pair.deliver(*messages)
        for _ in range(2):
            with pair.pop3() as client:
                client.login()
                for number, message in enumerate(messages, 1):
                    assert client.retr(number) == on_the_wire(message)
                client.quit()


@test
def numbers_absent_or_odd():
    """Without Exchange's numbers, with shuffled or doubled ones, mail is whole all the same"""
    for mode in ("absent", "shuffled", "duplicate"):
        with Pair(serve=False) as pair:
            pair.sandbox.settings(article=mode)
            messages = [b"Subject: %d\n\ntext\n" % i for i in range(25)]
            pair.deliver(*messages)
            pair.start()
            with pair.pop3() as client:
                client.login()
                first = client.uidl()
                assert len(set(first.values())) == len(messages)
                got = sorted(client.retr(n) for n in first)
                assert got == sorted(on_the_wire(m) for m in messages), mode
                client.quit()
            pair.restart()
            with pair.pop3() as client:
                assert client.login().uidl() == first, mode
                client.quit()


@test
def serve_since():
    """serve-since hides older mail from STAT, LIST, UIDL and RETR"""
    with Pair(logins={"alice": {}, "cut": {"serve-since": "'2999-01-01'"},
                      "old": {"serve-since": "'1999-01-01'"}}) as pair:
        pair.deliver(*list(corpus().values())[:5])
        for login, count in (("alice", 5), ("cut", 0), ("old", 5)):
            with pair.pop3() as client:
                assert client.login(login).stat()[0] == count
                assert len(client.uidl()) == count
                client.quit()


tap.main()
