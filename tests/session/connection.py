"""The connection under the clients of the tests, whatever they speak."""

import socket
import ssl

from tap import PATIENCE


class Closed(Exception):
    """The server closed the connection where an answer was expected."""


class Connection:
    """A socket and what came of it; start_tls() begins TLS."""

    def __init__(self, port, *, host="127.0.0.1", receive_buffer=None, patience=None):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(patience or PATIENCE)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Leaves with a reset instead of a goodbye."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def start_tls(self, context):
        assert not self.buffer, f"the server spoke before the handshake: {self.buffer!r}"
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def receive(self):
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise Closed(f"closed by the server after {self.buffer[-200:]!r}")
        self.buffer += piece

    def send(self, data):
        self.socket.sendall(data)

    def expect_close(self):
        try:
            rest = self.socket.recv(1000)
        except (ConnectionResetError, ssl.SSLError):
            rest = b""
        assert not self.buffer and not rest, f"more after the end: {self.buffer + rest!r}"
        self.close()
