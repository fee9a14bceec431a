#!/usr/bin/env python3
"""A second file of logins: read with the configuration, changed by `postern passwd`, noticed by a
running serve."""

import os
import signal
import subprocess

import tap
from harness import OTHER_PASSWORD, PASSWORD, PASSWORD_HASH, Pair, program
from tap import test, wait_for

BOTH = {"pop": {"tls": "none"}, "imap": {"protocol": "imap", "tls": "none"}}
LOGINS = """# one for each script
login "nagios" {{  # the monitoring
    mailbox = "alice@example.com"
    tenant = example
    password = '{hash}'   // made by postern passwd
    read-only = yes
}}

login 'tickets' {{ mailbox = "alice@example.com" tenant = example password = '{hash}' }}
"""


class WithFile(Pair):
    """A Pair whose logins stand in a file of their own, but for alice."""

    def __init__(self, text=LOGINS, **options):
        super().__init__(listeners=BOTH, serve=False, **options)
        self.text = text

    def __enter__(self):
        super().__enter__()
        self.file = self.work / "logins.conf"
        self.write(self.text.format(hash=PASSWORD_HASH))
        self.top = f"logins-file = '{self.file}'"
        self.postern.write(self.config_text())
        return self

    def write(self, text):
        fresh = self.work / "logins.new"
        fresh.write_text(text)
        fresh.chmod(0o600)
        fresh.rename(self.file)

    def passwd(self, *arguments, password=OTHER_PASSWORD, expect=0):
        done = subprocess.run([program("postern"), "passwd", "-c", self.postern.config, *arguments],
                              input=password + "\n", capture_output=True, text=True, check=False,
                              timeout=tap.PATIENCE)
        assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def takes(self, name, password=PASSWORD):
        with self.pop3() as client:
            client.ok(f"USER {name}")
            answer = client.command(f"PASS {password}")
            assert answer.startswith(("+OK", "-ERR [AUTH]")), answer
            return answer.startswith("+OK")

    def reloads(self):
        return self.postern.log().count("logins.conf was reloaded")


@test
def passwd_is_noticed():
    """postern passwd changes one hash and nothing else; serve takes it over by itself"""
    with WithFile() as pair:
        pair.start()
        assert pair.takes("nagios") and pair.takes("tickets") and pair.takes("alice")
        with pair.imap() as held:
            held.login("nagios")
            before = pair.file.read_text()
            pair.file.chmod(0o640)
            told = pair.passwd("nagios")
            assert str(pair.file) in told and "$y$" not in told, told
            after = pair.file.read_text()
            mine, theirs = before.splitlines(), after.splitlines()
            assert [n for n, (a, b) in enumerate(zip(mine, theirs)) if a != b] == [4]
            assert theirs[4].startswith("    password = '$y$")
            assert theirs[4].endswith("'   // made by postern passwd")
            assert pair.file.stat().st_mode & 0o777 == 0o640
            wait_for("the new password is taken", lambda: pair.takes("nagios", OTHER_PASSWORD))
            assert not pair.takes("nagios")
            assert pair.takes("tickets") and pair.takes("alice")
            assert held.select().exists == 0  # a session signed in before goes on
        assert sorted(path.name for path in pair.work.glob("logins*")) == ["logins.conf"]


@test
def faulty_file():
    """A faulty file is told of once, and changes nothing; nor does one that is gone"""
    with WithFile() as pair:
        pair.start()
        pair.write(LOGINS.format(hash=PASSWORD_HASH).replace("read-only", "red-only"))
        pair.log_has(r"logins.conf:6: unknown key 'red-only'")
        pair.file.unlink()
        pair.log_has("logins.conf: cannot open")
        assert pair.takes("nagios")
        log = pair.postern.log()
        assert log.count("the logins from before stay in force") == 2, log
        seen = pair.reloads()
        pair.write('login "new" { mailbox = "alice@example.com" tenant = example '
                   f"password = '{PASSWORD_HASH}' }}\n")
        wait_for("the mended file is read", lambda: pair.reloads() > seen)
        assert pair.takes("new") and not pair.takes("nagios")
        assert pair.postern.log().count("unknown key") == 1


@test
def reload_reads_both():
    """SIGHUP reads the configuration and the file; afterwards it is watched as before"""
    with WithFile() as pair:
        pair.start()
        pair.logins["bob"] = {}
        pair.write('login "new" { mailbox = "alice@example.com" tenant = example '
                   f"password = '{PASSWORD_HASH}' }}\n")
        pair.postern.write(pair.config_text())
        pair.postern.process.signal(signal.SIGHUP)
        wait_for("both are in force", lambda: pair.takes("bob") and pair.takes("new"))
        pair.passwd("new")
        wait_for("the new password is taken", lambda: pair.takes("new", OTHER_PASSWORD))


@test
def passwd_prints():
    """postern passwd prints the line: with --print, for a login of the main file, without a config"""
    with WithFile() as pair:
        before = pair.file.read_text()
        assert pair.passwd("--print", "nagios").startswith("    password = '$y$")
        told = pair.passwd("alice")
        assert "    password = '$y$" in told and 'has no login "alice"' in told
        assert pair.file.read_text() == before
        pair.write("login nagios {")
        assert "nothing was changed" in pair.passwd("nagios", expect=78)
        pair.postern.config.unlink()
        assert pair.passwd("nagios").startswith("    password = '$y$")


@test
def many_at_once():
    """Passwords changed at the same moment: none is lost"""
    with WithFile() as pair:
        text = "".join(f'login "n{number}" {{ mailbox = "a@b.c" tenant = example password = x }}\n'
                       for number in range(8))
        pair.write(text)
        running = [subprocess.Popen([program("postern"), "passwd", "-c", pair.postern.config,
                                     f"n{number}"], stdin=subprocess.PIPE,
                                    stdout=subprocess.DEVNULL) for number in range(8)]
        for process in running:
            process.communicate(b"secret\n", timeout=tap.PATIENCE)
            assert process.returncode == 0
        lines = pair.file.read_text().splitlines()
        assert len(lines) == 8 and all("password = '$y$" in line for line in lines), lines


@test
def read_only_directory():
    """Where the file cannot be replaced, passwd says so and leaves it as it was"""
    if os.geteuid() == 0:
        raise tap.Skip("root may write everywhere")
    with WithFile() as pair:
        directory = pair.work / "closed"
        directory.mkdir()
        pair.file.rename(directory / "logins.conf")
        pair.file.symlink_to(directory / "logins.conf")
        before = pair.file.read_text()
        directory.chmod(0o500)
        assert "nothing was changed" in pair.passwd("nagios", expect=71)
        assert pair.file.read_text() == before
        directory.chmod(0o700)


tap.main(at_once=3)
