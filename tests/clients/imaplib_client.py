#!/usr/bin/env python3
"""Python's imaplib, as scripts use it."""

import imaplib
import ssl

from mailprograms import box, imap_wire, main, message, messages_for, secure_box, test


def opened(where):
    client = imaplib.IMAP4("127.0.0.1", where.port)
    client.login(where.user, where.password)
    return client


def good(answer):
    status, data = answer
    assert status == "OK", answer
    return data


@test
def same_bytes():
    """imaplib fetches every message with the same bytes"""
    messages = messages_for()
    with box(*messages.values()) as where, opened(where) as client:
        assert good(client.select("INBOX", readonly=True)) == [b"%d" % len(messages)]
        numbers = good(client.search(None, "ALL"))[0].split()
        for number, (name, data) in zip(numbers, messages.items()):
            (head, got), end = good(client.fetch(number, "(RFC822)"))
            assert got == imap_wire(data), name
            assert end.strip().endswith(b")") and head.startswith(number)
        assert not any(seen for _, seen in where.contents())


@test
def a_ticket_system():
    """imaplib: search unseen, fetch, copy to a folder, flag deleted, expunge"""
    with box(*map(message, range(5))) as where, opened(where) as client:
        good(client.create("Done"))
        good(client.select())
        for number in good(client.search(None, "UNSEEN", "SUBJECT", '"number"'))[0].split():
            (_, header), _ = good(client.fetch(number, "(BODY.PEEK[HEADER])"))
            assert b"Subject: number" in header
            if number in (b"2", b"4"):
                good(client.copy(number, "Done"))
                good(client.store(number, "+FLAGS", r"(\Deleted)"))
        assert len(good(client.expunge())) == 2
        good(client.close())
        assert where.subjects() == ["number 0", "number 2", "number 4"]
        assert where.subjects("Done") == ["number 1", "number 3"]


@test
def by_uid():
    """imaplib: UID commands, append with date and flags, namespace, status, subscriptions"""
    with box(message(1)) as where, opened(where) as client:
        good(client.append("INBOX", r"(\Seen)", '"17-Jul-2020 02:44:25 +0200"', message(2)))
        good(client.select())
        uids = good(client.uid("SEARCH", None, "ALL"))[0].split()
        assert len(uids) == 2
        got = good(client.uid("FETCH", uids[1], "(FLAGS INTERNALDATE BODY[TEXT])"))
        assert imaplib.ParseFlags(got[0][0] + got[1])[:1] == (b"\\Seen",)
        assert imaplib.Internaldate2tuple(got[0][0]).tm_year == 2020
        good(client.uid("STORE", uids[0], "+FLAGS", "(\\Flagged custom)"))
        assert good(client.uid("SEARCH", None, "KEYWORD", "custom"))[0].split() == [uids[0]]
        good(client.namespace())
        assert b"MESSAGES 2" in good(client.status("INBOX", "(MESSAGES UNSEEN)"))[0]
        good(client.subscribe("INBOX"))
        assert any(b"INBOX" in line for line in good(client.lsub()))
        assert any(b"INBOX" in line for line in good(client.list()))
        good(client.rename("INBOX", '"All of it"'))
        assert where.contents() == [] and len(where.contents("All of it")) == 2


@test
def over_tls():
    """imaplib over STARTTLS and over implicit TLS"""
    with secure_box(message(1)) as where:
        context = ssl.create_default_context(cafile=where.certificate)
        with imaplib.IMAP4("localhost", where.port) as client:
            good(client.starttls(context))
            client.login(where.user, where.password)
            good(client.select())
        with imaplib.IMAP4_SSL("localhost", where.tls_port, ssl_context=context) as client:
            client.authenticate("PLAIN", lambda _: f"\0{where.user}\0{where.password}".encode())
            good(client.select())


main()
