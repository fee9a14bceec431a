#!/usr/bin/env python3
"""Graph misbehaves: each time a clear answer, a log line, and not one wrong byte as mail."""

import signal
import sqlite3
import subprocess
import time

import tap
from harness import (MAILBOX, Pair, Process, free_port, mail, on_the_wire, program, sanitized)
from tap import PATIENCE, Skip, test, wait_for

MESSAGE = mail("alternative")
DELTA = r"/messages/delta"
VALUE = r"/\$value"
HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"


def graph_error(code, message="Something is wrong."):
    return '{"error":{"code":"%s","message":"%s"}}' % (code, message)


# What Graph answers to every request of a kind for as long as it lasts, and what the log must say.
FAULTS = {
    "401": ({"status": 401, "body": graph_error("InvalidAuthenticationToken")}, "401"),
    "403": ({"status": 403, "body": graph_error("ErrorAccessDenied")}, "403|permission|access"),
    "429 without Retry-After": ({"status": 429, "body": graph_error("ApplicationThrottled")},
                                "429|throttl"),
    "500": ({"status": 500, "body": graph_error("InternalServerError")}, "500"),
    "502 with HTML": ({"status": 502, "body": HTML, "content_type": "text/html"}, "502"),
    "503": ({"status": 503, "body": graph_error("ServiceUnavailable")}, "503"),
    "504": ({"status": 504, "body": graph_error("GatewayTimeout")}, "504"),
    "200 with HTML": ({"status": 200, "body": HTML, "content_type": "text/html"}, ""),
    "a body cut short": ({"truncate": 40}, ""),
    "a reset": ({"reset": True}, ""),
    "silence": ({"stall_ms": 600_000}, ""),
    "a redirect to another host": ({"redirect": "https://192.0.2.1/evil", "status": 302}, ""),
}
# Only in answers that are JSON.
JSON_FAULTS = {
    "200 with truncated JSON": ({"status": 200, "body": '{"value":[{"id":"AAA","isRea',
                                 "content_type": "application/json"}, ""),
    "200 with JSON of another shape": ({"status": 200, "body": '[1,2,{"value":"x"}]',
                                        "content_type": "application/json"}, ""),
    "200 with an error inside": ({"status": 200, "body": graph_error("ErrorInternalServerError"),
                                  "content_type": "application/json"}, ""),
    "a deltaLink to another host": ({"status": 200, "content_type": "application/json",
                                     "body": '{"value":[],"@odata.deltaLink":'
                                             '"https://192.0.2.1/v1.0/evil"}'}, "192.0.2.1"),
    "404 for the mailbox": ({"status": 404, "body": graph_error("MailboxNotEnabledForRESTAPI")},
                            "404|mailbox"),
}


def short_timeouts():
    """Limits under which a test of silence takes seconds, and the first handshakes of a slow build
    are no silence."""
    if sanitized():
        return {"request-timeout": "5s", "first-sync-wait": "15s"}
    return {"request-timeout": "1s", "first-sync-wait": "5s"}


def fails_at_login(rule, in_log):
    """PASS is refused as long as it lasts, and works afterwards on the same connection."""
    with Pair(limits=short_timeouts()) as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        pair.sandbox.fault(DELTA, **rule)
        with pair.pop3() as client:
            client.ok("USER alice")
            answer = client.err("PASS correct horse battery")
            assert answer.startswith("-ERR [SYS/"), answer
            check_log(pair, in_log)
            pair.sandbox.no_faults()
            back_to_work(pair, client)


def fails_at_retr(rule, in_log):
    """RETR is refused as long as it lasts, and the session lives on."""
    with Pair(limits=short_timeouts()) as pair:
        if "stall_ms" in rule:
            # A request that Postern gave up hangs on in the sandbox, which goes on counting it.
            pair.may_violate = "mailbox-concurrency"
        pair.deliver(MESSAGE, mail("dots"))
        pair.settled()
        with pair.pop3() as client:
            client.login()
            pair.sandbox.fault(VALUE, **rule)
            answer = client.err("RETR 1")
            assert answer.startswith("-ERR [SYS/"), answer
            client.ok("NOOP")
            assert client.err("TOP 2 0").startswith("-ERR [SYS/")
            check_log(pair, in_log)
            pair.sandbox.no_faults()
            wait_for("RETR works again", lambda: retr_or_none(client, 1) == on_the_wire(MESSAGE))
            assert client.retr(2) == on_the_wire(mail("dots"))
            client.quit()


