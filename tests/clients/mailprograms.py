"""What all tests with real mail programs share.

A client gets the whole corpus, less what that client itself cannot take; its test says why. Most
clients write lines with LF: that is undone by comparing with the message in the same form.
"""

import os
import pwd
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "session"))

# pylint: disable=wrong-import-position
from harness import PASSWORD, Pair, corpus, need, on_the_wire  # noqa: E402
from tap import PATIENCE, Skip, main, test  # noqa: E402

__all__ = ["PASSWORD", "PATIENCE", "Pair", "Skip", "corpus", "differences", "inbox", "lf",
           "maildir", "main", "messages_for", "need", "not_as_root", "on_the_wire", "run",
           "test"]


def lf(data):
    """A message as a Unix client stores it."""
    return on_the_wire(data).replace(b"\r\n", b"\n")


def messages_for(*, without=()):
    """The corpus by name, less some names."""
    unknown = set(without) - set(corpus())
    assert not unknown, f"no such messages: {unknown}"
    return {name: data for name, data in corpus().items() if name not in without}


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
