#!/usr/bin/env python3
"""postern demo, as a newcomer meets it, from the build tree and installed."""

import imaplib
import os
import poplib
import re
import signal
import subprocess
import tempfile
from pathlib import Path

import tap
from harness import BUILD, SOURCE, Process, listening, on_the_wire, program
from tap import test, wait_for


class Demo:
    """The demo of some program; its temporary files go where the test can see them."""

    def __init__(self, command, *arguments):
        self.work = Path(tempfile.mkdtemp(prefix="postern-test-"))
        self.temporary = self.work / "tmp"
        self.temporary.mkdir()
        self.process = Process([command, "demo", *arguments], self.work / "demo.log",
                               environment={"TMPDIR": str(self.temporary)})

    def __enter__(self):
        wait_for("the settings to try", lambda: "Ctrl-C" in self.process.log()
                 or not self.process.running())
        assert self.process.running(), self.process.log()
        return self

    def __exit__(self, *_):
        self.process.signal(signal.SIGINT)
        status = self.process.wait()
        assert status == 0, f"{status}: {self.process.log()}"
        assert not any(listening(self.port(protocol)) for protocol in ("POP3", "IMAP"))
        assert not list(self.temporary.iterdir()), list(self.temporary.iterdir())
        (self.work / "demo.log").unlink()
        self.temporary.rmdir()
        self.work.rmdir()

    def shown(self, name):
        return re.search(rf"^ +{name} +(\S+)", self.process.log(), re.M).group(1)

    def port(self, protocol):
        return int(self.shown(f"{protocol} port"))

    def fetch(self):
        """All messages over POP3, by the settings that it printed."""
        client = poplib.POP3(self.shown("host"), self.port("POP3"), timeout=tap.PATIENCE)
        client.user(self.shown("user"))
        client.pass_(self.shown("password"))
        count, _ = client.stat()
        messages = [b"\r\n".join(client.retr(n)[1]) + b"\r\n" for n in range(1, count + 1)]
        client.quit()
        return messages

    def fetch_by_imap(self):
        """The same over IMAP."""
        client = imaplib.IMAP4(self.shown("host"), self.port("IMAP"), timeout=tap.PATIENCE)
        client.login(self.shown("user"), self.shown("password"))
        client.select(readonly=True)
        _, answer = client.fetch("1:*", "(BODY.PEEK[])")
        client.logout()
        return [part[1] for part in answer if isinstance(part, tuple)]


def shipped():
    return {on_the_wire(path.read_bytes()) for path in (SOURCE / "contrib/demo").glob("*.eml")}


@test
def build_tree():
    """From the build tree: it shows a message, serves all of them, and leaves nothing behind"""
    with Demo(program("postern"), SOURCE / "contrib" / "demo") as demo:
        messages = demo.fetch()
        assert set(messages) == shipped(), messages
        assert demo.fetch_by_imap() == messages
        for shown in messages[:2]:
            assert shown.decode().splitlines()[0] in demo.process.log()


@test
def installed():
    """Installed: it finds its sandbox and its messages"""
    if not (BUILD / "Makefile").exists():
        raise tap.Skip("this build directory has no Makefile")
    root = Path(tempfile.mkdtemp(prefix="postern-test-"))
    subprocess.run(["make", "-s", "-C", BUILD, "install-exec", "install-data",
                    f"DESTDIR={root}"], check=True, capture_output=True,
                   env={k: v for k, v in os.environ.items() if k != "MAKEFLAGS"})
    found = list(root.rglob("bin/postern"))
    data = list(root.rglob("postern/demo"))
    assert len(found) == 1 and len(data) == 1, (found, data)
    with Demo(found[0], data[0]) as demo:
        assert set(demo.fetch()) == shipped()
    subprocess.run(["rm", "-rf", root], check=True)


tap.main()