def retr_or_none(client, number):
    """The message, or None where Postern still waits as it was told to."""
    return client.body() if client.command(f"RETR {number}").startswith("+OK") else None


def check_log(pair, in_log):
    warnings = [line for line in pair.postern.log().splitlines()
                if any(level in line.lower() for level in ("warning", "error"))]
    assert warnings, "nothing in the log"
    if in_log:
        pair.log_has(f"(?i){in_log}")


def back_to_work(pair, client):
    """The login works again at the latest when the backoff has ended."""
    def again():
        client.ok("USER alice")
        return client.command("PASS correct horse battery").startswith("+OK")
    wait_for("PASS works again", again)
    assert client.retr(1) == on_the_wire(MESSAGE)
    client.quit()


for title, (rule, in_log) in {**FAULTS, **JSON_FAULTS}.items():
    tap.add(f"{title}, at login",
            lambda rule=rule, in_log=in_log: fails_at_login(rule, in_log))
for title, (rule, in_log) in FAULTS.items():
    tap.add(f"{title}, at RETR",
            lambda rule=rule, in_log=in_log: fails_at_retr(rule, in_log))


@test
def evil_links():
    """A nextLink to another host, or without TLS, is not followed, and the log tells"""
    for link in ("https://192.0.2.1/v1.0/evil", "http://127.0.0.1:9/v1.0/evil"):
        with Pair(serve=False, limits=short_timeouts()) as pair:
            pair.sandbox.settings(page_cap=2)
            pair.deliver(*[b"Subject: %d\n\nx\n" % i for i in range(9)])
            pair.sandbox.fault("/messages", next_link=link)
            pair.start()
            with pair.pop3() as client:
                client.ok("USER alice")
                assert client.err("PASS correct horse battery").startswith("-ERR [SYS/")
                check_log(pair, "link")
                pair.sandbox.no_faults()
                wait_for("PASS works again", lambda: client.command("USER alice") and client.command(
                    "PASS correct horse battery") == "+OK 9 messages")
                client.quit()


def heals(path, **rule):
    """A fault that passes by itself costs the client nothing but time."""
    with Pair() as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        pair.sandbox.fault(path, **rule)
        with pair.pop3() as client:
            client.login()
            assert client.retr(1) == on_the_wire(MESSAGE)
            client.quit()
        return pair.sandbox.requests(path)


@test
def one_401():
    """One 401 renews the token once, and the client does not notice"""
    heals(DELTA, status=401, count=1)
    heals(VALUE, status=401, count=1)


@test
def expired_tokens():
    """Tokens that Graph no longer takes are renewed"""
    with Pair() as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        pair.sandbox.control("POST", "/expire-tokens", {})
        with pair.pop3() as client:
            client.login()
            assert client.retr(1) == on_the_wire(MESSAGE)
            client.quit()


@test
def retry_after():
    """429 with Retry-After is obeyed: whole seconds, fractions, none"""
    for told, seconds in (("1", 1.0), ("0.7", 0.7), (None, 0.0)):
        rule = {"retry_after": told} if told else {}
        requests = heals(VALUE, status=429, count=1, **rule)
        assert len(requests) == 2, requests
        waited = (requests[1]["start_ms"] - requests[0]["end_ms"]) / 1000
        assert waited >= seconds, f"told to wait {told}, waited {waited}"


@test
def passing_faults():
    """One 500, 502, 503, 504, reset or cut answer is repeated"""
    for rule in ({"status": 500}, {"status": 502, "body": HTML, "content_type": "text/html"},
                 {"status": 503}, {"status": 504}, {"reset": True}, {"truncate": 30}):
        heals(VALUE, count=1, **rule)
        heals(DELTA, count=1, **rule)


