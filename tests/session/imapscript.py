"""Scripts of IMAP: what clients send and what must come back, against Postern or the oracle.

A file holds cases. A case begins with its name in brackets; then, line by line:

    @needs WORD …         skipped where the server does not have these capabilities
    @only postern         … or dovecot
    @new                  the first client is not logged in
    @deliver FOLDER [seen] [DATE] NAME …   messages of tests/data/mail; DATE as 2026-01-02T03:04:05Z
    @text FOLDER [seen] [DATE]: text       a message; Python's escapes
    @folder PATH

    C: text       the client sends a command; its tag is added. {{text}} in it is a literal,
                  {{+text}} a non-synchronizing one, {{~text}} and {{~+text}} are literal8;
                  {{<NAME}} is a message of tests/data/mail. Python's escapes inside.
    OK, NO, BAD   the oldest command that was sent ends like this; [CODE …] may follow. "OK-NO":
                  one of the two. "BAD/OK": the oracle, which is laxer, may say OK
    * response    this came before that end (more than it says may have come)
    ! response    this did not
    # 3 LIST      so many of this kind did
    I:            IDLE begins; W: response waits for one; D: sends DONE, and an OK follows
    B: text       bytes as they are, Python's escapes
    R: regex      the next line of any kind matches, from end to end
    EOF           the server closes, and says nothing more

A digit in front is the number of the client, "2C: NOOP"; clients from the second on log in when
they first send. $name in a response stands for a number and is remembered; elsewhere it is what
was remembered. In a response "*" is any string and * anything. What has no order (flags, results
of SEARCH, items of FETCH and STATUS) is compared without; of FETCH, STATUS, LIST's flags,
CAPABILITY and FLAGS what is not named here may be there as well.

A line that begins with "--" is a comment.
"""

import email.utils
import re
import time

from harness import mail
from imapclient import Literal, numbers_of
from imapsyntax import Atom, BadSyntax, parse

PLACEHOLDER = 4_100_000_000  # numbers from here on stand for names in a pattern
STATUS = "(?:OK|NO|BAD)"
STEP = re.compile(rf"(\d?)(C:|{STATUS}(?:-{STATUS})*(?:/{STATUS})?|\*|!|#|I:|W:|D:|B:|R:|EOF)"
                  r"(?: |$)(.*)")
NAME = r"\$([a-z_]\w*)"  # $Forwarded and the like are keywords
LITERAL = re.compile(r"\{\{(~?)(\+?)(.*?)\}\}", re.S)


def octets(text):
    """Python's escapes undone."""
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1")


def literal_bytes(text):
    return mail(text[1:]) if text.startswith("<") else octets(text)


class Case:
    def __init__(self, place, name):
        self.place = place
        self.name = name
        self.needs = []
        self.only = None
        self.new = False
        self.setup = []  # (method, arguments)
        self.steps = []

    def set(self, place, line):
        word, _, rest = line[1:].partition(" ")
        if word == "needs":
            self.needs += rest.split()
        elif word == "only":
            self.only = rest
        elif word == "new":
            self.new = True
        elif word == "folder":
            self.setup.append(("folder", rest))
        elif word == "deliver":
            where, names = self.where(rest.split())
            for name in names:
                self.setup.append(("deliver", mail(name), *where))
        elif word == "text":
            head, _, text = rest.partition(": ")
            where, _ = self.where(head.split())
            self.setup.append(("deliver", octets(text), *where))
        else:
            raise ValueError(f"{place}: {line}")

    @staticmethod
    def where(words):
        """(folder, seen, date) and what is left of the words."""
        folder = words.pop(0)
        seen = words[:1] == ["seen"] and bool(words.pop(0))
        date = words.pop(0) if words and re.match(r"\d{4}-.*Z$", words[0]) else None
        return (folder, seen, date), words

    def run(self, server, user):
        """server: login(user), folder(), deliver(), kind. False: skipped."""
        if self.only not in (None, server.kind):
            return False
        if set(self.needs) - server.capabilities(user):
            return False
        for method, *arguments in self.setup:
            getattr(server, method)(user, *arguments)
        run = Run(server, user, self.new)
        try:
            for place, line in self.steps:
                try:
                    run.step(line)
                except Exception as failure:
                    raise AssertionError(f"{place}: {line}\n{failure!r}") from failure
        finally:
            for client in run.clients.values():
                client.close()
        return True


