#!/usr/bin/env python3
"""curl over IMAP: lists, searches, fetches by number and UID, uploads, stores."""

from mailprograms import (box, corpus, imap_wire, main, message, messages_for, need, run,
                          secure_box, test)


def curl(where, path, *arguments, url=None):
    return run(need("curl"), "-sS", "--noproxy", "*", "--user", f"user0:{where.password}",
               f"{url or f'imap://127.0.0.1:{where.port}'}/{path}", *arguments)


@test
def same_bytes():
    """curl fetches every message with the same bytes"""
    messages = messages_for()
    with box(*messages.values()) as where:
        for number, (name, data) in enumerate(messages.items(), 1):
            assert curl(where, f"INBOX;MAILINDEX={number}") == imap_wire(data), name


@test
def sections():
    """curl fetches by UID, sections and parts of them"""
    with box(message(1), message(2)) as where:
        assert b"number 2" in curl(where, "INBOX;UID=2")
        assert curl(where, "INBOX;UID=1;SECTION=TEXT") == b"text 1\r\n"
        header = curl(where, "INBOX;MAILINDEX=1;SECTION=HEADER.FIELDS%20(SUBJECT)")
        assert header == b"Subject: number 1\r\n\r\n", header


@test
def listing():
    """curl lists folders and searches"""
    with box(message(1), message(2)) as where:
        where.folder("Other")
        shown = curl(where, "")
        assert b"Other" in shown and b"INBOX" in shown
        assert curl(where, "INBOX?SUBJECT%20%22number%202%22").strip() == b"* SEARCH 2"
        assert b"EXISTS" in curl(where, "", "-X", "EXAMINE INBOX")


@test
def upload():
    """curl appends a message, marks one and removes it"""
    messages = corpus()
    with box(message(1)) as where:
        file = where.work / "message.eml"
        file.write_bytes(messages["attachments"])
        curl(where, "INBOX", "-T", file)
        assert len(where.contents()) == 2
        curl(where, "INBOX", "-X", "STORE 1 +FLAGS (\\Seen)")
        assert where.contents()[0] == ("number 1", True)
        curl(where, "INBOX", "-X", "STORE 1 +FLAGS (\\Deleted)")
        curl(where, "INBOX", "-X", "EXPUNGE")
        assert len(where.contents()) == 1
        assert curl(where, "INBOX;MAILINDEX=1") == file.read_bytes()


@test
def over_tls():
    """curl over STARTTLS and over implicit TLS"""
    with secure_box(message(1)) as where:
        for url in (f"imap://localhost:{where.port}", f"imaps://localhost:{where.tls_port}"):
            got = curl(where, "INBOX;MAILINDEX=1;SECTION=TEXT", "--ssl-reqd", "--cacert",
                       where.certificate, url=url)
            assert got == b"text 1\r\n", got


main()
