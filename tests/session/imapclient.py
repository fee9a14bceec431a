"""An IMAP client that reads every response whole and forgives nothing.

imapsyntax.py checks how each response is written; this file checks that it may come now and fits
what the server said before: tags, EXPUNGE only where RFC 3501 section 7.4.1 lets it, sequence
numbers in range, EXISTS that only EXPUNGE makes smaller, UIDs that rise and stay, flags that the
mailbox has, and what SELECT must tell.
"""

import re
import select

import imapsyntax
from connection import Connection
from imapsyntax import numbers_of

LITERAL_END = re.compile(rb"(?<![^ \[(])~?\{(\d+)\}\r\n$")
# While these go on by sequence number nobody may be renumbered (RFC 3501 section 7.4.1, RFC 5256).
FIXED_NUMBERS = ("FETCH", "STORE", "SEARCH", "SORT", "THREAD")
SYSTEM_FLAGS = ("\\seen", "\\answered", "\\flagged", "\\deleted", "\\draft", "\\recent")


class Literal:
    """A literal inside a command: synchronizing, or not ("+"), or a literal8 ("~")."""

    def __init__(self, data, *, sync=True, binary=False):
        self.data = data
        self.sync = sync
        self.head = b"%s{%d%s}\r\n" % (b"~" if binary else b"", len(data), b"" if sync else b"+")


class Pending:
    """A command whose tagged response has not come yet."""

    def __init__(self, tag, text):
        words = text.split(" ")
        self.tag = tag
        self.uid = words[0].upper() == "UID" and len(words) > 1
        self.verb = words[1 if self.uid else 0].upper()
        self.words = words
        self.untagged = []
        self.begun = False  # SELECT has begun to tell of the mailbox
        self.end = None     # its tagged response

    @property
    def selects(self):
        return self.verb in ("SELECT", "EXAMINE")


class Reply:
    """What one command got: its tagged end, and all untagged responses that came before it."""

    def __init__(self, end, untagged):
        self.status, self.code, self.text = end.kind, end.code, end.text
        self.end = end
        self.untagged = untagged

    def __repr__(self):
        return "".join(map(repr, self.untagged)) + repr(self.end)

    def of(self, kind):
        """The untagged responses of a kind."""
        return [r for r in self.untagged if r.kind == kind]

    def data(self, kind):
        """The data of the one untagged response of a kind."""
        found = self.of(kind)
        assert len(found) == 1, f"{len(found)} {kind} responses: {self!r}"
        return found[0].data

    def fetched(self):
        """{sequence number: items}; what came in several responses is put together."""
        found = {}
        for response in self.of("FETCH"):
            found.setdefault(response.number, {}).update(response.data)
        return found

    def code_is(self, name):
        return self.end.code_is(name)


class Selected:
    """The mailbox that is selected, as far as the server told of it."""

    def __init__(self, name, constant):
        self.name = name
        self.constant = constant
        self.exists = self.recent = self.flags = self.permanent = None
        self.uidvalidity = self.uidnext = self.modseq = None
        self.read_only = None
        self.old = 0        # how many of the messages were there at SELECT
        self.messages = []  # of each: what FETCH told, FLAGS in lower case

    def exists_now(self, number):
        assert number >= (self.exists or 0), f"EXISTS fell from {self.exists} to {number}"
        self.messages += [{} for _ in range(number - len(self.messages))]
        self.exists = number

    def expunge(self, number):
        assert 1 <= number <= self.exists, f"EXPUNGE {number} of {self.exists}"
        del self.messages[number - 1]
        self.exists -= 1
        # Whether it was a recent one, the server tells when it likes.
        self.recent = min(self.recent or 0, self.exists)
        self.old -= number <= self.old

    def fetch(self, number, items):
        assert 1 <= number <= (self.exists or 0), f"FETCH {number} of {self.exists}"
        known = self.messages[number - 1]
        if "UID" in items:
            self.uid(number, items["UID"], known)
        if "FLAGS" in items:
            flags = {flag.lower() for flag in items["FLAGS"]}
            allowed = {flag.lower() for flag in self.flags} | {"\\recent"}
            assert flags <= allowed, f"flags that FLAGS did not tell: {flags - allowed}"
            known["FLAGS"] = flags
        for final in ("INTERNALDATE", "RFC822.SIZE", "EMAILID"):
            if final in items and self.constant:
                assert known.setdefault(final, items[final]) == items[final], (
                    f"{final} of {number} changed from {known[final]} to {items[final]}")
        if "MODSEQ" in items:
            assert items["MODSEQ"] >= known.get("MODSEQ", 0), f"MODSEQ of {number} fell"
            known["MODSEQ"] = items["MODSEQ"]

    def uid(self, number, uid, known):
        assert known.setdefault("UID", uid) == uid, f"the UID of {number} changed"
        before = next((m["UID"] for m in reversed(self.messages[:number - 1][-9:]) if "UID" in m),
                      0)
        after = next((m["UID"] for m in self.messages[number:number + 9] if "UID" in m), 1 << 32)
        assert before < uid < after, f"UIDs do not rise: {before}, {uid}, {after}"
        if self.uidnext:
            fits = uid < self.uidnext if number <= self.old else uid >= self.uidnext
            assert fits, f"message {number} has UID {uid}, UIDNEXT was {self.uidnext}"

    def number_of(self, uid):
        return next((i for i, m in enumerate(self.messages, 1) if m.get("UID") == uid), None)


