"""The servers that tests of IMAP run against: Postern, or the oracle where the environment says
POSTERN_TEST_IMAP=dovecot, which shows that the tests themselves are right."""

import contextlib
import os
import re
from urllib.parse import quote

from dovecot import PASSWORD as dovecot_password
from dovecot import Dovecot
from harness import IMAP, PASSWORD, Pair
from imapclient import Literal

SERVER = os.environ.get("POSTERN_TEST_IMAP", "postern")


class Base:
    """What a script needs of a server."""

    def __init__(self):
        self.known = None

    def capabilities(self, user):
        if not self.known:
            with self.login(user) as client:
                self.known = client.capabilities()
        return self.known


class OnPostern(Base):
    kind = "postern"

    def __init__(self, pair):
        super().__init__()
        self.pair = pair
        self.imap = pair.imap
        self.password = PASSWORD

    @property
    def port(self):
        return self.pair.ports["imap"]

    def login(self, user):
        return self.pair.imap().login(user)

    def folder(self, user, path):
        self.pair.sandbox.control("POST", "/folders", {"user": f"{user}@example.com",
                                                       "path": path})

    def contents(self, user):
        """{folder's IMAP name: [(subject, seen) …]} as Graph has it."""
        answer = self.pair.sandbox.control("GET", f"/mailbox?user={user}@example.com")
        return {re.sub("^Inbox", "INBOX", folder["path"]):
                [(m["subject"], m["isRead"]) for m in folder["messages"]]
                for folder in answer["folders"]}

    def deliver(self, user, message, folder="INBOX", seen=False, date=None):
        query = f"/messages?user={user}@example.com&folder={quote(folder)}&unread={0 if seen else 1}"
        self.pair.sandbox.control("POST", query + (f"&received={date}" if date else ""), message,
                                  "message/rfc822")


class OnDovecot(Base):
    kind = "dovecot"

    def __init__(self, dovecot):
        super().__init__()
        self.imap, self.login = dovecot.imap, dovecot.login
        self.port, self.password = dovecot.port, dovecot_password

    def folder(self, user, path):
        with self.login(user) as client:
            client.ok(f'CREATE "{path}"')

    def contents(self, user):
        found = {}
        with self.login(user) as client:
            for name in client.list():
                client.examine(name)
                fetched = client.uid_fetch("1:*", "(FLAGS ENVELOPE)")
                found[name] = [((items["ENVELOPE"][1] or b"").decode("latin-1"), "\\Seen" in items["FLAGS"])
                               for _, items in sorted(fetched.items())]
        return found

    def deliver(self, user, message, folder="INBOX", seen=False, date=None):
        flags = " (\\Seen)" if seen else ""
        if date:
            month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[int(date[5:7]) - 1]
            date = f' "{date[8:10]}-{month}-{date[:4]} {date[11:19]} +0000"'
        with self.login(user) as client:
            client.ok(f'APPEND "{folder}"{flags}{date or ""} ', Literal(message))


@contextlib.contextmanager
def server(count, **options):
    """A server with so many empty mailboxes, of user0, user1 …; options are those of Pair."""
    if SERVER == "dovecot":
        with Dovecot() as dovecot:
            yield OnDovecot(dovecot)
        return
    users = [f"user{n}" for n in range(count)]
    mailboxes = {user: {"mailbox": f"'{user}@example.com'"} for user in users}
    sandbox = [word for user in users for word in ("--user", f"{user}@example.com")]
    options = {"listeners": IMAP, "top": "poll-interval = 1s", **options}
    with Pair(logins=mailboxes, sandbox=sandbox, **options) as pair:
        yield OnPostern(pair)
