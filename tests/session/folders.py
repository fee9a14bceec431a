#!/usr/bin/env python3
"""Folders over IMAP: how often Graph is asked, what is told of folders that others change, and
writes whose answers are lost."""

import random
import re
from concurrent.futures import ThreadPoolExecutor

import tap
from harness import IMAP, MAILBOX, Pair
from imapclient import Literal
from tap import test


def pair_of(**options):
    return Pair(listeners=IMAP, **options)


def messages(count, first=0):
    return [b"Subject: number %d\n\ntext %d\n" % (i, i) for i in range(first, first + count)]


def folder(pair, path, **more):
    return pair.sandbox.control("POST", "/folders", {"user": MAILBOX, "path": path, **more})["id"]


def text(word):
    return word.decode() if isinstance(word, bytes) else str(word)


def listed(client, pattern="*"):
    """The names of LIST."""
    return [text(r.data[2]) for r in client.ok(f'LIST "" "{pattern}"').of("LIST")]


def status(client, name, items="MESSAGES UNSEEN UIDNEXT UIDVALIDITY"):
    return {text(k): int(v) for k, v in
            client.ok(f'STATUS "{name}" ({items})').data("STATUS")[1].items()}


def asked(pair, count, what):
    requests = pair.sandbox.requests()
    assert len(requests) <= count, (
        f"{what}: {len(requests)} requests, {count} allowed:\n"
        + "\n".join(f"{r['method']} {r['path'][:160]}" for r in requests))


def paths(pair):
    return set(pair.sandbox.folders())


def session(pair):
    return pair.imap().login()


def warmed(pair):
    """The first sync of the inbox, which begins at boot, is over."""
    with session(pair) as client:
        client.examine()


# -- how often Graph is asked -----------------------------------------------------------------


def tree(pair, folders=200, messages=0):
    pair.sandbox.control("POST", "/tree", {"user": MAILBOX, "path": "Tree", "folders": folders,
                                           "messages": messages})


STATUS = 'LIST "" * RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY UNSEEN))'


@test
def list_status():
    """LIST with STATUS of 200 folders: at most 5 requests, the first time too"""
    with pair_of() as pair:
        tree(pair, messages=2)
        warmed(pair)
        pair.sandbox.forget()
        with session(pair) as client:
            reply = client.ok(STATUS)
            assert len(reply.of("STATUS")) == len(reply.of("LIST")) >= 200
            asked(pair, 5, "the first time")
        pair.sandbox.forget()
        with session(pair) as client:
            client.ok(STATUS)
            asked(pair, 5, "again")
        pair.stop()
        pair.sandbox.forget()
        pair.start()
        with session(pair) as client:
            client.ok(STATUS)
            asked(pair, 6, "after a restart, the inbox warmed")


@test
def fifty():
    """STATUS of 50 folders one by one: at most 5 requests, whether they were opened or not"""
    with pair_of() as pair:
        tree(pair, 60, messages=3)
        with session(pair) as client:
            names = [n for n in listed(client) if n.startswith("Tree/")][:50]
        warmed(pair)
        for what in "never opened", "opened":
            pair.sandbox.forget()
            with session(pair) as client:
                for name in names:
                    assert status(client, name)["MESSAGES"] == 3
            asked(pair, 5, what)
            with session(pair) as client:
                for name in names:
                    client.ok(f'EXAMINE "{name}"')


@test
def nothing_changed():
    """LIST when nothing changed: one request; a script that asks for the inbox: one"""
    with pair_of() as pair:
        tree(pair, 20)
        with session(pair) as client:
            listed(client)
            client.select()
        pair.sandbox.forget()
        with session(pair) as client:
            listed(client)
        asked(pair, 1, "LIST")
        pair.sandbox.forget()
        with session(pair) as client:
            status(client, "INBOX")
        asked(pair, 1, "STATUS INBOX")


# -- what others change -----------------------------------------------------------------------


