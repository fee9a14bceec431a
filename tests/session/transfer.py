#!/usr/bin/env python3
"""COPY, MOVE, EXPUNGE and APPEND when answers are lost, refused or late; what stays and what goes."""

import base64
import contextlib
import glob
import os
import random
import sqlite3
import urllib.parse

import tap
from graphclient import Graph
from harness import IMAP, MAILBOX, Pair
from imapclient import Literal
from tap import test, wait_for

LANES = 4  # requests of a mailbox that are under way at a time
LISTENERS = {"pop": {"tls": "none"}, **IMAP}
DENIED = '{"error":{"code":"ErrorAccessDenied","message":"Access is denied."}}'
FULL = '{"error":{"code":"ErrorQuotaExceeded","message":"The mailbox is full."}}'


def texts(count):
    return [b"Subject: number %d\r\nFrom: a@b.example\r\nMessage-ID: <%d@here>\r\n\r\ntext %d\r\n"
            % (i, i, i) for i in range(count)]


def pair_with(count=0, **options):
    class Ready(Pair):
        def __enter__(self):
            super().__enter__()
            self.sandbox.control("POST", "/folders", {"user": MAILBOX, "path": "There"})
            self.ids = self.deliver(*texts(count))
            return self
    return Ready(listeners=LISTENERS, **options)


def multipart(*files):
    head = (b"Subject: files\r\nFrom: a@b.example\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee there\r\n")
    parts = (b"--b\r\nContent-Type: application/octet-stream; name=f%d.bin\r\n"
             b"Content-Transfer-Encoding: base64\r\n\r\n%s" %
             (i, base64.encodebytes(data).replace(b"\n", b"\r\n"))
             for i, data in enumerate(files))
    return head + b"".join(parts) + b"--b--\r\n"


def bodies(client, folder):
    client.select(folder)
    if not client.selected.exists:
        return []
    return [items["BODY[]"] for _, items in sorted(client.fetch("1:*", "(BODY.PEEK[])").items())]


@test
def copy_lost_answers():
    """COPY whose answers are lost: each message is there once"""
    with pair_with(12) as pair, pair.imap().login() as client:
        client.select()
        pair.sandbox.fault("/copy$", method="POST", reset=True, after=True, count=2)
        pair.sandbox.fault("/copy$", method="POST", reset=True, count=2)
        client.ok("COPY 1:* There")
        assert sorted(bodies(client, "There")) == sorted(texts(12))


@test
def copy_all_or_nothing():
    """COPY that fails in the middle leaves nothing behind"""
    with pair_with(20) as pair, pair.imap().login() as client:
        client.select()
        pair.sandbox.fault("/copy$", method="POST", status=403, skip=9, body=DENIED)
        client.no("COPY 1:* There")
        assert not pair.sandbox.inside("There")
        pair.sandbox.no_faults()
        assert client.transfer("UID COPY 1:* There")
        assert len(pair.sandbox.inside("There")) == 20


@test
def copy_of_what_is_gone():
    """COPY of a message that is gone from Graph copies nothing; then it is known"""
    with pair_with(6) as pair, pair.imap().login() as client:
        client.select()
        pair.sandbox.control("POST", "/delete", {"user": MAILBOX, "id": pair.ids[3]})
        assert client.no("UID COPY 1:* There").code_is("EXPUNGEISSUED")
        assert not pair.sandbox.inside("There")
        assert client.selected.exists == 5
        assert len(client.transfer("COPY 1:* There")) == 5
        assert len(pair.sandbox.inside("There")) == 5


@test
def copy_killed():
    """kill -9 during a COPY: after a restart nothing is there but what was never answered"""
    with pair_with(30) as pair:
        pair.settled()
        pair.sandbox.settings(latency_ms=20)
        with pair.imap().login() as client:
            client.select()
            client.begin("COPY 1:* There")
            wait_for("some copies", lambda: len(pair.sandbox.inside("There")) > 8)
            pair.postern.process.kill()
        assert pair.sandbox.inside("There")
        pair.start()
        wait_for("those that were answered are removed",
                 lambda: len(pair.sandbox.inside("There")) <= LANES)


def journal(pair):
    """What is being made, as the state directory has it."""
    database, = glob.glob(os.path.join(pair.work, "**/mail.db"), recursive=True)
    return sqlite3.connect(database, timeout=5, isolation_level=None)


