#!/usr/bin/env python3
"""check_imap of the monitoring plugins: is the greeting right, does a dialogue work?"""

import os
import shutil

from mailprograms import Skip, box, main, message, run, secure_box, test


def plugin():
    path = shutil.which("check_imap", path="/usr/lib/nagios/plugins:" + os.environ["PATH"])
    if not path:
        raise Skip("check_imap is not installed")
    return path


@test
def greeting():
    """check_imap finds the service well"""
    with box(message(1)) as where:
        shown = run(plugin(), "-H", "127.0.0.1", "-p", where.port)
        assert b"IMAP OK" in shown, shown


@test
def dialogue():
    """check_imap logs in and asks for STATUS"""
    with box(message(1)) as where:
        shown = run(plugin(), "-H", "127.0.0.1", "-p", where.port, "-E",
                    "-s", f'a LOGIN {where.user} "{where.password}"\\r\\n', "-e", "a OK",
                    "-q", "b LOGOUT\\r\\n")
        assert b"IMAP OK" in shown, shown


@test
def over_tls():
    """check_imap over implicit TLS"""
    with secure_box(message(1)) as where:
        shown = run(plugin(), "-H", "127.0.0.1", "-p", where.tls_port, "-S")
        assert b"IMAP OK" in shown, shown


main()
