#!/usr/bin/env python3
"""Writes the messages of tests/data/mail whose bytes no editor keeps.

Usage: make-mail.py DIRECTORY

The results are committed; run this again only to change or add one. The other messages of the
corpus are plain text and are edited in place. Everything here is deterministic.
"""

import base64
import random
import sys
from pathlib import Path


def header(subject, name, *more):
    """A plain header block, ended by its empty line."""
    fields = [
        "From: exotic@example.org",
        "To: alerts@example.com",
        f"Subject: {subject}",
        "Date: Tue, 23 Jun 2026 09:00:00 +0000",
        f"Message-ID: <{name}@example.org>",
        *more,
    ]
    return ("\n".join(fields) + "\n\n").encode("ascii")


def crlf(data):
    return data.replace(b"\n", b"\r\n")


def nested(depth):
    """A multipart inside a multipart inside … `depth` levels."""
    lines = []
    for level in range(depth):
        lines += [f"Content-Type: multipart/mixed; boundary=level-{level}", "", f"--level-{level}"]
    lines += ["Content-Type: text/plain", "", "the bottom"]
    for level in reversed(range(depth)):
        lines += [f"--level-{level}--", ""]
    return "\n".join(lines).encode("ascii")


def nested_messages(depth):
    """A forwarded message inside a forwarded message inside …"""
    lines = []
    for level in range(depth):
        lines += [f"Subject: level {level}", "MIME-Version: 1.0",
                  "Content-Type: message/rfc822", ""]
    return "\n".join(lines + ["Subject: the bottom", "", "text", ""]).encode("ascii")


def line_ends():
    yield "crlf", crlf(header("CRLF throughout", "crlf") + b"one\ntwo\n")
    yield "crlf-mixed", header("CRLF and LF mixed", "crlf-mixed") + b"LF\nCRLF\r\nLF\n\r\n\n\r\n"
    yield "bare-cr", header("bare carriage returns", "bare-cr") + b"progress 1%\rprogress 2%\rdone\n"
    yield "bare-cr-only", b"From: mac@example.org\rSubject: nothing but CR\r\rbody\r"
    yield "bare-cr-runs", header("runs of CR", "bare-cr-runs") + b"\r\r\r\nx\r\r\n\n\r\r"
    yield "bare-cr-at-end", header("CR as the last byte", "bare-cr-at-end") + b"text\r"
    yield "dot-after-bare-cr", header("dots after bare CR", "dot-after-bare-cr") + b"a\r.\r.b\r..\n"
    yield "no-final-newline", header("no newline at the end", "no-final-newline") + b"cut here"
    yield "no-final-newline-dot", (
        header("a dot without a newline", "no-final-newline-dot") + b"text\n.")
    yield "header-no-final-newline", b"From: a@example.org\nSubject: a header without its newline"
    yield "crlf-dots", crlf(header("dots with CRLF", "crlf-dots") + b".\n..\n.x\n\n.\n")
    yield "many-empty-lines", header("a thousand empty lines", "many-empty-lines") + b"\n" * 1000