def changes_show(**settings):
    with pair_of(top="poll-interval = 1s") as pair:
        pair.sandbox.settings(**settings)
        folder(pair, "Work/Deep/Deeper")
        pair.deliver(*messages(3), folder="Work/Deep")
        with session(pair) as client:
            assert {"Work", "Work/Deep", "Work/Deep/Deeper"} <= set(listed(client))
            assert status(client, "Work/Deep")["MESSAGES"] == 3
            client.examine("Work/Deep")
        pair.deliver(*messages(2), folder="Work/Deep")
        folder(pair, "Work/New")
        pair.sandbox.control("POST", "/remove", {"user": MAILBOX, "path": "Work/Deep/Deeper"})
        with session(pair) as client:
            assert status(client, "Work/Deep") | {"UIDVALIDITY": 0} == {
                "MESSAGES": 5, "UNSEEN": 5, "UIDNEXT": 6, "UIDVALIDITY": 0}
        with session(pair) as client:
            names = listed(client, "Work*")
            assert names == ["Work", "Work/Deep", "Work/New"], names
            client.no('SELECT "Work/Deep/Deeper"')


@test
def others():
    """New, removed and changed folders show"""
    changes_show()


@test
def others_without_counts():
    """The same where the delta of folders does not tell of counters"""
    changes_show(**{"folder-delta-counts": False})


@test
def others_without_delta():
    """The same where there is no delta of folders"""
    changes_show(**{"folder-delta": "absent"})


@test
def others_at_the_top():
    """The same where the delta of folders tells the top level only"""
    changes_show(**{"folder-delta": "top"})


@test
def asked_again():
    """Who asks for the same thing again wants to know what is new, at once"""
    with pair_of() as pair, session(pair) as client:
        folder(pair, "Work")
        assert "New" not in listed(client)
        assert status(client, "Work")["MESSAGES"] == 0
        folder(pair, "New")
        pair.deliver(*messages(2), folder="Work")
        assert "New" in listed(client)
        assert status(client, "Work")["MESSAGES"] == 2
        client.examine("Work")
        pair.deliver(*messages(1), folder="Work")
        assert status(client, "Work")["MESSAGES"] == 3


@test
def dead_link():
    """A delta link that has died: the tree is read anew"""
    with pair_of() as pair:
        with session(pair) as client:
            listed(client)
        folder(pair, "After")
        pair.sandbox.control("POST", "/expire-delta", {"user": MAILBOX})
        with session(pair) as client:
            assert "After" in listed(client)


@test
def hidden():
    """Hidden folders and search folders are left out, with what is in them"""
    with pair_of() as pair:
        folder(pair, "Hidden", hidden=True)
        folder(pair, "Hidden/Below")
        folder(pair, "Search", search=True)
        folder(pair, "Shown")
        with session(pair) as client:
            names = listed(client)
            assert "Shown" in names and not {"Hidden", "Hidden/Below", "Search"} & set(names)


@test
def names():
    """Names with '/', '=XX', INBOX and more map both ways"""
    displays = {"a/b": "a=2Fb", "=41": "=3D41", "=4g": "=4g", "tab\there": "tab=09here",
                "INBOX": "=49NBOX", "inbox x": "inbox x", "Grüße": "Gr&APwA3w-e", "&": "&-",
                "50%*": "50%*", 'q"q': 'q"q'}
    with pair_of() as pair:
        for display in displays:
            folder(pair, "Names", name=display)
        with session(pair) as client:
            found = {n.removeprefix("Names/") for n in listed(client, "Names/*")}
            wanted = {v if d != "INBOX" else "INBOX" for d, v in displays.items()}
            assert found == wanted, found ^ wanted
            for name in sorted(found):
                client.ok("EXAMINE ", Literal(f"Names/{name}".encode()))
            # Made by IMAP, it is what it was.
            client.ok('CREATE "Names/c=2Fd"')
            client.no('CREATE "Names/c=41"')
            client.no('CREATE "Names//x"')
            client.no('CREATE "inbox"')
            client.ok('CREATE "Names/inbox y"')
            client.no('CREATE "INBOXES=49"')


# -- changing folders -------------------------------------------------------------------------


def loses_answers(pair, path, method="POST", count=1):
    pair.sandbox.fault(path, method=method, reset=True, after=True, count=count)


@test
def lost_answers():
    """Answers to CREATE, RENAME and DELETE that are lost are settled by looking"""
    with pair_of() as pair, session(pair) as client:
        loses_answers(pair, "/(mailFolders|childFolders)$")
        client.ok("CREATE One")
        assert paths(pair) >= {"One"}
        loses_answers(pair, "/mailFolders/[^/]*$", "PATCH")
        client.ok("RENAME One Two")
        client.ok("CREATE Parent")
        loses_answers(pair, "/move$")
        client.ok("RENAME Two Parent/Two")
        assert {"Parent", "Parent/Two"} <= paths(pair) and not {"One", "Two"} & paths(pair)
        loses_answers(pair, "/move$")
        client.ok("DELETE Parent/Two")
        assert "Deleted Items/Two" in paths(pair)
        loses_answers(pair, "/mailFolders/[^/]*$", "DELETE")
        client.ok('DELETE "Deleted Items/Two"')
        assert "Deleted Items/Two" not in paths(pair)


