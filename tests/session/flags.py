#!/usr/bin/env python3
"""STORE and what others change: what stands in Graph afterwards, what sessions are told, and how
often Graph is asked."""

import time

import tap
from harness import IMAP, MAILBOX, Pair, most_in_flight
from tap import test

DELETED = "{00062008-0000-0000-c000-000000000046} Id 0x8570"


def deliver(pair, count):
    pair.deliver(*[b"Subject: number %d\n\ntext %d\n" % (i, i) for i in range(1, count + 1)])


def imap_pair(**settings):
    return Pair(listeners=IMAP, **settings)


def selected(pair):
    client = pair.imap().login("alice")
    client.select()
    return client


def in_graph(pair, folder="Inbox"):
    """The messages of a folder as the mailbox has them, in the order of their arrival."""
    for one in pair.sandbox.control("GET", f"/mailbox?user={MAILBOX}")["folders"]:
        if one["path"] == folder:
            return one["messages"]
    raise AssertionError(f"no folder {folder}")


def prop(message, name):
    for key, value in message["properties"].items():
        if key.lower().endswith(name.lower()):
            return value
    return None


def patch(pair, message, **members):
    pair.sandbox.control("POST", "/patch", {"user": MAILBOX, "id": message["id"], **members})


def flags_of(reply):
    """{number: set of flags} of what FETCH told, \\Recent aside."""
    return {number: {str(flag) for flag in items["FLAGS"]} - {"\\Recent"}
            for number, items in reply.fetched().items() if "FLAGS" in items}


def flags_now(client):
    return flags_of(client.ok("FETCH 1:* (FLAGS)"))


def eventually(what, text):
    until = time.monotonic() + 20
    while not what():
        assert time.monotonic() < until, text
        time.sleep(0.05)


@test
def graph_has_what_was_stored():
    """Each flag is where Exchange keeps it"""
    with imap_pair() as pair:
        deliver(pair, 2)
        with selected(pair) as client:
            client.ok("STORE 1 +FLAGS (\\Seen \\Flagged \\Deleted \\Answered Work two=20words)")
            one, other = in_graph(pair)
            assert one["isRead"] and one["flag"]["flagStatus"] == "flagged", one
            assert one["categories"] == ["Work", "two words"], one
            assert prop(one, "8570") == "1" and prop(one, "1081") == "102", one
            assert prop(one, "1080") == str(0x105), one
            assert not other["isRead"] and not other["categories"], other
            client.ok("STORE 1 +FLAGS ($Forwarded)")
            assert prop(in_graph(pair)[0], "1081") == "104"
            client.ok("STORE 1 FLAGS (\\Seen)")
            one = in_graph(pair)[0]
            assert one["isRead"] and one["flag"]["flagStatus"] == "notFlagged" and not one["categories"], one
            assert prop(one, "8570") == "0" and prop(one, "1081") == "0", one


@test
def budget_of_store():
    """STORE of 40: 40 requests, four in flight; their echo costs nothing, what is so already one"""
    with imap_pair() as pair:
        deliver(pair, 40)
        with selected(pair) as client:
            pair.sandbox.settings(**{"latency-ms": 20})
            pair.sandbox.forget()
            client.ok("STORE 1:* +FLAGS (\\Seen)")
            requests = pair.sandbox.requests()
            assert len(requests) == 40 and most_in_flight(requests) == 4, len(requests)
            pair.sandbox.forget()
            client.ok("STORE 1:* +FLAGS (\\Seen)")
            assert len(pair.sandbox.requests()) == 1 # others may have changed it
            pair.sandbox.forget()
            client.ok("STORE 1:* +FLAGS.SILENT (Work)")
            assert len(pair.sandbox.requests()) == 41 # the categories are read first
            pair.sandbox.forget()
            client.select()
            assert len(pair.sandbox.requests()) == 1, pair.sandbox.requests()


