#!/usr/bin/env python3
"""How often Graph is asked for what IMAP does: the budgets of ARCHITECTURE.md, counted."""

import threading
import time

import tap
from harness import IMAP, Pair, most_in_flight
from tap import test, wait_for


def messages(count, first=0):
    return [b"Subject: number %d\nFrom: a@example.com\n\ntext %d\n" % (i, i)
            for i in range(first, first + count)]


def pair(count=0, **options):
    """A Pair with so many messages in the inbox, which is known already."""
    options = {"listeners": IMAP, "top": "poll-interval = 10s", **options}
    if count:
        options["sandbox"] = (*options.get("sandbox", ()), "--generate", f"Inbox={count}")
    return Pair(**options)


def known(where, folder="INBOX"):
    """Opened once; then counting begins."""
    with where.imap() as client:
        client.login().select(folder)
        client.logout()
    where.sandbox.forget()


def asked(where, count, what, requests=None):
    requests = where.sandbox.requests() if requests is None else requests
    assert len(requests) <= count, (
        f"{what}: {len(requests)} requests, {count} allowed:\n"
        + "\n".join(f"{r['method']} {r['path']}?{r['query']}"[:200] for r in requests[:30]))


@test
def nothing_new():
    """Opening a folder again with nothing new: 1 request; after a restart 2"""
    with pair(50) as where:
        known(where)
        with where.imap() as client:
            assert client.login().select().exists == 50
            client.uids()
            client.search("UNSEEN")
            client.logout()
        asked(where, 1, "nothing new")
        where.stop()
        where.sandbox.forget()
        where.start()
        with where.imap() as client:
            assert client.login().select().exists == 50
            client.fetch("1:*", "(UID FLAGS)")
            client.logout()
        asked(where, 2, "after a restart")


@test
def one_new():
    """One new message, polled and fetched: at most 3 requests"""
    with pair(50) as where:
        known(where)
        where.deliver(*messages(1))
        where.sandbox.forget()
        with where.imap() as client:
            assert client.login().select().exists == 51
            assert b"text 0" in client.fetch(51, "(UID FLAGS BODY.PEEK[])")[51]["BODY[]"]
            client.logout()
        asked(where, 3, "one new message")


@test
def first_opening():
    """A folder of 5,000 opened for the first time: at most 2 * ceil(N / 500) + 3 requests"""
    with pair(5000, serve=False) as where:
        where.start()
        with where.imap() as client:
            assert client.login().select().exists == 5000
            client.logout()
        # The session adds the one delta round of its SELECT.
        asked(where, 23 + 1, "first opening")


@test
def headers_of_many():
    """ENVELOPE and header fields of 1,000 messages: at most 4 requests, then none"""
    with pair(1000) as where:
        known(where)
        with where.imap() as client:
            client.login().select()
            where.sandbox.forget()
            assert len(client.fetch("1:*", "(UID ENVELOPE)")) == 1000
            asked(where, 4, "ENVELOPE of 1,000")
            where.sandbox.forget()
            client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)])")
            client.search("SUBJECT nothing")
            asked(where, 0, "the same again")
            client.logout()
    with pair(1000) as where:
        known(where)
        with where.imap() as client:
            client.login().select()
            where.sandbox.forget()
            client.uid_fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)])")
            client.logout()
        asked(where, 4, "header fields of 1,000")


@test
def bodies():
    """Bodies of 100 messages: as many requests, four abreast; then from the cache"""
    with pair() as where:
        where.deliver(*messages(100))
        known(where)
        where.sandbox.settings(latency_ms=30)
        with where.imap() as client:
            client.login().select()
            where.sandbox.forget()
            got = client.fetch("1:*", "(BODY.PEEK[])")
            assert all(b"text %d\r\n" % (n - 1) in got[n]["BODY[]"] for n in range(1, 101))
            downloads = where.sandbox.requests(r"/\$value")
            assert len(downloads) == 100, len(downloads)
            assert most_in_flight(downloads) == 4, most_in_flight(downloads)
            asked(where, 100, "100 bodies")
            where.sandbox.forget()
            client.fetch("1:*", "(BODY.PEEK[TEXT] BODYSTRUCTURE RFC822.SIZE)")
            asked(where, 0, "the same again")
            client.logout()


