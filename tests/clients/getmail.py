#!/usr/bin/env python3
"""getmail6 into a Maildir. It writes LF; the fields that it adds are switched off."""

from getmail_common import WITHOUT, without_return_path
from mailprograms import (PASSWORD, Pair, corpus, differences, inbox, lf, main, maildir,
                          messages_for, need, not_as_root, run, test)

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
