"""An HTTPS server with a certificate that no client should accept."""

import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

CA_SETTINGS = """[ca]
default_ca = it
[it]
database = {0}/index
serial = {0}/serial
new_certs_dir = {0}
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = {1}
"""


class TlsServer:
    """kind: "expired", "wrong-host" or "self-signed". Counts what gets through the handshake."""

    def __init__(self, kind):
        self.kind = kind
        self.requests = []

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="postern-tls-")
        self.certificate, key = self.make(Path(self.directory.name))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        self.directory.cleanup()

    def make(self, directory):
        """`openssl ca`, since `openssl req` makes no certificate that is over already."""
        names = "DNS:elsewhere.example" if self.kind == "wrong-host" else "IP:127.0.0.1"
        begin, end = ("20200101000000Z", "20200201000000Z") if self.kind == "expired" else (
            "20200101000000Z", "20491231000000Z")
        settings, key, request, certificate = (
            directory / name for name in ("ca.conf", "key", "request", "certificate.pem"))
        settings.write_text(CA_SETTINGS.format(directory, names))
        (directory / "index").write_text("")
        (directory / "serial").write_text("01\n")
        subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                        "-subj", "/CN=test", "-out", request], check=True, capture_output=True)
        subprocess.run(["openssl", "ca", "-batch", "-notext", "-selfsign", "-config", settings,
                        "-keyfile", key, "-in", request, "-out", certificate,
                        "-startdate", begin, "-enddate", end], check=True, capture_output=True)
        return certificate, key

    def serve(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            plain.settimeout(10)
            try:
                with self.context.wrap_socket(plain, server_side=True) as client:
                    if data := client.recv(1000):
                        self.requests.append(data)
            except OSError:
                pass  # the client refused, as it should
            finally:
                plain.close()
