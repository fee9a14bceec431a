#!/usr/bin/env python3
"""offlineimap: two-way synchronization of all folders with Maildirs."""

from mailprograms import box, main, message, need, run, test


def offlineimap(where):
    config = where.work / "offlineimaprc"
    local = where.work / "local"
    config.write_text(
        f"[general]\naccounts = a\nmetadata = {where.work}/metadata\nui = quiet\n"
        f"maxsyncaccounts = 1\n\n"
        f"[Account a]\nlocalrepository = near\nremoterepository = far\n\n"
        f"[Repository near]\ntype = Maildir\nlocalfolders = {local}\nsync_deletes = yes\n\n"
        f"[Repository far]\ntype = IMAP\nremotehost = 127.0.0.1\nremoteport = {where.port}\n"
        f"ssl = no\nstarttls = no\nremoteuser = {where.user}\nremotepass = {where.password}\n"
        f"maxconnections = 2\nauth_mechanisms = LOGIN\n"
        f"folderfilter = lambda name: name in ('INBOX', 'Work', 'Work/Deep')\n")
    config.chmod(0o600)
    run(need("offlineimap"), "-o", "-c", config)
    return local


def files(local, folder):
    return [path for part in ("cur", "new") for path in sorted((local / folder / part).iterdir())]


@test
def two_ways():
    """offlineimap: mail, flags and deletes, both ways"""
    with box(*map(message, range(4))) as where:
        where.folder("Work")
        where.folder("Work/Deep")
        where.deliver(message(10), folder="Work", seen=True)
        local = offlineimap(where)
        assert len(files(local, "INBOX")) == 4
        assert files(local, "Work")[0].name.endswith("S")

        inbox = {path.read_bytes().split(b"Subject: ")[1].split(b"\n")[0]: path
                 for path in files(local, "INBOX")}
        seen = inbox[b"number 0"]
        seen.rename(local / "INBOX" / "cur" / (seen.name.split(":")[0] + ":2,S"))
        inbox[b"number 1"].unlink()
        (local / "INBOX" / "new" / "1.2.here").write_bytes(message(20))
        where.deliver(message(30), folder="Work")
        offlineimap(where)
        assert sorted(where.subjects()) == ["number 0", "number 2", "number 20", "number 3"]
        assert ("number 0", True) in where.contents() and ("number 2", False) in where.contents()
        assert len(files(local, "Work")) == 2

        offlineimap(where)
        assert len(where.contents()) == 4 and len(files(local, "INBOX")) == 4


main()
