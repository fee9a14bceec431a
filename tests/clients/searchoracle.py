#!/usr/bin/env python3
"""SEARCH, SORT and THREAD beside Dovecot: the same messages, the same answers.

What is asked is made of the messages themselves: words of their texts and headers, their dates and
sizes. Where the two differ for a reason, REASONS says which; everything else is a failure."""

import email
import email.errors
import email.header
import email.policy
import email.utils
import os
import random
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "session"))

from dovecot import Dovecot  # noqa: E402
from harness import IMAP, Pair, corpus, on_the_wire  # noqa: E402
from imapclient import Literal  # noqa: E402
from searchmail import MESSAGES, make_messages  # noqa: E402
from tap import main, test  # noqa: E402

SEED = int(os.environ.get("POSTERN_TEST_SEED", "1"))
QUESTIONS = int(os.environ.get("POSTERN_TEST_QUESTIONS", "400"))
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

# Longer arguments are an error to Dovecot.
WORD_MAX = 1000
ADDRESSES = ("FROM", "TO", "CC", "BCC", "REPLY-TO", "SENDER")

# What Dovecot 2.3 does otherwise: the message, the keys that show it, and why ours is right.
REASONS = [
    ("bare-cr-only|body-without-blank-line|date-6|dot-in-header|from-first-line|giant-header|"
     "header-no-final-newline|header-raw-.*|long-header-line|many-headers|many-recipients|"
     "nested-messages-100|no-date|no-headers|date-1", "SENT|DATE",
     "RFC 3501 speaks of the Date field; without one Dovecot takes 1970"),
    ("date-4|date-5", "SENT|DATE", "ISO 8601 and asctime(3) are read here"),
    ("date-7", "SENT|DATE", "the first second of 1970 is a date too"),
    ("address-broken|address-comments", "FROM|TO|CC",
     "what stands in the field is found, also in comments and where no address can be read"),
    ("encoded-words.*", "SUBJECT|HEADER|TEXT|FROM|TO|CC",
     "unknown charsets and words that break RFC 2047 are read as far as they can be"),
    ("boundary-special", "BODY|TEXT",
     "a boundary is followed by blanks only (RFC 2046 section 5.1.1)"),
    ("boundary-wrong-nesting", "BODY|TEXT", "what follows an outer boundary is its next part"),
    ("nested-100|nested-messages-100", "BODY|TEXT", "Dovecot goes one level less deep"),
    ("content-type-broken", "BODY|TEXT",
     "a type that cannot be read is text/plain (RFC 2045 section 5.2)"),
]


def is_known(name, command):
    """Is a difference in this message one of those?"""
    return any(re.fullmatch(names, name) and re.search(rf"\b({keys})", command)
               for names, keys, _ in REASONS)


def internal_dates(count):
    """Rising, some on the same day, some a second around midnight."""
    days = random.Random(SEED)
    day = 0
    for _ in range(count):
        day += days.choice((0, 0, 1, 3))
        yield (f"{2020 + day // 336}-{day // 28 % 12 + 1:02}-{day % 28 + 1:02}T"
               f"{days.choice(('00:00:00', '23:59:59', '12:34:56'))}Z")


def imap_date(iso):
    return f"{iso[8:10]}-{MONTHS[int(iso[5:7]) - 1]}-{iso[:4]} {iso[11:19]} +0000"


class Both:
    """One mailbox with the same messages on both servers."""

    def __init__(self, messages):
        self.messages = {name: on_the_wire(message) for name, message in messages.items()}

    def __enter__(self):
        self.pair = Pair(listeners=IMAP, logins={"alice": {"exact-size": "yes"}}).__enter__()
        self.dovecot = Dovecot().__enter__()
        dates = list(internal_dates(len(self.messages)))
        with self.dovecot.login("alice") as client:
            for message, date in zip(self.messages.values(), dates):
                client.ok(f'APPEND INBOX "{imap_date(date)}" ', Literal(message))
        for message, date in zip(self.messages.values(), dates):
            self.pair.sandbox.control("POST", f"/messages?user=alice@example.com&folder=inbox"
                                              f"&received={date}", message, "message/rfc822")
        self.ours = self.pair.imap().login("alice")
        self.theirs = self.dovecot.login("alice")
        for client in (self.ours, self.theirs):
            client.ok("SELECT INBOX")
        return self

    def __exit__(self, *error):
        self.ours.__exit__(*error)
        self.theirs.__exit__(*error)
        self.dovecot.__exit__(*error)
        self.pair.__exit__(*error)


def ask(client, command):
    """(status, the answer's numbers in order, or the thread as text)."""
    reply = client.command(*command)
    if reply.status != "OK":
        return reply.status, None
    kind = command[0].split()[0]
    data = reply.data(kind)
    return "OK", data if kind == "THREAD" else data[0]


