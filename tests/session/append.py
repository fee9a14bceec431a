#!/usr/bin/env python3
"""APPEND of messages whose size decides about the way that Graph takes them."""

import email.message
import email.policy
import imaplib

import tap
from harness import PASSWORD, Pair, on_the_wire
from tap import test

WHEN = imaplib.Time2Internaldate(1500000000)


def message(size):
    """A message with a file of so many bytes."""
    new = email.message.EmailMessage()
    new["From"], new["To"], new["Subject"] = "a@example.com", "b@example.com", f"{size} bytes"
    new.set_content("text")
    new.add_attachment(bytes(size), maintype="application", subtype="octet-stream", filename="f")
    return new.as_bytes(policy=email.policy.SMTP)


class Imap(imaplib.IMAP4):
    """Signed in as alice, and ended with the block."""

    def __init__(self, pair):
        super().__init__("127.0.0.1", pair.port, tap.PATIENCE)
        self.login("alice", PASSWORD)


def imap_pair(*settings):
    arguments = [word for setting in settings for word in ("--set", setting)]
    return Pair(listeners={"imap": {"protocol": "imap", "tls": "none"}}, sandbox=arguments)


@test
def between_two_megabytes():
    """Files on both sides of 3,000,000 and of 3,145,728 bytes, whichever Graph means by 3 MB"""
    with imap_pair() as pair, Imap(pair) as client:
        sent = [message(size) for size in (2_990_000, 3_050_000, 3_150_000)]
        for one in sent:
            answer = client.append("INBOX", "(\\Seen)", WHEN, one)
            assert answer[0] == "OK", answer
        client.select("INBOX")
        answer = client.fetch("1:*", "(BODY.PEEK[])")[1]
        assert [item[1] for item in answer if isinstance(item, tuple)] == sent
        assert len(pair.sandbox.inside("Inbox")) == len(sent)


@test
def any_line_ends():
    """What was appended comes back byte for byte, whatever its line ends; POP3 tells it in lines"""
    texts = [b"Subject: lf\n\none\ntwo\n", b"Subject: mixed\r\n\none\ntwo\r\nthr\ree",
             b"Subject: crlf\r\n\r\none\r\n", b"no header at all", b"Subject: n\n\n.\n..\nend"]
    listeners = {"imap": {"protocol": "imap", "tls": "none"}, "pop": {"tls": "none"}}
    with Pair(listeners=listeners) as pair:
        for restarted in (False, True):
            with imaplib.IMAP4("127.0.0.1", pair.ports["imap"], tap.PATIENCE) as client:
                client.login("alice", PASSWORD)
                for text in texts if not restarted else ():
                    client.literal = text  # imaplib's own append() would mend the line ends
                    assert client._simple_command("APPEND", "INBOX")[0] == "OK"
                client.select()
                _, answer = client.fetch("1:*", "(RFC822.SIZE BODY.PEEK[])")
                parts = [part for part in answer if isinstance(part, tuple)]
                assert [part[1] for part in parts] == texts, parts
                assert all(b"SIZE %d " % len(part[1]) in part[0] for part in parts), parts
                _, whole = client.fetch("1", "(BODY.PEEK[HEADER] BODY.PEEK[TEXT])")
                assert b"".join(part[1] for part in whole if isinstance(part, tuple)) == texts[0]
            with pair.pop3("pop") as client:
                client.login()
                assert [client.retr(n + 1) for n in range(len(texts))] == list(
                    map(on_the_wire, texts))
                client.quit()
            pair.restart()


@test
def lost_answer_without_filters():
    """An answer that is lost where Graph refuses to filter: the message is there once"""
    for flags in ("(\\Seen)", "(\\Draft)"):
        with imap_pair() as pair, Imap(pair) as client:
            pair.sandbox.fault("[?&].?.?.?filter=", method="GET", status=400,
                               body='{"error":{"code":"InefficientFilter","message":"no"}}')
            pair.sandbox.fault("/messages$", method="POST", reset=True, after=True, count=1)
            answer = client.append("INBOX", flags, WHEN, message(1000))
            assert answer[0] == "OK", answer
            folders = pair.sandbox.folders()
            assert sum(map(len, folders.values())) == len(folders["Inbox"]) == 1, folders


@test
def full_mailbox():
    """A mailbox that is full is told, with either status of Graph, and nothing is left in it"""
    for status in ("403", "507"):
        with imap_pair(f"mailbox-full={status}") as pair, Imap(pair) as client:
            for folder in ("INBOX", "Drafts"):
                kind, text = client.append(folder, "", WHEN, message(100))
                assert kind == "NO" and b"[OVERQUOTA]" in text[0], (kind, text)
            assert not any(pair.sandbox.folders().values())


tap.main()
