#!/usr/bin/env python3
"""FETCH: what it costs, where headers come from, and what is told when something fails."""

import re

import tap
from harness import IMAP, Pair, corpus, most_in_flight
from tap import test

HEADER = (b"From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\nTo: alice@example.com\r\n"
          b"Subject: number %d\r\nDate: Tue, 23 Jun 2026 09:00:00 +0000\r\n"
          b"Message-ID: <%d@example.org>\r\nX-Filler: " + b"x" * 500 + b"\r\n\r\n")


def message(number, body=b"text\r\n"):
    return HEADER % (number, number) + body


def deliver(pair, count, body=b"text\r\n", unread=1):
    """Received a minute after each other."""
    for n in range(count):
        pair.sandbox.control(
            "POST", f"/messages?user=alice@example.com&folder=inbox&unread={unread}"
            f"&received=2026-01-{n // 1440 + 1:02}T{n // 60 % 24:02}:{n % 60:02}:30Z",
            message(n, body), "message/rfc822")


def opened(pair, verb="SELECT"):
    client = pair.imap().login("alice")
    client.ok(f"{verb} INBOX")
    pair.sandbox.forget()
    return client


def asked(pair, most):
    requests = pair.sandbox.requests()
    assert len(requests) <= most, f"{len(requests)} requests, {most} allowed: " + ", ".join(
        f"{r['method']} {r['path'][-20:]}" for r in requests[:20])


def subjects(fetched):
    return [found["ENVELOPE"][1] for _, found in sorted(fetched.items())]


@test
def envelopes():
    """Envelopes and fields of 1,000 messages: 4 requests at the most, and none again"""
    with Pair(listeners=IMAP) as pair:
        deliver(pair, 1000)
        with opened(pair) as client:
            fetched = client.fetch("1:*", "(ENVELOPE)")
            assert subjects(fetched) == [b"number %d" % n for n in range(1000)]
            asked(pair, 4)
            pair.sandbox.forget()
            client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID X-FILLER)])")
            client.fetch("1:*", "ALL")
            asked(pair, 0)
        pair.restart()
        with opened(pair) as client:
            assert subjects(client.fetch("1:*", "ENVELOPE"))[-1] == b"number 999"
            asked(pair, 0)


@test
def some_envelopes():
    """A range of a folder reads that range, not the folder"""
    with Pair(listeners=IMAP) as pair:
        deliver(pair, 1200)
        with opened(pair) as client:
            client.fetch("1100:1150", "ENVELOPE")
            asked(pair, 1)
            assert "mailFolders" in pair.sandbox.requests()[0]["path"]


@test
def pages_shrink():
    """A server that fails with large pages is asked for smaller ones"""
    with Pair(listeners=IMAP) as pair:
        deliver(pair, 300)
        with opened(pair) as client:
            pair.sandbox.fault("/mailFolders/.*/messages$", status=504, count=2)
            assert len(client.fetch("1:*", "ENVELOPE")) == 300
            asked(pair, 2 + 4)


@test
def sources():
    """Whatever becomes of the header property, the same is told"""
    told = {}
    for mode in ("full", "unended", "cut-255", "cut-510", "cut-512", "absent"):
        with Pair(listeners=IMAP) as pair:
            deliver(pair, 20)
            pair.sandbox.settings(headers=mode)
            with opened(pair) as client:
                told[mode] = client.fetch(
                    "1:*", "(ENVELOPE BODY.PEEK[HEADER.FIELDS (X-FILLER SUBJECT)])")
    for mode, fetched in told.items():
        assert fetched == told["full"], mode


@test
def without_header():
    """Envelopes of 1,000 messages that have no header property, as sent mail: 4 requests"""
    told = {}
    for mode in ("full", "absent", "cut-255"):
        with Pair(listeners=IMAP) as pair:
            deliver(pair, 1000)
            pair.sandbox.settings(headers=mode)
            with opened(pair) as client:
                told[mode] = [found["ENVELOPE"] for found in client.fetch("1:*", "ALL").values()]
                asked(pair, 4)
                if mode == "absent":
                    # What was told of it stays, whatever is known of it later.
                    client.fetch("1", "(BODY.PEEK[HEADER] BODY.PEEK[HEADER.FIELDS (FROM)])")
                    assert client.fetch("1", "ENVELOPE")[1]["ENVELOPE"] == told[mode][0]
    for mode, envelopes_told in told.items():
        for one, other in zip(envelopes_told, told["full"]):
            # The encoding of the name is ours.
            assert one[:2] + one[5:] == other[:2] + other[5:], (mode, one, other)
            assert one[2][0][1:] == other[2][0][1:], (mode, one, other)


