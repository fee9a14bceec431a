#!/usr/bin/env python3
"""Python's poplib. It gives lines without their ends, dots undone."""

import poplib

from mailprograms import (PASSWORD, PATIENCE, Pair, corpus, inbox, main, messages_for,
                          on_the_wire, test)

# poplib refuses lines over 2,048 octets, a limit that programs raise like this.
poplib._MAXLINE = 1 << 20


def login(pair):
    client = poplib.POP3("127.0.0.1", pair.port, timeout=PATIENCE)
    client.user("alice")
    client.pass_(PASSWORD)
    return client


@test
def same_bytes():
    """poplib fetches every message with the same bytes"""
    messages = messages_for()
    with Pair() as pair:
        pair.deliver(*messages.values())
        client = login(pair)
        assert client.stat()[0] == len(messages)
        for number, (name, message) in enumerate(messages.items(), 1):
            got = b"".join(line + b"\r\n" for line in client.retr(number)[1])
            assert got == on_the_wire(message), name
        client.quit()


@test
def only_what_is_new():
    """poplib with UIDL: the second run sees one new message; deletes"""
    with Pair() as pair:
        pair.deliver(*list(corpus().values())[:5])
        client = login(pair)
        seen = {line.split()[1] for line in client.uidl()[1]}
        client.quit()
        pair.deliver(b"Subject: new\n\ntext\n")
        client = login(pair)
        fresh = [line.split() for line in client.uidl()[1] if line.split()[1] not in seen]
        assert len(seen) == 5 and len(fresh) == 1
        assert client.retr(int(fresh[0][0]))[1] == [b"Subject: new", b"", b"text"]
        client.dele(1)
        client.dele(6)
        client.rset()
        client.dele(2)
        client.quit()
        assert inbox(pair) == 5


@test
def capabilities():
    """poplib reads CAPA, TOP, LIST"""
    with Pair() as pair:
        pair.deliver(b"Subject: x\n\none\ntwo\n")
        client = login(pair)
        assert {"UIDL", "TOP"} <= set(client.capa())
        assert client.top(1, 1)[1] == [b"Subject: x", b"", b"one"]
        assert client.list()[1] == [b"1 24"]
        client.quit()


main()
