#!/usr/bin/env python3
"""GNU movemail into an mbox file, which has LF, From_ lines between messages, and ">From "."""

import re
from urllib.parse import quote

from mailprograms import (PASSWORD, Pair, Skip, inbox, lf, main, messages_for, need, run,
                          test)

WITHOUT = (
    "date-4", "date-6",  # dates that it cannot parse, at which it gives up altogether
    "content-type-broken", "folded-headers", "giant-header",  # it adds a blank after the colon
    "body-without-blank-line", "from-first-line", "nul-in-header",  # it drops what is no field
    "minimal-one-byte", "minimal-newline")

# movemail 3.15 loses octets where its buffer of 8 KB ends, in all but the first message that it
# copies, from one local mbox to another too: so larger ones are fetched one by one.
SOUND_SIZE = 8000


def movemail(pair, *options):
    if b"Mailutils" not in run(need("movemail"), "--version"):
        raise Skip("GNU movemail is not installed")
    target = pair.work / "mbox"
    run(need("movemail"), "--no-config", *options,
        f"pop://alice:{quote(PASSWORD)}@127.0.0.1:{pair.port}", target)
    # Its own fields, at the end of each header.
    return re.sub(rb"^X-(UIDL|IMAPbase|UID): .*\n", b"", target.read_bytes(), flags=re.M)


def as_stored(message):
    return re.sub(rb"^(>*From )", rb">\1", lf(message), flags=re.M)


def take(mbox, messages):
    """Finds these messages one after another; returns names not found, and what is left over."""
    missing, rest = [], []
    for name, message in messages.items():
        before, found, after = mbox.partition(as_stored(message).rstrip(b"\n"))
        if found:
            rest.append(before)
            mbox = after
        else:
            missing.append(name)
    return missing, [piece for piece in [*rest, mbox]
                     if not re.fullmatch(rb"\n*(From .*\n)?", piece)]


def small():
    return {name: message for name, message in messages_for(without=WITHOUT).items()
            if len(message) < SOUND_SIZE}


@test
def large():
    """movemail moves large messages with the same bytes"""
    for name, message in messages_for(without=[*WITHOUT, *small()]).items():
        with Pair() as pair:
            pair.deliver(message)
            missing, more = take(movemail(pair), {name: message})
            assert not missing and not more, (missing, more)
            assert inbox(pair) == 0


@test
def keep_uidl():
    """movemail keeping mail, by UIDL: the same bytes; a second run fetches only what is new"""
    messages = small()
    with Pair() as pair:
        pair.deliver(*messages.values())
        missing, more = take(movemail(pair, "--preserve", "--uidl"), messages)
        assert not missing and not more, (missing, more)
        pair.deliver(b"Subject: new\n\ntext\n")
        again = movemail(pair, "--preserve", "--uidl")
        assert len(re.findall(rb"^From ", again, re.M)) == len(messages) + 1
        assert b"Subject: new\n\ntext\n" in again
        assert inbox(pair) == len(messages) + 1


@test
def moves():
    """movemail moves: the mailbox is empty afterwards"""
    messages = dict(list(small().items())[:10])
    with Pair() as pair:
        pair.deliver(*messages.values())
        missing, more = take(movemail(pair), messages)
        assert not missing and not more, (missing, more)
        assert inbox(pair) == 0


main()
