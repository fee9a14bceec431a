#!/usr/bin/env python3
"""FETCH beside Dovecot: structures, envelopes and every section of the same messages.

The messages are the corpus, odd ones and damaged ones (brokenmail.py). Where the two differ for a
reason, EXCUSES says which; everything else is a failure."""

import os
import random
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "session"))

import dovecot  # noqa: E402
from brokenmail import damage, odd_messages  # noqa: E402
from connection import Closed  # noqa: E402
from harness import IMAP, Pair, corpus  # noqa: E402
from imapclient import Literal  # noqa: E402
from tap import main, test  # noqa: E402

SEED = int(os.environ.get("POSTERN_TEST_SEED", "1"))
DAMAGED = int(os.environ.get("POSTERN_TEST_DAMAGED", "150"))
PARTS_MAX = 40  # of one message, whose sections are asked for
SIZE_MAX = 200_000
STRUCTURES = ("BODY", "BODYSTRUCTURE")
DEEPER = ("nested-100", "nested-messages-100")  # Dovecot goes one level less deep
WORDS_OF_DOVECOT = (b"MISSING_MAILBOX", b"MISSING_DOMAIN", b"SYNTAX_ERROR", b"INVALID_ROUTE")

WHOLE = ["BODY.PEEK[]", "BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]", "RFC822.SIZE", "BODY.PEEK[]<3.20>",
         "BODY.PEEK[HEADER]<2.40>", "BODY.PEEK[TEXT]<5.1000>", "BODY.PEEK[]<9999999.10>",
         "BODY.PEEK[HEADER.FIELDS (From Subject X-Foo Content-Type)]",
         "BODY.PEEK[HEADER.FIELDS.NOT (Received Date)]", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]<3.8>",
         "BODY.PEEK[99]", "BODY.PEEK[1.99.1]", "BODY.PEEK[1]", "BODY.PEEK[1.MIME]"]