@test
def expired_delta():
    """410 for the delta link: a full resync, the same UIDLs"""
    with Pair() as pair:
        pair.deliver(*[b"Subject: %d\n\nx\n" % i for i in range(30)])
        with pair.pop3() as client:
            before = client.login().uidl()
            client.quit()
        pair.sandbox.control("POST", "/expire-delta", {"user": MAILBOX})
        pair.deliver(MESSAGE)
        with pair.pop3() as client:
            after = client.login().uidl()
            assert [after[n] for n in range(1, 31)] == [before[n] for n in range(1, 31)]
            assert client.retr(31) == on_the_wire(MESSAGE)
            client.quit()


@test
def moved_graph():
    """A delta link of another graph-url than now starts the folder over."""
    with Pair() as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        pair.stop()
        changed = 0
        for path in (pair.work / "state").rglob("*"):
            if path.name != "clients.db" and path.is_file() and (
                    path.open("rb").read(15) == b"SQLite format 3"):
                with sqlite3.connect(path) as database:
                    changed += database.execute(
                        "UPDATE folder SET delta_link = 'https://192.0.2.1/v1.0/delta'").rowcount
        assert changed
        pair.start()
        with pair.pop3() as client:
            client.login()
            assert client.retr(1) == on_the_wire(MESSAGE)
            client.quit()


@test
def gone_at_retr():
    """A message that was deleted meanwhile: an error, and the session lives on"""
    with Pair() as pair:
        ids = pair.deliver(MESSAGE, mail("dots"))
        with pair.pop3() as client:
            client.login()
            pair.sandbox.control("POST", "/delete", {"user": MAILBOX, "id": ids[0]})
            client.err("RETR 1")
            assert client.retr(2) == on_the_wire(mail("dots"))
            client.quit()


@test
def empty_pages():
    """Empty pages, short pages and repeats lose no mail"""
    with Pair(serve=False) as pair:
        pair.sandbox.settings(page_cap=7, empty_pages=True, repeats=True)
        pair.deliver(*[b"Subject: %d\n\nx\n" % i for i in range(50)])
        pair.start()
        with pair.pop3() as client:
            client.login()
            assert client.stat()[0] == 50
            assert len(set(client.uidl().values())) == 50
            client.quit()


@test
def wrong_secret():
    """A client secret that Entra ID refuses: the log says what the administrator should do"""
    with Pair(tenant={"client-secret": "'wrong-secret'"}) as pair, pair.pop3() as client:
        client.ok("USER alice")
        assert client.err("PASS correct horse battery").startswith("-ERR [SYS/")
        pair.log_has("AADSTS7000215")


@test
def unknown_mailbox():
    """A mailbox that does not exist: the log names it"""
    with Pair(logins={"alice": {"mailbox": "'nobody@example.com'"}}) as pair:
        with pair.pop3() as client:
            client.ok("USER alice")
            assert client.err("PASS correct horse battery").startswith("-ERR [SYS/")
        pair.log_has("nobody@example.com")


@test
def unknown_folder():
    """A folder that does not exist: the log names it"""
    with Pair(logins={"alice": {"folder": "'No Such Folder'"}}) as pair, pair.pop3() as client:
        client.ok("USER alice")
        assert client.err("PASS correct horse battery").startswith("-ERR [SYS/")
        pair.log_has("No Such Folder")


def cannot_connect(in_log, **tenant):
    """Graph cannot be reached or trusted at all."""
    with Pair(tenant=tenant, limits=short_timeouts()) as pair, pair.pop3() as client:
        client.ok("USER alice")
        assert client.err("PASS correct horse battery").startswith("-ERR [SYS/")
        client.ok("CAPA")
        client.body()
        pair.log_has(f"(?i){in_log}")


@test
def no_name():
    """DNS failure"""
    url = "'https://graph.invalid'"
    cannot_connect("resolve|DNS", **{"graph-url": url, "login-url": url})


@test
def no_route():
    """Nobody listens at Graph's port"""
    cannot_connect("connect", **{"graph-url": f"'https://127.0.0.1:{free_port()}'"})


@test
def login_unreachable():
    """Nobody listens at Entra ID's port"""
    cannot_connect("connect", **{"login-url": f"'https://127.0.0.1:{free_port()}'"})


@test
def too_large():
    """A message over max-message-size: an error for that one only"""
    with Pair(limits={"max-message-size": "100K"}) as pair:
        pair.deliver(b"Subject: large\n\n" + b"line\n" * 40_000, MESSAGE)
        with pair.pop3() as client:
            client.login()
            client.err("RETR 1")
            assert client.retr(2) == on_the_wire(MESSAGE)
            client.quit()