def show(command):
    return "".join(part if isinstance(part, str) else repr(part.data) for part in command)


def different(names, ours, theirs):
    """Messages that only we found (+), that only Dovecot found (-), that stand elsewhere."""
    found = ["+" + names[n - 1] for n in sorted(set(ours) - set(theirs))]
    found += ["-" + names[n - 1] for n in sorted(set(theirs) - set(ours))]
    left = [n for n in ours if n in theirs]
    right = [n for n in theirs if n in ours]
    while left != right:
        at = next(n for n, (one, two) in enumerate(zip(left, right)) if one != two)
        number = left[at] if right.index(left[at]) >= left.index(right[at]) else right[at]
        found.append(names[number - 1])
        left.remove(number)
        right.remove(number)
    return found


def compare(both, commands):
    """A line for each command whose answers differ without a reason."""
    names = list(both.messages)
    wrong = []
    for command in commands:
        ours, theirs = ask(both.ours, command), ask(both.theirs, command)
        if ours == theirs:
            continue
        text = show(command)
        if isinstance(ours[1], list) and isinstance(theirs[1], list):
            left, right = ([n for n in found if not is_known(names[n - 1], text)]
                           for found in (ours[1], theirs[1]))
            if left != right:
                wrong.append(f"{text}: {' '.join(different(names, left, right))}")
        else:
            wrong.append(f"{text}:\n  Postern {ours}\n  Dovecot {theirs}")
    return wrong


def verdict(wrong):
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong)


# ---- questions ----

def string(text):
    """A quoted string, or a literal for what it cannot hold."""
    data = text.encode()
    if re.fullmatch(rb"[ -~]*", data):
        return ['"' + re.sub(r'(["\\])', r"\\\1", text) + '"']
    return ["", Literal(data)]


def pieces(text, dice):
    """A stretch of a text, at random."""
    words = [word for word in re.split(r"\s+", text) if word and len(word) < WORD_MAX]
    if not words:
        return "x"
    choice = dice.randrange(4)
    if choice == 0:
        return dice.choice(words)
    if choice == 1:
        at = dice.randrange(len(words))
        return " ".join(words[at:at + 2])
    word = dice.choice(words)
    at = dice.randrange(len(word))
    piece = word[at:at + dice.randrange(1, 12)]
    return piece.swapcase() if choice == 2 else piece


def texts_of(message):
    """What a person reads in the message, as Python's parser has it: header values and parts."""
    parsed = email.message_from_bytes(message, policy=email.policy.compat32)
    headers, bodies = [], []
    for part in parsed.walk():
        for name, value in part.items():
            try:
                decoded = str(email.header.make_header(email.header.decode_header(str(value))))
            except (LookupError, UnicodeError, ValueError, email.errors.MessageError):
                decoded = str(value)
            headers.append((name, decoded.encode("utf-8", "replace").decode()))
        if part.get_content_maintype() == "text":
            payload = part.get_payload(decode=True) or b""
            try:
                bodies.append(payload.decode(part.get_content_charset("utf-8"), "replace"))
            except LookupError:
                bodies.append(payload.decode("utf-8", "replace"))
    return headers, bodies


def clean(text):
    """Without what no search string can hold, or what stands for what could not be read."""
    return re.sub("[\x00-\x1f\x7f-\x9f\ufffd\ud800-\udfff]", "", text)


def text_key(messages, dice):
    headers, bodies = texts_of(dice.choice(messages))
    kind = dice.choice(["FROM", "TO", "CC", "SUBJECT", "HEADER", "HEADER", "BODY", "BODY", "TEXT"])
    if not headers:
        kind = "TEXT"
    if kind in ("BODY", "TEXT"):
        both = bodies if kind == "BODY" else bodies + [value for _, value in headers]
        return [f"{kind} ", *string(clean(pieces(dice.choice(both or ["x"]), dice)))]
    name, value = dice.choice(headers)
    if kind != "HEADER":
        name, value = kind, dice.choice([value for name, value in headers
                                         if name.upper() == kind] or ["x"])
    if not re.fullmatch(r"[!-9;-~]+", name) or re.search(r'[][(){%*"\\]', name):
        name = "Subject"
    if name.upper() in ADDRESSES:
        # A name or an address alone: what is between them Dovecot has in a form of its own.
        parts = [re.sub('[()"]', "", part) for part in email.utils.parseaddr(value)]
        value = dice.choice([part for part in parts if part] or ["x"])
    return [f"{name} " if kind != "HEADER" else f"HEADER {name} ",
            *string(clean(pieces(value, dice)))]


