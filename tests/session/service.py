#!/usr/bin/env python3
"""The service itself: check, reload, stop, limits, passwords, the log."""

import json
import re
import signal
import statistics
import subprocess
import threading
import time
from pathlib import Path

import tap
from harness import (OTHER_HASH, OTHER_PASSWORD, PASSWORD, PASSWORD_YESCRYPT, Pair,
                     listening, mail, make_certificate, on_the_wire, program, sanitized, trusting)
from connection import Closed
from tap import test, wait_for

EX_OK, EX_USAGE, EX_NOINPUT, EX_CONFIG = 0, 64, 66, 78
MESSAGE = mail("plain")


def run(*arguments, **options):
    return subprocess.run([program("postern"), *arguments], capture_output=True, text=True,
                          stdin=options.pop("stdin", subprocess.DEVNULL), timeout=tap.PATIENCE,
                          check=False, **options)


def check(pair, change):
    """`postern check` of the pair's configuration after change(text)."""
    path = pair.work / "changed.conf"
    path.write_text(change(pair.config_text()))
    path.chmod(0o600)
    return run("check", "-c", str(path))


@test
def check_codes():
    """check: 0 for a good file, 78 and file:line for each mistake"""
    mistakes = {
        "unknown key": lambda t: t + "\nno-such-key = 1\n",
        "unknown section": lambda t: t + "\nlistenr 'x' { }\n",
        "wrong type": lambda t: t.replace("grace = 5s", "grace = soon"),
        "missing tenant": lambda t: t.replace("tenant = 'example'", "tenant = 'elsewhere'"),
        "two listeners on one address": lambda t: t + "\n" + re.search(
            r'listener "pop" \{.*?\n\}', t, re.S).group().replace('"pop"', '"again"'),
        "two logins of one name": lambda t: t + "\n" + re.search(
            r'login "alice" \{.*?\n\}', t, re.S).group(),
        "a key twice": lambda t: t.replace("tls = none", "tls = none\n    tls = none"),
        "plaintext on a public address": lambda t: re.sub(r"127\.0\.0\.1:\d+'", "192.0.2.1:110'",
                                                          t),
        "unclosed section": lambda t: t.rstrip().rstrip("}"),
        "no certificate for TLS": lambda t: t.replace("tls = none", "tls = implicit"),
        "a listener inside a login": lambda t: t.rstrip().rstrip("}") + "\nlistener 'l' { }\n",
        "not a password hash": lambda t: re.sub(r"password = '.*'", "password = 'plain'", t),
    }
    with Pair(serve=False) as pair:
        good = check(pair, lambda text: text)
        assert good.returncode == EX_OK, good.stderr
        for name, change in mistakes.items():
            answer = check(pair, change)
            assert answer.returncode == EX_CONFIG, f"{name}: {answer.returncode} {answer.stderr}"
            assert re.search(r"changed\.conf:\d+: ", answer.stderr + answer.stdout), (
                f"{name}: {answer.stderr}")


