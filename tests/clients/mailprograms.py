"""What all tests with real mail programs share.

A client gets the whole corpus, less what that client itself cannot take; its test says why. Most
clients write lines with LF: that is undone by comparing with the message in the same form.
"""

import contextlib
import os
import pty
import pwd
import re
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "session"))

# pylint: disable=wrong-import-position
from harness import PASSWORD, Pair, corpus, need, on_the_wire  # noqa: E402
from imapservers import SERVER, server  # noqa: E402
from tap import PATIENCE, Skip, main, test, wait_for  # noqa: E402

__all__ = ["BARE_CR", "Box", "PASSWORD", "PATIENCE", "Pair", "Skip", "Terminal", "box", "corpus",
           "differences", "imap_lf", "imap_wire", "inbox", "lf", "maildir", "main", "message", "messages_for", "need",
           "not_as_root", "on_the_wire", "run", "secure_box", "test", "wait_for"]


def lf(data):
    """A message as a Unix client stores it."""
    return on_the_wire(data).replace(b"\r\n", b"\n")


def messages_for(*, without=()):
    """The corpus by name, less some names."""
    unknown = set(without) - set(corpus())
    assert not unknown, f"no such messages: {unknown}"
    return {name: data for name, data in corpus().items() if name not in without}


def imap_wire(data):
    """A message as IMAP sends it: a bare CR stays, a NUL, which no literal may hold, is 0x80."""
    return re.sub(rb"\r?\n", b"\r\n", data).replace(b"\0", b"\x80")


# Messages with CR that ends no line, which some clients drop.
BARE_CR = ("bare-cr", "bare-cr-at-end", "bare-cr-only", "bare-cr-runs", "binary-noise",
           "dot-after-bare-cr")


def imap_lf(data):
    """The same as a Unix client stores it, which may end the last line."""
    data = imap_wire(data).replace(b"\r\n", b"\n")
    return data if data.endswith(b"\n") else data + b"\n"


def run(*arguments, expect=(0,), **options):
    """Runs a client to its end; its exit status must be an expected one."""
    done = subprocess.run([str(a) for a in arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=PATIENCE * 2, check=False, **options)
    assert done.returncode in expect, (
        f"{arguments[0]} ended with {done.returncode}\n{done.stdout[-2000:].decode('latin-1')}\n"
        f"{done.stderr[-2000:].decode('latin-1')}")
    return done.stdout


def maildir(path):
    """Makes an empty Maildir; maildir(path) of an old one is harmless."""
    for part in ("cur", "new", "tmp"):
        (path / part).mkdir(parents=True, exist_ok=True)
    return path


def not_as_root(*paths):
    """For clients that refuse to deliver as root: gives these to nobody, where we are root.

    Returns the name of the user that the client may deliver as, or None."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    for path in paths:
        path.parent.chmod(0o711)
        for each in (path, *path.rglob("*")):
            os.chown(each, nobody.pw_uid, nobody.pw_gid)
    return nobody.pw_name


def inbox(pair):
    """How many messages are left in the sandbox's inbox."""
    return len(pair.sandbox.inside("Inbox"))


def differences(expected, found):
    """Names of the messages that did not arrive unchanged, and how many came that nobody sent.

    expected is {name: bytes}; found is an iterable of bytes, in any order."""
    left = list(found)
    missing = []
    for name, data in expected.items():
        if data in left:
            left.remove(data)
        else:
            missing.append(name)
    return missing, left


# -- IMAP -------------------------------------------------------------------------------------


class Box:
    """A mailbox that is served over IMAP: Postern's, or the oracle's (see imapservers.py)."""

    user = "user0"

    def __init__(self, where, work):
        self.where = where
        self.work = work
        self.port = where.port
        self.password = where.password

    def deliver(self, *messages, **place):
        """place: folder, seen, date."""
        for each in messages:
            self.where.deliver(self.user, each, **place)

    def folder(self, path):
        self.where.folder(self.user, path)

    def contents(self, folder="INBOX"):
        """[(subject, seen) …] of a folder, as Graph has it."""
        return self.where.contents(self.user).get(folder)

    def subjects(self, folder="INBOX"):
        """In their order; None: there is no such folder."""
        found = self.contents(folder)
        return found if found is None else [subject for subject, _ in found]


@contextlib.contextmanager
def box(*messages, **options):
    """A mailbox with these messages in INBOX; options are those of Pair."""
    with tempfile.TemporaryDirectory(prefix="postern-client-") as work, \
            server(1, **options) as where:
        found = Box(where, Path(work))
        found.deliver(*messages)
        yield found


@contextlib.contextmanager
def secure_box(*messages, tls=True, **listeners):
    """The same with TLS: box.certificate; the listeners "imap" (STARTTLS), "imaps", and more."""
    if SERVER != "postern":
        raise Skip("the oracle has no TLS")
    with box(*messages, tls=tls, listeners={
            "imap": {"protocol": "imap", "tls": "starttls"},
            "imaps": {"protocol": "imap", "tls": "implicit"}, **listeners}) as found:
        found.certificate = found.where.pair.certificate
        found.tls_port = found.where.pair.ports["imaps"]
        yield found


def message(number, text="text"):
    """A short message with the subject "number N"."""
    return (f"From: Sender {number} <sender{number}@example.com>\nTo: user0@example.com\n"
            f"Subject: number {number}\nMessage-ID: <{number}@example.com>\n"
            f"Date: Mon, 2 Mar 2020 10:00:{number % 60:02} +0000\n\n{text} {number}\n").encode()


class Terminal:
    """A program in a terminal of its own: expect() what it shows, type() what it wants."""

    def __init__(self, *arguments, environment=None):
        self.shown = b""
        self.pid, self.file = pty.fork()
        if not self.pid:
            os.environ.update({"TERM": "vt100", "LINES": "24", "COLUMNS": "80",
                               **(environment or {})})
            os.execvp(arguments[0], [str(a) for a in arguments])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, 9)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self.file)

    def read(self, seconds):
        """False: the program has ended."""
        if select.select([self.file], [], [], seconds)[0]:
            try:
                self.shown += os.read(self.file, 65536)
            except OSError:
                return False
        return True

    def expect(self, text):
        """Waits until the text is shown; what came before is forgotten."""
        end = time.monotonic() + PATIENCE
        while text not in self.shown:
            alive = self.read(0.1)
            assert text in self.shown or (alive and time.monotonic() < end), (
                f"{text!r} was not shown, but {self.shown[-1500:]!r}")
        self.shown = self.shown[self.shown.index(text) + len(text):]

    def type(self, text):
        os.write(self.file, text.encode())

    def ended(self):
        """Waits for the end; the exit status."""
        end = time.monotonic() + PATIENCE
        while self.read(0.1):
            assert time.monotonic() < end, f"still running: {self.shown[-1500:]!r}"
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