def literal_form(message):
    """What IMAP makes of a message (mime/crlf.h)."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", message)


# ---- why the two may differ ----

def has_words(value):
    """Does a value hold what Dovecot writes for what it cannot read?"""
    if isinstance(value, list):
        return any(map(has_words, value))
    return value in WORDS_OF_DOVECOT


def leaves(body, found=None):
    """The parts of a BODYSTRUCTURE that are no multiparts, messages included."""
    found = [] if found is None else found
    if isinstance(body[0], list):
        for part in body:
            if isinstance(part, list) and part and isinstance(part[0], (list, bytes)) \
                    and not (len(part) == 2 and part[1] is None):
                leaves(part, found)
    elif len(body) > 6:
        found.append(body)
        if body[0].lower() == b"message" and len(body) > 9 and isinstance(body[8], list):
            leaves(body[8], found)
    return found


def addresses_alike(ours, theirs):
    """Do the fields of two ENVELOPEs agree but for addresses that are broken?"""
    return ours[:2] == theirs[:2] and ours[8:] == theirs[8:]


def broken_addresses(message):
    """An address field that no strict reader could read, or with a comment for a name."""
    fields = re.findall(rb"(?im)^(?:from|sender|reply-to|to|cc|bcc)[ \t]*:(.*(?:\n[ \t].*)*)", message)
    return any(re.search(rb"[()\\;:\[\]\x00-\x08\x7f-\xff]|@[^,]*@|>[^,\r\n]|<<|^\s*,|,\s*,|,\s*$|"
                         rb"[^,\s]\s+[^,<\s]+\s*$|\"|@\W|\.\s|\.$|<[^>]*$|^\s*[<>.@]", field)
               for field in fields)


# A name for the log, and: item, message, ours, theirs → is that all there is to it?
EXCUSES = [
    ("Dovecot has words of its own for addresses that it cannot read, and stops there",
     lambda item, message, ours, theirs:
     item == "ENVELOPE" and addresses_alike(ours, theirs)
     and (has_words(theirs) or broken_addresses(message))),
    ("white space behind a date or id is kept by Dovecot, in part",
     lambda item, message, ours, theirs:
     item == "ENVELOPE" and [squeezed(v) for v in ours] == [squeezed(v) for v in theirs]),
    ("a field's type that cannot be read is text/plain (RFC 2045 section 5.2)",
     lambda item, message, ours, theirs:
     item in STRUCTURES and any(b"" in part[:2] for part in leaves(theirs))),
    ("without MIME-Version and Content-Type Dovecot forgets the other fields",
     lambda item, message, ours, theirs:
     item in STRUCTURES and b"mime-version" not in message.lower()),
    ("parameters and words that are not quoted as they should be",
     lambda item, message, ours, theirs:
     item in STRUCTURES and without_fields(ours) == without_fields(theirs)),
    ("the line end before a boundary belongs to it (RFC 2046 section 5.1.1), also behind an inner "
     "multipart or a header",
     lambda item, message, ours, theirs: is_line_end_of_boundary(item, ours, theirs)),
    ("the header of a part without a body ends at the boundary; Dovecot reads on",
     lambda item, message, ours, theirs:
     "HEADER.FIELDS.NOT" in item and theirs.startswith(ours + b"--")),
    ("no boundary is empty (RFC 2046 section 5.1.1)",
     lambda item, message, ours, theirs: b'boundary=""' in message
     or re.search(rb"(?i)boundary=[^\"\w'()+,./:=?\-]", message)),
    ("an encoding that is not known, or not one word",
     lambda item, message, ours, theirs:
     item.startswith("BINARY") and re.search(rb"(?i)content-transfer-encoding", message)),
    ("multiparts and messages have no encoding to undo; Dovecot undoes those of their parts",
     lambda item, message, ours, theirs: item.startswith("BINARY")
     and re.search(rb"(?i)(multipart|message)/", message)),
]


def squeezed(value):
    return re.sub(rb"\s+", b" ", value).strip() if isinstance(value, bytes) else value


def without_fields(body):
    """A BODYSTRUCTURE's types and sizes alone."""
    return [[part[0].lower(), part[1].lower(), part[6]] for part in leaves(body)]


def is_line_end_of_boundary(item, ours, theirs):
    if isinstance(ours, bytes) and isinstance(theirs, bytes):
        return ours in (theirs + b"\r\n", theirs[:-2]) and (
            ours.endswith(b"\r\n") or theirs.endswith(b"\r\n"))
    if item not in STRUCTURES:
        return False
    return all(one[:2] == two[:2] and abs(one[6] - two[6]) in (0, 2)
               for one, two in zip(leaves(ours), leaves(theirs), strict=True))


def excuse(item, message, ours, theirs):
    """A difference's reason; None: there is none."""
    for why, fits in EXCUSES:
        try:
            if fits(item, message, ours, theirs):
                return why
        except (TypeError, ValueError, IndexError, AttributeError):
            continue
    return None


# ---- asking ----

class Side:
    """One of the servers, with INBOX selected; a connection that it closed is made anew."""

    def __init__(self, login):
        self.login = login
        self.client = None
        self.open()

    def open(self):
        if self.client:
            self.client.close()
        self.client = self.login()
        self.client.examine()

    def ask(self, number, items):
        """{item: value}, or the status of a refusal."""
        try:
            reply = self.client.command(f"FETCH {number} ({' '.join(items)})")
        except (Closed, AssertionError) as trouble:
            self.open()
            return {"": f"broken: {trouble}"[:100]}
        if reply.status != "OK":
            return {item: reply.status for item in items}
        return reply.fetched().get(number, {})


