#!/usr/bin/env python3
"""Graph misbehaves while IMAP clients ask for anything: each gets a clear NO, nobody loses mail or
is shown an error as mail, and all works again afterwards, on the same connections."""

import time

import tap
from harness import IMAP, MAILBOX, Pair
from imapclient import Literal
from tap import test, wait_for

HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
ERROR = '{"error":{"code":"SomethingElse","message":"Something is wrong."}}'
# What every request gets, for as long as it lasts.
FAULTS = {
    "401": {"status": 401, "body": ERROR},
    "403": {"status": 403, "body": ERROR},
    "502 with HTML": {"status": 502, "body": HTML, "content_type": "text/html"},
    "503 with Retry-After": {"status": 503, "body": ERROR, "retry_after": "1"},
    "200 with HTML": {"status": 200, "body": HTML, "content_type": "text/html"},
    "200 with JSON of another shape": {"status": 200, "body": '[1,{"value":"x"}]',
                                       "content_type": "application/json"},
    "a reset": {"reset": True},
    "a redirect to another host": {"status": 302, "redirect": "https://192.0.2.1/evil"},
}
MESSAGE = b"Subject: appended\r\n\r\nbody\r\n"
# A command for each session; what must hold when it was refused. They work on messages of their
# own, so that they can be sent at once.
COMMANDS = {
    "body": ("FETCH 1 (BODY.PEEK[])",),
    "structure": ("FETCH 2 (BODYSTRUCTURE)",),
    "headers": ("FETCH 10:39 (ENVELOPE)",),
    "store": ("STORE 3 +FLAGS (\\Seen)",),
    "copy": ("COPY 4 There",),
    "move": ("MOVE 5 There",),
    "append": ("APPEND There ", Literal(MESSAGE)),
    "create": ("CREATE New",),
    "rename": ("RENAME Old Renamed",),
    "delete": ("DELETE Unwanted",),
    "search": ("SEARCH BODY nothing",),
    "select": ('SELECT "Never"',),
}


def messages(count):
    return [b"Subject: number %d\nFrom: a@example.com\nMessage-ID: <%d@example.com>\n\ntext %d\n"
            % (i, i, i) for i in range(1, count + 1)]


def contents(pair):
    """Each folder's messages, as (subject, seen)."""
    folders = pair.sandbox.control("GET", f"/mailbox?user={MAILBOX}")["folders"]
    return {f["path"]: [(m["subject"], m["isRead"]) for m in f["messages"]] for f in folders}


def everything_fails(rule):
    with Pair(listeners=IMAP, limits={"request-timeout": "2s"}) as pair:
        for path in ("There", "Old", "Unwanted", "Never"):
            pair.sandbox.control("POST", "/folders", {"user": MAILBOX, "path": path})
        pair.deliver(*messages(40))
        sessions = {name: pair.imap() for name in COMMANDS}
        for client in sessions.values():
            client.login().select()
        # All that is not about to be changed is known.
        sessions["store"].list()
        sessions["store"].status("There", "MESSAGES")
        before = contents(pair)

        pair.sandbox.fault("users/|batch", **rule)
        begun = {name: sessions[name].begin(*command) for name, command in COMMANDS.items()}
        for name, command in begun.items():
            reply = sessions[name].finish(command)
            assert reply.status == "NO" and reply.code, f"{name}: {reply}"
            told = [r for r in reply.of("FETCH") if r.data.keys() - {"FLAGS", "UID", "MODSEQ"}]
            assert not told, f"{name}: {told}"
            assert not reply.of("EXPUNGE") and not reply.of("SEARCH"), f"{name}: {reply}"
            sessions[name].ok("NOOP" if name == "select" else "CAPABILITY")
        pair.sandbox.no_faults()
        assert contents(pair) == before

        for name, client in sessions.items():
            wait_for(f"{name} works again",
                     lambda: client.command(*COMMANDS[name]).status == "OK")
        after = contents(pair)
        assert ("number 3", True) in after["Inbox"] and len(after["Inbox"]) == 39
        assert sorted(subject for subject, _ in after["There"]) == [
            "appended", "number 4", "number 5"], after["There"]
        assert "New" in after and "Renamed" in after and "Old" not in after
        assert "Unwanted" not in after
        for client in sessions.values():
            client.logout()