@test
def structures_are_kept():
    """BODYSTRUCTURE and sizes are remembered over a restart"""
    with pair() as where:
        where.deliver(*messages(20))
        known(where)
        with where.imap() as client:
            client.login().select()
            first = client.fetch("1:*", "(BODYSTRUCTURE RFC822.SIZE ENVELOPE)")
            client.logout()
        where.restart()
        where.sandbox.forget()
        with where.imap() as client:
            client.login().select()
            assert client.fetch("1:*", "(BODYSTRUCTURE RFC822.SIZE ENVELOPE)") == first
            client.logout()
        asked(where, 0, "downloads", where.sandbox.requests(r"/\$value"))


@test
def store_of_many():
    """STORE of 40: one request each, four abreast; all that needs no change costs one"""
    with pair() as where:
        where.deliver(*messages(40))
        known(where)
        where.sandbox.settings(latency_ms=100)
        with where.imap() as client:
            client.login().select()
            where.sandbox.forget()
            client.ok("STORE 1:* +FLAGS (\\Flagged)")
            patches = where.sandbox.requests("", "PATCH")
            assert len(patches) == 40 and most_in_flight(patches) == 4
            asked(where, 40 + 1, "STORE of 40")
            where.sandbox.forget()
            client.ok("STORE 1:* +FLAGS (\\Flagged)")
            asked(where, 1, "STORE of what is so already")
            client.logout()


@test
def move_of_many():
    """MOVE and COPY of 40: one request each, four abreast"""
    with pair() as where:
        where.deliver(*messages(40))
        where.sandbox.control("POST", "/folders", {"user": "alice@example.com", "path": "There"})
        known(where)
        known(where, "There")
        where.sandbox.settings(latency_ms=100)
        with where.imap() as client:
            client.login().select()
            for verb, what in (("COPY", "/copy$"), ("MOVE", "/move$")):
                where.sandbox.forget()
                assert len(client.transfer(f"UID {verb} 1:* There")) == 40
                posts = where.sandbox.requests(what, "POST")
                assert len(posts) == 40 and most_in_flight(posts) == 4, (verb, len(posts))
                asked(where, 40 + 8, verb)
            client.logout()


@test
def expunge_of_many():
    """EXPUNGE of 40: a move and taking the mark off each, four abreast, one listing before"""
    with pair() as where:
        where.deliver(*messages(40))
        known(where)
        where.sandbox.settings(latency_ms=100)
        with where.imap() as client:
            client.login().select()
            client.ok("STORE 1:* +FLAGS.SILENT (\\Deleted)")
            where.sandbox.forget()
            assert len(client.ok("EXPUNGE").of("EXPUNGE")) == 40
            posts = where.sandbox.requests("/move$", "POST")
            assert len(posts) == 40 and most_in_flight(posts) == 4
            asked(where, 2 * 40 + 5, "EXPUNGE of 40")
            client.logout()


def folders(where, count):
    for number in range(count):
        where.sandbox.control("POST", "/folders", {"user": "alice@example.com",
                                                   "path": f"Folder {number}"})
    where.deliver(*messages(2), folder="Folder 1")


@test
def status_of_many():
    """STATUS of 50 folders: at most 5 requests"""
    with pair() as where:
        folders(where, 50)
        known(where)
        with where.imap() as client:
            client.login()
            where.sandbox.forget()
            for number in range(50):
                client.status(f"Folder {number}", "MESSAGES UNSEEN UIDNEXT UIDVALIDITY")
            asked(where, 5, "STATUS of 50, one after the other")
            where.sandbox.forget()
            begun = [client.begin(f'STATUS "Folder {n}" (MESSAGES UNSEEN)') for n in range(50)]
            for command in begun:
                assert client.finish(command).status == "OK"
            asked(where, 5, "STATUS of 50 that are known")
            client.logout()


