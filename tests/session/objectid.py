#!/usr/bin/env python3
"""Ids of OBJECTID (RFC 8474): they stay with what they name, wherever that goes."""

import contextlib

import tap
from harness import IMAP, MAILBOX, Pair
from tap import test

LISTENERS = {"pop": {"tls": "none"}, **IMAP}


@contextlib.contextmanager
def ready(count=3):
    with Pair(listeners=LISTENERS) as pair:
        for name in ("There", "Beyond"):
            pair.sandbox.control("POST", "/folders", {"user": MAILBOX, "path": name})
        pair.deliver(*(b"Subject: number %d\r\nMessage-ID: <%d@here>\r\n\r\ntext %d\r\n"
                       % (i, i, i) for i in range(count)))
        with pair.imap().login() as client:
            client.select()
            yield pair, client


def ids(client, folder=None):
    """The EMAILIDs of the selected folder or of another one, by UID."""
    if folder:
        client.select(folder)
    if not client.selected.exists:
        return {}
    return {uid: items["EMAILID"] for uid, items in client.uid_fetch("1:*", "(EMAILID)").items()}


def mailbox_id(client, folder):
    """As STATUS and EXAMINE tell it."""
    told = client.status(folder, "MAILBOXID")["MAILBOXID"]
    opened, = [r.code[1] for r in client.ok(f'EXAMINE "{folder}"').of("OK")
               if r.code_is("MAILBOXID")]
    assert told == opened, (told, opened)
    return told


@test
def copies():
    """A copy tells its source's EMAILID, a copy of a copy too; other messages have others"""
    with ready() as (_, client):
        here = ids(client)
        assert len(set(here.values())) == 3 and all(i[0] == "M" for i in here.values()), here
        there = client.transfer("UID COPY 1:* There")
        twice = client.transfer("UID COPY 1 INBOX")
        assert ids(client, "There") == {there[uid]: here[uid] for uid in here}
        beyond = client.transfer("UID COPY 1:* Beyond")
        assert ids(client, "Beyond") == {beyond[there[uid]]: here[uid] for uid in here}
        client.select()
        assert ids(client) == here | {twice[1]: here[1]}


@test
def lost_copies():
    """A copy whose answer was lost tells its source's EMAILID"""
    with ready(2) as (pair, client):
        here = ids(client)
        pair.sandbox.fault("/copy$", method="POST", reset=True, after=True, count=1)
        there = client.transfer("UID COPY 1:* There")
        assert ids(client, "There") == {there[uid]: here[uid] for uid in here}


@test
def moves():
    """MOVE and RENAME of INBOX keep EMAILID, of copies too, also MOVE to the same folder"""
    with ready() as (_, client):
        here = ids(client)
        first = client.transfer("UID COPY 1 There")
        moved = client.transferred(client.ok("UID MOVE 2:3 There"))
        client.select("There")
        beyond = client.transferred(client.ok("UID MOVE 1:* Beyond"))
        want = {beyond[{**first, **moved}[uid]]: here[uid] for uid in here}
        assert ids(client, "Beyond") == want
        again = client.transferred(client.ok("UID MOVE 1:* Beyond"))
        client.select("Beyond")
        assert ids(client) == {again[uid]: told for uid, told in want.items()}
        client.ok("UID MOVE 1:* INBOX")
        client.select()
        client.ok("RENAME INBOX Former")
        assert sorted(ids(client, "Former").values()) == sorted([here[1], *here.values()])


@test
def moved_elsewhere():
    """A copy that another program moves keeps its EMAILID"""
    with ready(1) as (pair, client):
        here = ids(client)
        client.ok("COPY 1 There")
        copy, = pair.sandbox.inside("There")
        pair.sandbox.control("POST", "/move", {"user": MAILBOX, "id": copy, "folder": "Beyond"})
        assert list(ids(client, "Beyond").values()) == [here[1]]


@test
def searches():
    """SEARCH EMAILID finds a message and its copies"""
    with ready() as (_, client):
        here = ids(client)
        twice = client.transfer("UID COPY 2 INBOX")
        there = client.transfer("UID COPY 2 There")
        client.ok("NOOP")
        assert client.search(f"EMAILID {here[2]}", uid=True) == [2, twice[2]]
        assert client.search(f"NOT EMAILID {here[2]}", uid=True) == [1, 3]
        assert client.search(f"OR EMAILID {here[1]} EMAILID {here[3]}", uid=True) == [1, 3]
        client.select("There")
        assert client.search(f"EMAILID {here[2]}", uid=True) == [there[2]]
        assert client.search(f"EMAILID {here[1]}", uid=True) == []


@test
def restart():
    """EMAILIDs of copies and MAILBOXIDs are the same after a restart and after a kill"""
    with ready() as (pair, client):
        client.ok("COPY 1:* There")
        here, there = ids(client), ids(client, "There")
        folder = mailbox_id(client, "There")
        assert sorted(here.values()) == sorted(there.values())
        client.logout()
        pair.restart()
        with pair.imap().login() as client:
            assert ids(client, "There") == there
            client.ok("COPY 1 Beyond")
            beyond = ids(client, "Beyond")
            pair.postern.process.kill()
        pair.start()
        with pair.imap().login() as client:
            assert ids(client, "Beyond") == beyond
            assert ids(client, "INBOX") == here
            assert mailbox_id(client, "There") == folder


@test
def folders():
    """RENAME keeps MAILBOXID; CREATE tells it; each folder has its own"""
    with ready(0) as (_, client):
        made = client.ok("CREATE New").end.code
        assert made[0] == "MAILBOXID" and made[1] == mailbox_id(client, "New")
        client.ok("RENAME New There/Other")
        assert mailbox_id(client, "There/Other") == made[1]
        client.ok("RENAME There Here")
        assert mailbox_id(client, "Here/Other") == made[1]
        again = client.ok("CREATE New").end.code
        told = [made[1], again[1], mailbox_id(client, "Here"), mailbox_id(client, "INBOX")]
        assert len(set(told)) == 4 and all(i[0] == "F" for i in told), told


tap.main(at_once=4)