def bytes_beyond_ascii():
    every = bytes(b for b in range(256) if b not in (10, 13))
    yield "binary", header("every octet", "binary", "MIME-Version: 1.0",
                           "Content-Type: application/octet-stream",
                           "Content-Transfer-Encoding: binary") + every + b"\n"
    noise = random.Random(2026).randbytes(20000)
    yield "binary-noise", header("20,000 octets of noise", "binary-noise",
                                 "Content-Transfer-Encoding: binary") + noise
    yield "nul", header("NUL octets", "nul") + b"before\0after\n\0\n\0\0\0\n.\0\n"
    yield "nul-in-header", (b"From: nul@example.org\nSubject: a NUL \0 in the header\n"
                            b"X-\0: name\nMessage-ID: <nul-in-header@example.org>\n\ntext\n")
    yield "eightbit-utf8", header("8-bit text", "eightbit-utf8", "MIME-Version: 1.0",
                                  "Content-Type: text/plain; charset=utf-8",
                                  "Content-Transfer-Encoding: 8bit") + (
        "Größe, café, Привет, 日本語, 🎉, e\u0301\n".encode())
    yield "eightbit-latin1", header("latin-1 called ascii", "eightbit-latin1", "MIME-Version: 1.0",
                                    "Content-Type: text/plain; charset=us-ascii") + (
        "Größe für Anfänger\n".encode("latin-1"))
    yield "utf8-broken", header("broken UTF-8", "utf8-broken", "MIME-Version: 1.0",
                                "Content-Type: text/plain; charset=utf-8") + (
        b"overlong \xc0\xaf surrogate \xed\xa0\x80 cut \xe2\x82\n lone \x80 high \xf5\xff\n")
    yield "utf16", header("UTF-16", "utf16", "MIME-Version: 1.0",
                          "Content-Type: text/plain; charset=utf-16",
                          "Content-Transfer-Encoding: binary") + "zwei\nZeilen\n".encode("utf-16")
    yield "iso-2022-jp", header("escape sequences", "iso-2022-jp", "MIME-Version: 1.0",
                                "Content-Type: text/plain; charset=iso-2022-jp") + (
        "日本語の本文\n".encode("iso-2022-jp"))
    yield "gb18030", header("gb18030", "gb18030", "MIME-Version: 1.0",
                            "Content-Type: text/plain; charset=gb18030",
                            "Content-Transfer-Encoding: 8bit") + "你好，世界\n".encode("gb18030")
    yield "koi8-r", header("koi8-r", "koi8-r", "MIME-Version: 1.0",
                           "Content-Type: text/plain; charset=koi8-r",
                           "Content-Transfer-Encoding: 8bit") + "Привет, мир\n".encode("koi8-r")
    yield "header-raw-utf8", ("From: Jürgen <juergen@example.org>\nTo: alerts@example.com\n"
                              "Subject: Grüße, raw UTF-8 — RFC 6532\n"
                              "Message-ID: <header-raw-utf8@example.org>\n\ntext\n").encode()
    yield "header-raw-latin1", ("From: Jürgen <juergen@example.org>\nTo: alerts@example.com\n"
                                "Subject: Grüße, raw latin-1\n"
                                "Message-ID: <header-raw-latin1@example.org>\n\ntext\n"
                                ).encode("latin-1")
    yield "control-characters", header("control characters", "control-characters") + (
        b"bell \x07 escape \x1b[31mred\x1b[0m form feed \x0c vertical tab \x0b delete \x7f "
        b"ctrl-z \x1a end of transmission \x04\n")
    yield "utf8-bom", b"\xef\xbb\xbf" + header("a byte order mark before the header", "utf8-bom") + b"x\n"


def large_things():
    yield "long-line-998", header("998 octets in a line", "long-line-998") + b"a" * 998 + b"\n"
    yield "long-line-999", header("999 octets in a line", "long-line-999") + b"b" * 999 + b"\nc\n"
    yield "long-line-100k", header("100,000 octets in a line", "long-line-100k") + (
        b"0123456789" * 10000 + b"\nend\n")
    yield "long-header-line", (b"From: long@example.org\nX-Long: " + b"y" * 30000 +
                               b"\nSubject: 30,000 octets in a header line\n\ntext\n")
    yield "giant-header", (b"From: giant@example.org\nSubject: a folded header of 100 KB\n"
                           b"References:" +
                           b"".join(b"\n <%06d.reference@thread.example.org>" % i
                                    for i in range(2500)) + b"\n\ntext\n")
    yield "many-headers", (b"From: many@example.org\nSubject: 3,000 header fields\n" +
                           b"".join(b"X-Field-%d: %d\n" % (i, i) for i in range(3000)) +
                           b"\ntext\n")
    yield "many-recipients", (b"From: many@example.org\nSubject: 1,000 recipients\nTo: " +
                              b",\n ".join(b"\"User %d\" <user%d@example.com>" % (i, i)
                                           for i in range(1000)) + b"\n\ntext\n")
    yield "many-parts", header("1,000 parts", "many-parts", "MIME-Version: 1.0",
                               "Content-Type: multipart/mixed; boundary=p") + (
        b"".join(b"--p\n\n%d\n" % i for i in range(1000)) + b"--p--\n")
    yield "nested-100", header("a hundred levels", "nested-100", "MIME-Version: 1.0")[:-1] + nested(100)
    yield "nested-messages-100", nested_messages(100)
    data = base64.encodebytes(random.Random(7).randbytes(60000))
    yield "attachment-base64", header("60 KB of base64", "attachment-base64", "MIME-Version: 1.0",
                                      "Content-Type: application/octet-stream; name=noise.bin",
                                      "Content-Transfer-Encoding: base64") + data


def main():
    directory = Path(sys.argv[1])
    for family in (line_ends, bytes_beyond_ascii, large_things):
        for name, data in family():
            (directory / f"{name}.eml").write_bytes(data)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