@test
def structures():
    """A structure is parsed once: the next FETCH of it costs nothing, also after a restart"""
    messages = [m for m in corpus().values() if len(m) < 50_000]
    with Pair(listeners=IMAP, top="cache { max-size = 0 }") as pair:
        pair.deliver(*messages)
        with opened(pair) as client:
            first = client.fetch("1:*", "BODYSTRUCTURE")
            pair.sandbox.forget()
            assert client.fetch("1:*", "BODYSTRUCTURE") == first
            client.fetch("1:*", "(UID BODY)")
            asked(pair, 0)
        pair.restart()
        with opened(pair) as client:
            assert client.fetch("1:*", "BODYSTRUCTURE") == first
            asked(pair, 0)


@test
def sizes():
    """Up to 100 unknown sizes are exact, more are estimates that err high, and both stay"""
    with Pair(listeners=IMAP) as pair:
        deliver(pair, 150, b"x" * 3000 + b"\r\n")
        with opened(pair) as client:
            few = client.fetch("1:100", "RFC822.SIZE")
            exact = [len(message(n, b"x" * 3000 + b"\r\n")) for n in range(150)]
            assert [few[n]["RFC822.SIZE"] for n in range(1, 101)] == exact[:100]
    with Pair(listeners=IMAP) as pair:
        deliver(pair, 150, b"x" * 3000 + b"\r\n")
        with opened(pair) as client:
            many = client.fetch("1:*", "RFC822.SIZE")
            asked(pair, 0)
            assert all(many[n + 1]["RFC822.SIZE"] >= size for n, size in enumerate(exact))
            body = client.fetch("7", "(BODY.PEEK[] RFC822.SIZE)")[7]
            assert len(body["BODY[]"]) == exact[6]
            assert body["RFC822.SIZE"] == many[7]["RFC822.SIZE"]
        pair.restart()
        with opened(pair) as client:
            assert client.fetch("1:*", "RFC822.SIZE") == many


@test
def sizes_of_odd_ends():
    """A size is that of the literal, also with bare CR or LF or without a last line end"""
    ends = [b"S: a\r\n\r\nno end", b"S: b\n\nbare lf\nno end", b"S: c\r\n\r\nbare\rcr\r\n"]
    with Pair(listeners=IMAP) as pair:
        pair.deliver(*ends)
        with opened(pair) as client:
            for message_ in ends:
                client.append("INBOX", message_)
            client.ok("NOOP")
            told = client.fetch("1:*", "RFC822.SIZE")
            bodies = client.fetch("1:*", "(RFC822.SIZE BODY.PEEK[])")
            # What Graph has is told in lines; what was appended, as it came.
            told_as = [re.sub(rb"(?<!\r)\n", b"\r\n", message_) for message_ in ends] + ends
            for number, expected in enumerate(told_as, 1):
                body = bodies[number]["BODY[]"]
                assert body == expected, body
                assert told[number]["RFC822.SIZE"] == bodies[number]["RFC822.SIZE"] == len(body)


@test
def abreast():
    """Bodies are downloaded four abreast, and marked as read four abreast"""
    with Pair(listeners=IMAP) as pair:
        deliver(pair, 40)
        with opened(pair) as client:
            pair.sandbox.settings(**{"latency-ms": 20})
            fetched = client.fetch("1:*", "BODY[]")
            assert all(found["FLAGS"] == {"\\Seen", "\\Recent"} or "\\Seen" in found["FLAGS"]
                       for found in fetched.values())
            assert most_in_flight(pair.sandbox.requests(method="GET")) == 4
            assert most_in_flight(pair.sandbox.requests(method="PATCH")) == 4
            asked(pair, 80)


