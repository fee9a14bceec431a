"""Servers that no client should talk to: certificates that prove nothing, old TLS, none."""

import socket
import ssl
import subprocess
import tempfile
import threading
import warnings
from pathlib import Path

import tap

CA_SETTINGS = """[ca]
default_ca = it
[it]
database = {0}/index
new_certs_dir = {0}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[leaf]
subjectAltName = {1}
[authority]
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = hash
"""
CERTIFICATES = ("expired", "not-yet", "wrong-host", "self-signed", "missing-intermediate")
# What a server answers to any ClientHello: TLS 1.1, SSL 3.0, and TLS 1.2 with the mark in its
# random that a server of TLS 1.3 sets whom somebody made believe that its client is old (RFC 8446
# section 4.1.3).
DOWNGRADES = {"answers-tls-1.1": (b"\x03\x02", bytes(32), b"\x00\x2f"),
              "answers-ssl-3": (b"\x03\x00", bytes(32), b"\x00\x2f"),
              "downgraded": (b"\x03\x03", bytes(24) + b"DOWNGRD\x01", b"\xc0\x2f")}
PLAIN = {"plaintext": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "other-protocol":
         b"220 mail.example.com ESMTP\r\n"}
KINDS = (*CERTIFICATES, "tls-1.1", *DOWNGRADES, *PLAIN)


def server_hello(version, random, cipher):
    hello = version + random + b"\0" + cipher + b"\0" + b"\0\0"
    handshake = b"\x02" + len(hello).to_bytes(3, "big") + hello
    return b"\x16\x03\x03" + len(handshake).to_bytes(2, "big") + handshake


class TlsServer:
    """One of KINDS. anchor: what to trust so that nothing is wrong but what the kind says.
    requests: what came through a handshake, or in the clear."""

    def __init__(self, kind):
        self.kind = kind
        self.requests = []

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="postern-tls-")
        self.anchor, chain, key = self.make(Path(self.directory.name))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain, key)
        if self.kind == "tls-1.1":
            self.context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                self.context.minimum_version = ssl.TLSVersion.TLSv1
                self.context.maximum_version = ssl.TLSVersion.TLSv1_1
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        self.directory.cleanup()

    def make(self, directory):
        """(anchor, chain that the server shows, its key), by `openssl ca`, since `openssl req`
        makes no certificate that is over already."""
        names = "DNS:elsewhere.example" if self.kind == "wrong-host" else "IP:127.0.0.1"
        (directory / "ca.conf").write_text(CA_SETTINGS.format(directory, names))
        (directory / "index").write_text("")
        root = self.issue(directory, "root", None, "authority")
        between = self.issue(directory, "between", root, "authority")
        years = {"expired": (20200101, 20200201), "not-yet": (20480101, 20491231)}.get(
            self.kind, (20200101, 20491231))
        leaf = self.issue(directory, "leaf", None if self.kind == "self-signed" else between,
                          "leaf", years)
        chain = directory / "chain.pem"
        shown = [leaf[0]] if self.kind in ("missing-intermediate", "self-signed") else [
            leaf[0], between[0]]
        chain.write_text("".join(certificate.read_text() for certificate in shown))
        return root[0], chain, leaf[1]

    @staticmethod
    def issue(directory, name, issuer, extensions, years=(20200101, 20491231)):
        """(certificate, key), signed by an issuer's or, if None, by its own."""
        key, request, certificate = (directory / f"{name}.{end}" for end in ("key", "csr", "pem"))
        subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                        "-subj", f"/CN={name}", "-out", request], check=True, capture_output=True)
        by = (["-selfsign", "-keyfile", key] if issuer is None else
              ["-cert", issuer[0], "-keyfile", issuer[1]])
        subprocess.run(["openssl", "ca", "-batch", "-notext", "-config", directory / "ca.conf", *by,
                        "-extensions", extensions, "-in", request, "-out", certificate,
                        "-startdate", f"{years[0]}000000Z", "-enddate", f"{years[1]}000000Z"],
                       check=True, capture_output=True)
        return certificate, key

    def serve(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            plain.settimeout(tap.PATIENCE)
            try:
                self.talk(plain)
            except OSError:
                pass  # the client refused, as it should
            finally:
                plain.close()

    def talk(self, plain):
        if self.kind in DOWNGRADES or self.kind in PLAIN:
            hello = PLAIN.get(self.kind) or server_hello(*DOWNGRADES[self.kind])
            plain.recv(4096)
            plain.sendall(hello)
            # An alert is all that may follow (RFC 8446 section 5.1).
            while data := plain.recv(4096):
                if not data.startswith(b"\x15"):
                    self.requests.append(data)
            return
        with self.context.wrap_socket(plain, server_side=True) as client:
            if data := client.recv(1000):
                self.requests.append(data)
