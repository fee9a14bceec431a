#!/usr/bin/env python3
"""fetchmail over IMAP into a delivery program, also waiting in IDLE."""

import subprocess

from fetchmail_common import WITHOUT, poll
from mailprograms import (BARE_CR, box, differences, imap_lf, main, message, messages_for, run,
                          test, wait_for)


def fetchmail(where, *options, server="", expect=(0,)):
    target, arguments = poll(where, "imap", where.user, where.password, options, server)
    run(*arguments, expect=expect)
    return [path.read_bytes() for path in sorted(target.iterdir())]


@test
def keep():
    """fetchmail, keep: the same bytes; seen mail is not fetched again"""
    messages = messages_for(without=WITHOUT + BARE_CR)
    with box(*messages.values()) as where:
        got = fetchmail(where, "keep")
        missing, more = differences({n: imap_lf(m) for n, m in messages.items()}, got)
        assert not missing and not more, (missing, len(more))
        assert all(seen for _, seen in where.contents())
        where.deliver(message(1))
        assert len(fetchmail(where, "keep")) == len(messages) + 1


@test
def nokeep():
    """fetchmail, nokeep: the mailbox is empty afterwards; then there is no mail"""
    with box(*map(message, range(5))) as where:
        assert len(fetchmail(where, "nokeep")) == 5
        assert where.contents() == []
        assert len(fetchmail(where, "nokeep", expect=(1,))) == 5


@test
def folders():
    """fetchmail from two folders, all messages"""
    with box(message(1)) as where:
        where.folder("Other")
        where.deliver(message(2), folder="Other", seen=True)
        got = fetchmail(where, "keep", "fetchall", 'folders INBOX,"Other"')
        assert len(got) == 2, got


@test
def idle():
    """fetchmail, idle: new mail arrives while it waits"""
    with box(message(1)) as where:
        target, arguments = poll(where, "imap", where.user, where.password, ("keep", "idle"), "")
        with subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as waiting:
            try:
                wait_for("the first message", lambda: len(list(target.iterdir())) == 1)
                where.deliver(message(2))
                wait_for("the second message", lambda: len(list(target.iterdir())) == 2)
            finally:
                waiting.terminate()
                waiting.wait()


main()
