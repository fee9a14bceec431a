#!/usr/bin/env python3
"""The command line as people use it: passwd on a terminal, --help, wrong options, bad files."""

import os
import pty
import re
import select
import signal
import subprocess
import termios

import tap
from harness import Pair, program
from tap import PATIENCE, test

EX_OK, EX_USAGE, EX_DATAERR, EX_CONFIG = 0, 64, 65, 78
COMMANDS = ("serve", "check", "login", "token", "passwd", "clients", "demo", "version")
SECRET = "grey parrots whisper"


def run(*arguments):
    return subprocess.run([program("postern"), *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=PATIENCE, check=False)


class Terminal:
    """A program whose input and error output are a terminal of its own."""

    def __init__(self, *arguments):
        try:
            self.master, slave = pty.openpty()
        except OSError as error:
            raise tap.Skip(f"no terminal is to be had: {error}") from None
        self.child = subprocess.Popen([program("postern"), *arguments], stdin=slave,
                                      stdout=subprocess.PIPE, stderr=slave,
                                      start_new_session=True)
        self.slave = slave
        self.shown = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        os.close(self.slave)
        os.close(self.master)

    def read(self):
        readable, _, _ = select.select([self.master], [], [], 0.02)
        if readable:
            self.shown += os.read(self.master, 4096).decode()
        return self.shown

    def answer(self, prompt, text):
        """Waits for the prompt, with the echo off, and types a line."""
        tap.wait_for(prompt, lambda: prompt in self.read() and not self.echoes())
        self.shown = self.shown.partition(prompt)[2]
        os.write(self.master, text.encode() + b"\n")

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def end(self):
        """The exit code and what came to standard output."""
        output = self.child.stdout.read().decode()
        code = self.child.wait(PATIENCE)
        while select.select([self.master], [], [], 0)[0]:
            self.read()
        return code, output


@test
def asked_twice():
    """passwd on a terminal asks twice, shows nothing, and its line serves"""
    with Terminal("passwd", "alice") as terminal:
        terminal.answer("New password of login alice: ", SECRET)
        terminal.answer("Again: ", SECRET)
        code, output = terminal.end()
        assert code == EX_OK and SECRET not in output + terminal.shown
        assert terminal.echoes(), "the terminal stays silent"
    made = re.fullmatch(r"    password = '(\$y\$\S+)'\n", output).group(1)
    with Pair(logins={"alice": {"password": f"'{made}'"}}) as pair:
        with pair.pop3() as client:
            client.login(password=SECRET)
            client.quit()
        assert SECRET not in pair.postern.log()


@test
def mismatch():
    """passwd: two passwords that differ make no line"""
    with Terminal("passwd", "alice") as terminal:
        terminal.answer("New password", SECRET)
        terminal.answer("Again: ", SECRET + ".")
        assert terminal.end() == (EX_DATAERR, "")
        assert "not the same" in terminal.shown and terminal.echoes()


@test
def empty():
    """passwd: an empty password is refused at once, and so is the end of input"""
    with Terminal("passwd", "alice") as terminal:
        terminal.answer("New password", "")
        assert terminal.end() == (EX_DATAERR, "") and "empty" in terminal.shown
    for text in ("", "\n"):
        answer = subprocess.run([program("postern"), "passwd", "alice"], input=text, text=True,
                                capture_output=True, timeout=PATIENCE, check=False)
        assert answer.returncode == EX_DATAERR and not answer.stdout, answer


@test
def length():
    """passwd: 255 bytes are taken, 256 are not"""
    for count, code in ((255, EX_OK), (256, EX_DATAERR)):
        answer = subprocess.run([program("postern"), "passwd", "alice"], input="x" * count + "\n",
                                text=True, capture_output=True, timeout=PATIENCE, check=False)
        assert answer.returncode == code, (count, answer)


@test
def interrupted():
    """passwd: Ctrl-C ends it, and the terminal shows again what is typed"""
    with Terminal("passwd", "alice") as terminal:
        tap.wait_for("the prompt", lambda: "New password" in terminal.read()
                     and not terminal.echoes())
        terminal.child.send_signal(signal.SIGINT)
        assert terminal.end() == (-signal.SIGINT, "")
        assert terminal.echoes(), "the terminal stays silent"


@test
def help_of_all():
    """--help and -h of every command, and of the program"""
    for words in (("--help",), ("-h",), ("help",)):
        answer = run(*words)
        assert answer.returncode == EX_OK and not answer.stderr, answer
        assert all(re.search(rf"(?m)^  {name} ", answer.stdout) for name in COMMANDS), answer
    for name in COMMANDS:
        for option in ("--help", "-h"):
            answer = run(name, option)
            assert answer.returncode == EX_OK and not answer.stderr, answer
            assert answer.stdout.startswith(f"usage: postern {name}"), answer


@test
def usage():
    """Unknown options, arguments too many or missing: 64, and how it is used"""
    wrong = [(), ("serve", "here"), ("check", "here"), ("passwd",), ("passwd", "a", "b"),
             ("login",), ("login", "a", "b"), ("token",), ("token", "a", "b", "c"),
             ("demo", "a", "b"), ("version", "x"), ("serve", "-c"), ("frobnicate",),
             *[(name, "--frobnicate") for name in COMMANDS], *[(name, "-x") for name in COMMANDS]]
    for words in wrong:
        answer = run(*words)
        assert answer.returncode == EX_USAGE and not answer.stdout, (words, answer)
        assert "usage: postern" in answer.stderr, (words, answer)


@test
def configuration_files():
    """A configuration that cannot be read: 78, its name and the reason"""
    with Pair(serve=False) as pair:
        for path, reason in ((pair.work / "nowhere.conf", "No such file"),
                             (pair.work, "(directory|regular file)")):
            for command in ("check", "serve"):
                answer = run(command, "-c", path)
                assert answer.returncode == EX_CONFIG, answer
                assert str(path) in answer.stderr, answer
                assert re.search(reason, answer.stderr), answer
        if os.geteuid() != 0:
            pair.postern.config.chmod(0)
            answer = run("check", "-c", pair.postern.config)
            assert answer.returncode == EX_CONFIG, answer
            assert "Permission denied" in answer.stderr, answer


tap.main()
