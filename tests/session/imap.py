#!/usr/bin/env python3
"""The scripts of tests/session/imap against Postern, or against the oracle.

    POSTERN_TEST_IMAP=dovecot tests/session/imap.py     shows that the scripts are right
"""

from pathlib import Path

import imapscript
import tap
from imapservers import server


def script(path):
    cases = imapscript.read(path)

    def run():
        with server(len(cases)) as where:
            for name in imapscript.run(cases, where):
                print(f"# {path.stem}: skipped: {name}")
    return run


for file in sorted(Path(__file__).with_name("imap").glob("*.conv")):
    tap.add(file.stem, script(file))

tap.main(at_once=4)