@test
def not_done():
    """A write that was lost before it was done is repeated"""
    with pair_of() as pair, session(pair) as client:
        pair.sandbox.fault("/(mailFolders|childFolders)$", method="POST", reset=True, count=1)
        client.ok("CREATE One")
        assert sum(p == "One" for p in pair.sandbox.folders()) == 1


@test
def delete():
    """DELETE: under a free name in Deleted Items; not with folders in it, however new"""
    with pair_of() as pair:
        pair.sandbox.settings(**{"delete-folder": "conflict"})
        folder(pair, "Deleted Items/Old")
        folder(pair, "Deleted Items/old 2")
        folder(pair, "Old")
        folder(pair, "Full")
        pair.deliver(*messages(2), folder="Old")
        with session(pair) as client:
            listed(client)
            client.ok("DELETE Old")
            assert len(pair.sandbox.inside("Deleted Items/Old 3")) == 2
            assert "Deleted Items/Old 3" in listed(client)
            folder(pair, "Full/Behind")
            reply = client.no("DELETE Full")
            assert reply.code_is("HASCHILDREN"), reply
            for name in "INBOX", "Deleted Items", "Sent Items":
                assert client.no(f'DELETE "{name}"').code_is("CANNOT")
            assert client.no("DELETE nowhere").code_is("NONEXISTENT")
            assert {"Full", "Full/Behind"} <= paths(pair)


@test
def delete_ways():
    """DELETE as `expunge` says"""
    for how in "recoverable", "permanent":
        with pair_of(logins={"alice": {"mailbox": f"'{MAILBOX}'", "expunge": how}}) as pair:
            folder(pair, "Old")
            with session(pair) as client:
                client.ok("DELETE Old")
                assert not any(p.startswith("Deleted Items/") or p == "Old"
                               for p in paths(pair)), paths(pair)
                assert "Old" not in listed(client)


@test
def no_permanent_delete():
    """`expunge = permanent` where Graph does not offer it: NO, and nothing is done"""
    with pair_of(logins={"alice": {"mailbox": f"'{MAILBOX}'", "expunge": "permanent"}}) as pair:
        pair.sandbox.settings(**{"permanent-delete": False})
        folder(pair, "Old")
        with session(pair) as client:
            assert client.no("DELETE Old").code_is("CANNOT")
            assert "Old" in listed(client)


@test
def rename():
    """RENAME to another parent and name; where names are taken on the way; undone if it fails"""
    with pair_of() as pair:
        for path in "A/x", "A/y", "B/x", "C":
            folder(pair, path)
        ids = pair.deliver(*messages(2), folder="A/x")
        with session(pair) as client:
            assert client.no("RENAME A/x A/y").code_is("ALREADYEXISTS")
            assert client.no("RENAME A A/x/z").code_is("CANNOT")
            client.ok("RENAME A/x B/y")  # both names are taken at the other place
            assert pair.sandbox.inside("B/y") == ids
            assert listed(client, "A/*") == ["A/y"]
            client.ok("RENAME B/y New/Parent/z")
            assert pair.sandbox.inside("New/Parent/z") == ids
            before = paths(pair)
            pair.sandbox.fault("/move$", method="POST", status=403, count=1,
                               body='{"error":{"code":"ErrorAccessDenied","message":"no"}}')
            client.no("RENAME New/Parent/z C/other")
            assert paths(pair) == before
            assert "New/Parent/z" in listed(client)


@test
def rename_inbox():
    """RENAME INBOX: its messages move, it stays"""
    with pair_of() as pair:
        ids = pair.deliver(*messages(6))
        folder(pair, "Inbox/Child")
        with session(pair) as client:
            client.ok("RENAME INBOX Saved")
            assert status(client, "INBOX")["MESSAGES"] == 0
            assert status(client, "Saved")["MESSAGES"] == 6
            assert "INBOX/Child" in listed(client)
        assert sorted(pair.sandbox.inside("Saved")) == sorted(ids)


@test
def rename_inbox_since():
    """RENAME INBOX does not touch mail that the login does not see"""
    with pair_of(logins={"alice": {"serve-since": "'2999-01-01'"}}) as pair:
        ids = pair.deliver(*messages(3))
        with session(pair) as client:
            client.ok("RENAME INBOX Saved")
        assert sorted(pair.sandbox.inside("Inbox")) == sorted(ids)