def shown_in_the_readme():
    """The configurations that README.md shows: each block with what it leaves out."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    blocks = [text for text in re.findall(r"^ *```\w*\n(.*?)^ *```$", readme, re.S | re.M)
              if re.search(r"^ *(tenant|listener) \"", text, re.M)]
    networks = re.search(r"in the login `(networks = [^`]*)`", readme).group(1)
    whole = next(text for text in blocks if "tenant" in text and "listener" in text)
    door = 'listener "door" { protocol = imap  address = "127.0.0.1:0" }\n'
    login = 'login "x" { mailbox = "a@b"  tenant = "contoso"\n    password = \'\'\n}\n'
    for text in blocks:
        if text == whole:
            yield text
        elif "tenant \"" not in text:
            yield whole.replace("password ", networks + "\npassword ", 1) + text
        else:
            yield text + door + (login if "login \"" not in text else "")


@test
def check_of_the_readme():
    """check: the configurations that README.md shows, with what it says of other machines"""
    shown = list(shown_in_the_readme())
    assert len(shown) >= 7, shown
    with Pair(serve=False) as pair:
        certificate, key = make_certificate(pair.work, stem="readme", rsa=True)
        token = pair.work / "token"
        token.write_text("token\n")
        for text in shown:
            text = re.sub(r'"/etc/postern/[\w-]+\.pem"', f'"{certificate}"', text)
            text = re.sub(r'"/etc/postern/[\w-]+\.key"', f'"{key}"', text)
            text = text.replace("/var/run/secrets/azure/tokens/azure-identity-token", str(token))
            text = re.sub(r"password *= .*", lambda _: f"password = '{PASSWORD_YESCRYPT}'", text)
            answer = check(pair, lambda _: text)
            faults = [line for line in answer.stderr.splitlines() if "warning: " not in line]
            assert answer.returncode == EX_OK and not faults, (text, answer)


@test
def check_certificates():
    """check: certificates and keys of listeners and tenants that serve would refuse"""
    with Pair(serve=False) as pair:
        certificate, key = make_certificate(pair.work, stem="one", rsa=True)
        other = make_certificate(pair.work, stem="other", rsa=True)[1]

        def listening_with(a, b):
            return lambda t: t.replace("tls = none", "tls = starttls") + (
                f"tls {{ certificate = '{a}' private-key = '{b}' }}\n")

        def signing_with(a, b):
            return lambda t: re.sub("client-secret = '.*'",
                                    f"certificate = '{a}' private-key = '{b}'", t)

        for change in (listening_with, signing_with):
            good = check(pair, change(certificate, key))
            assert good.returncode == EX_OK, good.stderr
            for a, b in ((certificate, other), (key, key), (certificate, certificate)):
                answer = check(pair, change(a, b))
                assert answer.returncode == EX_CONFIG, (a, b, answer)
                assert re.search(r"changed\.conf(:\d+)?: (listener|tenant) \"\w+\": ",
                                 answer.stderr), answer.stderr


@test
def check_warnings():
    """check: doors through which nobody comes are warned of"""
    warnings = {
        "open to other machines": lambda t: t.replace("tls = none", "allow-plaintext = yes").replace(
            "'127.0.0.1:", "'0.0.0.0:", 1),
        "no listener for the protocols": lambda t: t.replace(
            "tenant = 'example'", "tenant = 'example'\n    protocols = { imap }", 1),
        "clients expect imap with tls = implicit": lambda t: re.sub(
            r"address = '127\.0\.0\.1:\d+'", "address = '127.0.0.1:993'", t, count=1),
    }
    with Pair(serve=False) as pair:
        assert not check(pair, lambda text: text).stderr
        for warning, change in warnings.items():
            answer = check(pair, change)
            assert answer.returncode == EX_OK and warning in answer.stderr, (warning, answer)


@test
def command_line():
    """Exit codes of a wrong command line, a missing file, version"""
    assert run("version").returncode == EX_OK
    assert run("no-such-command").returncode == EX_USAGE
    assert run("serve", "--no-such-option").returncode == EX_USAGE
    assert run("check", "-c", "/nonexistent/postern.conf").returncode in (EX_NOINPUT, EX_CONFIG)


@test
def bad_config_at_start():
    """serve with a faulty configuration ends with 78 and names the line"""
    with Pair(serve=False) as pair:
        path = pair.work / "bad.conf"
        path.write_text(pair.config_text() + "\nnonsense = 1\n")
        path.chmod(0o600)
        answer = run("serve", "-c", str(path))
        assert answer.returncode == EX_CONFIG and re.search(r"bad\.conf:\d+", answer.stderr), answer


@test
def passwd():
    """postern passwd prints a password line that serves"""
    with Pair() as pair:
        answer = subprocess.run([program("postern"), "passwd", "alice"], input="a new one\n",
                                capture_output=True, text=True, timeout=tap.PATIENCE, check=True)
        made = re.search(r"\$\S+\$[./A-Za-z0-9]+", answer.stdout).group()
        assert "a new one" not in answer.stdout + answer.stderr
        pair.logins["alice"]["password"] = f"'{made}'"
        pair.reload()
        with pair.pop3() as client:
            client.login(password="a new one")
            client.quit()


@test
def reload_logins():
    """SIGHUP: a new login works, a changed password too, open sessions stay"""
    with Pair() as pair, pair.pop3() as open_session:
        pair.deliver(MESSAGE)
        open_session.login()
        with pair.pop3() as client:
            client.ok("USER bob")
            client.err(f"PASS {PASSWORD}")
        pair.logins["bob"] = {}
        pair.logins["alice"]["password"] = f"'{OTHER_HASH}'"
        pair.reload()
        with pair.pop3() as client:
            client.login("bob")
            client.quit()
        with pair.pop3() as client:
            client.ok("USER alice")
            assert client.err(f"PASS {PASSWORD}").startswith("-ERR [AUTH]")
        with pair.pop3() as client:
            client.login(password=OTHER_PASSWORD)
            client.quit()
        open_session.ok("NOOP")
        open_session.quit()


@test
def reload_removed_login():
    """SIGHUP: a login that was taken out is refused, though its password is remembered"""
    with Pair(logins={"alice": {}, "bob": {}}) as pair:
        with pair.pop3() as client:
            client.login("bob")
            client.quit()
        del pair.logins["bob"]
        pair.reload()
        with pair.pop3() as client:
            client.ok("USER bob")
            assert client.err(f"PASS {PASSWORD}").startswith("-ERR [AUTH]")


@test
def reload_certificate():
    """SIGHUP: a renewed certificate is served"""
    with Pair(tls=True, listeners={"pop": {"tls": "implicit"}}) as pair:
        old = trusting(pair.certificate)
        with pair.pop3(tls=old) as client:
            client.login()
            client.quit()
        pair.certificate, pair.key = make_certificate(pair.work)
        pair.reload()
        with pair.pop3(tls=trusting(pair.certificate)) as client:
            client.login()
            client.quit()


@test
def reload_faulty():
    """SIGHUP with a faulty file: the log tells the line, the old configuration stays"""
    with Pair() as pair:
        pair.postern.write(pair.config_text() + "\nnonsense = 1\n")
        pair.postern.process.signal(signal.SIGHUP)
        pair.log_has(r"postern\.conf:\d+")
        with pair.pop3() as client:
            client.login()
            client.quit()


@test
def reload_listeners():
    """SIGHUP: a listener that was added opens, one that was taken out closes"""
    with Pair(listeners={"pop": {"tls": "none"}, "two": {"tls": "none"}}) as pair:
        gone = pair.ports.pop("two")
        del pair.listeners["two"]
        pair.reload()
        wait_for("the second listener closes", lambda: not listening(gone))
        pair.listeners["two"] = {"tls": "none"}
        pair.ports["two"] = gone
        pair.reload()
        wait_for("the second listener opens", lambda: listening(gone))


@test
def grace():
    """SIGTERM: what is being answered is finished, idle sessions end at once"""
    with Pair(limits={"grace": "20s"}) as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        with pair.pop3() as busy, pair.pop3() as idle:
            busy.login()
            idle.login()
            pair.sandbox.settings(latency_ms=700)
            busy.send(b"RETR 1\r\n")
            wait_for("the request", lambda: pair.sandbox.requests(r"/\$value"))
            begin = time.monotonic()
            pair.postern.process.signal(signal.SIGTERM)
            assert busy.line().startswith("+OK")
            assert busy.body() == on_the_wire(MESSAGE)
            assert pair.postern.process.wait() == 0
            assert time.monotonic() - begin < 15


@test
def grace_ends():
    """SIGTERM: an answer that takes longer than the grace time is given up"""
    with Pair(limits={"grace": "1s"}) as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        pair.sandbox.fault(r"/\$value", stall_ms=600_000)
        with pair.pop3() as client:
            client.login()
            client.send(b"RETR 1\r\n")
            wait_for("the request", lambda: pair.sandbox.requests(r"/\$value"))
            pair.stop()


@test
def too_many_connections():
    """Limits on connections: in all, per address, per login"""
    for limit in ("max-connections", "max-connections-per-address"):
        with Pair(limits={limit: "3"}) as pair:
            # The harness looked in to see whether the service is up; that place must be free again.
            held = [wait_for("a place is free", lambda: greeted(pair)) for _ in range(3)]
            with pair.pop3(greet=False) as refused:
                assert refused.line().startswith("-ERR")
                refused.expect_close()
            held.pop().quit()
            held.append(wait_for("a place is free", lambda: greeted(pair)))
            for client in held:
                client.quit()
    with Pair(limits={"max-connections-per-login": "2"}) as pair:
        held = [pair.pop3().login() for _ in range(2)]
        with pair.pop3() as refused:
            refused.ok("USER alice")
            assert re.match(r"-ERR \[(IN-USE|SYS/TEMP)\]", refused.command(f"PASS {PASSWORD}"))
        held.pop().quit()
        wait_for("a place is free", lambda: logged_in(pair))
        held.pop().quit()


def greeted(pair):
    """A connection that was let in, or None."""
    client = pair.pop3(greet=False)
    if client.line().startswith("+OK"):
        return client
    client.close()
    return None


def logged_in(pair):
    with pair.pop3() as client:
        client.ok("USER alice")
        return client.command(f"PASS {PASSWORD}").startswith("+OK")


@test
def alike():
    """Wrong password and unknown login: the same words, about the same time"""
    with Pair(logins={"alice": {"password": f"'{PASSWORD_YESCRYPT}'"}}) as pair:
        times = {"alice": [], "nobody": []}
        texts = set()
        for _ in range(4):
            for name, measured in times.items():
                with pair.pop3() as client:
                    client.ok(f"USER {name}")
                    begin = time.monotonic()
                    texts.add(client.err("PASS wrong"))
                    measured.append(time.monotonic() - begin)
        assert len(texts) == 1, texts
        known, unknown = (statistics.median(each) for each in times.values())
        # Not a stop watch: an unknown name that cost no hash would be faster by far more.
        assert unknown > known / 4 and known > unknown / 4, times


@test
def thousand_guesses():
    """1,000 guesses at once: no gigabytes, and others are not delayed"""
    logins = {"alice": {"password": f"'{PASSWORD_YESCRYPT}'"},
              "bob": {"password": f"'{PASSWORD_YESCRYPT}'"}}
    with Pair(logins=logins) as pair:
        pair.deliver(MESSAGE)
        with pair.pop3() as other:
            other.login("bob")
            guessers = [pair.pop3() for _ in range(1000)]
            for number, client in enumerate(guessers):
                client.send(b"USER alice\r\nPASS guess-%d\r\n" % number)
            begin = time.monotonic()
            assert other.retr(1) == on_the_wire(MESSAGE)
            # One who logged in lately is known without a hash.
            with pair.pop3() as again:
                again.login("bob")
                again.quit()
            waited = time.monotonic() - begin
            resident = resident_bytes(pair.postern.process.pid)
            for client in guessers:
                client.close()
            other.quit()
        assert waited < tap.PATIENCE / 4, f"others waited {waited:.1f} s"
        if not sanitized():
            assert resident < 1 << 30, f"{resident >> 20} MB"
        pair.log_has("(?i)guess|wrong|refused|failed")


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) * 1024


@test
def json_log():
    """log { format = json }: each line is an object with its session, login and mailbox"""
    with Pair() as pair:
        pair.stop()
        text = pair.config_text().replace("format = text", "format = json")
        pair.postern.write(text)
        size = len(pair.postern.log())
        pair.start()
        pair.deliver(MESSAGE)
        with pair.pop3() as client:
            client.login()
            client.retr(1)
            client.quit()
        pair.stop()
        lines = [json.loads(line) for line in pair.postern.log()[size:].splitlines() if line]
        assert lines
        assert any(line.get("login") == "alice" for line in lines), lines[:5]
        assert any(line.get("mailbox") == "alice@example.com" for line in lines), lines[:5]


@test
def state_is_private():
    """The state directory is 0700, its files 0600"""
    with Pair() as pair:
        pair.deliver(MESSAGE)
        with pair.pop3() as client:
            client.login()
            client.retr(1)
            client.quit()
        for path in [pair.work / "state", *(pair.work / "state").rglob("*")]:
            mode = path.stat().st_mode & 0o777
            assert mode & 0o077 == 0, f"{path.name}: {mode:o}"


@test
def port_in_use():
    """A port that is taken: a clear error, not 0, and nothing left running"""
    with Pair() as pair:
        other = pair.work / "other.conf"
        other.write_text(pair.config_text().replace("/state'", "/other-state'"))
        other.chmod(0o600)
        answer = run("serve", "-c", str(other))
        assert answer.returncode not in (0, -signal.SIGSEGV, -signal.SIGABRT)
        assert str(pair.port) in answer.stderr, answer.stderr


@test
def second_serve():
    """A second serve on the same state directory: refused, with the process that holds it"""
    with Pair() as pair:
        other = pair.work / "other.conf"
        other.write_text(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:0", pair.config_text()))
        other.chmod(0o600)
        answer = run("serve", "-c", str(other))
        assert answer.returncode == 69, answer
        assert f"locked by process {pair.postern.process.pid}" in answer.stderr, answer.stderr
        with pair.pop3() as client:
            client.login().quit()
        pair.postern.process.kill()
        pair.start()  # nobody holds it any more


@test
def churn():
    """2,000 connections come and go from many threads, some badly"""
    with Pair() as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        wrong = []

        def visit(number):
            for turn in range(100):
                try:
                    client = pair.pop3()
                    if turn % 4 == 0:
                        client.reset()
                    elif turn % 4 == 1:
                        client.send(b"USER alice\r\nPASS " + PASSWORD.encode() + b"\r\nRETR 1")
                        client.reset()
                    elif turn % 4 == 2:
                        client.login()
                        client.reset()
                    else:
                        client.login()
                        assert client.retr(1) == on_the_wire(MESSAGE)
                        client.quit()
                except (AssertionError, Closed, OSError) as failure:
                    wrong.append((number, turn, failure))

        threads = [threading.Thread(target=visit, args=(n,)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong, wrong[:3]


tap.main()