def plain_key(count, dice):
    day = f"{dice.randrange(1, 29)}-{dice.choice(MONTHS)}-{dice.choice((2019, 2020, 2021, 2026))}"
    return [dice.choice([
        f"{dice.choice(('BEFORE', 'ON', 'SINCE'))} {day}",
        f"{dice.choice(('SENTBEFORE', 'SENTON', 'SENTSINCE'))} {day}",
        f"{dice.choice(('LARGER', 'SMALLER'))} {dice.choice((0, 300, 500, 900, 3000, 100000))}",
        f"{dice.randrange(1, count)}:{dice.randrange(1, count)}",
        f"UID {dice.randrange(1, count)}:*",
        dice.choice(("ALL", "SEEN", "UNSEEN", "FLAGGED", "UNDELETED", "KEYWORD work")),
    ])]


def key(messages, dice, depth=0):
    """A search key as parts of a command."""
    choice = dice.randrange(9 if depth < 3 else 6)
    if choice < 4:
        return text_key(messages, dice)
    if choice < 6:
        return plain_key(len(messages), dice)
    one = key(messages, dice, depth + 1)
    if choice == 6:
        # Of single keys only: from "NOT (LARGER 300 LARGER 900)" Dovecot makes "NOT LARGER 300".
        return ["NOT ", *key(messages, dice, 3)]
    two = key(messages, dice, depth + 1)
    return ["OR ", *one, " ", *two] if choice == 7 else ["(", *one, " ", *two, ")"]


def command(*parts):
    """Neighbouring texts as one."""
    made = []
    for part in parts:
        if isinstance(part, str) and made and isinstance(made[-1], str):
            made[-1] += part
        else:
            made.append(part)
    return made


def all_messages():
    """The corpus without what an APPEND cannot hold, and messages made at random."""
    real = {name: message for name, message in corpus().items()
            if b"\0" not in message and len(message) > 1}
    return {**real, **make_messages(SEED, MESSAGES)}


# ---- tests ----

@test
def searches():
    """Hundreds of searches find the same messages"""
    messages = all_messages()
    dice = random.Random(SEED)
    values = list(messages.values())
    commands = []
    for _ in range(QUESTIONS):
        keys = [part for n in range(dice.choice((1, 1, 2)))
                for part in ([" "] if n else []) + key(values, dice, dice.choice((0, 3)))]
        commands.append(command("SEARCH CHARSET UTF-8 ", *keys))
    with Both(messages) as both:
        wrong = compare(both, commands)
    verdict(wrong)


@test
def sorts():
    """Every way to sort gives the same order"""
    dice = random.Random(SEED)
    keys = ["ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO"]
    orders = [[k] for k in keys] + [["REVERSE", k] for k in keys]
    for _ in range(40):
        orders.append([word for k in dice.sample(keys, dice.randrange(1, 5))
                       for word in (["REVERSE", k] if dice.randrange(2) else [k])])
    messages = all_messages()
    with Both(messages) as both:
        wrong = compare(both, [[f"SORT ({' '.join(order)}) UTF-8 ALL"] for order in orders])
    verdict(wrong)


@test
def extended():
    """RETURN gives the same results for SEARCH and SORT"""
    dice = random.Random(SEED)
    messages = make_messages(SEED, MESSAGES)
    commands = []
    for _ in range(60):
        options = " ".join(dice.sample(("MIN", "MAX", "ALL", "COUNT"), dice.randrange(5)))
        keys = f"{dice.randrange(1, MESSAGES)}:* {dice.choice(('ALL', 'SUBJECT a', 'BODY zzz'))}"
        verb = dice.choice(("SEARCH RETURN ({}) CHARSET UTF-8 {}",
                            "SORT RETURN ({}) (REVERSE SUBJECT DATE) UTF-8 {}"))
        commands.append([dice.choice(("", "UID ")) + verb.format(options, keys)])
    with Both(messages) as both:
        wrong = [f"{show(c)}: {ours}, Dovecot {theirs}" for c in commands
                 for ours, theirs in [[dict(client.command(*c).data("ESEARCH"))
                                       for client in (both.ours, both.theirs)]]
                 if {**ours, "TAG": 0} != {**theirs, "TAG": 0}]
    verdict(wrong)


@test
def threads():
    """Threads by references and by subject are the same"""
    dice = random.Random(SEED)
    wrong = []
    for round_ in range(3):
        messages = make_messages(SEED + round_, MESSAGES)
        with Both(messages) as both:
            commands = [[f"THREAD {algorithm} UTF-8 {keys}"]
                        for algorithm in ("REFERENCES", "ORDEREDSUBJECT")
                        for keys in ["ALL"] + [
                            f"{dice.randrange(1, len(messages))}:*" for _ in range(10)]]
            wrong += compare(both, commands)
    verdict(wrong)


main()
