#!/usr/bin/env python3
"""mpop into a Maildir. It writes LF; its own Received field is switched off."""

from mailprograms import (PASSWORD, Pair, corpus, differences, inbox, lf, main, maildir,
                          messages_for, need, run, test)

WITHOUT = ()


def configure(pair, *lines):
    path = pair.work / "mpoprc"
    path.write_text("\n".join([
        "account default", "host 127.0.0.1", f"port {pair.port}", "user alice",
        f"password {PASSWORD}", "tls off", "auth user", "received_header off",
        f"uidls_file {pair.work}/uidls", f"delivery maildir {maildir(pair.work / 'mail')}",
        *lines]) + "\n")
    path.chmod(0o600)
    return path


def mpop(pair, config):
    run(need("mpop"), "-C", config, "--quiet")
    return [path.read_bytes() for path in sorted((pair.work / "mail" / "new").iterdir())]


@test
def keep():
    """mpop with keep: the same bytes; a second run fetches only what is new"""
    messages = messages_for(without=WITHOUT)
    with Pair() as pair:
        pair.deliver(*messages.values())
        config = configure(pair, "keep on")
        missing, more = differences({n: lf(m) for n, m in messages.items()}, mpop(pair, config))
        assert not missing and not more, (missing, more)
        pair.deliver(b"Subject: new\n\ntext\n")
        got = mpop(pair, config)
        assert len(got) == len(messages) + 1 and b"Subject: new\n\ntext\n" in got
        assert inbox(pair) == len(messages) + 1


@test
def nokeep():
    """mpop without keep empties the mailbox"""
    with Pair() as pair:
        pair.deliver(*list(corpus().values())[:10])
        assert len(mpop(pair, configure(pair, "keep off"))) == 10
        assert inbox(pair) == 0


main()