class Run:
    """One case under way."""

    def __init__(self, server, user, new):
        self.server = server
        self.user = user
        self.new = new
        self.clients = {}
        self.begun = {}   # by client: commands whose end was not asked for yet
        self.replies = {}  # by client: the last reply
        self.idle = {}
        self.values = {}

    def client(self, number):
        if number not in self.clients:
            new = self.new and number == "1"
            self.clients[number] = self.server.imap() if new else self.server.login(self.user)
            self.begun[number] = []
        return self.clients[number]

    def step(self, line):
        found = STEP.fullmatch(line)
        if not found:
            raise ValueError("not a step")
        number, kind, text = found.groups()
        number = number or "1"
        client = self.client(number)
        if kind == "C:":
            self.begun[number].append(client.begin(*self.parts(text)))
        elif kind[0] in "ONB" and kind != "B:":
            ours, _, oracles = kind.partition("/")
            lax = oracles and self.server.kind == "dovecot"
            self.ended(number, client, f"{ours}-{oracles}" if lax else ours, text)
        elif kind in "*!#":
            self.compare(kind, text, self.replies[number].untagged)
        elif kind == "I:":
            self.idle[number] = client.idle()
        elif kind == "W:":
            while not any(self.fits(text, r) for r in self.idle[number].untagged):
                client.response()
        elif kind == "D:":
            client.send(b"DONE\r\n")
            self.begun[number].append(self.idle.pop(number))
        elif kind == "B:":
            client.send(octets(self.filled(text)))
        elif kind == "R:":
            got = client.raw_response()
            parse(got)
            got = got.decode("latin-1").removesuffix("\r\n")
            assert re.fullmatch(self.filled(text), got, re.S), f"got: {got}"
        else:
            client.expect_close()

    def filled(self, text):
        return re.sub(NAME, lambda m: str(self.values[m[1]]) if m[1] in self.values
                      else m[0], text)

    def parts(self, text):
        """Text and literals by turns."""
        parts, at = [], 0
        text = self.filled(text)
        for found in LITERAL.finditer(text):
            parts.append(text[at:found.start()])
            parts.append(Literal(literal_bytes(found[3]), sync=not found[2],
                                 binary=bool(found[1])))
            at = found.end()
        parts.append(text[at:])
        if not text.isascii():
            parts = [p.encode("latin-1") if isinstance(p, str) else p for p in parts]
        return parts

    def ended(self, number, client, kind, text):
        self.replies[number] = reply = client.finish(self.begun[number].pop(0))
        assert reply.status in kind.split("-"), f"got: {reply!r}"
        # The oracle gives fewer of RFC 5530's codes.
        if text and not (reply.status == "NO" and not reply.code and self.server.kind == "dovecot"):
            self.code(text, reply.code)

    def code(self, pattern, code):
        """Compares "[COPYUID $v 1:2 $a]" with a response code."""
        got = "[" + " ".join(written(word) for word in code or []) + "]"
        regex = re.sub(r"\\\$([a-z_]\w*)", lambda m: rf"(?P<{m[1]}>\d+)",
                       re.escape(self.filled(pattern))).replace(r"\*", ".*")
        found = re.fullmatch(regex, got, re.I)
        assert found, f"got: {got}"
        self.values.update(found.groupdict())

    def compare(self, kind, text, untagged):
        if kind == "#":
            count, what = text.split(" ", 1)
            got = [r for r in untagged if r.kind == what]
            assert len(got) == int(count), f"got: {got}"
            return
        hits = [r for r in untagged if self.fits(text, r)]
        if kind == "*":
            assert hits, f"got: {untagged}"
        else:
            assert not hits, f"got: {hits}"

    def fits(self, text, response):
        """Does the pattern fit? Its unbound names are bound if so."""
        text = self.filled(text)
        if re.fullmatch(r"(\d+ )?[A-Z]+", text) and not text.startswith(("SEARCH", "THREAD", "SORT")):
            # Nothing but a kind: all of that kind.
            kind = text.split(" ")[-1]
            return response.kind == kind and text in (kind, f"{response.number} {kind}")
        kind, _, code = text.partition(" ")
        if kind in ("OK", "NO", "BAD", "BYE"):
            try:
                return kind == response.kind and (not code or self.code(code, response.code) is None)
            except AssertionError:
                return False
        text = re.sub("^FETCH", "$_ FETCH", text)
        names = []

        def placeholder(found):
            names.append(found[1])
            return str(PLACEHOLDER + len(names) - 1)

        raw = re.sub(NAME, placeholder, text).encode("latin-1")
        raw = re.sub(rb"\{\{(.*?)\}\}", as_literal, raw, flags=re.S)
        pattern = parse(b"* " + raw + b"\r\n")
        bound = {}
        if not Match(names, bound).response(pattern, response):
            return False
        self.values.update(bound)
        return True


def as_literal(found):
    data = literal_bytes(found[1].decode("latin-1"))
    return b"{%d}\r\n%s" % (len(data), data)


def octets_of(value):
    return value if isinstance(value, bytes) else value.encode()


def name_of(mailbox):
    """INBOX has no case."""
    return b"INBOX" if mailbox.upper() == b"INBOX" else mailbox


