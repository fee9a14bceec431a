#!/usr/bin/env python3
"""How often Graph is asked: the budgets of ARCHITECTURE.md, counted."""

import tap
from harness import Pair, most_in_flight
from tap import test


def messages(count, first=0):
    return [b"Subject: number %d\n\ntext %d\n" % (i, i) for i in range(first, first + count)]


def known(pair):
    """A session in which everything that LIST and UIDL tell has been told once."""
    with pair.pop3() as client:
        client.login()
        client.list()
        client.quit()


def asked(pair, count, what):
    requests = pair.sandbox.requests()
    assert len(requests) <= count, (
        f"{what}: {len(requests)} requests, {count} allowed:\n"
        + "\n".join(f"{r['method']} {r['path']}" for r in requests))


@test
def nothing_new():
    """A second session with nothing new: 1 request"""
    with Pair() as pair:
        pair.deliver(*messages(50))
        known(pair)
        pair.sandbox.forget()
        with pair.pop3() as client:
            client.login()
            client.stat()
            client.uidl()
            client.quit()
        asked(pair, 1, "nothing new")


@test
def nothing_new_after_restart():
    """The first session after a restart with nothing new: 1 request a login"""
    with Pair() as pair:
        pair.deliver(*messages(50))
        known(pair)
        pair.stop()
        pair.sandbox.forget()
        pair.start()
        with pair.pop3() as client:
            assert client.login().stat()[0] == 50
            client.uidl()
            client.quit()
        # The first sync that starts at boot may have ended before this session asked.
        asked(pair, 2, "after a restart")


@test
def one_new():
    """One new message, polled and fetched: at most 3 requests"""
    with Pair() as pair:
        pair.deliver(*messages(50))
        known(pair)
        pair.deliver(*messages(1, 50))
        pair.sandbox.forget()
        with pair.pop3() as client:
            client.login()
            client.list()
            client.uidl()
            assert b"number 50" in client.retr(51)
            client.quit()
        asked(pair, 3, "one new message")


@test
def first_opening():
    """A folder of N opened for the first time: at most 2 * ceil(N / 500) + 3 requests"""
    for count, allowed in ((0, 5), (499, 5), (501, 7), (2000, 11)):
        with Pair(serve=False, sandbox=("--generate", f"Inbox={count}") if count else ()) as pair:
            pair.start()
            with pair.pop3() as client:
                assert client.login().stat()[0] == count
                client.uidl()
                client.quit()
            opening = [r for r in pair.sandbox.requests() if "/$value" not in r["path"]]
            # The session adds the one delta round of its login.
            assert len(opening) <= allowed + 1, (
                f"{count} messages: {len(opening)} requests:\n"
                + "\n".join(f"{r['method']} {r['path']}" for r in opening))


@test
def retr_of_many():
    """RETR of N uncached messages: N downloads, four abreast"""
    with Pair() as pair:
        pair.deliver(*messages(60))
        pair.settled()
        pair.sandbox.settings(latency_ms=50)
        pair.sandbox.forget()
        with pair.pop3() as client:
            client.login()
            for number in range(1, 61):
                assert b"text %d" % (number - 1) in client.retr(number)
            client.quit()
        downloads = pair.sandbox.requests(r"/\$value")
        assert len(downloads) == 60, len(downloads)
        assert most_in_flight(downloads) == 4, most_in_flight(downloads)
        asked(pair, 61, "RETR of 60")


@test
def read_again():
    """Mail that was fetched before comes from the cache, after a restart too"""
    with Pair() as pair:
        pair.deliver(*messages(20))
        for restart in (False, True, False):
            if restart:
                pair.restart()
            with pair.pop3() as client:
                client.login()
                for number in range(1, 21):
                    client.retr(number)
                client.quit()
        assert len(pair.sandbox.requests(r"/\$value")) == 20


@test
def uidl_of_many():
    """STAT and UIDL download nothing where more than 100 sizes are unknown"""
    with Pair(sandbox=("--generate", "Inbox=300")) as pair:
        pair.settled()
        pair.sandbox.forget()
        with pair.pop3() as client:
            client.login()
            assert client.stat()[0] == 300
            client.uidl()
            client.quit()
        asked(pair, 1, "STAT and UIDL of 300")


@test
def deletes():
    """DELE of N and QUIT: N moves, one delta round before them"""
    with Pair() as pair:
        pair.deliver(*messages(40))
        pair.settled()
        pair.sandbox.settings(latency_ms=20)
        pair.sandbox.forget()
        with pair.pop3() as client:
            client.login()
            for number in range(1, 41):
                client.ok(f"DELE {number}")
            client.quit()
        moves = pair.sandbox.requests("/move$", "POST")
        assert len(moves) == 40 and most_in_flight(moves) == 4
        asked(pair, 40 + 3, "40 deletes")


@test
def same_moment():
    """Logins at the same moment share one delta round"""
    with Pair() as pair:
        pair.deliver(*messages(5))
        pair.settled()
        pair.sandbox.settings(latency_ms=300)
        pair.sandbox.forget()
        clients = [pair.pop3() for _ in range(10)]
        for client in clients:
            client.ok("USER alice")
        for client in clients:
            client.send(b"PASS correct horse battery\r\n")
        for client in clients:
            assert client.line().startswith("+OK")
            client.quit()
        # A login that came just after a round began may need the next one.
        asked(pair, 3, "ten logins at once")


@test
def one_token():
    """All this needs one token"""
    with Pair() as pair:
        pair.deliver(*messages(20))
        for _ in range(5):
            with pair.pop3() as client:
                client.login()
                client.retr(1)
                client.quit()
        assert pair.sandbox.tokens() == 1


tap.main()
