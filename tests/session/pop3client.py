"""A POP3 client that sees every octet and forgives nothing."""

from connection import Closed, Connection


class Pop3(Connection):
    """One connection. The greeting is read, and must be +OK, unless greet is false."""

    def __init__(self, port, *, host="127.0.0.1", tls=None, greet=True, receive_buffer=None):
        super().__init__(port, host=host, receive_buffer=receive_buffer)
        if tls:
            self.start_tls(tls)
        self.greeting = self.line() if greet else None
        if greet:
            assert self.greeting.startswith("+OK"), self.greeting

    def raw_line(self):
        """One line as it came, CRLF included; a bare CR or LF in it is an error."""
        while (end := self.buffer.find(b"\n")) < 0:
            self.receive()
        line, self.buffer = self.buffer[:end + 1], self.buffer[end + 1:]
        assert line.endswith(b"\r\n") and b"\r" not in line[:-2], f"bad line end: {line[-80:]!r}"
        return line

    def line(self):
        """A status line: printable ASCII, at most 512 octets (RFC 2449 section 4)."""
        line = self.raw_line()
        assert len(line) <= 512, f"a status line of {len(line)} octets"
        return line[:-2].decode("ascii")

    def command(self, text):
        self.send(text.encode() + b"\r\n")
        return self.line()

    def ok(self, text):
        answer = self.command(text)
        assert answer.startswith("+OK"), f"{text.split(' ')[0]}: {answer}"
        return answer

    def err(self, text):
        answer = self.command(text)
        assert answer.startswith("-ERR"), f"{text.split(' ')[0]}: {answer}"
        return answer

    def body(self):
        """The rest of a multi-line answer, dots undone."""
        data = bytearray()
        rest = self.buffer
        pieces = []
        while not (rest.startswith(b".\r\n") and not pieces) and b"\r\n.\r\n" not in rest:
            piece = self.socket.recv(1 << 20)
            if not piece:
                raise Closed(f"closed by the server inside a body, after {rest[-80:]!r}")
            # Only the tail can complete the end mark, so that a large body is searched once.
            if len(rest) > 4:
                pieces.append(rest[:-4])
                rest = rest[-4:]
            rest += piece
        whole = b"".join(pieces) + rest
        end = 0 if whole.startswith(b".\r\n") else whole.index(b"\r\n.\r\n") + 2
        self.buffer = whole[end + 3:]
        for line in whole[:end].split(b"\r\n")[:-1]:
            assert b"\r" not in line and b"\n" not in line, f"bare CR or LF: {line[:80]!r}"
            data += (line[1:] if line.startswith(b".") else line) + b"\r\n"
        return bytes(data)

    def multi(self, text):
        self.ok(text)
        return self.body()

    def login(self, name="alice", password=None):
        from harness import PASSWORD
        self.ok(f"USER {name}")
        self.ok(f"PASS {password or PASSWORD}")
        return self

    def retr(self, number):
        return self.multi(f"RETR {number}")

    def table(self, command):
        """LIST and UIDL as a dict by message number."""
        pairs = [line.split(" ") for line in self.multi(command).decode("ascii").splitlines()]
        return {int(number): value for number, value in pairs}

    def uidl(self):
        return self.table("UIDL")

    def list(self):
        return {number: int(size) for number, size in self.table("LIST").items()}

    def stat(self):
        count, size = self.ok("STAT").split(" ")[1:3]
        return int(count), int(size)

    def quit(self):
        """QUIT and the close that follows; returns the answer."""
        answer = self.ok("QUIT")
        self.expect_close()
        return answer