def written(word):
    return f"({' '.join(word)})" if isinstance(word, list) else str(word)


class Match:
    """Compares a pattern with a response, binding names."""

    def __init__(self, names, bound):
        self.names = names
        self.bound = bound

    def response(self, pattern, got):
        if pattern.kind != got.kind:
            return False
        if pattern.number is not None and not self.same(pattern.number, got.number):
            return False
        compare = getattr(self, pattern.kind.lower(), self.same)
        return compare(pattern.data, got.data)

    def same(self, pattern, got, fold=False):
        """Value by value, in order."""
        if isinstance(pattern, (Atom, bytes)) and pattern in ("*", b"*"):
            return True
        if isinstance(pattern, bool) or not isinstance(pattern, int):
            if isinstance(pattern, list) and isinstance(got, list):
                return len(pattern) == len(got) and all(
                    self.same(p, g, fold) for p, g in zip(pattern, got))
            if fold and isinstance(pattern, (bytes, str)) and isinstance(got, (bytes, str)):
                return octets_of(pattern).lower() == octets_of(got).lower()
            if isinstance(pattern, Atom) and isinstance(got, str):
                return pattern.lower() == got.lower()
            return pattern == got
        if PLACEHOLDER <= pattern < PLACEHOLDER + len(self.names):
            name = self.names[pattern - PLACEHOLDER]
            return name == "_" or self.bound.setdefault(name, got) == got
        return pattern == got

    def fetch(self, pattern, got):
        for name, value in pattern.items():
            if name not in got:
                return False
            if name == "FLAGS":
                fits = self.flag_set(value, got[name])
            elif name == "INTERNALDATE":
                fits = value == b"*" or instant(value) == instant(got[name])
            else:
                fits = self.same(value, got[name], fold=name in ("BODY", "BODYSTRUCTURE"))
            if not fits:
                return False
        return True

    @staticmethod
    def flag_set(pattern, got):
        """Equal, but for \\Recent where it is not named."""
        pattern = {flag.lower() for flag in pattern}
        got = {flag.lower() for flag in got}
        return pattern == (got if "\\recent" in pattern else got - {"\\recent"})

    def flags(self, pattern, got):
        return {flag.lower() for flag in pattern} <= {flag.lower() for flag in got}

    def list(self, pattern, got):
        return (self.flags(pattern[0], got[0]) and self.same(pattern[1], got[1])
                and self.same(name_of(pattern[2]), name_of(got[2]))
                and (not pattern[3] or self.same(pattern[3], got[3], fold=True)))

    lsub = list

    def status(self, pattern, got):
        return self.same(name_of(pattern[0]), name_of(got[0])) and all(
            name in got[1] and self.same(value, got[1][name])
            for name, value in pattern[1].items())

    def search(self, pattern, got):
        return sorted(pattern[0]) == sorted(got[0]) and (
            pattern[1] is None or got[1] is not None and self.same(pattern[1], got[1]))

    def esearch(self, pattern, got):
        pattern, got = dict(pattern), dict(got)
        pattern.pop("TAG")
        got.pop("TAG")
        if "ALL" in pattern and "ALL" in got:
            pattern["ALL"] = sorted(numbers_of(pattern["ALL"]))
            got["ALL"] = sorted(numbers_of(got["ALL"]))
        return pattern.keys() == got.keys() and all(
            self.same(value, got[name]) for name, value in pattern.items())

    def capability(self, pattern, got):
        return {str(w).upper() for w in pattern} <= {str(w).upper() for w in got}

    enabled = capability


def instant(date):
    """Seconds of an INTERNALDATE."""
    day, hour, zone = date.decode().strip().split(" ")
    return email.utils.mktime_tz(email.utils.parsedate_tz(
        f"{day.replace('-', ' ')} {hour} {zone}"))


def read(path):
    """The cases of a file."""
    cases = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        place = f"{path.name}:{number}"
        if line.startswith("["):
            cases.append(Case(place, line.strip("[]")))
        elif line.startswith("@"):
            cases[-1].set(place, line)
        elif line and not line.startswith("--"):
            cases[-1].steps.append((place, line))
    return cases


def run(cases, server):
    """Runs the cases of a file, each with a mailbox of its own. Fails with all that failed."""
    failures, skipped = [], []
    for number, case in enumerate(cases):
        begin = time.monotonic()
        try:
            if not case.run(server, f"user{number}"):
                skipped.append(case.name)
        except (AssertionError, BadSyntax, OSError) as failure:
            failures.append(f"[{case.name}] after {time.monotonic() - begin:.1f} s\n{failure}")
    assert not failures, f"{len(failures)} of {len(cases)} failed:\n" + "\n\n".join(failures)
    return skipped