@test
def a_late_delta_undoes_nothing():
    """A delta that is older than our own write does not undo it"""
    with imap_pair() as pair:
        deliver(pair, 10)
        with selected(pair) as client:
            pair.sandbox.settings(**{"delta-lag-ms": 1500})
            client.ok("STORE 1:* +FLAGS (\\Seen)")
            client.ok("STORE 1:5 -FLAGS (\\Seen)")
            until = time.monotonic() + 2.5
            while time.monotonic() < until:
                client.select()
                flags = flags_now(client)
                assert all(("\\Seen" in flags[n]) == (n > 5) for n in flags), flags
                time.sleep(0.2)


@test
def late_touches_are_no_news():
    """A new change key without a change is told to nobody, and costs one listing"""
    with imap_pair() as pair:
        deliver(pair, 10)
        with selected(pair) as client:
            pair.sandbox.settings(**{"late-touch-ms": 200})
            client.ok("STORE 1:* +FLAGS (\\Flagged)")
            time.sleep(0.5)
            pair.sandbox.forget()
            with selected(pair) as other:
                assert len(pair.sandbox.requests()) <= 2, pair.sandbox.requests()
                assert flags_now(other)[10] == {"\\Flagged"}
            assert not client.ok("NOOP").fetched()


@test
def part_of_it_fails():
    """A refused message is a NO, and what did happen is told"""
    with imap_pair() as pair:
        deliver(pair, 3)
        with selected(pair) as client:
            pair.sandbox.fault("/messages/", method="PATCH", status=403, count=1)
            reply = client.no("STORE 1:3 +FLAGS (\\Seen)")
            assert reply.code_is("NOPERM"), reply
            told = flags_of(reply)
            assert len(told) == 2 and all(flags == {"\\Seen"} for flags in told.values()), told
            pair.sandbox.no_faults()
            read = [message["isRead"] for message in in_graph(pair)]
            assert [number in told for number in (1, 2, 3)] == read, (told, read)


@test
def messages_that_are_gone():
    """STORE by number says that some are gone, UID STORE passes over them"""
    with imap_pair(top="poll-interval = 1h") as pair:
        deliver(pair, 4)
        with selected(pair) as client:
            for message in in_graph(pair)[:1]:
                pair.sandbox.control("POST", "/delete", {"user": MAILBOX, "id": message["id"]})
            reply = client.no("STORE 1:2 +FLAGS (\\Seen)")
            assert reply.code_is("EXPUNGEISSUED"), reply
            assert flags_of(reply) == {2: {"\\Seen"}}, reply
            client.ok("UID STORE 1:3 +FLAGS (\\Flagged)")
            client.ok("NOOP") # looks at once, since something was gone
            assert flags_now(client) == {1: {"\\Seen", "\\Flagged"}, 2: {"\\Flagged"}, 3: set()}


@test
def drafts_are_what_clients_say():
    """\\Draft is kept by Postern alone: no request, over rounds, a restart, COPY and MOVE"""
    with imap_pair() as pair:
        deliver(pair, 1)
        with selected(pair) as client:
            told = {1: {"\\Draft", "\\Seen"}}
            assert flags_of(client.ok("STORE 1 +FLAGS (\\Draft \\Seen)")) == told
            assert not in_graph(pair)[0]["isDraft"]
            pair.sandbox.forget()
            client.ok("STORE 1 -FLAGS.SILENT (\\Draft)")
            assert flags_of(client.ok("STORE 1 +FLAGS (\\Draft)")) == told
            assert not pair.sandbox.requests(), pair.sandbox.requests()
            patch(pair, in_graph(pair)[0], flag={"flagStatus": "flagged"})
            client.select()
            told[1].add("\\Flagged")
            assert flags_now(client) == told
            assert client.no("STORE 1 +FLAGS (\\Nonsense)").code_is("CANNOT")
        pair.restart()
        with selected(pair) as client:
            assert flags_now(client) == told
            client.ok("CREATE There")
            client.ok("COPY 1 There")
            client.ok("MOVE 1 There")
            client.select("There")
            assert flags_now(client) == {1: told[1], 2: told[1]}


