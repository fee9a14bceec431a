#!/usr/bin/env python3
"""POP3 as clients speak it, well and badly: RFC 1939, 2449, 2595, 3206, 5034."""

import errno
import socket
import ssl
import threading
import time
from pathlib import Path

import conversation
import tap
from connection import Closed
from harness import PASSWORD, Pair, mail, on_the_wire, trusting
from tap import PATIENCE, test

for case in conversation.read(Path(__file__).with_name("pop3.conv")):
    tap.add(case.name, case)


@test
def hundred_thousand_commands():
    """100,000 commands in one pipeline"""
    count = 100_000
    with Pair() as pair, pair.pop3() as client:
        client.login()
        # Sending and reading at once, as a client must whose pipeline is larger than the buffers.
        sender = threading.Thread(target=client.send, args=(b"NOOP\r\n" * count,))
        sender.start()
        for _ in range(count):
            assert client.line().startswith("+OK")
        sender.join()
        client.quit()


@test
def pipelined_retr():
    """200 RETR in one pipeline come back in order"""
    with Pair() as pair:
        messages = [b"Subject: number %d\n\n%s\n" % (i, b"x" * i) for i in range(20)]
        pair.deliver(*messages)
        with pair.pop3() as client:
            client.login()
            order = [i % 20 for i in range(200)]
            client.send(b"".join(b"RETR %d\r\n" % (i + 1) for i in order))
            for i in order:
                assert client.line().startswith("+OK")
                assert client.body() == on_the_wire(messages[i])
            client.quit()


@test
def overlong_lines():
    """An overlong line costs an error and not the session"""
    with Pair() as pair, pair.pop3() as client:
        client.send(b"USER " + b"a" * 5000 + b"\r\n")
        assert client.line().startswith("-ERR")
        client.send(b"x" * 20000 + b"\n")
        assert client.line().startswith("-ERR")
        client.login()
        client.send(b"RETR " + b"1" * 5000 + b"\r\n")
        assert client.line().startswith("-ERR")
        client.ok("NOOP")
        client.quit()


@test
def endless_line():
    """A line that never ends is cut off, and other sessions do not notice"""
    with Pair() as pair, pair.pop3() as other:
        other.login()
        with pair.pop3() as client:
            try:
                for _ in range(1000):
                    client.send(b"y" * (1 << 17))
            except (BrokenPipeError, ConnectionResetError):
                pass
            else:
                raise AssertionError("128 MB without a line end were taken")
        other.ok("NOOP")
        other.quit()


@test
def silent_before_login():
    """A client that says nothing is sent away after login-timeout"""
    with Pair(limits={"login-timeout": "1s"}) as pair, pair.pop3() as client:
        begin = time.monotonic()
        expect_end(client)
        assert time.monotonic() - begin > 0.9


@test
def byte_by_byte_before_login():
    """A byte now and then does not stretch login-timeout"""
    with Pair(limits={"login-timeout": "1s"}) as pair, pair.pop3() as client:
        ended = threading.Event()

        def drip():
            try:
                while not ended.wait(0.2):
                    client.send(b"N")
            except OSError:
                pass

        dripper = threading.Thread(target=drip)
        dripper.start()
        begin = time.monotonic()
        try:
            expect_end(client)
        finally:
            ended.set()
            dripper.join()
        assert time.monotonic() - begin < PATIENCE / 2


@test
def noise_before_login():
    """Commands that are no login do not stretch login-timeout for ever"""
    with Pair(limits={"login-timeout": "2s"}) as pair, pair.pop3() as client:
        end = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < end:
                client.command("NOOP")
                time.sleep(0.1)  # a client's pace
        except (Closed, OSError):
            return
        raise AssertionError("still connected")


@test
def idle_after_login():
    """idle-timeout ends a session, which deletes nothing"""
    with Pair(limits={"idle-timeout": "1s"}) as pair:
        pair.deliver(mail("plain"))
        with pair.pop3() as client:
            client.login()
            client.ok("DELE 1")
            expect_end(client)
        with pair.pop3() as client:
            assert client.login().stat()[0] == 1


@test
def never_reads():
    """A client that never reads blocks nobody but itself"""
    with Pair() as pair:
        pair.deliver(b"Subject: large\n\n" + b"z" * 70 + b"\n" * 1 + b"line of text\n" * 600_000)
        with pair.pop3(receive_buffer=4096) as deaf, pair.pop3() as other:
            deaf.login()
            deaf.send(b"RETR 1\r\n" * 50)
            other.login()
            for _ in range(3):
                assert len(other.retr(1)) > 8_000_000
            other.quit()


