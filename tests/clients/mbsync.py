#!/usr/bin/env python3
"""mbsync (isync): two-way synchronization of several folders with a tree of Maildirs."""

from mailprograms import (BARE_CR, box, differences, imap_lf, main, message, messages_for, need,
                          run, secure_box, test)


# Where no empty line ends the header, mbsync adds one; it refuses NUL.
WITHOUT = ("header-no-final-newline", "header-only", "minimal-one-byte", "nul", "nul-in-header", *BARE_CR)


def mbsync(where, tls="", port=None):
    """Runs one synchronization; the directory of the Maildirs."""
    local = where.work / "local"
    local.mkdir(exist_ok=True)
    config = where.work / "mbsyncrc"
    config.write_text(
        f'IMAPAccount there\nHost localhost\nPort {port or where.port}\nUser {where.user}\n'
        f'Pass "{where.password}"\n{tls or "SSLType None"}\nAuthMechs LOGIN\n\n'
        f'IMAPStore far\nAccount there\n\n'
        f'MaildirStore near\nPath {local}/\nInbox {local}/INBOX\nSubFolders Verbatim\n\n'
        f'Channel all\nFar :far:\nNear :near:\nPatterns INBOX Work Work/* New\n'
        f'Create Both\nRemove Both\nExpunge Both\nSyncState *\nCopyArrivalDate yes\n')
    config.chmod(0o600)
    run(need("mbsync"), "-c", config, "all")
    return local


def files(local, folder):
    return [path for part in ("cur", "new") for path in sorted((local / folder / part).iterdir())]


def text(path):
    """Without the field by which mbsync knows a message again."""
    lines = path.read_bytes().split(b"\n")
    return b"\n".join(line for line in lines if not line.startswith(b"X-TUID: "))


@test
def same_bytes():
    """mbsync: the same bytes in the Maildir, the second time nothing is left to do"""
    messages = messages_for(without=WITHOUT)
    with box(*messages.values()) as where:
        local = mbsync(where)
        missing, more = differences({n: imap_lf(m) for n, m in messages.items()},
                                    [imap_lf(text(path)) for path in files(local, "INBOX")])
        assert not missing, (missing, len(more))
        before = {path: path.stat().st_mtime_ns for path in files(local, "INBOX")}
        mbsync(where)
        assert before == {path: path.stat().st_mtime_ns for path in files(local, "INBOX")}
        assert len(where.contents()) == len(messages)


@test
def two_ways():
    """mbsync: flags, new, moved and deleted mail and new folders, both ways"""
    with box(*map(message, range(6))) as where:
        where.folder("Work")
        where.folder("Work/Deep")
        where.deliver(message(10), folder="Work/Deep", seen=True)
        local = mbsync(where)
        assert len(files(local, "INBOX")) == 6 and len(files(local, "Work/Deep")) == 1
        assert files(local, "Work/Deep")[0].name.endswith(":2,S")

        # Near: one read, one deleted, one new, a new folder with a message.
        inbox = {text(path).split(b"Subject: ")[1].split(b"\n")[0]: path
                 for path in files(local, "INBOX")}
        seen = inbox[b"number 0"]
        seen.rename(local / "INBOX" / "cur" / (seen.name.split(":")[0] + ":2,S"))
        inbox[b"number 1"].unlink()
        (local / "INBOX" / "new" / "1.2.here").write_bytes(message(20))
        for part in ("cur", "new", "tmp"):
            (local / "New" / part).mkdir(parents=True)
        (local / "New" / "cur" / "1.3.here:2,FS").write_bytes(message(21))
        # Far: one more.
        where.deliver(message(30), folder="Work")
        mbsync(where)
        assert sorted(where.subjects()) == ["number 0", "number 2", "number 20", "number 3",
                                            "number 4", "number 5"]
        assert ("number 0", True) in where.contents()
        assert ("number 2", False) in where.contents()
        assert where.contents("New") == [("number 21", True)]
        assert len(files(local, "Work")) == 1

        # And nothing goes round in circles.
        mbsync(where)
        assert len(where.contents()) == 6 and len(files(local, "INBOX")) == 6
        assert len(where.contents("New")) == 1


@test
def over_tls():
    """mbsync over STARTTLS and over implicit TLS"""
    with secure_box(message(1)) as where:
        certificate = f"CertificateFile {where.certificate}\nSystemCertificates no"
        for kind, port in (("STARTTLS", where.port), ("IMAPS", where.tls_port)):
            local = mbsync(where, f"SSLType {kind}\n{certificate}", port)
            assert len(files(local, "INBOX")) == 1


main()
