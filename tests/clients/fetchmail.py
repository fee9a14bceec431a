#!/usr/bin/env python3
"""fetchmail into a delivery program. It writes LF; rewriting and tracing are switched off."""

from mailprograms import (PASSWORD, Pair, corpus, differences, inbox, lf, main, messages_for,
                          need, run, test)

WITHOUT = (
    "long-line-100k",  # longer than its buffer, where it puts line ends
    "header-only", "header-no-final-newline", "minimal-newline", "minimal-one-byte", "no-headers",
    # … it adds the empty line that they lack, or one more
    "nul-in-header", "from-first-line", "dot-in-header")  # it drops what is no header field


def fetchmail(pair, *options, server="", expect=(0,)):
    target = pair.work / "mail"
    target.mkdir(exist_ok=True)
    config = pair.work / "fetchmailrc"
    config.write_text(
        f'set invisible\n'
        f'poll 127.0.0.1 service {pair.port} protocol pop3 auth password\n'
        f'  no envelope bad-header accept {server}\n'
        f'  user alice there with password "{PASSWORD}" is root here\n'
        f'  mda "cat > $(mktemp -p {target} message.XXXXXXXX)"\n'
        f'  no rewrite no mimedecode {" ".join(options)}\n')
    config.chmod(0o600)
    run(need("fetchmail"), "-f", config, "--idfile", pair.work / "fetchids", "--pidfile",
        pair.work / "pid", "--sslproto", "", "--silent", expect=expect)
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