@test
def vanishes_in_retr():
    """Clients that vanish in the middle of RETR leave no trace but a log line"""
    with Pair() as pair:
        pair.deliver(b"Subject: large\n\n" + b"line of text\n" * 400_000)
        for _ in range(10):
            client = pair.pop3(receive_buffer=4096)
            client.login()
            client.send(b"RETR 1\r\n")
            client.line()
            client.reset()
        with pair.pop3() as client:
            client.login()
            assert client.retr(1).endswith(b"line of text\r\n")
            client.quit()


@test
def half_closed():
    """`printf … | nc -N`: the client has closed its side and still gets its answers"""
    with Pair() as pair:
        pair.deliver(mail("minimal-one-byte"))
        with pair.pop3() as client:
            client.send(f"USER alice\r\nPASS {PASSWORD}\r\nSTAT\r\nRETR 1\r\nQUIT\r\n".encode())
            client.socket.shutdown(socket.SHUT_WR)
            client.line()
            client.line()
            assert client.line() == "+OK 1 3"
            client.line()
            assert client.body() == b"x\r\n"
            assert client.line().startswith("+OK")
            client.expect_close()


@test
def injected_before_tls():
    """What came before the TLS handshake is thrown away (RFC 2595)"""
    with Pair(tls=True, listeners={"pop": {"tls": "starttls"}}) as pair, pair.pop3() as client:
        client.send(b"STLS\r\nUSER mallory\r\nNOOP\r\n")
        assert client.line().startswith("+OK")
        client.start_tls(trusting(pair.certificate))
        client.login()
        client.quit()


@test
def tls_versions():
    """TLS 1.1 is refused, 1.2 and 1.3 are taken"""
    with Pair(tls=True, listeners={"pop": {"tls": "implicit"}}) as pair:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = trusting(pair.certificate)
            context.minimum_version = context.maximum_version = version
            with pair.pop3(tls=context) as client:
                client.login()
                client.quit()
        context = trusting(pair.certificate)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        try:
            pair.pop3(tls=context)
        except (ssl.SSLError, ConnectionResetError):
            return
        raise AssertionError("TLS 1.1 was accepted")


@test
def plaintext_on_tls_port():
    """Plaintext on a TLS port, and garbage for a handshake, end that connection only"""
    with Pair(tls=True, listeners={"pop": {"tls": "implicit"}}) as pair:
        for noise in (b"USER alice\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 100, b"\x80" * 3000):
            with pair.pop3(greet=False) as client:
                try:
                    client.send(noise)
                    client.socket.shutdown(socket.SHUT_WR)
                    while client.socket.recv(1000):
                        pass
                except OSError as error:  # it may be gone already
                    assert error.errno in (errno.ECONNRESET, errno.ENOTCONN, errno.EPIPE), error
        with pair.pop3(tls=trusting(pair.certificate)) as client:
            client.login()
            client.quit()


@test
def silent_handshake():
    """A client that never shakes hands holds up nobody"""
    with Pair(tls=True, listeners={"pop": {"tls": "implicit"}},
              limits={"login-timeout": "1s"}) as pair:
        silent = [pair.pop3(greet=False) for _ in range(20)]
        with pair.pop3(tls=trusting(pair.certificate)) as client:
            client.login()
            client.quit()
        for client in silent:
            expect_end(client)


@test
def fixed_for_the_session():
    """Numbers stay as they are when mail comes and goes meanwhile"""
    with Pair() as pair:
        ids = pair.deliver(mail("plain"), mail("dots"))
        with pair.pop3() as client:
            client.login()
            before = client.uidl()
            pair.deliver(mail("html-only"))
            pair.sandbox.control("POST", "/delete", {"user": "alice@example.com", "id": ids[0]})
            assert client.uidl() == before and client.stat()[0] == 2
            assert client.retr(2) == on_the_wire(mail("dots"))
            client.quit()
        with pair.pop3() as client:
            client.login()
            after = client.uidl()
            assert len(after) == 2 and after[1] == before[2]
            client.quit()


@test
def many_sessions():
    """Several sessions on one mailbox at once"""
    with Pair() as pair:
        messages = [b"Subject: %d\n\n%s" % (i, b"text\n" * i) for i in range(30)]
        pair.deliver(*messages)
        failures = []

        def one():
            try:
                with pair.pop3() as client:
                    client.login()
                    for number, message in enumerate(messages, 1):
                        assert client.retr(number) == on_the_wire(message)
                    client.quit()
            except Exception as failure:  # shown by the main thread
                failures.append(failure)

        threads = [threading.Thread(target=one) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures, failures
        downloads = pair.sandbox.requests(r"/\$value")
        assert len(downloads) == len(messages), f"{len(downloads)} downloads of 30 messages"


def expect_end(client):
    """The server may say -ERR first, then it closes."""
    try:
        rest = b""
        while piece := client.socket.recv(1000):
            rest += piece
    except ConnectionResetError:
        return
    assert not rest or rest.startswith(b"-ERR"), rest


tap.main()