@test
def disk_full():
    """The disk is full: right bytes or a clear error, and all is well when there is room again"""
    large = b"Subject: large\n\n" + b"line of text\n" * 400_000
    with Pair(serve=False) as pair:
        state = pair.work / "state"
        state.mkdir(mode=0o700)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", state],
            capture_output=True, check=False)
        if mounted.returncode:
            raise Skip("mounting a small tmpfs is not permitted here")
        try:
            pair.deliver(MESSAGE, large)
            pair.start()
            filler = state / "filler"
            with pair.pop3() as client:
                client.login()
                filler.write_bytes(b"")
                fill(filler)
                answer = client.command("RETR 2")
                if answer.startswith("+OK"):
                    assert client.body() == on_the_wire(large)
                else:
                    assert answer.startswith("-ERR [SYS/"), answer
                    pair.log_has("(?i)no room|no space")
                client.ok("NOOP")
                filler.unlink()
                assert client.retr(1) == on_the_wire(MESSAGE)
                client.quit()
            pair.stop()
        finally:
            pair.postern.process and pair.postern.process.kill()
            subprocess.run(["umount", state], check=True)


def fill(path):
    """Takes what room is left on the file system."""
    with open(path, "ab", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass


@test
def file_size_limit():
    """Writing fails above a size: right bytes or a clear error, small mail still comes"""
    large = b"Subject: large\n\n" + b"line of text\n" * 400_000
    with Pair(serve=False) as pair:
        pair.deliver(MESSAGE, large)
        pair.postern.start(pair.ports.values(), file_size=2 << 20)
        with pair.pop3() as client:
            client.login()
            answer = client.command("RETR 2")
            if answer.startswith("+OK"):
                assert client.body() == on_the_wire(large)
            else:
                assert answer.startswith("-ERR [SYS/"), answer
            assert client.retr(1) == on_the_wire(MESSAGE)
            client.quit()


@test
def two_processes():
    """A second serve on one state directory ends with a clear error; the first goes on"""
    with Pair() as pair:
        pair.deliver(MESSAGE)
        second = pair.work / "second.conf"
        second.write_text(pair.config_text().replace(f":{pair.port}'", f":{free_port()}'"))
        second.chmod(0o600)
        other = Process([program("postern"), "serve", "-c", second], pair.work / "second.log")
        try:
            status = other.wait()
        finally:
            other.kill()
        assert status not in (0, -signal.SIGSEGV, -signal.SIGABRT), status
        assert str(pair.work / "state") in other.log(), other.log()
        with pair.pop3() as client:
            client.login()
            assert client.retr(1) == on_the_wire(MESSAGE)
            client.quit()


@test
def others_untouched():
    """While one mailbox stalls, another login's session does not wait"""
    logins = {"alice": {}, "bob": {"mailbox": "'bob@example.com'"}}
    with Pair(logins=logins, sandbox=("--user", "bob@example.com")) as pair:
        pair.deliver(MESSAGE)
        pair.deliver(mail("dots"), user="bob@example.com")
        pair.settled()
        pair.sandbox.fault(r"alice.*/\$value", stall_ms=3000)
        with pair.pop3() as stalled, pair.pop3() as free:
            stalled.login()
            free.login("bob")
            stalled.send(b"RETR 1\r\n")
            begin = time.monotonic()
            assert free.retr(1) == on_the_wire(mail("dots"))
            assert time.monotonic() - begin < 2.5
            assert stalled.line().startswith("+OK")
            assert stalled.body() == on_the_wire(MESSAGE)


@test
def client_gives_up():
    """A client that gives up during a stall frees its session at once"""
    with Pair(limits={"request-timeout": "60s"}) as pair:
        pair.deliver(MESSAGE)
        pair.settled()
        pair.sandbox.fault(VALUE, stall_ms=600_000)
        client = pair.pop3()
        client.login()
        client.send(b"RETR 1\r\n")
        wait_for("the request", lambda: pair.sandbox.requests(VALUE))
        client.reset()
        begin = time.monotonic()
        pair.stop()
        assert time.monotonic() - begin < PATIENCE / 2


tap.main(at_once=8)
