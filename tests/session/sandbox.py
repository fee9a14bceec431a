#!/usr/bin/env python3
"""postern-sandbox by itself: what it loads, whom it listens to, what it pretends."""

import contextlib
import email
import mailbox
import re
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import tap
from graphclient import Graph
from harness import MAILBOX, Pair, Sandbox, mail, on_the_wire, program
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


@contextlib.contextmanager
def graph():
    with directory() as work:
        sandbox = Sandbox(work)
        try:
            yield Graph(sandbox)
            assert not sandbox.violations(), sandbox.violations()
        finally:
            sandbox.process.terminate()


def message_path(message):
    return "/messages/" + urllib.parse.quote(message["id"], safe="")


@test
def large_attachment():
    """An attachment of 5 MB comes by an upload session at another origin"""
    with graph() as client:
        draft = client.call("POST", "/messages", {"subject": "large"})
        size = 5 * 1024 * 1024
        data = bytes(range(256)) * (size // 256)
        session = client.call(
            "POST", message_path(draft) + "/attachments/createUploadSession",
            {"AttachmentItem": {"attachmentType": "file", "name": "a.bin", "size": size}})
        assert not session["uploadUrl"].startswith(client.sandbox.graph_url)
        half = 4 * 1024 * 1024
        answer = client.ask("PUT", session["uploadUrl"], data[:half],
                            {"Content-Range": f"bytes 0-{half - 1}/{size}"})
        assert answer["NextExpectedRanges"] == [str(half)]
        client.ask("PUT", session["uploadUrl"], data[half:],
                   {"Content-Range": f"bytes {half}-{size - 1}/{size}"})
        assert "Attachments(" in client.headers["Location"]
        mime = email.message_from_bytes(client.call("GET", message_path(draft) + "/$value"))
        assert mime.get_payload(1).get_payload(decode=True) == data


@test
def behind_the_back():
    """The control port changes mail and folders as another client would"""
    with graph() as client:
        control = client.sandbox.control
        draft = client.call("POST", "/messages", {"subject": "old"})
        control("POST", "/patch", {"id": draft["id"], "subject": "new", "isRead": False,
                                   "flag": {"flagStatus": "flagged"}, "categories": ["a"],
                                   "singleValueExtendedProperties": [
                                       {"id": "Integer 0x1081", "value": "102"}]})
        changed = client.call("GET", message_path(draft))
        assert changed["subject"] == "new" and changed["categories"] == ["a"]
        assert changed["changeKey"] != draft["changeKey"]
        seen = control("GET", "/mailbox")["folders"]
        drafts = next(f for f in seen if f["path"] == "Drafts")
        assert drafts["messages"][0]["properties"] == {"Integer 0x1081": "102"}
        control("POST", "/rename", {"path": "inbox", "name": "Posteingang"})
        assert client.call("GET", "/mailFolders/inbox")["displayName"] == "Posteingang"
        control("POST", "/folders", {"path": "inbox", "name": "a/b", "items": 3, "unread": 1})
        child = client.call("GET", "/mailFolders/inbox/childFolders")["value"][0]
        assert (child["displayName"], child["totalItemCount"]) == ("a/b", 3)
        made = control("POST", "/tree", {"path": "Projects", "folders": 25, "messages": 2})["ids"]
        assert len(made) == 25
        first = client.call("GET", "/mailFolders/" + urllib.parse.quote(made[0], safe=""))
        assert (first["childFolderCount"], first["totalItemCount"]) == (10, 2)
        control("POST", "/remove", {"path": "Projects"})
        names = [f["displayName"] for f in client.call("GET", "/mailFolders?$top=50")["value"]]
        assert "Projects" not in names


tap.main()