@test
def list_status():
    """LIST with STATUS of 200 folders: at most 5 requests"""
    with pair() as where:
        folders(where, 200)
        known(where)
        with where.imap() as client:
            client.login()
            where.sandbox.forget()
            reply = client.ok('LIST "" * RETURN (STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY))')
            assert len(reply.of("STATUS")) >= 200
            told = {r.data[0]: r.data[1]["MESSAGES"] for r in reply.of("STATUS")}
            assert told[b"Folder 1"] == 2, told
            asked(where, 5, "LIST-STATUS of 200")
            client.logout()


@test
def list_again():
    """LIST and LSUB again with nothing new: 1 request"""
    with pair() as where:
        folders(where, 30)
        known(where)
        with where.imap() as client:
            client.login().list()
            client.logout()
        where.sandbox.forget()
        with where.imap() as client:
            client.login()
            assert len(client.list()) >= 30
            client.ok('LSUB "" *')
            client.ok('LIST "" ""')
            client.logout()
        asked(where, 1, "LIST again")


@test
def noop_storms():
    """1,000 NOOP of five clients: at most one delta a poll interval"""
    interval = 2
    with pair(20, top=f"poll-interval = {interval}s") as where:
        known(where)
        begin = time.monotonic()

        def storm():
            with where.imap() as client:
                client.login().select()
                for _ in range(200):
                    client.ok("NOOP")
                    client.ok("CHECK")
                client.logout()

        threads = [threading.Thread(target=storm) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # Each SELECT may ask, too.
        asked(where, (time.monotonic() - begin) / interval + 1 + 5, "2,000 NOOP and CHECK")


@test
def idle_costs_one_poll():
    """Ten clients in IDLE on one folder: one delta a poll interval between them"""
    with pair(20, top="poll-interval = 1s") as where:
        known(where)
        clients = [where.imap() for _ in range(10)]
        commands = []
        for client in clients:
            client.login().select()
            commands.append(client.idle())
        where.sandbox.forget()
        begin = time.monotonic()
        where.deliver(*messages(1))
        for client in clients:
            while client.selected.exists < 21:
                client.response()
        took = time.monotonic() - begin
        # Right after a change it looks sooner.
        asked(where, 2 * took + 4, f"IDLE of ten for {took:.1f} s")
        for client, command in zip(clients, commands):
            client.done(command)
            client.logout()


@test
def local_searches():
    """SEARCH on flags, dates, sizes, UIDs and known headers costs nothing"""
    with pair(200) as where:
        known(where)
        with where.imap() as client:
            client.login().select()
            client.fetch("1:*", "(ENVELOPE)")
            where.sandbox.forget()
            for keys in ("UNSEEN", "SINCE 1-Jan-2020", "UID 1:50", "NOT DELETED FLAGGED",
                         "KEYWORD work", "SUBJECT a", "FROM example", "LARGER 100"):
                client.search(keys)
            asked(where, 0, "searches")
            client.logout()


@test
def batch_beside():
    """What is asked for in a batch counts as so many requests beside those of another client"""
    with pair(30) as where, where.imap() as one, where.imap() as other:
        one.login().select()
        other.login()
        where.sandbox.settings(latency_ms=100)
        bodies = one.begin("FETCH 1:* (BODY.PEEK[])")
        wait_for("bodies are on their way", lambda: where.sandbox.requests(r"\$value$"))
        other.list()
        assert where.sandbox.requests(r"\$batch$")
        one.finish(bodies)
        # Pair asks the sandbox whether there were ever more than four.


tap.main(at_once=6)
