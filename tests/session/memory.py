#!/usr/bin/env python3
"""postern serve under valgrind: sessions of every kind, no error, and nothing lost."""

import tap
from harness import PASSWORD, Pair, mail, need, on_the_wire, sanitized, trusting
from tap import Skip, test

MESSAGES = [mail(name) for name in ("alternative", "dots", "no-final-newline")]
FOUND = 99  # what valgrind makes the exit code when it finds something


@test
def valgrind():
    """No invalid access and no leak in sessions with TLS, faults, deletes and a reload"""
    if sanitized():
        raise Skip("valgrind does not run programs with sanitizers")
    under = [need("valgrind"), "--tool=memcheck", "--leak-check=full",
             "--errors-for-leak-kinds=definite", f"--error-exitcode={FOUND}"]
    with Pair(tls=True, listeners={"pop": {"tls": "starttls"}}, serve=False,
              top="cache { max-size = 0 }", limits={"grace": "20s"}) as pair:
        pair.process_options = {"under": [*under, f"--log-file={pair.work}/valgrind.log"]}
        pair.deliver(*MESSAGES)
        pair.start()
        with pair.pop3() as client:
            client.ok("STLS")
            client.start_tls(trusting(pair.certificate))
            client.multi("CAPA")
            client.login()
            client.uidl()
            assert [client.retr(n) for n in (1, 2, 3)] == [on_the_wire(m) for m in MESSAGES]
            client.multi("TOP 2 1")
            client.ok("DELE 3")
            client.ok("RSET")
            client.ok("DELE 2")
            client.quit()
        pair.reload()
        with pair.pop3() as client:
            client.ok("USER alice")
            client.err("PASS wrong")
        with pair.pop3() as client:
            client.login()
            pair.sandbox.control("POST", "/expire-tokens")
            pair.sandbox.fault(r"/\$value", truncate=50, count=1)
            assert client.retr(1) == on_the_wire(MESSAGES[0])
            client.err("RETR 9")
            client.reset()
        with pair.pop3() as client:
            client.send(b"USER alice\r\nPASS " + PASSWORD.encode() + b"\r\nRETR 1\r\n")
            client.reset()
        status = pair.postern.process.terminate()
        report = (pair.work / "valgrind.log").read_text()
        assert status == 0, f"ended with {status}:\n{report}"


tap.main()
