#!/usr/bin/env python3
"""alpine, driven by the keys that a user would press. It is c-client, as PHP's imap_* is."""

from mailprograms import Terminal, box, main, message, need, test, wait_for

SETTINGS = """
personal-name=A User
user-domain=example.com
inbox-path={place}INBOX
folder-collections=Mail {place}[]
feature-list=quit-without-confirm,expunge-without-confirm,no-enable-mouse-in-xterm,
    disable-password-file-saving,enable-aggregate-command-set,enable-jump-shortcut,save-will-not-delete
last-version-used=9.99
new-version-threshold=9.99
"""


def alpine(where):
    """alpine with INBOX open, the password typed."""
    place = f"{{127.0.0.1:{where.port}/imap/notls/user={where.user}}}"
    config = where.work / "pinerc"
    config.write_text(SETTINGS.format(place=place).lstrip())
    terminal = Terminal(need("alpine"), "-p", config, "-i",
                        environment={"HOME": str(where.work)})
    terminal.expect(b"PASSWORD")
    terminal.type(where.password + "\r")
    return terminal


@test
def reads_and_sorts():
    """alpine reads, deletes, flags, saves to another folder, expunges"""
    with box(*map(message, range(4))) as where:
        where.folder("Saved")
        with alpine(where) as terminal:
            terminal.expect(b"number 3")
            terminal.type("1\r\r")                 # jump to the first, and read it
            terminal.expect(b"text 0")
            terminal.type("i")
            terminal.expect(b"number 3")
            terminal.type("j2\r")
            terminal.type("d")
            terminal.type("j3\r")
            terminal.type("s")
            terminal.expect(b"SAVE")
            terminal.type("Saved\r")
            wait_for("the message is saved", lambda: where.subjects("Saved"))
            terminal.type("\f")                    # draw the screen anew
            terminal.expect(b"number 3")
            terminal.type("x")
            terminal.expect(b"xpunge")
            terminal.type("q")
            terminal.ended()
        assert where.subjects() == ["number 0", "number 2", "number 3"], where.contents()
        assert where.contents()[0] == ("number 0", True)
        assert where.subjects("Saved") == ["number 2"]


main()