@test
def one_patience():
    """However many messages a STORE is for, it is told within a minute that Graph is not there"""
    commands = ("STORE 1:40 +FLAGS (\\Seen)", "STORE 1:40 +FLAGS (Later)")
    with Pair(listeners=IMAP) as pair:
        pair.deliver(*messages(40))
        sessions = {command: pair.imap() for command in commands}
        for client in sessions.values():
            client.login().select()
        before = contents(pair)
        pair.sandbox.fault("users/", status=503, retry_after="1", body=ERROR)
        began = time.monotonic()
        begun = {command: client.begin(command) for command, client in sessions.items()}
        for command, client in sessions.items():
            reply = client.finish(begun[command])
            took = time.monotonic() - began
            assert reply.status == "NO" and took < 75, f"{command}: {took} s, {reply}"
        pair.sandbox.no_faults()
        assert contents(pair) == before


for title, what in FAULTS.items():
    tap.add(f"{title}, for every command", lambda what=what: everything_fails(what))


def done_but_unheard(command, path, method, check):
    """The work was done and its answer got lost: it is settled by looking, and the client hears
    the truth."""
    with Pair(listeners=IMAP) as pair:
        for name in ("There", "Old", "Unwanted"):
            pair.sandbox.control("POST", "/folders", {"user": MAILBOX, "path": name})
        pair.deliver(*messages(6))
        with pair.imap() as client:
            client.login().select()
            client.status("There", "MESSAGES")
            for fault in ({"reset": True}, {"status": 503}, {"truncate": 10}):
                pair.sandbox.fault(path, method=method, after=True, count=1, **fault)
                reply = client.command(*command)
                pair.sandbox.no_faults()
                if not check(contents(pair), reply):
                    raise AssertionError(f"{fault}: {reply}\n{contents(pair)}")
            client.logout()


@test
def store_unheard():
    """STORE whose answer is lost"""
    done_but_unheard(("STORE 1 +FLAGS (\\Seen)",), "/messages/", "PATCH",
                     lambda now, reply: reply.status == "OK" and now["Inbox"][0][1])


@test
def move_unheard():
    """MOVE whose answer is lost: each is in one place"""
    def check(now, reply):
        assert reply.status == "OK" and len(reply.of("EXPUNGE")) == 1
        return len(now["Inbox"]) + len(now["There"]) == 6 and now["There"]
    done_but_unheard(("MOVE 1 There",), "/move$", "POST", check)


@test
def copy_unheard():
    """COPY whose answer is lost: there is one more each time"""
    count = 0

    def check(now, reply):
        nonlocal count
        count += reply.status == "OK"
        return reply.status == "OK" and len(now["There"]) == count
    done_but_unheard(("COPY 2 There",), "/copy$", "POST", check)


@test
def append_unheard():
    """APPEND whose answer is lost: there is one more each time"""
    count = 0

    def check(now, reply):
        nonlocal count
        count += reply.status == "OK"
        return reply.status == "OK" and len(now["There"]) == count and not now["Drafts"]
    done_but_unheard(("APPEND There ", Literal(MESSAGE)), "/messages", "POST", check)


@test
def folder_gone():
    """A folder that is deleted while it is selected: NO, and the session goes on"""
    with Pair(listeners=IMAP, top="poll-interval = 100ms") as pair:
        pair.sandbox.control("POST", "/folders", {"user": MAILBOX, "path": "Doomed"})
        pair.deliver(*messages(3), folder="Doomed")
        with pair.imap() as client, pair.imap() as other:
            client.login().select("Doomed")
            other.login().ok("DELETE Doomed")
            for command in ("NOOP", "FETCH 1 (BODY.PEEK[])", "STORE 1 +FLAGS (\\Seen)",
                            "UID SEARCH ALL", "EXPUNGE", "CHECK"):
                if client.bye:
                    break
                reply = client.command(command)
                assert reply.status in ("OK", "NO"), reply
            assert not client.bye
            client.select("INBOX")
            client.no('SELECT "Doomed"')
            client.logout()
            other.logout()


