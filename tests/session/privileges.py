#!/usr/bin/env python3
"""Root hands over: the user that serves, what it may still do, and whose the files are."""

import grp
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile

import tap
from harness import Pair, mail, on_the_wire, program, trusting
from tap import Skip, test, wait_for

MESSAGE = mail("plain")
USER = "nobody"


def status(pair, field):
    with open(f"/proc/{pair.postern.process.pid}/status", encoding="ascii") as text:
        return re.search(rf"^{field}:\s*(.*)$", text.read(), re.M).group(1).split()


def owned_by(path):
    return pwd.getpwuid(path.stat().st_uid).pw_name


class Handed(Pair):
    """A Pair that root starts for USER, who can read what a reload needs."""

    def __init__(self, **options):
        if os.geteuid() != 0:
            raise Skip("only root can become another user")
        super().__init__(tls=True, serve=False, **options)
        self.top += f"user = {USER}\n"

    def __enter__(self):
        super().__enter__()
        self.work.chmod(0o711)
        anchors = self.work / "ca.pem"
        shutil.copy(self.sandbox.ca_file, anchors)
        self.tenant["ca-file"] = f"'{anchors}'"
        self.opened(self.key, self.certificate, anchors)
        self.write()
        return self

    def opened(self, *paths):
        for path in paths:
            os.chown(path, pwd.getpwnam(USER).pw_uid, -1)

    def write(self):
        self.postern.write(self.config_text())
        self.opened(self.postern.config)


@test
def no_new_rights():
    """serve gives up the way to rights of other programs, whoever starts it"""
    with Pair() as pair:
        assert status(pair, "NoNewPrivs") == ["1"]


@test
def hands_over():
    """user: ports and keys by root, everything after as that user, without groups or capabilities"""
    listeners = {"pop": {"tls": "implicit"}, "unix": {"tls": "none"}}
    with Handed(listeners=listeners) as pair:
        run = pair.work / "run"
        run.mkdir()
        os.chown(run, pwd.getpwnam(USER).pw_uid, -1)
        pair.listeners["unix"]["address"] = f"'unix:{run}/pop.sock'"
        pair.write()
        pair.postern.start([pair.ports["pop"]])
        pair.log_has("serving:")
        user = pwd.getpwnam(USER)
        assert status(pair, "Uid") == [str(user.pw_uid)] * 4
        assert status(pair, "Gid") == [str(user.pw_gid)] * 4
        assert "0" not in status(pair, "Groups")
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status(pair, kind)[0], 16) == 0, kind
        assert status(pair, "NoNewPrivs") == ["1"]
        pair.deliver(MESSAGE)
        with pair.pop3(tls=trusting(pair.certificate)) as client:
            client.login()
            assert client.retr(1) == on_the_wire(MESSAGE)
            client.quit()
        state = pair.work / "state"
        for path in [state, *state.rglob("*"), run / "pop.sock"]:
            assert owned_by(path) == USER, path
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        assert "running as root" not in pair.postern.log()
        assert "cannot be read" not in pair.postern.log()
        pair.postern.process.signal(signal.SIGHUP)
        pair.log_has("the configuration was reloaded")
        pair.stop()
        assert not (run / "pop.sock").exists()


@test
def writes_nowhere_else():
    """Landlock: nothing is made outside of the state directory, and no program is run"""
    with Pair() as pair, tempfile.TemporaryDirectory(prefix="postern-test-") as elsewhere:
        if "confined by Landlock" not in pair.postern.log():
            raise Skip("no Landlock here")
        pair.deliver(MESSAGE)
        with pair.pop3() as client:
            client.login()
            assert client.retr(1) == on_the_wire(MESSAGE)
            client.quit()
        target = os.path.join(elsewhere, "postern.log")
        pair.postern.write(pair.config_text().replace("log {", f"log {{\n    target = '{target}'"))
        pair.postern.process.signal(signal.SIGHUP)
        pair.log_has("the log stays where it was")
        pair.log_has("the configuration was reloaded")
        assert not os.path.exists(target)
        pair.restart()
        assert os.path.exists(target)
        pair.postern.write(pair.config_text())
        pair.postern.process.signal(signal.SIGHUP)