@test
def journal_fails():
    """COPY and APPEND that cannot be taken off the journal fail at once, and not after a restart"""
    with pair_with(3) as pair, pair.imap().login() as client:
        client.select()
        with contextlib.closing(journal(pair)) as rows:
            rows.execute("CREATE TRIGGER stuck BEFORE DELETE ON making "
                         "BEGIN SELECT RAISE(ABORT, 'as the test wants it'); END")
            client.no("COPY 1:* There")
            client.no("APPEND There ", Literal(texts(1)[0]))
            assert not pair.sandbox.inside("There")
            rows.execute("DROP TRIGGER stuck")
            client.ok("COPY 1:* There")
            pair.restart()
            wait_for("the journal is empty",
                     lambda: rows.execute("SELECT count(*) FROM making").fetchone() == (0,))
        assert len(pair.sandbox.inside("There")) == 3


@test
def copy_killed_and_repeated():
    """What the client copies after a kill -9 is not taken for what was left of the command before"""
    with pair_with(1) as pair:
        pair.settled()
        pair.sandbox.fault("/copy$", method="POST", status=500, stall_ms=60000)
        with pair.imap().login() as client:
            client.select()
            client.begin("COPY 1 There")
            wait_for("a copy", lambda: pair.sandbox.requests("/copy$", "POST"))
            pair.postern.process.kill()
        pair.sandbox.no_faults()
        pair.start()
        with pair.imap().login() as client:
            client.select()
            client.ok("COPY 1 There")
            with contextlib.closing(journal(pair)) as rows:
                wait_for("the journal is empty",
                         lambda: rows.execute("SELECT count(*) FROM making").fetchone() == (0,))
        assert len(pair.sandbox.inside("There")) == 1


@test
def copy_killed_and_moved():
    """A source that is moved to the target after a kill -9 is not taken for its copy"""
    with pair_with(1) as pair:
        pair.settled()
        pair.sandbox.fault("/copy$", method="POST", stall_ms=60000)
        with pair.imap().login() as client:
            client.select()
            client.begin("COPY 1 There")
            wait_for("a copy", lambda: pair.sandbox.requests("/copy$", "POST"))
            pair.postern.process.kill()
        pair.sandbox.no_faults()
        pair.start()
        with pair.imap().login() as client:
            client.select()
            client.ok("MOVE 1 There")
        pair.restart()
        with contextlib.closing(journal(pair)) as rows:
            wait_for("the journal is empty",
                     lambda: rows.execute("SELECT count(*) FROM making").fetchone() == (0,))
        assert set(pair.ids) <= set(pair.sandbox.inside("There"))


@test
def found_is_not_removed():
    """A copy whose answer was lost only looks like ours: it stays, and the client is told so"""
    with pair_with(6) as pair, pair.imap().login() as client:
        client.select()
        pair.sandbox.fault("/copy$", method="POST", reset=True, after=True, count=1)
        pair.sandbox.fault("/copy$", method="POST", status=403, skip=2, body=DENIED)
        reply = client.no("COPY 1:* There")
        assert "outcome is not known" in str(reply), reply
        assert len(pair.sandbox.inside("There")) == 1


@test
def copy_while_others_copy():
    """A copy that another session makes of the same is not taken for the lost one"""
    with pair_with(1) as pair, pair.imap().login() as one, pair.imap().login() as other:
        one.select()
        other.select()
        # Lost before it was done, and no look succeeds until the other one has its answer.
        pair.sandbox.fault("/copy$", method="POST", reset=True, count=1)
        pair.sandbox.fault("/messages$", method="GET", status=503, retry_after="1", count=1, skip=1)
        begun = one.begin("UID COPY 1 There")
        wait_for("a copy", lambda: pair.sandbox.requests("/copy$", "POST"))
        other.ok("UID COPY 1 There")
        one.finish(begun)
        assert len(pair.sandbox.inside("There")) == 2


@test
def no_permanent_delete():
    """Where permanentDelete does not exist, EXPUNGE with it says NO, and the messages stay"""
    with pair_with(2, logins={"alice": {"expunge": "permanent"}}) as pair, \
            pair.imap().login() as client:
        client.select()
        client.ok("STORE 1:* +FLAGS.SILENT (\\Deleted)")
        pair.sandbox.fault("/permanentDelete$", method="POST", status=404,
                           body='{"error":{"code":"UnknownError","message":"no such segment"}}')
        client.no("EXPUNGE")
        client.ok("NOOP")
        assert client.selected.exists == 2 and pair.sandbox.inside("Inbox") == pair.ids


