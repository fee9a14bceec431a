#!/usr/bin/env python3
"""HTTP/2: nghttpx stands between Postern and the sandbox, which speaks HTTP/1.1."""

import subprocess
from urllib.parse import urlsplit

import tap
from harness import (Pair, Process, corpus, free_port, listening, make_certificate,
                     most_in_flight, need, on_the_wire)
from tap import test, wait_for


class Http2Pair(Pair):
    """A Pair whose postern talks to nghttpx, and nghttpx to the sandbox."""

    def __init__(self, **options):
        self.nghttpx = need("nghttpx")
        self.proxy = None
        super().__init__(serve=False, **options)

    def __enter__(self):
        super().__enter__()
        try:
            self.start_proxy()
            self.postern.write(self.config_text())
            self.start()
        except BaseException:
            self.clean_up()
            raise
        return self

    def start_proxy(self):
        certificate, key = make_certificate(self.work, stem="nghttpx")
        backend = urlsplit(self.sandbox.graph_url)
        port = free_port()
        self.proxy = Process(
            [self.nghttpx, f"--frontend=127.0.0.1,{port}",
             f"--backend={backend.hostname},{backend.port};;proto=http/1.1;tls;sni=localhost",
             f"--cacert={self.sandbox.ca_file}", "--backend-connections-per-host=32",
             "--workers=1", "--no-ocsp", "--accesslog-file=/dev/null", "--conf=/dev/null",
             str(key), str(certificate)], self.work / "nghttpx.log")
        wait_for("nghttpx listens", lambda: listening(port) or not self.proxy.running())
        assert self.proxy.running(), self.proxy.log()
        anchors = self.work / "anchors.pem"
        with open(self.sandbox.ca_file, encoding="ascii") as file:
            anchors.write_text(file.read() + certificate.read_text())
        url = f"'https://127.0.0.1:{port}'"
        self.tenant = {"graph-url": url, "login-url": url, "ca-file": f"'{anchors}'"}

    def clean_up(self):
        if self.proxy:
            self.proxy.kill()
        super().clean_up()


@test
def version():
    """It is HTTP/2 indeed"""
    with Http2Pair() as pair:
        pair.settled()
        port = pair.tenant["graph-url"].rsplit(":", 1)[1].strip("'")
        answer = subprocess.run(
            [need("curl"), "-sko", "/dev/null", "-w", "%{http_version}", "--noproxy", "*",
             f"https://127.0.0.1:{port}/v1.0/"], capture_output=True, text=True, check=True)
        assert answer.stdout == "2", answer
        pair.expected_violations = "client-request-id"  # curl sends none


@test
def all_mail():
    """The whole corpus over HTTP/2, with the same bytes"""
    messages = corpus()
    with Http2Pair() as pair:
        pair.deliver(*messages.values())
        pair.serves(messages)
        assert most_in_flight(pair.sandbox.requests()) <= 4


@test
def deletes():
    """Deletes over HTTP/2, four abreast"""
    with Http2Pair() as pair:
        pair.deliver(*[b"Subject: %d\n\nx\n" % i for i in range(40)])
        pair.sandbox.settings(latency_ms=20)
        with pair.pop3() as client:
            client.login()
            for number in range(1, 41):
                client.ok(f"DELE {number}")
            client.quit()
        moves = pair.sandbox.requests("/move$", "POST")
        assert len(moves) == 40 and most_in_flight(moves) == 4


@test
def faults():
    """429, 503, a reset and a cut answer over HTTP/2"""
    for rule in ({"status": 429, "retry_after": "0.3"}, {"status": 503}, {"reset": True},
                 {"truncate": 30}):
        with Http2Pair() as pair:
            pair.deliver(b"Subject: x\n\ntext\n")
            with pair.pop3() as client:
                client.login()
                pair.sandbox.fault(r"/\$value", count=1, **rule)
                assert client.retr(1) == b"Subject: x\r\n\r\ntext\r\n", rule
                client.quit()


@test
def large():
    """10 MB over HTTP/2, whose windows are smaller"""
    message = b"Subject: large\n\n" + b"a line of some text\n" * 500_000
    with Http2Pair() as pair:
        pair.deliver(message)
        with pair.pop3() as client:
            client.login()
            assert client.retr(1) == on_the_wire(message)
            client.quit()


tap.main()
