#!/usr/bin/env python3
"""curl: the bytes of the wire, dots undone. It changes nothing."""

from mailprograms import (PASSWORD, Pair, corpus, inbox, main, messages_for, need, on_the_wire,
                          run, test)


def curl(pair, path, *arguments):
    return run(need("curl"), "-sS", "--noproxy", "*", "--user", f"alice:{PASSWORD}",
               f"pop3://127.0.0.1:{pair.port}/{path}", *arguments)


@test
def same_bytes():
    """curl fetches every message with the same bytes"""
    messages = messages_for()
    with Pair() as pair:
        pair.deliver(*messages.values())
        for number, (name, message) in enumerate(messages.items(), 1):
            assert curl(pair, number) == on_the_wire(message), name


@test
def listing():
    """curl lists, asks for UIDL and TOP"""
    messages = list(corpus().values())[:3]
    with Pair() as pair:
        pair.deliver(*messages)
        sizes = b"".join(b"%d %d\r\n" % (n, len(on_the_wire(m))) for n, m in enumerate(messages, 1))
        assert curl(pair, "") == sizes
        assert len(curl(pair, "", "-X", "UIDL").splitlines()) == 3
        assert on_the_wire(messages[0]).startswith(curl(pair, "", "-X", "TOP 1 0"))


@test
def deletes():
    """curl deletes one message"""
    with Pair() as pair:
        pair.deliver(*list(corpus().values())[:3])
        curl(pair, 2, "-X", "DELE", "--list-only")
        assert inbox(pair) == 2


@test
def over_tls():
    """curl over STLS and over implicit TLS"""
    listeners = {"pop3": {"tls": "starttls"}, "pop3s": {"tls": "implicit"}}
    with Pair(tls=True, listeners=listeners) as pair:
        pair.deliver(b"Subject: x\n\ntext\n")
        for scheme, port in pair.ports.items():
            got = run(need("curl"), "-sS", "--noproxy", "*", "--ssl-reqd",
                      "--cacert", pair.certificate, "--user", f"alice:{PASSWORD}",
                      f"{scheme}://127.0.0.1:{port}/1")
            assert got == b"Subject: x\r\n\r\ntext\r\n", got


main()