@test
def copy_side_by_side():
    """COPY whose answer is lost does not take another client's copy, or what was moved, for its"""
    with pair_with(2) as pair, pair.imap().login() as client, pair.imap().login() as other:
        client.select()
        client.transfer("UID COPY 2 INBOX")
        other.select()
        # Not done, and told so only after the others are there.
        pair.sandbox.fault("/copy$", method="POST", stall_ms=1500, reset=True, count=1)
        late = client.begin("UID COPY 1 There")
        wait_for("it is on its way", lambda: pair.sandbox.requests("/copy$", "POST")[1:])
        first = other.transfer("UID COPY 1 There")
        second = client.transferred(client.finish(late))
        assert first[1] != second[1], (first, second)
        # The same with a message that somebody moves there.
        pair.sandbox.fault("/copy$", method="POST", stall_ms=1500, reset=True, count=1)
        late = client.begin("UID COPY 2 There")
        wait_for("it is on its way", lambda: len(pair.sandbox.requests("/copy$", "POST")) == 5)
        moved = other.transfer("UID MOVE 3 There")
        copied = client.transferred(client.finish(late))
        assert moved[3] != copied[2], (moved, copied)
        assert len(pair.sandbox.inside("There")) == 4


@test
def move_lost_answers():
    """MOVE whose answers are lost is settled by looking"""
    with pair_with(12) as pair, pair.imap().login() as client:
        client.select()
        pair.sandbox.fault("/move$", method="POST", reset=True, after=True, count=2)
        pair.sandbox.fault("/move$", method="POST", reset=True, count=2)
        moved = client.transfer("UID MOVE 1:* There")
        assert len(moved) == 12 and len(set(moved.values())) == 12
        assert client.selected.exists == 0
        assert sorted(pair.sandbox.inside("There")) == sorted(pair.ids)


@test
def move_some():
    """MOVE that fails for some tells which were moved, and they are gone from here"""
    with pair_with(12) as pair, pair.imap().login() as client:
        client.select()
        pair.sandbox.fault("/move$", method="POST", status=403, count=3, body=DENIED)
        reply = client.no("MOVE 1:* There")
        assert len(reply.of("EXPUNGE")) == 9, reply
        assert len(pair.sandbox.inside("There")) == 9 and len(pair.sandbox.inside("Inbox")) == 3


@test
def move_in_place():
    """MOVE to the same folder gives new UIDs"""
    with pair_with(3) as pair, pair.imap().login() as client:
        client.select()
        before = client.uids()
        moved = client.transfer("UID MOVE 1:* INBOX")
        assert sorted(moved) == before and min(moved.values()) > max(before)
        assert bodies(client, "INBOX") == texts(3)


@test
def expunge_looks_first():
    """EXPUNGE leaves alone what no longer bears \\Deleted on the server"""
    with pair_with(5) as pair, pair.imap().login() as client:
        client.select()
        client.ok("STORE 1:4 +FLAGS.SILENT (\\Deleted)")
        pair.sandbox.fault("/messages$", method="GET", status=400, count=1,
                           body='{"error":{"code":"ErrorInvalidUrlQueryFilter","message":"no"}}')
        client.ok("UID EXPUNGE 1:2")
        assert pair.sandbox.inside("Inbox") == pair.ids[2:]
        client.ok("EXPUNGE")
        assert pair.sandbox.inside("Inbox") == pair.ids[4:]


@test
def append_comes_back():
    """Appended messages come back byte for byte, with flags and date, whatever Graph shows"""
    messages = [b"Subject: no end\r\n\r\nno line end", b"just text\r\n", texts(1)[0],
                multipart(b"x" * 10, bytes(range(256)) * 40)]
    with pair_with() as pair, pair.imap().login() as client:
        for message in messages:
            client.append("There", message, "\\Seen \\Answered $Forwarded Work",
                          "01-Feb-2020 10:11:12 +0200")
        client.append("There", messages[0], "\\Draft")
        assert bodies(client, "There") == [*messages, messages[0]]
        found = client.fetch("1:*", "(FLAGS INTERNALDATE RFC822.SIZE)")
        for number, message in enumerate(messages, 1):
            flags = {str(f) for f in found[number]["FLAGS"]} - {"\\Recent"}
            assert flags == {"\\Seen", "\\Answered", "$Forwarded", "Work"}, flags
            date = found[number]["INTERNALDATE"]
            assert date == b" 1-Feb-2020 08:11:12 +0000", date
            assert found[number]["RFC822.SIZE"] == len(message)
        assert "\\Draft" in {str(f) for f in found[5]["FLAGS"]}
        pair.restart()
        with pair.imap().login() as again:
            assert bodies(again, "There") == [*messages, messages[0]]


