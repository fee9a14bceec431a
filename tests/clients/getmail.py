#!/usr/bin/env python3
"""getmail6 into a Maildir. It writes LF; the fields that it adds are switched off."""

import re

from mailprograms import (PASSWORD, Pair, corpus, differences, inbox, lf, main, maildir,
                          messages_for, need, not_as_root, run, test)

# getmail takes mail apart and writes it anew by Python's email package, which folds addresses and
# parameters its own way, ends every header with an empty line, drops lines that are no fields, and
# puts right what is broken about boundaries.
WITHOUT = (
    "address-comments", "attachments", "body-without-blank-line", "boundary-no-end",
    "boundary-same-nested", "boundary-special", "boundary-wrong-nesting", "content-type-broken",
    "dsn", "encoded-words", "encoded-words-broken", "encoding-unknown", "encrypted",
    "external-body", "folded-headers", "from-first-line", "giant-header", "group-addresses",
    "header-no-final-newline", "header-only", "long-header-line", "mdn", "message-rfc822",
    "minimal-one-byte", "mixed-nested", "nul-in-header", "partial", "rfc2231", "utf8-bom")


def getmail(pair, **options):
    home = pair.work / "getmail"
    home.mkdir(mode=0o700, exist_ok=True)
    target = maildir(pair.work / "mail")
    user = not_as_root(target)
    settings = {"read_all": "false", "delete": "false", "delivered_to": "false",
                "received": "false", "verbose": "0", **options}
    (home / "getmailrc").write_text(
        "[retriever]\ntype = SimplePOP3Retriever\nserver = 127.0.0.1\n"
        f"port = {pair.port}\nusername = alice\npassword = {PASSWORD}\n"
        f"[destination]\ntype = Maildir\npath = {target}/\n"
        + (f"user = {user}\n" if user else "") +
        "[options]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    run(need("getmail"), "--getmaildir", home)
    return [without_return_path(path.read_bytes()) for path in (target / "new").iterdir()]


def without_return_path(message):
    """getmail puts the envelope sender first, in place of what Return-Path there was."""
    return re.sub(rb"\AReturn-Path: .*\n", b"", message)


@test
def keep():
    """getmail, leaving mail: the same bytes; a second run fetches only what is new"""
    messages = messages_for(without=WITHOUT)
    with Pair() as pair:
        pair.deliver(*messages.values())
        missing, more = differences(
            {name: without_return_path(lf(message)) for name, message in messages.items()},
            getmail(pair))
        assert not missing and not more, (missing, more)
        pair.deliver(b"Subject: new\n\ntext\n")
        got = getmail(pair)
        assert len(got) == len(messages) + 1 and b"Subject: new\n\ntext\n" in got
        assert inbox(pair) == len(messages) + 1


@test
def delete():
    """getmail, deleting, empties the mailbox"""
    with Pair() as pair:
        pair.deliver(*list(corpus().values())[:10])
        assert len(getmail(pair, delete="true")) == 10
        assert inbox(pair) == 0


main()
