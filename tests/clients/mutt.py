#!/usr/bin/env python3
"""mutt, driven by the keys that a user would press."""

from mailprograms import Terminal, box, main, message, need, test


def mutt(where, keys, more=""):
    """mutt in a terminal, which begins with these keys; more: further lines of its settings."""
    config = where.work / "muttrc"
    config.write_text(
        f'set folder="imap://{where.user}@127.0.0.1:{where.port}/"\nset spoolfile="+INBOX"\n'
        f'set imap_pass="{where.password}"\nset ssl_starttls=no\nset ssl_force_tls=no\n'
        f'set imap_authenticators="login"\nset header_cache=""\nset move=no\nset delete=yes\n'
        f'set quit=yes\nset mark_old=no\nset wait_key=no\nset confirmappend=no\n'
        f'set confirmcreate=no\nset sort=mailbox-order\nset beep=no\nset sleep_time=0\n'
        f'set timeout=1\nset mail_check=1\nset imap_idle=yes\nset record=""\nset imap_check_subscribed=yes\n'
        f'{more}')
    return Terminal(need("mutt"), "-n", "-F", config, "-e", f'push "{keys}"',
                    environment={"HOME": str(where.work)})


@test
def reads_and_sorts():
    """mutt reads, flags, deletes, copies and saves to another folder"""
    with box(*map(message, range(6))) as where:
        where.folder("Saved")
        keys = ("<first-entry><display-message><exit>"
                "<jump>2<enter><flag-message>"
                "<jump>3<enter><delete-message>"
                "<jump>4<enter><save-message><kill-line>=Saved<enter>"
                "<jump>5<enter><copy-message><kill-line>=Saved<enter>"
                "<sync-mailbox><quit>")
        with mutt(where, keys) as terminal:
            assert terminal.ended() == 0
        assert where.subjects() == ["number 0", "number 1", "number 4", "number 5"]
        assert where.contents()[0] == ("number 0", True)
        assert where.contents()[1] == ("number 1", False)
        assert sorted(where.subjects("Saved")) == ["number 3", "number 4"]


@test
def searches():
    """mutt searches on the server, limits, tags, creates a folder and changes to it"""
    with box(*map(message, range(4))) as where:
        keys = ('<limit>=b\\"text 2\\"<enter><delete-message><limit>all<enter>'
                "<sync-mailbox>"
                "<tag-pattern>~s\\\"number [01]\\\"<enter><tag-prefix><save-message><kill-line>"
                "=Made<enter><sync-mailbox>"
                "<change-folder><kill-line>=Made<enter><quit>")
        with mutt(where, keys) as terminal:
            assert terminal.ended() == 0
        assert where.subjects() == ["number 3"]
        assert sorted(where.subjects("Made")) == ["number 0", "number 1"]


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@test
def writes():
    """mutt postpones a message, takes it up again and keeps a copy of what it sent"""
    with box(message(1)) as where:
        for name in "Sent Items", "Drafts":
            if where.contents(name) is None:
                where.folder(name)
        editor = script(where.work / "editor", "echo 'what is written' >> \"$1\"")
        sendmail = script(where.work / "sendmail", f"cat > {where.work}/sent")
        more = (f'set editor="{editor}"\nset sendmail="{sendmail}"\nset postponed="+Drafts"\n'
                'set record="+Sent Items"\nset from="user0@example.com"\nset postpone=yes\n'
                'set recall=yes\nset abort_unmodified=no\n')
        with mutt(where, "<mail>to@example.com<enter>begun<enter>", more) as terminal:
            terminal.expect(b"y:Send")
            terminal.type("P")
            terminal.expect(b"postponed")
            terminal.type("q")
            assert terminal.ended() == 0
        assert where.subjects("Drafts") == ["begun"]
        with mutt(where, "<recall-message>", more) as terminal:
            terminal.expect(b"y:Send")
            terminal.type("y")
            terminal.expect(b"Mail sent")
            terminal.type("q")
            assert terminal.ended() == 0
        assert where.subjects("Drafts") == []
        assert where.contents("Sent Items") == [("begun", True)]
        assert b"what is written" in (where.work / "sent").read_bytes()


@test
def new_mail():
    """mutt shows mail that comes while a folder is open"""
    with box(message(1)) as where:
        with mutt(where, "") as terminal:
            terminal.expect(b"number 1")
            where.deliver(message(2))
            terminal.expect(b"number 2")
            terminal.type("q")
            assert terminal.ended() == 0


main()
