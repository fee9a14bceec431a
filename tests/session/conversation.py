"""Conversations written down: what the client sends, what must come back, what Graph was asked.

A file holds cases. A case begins with its name in brackets; then, line by line:

    @mail NAME …          messages of tests/data/mail that are in the mailbox
    @login KEY = VALUE    a setting of the login
    @listener KEY = VALUE a setting of the listener
    @limits KEY = VALUE
    @tls                  there is a certificate
    C: text               the client sends this line
    B: text               it sends these bytes: Python's escapes, no CRLF added
    S: text               this line must come back
    S~ regex              a line that matches, from end to end
    S* regex / regex …    lines up to and including a dot alone, these and no others, in any order
    S...                  lines up to and including a dot alone
    TLS                   the handshake happens here
    EOF                   the server closes, and says nothing more
    G: COUNT METHOD regex so many requests of this kind reached Graph since the login
    # comment
"""

import re

from harness import Pair, mail, trusting

OPTIONS = ("login", "listener", "limits")


class Case:
    def __init__(self, place, name):
        self.place = place
        self.name = name
        self.mail = []
        self.tls = False
        self.options = {option: {} for option in OPTIONS}
        self.steps = []

    def set(self, line):
        word, _, rest = line[1:].partition(" ")
        if word == "mail":
            self.mail += rest.split()
        elif word == "tls":
            self.tls = True
        elif word in OPTIONS:
            key, _, value = rest.partition("=")
            self.options[word][key.strip()] = value.strip()
        else:
            raise ValueError(f"{self.place}: {line}")

    def __call__(self):
        with Pair(tls=self.tls, logins={"alice": self.options["login"]},
                  listeners={"pop": {"tls": "none", **self.options["listener"]}},
                  limits=self.options["limits"], serve=False) as pair:
            pair.deliver(*(mail(name) for name in self.mail))
            pair.start()
            implicit = self.options["listener"].get("tls") == "implicit"
            context = trusting(pair.certificate) if self.tls else None
            with pair.pop3(greet=False, tls=context if implicit else None) as client:
                for place, line in self.steps:
                    try:
                        self.step(line, pair, client, context)
                    except AssertionError as failure:
                        raise AssertionError(f"{place}: {line}\n{failure}") from None

    def step(self, line, pair, client, context):
        kind, text = line[:2], line[2:].removeprefix(" ")
        if line == "TLS":
            client.start_tls(context)
        elif line == "EOF":
            client.expect_close()
        elif line == "S...":
            while client.raw_line() != b".\r\n":
                pass
        elif kind == "C:":
            client.send(text.encode() + b"\r\n")
        elif kind == "B:":
            client.send(text.encode("latin-1").decode("unicode_escape").encode("latin-1"))
        elif kind == "S:":
            got = client.raw_line().decode("latin-1").rstrip("\r\n")
            assert got == text, f"got: {got}"
        elif kind == "S*":
            got = client.body().decode("latin-1").splitlines()
            wanted = text.split(" / ")
            assert len(got) == len(wanted) and all(
                any(re.fullmatch(each, line) for line in got) for each in wanted), f"got: {got}"
        elif kind == "S~":
            got = client.raw_line().decode("latin-1").rstrip("\r\n")
            assert re.fullmatch(text, got), f"got: {got}"
        elif kind == "G:":
            count, method, path = text.split(" ", 2)
            requests = pair.sandbox.requests(path, method)
            assert len(requests) == int(count), f"Graph was asked: {requests}"
        else:
            raise ValueError(f"not a step: {line}")


def read(path):
    """The cases of a file."""
    cases = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        place = f"{path.name}:{number}"
        if line.startswith("["):
            cases.append(Case(place, line.strip("[]")))
        elif line.startswith("@"):
            cases[-1].set(line)
        elif line and not line.startswith("#"):
            cases[-1].steps.append((place, line))
    return cases