@test
def what_others_change():
    """Changes made elsewhere: flags, keywords, \\Deleted; for any number of them one listing"""
    with imap_pair() as pair:
        deliver(pair, 10)
        with selected(pair) as client:
            mails = in_graph(pair)
            patch(pair, mails[0], isRead=True)
            patch(pair, mails[1], flag={"flagStatus": "flagged"})
            patch(pair, mails[2], categories=["Red category", "x"])
            patch(pair, mails[3], isRead=True, singleValueExtendedProperties=[
                {"id": f"Integer {DELETED}", "value": "1"}])
            pair.sandbox.forget()
            client.select()
            assert len(pair.sandbox.requests()) == 2, pair.sandbox.requests()
            flags = flags_now(client)
            assert flags[1] == {"\\Seen"} and flags[2] == {"\\Flagged"}, flags
            assert flags[3] == {"Red=20category", "x"}, flags
            assert flags[4] == {"\\Seen", "\\Deleted"}, flags
            # What somebody else added is not taken away by a change of ours.
            patch(pair, mails[2], categories=["Red category", "x", "new"])
            client.ok("STORE 3 -FLAGS (X)")
            assert in_graph(pair)[2]["categories"] == ["Red category", "new"]


@test
def an_edited_draft():
    """A draft that was edited elsewhere is a new message, with its new text"""
    with imap_pair(top="poll-interval = 1s") as pair:
        pair.sandbox.control("POST", f"/messages?user={MAILBOX}&folder=Drafts&draft=1"
                             "&received=2026-01-01T10:00:00Z",
                             b"Subject: first\n\ntext\n", "message/rfc822")
        with pair.imap().login("alice") as client:
            client.select("Drafts")
            assert flags_now(client)[1] == {"\\Draft"}
            uid = client.uids()[0]
            assert b"first" in bytes(client.fetch(1, "BODY.PEEK[]")[1]["BODY[]"])
            client.ok("STORE 1 +FLAGS (\\Flagged)")
            client.select("Drafts")
            assert client.uids() == [uid]
            patch(pair, in_graph(pair, "Drafts")[0], subject="a second and longer one")
            eventually(lambda: client.select("Drafts") and client.uids() != [uid],
                       "the draft keeps its UID")
            assert b"second" in bytes(client.fetch(1, "BODY.PEEK[]")[1]["BODY[]"])


@test
def one_poll_for_all():
    """Many that watch a folder: one poll an interval; none when nobody does; NOOPs count too"""
    with imap_pair(top="poll-interval = 2s") as pair:
        deliver(pair, 2)
        clients = [selected(pair) for _ in range(4)]
        try:
            idling = [client.idle() for client in clients[:3]]
            eventually(lambda: pair.sandbox.requests("delta"), "no poll")
            pair.sandbox.forget()
            until = time.monotonic() + 6
            while time.monotonic() < until:
                clients[3].ok("NOOP")
                time.sleep(0.02)
            polls = len(pair.sandbox.requests())
            assert 2 <= polls <= 4, f"{polls} polls in 6 s"
            patch(pair, in_graph(pair)[0], isRead=True)
            for client in clients[:3]:
                client.check(client.response())
            for client, idle in zip(clients, idling):
                client.done(idle)
            pair.sandbox.forget()
            time.sleep(3)
            assert not pair.sandbox.requests(), "somebody polls for nobody"
        finally:
            for client in clients:
                client.close()


@test
def the_interval_is_reloaded():
    """A new poll-interval holds after SIGHUP"""
    with imap_pair(top="poll-interval = 1h") as pair:
        deliver(pair, 1)
        with selected(pair) as client:
            patch(pair, in_graph(pair)[0], isRead=True)
            pair.top = "poll-interval = 1s"
            pair.reload()
            time.sleep(1)
            assert flags_of(client.ok("NOOP")) == {1: {"\\Seen"}}


tap.main(at_once=4)