@test
def append_lost_answers():
    """APPEND whose answer is lost: the message is there once"""
    with pair_with() as pair, pair.imap().login() as client:
        for after in (True, False):
            for path in ("/messages$", "/attachments$", "/createUploadSession$"):
                pair.sandbox.fault(path, method="POST", reset=True, after=after, count=1)
                size = 3_200_000 if "Upload" in path else 1_500_000
                client.append("There", multipart(*[random.randbytes(size)] * 2))
                pair.sandbox.no_faults()
        assert len(pair.sandbox.inside("There")) == 6
        assert not pair.sandbox.inside("Drafts")


@test
def append_large_text():
    """A large text with a large file: they do not fit into one request, so the file follows"""
    size = 1_900_000
    message = multipart(random.randbytes(size)).replace(b"see", b"see\r\n" * 400_000, 1)
    with pair_with() as pair, pair.imap().login() as client:
        client.append("There", message)
        found, = seen_by_others(pair, "There")
        assert [len(base64.b64decode(f["contentBytes"])) for f in found["attachments"]] == [size]
        assert bodies(client, "There") == [message]


@test
def append_draft_lost_answers():
    """The same for what goes as MIME"""
    with pair_with() as pair, pair.imap().login() as client:
        for after in (True, False):
            for path in ("/messages$", "/move$"):
                pair.sandbox.fault(path, method="POST", reset=True, after=after, count=1)
                client.append("There", texts(1)[0], "\\Draft")
                pair.sandbox.no_faults()
        assert len(pair.sandbox.inside("There")) == 4
        assert not pair.sandbox.inside("Drafts")


@test
def append_all_or_nothing():
    """MULTIAPPEND that fails at the last message leaves none; a full mailbox is said to be full"""
    with pair_with() as pair, pair.imap().login() as client:
        pair.sandbox.fault("/messages$", method="POST", status=507, skip=2, body=FULL)
        reply = client.no("APPEND There ", *sum(([Literal(m), " "] for m in texts(3)), [])[:-1])
        assert reply.code_is("OVERQUOTA"), reply
        assert not pair.sandbox.inside("There")
        pair.sandbox.no_faults()
        client.ok("APPEND There ", *sum(([Literal(m), " "] for m in texts(3)), [])[:-1])
        assert len(pair.sandbox.inside("There")) == 3
        pair.sandbox.fault("/attachments$", method="POST", status=403, body=DENIED)
        client.no("APPEND There ", Literal(multipart(*[b"x" * 1_500_000] * 2)))
        assert len(pair.sandbox.inside("There")) == 3


@test
def append_killed():
    """kill -9 during an APPEND: after a restart nothing half is there"""
    for flags, path in (("", "/attachments$"), ("\\Draft ", "/move$")):
        with pair_with() as pair:
            pair.settled()
            with pair.imap().login() as client:
                pair.sandbox.fault(path, method="POST", stall_ms=60000)
                client.begin(f"APPEND There ({flags})", " ",
                             Literal(multipart(*[b"x" * (20 if flags else 1_500_000)] * 2)))
                # By then the answer before it has come.
                wait_for("half a message", lambda: pair.sandbox.requests(path, "POST"))
                assert pair.sandbox.inside("There") + pair.sandbox.inside("Drafts")
                pair.postern.process.kill()
            pair.sandbox.no_faults()
            pair.start()
            wait_for("it is removed", lambda: not pair.sandbox.inside("There")
                     + pair.sandbox.inside("Drafts"))


def seen_by_others(pair, folder):
    """The messages of a folder as Graph shows them, with their files."""
    graph = Graph(pair.sandbox)
    found = []
    for message in pair.sandbox.inside(folder):
        path = f"/messages/{urllib.parse.quote(message, safe='')}"
        found.append({**graph.call("GET", path),
                      "attachments": graph.call("GET", path + "/attachments")["value"]})
    return found


MAIL = (b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nFrom: Ann <ann@b.example>\r\n"
        b"To: bob@b.example, cy@b.example\r\nDate: Sat, 01 Feb 2020 10:11:12 +0200\r\n"
        b"Message-ID: <here@b.example>\r\nIn-Reply-To: <there@b.example>\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>\xc3\xa4\r\n"
        b"--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nQUJD\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx\r\n--b--\r\n")