@test
def folder_destroyed():
    """A folder destroyed while it is selected: MOVE does not blame the target, CLOSE leaves it"""
    with Pair(listeners=IMAP, logins={"alice": {"expunge": "permanent"}}) as pair:
        pair.deliver(*messages(2))
        with pair.imap() as client, pair.imap() as other:
            client.login()
            other.login().select()
            for command in ("MOVE 1 INBOX", "CLOSE"):
                pair.sandbox.control("POST", "/folders", {"user": MAILBOX, "path": "Doomed"})
                other.ok("COPY 1:2 Doomed")
                client.select("Doomed")
                client.ok("STORE 1 +FLAGS (\\Deleted)")
                other.ok("DELETE Doomed")
                reply = client.command(command)
                if command == "CLOSE":
                    assert reply.status == "OK", reply
                else:
                    assert reply.status == "NO" and reply.code_is("EXPUNGEISSUED"), reply
            client.bad("FETCH 1 FLAGS")
            client.logout()
            other.logout()
        assert len(contents(pair)["Inbox"]) == 2


@test
def message_gone():
    """A message that vanishes between listing and body: the others come all the same"""
    with Pair(listeners=IMAP) as pair:
        ids = pair.deliver(*messages(5))
        with pair.imap() as client:
            client.login().select()
            pair.sandbox.control("POST", "/delete", {"user": MAILBOX, "id": ids[2]})
            reply = client.command("FETCH 1:5 (BODY.PEEK[])")
            got = {n for n, items in reply.fetched().items() if "BODY[]" in items}
            assert got == {1, 2, 4, 5}, reply
            client.ok("NOOP")
            assert client.fetch("1:*", "(UID)").keys() <= {1, 2, 3, 4, 5}
            client.logout()


@test
def seen_cannot_be_written():
    """FETCH whose implicit \\Seen cannot be written gives the body, and tells no \\Seen"""
    with Pair(listeners=IMAP) as pair:
        pair.deliver(*messages(2))
        with pair.imap() as client:
            client.login().select()
            pair.sandbox.fault("/messages/", method="PATCH", status=403, body=ERROR)
            items = client.fetch(1, "(BODY[] FLAGS)")[1]
            assert b"text 1" in items["BODY[]"] and "\\Seen" not in items["FLAGS"]
            pair.sandbox.no_faults()
            assert "\\Seen" in client.fetch(2, "(BODY[] FLAGS)")[2]["FLAGS"]
            assert not contents(pair)["Inbox"][0][1] and contents(pair)["Inbox"][1][1]
            client.logout()


@test
def body_cut_short():
    """Bodies that are cut short are no mail: NO, and nothing of them is shown"""
    with Pair(listeners=IMAP) as pair:
        pair.deliver(*messages(3))
        with pair.imap() as client:
            client.login().select()
            pair.sandbox.fault(r"/\$value", truncate=40)
            reply = client.no("FETCH 1:3 (UID BODY.PEEK[])")
            assert not [r for r in reply.of("FETCH") if "BODY[]" in r.data], reply
            pair.sandbox.no_faults()
            wait_for("bodies come again", lambda: len([
                n for n, items in client.command("FETCH 1:3 (BODY.PEEK[])").fetched().items()
                if "BODY[]" in items]) == 3)
            client.logout()


@test
def client_vanishes():
    """A client that vanishes in the middle of a write: the write runs to its end"""
    with Pair(listeners=IMAP) as pair:
        pair.sandbox.control("POST", "/folders", {"user": MAILBOX, "path": "There"})
        pair.deliver(*messages(40))
        client = pair.imap()
        client.login().select()
        client.status("There", "MESSAGES")
        pair.sandbox.settings(latency_ms=30)
        client.send(b"x MOVE 1:* There\r\n")
        wait_for("the first moves", lambda: len(pair.sandbox.requests("/move$", "POST")) > 3)
        client.reset()
        wait_for("all moved", lambda: len(contents(pair)["There"]) == 40)


@test
def literal_vanishes():
    """A client that vanishes in the middle of an APPEND's literal leaves nothing behind"""
    with Pair(listeners=IMAP) as pair:
        pair.deliver(*messages(1))
        for size in (10, 100_000):
            client = pair.imap()
            client.login()
            client.send(b"x APPEND INBOX {200000}\r\n")
            assert client.raw_response().startswith(b"+ ")
            client.send(b"x" * size)
            client.reset()
        with pair.imap() as client:
            client.login().select()
            assert client.selected.exists == 1
            client.logout()
        assert len(contents(pair)["Inbox"]) == 1


tap.main(at_once=12)
