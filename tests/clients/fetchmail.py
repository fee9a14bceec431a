#!/usr/bin/env python3
"""fetchmail into a delivery program. It writes LF; rewriting and tracing are switched off."""

from fetchmail_common import WITHOUT, poll
from mailprograms import (PASSWORD, Pair, corpus, differences, inbox, lf, main, messages_for, run,
                          test)


def fetchmail(pair, *options, server="", expect=(0,)):
    target, arguments = poll(pair, "pop3", "alice", PASSWORD, options, server)
    run(*arguments, expect=expect)
    return [path.read_bytes() for path in sorted(target.iterdir())]


@test
def keep_uidl():
    """fetchmail, keep and uidl: the same bytes; a second run fetches only what is new"""
    messages = messages_for(without=WITHOUT)
    with Pair() as pair:
        pair.deliver(*messages.values())
        got = fetchmail(pair, "keep", server="uidl")
        missing, more = differences({n: lf(m) for n, m in messages.items()}, got)
        assert not missing and not more, (missing, more)
        pair.deliver(b"Subject: new\n\ntext\n")
        got = fetchmail(pair, "keep", server="uidl")
        assert len(got) == len(messages) + 1, len(got)
        assert inbox(pair) == len(messages) + 1


@test
def nokeep():
    """fetchmail, nokeep: the mailbox is empty afterwards; then there is no mail"""
    with Pair() as pair:
        pair.deliver(*list(corpus().values())[:10])
        assert len(fetchmail(pair, "nokeep")) == 10
        assert inbox(pair) == 0
        assert len(fetchmail(pair, "nokeep", expect=(1,))) == 10


main()
