#!/usr/bin/env python3
"""SEARCH, SORT and THREAD over the wire: what they cost, and what is told when Graph fails."""

import tap
from harness import IMAP, MAILBOX, Pair, most_in_flight
from tap import test

VALUE = r"/\$value"


def messages(count):
    return [b"Subject: number %d\r\nFrom: a%d@example.org\r\nMessage-ID: <%d@example.org>\r\n\r\n"
            b"needle%d\r\n" % (n, n, n, n) for n in range(1, count + 1)]


def opened(pair):
    client = pair.imap().login("alice")
    client.ok("SELECT INBOX")
    pair.sandbox.forget()
    return client


def found(client, keys):
    return client.ok(f"SEARCH {keys}").data("SEARCH")[0]


def bodies(pair):
    return pair.sandbox.requests(VALUE)


@test
def headers():
    """Header keys, SORT and THREAD of 1,000 messages: at most 4 requests in all"""
    with Pair(listeners=IMAP) as pair:
        pair.deliver(*messages(1000))
        with opened(pair) as client:
            assert found(client, "SUBJECT \"number 7\" NOT FROM a77@") == [
                7, 70, 71, 72, 73, 74, 75, 76, 78, 79, *range(700, 800)]
            client.ok("SORT (REVERSE FROM DATE) UTF-8 ALL")
            client.ok("THREAD REFERENCES UTF-8 ALL")
            assert len(pair.sandbox.requests()) <= 4 and not bodies(pair), pair.sandbox.requests()


@test
def without_header():
    """Mail that has no header property, as sent mail: what an ENVELOPE tells costs no download"""
    with Pair(listeners=IMAP) as pair:
        pair.sandbox.settings(headers="absent")
        pair.deliver(*messages(40))
        with opened(pair) as client:
            assert found(client, "SUBJECT \"number 3\"") == [3, *range(30, 40)]
            assert found(client, "HEADER Message-ID <7@example.org> FROM a7@") == [7]
            client.ok("SORT (SUBJECT FROM) UTF-8 ALL")
            assert not bodies(pair), bodies(pair)
            assert found(client, "1:3 TEXT \"number 2\"") == [2]
            assert len(bodies(pair)) == 2, bodies(pair)
            assert found(client, "1:3 TEXT needle1") == [1]


@test
def undecided_only():
    """TEXT and BODY download only what is undecided, four abreast, and once"""
    with Pair(listeners=IMAP) as pair:
        pair.deliver(*messages(60))
        with opened(pair) as client:
            pair.sandbox.settings(latency_ms=50)
            assert found(client, "11:50 SUBJECT 4 BODY needle4") == [40, 41, 42, 43, 44, 45, 46, 47,
                                                                   48, 49]
            assert len(bodies(pair)) == 13, bodies(pair)
            assert most_in_flight(bodies(pair)) == 4
            pair.sandbox.forget()
            assert found(client, "11:50 SUBJECT 4 TEXT needle24") == [24]
            assert found(client, "OR 1:60 BODY x") == list(range(1, 61))
            assert not bodies(pair)


@test
def limited():
    """Over search-downloads: NO with LIMIT before anything is downloaded"""
    with Pair(listeners=IMAP, limits={"search-downloads": "10"}) as pair:
        pair.deliver(*messages(11))
        with opened(pair) as client:
            assert client.no("SEARCH BODY needle7").code_is("LIMIT")
            assert not bodies(pair)
            assert found(client, "2:* BODY needle7") == [7]
            # Those that are known now do not count.
            assert found(client, "BODY needle11") == [11]


@test
def failures():
    """A message that cannot be had: NO, and the session lives; one that is gone is not found"""
    with Pair(listeners=IMAP) as pair:
        pair.deliver(*messages(12))
        with opened(pair) as client:
            pair.sandbox.fault(VALUE, status=403, body='{"error":{"code":"ErrorAccessDenied",'
                                                       '"message":"No."}}', skip=5)
            assert client.no("SEARCH BODY needle1").code_is("NOPERM")
            pair.sandbox.no_faults()
            for message in pair.sandbox.inside("Inbox")[:1]:
                pair.sandbox.control("POST", "/delete", {"user": MAILBOX, "id": message})
            left = found(client, "BODY needle1")
            assert set(left) <= {1, 10, 11, 12} and len(left) >= 3, left


tap.main()
