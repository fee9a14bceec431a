#!/usr/bin/env python3
"""getmail over IMAP into a Maildir: keeps, deletes, moves, from several folders."""

import re

from getmail_common import WITHOUT, without_return_path
from mailprograms import (box, differences, imap_wire, lf, maildir, main, message, messages_for,
                          need, not_as_root, run, test)


FROM = rb"X-getmail-retrieved-from-mailbox: \w+\n"


def getmail(where, options="", retriever="", new_only=False):
    target = maildir(where.work / "mail")
    config = where.work / "getmailrc"
    user = not_as_root(target)
    config.write_text(
        "[retriever]\ntype = SimpleIMAPRetriever\nserver = 127.0.0.1\n"
        f"port = {where.port}\nusername = {where.user}\npassword = {where.password}\n"
        f"{retriever}\n"
        f"[destination]\ntype = Maildir\npath = {target}/\n"
        + (f"user = {user}\n" if user else "")
        + "[options]\nread_all = " + ("false" if new_only else "true")
        + f"\ndelivered_to = false\nreceived = false\n{options}\n")
    config.chmod(0o600)
    run(need("getmail"), "--getmaildir", where.work, "--rcfile", config)
    return [path.read_bytes() for path in sorted((target / "new").iterdir())]


@test
def keep():
    """getmail: the same bytes; a second run fetches only what is new"""
    messages = messages_for(without=WITHOUT)
    with box(*messages.values()) as where:
        got = [lf(without_return_path(re.sub(FROM, b"", data))) for data in getmail(where, new_only=True)]
        missing, more = differences({n: without_return_path(lf(imap_wire(m))) for n, m in messages.items()}, got)
        assert not missing and not more, (missing, len(more), more[0][:300])
        where.deliver(message(1))
        assert len(getmail(where, new_only=True)) == len(messages) + 1


@test
def delete():
    """getmail, delete: the mailbox is empty afterwards"""
    with box(*map(message, range(5))) as where:
        assert len(getmail(where, "delete = true")) == 5
        assert where.contents() == []


@test
def move():
    """getmail, move_on_delete: the messages are in the other folder afterwards"""
    with box(*map(message, range(3))) as where:
        where.folder("Fetched")
        assert len(getmail(where, "delete = true", "move_on_delete = Fetched")) == 3
        assert where.contents() == []
        assert sorted(where.subjects("Fetched")) == ["number 0", "number 1", "number 2"]


@test
def folders():
    """getmail from several folders, and from all"""
    with box(message(1)) as where:
        where.folder("Other")
        where.deliver(message(2), folder="Other")
        assert len(getmail(where, retriever='mailboxes = ("INBOX", "Other")')) == 2


main()