def sections(structure, dice):
    """Items for each part of a BODYSTRUCTURE."""
    found = []

    def walk(body, path):
        if isinstance(body[0], list):
            number = 0
            for part in body:
                if not isinstance(part, list) or not part or not isinstance(part[0], (list, bytes)):
                    break
                number += 1
                inner = f"{path}.{number}" if path else str(number)
                found.append(f"{inner}]")
                found.append(f"{inner}.MIME]")
                message(part, inner) if not isinstance(part[0], list) else walk(part, inner)
        else:
            inner = f"{path}.1" if path else "1"
            found.append(f"{inner}]")
            message(body, inner)

    def message(part, path):
        if part[0].lower() == b"message" and part[1].lower() == b"rfc822":
            found.extend(f"{path}.{what}]" for what in (
                "HEADER", "TEXT", "HEADER.FIELDS (Subject To)", "HEADER.FIELDS.NOT (Subject To)"))
            walk(part[8], path)

    walk(structure, "")
    return found if len(found) <= PARTS_MAX else dice.sample(found, PARTS_MAX)


class Comparison:
    def __init__(self, pair, oracle, messages):
        self.names = list(messages)
        self.messages = [literal_form(message) for message in messages.values()]
        self.wrong, self.excused = [], {}
        with oracle.login("alice") as client:
            for message in self.messages:
                client.ok("APPEND INBOX ", Literal(message))
        for message in messages.values():
            pair.sandbox.control("POST", "/messages?user=alice@example.com&folder=inbox", message,
                                 "message/rfc822")
        self.ours = Side(lambda: pair.imap().login("alice"))
        self.theirs = Side(lambda: oracle.login("alice"))

    def compare(self, number, items):
        ours, theirs = self.ours.ask(number, items), self.theirs.ask(number, items)
        if "" in theirs:  # it closed the connection, or wrote what is no IMAP
            return ours
        message = self.messages[number - 1]
        for item in sorted(set(ours) | set(theirs)):
            one, two = ours.get(item), theirs.get(item)
            if one == two:
                continue
            why = excuse(item, message, one, two)
            self.excused[why] = self.excused.get(why, 0) + 1
            if not why:
                self.wrong.append(f"{self.names[number - 1]} {item}\n  Postern {one!r:.600}\n"
                                  f"  Dovecot {two!r:.600}")
        return ours

    def run(self):
        dice = random.Random(SEED)
        for number, message in enumerate(self.messages, 1):
            if self.theirs.ask(number, ["BODY.PEEK[]"]).get("BODY[]") != message:
                continue  # Dovecot keeps it otherwise than it was given
            known = self.compare(number, ["BODYSTRUCTURE", "ENVELOPE"])
            self.compare(number, ["BODY"])
            self.compare(number, WHOLE)
            named = sections(known["BODYSTRUCTURE"], dice)
            self.compare(number, [f"BODY.PEEK[{name}" for name in named])
            for name in named:
                if re.fullmatch(r"[\d.]+\]", name):
                    for item in (f"BINARY.PEEK[{name}", f"BINARY.SIZE[{name}",
                                 f"BODY.PEEK[{name}<1.7>", f"BINARY.PEEK[{name}<2.5>"):
                        self.compare(number, [item])

    def verdict(self):
        for why, count in self.excused.items():
            print(f"# {count}: {why}")
        assert not self.wrong, f"{len(self.wrong)} differ:\n" + "\n".join(self.wrong[:20])


def compare_all(messages):
    messages = {name: message for name, message in messages.items()
                if message and b"\0" not in message and len(message) < SIZE_MAX}
    with Pair(listeners=IMAP) as pair, dovecot.Dovecot() as oracle:
        comparison = Comparison(pair, oracle, messages)
        comparison.run()
        comparison.verdict()


# ---- tests ----

@test
def real():
    """The corpus"""
    compare_all({name: message for name, message in corpus().items() if name not in DEEPER})


@test
def odd():
    """Messages with one thing wrong"""
    compare_all(odd_messages())


@test
def damaged():
    """Messages damaged at random"""
    dice = random.Random(SEED)
    whole = {name: message for name, message in (corpus() | odd_messages()).items()
             if len(message) < 6000 and b"\r" not in message and name not in DEEPER}
    compare_all({f"{number}-{name}": damage(whole[name], dice)
                 for number, name in enumerate(dice.choices(list(whole), k=DAMAGED))})


main()