class Imap(Connection):
    """One connection. The greeting is read, and must be OK, unless greet is false."""

    # Does what was told of a message hold for ever? (The oracle makes dates up for what has gone.)
    constant = True

    def __init__(self, port, *, host="127.0.0.1", tls=None, greet=True, receive_buffer=None,
                 patience=None):
        super().__init__(port, host=host, receive_buffer=receive_buffer, patience=patience)
        self.tags = 0
        self.pending = []
        self.selected = None
        self.stray = []  # untagged responses while no command was under way
        self.bye = None
        if tls:
            self.start_tls(tls)
        self.greeting = self.response() if greet else None
        assert not greet or self.greeting.kind in ("OK", "PREAUTH"), self.greeting

    # -- reading ------------------------------------------------------------------------------

    def raw_response(self):
        """One response as it came: line, literals, further lines."""
        raw = begin = 0
        while True:
            end = self.buffer.find(b"\n", begin)
            if end < 0:
                begin = len(self.buffer)
                self.receive()
                continue
            line = self.buffer[raw:end + 1]
            assert line.endswith(b"\r\n"), f"a bare LF ends a line: {line[-80:]!r}"
            literal = LITERAL_END.search(line)
            if not literal:
                break
            raw = begin = end + 1 + int(literal.group(1))
            while len(self.buffer) < raw:
                self.receive()
        found, self.buffer = self.buffer[:end + 1], self.buffer[end + 1:]
        return found

    def response(self):
        """The next response, checked."""
        response = imapsyntax.parse(self.raw_response())
        try:
            self.check(response)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\nin {response!r}") from None
        return response

    def ready(self, seconds=0):
        """Is there something to read within so many seconds?"""
        return bool(self.buffer) or bool(select.select([self.socket], [], [], seconds)[0])

    def check(self, response):
        """May this come now? Notes what it says."""
        head = self.pending[0] if self.pending else None
        if response.tag == "+":
            assert head, "a continuation, and no command is under way"
            return
        assert not self.bye or response.tag != "*", f"untagged after BYE: {response}"
        if response.tag != "*":
            # Commands that do not depend on each other may end in any order.
            command = next((c for c in self.pending if c.tag == response.tag), None)
            assert command, "the tag of no command that is under way"
            self.pending.remove(command)
            command.end = response
            self.ended(command, response)
            return
        (head.untagged if head else self.stray).append(response)
        if head and head.selects and not head.begun and response.tells_of_mailbox():
            head.begun = True
            self.selected = Selected(" ".join(head.words[1:]), self.constant)
        self.note(response, head)

    def note(self, response, head):
        box, kind = self.selected, response.kind
        if kind == "BYE":
            self.bye = response
        elif kind in ("EXISTS", "RECENT", "EXPUNGE", "FETCH", "FLAGS"):
            assert box, f"{kind}, and nothing is selected"
            if kind == "EXISTS":
                box.exists_now(response.number)
            elif kind == "RECENT":
                box.recent = response.number
            elif kind == "FLAGS":
                box.flags = response.data
            elif kind == "FETCH":
                # Flags alone may be another client's doing.
                assert (not head or not head.uid or head.verb != "FETCH" or "UID" in response.data
                        or response.data.keys() <= {"FLAGS", "MODSEQ"}), "UID FETCH without UID"
                box.fetch(response.number, response.data)
            else:
                assert head, "EXPUNGE, and no command is under way"
                assert head.uid or head.verb not in FIXED_NUMBERS, f"EXPUNGE during {head.verb}"
                box.expunge(response.number)
        elif kind == "SEARCH" and box and head and head.verb == "SEARCH" and not head.uid:
            assert all(n <= box.exists for n in response.data[0]), "SEARCH beyond EXISTS"
        elif kind == "OK" and response.code and box:
            name, *value = response.code
            for field in ("UIDVALIDITY", "UIDNEXT"):
                if name == field and head and head.selects:
                    setattr(box, field.lower(), value[0])
            if name == "PERMANENTFLAGS":
                box.permanent = value[0]
            elif name == "HIGHESTMODSEQ":
                box.modseq = value[0]
            elif name == "UNSEEN":
                assert 1 <= value[0] <= box.exists, "UNSEEN beyond EXISTS"

    def ended(self, command, response):
        """What must hold when a command has ended."""
        box = self.selected
        if command.selects:
            if response.kind != "OK":
                self.selected = None if response.kind == "NO" else box
                return
            for field in ("exists", "recent", "flags", "permanent", "uidvalidity", "uidnext"):
                assert getattr(box, field) is not None, f"{command.verb} did not tell {field}"
            assert response.code_is("READ-ONLY") or (
                command.verb == "SELECT" and response.code_is("READ-WRITE")), "no access told"
            box.read_only = response.code_is("READ-ONLY")
            box.old = box.exists
            assert box.uidnext > 0 and box.uidvalidity > 0
        elif command.verb in ("CLOSE", "UNSELECT") and response.kind == "OK":
            assert not [r for r in command.untagged if r.kind == "EXPUNGE"], "EXPUNGE in CLOSE"
            self.selected = None
        elif command.verb == "LOGOUT" and response.kind == "OK":
            assert self.bye, "LOGOUT without BYE"
        if self.selected and box.recent is not None and box.exists is not None:
            assert box.recent <= box.exists, "RECENT above EXISTS"

    # -- sending ------------------------------------------------------------------------------

    def begin(self, *parts):
        """Sends a command and waits for nothing but continuations of its literals. Returns what
        finish() wants; None if the server refused a literal: then it has ended."""
        self.tags += 1
        words = "".join(p if isinstance(p, str) else "" for p in parts)
        command = Pending(f"t{self.tags}", words)
        self.pending.append(command)
        line = command.tag.encode() + b" "
        for part in parts:
            if isinstance(part, Literal):
                if part.sync:
                    self.send(line + part.head)
                    line = part.data
                    if not self.continued(command):
                        return command
                else:
                    line += part.head + part.data
            else:
                line += part if isinstance(part, bytes) else part.encode()
        self.send(line + b"\r\n")
        return command

    def continued(self, command):
        """Waits for "+"; false if the command has ended instead."""
        while True:
            response = self.response()
            if response.tag == "+":
                return True
            if command.end:
                return False

    def finish(self, command):
        """Reads up to the command's end."""
        while not command.end:
            self.response()
        return Reply(command.end, command.untagged)

    def command(self, *parts):
        return self.finish(self.begin(*parts))

    def expect(self, status, parts):
        reply = self.command(*parts)
        assert reply.status == status, f"{str(parts[0])[:200]}: {reply.end!r}"
        return reply

    def ok(self, *parts):
        return self.expect("OK", parts)

    def no(self, *parts):
        return self.expect("NO", parts)

    def bad(self, *parts):
        return self.expect("BAD", parts)

    # -- commands -----------------------------------------------------------------------------

    def login(self, name="alice", password=None):
        from harness import PASSWORD
        self.ok(f'LOGIN {name} "{password or PASSWORD}"')
        return self

    def capabilities(self):
        return {str(word).upper() for word in self.ok("CAPABILITY").data("CAPABILITY")}

    def select(self, name="INBOX", verb="SELECT"):
        self.ok(f'{verb} "{name}"')
        return self.selected

    def examine(self, name="INBOX"):
        return self.select(name, "EXAMINE")

    def fetch(self, numbers, items):
        """{sequence number: items}"""
        return self.ok(f"FETCH {numbers} {items}").fetched()

    def uid_fetch(self, uids, items):
        """{UID: items}"""
        fetched = self.ok(f"UID FETCH {uids} {items}").fetched()
        return {found["UID"]: found for found in fetched.values()}

    def uids(self):
        """All UIDs, in order."""
        if not self.selected.exists:
            return []
        return [found["UID"] for _, found in sorted(self.fetch("1:*", "(UID)").items())]

    def search(self, keys, uid=False):
        """The result of SEARCH; the one of ESEARCH by reply.data("ESEARCH")."""
        return self.ok(f"{'UID ' if uid else ''}SEARCH {keys}").data("SEARCH")[0]

    def append(self, name, message, flags="", date=""):
        """(UIDVALIDITY, UID) of the message, or None where the server does not tell."""
        date = f' "{date}"' if date else ""
        flags = f" ({flags})" if flags else ""
        reply = self.ok(f'APPEND "{name}"{flags}{date} ', Literal(message))
        if not reply.code_is("APPENDUID"):
            return None
        return int(reply.code[1]), int(reply.code[2])

    def transfer(self, command):
        """UID COPY, UID MOVE: the UIDs there by the UIDs here, from COPYUID."""
        return self.transferred(self.ok(command))

    @staticmethod
    def transferred(reply):
        codes = [r.code for r in [*reply.untagged, reply.end] if r.code_is("COPYUID")]
        if not codes:
            return {}
        _, _, source, target = codes[0]
        assert len(numbers_of(source)) == len(numbers_of(target)), codes
        return dict(zip(numbers_of(source), numbers_of(target)))

    def status(self, name, items):
        return self.ok(f'STATUS "{name}" ({items})').data("STATUS")[1]

    def list(self, pattern="*", reference=""):
        """{name: flags}"""
        reply = self.ok(f'LIST "{reference}" "{pattern}"')
        return {r.data[2].decode(): r.data[0] for r in reply.of("LIST")}

    def idle(self):
        """Begins IDLE; done() ends it."""
        command = self.begin("IDLE")
        assert self.continued(command), "IDLE was refused"
        return command

    def done(self, command):
        self.send(b"DONE\r\n")
        reply = self.finish(command)
        assert reply.status == "OK", reply
        return reply

    def logout(self):
        """LOGOUT and the close that follows."""
        self.ok("LOGOUT")
        self.expect_close()
