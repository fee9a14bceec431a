#!/usr/bin/env python3
"""postern-sandbox by itself: what it loads, whom it listens to, what it pretends."""

import contextlib
import mailbox
import re
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import tap
from harness import Pair, Sandbox, mail, on_the_wire, program
from tap import test

MESSAGES = [mail(name) for name in ("plain", "dots", "from-lines")]


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory(prefix="postern-test-") as name:
        yield Path(name)


def served(*load):
    """What POP3 gives out of a sandbox that loaded this."""
    arguments = [word for item in load for word in ("--load", f"inbox={item}")]
    with Pair(sandbox=arguments) as pair, pair.pop3() as client:
        client.login()
        messages = [client.retr(n + 1) for n in range(client.stat()[0])]
        client.quit()
        return sorted(messages)


def expected():
    return sorted(on_the_wire(message) for message in MESSAGES)


@test
def eml_files():
    """--load of .eml files one by one, and of a directory of them"""
    with directory() as work:
        paths = [work / f"{n}.eml" for n in range(len(MESSAGES))]
        for path, message in zip(paths, MESSAGES):
            path.write_bytes(message)
        assert served(*paths) == expected()
        assert served(work) == expected()


@test
def maildir():
    """--load of a Maildir, read and unread"""
    with directory() as work:
        box = mailbox.Maildir(work / "box", create=True)
        for message in MESSAGES:
            key = box.add(message)
        seen = box[key]
        seen.set_subdir("cur")
        seen.add_flag("S")
        box[key] = seen
        assert len(served(work / "box")) == len(MESSAGES)


@test
def mbox():
    """--load of an mbox, whose quoted From lines come back as they were"""
    with directory() as work:
        lines = b"Subject: x\n\nFrom here on\n>From there\n"
        (work / "mbox").write_bytes(
            b"From a@example.com Thu Jan  1 00:00:00 2026\nSubject: x\n\n>From here on\n"
            b">>From there\n\nFrom b@example.com Thu Jan  1 00:00:01 2026\nSubject: y\n\nz\n")
        assert served(work / "mbox") == sorted(
            on_the_wire(m) for m in (lines, b"Subject: y\n\nz\n"))


@test
def generated():
    """--generate makes the same messages each time"""
    def once():
        with Pair(sandbox=["--generate", "inbox=20,3000"]) as pair, pair.pop3() as client:
            client.login()
            messages = [client.retr(n + 1) for n in range(client.stat()[0])]
            client.quit()
            return messages
    first = once()
    assert len(first) == 20 and len(set(first)) == 20
    assert first == once()


@test
def loopback_only():
    """An address that is not loopback is refused"""
    for option in ("--listen", "--control"):
        done = subprocess.run([program("postern-sandbox"), option, "0.0.0.0:0"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=tap.PATIENCE, check=False)
        assert done.returncode not in (0, -11) and "loopback" in done.stderr, done


@test
def bad_tls():
    """--bad-tls: expired, wrong-host and self-signed are just that"""
    reasons = {"expired": "expired", "wrong-host": "mismatch|not valid for",
               "self-signed": "self.signed|unable to get local issuer"}
    for kind, reason in reasons.items():
        with directory() as work:
            sandbox = Sandbox(work, "--bad-tls", kind)
            try:
                trust = ssl.create_default_context(cafile=sandbox.ca_file)
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                                     urllib.request.HTTPSHandler(context=trust))
                opener.open(sandbox.graph_url + "/v1.0/users/x", timeout=tap.PATIENCE)
                raise AssertionError(f"{kind}: the certificate was taken for good")
            except urllib.error.HTTPError:
                raise AssertionError(f"{kind}: the certificate was taken for good") from None
            except urllib.error.URLError as error:
                assert re.search(reason, str(error.reason)), (kind, error.reason)
            finally:
                sandbox.process.terminate()


tap.main()