@test
def state_of_root():
    """A state directory that root made before is given to the user; one of a third is refused"""
    with Handed() as pair:
        text = pair.config_text()
        pair.postern.write(text.replace(f"user = {USER}\n", ""))
        pair.start()
        pair.log_has("running as root")
        pair.deliver(MESSAGE)
        with pair.pop3() as client:
            client.login()
            client.retr(1)
            client.quit()
        pair.stop()
        state = pair.work / "state"
        assert owned_by(state) == "root"
        pair.write()
        pair.start()
        with pair.pop3() as client:
            client.login()
            assert client.retr(1) == on_the_wire(MESSAGE)
            client.quit()
        pair.stop()
        assert {owned_by(path) for path in [state, *state.rglob("*")]} == {USER}
        os.chown(state, 1, -1)
        answer = subprocess.run([program("postern"), "serve", "-c", pair.postern.config],
                                capture_output=True, text=True, timeout=tap.PATIENCE, check=False)
        assert answer.returncode == 69 and "chown" in answer.stderr, answer


@test
def log_file():
    """The log's file: made for the user where he may not make it, and opened by no name of his"""
    with Handed() as pair:
        plain = pair.config_text()

        def start(target):
            pair.postern.write(plain.replace("log {", f"log {{\n    target = '{target}'"))
            pair.opened(pair.postern.config)
            return subprocess.Popen([program("postern"), "serve", "-c", pair.postern.config],
                                    stderr=subprocess.PIPE, text=True)

        target = pair.work / "serve.log"
        with start(target) as child:
            try:
                wait_for("it serves", lambda: target.exists() and "serving:" in target.read_text())
                assert owned_by(target) == USER
                child.send_signal(signal.SIGHUP)
                wait_for("it goes on", lambda: "was reloaded" in target.read_text())
                assert "stays where it was" not in target.read_text()
            finally:
                child.terminate()
        assert child.returncode == 0

        precious = pair.work / "precious"
        precious.write_text("of root\n")
        precious.chmod(0o600)
        his = pair.work / "his"
        his.mkdir()
        pair.opened(his)
        (his / "serve.log").symlink_to(precious)
        with start(his / "serve.log") as child:
            assert "cannot open the log file" in child.stderr.read()
        assert child.returncode == 69 and precious.read_text() == "of root\n"
        assert owned_by(precious) == "root"


@test
def unreadable_later():
    """A key that only root can read: it serves, the log and check say what a reload will miss"""
    with Handed(listeners={"pop": {"tls": "implicit"}}) as pair:
        os.chown(pair.key, 0, 0)
        told = subprocess.run([program("postern"), "check", "-c", pair.postern.config],
                              capture_output=True, text=True, timeout=tap.PATIENCE, check=True)
        assert re.search(r"tls\.key cannot be read by user", told.stderr), told
        pair.start()
        pair.log_has(r"tls\.key cannot be read by user")
        pair.postern.process.signal(signal.SIGHUP)
        pair.log_has("old one stays in force|was not reloaded")
        with pair.pop3(tls=trusting(pair.certificate)) as client:
            client.login().quit()


@test
def nobody_there():
    """user, group: names that do not exist, and what only root can do, are clear errors"""
    group = grp.getgrgid(os.getegid()).gr_name
    for top, said in (("user = 'no-such-user'", "there is no user"),
                      (f"user = {pwd.getpwuid(os.geteuid()).pw_name}\ngroup = 'no-such-group'",
                       "there is no group"), (f"group = '{group}'", "'user' is not")):
        with Pair(serve=False, top=top) as pair:
            for command, code in (("serve", 69), ("check", 78)):
                answer = subprocess.run(
                    [program("postern"), command, "-c", pair.postern.config], capture_output=True,
                    text=True, timeout=tap.PATIENCE, check=False)
                assert answer.returncode == code and said in answer.stderr, (command, answer)


tap.main()
