"""Tenants whose mailboxes are opened with the sign-in of a person: how tests sign in, and what
they look at afterwards."""

import json
import re
import subprocess
import threading

from connection import Closed
from harness import MAILBOX, Pair, program, sanitizer_environment
from tap import PATIENCE, wait_for

EX_OK, EX_USAGE, EX_NOUSER, EX_UNAVAILABLE, EX_CANTCREAT = 0, 64, 67, 69, 73
EX_TEMPFAIL, EX_NOPERM = 75, 77
BOB = "bob@example.com"
DEVICE = {"flow": "device-code", "client-secret": None}
BROWSER = {"flow": "authorization-code", "client-secret": None}


class Whole(Pair):
    """A Pair that has started only when its control socket is there, after its ports."""

    def start(self):
        before = self.postern.log().count("serving: ")
        super().start()
        wait_for("serve says that it serves",
                 lambda: self.postern.log().count("serving: ") > before)


def delegated(*settings, tenant=None, **options):
    """A Pair whose sandbox has bob's account too; settings of the sandbox as NAME=VALUE."""
    sets = [word for setting in ("device-interval=0", *settings) for word in ("--set", setting)]
    return Whole(tenant=tenant or DEVICE, sandbox=("--user", BOB, *sets), **options)


def command(pair, *words):
    """A subcommand that ends by itself."""
    return subprocess.run([program("postern"), words[0], "-c", pair.postern.config, *words[1:]],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=sanitizer_environment(), timeout=PATIENCE, check=False)


class Login:
    """`postern login` under way; `said` is what it has printed so far."""

    def __init__(self, pair, *words):
        self.child = subprocess.Popen(
            [program("postern"), "login", "-c", pair.postern.config, *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**sanitizer_environment(), "DISPLAY": ""})
        # What says nothing for so long says nothing at all; then reading ends.
        self.watchdog = threading.Timer(2 * PATIENCE, self.child.kill)
        self.watchdog.start()
        self.said = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.watchdog.cancel()
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()

    def read_until(self, pattern):
        """The match of a line that it prints."""
        for line in self.child.stdout:
            self.said += line
            found = re.search(pattern, line)
            if found:
                return found
        raise AssertionError(f"it never said {pattern}:\n{self.said}")

    def url(self):
        return self.read_until(r"^https://\S+").group()

    def end(self):
        """Its exit code."""
        self.said += self.child.stdout.read()
        return self.child.wait(PATIENCE)


def stored(pair):
    """How many sign-ins are on disk, and nothing else of them."""
    directory = pair.work / "state" / "sign-ins"
    names = [p.name for p in directory.iterdir()] if directory.exists() else []
    assert not [n for n in names if ".tmp-" in n], names
    return len([n for n in names if re.fullmatch("[0-9a-f]{64}", n)])


def sign_in(pair, *words, user=MAILBOX):
    """By device code; what was said."""
    with Login(pair, *(words or (MAILBOX,))) as login:
        code = login.read_until(r"enter +(\S+)").group(1)
        pair.sandbox.device(user, code)
        assert login.end() == EX_OK, login.said
        return login.said


def fetches(pair):
    """A client gets in."""
    with pair.pop3() as client:
        client.login()
        client.quit()


def opens(pair):
    """Whether it does."""
    try:
        fetches(pair)
        return True
    except (AssertionError, OSError, Closed):
        return False


def listed(pair):
    """The rows of postern token list."""
    answer = command(pair, "token", "list", "--json")
    assert answer.returncode == EX_OK, answer
    return json.loads(answer.stdout)