@test
def uidvalidity():
    """UIDVALIDITY of a name only rises: made again, renamed over, after a restart"""
    with pair_of() as pair:
        folder(pair, "Name")
        folder(pair, "Other")
        pair.deliver(*messages(2), folder="Name")
        with session(pair) as client:
            told = [status(client, "Other")["UIDVALIDITY"]]
            told = [status(client, "Name")["UIDVALIDITY"]]
            client.ok("DELETE Name")
            client.ok("CREATE Name")
            told.append(status(client, "Name")["UIDVALIDITY"])
            client.ok("DELETE Name")
            client.ok("RENAME Other Name")
            client.select("Name")
            told.append(status(client, "Name")["UIDVALIDITY"])
        pair.restart()
        with session(pair) as client:
            assert status(client, "Name")["UIDVALIDITY"] == told[-1]
            client.ok("DELETE Name")
            client.ok("CREATE Name")
            told.append(status(client, "Name")["UIDVALIDITY"])
        assert told == sorted(set(told)), told


@test
def uidnext():
    """UIDNEXT that STATUS told of a folder never opened is a floor for what comes"""
    absent = {"article-next-absent": True}
    for settings, items in ({}, 4), (absent, 0), (absent | {"article": "absent"}, 4):
        with pair_of() as pair:
            pair.sandbox.settings(**settings)
            folder(pair, "Name", items=items)
            pair.deliver(*messages(3), folder="Name")
            with session(pair) as client:
                told = status(client, "Name")
            pair.deliver(*messages(1, 3), folder="Name")
            pair.restart()
            with session(pair) as client:
                client.select("Name")
                uids = client.uids()
                now = status(client, "Name")
                assert uids[-1] >= told["UIDNEXT"], (settings, told, uids)
                assert now["UIDNEXT"] > uids[-1]
                assert now["UIDVALIDITY"] == told["UIDVALIDITY"]


@test
def subscriptions():
    """Every folder is subscribed until it is not; that outlives a restart and the folder"""
    with pair_of() as pair:
        folder(pair, "One")
        with session(pair) as client:
            def subscribed():
                return {text(r.data[2]) for r in client.ok('LSUB "" *').of("LSUB")}
            assert {"INBOX", "One"} <= subscribed()
            client.ok("UNSUBSCRIBE One")
            client.ok("CREATE Gone")
            client.ok("SUBSCRIBE Gone")
            client.ok("DELETE Gone")
            assert "One" not in subscribed() and "Gone" in subscribed()
        pair.restart()
        with session(pair) as client:
            assert "One" not in subscribed() and "Gone" in subscribed()


@test
def no_batches():
    """Where batches are refused or throttled, folders are asked for one by one"""
    for fault in {"status": 400}, {"status": 429, "retry_after": "0.2", "count": 2}:
        with pair_of() as pair:
            tree(pair, 30, messages=1)
            pair.sandbox.fault("/\\$batch$", method="POST", **fault)
            with session(pair) as client:
                reply = client.ok(STATUS)
                assert len(reply.of("STATUS")) == len(reply.of("LIST")) >= 30
                assert any("\\Sent" in str(r.data[0]) for r in reply.of("LIST"))


@test
def at_once():
    """Several sessions that change and list folders at once agree in the end"""
    def work(pair, number):
        shuffle = random.Random(number)
        with session(pair) as client:
            for _ in range(25):
                name, other = (f"F{shuffle.randrange(4)}" for _ in range(2))
                client.command(shuffle.choice([
                    f"CREATE {name}/{number}", f"DELETE {name}/{number}", f"DELETE {name}",
                    f"RENAME {name} {other}/x", f"RENAME {name}/x {other}", f"SUBSCRIBE {name}",
                    f"UNSUBSCRIBE {name}", f"STATUS {name} (MESSAGES UIDVALIDITY)", STATUS,
                    'LIST "" *', 'LSUB "" *', f"EXAMINE {name}"]))

    with pair_of() as pair:
        with ThreadPoolExecutor(4) as pool:
            for result in [pool.submit(work, pair, n) for n in range(4)]:
                result.result()
        with session(pair) as client:
            names = {n for n in listed(client) if re.match(r"F\d", n)}
        assert names == {p for p in paths(pair) if re.match(r"F\d", p)}


tap.main(at_once=4)