@test
def target_disappears():
    """A target that was deleted a moment ago: NO [TRYCREATE], and nothing is lost"""
    for command in ("COPY 1:* There", "MOVE 1:* There"):
        with pair_with(3) as pair, pair.imap().login() as client:
            client.append("There", texts(1)[0])
            client.select()
            pair.sandbox.control("POST", "/remove", {"user": MAILBOX, "path": "There"})
            assert client.no(command).code_is("TRYCREATE")
            assert pair.sandbox.inside("Inbox") == pair.ids
            assert client.no("APPEND There ", Literal(texts(1)[0])).code_is("TRYCREATE")
            client.ok("CREATE There")
            client.ok(command)
            assert len(pair.sandbox.inside("There")) == 3


@test
def json_for_others():
    """What others see of a message that went by JSON: no draft, its dates, people, text, files"""
    with pair_with() as pair, pair.imap().login() as client:
        client.append("There", MAIL, "\\Flagged Work", "02-Feb-2020 10:00:00 +0000")
        message, = seen_by_others(pair, "There")
        assert not message["isDraft"] and not message["isRead"]
        assert message["receivedDateTime"] == "2020-02-02T10:00:00Z", message["receivedDateTime"]
        assert message["sentDateTime"] == "2020-02-01T08:11:12Z", message["sentDateTime"]
        assert message["subject"] == "Grüße" and "ä" in message["body"]["content"]
        assert message["from"]["emailAddress"]["address"] == "ann@b.example"
        assert len(message["toRecipients"]) == 2
        assert message["internetMessageId"] == "<here@b.example>"
        assert message["flag"]["flagStatus"] == "flagged" and message["categories"] == ["Work"]
        assert [f["name"] for f in message["attachments"]] == ["a.pdf", "attachment-1.eml"]
        assert message["attachments"][0]["contentBytes"] == "QUJD"


@test
def ways():
    """append = json and append = draft do as they say; auto sends signed mail as MIME"""
    signed = MAIL.replace(b"multipart/mixed", b"multipart/signed")
    logins = {"alice": {}, "json": {"append": "json"}, "draft": {"append": "draft"}}
    drafts = {"alice": [False, True, True], "json": [False, False, True],
              "draft": [True, True, True]}
    with pair_with(logins=logins) as pair:
        for name, wanted in drafts.items():
            pair.sandbox.control("POST", "/folders", {"user": MAILBOX, "path": name})
            with pair.imap().login(name) as client:
                client.append(name, MAIL)
                client.append(name, signed)
                client.append(name, MAIL, "\\Draft")
                client.select(name)
                flags = [{str(f) for f in items["FLAGS"]}
                         for _, items in sorted(client.fetch("1:*", "(FLAGS)").items())]
                assert ["\\Draft" in f for f in flags] == [False, False, True], flags
                assert bodies(client, name) == [MAIL, signed, MAIL]
            assert [m["isDraft"] for m in seen_by_others(pair, name)] == wanted, name


@test
def undone_later():
    """What cannot be removed at once is removed after a restart, also without permanentDelete"""
    with pair_with(20) as pair:
        with pair.imap().login() as client:
            client.select()
            pair.sandbox.fault("/copy$", method="POST", status=403, skip=9, body=DENIED)
            pair.sandbox.fault("/(permanentDelete|move)$", method="POST", status=403, body=DENIED)
            client.no("COPY 1:* There")
            assert pair.sandbox.inside("There")
        pair.sandbox.no_faults()
        pair.sandbox.fault("/permanentDelete$", method="POST", status=400,
                           body='{"error":{"code":"BadRequest","message":"no such segment"}}')
        pair.restart()
        wait_for("all are removed", lambda: not pair.sandbox.inside("There"))


@test
def moved_originals():
    """An original follows its message into other folders, and goes with it"""
    message = texts(1)[0].rstrip()
    with pair_with() as pair, pair.imap().login() as client:
        client.append("INBOX", message)
        client.select()
        client.transfer("UID MOVE 1:* There")
        assert bodies(client, "There") == [message]
        client.transfer("UID COPY 1:* INBOX")
        assert bodies(client, "INBOX") == [message]


@test
def original_headers():
    """The header of an appended message is its own, though a listing of others shows Graph's"""
    message = b"Subject: gr\xfc\xdfe\r\nFrom: a@b.example\r\n\r\ntext\r\n"
    with pair_with(5) as pair, pair.imap().login() as client:
        client.append("INBOX", message)
        client.select()
        wanted = "BODY.PEEK[HEADER.FIELDS (Subject)]"
        client.fetch("1:5", f"({wanted})")
        found, = client.fetch("6", f"({wanted})")[6].values()
        assert found == b"Subject: gr\xfc\xdfe\r\n\r\n", found


tap.main()
