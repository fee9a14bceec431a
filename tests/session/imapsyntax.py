"""Responses of an IMAP server taken apart, forgiving nothing: RFC 3501 section 9, and RFC 2971,
3516, 4315, 4731, 5161, 5256, 5258, 5530, 5819, 7162, 8438, 8474 where they add to it.

Values: a number is an int, another atom an Atom, a string (quoted or literal) bytes, NIL None, a
parenthesized list a list.
"""

import re


class Atom(str):
    """An atom that is no number and not NIL; flags and the like keep their backslash."""


class BadSyntax(AssertionError):
    """The server said what no grammar has."""


class Response:
    """One response. tag: "*", "+" or a command's; kind: OK, FETCH, EXISTS …; number: of
    "* 3 EXISTS"; code: the list that stands in brackets; text: what people read; data: the rest,
    as its kind has it."""

    def __init__(self, raw, tag, kind, number=None, code=None, text="", data=None):
        self.raw = raw
        self.tag = tag
        self.kind = kind
        self.number = number
        self.code = code
        self.text = text
        self.data = data

    def __repr__(self):
        return self.raw[:600].decode("latin-1")

    def code_is(self, name):
        return bool(self.code) and self.code[0].upper() == name

    def tells_of_mailbox(self):
        """Is it one of those that SELECT makes?"""
        return self.kind in ("EXISTS", "RECENT", "FLAGS") or any(map(self.code_is, (
            "UIDVALIDITY", "UIDNEXT", "PERMANENTFLAGS", "UNSEEN", "HIGHESTMODSEQ", "MAILBOXID")))


ATOM = rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]"
WORD = re.compile(rb"[^\x00-\x20\x7f-\xff(){\"]+")
NUMBER = re.compile(rb"(0|[1-9][0-9]*)(?![0-9])")
FLAG = re.compile(rb"\\?" + ATOM + rb"+")
LITERAL = re.compile(rb"(~?)\{(\d+)\}\r\n")
DATE_TIME = re.compile(rb"[ 0123]\d-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{4}"
                       rb" [012]\d:[0-5]\d:[0-6]\d [+-]\d{4}")
SET = re.compile(r"[1-9]\d*(:[1-9]\d*)?(,[1-9]\d*(:[1-9]\d*)?)*")
SECTION = re.compile(rb"(?:[1-9]\d*(?:\.[1-9]\d*)*(?:\.(?=[A-Z])|(?=\])))?"
                     rb"(HEADER\.FIELDS(?:\.NOT)?(?= )|HEADER|TEXT|MIME)?", re.I)
OBJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")

# Response codes, and what follows each: nothing, a number, anything, or a parser's name.
CODES = dict.fromkeys(
    "ALERT PARSE READ-ONLY READ-WRITE TRYCREATE UIDNOTSTICKY NOMODSEQ CLOSED UNKNOWN-CTE "
    "UNAVAILABLE AUTHENTICATIONFAILED AUTHORIZATIONFAILED EXPIRED PRIVACYREQUIRED CONTACTADMIN "
    "NOPERM INUSE EXPUNGEISSUED CORRUPTION SERVERBUG CLIENTBUG CANNOT LIMIT OVERQUOTA "
    "ALREADYEXISTS NONEXISTENT TOOBIG HASCHILDREN NOTSAVED".split())
CODES.update(dict.fromkeys("UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ APPENDLIMIT".split(),
                           "number"))
CODES.update(PERMANENTFLAGS="flags", CAPABILITY="words", BADCHARSET="anything", APPENDUID="uids",
             COPYUID="uids", MODIFIED="set", MAILBOXID="object", REFERRAL="anything")

STATUS_ITEMS = ("MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "HIGHESTMODSEQ", "SIZE",
                "MAILBOXID", "DELETED", "APPENDLIMIT")


def numbers_of(text):
    """The members of a set without "*", in the order in which they stand there."""
    found = []
    for part in str(text).split(","):
        low, _, high = part.partition(":")
        low, high = int(low), int(high or low)
        found += range(low, high + 1) if low <= high else range(low, high - 1, -1)
    return found