@test
def fields_mark():
    """Header fields without PEEK mark too, four abreast, and cost no body"""
    with Pair(listeners=IMAP) as pair:
        deliver(pair, 40)
        with opened(pair) as client:
            pair.sandbox.settings(**{"latency-ms": 20})
            fetched = client.fetch("1:*", "BODY[HEADER.FIELDS (SUBJECT)]")
            assert [found["BODY[HEADER.FIELDS (SUBJECT)]"] for _, found in sorted(fetched.items())] \
                == [b"Subject: number %d\r\n\r\n" % n for n in range(40)]
            assert all("\\Seen" in found["FLAGS"] for found in fetched.values())
            assert most_in_flight(pair.sandbox.requests(method="PATCH")) == 4
            asked(pair, 41)


@test
def not_marked():
    """EXAMINE and PEEK mark nothing"""
    with Pair(listeners=IMAP) as pair:
        deliver(pair, 2)
        with opened(pair, "EXAMINE") as client:
            client.fetch("1", "BODY[]")
        with opened(pair) as client:
            client.fetch("1:2", "(BODY.PEEK[] BODY.PEEK[TEXT] BINARY.PEEK[1] ENVELOPE)")
            assert not pair.sandbox.requests(method="PATCH")


@test
def marking_fails():
    """A body whose \\Seen cannot be written is given all the same, and no \\Seen told"""
    with Pair(listeners=IMAP) as pair:
        deliver(pair, 2)
        with opened(pair) as client:
            pair.sandbox.fault("/messages/[^/]*$", method="PATCH", status=403)
            fetched = client.fetch("1:2", "(BODY[] FLAGS)")
            assert [found["BODY[]"] for found in fetched.values()] == [message(0), message(1)]
            assert not any("\\Seen" in found["FLAGS"] for found in fetched.values())


@test
def never_mail():
    """An error is never told as mail: the others are told, the command ends with NO"""
    with Pair(listeners=IMAP) as pair:
        deliver(pair, 5)
        with opened(pair) as client:
            third = re.escape(pair.sandbox.inside("Inbox")[2])
            for code, fault in (("NOPERM", {"status": 403}),
                                ("UNAVAILABLE", {"status": 200, "body": "<html>busy</html>",
                                                 "content_type": "text/html"})):
                pair.sandbox.fault(f"/messages/{third}/.value", **fault)
                reply = client.no("FETCH 1:5 BODY.PEEK[]")
                assert reply.code_is(code), reply
                assert sorted(reply.fetched()) == [1, 2, 4, 5]
                pair.sandbox.no_faults()
            assert client.fetch("3", "BODY.PEEK[]")[3]["BODY[]"] == message(2)


@test
def gone():
    """A message that is gone: the others are told, then NO [EXPUNGEISSUED]"""
    with Pair(listeners=IMAP) as pair:
        deliver(pair, 4)
        with opened(pair) as client:
            second = re.escape(pair.sandbox.inside("Inbox")[1])
            pair.sandbox.fault(f"/messages/{second}/", status=404)
            reply = client.no("FETCH 1:4 (UID BODY.PEEK[TEXT])")
            assert reply.code_is("EXPUNGEISSUED"), reply
            assert sorted(reply.fetched()) == [1, 3, 4]


@test
def large():
    """Parts and ranges of a large message, by sections and in pieces"""
    body = b"".join(b"%07d\r\n" % n for n in range(400_000))
    with Pair(listeners=IMAP) as pair:
        deliver(pair, 1, body)
        with opened(pair) as client:
            whole = message(0, body)
            assert client.fetch("1", "BODY.PEEK[]")[1]["BODY[]"] == whole
            for start, size in ((0, 10), (2_000_000, 70_000), (len(whole) - 5, 99)):
                assert (client.fetch("1", f"BODY.PEEK[]<{start}.{size}>")[1][f"BODY[]<{start}>"]
                        == whole[start:start + size])
            assert (client.fetch("1", "BODY.PEEK[1]<1000000.65536>")[1]["BODY[1]<1000000>"]
                    == body[1_000_000:1_065_536])


tap.main()
