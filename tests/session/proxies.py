"""Small proxies of our own, for what stands between Postern and Microsoft 365."""

import base64
import contextlib
import gzip
import http.client
import http.server
import re
import select
import socket
import ssl
import threading
from pathlib import Path

from harness import Pair, make_certificate
from tap import PATIENCE


class ConnectProxy:
    """An HTTP proxy that knows CONNECT. wants: "name:password" it asks for; refuse: the status that
    it answers instead of connecting; tls: certificate and key, for a proxy that is spoken to over
    HTTPS itself; host: the loopback address that it listens on."""

    def __init__(self, *, wants=None, refuse=None, tls=None, host="127.0.0.1"):
        self.wants = wants
        self.refuse = refuse
        self.host = host
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*tls)
        self.targets = []
        self.threads = []

    def __enter__(self):
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self.listener = socket.create_server((self.host, 0), family=family)
        self.port = self.listener.getsockname()[1]
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.url = f"{'https' if self.context else 'http'}://{host}:{self.port}"
        self.start(self.serve)
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(PATIENCE)
        self.listener.close()

    def start(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.start(self.talk, client)

    def talk(self, plain):
        with plain, contextlib.suppress(OSError):  # a client that does not believe it hangs up
            client = (self.context.wrap_socket(plain, server_side=True) if self.context
                      else plain)
            with client:
                self.connect(client)

    def connect(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(4096)
            if not piece:
                return
            head += piece
        target = re.match(rb"CONNECT (?:\[([^]]+)\]|([^ :]+)):(\d+) ", head)
        self.targets.append(head.split(b"\r\n")[0].decode())
        status = self.status(head)
        if status != 200 or not target:
            client.sendall(b"HTTP/1.1 %d No\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\n"
                           b"Content-Length: 0\r\n\r\n" % status)
            return
        host = (target[1] or target[2]).decode()
        with socket.create_connection((host, int(target[3]))) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            relay(client, server)

    def status(self, head):
        if self.refuse:
            return self.refuse
        if not self.wants:
            return 200
        word = base64.b64encode(self.wants.encode())
        return 200 if b"Proxy-Authorization: Basic " + word in head else 407


def relay(one, other):
    """Moves bytes both ways until either side ends."""
    peers = {one: other, other: one}
    while True:
        # What TLS has decrypted already makes no socket readable.
        ready = [s for s in peers if isinstance(s, ssl.SSLSocket) and s.pending()]
        for source in ready or select.select(list(peers), [], [])[0]:
            data = source.recv(65536)
            if not data:
                return
            peers[source].sendall(data)


class Between:
    """An HTTPS server before the sandbox that may change every answer.

    change: {regular expression of a path: function of the body (bytes) to bytes, or to a status,
    a list of headers and bytes}, for answers that are to go wrong.
    seen: of every request its path, its headers and its body."""

    def __init__(self, pair):
        self.backend = pair.sandbox.graph_url.removeprefix("https://")
        self.certificate, self.key = make_certificate(pair.work, stem="between")
        self.change = {}
        self.seen = []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Hands one request on."""
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def forward(self):
                with contextlib.suppress(ConnectionError, ssl.SSLError):  # it has heard enough
                    proxy.forward(self)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = forward

            def log_message(self, *_):
                """The sandbox has a log."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def forward(self, client):
        said = client.rfile.read(int(client.headers.get("Content-Length") or 0))
        self.seen.append((client.path, client.headers, said))
        backend = http.client.HTTPSConnection(self.backend,
                                              context=ssl._create_unverified_context())
        headers = {k: v for k, v in client.headers.items() if k.lower() != "accept-encoding"}
        backend.request(client.command, client.path, said, headers)
        answer = backend.getresponse()
        body = answer.read()
        backend.close()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in (
            "content-length", "transfer-encoding", "connection", "date", "server")]
        self.answer(client, answer.status, headers, body)

    def answer(self, client, status, headers, body):
        """Sends an answer of the sandbox on."""
        for path, change in self.change.items():
            if re.search(path, client.path):
                changed = change(body)
                status, headers, body = (
                    changed if isinstance(changed, tuple) else (status, headers, changed))
        self.send(client, status, headers, body)

    @staticmethod
    def send(client, status, headers, body):
        client.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            client.send_header(name, value)
        client.end_headers()
        client.wfile.write(body)


class GzipProxy(Between):
    """Compresses every answer; change is given the compressed bytes. forced: also for clients that
    did not ask for gzip."""

    def __init__(self, pair, *, forced=False):
        self.forced = forced
        self.compressed = 0
        super().__init__(pair)

    def answer(self, client, status, headers, body):
        if body and (self.forced or "gzip" in client.headers.get("Accept-Encoding", "")):
            self.compressed += 1
            super().answer(client, status, [*headers, ("Content-Encoding", "gzip")],
                           gzip.compress(body))
        else:
            self.send(client, status, headers, body)


class BetweenPair(Pair):
    """A Pair whose postern sees the sandbox through a server in between, pair.between, which
    make(pair) makes."""

    def __init__(self, make=Between, **options):
        self.make_between = make
        self.between = self.anchors = None
        super().__init__(serve=False, **options)

    def __enter__(self):
        super().__enter__()
        try:
            self.between = self.make_between(self)
            url = f"'{self.between.url}'"
            # The sandbox too, where pieces of uploads go.
            self.anchors = self.work / "anchors.pem"
            self.anchors.write_text(self.between.certificate.read_text()
                                    + Path(self.sandbox.ca_file).read_text())
            self.tenant.update({"graph-url": url, "login-url": url,
                                "ca-file": f"'{self.anchors}'"})
            self.postern.write(self.config_text())
            self.start()
        except BaseException:
            self.clean_up()
            raise
        return self

    def clean_up(self):
        if self.between:
            self.between.close()
        super().clean_up()