class Cursor:
    """A response and how far it was read."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def fail(self, what):
        raise BadSyntax(f"{what} at {self.at}, before {self.data[self.at:self.at + 60]!r}: "
                        f"{self.data[:400]!r}")

    def check(self, condition, what):
        if not condition:
            self.fail(what)

    def peek(self, text):
        return self.data.startswith(text, self.at)

    def take(self, text):
        found = self.peek(text)
        self.at += len(text) if found else 0
        return found

    def expect(self, text):
        self.check(self.take(text), f"{text!r} is missing")

    def match(self, pattern, what):
        found = pattern.match(self.data, self.at)
        self.check(found, what)
        self.at = found.end()
        return found.group()

    def end(self):
        self.expect(b"\r\n")
        self.check(self.at == len(self.data), "more after the end")

    # -- values -------------------------------------------------------------------------------

    def number(self):
        return int(self.match(NUMBER, "no number"))

    def word(self):
        return Atom(self.match(WORD, "no word").decode("ascii"))

    def quoted(self):
        self.expect(b'"')
        value = bytearray()
        while not self.take(b'"'):
            if self.take(b"\\"):
                self.check(self.data[self.at:self.at + 1] in (b"\\", b'"'), "a bad escape")
            byte = self.data[self.at]
            self.check(byte not in b"\r\n\0", "CR, LF or NUL in a quoted string")
            self.check(byte < 0x80, "an 8-bit octet in a quoted string")
            value.append(byte)
            self.at += 1
        return bytes(value)

    def string(self, binary=False):
        if self.peek(b'"'):
            return self.quoted()
        found = LITERAL.match(self.data, self.at)
        self.check(found, "no string")
        self.check(binary or not found.group(1), "literal8 where none may be")
        self.at = found.end() + int(found.group(2))
        value = self.data[found.end():self.at]
        self.check(found.group(1) or b"\0" not in value, "NUL in a literal")
        return value

    def nstring(self, binary=False):
        if self.peek(b'"') or self.peek(b"{") or self.peek(b"~{"):
            return self.string(binary)
        self.check(self.word().upper() == "NIL", "neither a string nor NIL")
        return None

    def astring(self):
        return self.string() if self.peek(b'"') or self.peek(b"{") else str(self.word()).encode()

    def value(self):
        """Anything, lists too."""
        if self.peek(b"("):
            return self.list(self.value)
        if self.peek(b'"') or self.peek(b"{") or self.peek(b"~{"):
            return self.string(True)
        if self.peek(b"\\"):
            return Atom(self.match(FLAG, "no flag").decode())
        word = self.word()
        if word.upper() == "NIL":
            return None
        return int(word) if NUMBER.fullmatch(word.encode()) else word

    def list(self, item):
        """"(" item SP item … ")"; may be empty."""
        self.expect(b"(")
        values = []
        while not self.take(b")"):
            if values:
                self.expect(b" ")
            values.append(item())
        return values

    def flag(self):
        if self.take(b"\\*"):
            return Atom("\\*")
        return Atom(self.match(FLAG, "no flag").decode("ascii"))

    def flags(self):
        flags = self.list(self.flag)
        lower = [flag.lower() for flag in flags]
        self.check(len(set(lower)) == len(lower), "a flag twice")
        return flags

    def set(self):
        word = self.word()
        self.check(SET.fullmatch(word), f"no set of numbers: {word}")
        return word

    def object_id(self):
        self.expect(b"(")
        word = self.match(re.compile(rb"[^ ()]+"), "no object id").decode()
        self.check(OBJECT_ID.fullmatch(word), "a bad object id")
        self.expect(b")")
        return word

    # -- resp-text ----------------------------------------------------------------------------

    def resp_text(self):
        """The code (or None) and the text."""
        code = None
        if self.take(b"["):
            name = self.match(re.compile(rb"[A-Z0-9-]+"), "no code").decode()
            self.check(name in CODES, f"an unknown response code {name}")
            code = [name] + self.code_data(CODES[name])
            self.expect(b"]")
            self.expect(b" ")
        text = self.match(re.compile(rb"[^\0\r\n\x80-\xff]*"), "no text")
        self.check(text, "an empty text")
        self.end()
        return code, text.decode("ascii")

    def code_data(self, kind):
        if kind is None:
            return []
        if kind == "anything":
            return [self.match(re.compile(rb"[^\]\r\n]*"), "nothing").decode("ascii")]
        self.expect(b" ")
        if kind == "number":
            return [self.number()]
        if kind == "flags":
            return [self.flags()]
        if kind == "object":
            return [self.object_id()]
        words = self.match(re.compile(rb"[^\]\r\n]+"), "nothing").decode("ascii").split(" ")
        if kind == "words":
            return words
        self.check(all(SET.fullmatch(word) for word in words), "no set of numbers")
        return words

    # -- FETCH --------------------------------------------------------------------------------

    def section(self):
        """"[…]" and an origin; returned as it stands there, in upper case, without spaces."""
        begin = self.at
        self.expect(b"[")
        kind = self.match(SECTION, "a bad section")
        if kind.upper().endswith((b"HEADER.FIELDS", b"HEADER.FIELDS.NOT")):
            self.expect(b" ")
            self.check(self.list(self.astring), "no header fields")
        self.expect(b"]")
        if self.take(b"<"):
            self.number()
            self.expect(b">")
        return self.data[begin:self.at].decode("ascii")

    def fetch_items(self):
        items = {}

        def one():
            name = self.match(re.compile(rb"[A-Z0-9.]+", re.I), "no item").decode().upper()
            if name in ("BODY", "BINARY", "BINARY.SIZE") and self.peek(b"["):
                name += self.section()
            self.check(name.upper() not in items, f"{name} twice")
            self.expect(b" ")
            items[name.upper()] = self.fetch_value(name)

        self.list(one)
        self.check(items, "FETCH of nothing")
        return items

    def fetch_value(self, name):
        if name in ("UID", "RFC822.SIZE") or name.startswith("BINARY.SIZE["):
            value = self.number()
            self.check(value or name != "UID", "UID 0")
        elif name == "FLAGS":
            value = self.flags()
        elif name == "INTERNALDATE":
            value = self.quoted()
            self.check(DATE_TIME.fullmatch(value), "a bad date")
        elif name == "ENVELOPE":
            value = self.envelope()
        elif name in ("BODY", "BODYSTRUCTURE"):
            value = self.body(name == "BODYSTRUCTURE")
        elif name == "MODSEQ":
            self.expect(b"(")
            value = self.number()
            self.expect(b")")
        elif name in ("EMAILID", "THREADID"):
            value = None if name == "THREADID" and self.take(b"NIL") else self.object_id()
        elif name in ("RFC822", "RFC822.HEADER", "RFC822.TEXT") or name.startswith("BODY["):
            value = self.nstring()
        elif name.startswith("BINARY["):
            value = self.nstring(binary=True)
        else:
            self.fail(f"an unknown item {name}")
        return value

    def envelope(self):
        self.expect(b"(")
        fields = [self.nstring()]
        for number in range(1, 10):
            self.expect(b" ")
            fields.append(self.addresses() if 2 <= number <= 7 else self.nstring())
        self.expect(b")")
        return fields

    def addresses(self):
        if self.take(b"NIL"):
            return None
        found = []
        self.expect(b"(")
        while not self.take(b")"):
            self.take(b" ") if found else None
            address = self.list(self.nstring)
            self.check(len(address) == 4, "an address of other than four strings")
            found.append(address)
        self.check(found, "an empty list of addresses")
        return found

    def body(self, extended):
        self.expect(b"(")
        if self.peek(b"("):
            parts = []
            while self.peek(b"("):
                parts.append(self.body(extended))
            self.expect(b" ")
            value = parts + [self.string()]
            if extended and self.peek(b" "):
                self.expect(b" ")
                value.append(self.parameters())
                value += self.extension()
        else:
            value = self.single_part(extended)
        self.expect(b")")
        return value

    def single_part(self, extended):
        kind = self.string()
        self.expect(b" ")
        subtype = self.string()
        self.expect(b" ")
        value = [kind, subtype, self.parameters()]
        for field in (self.nstring, self.nstring, self.string, self.number):
            self.expect(b" ")
            value.append(field())
        if (kind.lower(), subtype.lower()) == (b"message", b"rfc822"):
            for field in (self.envelope, lambda: self.body(extended), self.number):
                self.expect(b" ")
                value.append(field())
        elif kind.lower() == b"text":
            self.expect(b" ")
            value.append(self.number())
        if extended and self.take(b" "):
            value.append(self.nstring())
            value += self.extension()
        return value

    def extension(self):
        """Disposition, language, location, as far as they are told."""
        value = []
        for field in (self.disposition, self.language, self.nstring):
            if not self.take(b" "):
                break
            value.append(field())
        return value

    def parameters(self):
        if self.take(b"NIL"):
            return None
        value = self.list(self.string)
        self.check(value and len(value) % 2 == 0, "parameters are no pairs")
        return value

    def disposition(self):
        if self.take(b"NIL"):
            return None
        self.expect(b"(")
        value = [self.string()]
        self.expect(b" ")
        value.append(self.parameters())
        self.expect(b")")
        return value

    def language(self):
        if self.peek(b"("):
            value = self.list(self.string)
            self.check(value, "an empty list of languages")
            return value
        return self.nstring()

    # -- the rest -----------------------------------------------------------------------------

    def mailbox_list(self):
        """(flags, delimiter, name, extended data)"""
        flags = self.flags()
        self.expect(b" ")
        delimiter = self.nstring()
        self.check(delimiter is None or len(delimiter) == 1, "a bad delimiter")
        self.expect(b" ")
        name = self.astring()
        more = []
        if self.take(b" "):
            more = self.value()
        self.end()
        return [flags, delimiter, name, more]

    def status(self):
        name = self.astring()
        self.expect(b" ")
        items = {}

        def one():
            item = self.word().upper()
            self.check(item in STATUS_ITEMS, f"an unknown item {item}")
            self.check(item not in items, f"{item} twice")
            self.expect(b" ")
            items[item] = self.object_id() if item == "MAILBOXID" else self.number()

        self.list(one)
        self.end()
        return [name, items]

    def thread(self):
        """thread-members and nested threads, RFC 5256 section 4."""
        self.expect(b"(")
        value = []
        while not self.take(b")"):
            if self.peek(b"("):
                value.append(self.thread())
            else:
                self.expect(b" ") if value else None
                self.check(not value or isinstance(value[-1], int), "a number after a thread")
                value.append(self.number())
                if self.peek(b" ("):
                    self.expect(b" ")
                    self.check(self.data.count(b"(", self.at) > 1, "one thread in a nest")
        self.check(value, "an empty thread")
        return value

    def rest(self):
        """Values up to the end of the line."""
        values = []
        while not self.peek(b"\r\n"):
            self.expect(b" ")
            values.append(self.value())
        self.end()
        return values

    def search(self):
        values = self.rest()
        modseq = values.pop() if values and isinstance(values[-1], list) else None
        self.check(all(isinstance(v, int) and v > 0 for v in values), "SEARCH of other things")
        self.check(len(set(values)) == len(values), "a result twice")
        self.check(modseq is None or modseq[0].upper() == "MODSEQ", "a bad MODSEQ")
        return [values, modseq and modseq[1]]

    def esearch(self):
        values = self.rest()
        data = {"TAG": None, "UID": False}
        if values and isinstance(values[0], list):
            self.check(values[0][0].upper() == "TAG", "no correlator")
            data["TAG"] = values.pop(0)[1].decode("ascii")
        if values and values[0] == "UID":
            data["UID"] = bool(values.pop(0))
        self.check(len(values) % 2 == 0, "return data are no pairs")
        for name, value in zip(values[::2], values[1::2]):
            if name == "ALL":
                self.check(SET.fullmatch(str(value)), "ALL is no set")
            self.check(name in ("MIN", "MAX", "COUNT", "ALL", "MODSEQ"), f"unknown {name}")
            data[name] = value
        return data


def parse(raw):
    """One whole response, literals and the last CRLF included."""
    cursor = Cursor(raw)
    if cursor.take(b"+ "):
        return Response(raw, "+", "+", text=raw[2:-2].decode("ascii"))
    if not cursor.take(b"* "):
        return tagged(raw, cursor)
    if cursor.data[2:3].isdigit():
        number = cursor.number()
        cursor.expect(b" ")
        kind = cursor.word().upper()
        if kind == "FETCH":
            cursor.expect(b" ")
            items = cursor.fetch_items()
            cursor.end()
            return Response(raw, "*", kind, number, data=items)
        cursor.check(kind in ("EXISTS", "RECENT", "EXPUNGE"), f"an unknown response {kind}")
        cursor.end()
        return Response(raw, "*", kind, number)
    return untagged(raw, cursor)


def tagged(raw, cursor):
    tag = cursor.match(re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\+]+"), "no tag").decode()
    cursor.expect(b" ")
    kind = cursor.match(re.compile(rb"OK|NO|BAD"), "neither OK, NO nor BAD").decode()
    cursor.expect(b" ")
    code, text = cursor.resp_text()
    return Response(raw, tag, kind, code=code, text=text)


def untagged(raw, cursor):
    kind = cursor.word().upper()
    if kind in ("OK", "NO", "BAD", "BYE", "PREAUTH"):
        cursor.expect(b" ")
        code, text = cursor.resp_text()
        return Response(raw, "*", kind, code=code, text=text)
    if kind in ("SEARCH", "SORT"):
        data = cursor.search()
    elif kind == "ESEARCH":
        data = cursor.esearch()
    elif kind == "THREAD":
        data = []
        if cursor.take(b" "):
            while not cursor.peek(b"\r\n"):
                data.append(cursor.thread())
        cursor.end()
    elif kind in ("LIST", "LSUB", "STATUS"):
        cursor.expect(b" ")
        data = cursor.status() if kind == "STATUS" else cursor.mailbox_list()
    elif kind == "FLAGS":
        cursor.expect(b" ")
        data = cursor.flags()
        cursor.end()
    elif kind in ("CAPABILITY", "ENABLED", "ID", "NAMESPACE"):
        data = cursor.rest() if kind != "NAMESPACE" else namespaces(cursor)
    else:
        cursor.fail(f"an unknown response {kind}")
    return Response(raw, "*", kind, data=data)


def namespaces(cursor):
    """Three namespaces, each NIL or a list whose members stand side by side without spaces."""
    found = []
    for _ in range(3):
        cursor.expect(b" ")
        if cursor.take(b"NIL"):
            found.append(None)
            continue
        cursor.expect(b"(")
        members = []
        while not cursor.take(b")"):
            members.append(cursor.list(cursor.nstring))
        found.append(members)
    cursor.end()
    return found
