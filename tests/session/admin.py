#!/usr/bin/env python3
"""The admin endpoint over the wire: what it shows, whom it answers, and that mail service does not
feel it."""

import contextlib
import http.client
import re
import socket
import subprocess

import tap
from delegated import MAILBOX, Whole, delegated, fetches, opens, sign_in
from harness import Postern, free_port, program, sanitizer_environment
from tap import PATIENCE, test, wait_for

EX_CONFIG, EX_UNAVAILABLE = 78, 69
HOSTILE = "<script>alert(1)</script>&'@example.com"


def at(port):
    return f"admin {{ address = '127.0.0.1:{port}' }}"


def ask(port, path="/", method="GET", host=None):
    """Status, headers and text."""
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(wire):
        wire.request(method, path, headers={"Host": host} if host else {})
        answer = wire.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def healthy(port):
    return ask(port, "/health")[0] == 200


def refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@test
def shows():
    """All is well: page, health and metrics, never cached, no scripts, nothing of a secret"""
    port = free_port()
    with Whole(top=at(port)) as pair:
        fetches(pair)
        status, headers, page = ask(port)
        assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8", headers
        assert headers["Cache-Control"] == "no-store" and "Set-Cookie" not in headers, headers
        assert headers["Content-Security-Policy"].startswith(
            "default-src 'none'; style-src 'unsafe-inline'"), headers
        assert headers["X-Content-Type-Options"] == "nosniff", headers
        assert "<td>example</td><td>the application</td><td>good</td>" in page, page
        assert f"<td>127.0.0.1:{pair.port}</td>" in page, page
        status, headers, text = ask(port, "/health")
        assert (status, text) == (200, "ok\n"), text
        status, headers, metrics = ask(port, "/metrics")
        assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
        values = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if line[0] != "#")
        assert int(values["postern_graph_requests_total"]) > 0, metrics
        assert int(values["postern_token_requests_total"]) > 0, metrics
        assert values['postern_identities{state="good"}'] == "1", metrics
        for name in values:
            assert f"# TYPE {re.match('[a-z_]+', name).group()} " in metrics, name
        for path in ("/", "/health", "/metrics"):
            status, headers, text = ask(port, path, "HEAD")
            assert status == 200 and text == "" and int(headers["Content-Length"]) > 0, path
        assert pair.sandbox.client_secret not in page + metrics


@test
def needs_login():
    """Who must sign in is told with the command, and no more once that is done"""
    port = free_port()
    with delegated(top=at(port)) as pair:
        assert not opens(pair)
        wait_for("health tells", lambda: not healthy(port))
        status, _, text = ask(port, "/health")
        assert status == 503 and text.startswith("needs-login: tenant example, " + MAILBOX), text
        page = ask(port)[2]
        assert "<td>needs login</td>" in page, page
        assert f"<code>postern login {MAILBOX}</code>" in page, page
        assert 'postern_identities{state="needs-login"} 1' in ask(port, "/metrics")[2]
        sign_in(pair)
        fetches(pair)
        assert healthy(port)
        page = ask(port)[2]
        assert "<td>good</td>" in page and "<code>" not in page, page


@test
def hostile_names():
    """A name that is HTML is text on the page"""
    port = free_port()
    with delegated(top=at(port), logins={"alice": {"account": f'"{HOSTILE}"'}}) as pair:
        assert not opens(pair)
        wait_for("health tells", lambda: not healthy(port))
        page = ask(port)[2]
        assert "&lt;script&gt;" in page and "<script" not in page, page
        assert "<code>postern login &#39;&lt;script&gt;" in page, page


@test
def refusals():
    """Other hosts, methods and paths are refused, and junk harms nobody"""
    port = free_port()
    with Whole(top=at(port)) as pair:
        for host in ("localhost", f"LOCALHOST:{port}", "[::1]:80", "127.0.0.1"):
            assert ask(port, "/metrics", host=host)[0] == 200, host
        for host in ("evil.example", f"evil.example:{port}", "localhost.evil.example", "10.0.0.1"):
            for path in ("/", "/health", "/metrics", "/x"):
                status, _, text = ask(port, path, host=host)
                assert status == 403 and "postern_" not in text, (host, path)
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "NONSENSE"):
            status, headers, _ = ask(port, method=method)
            assert status == 405 and headers["Allow"] == "GET, HEAD", method
        for path in ("/x", "/health/", "//", "/../", "/%68ealthy", "/" + "x" * 4000):
            status, _, text = ask(port, path)
            assert status == 404 and "xxx" not in text, path
        for junk in (b"\0" * 512, b"\r\n" * 64 + b"x", b"GET / HTTP/9.9\r\n\r\n",
                     b"GET / HTTP/1.1\r\n\r\n", b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nx",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 9000 + b"\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as wire:
                with contextlib.suppress(OSError):  # it hung up first
                    wire.sendall(junk)
                    wire.shutdown(socket.SHUT_WR)
                    answer = wire.recv(65536)
                    assert b" 200 " not in answer, (junk[:40], answer)
        assert healthy(port)
        fetches(pair)


@test
def many():
    """200 connections that say nothing: clients get their mail, and stopping waits for none"""
    port = free_port()
    with Whole(top=at(port)) as pair, contextlib.ExitStack() as held:
        for _ in range(200):
            wire = held.enter_context(socket.socket())
            wire.setblocking(False)
            wire.connect_ex(("127.0.0.1", port))
        for _ in range(3):
            fetches(pair)
        pair.stop()


@test
def addresses():
    """Another machine's way in is a fault, a taken port ends the start, SIGHUP moves it"""
    first, second = free_port(), free_port()
    with Whole(top=at(first)) as pair:
        assert healthy(first)
        pair.top = at(second)
        pair.reload()
        wait_for("the old one is closed", lambda: refuses(first))
        assert healthy(second)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            pair.top = at(taken.getsockname()[1])
            pair.reload()
            pair.log_has(r"cannot listen on 127\.0\.0\.1:\d+, the address of the admin endpoint")
            assert healthy(second)
            pair.top = ""
            pair.reload()
            wait_for("it is closed", lambda: refuses(second))
            pair.top = at(taken.getsockname()[1])
            pair.postern.write(pair.config_text())
            pair.stop()
            postern = Postern(pair.work, pair.config_text())
            done = subprocess.run([program("postern"), "serve", "-c", postern.config],
                                  capture_output=True, text=True, timeout=PATIENCE, check=False,
                                  stdin=subprocess.DEVNULL, env=sanitizer_environment())
            assert done.returncode == EX_UNAVAILABLE, done
            assert "address of the admin endpoint" in done.stderr, done.stderr
        pair.top = "admin { address = '0.0.0.0:8143' }"
        pair.postern.write(pair.config_text())
        done = subprocess.run([program("postern"), "check", "-c", pair.postern.config],
                              capture_output=True, text=True, timeout=PATIENCE, check=False,
                              stdin=subprocess.DEVNULL, env=sanitizer_environment())
        assert done.returncode == EX_CONFIG and "loopback" in done.stderr, done


tap.main(at_once=3)
