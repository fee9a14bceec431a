"""Tests as functions, results as TAP (the Test Anything Protocol, which automake reads).

A test file decorates its functions with @test and ends in tap.main(). By hand:

    tests/session/deletes.py                 all of the file
    tests/session/deletes.py partial         those whose name contains "partial"
    tests/session/deletes.py -l              only their names
"""

import os
import signal
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

# Who was started in the background ignores interrupts, and so would all that he starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

_tests = []

# A build with sanitizers is several times slower; every wait of the tests is a bound on failure,
# never a pause, so being generous costs nothing.
PATIENCE = float(os.environ.get("POSTERN_TEST_PATIENCE", "60"))


class Skip(Exception):
    """What the test needs is not on this machine; the text says what."""


def test(function):
    """Registers a test; its first docstring line is its name."""
    _tests.append((function.__doc__.strip().splitlines()[0].rstrip("."), function))
    return function


def add(name, function):
    """Registers a test made at run time."""
    _tests.append((name, function))


def wait_for(what, condition, patience=None):
    """Returns the first true value of condition(); fails when it takes too long."""
    end = time.monotonic() + (patience or PATIENCE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.02)


def _diagnostics(text):
    for line in text.rstrip().splitlines():
        print("#", line.encode("ascii", "backslashreplace").decode("ascii"))


def _run(function):
    """Runs one test: its result line's parts and what it took."""
    begin = time.monotonic()
    try:
        function()
        result, comment, trouble = "ok", "", ""
    except Skip as reason:
        result, comment, trouble = "ok", f" # SKIP {reason}", ""
    except Exception:  # a failing test must not hide the next one
        result, comment, trouble = "not ok", "", traceback.format_exc()
    return result, comment, trouble, time.monotonic() - begin


def main(at_once=1):
    """Runs the file's tests. `at_once`: so many side by side, for files whose tests mostly wait
    (each has programs of its own); results come in order all the same."""
    wanted = sys.argv[1:]
    chosen = [t for t in _tests if all(w in t[0] for w in wanted if w != "-l")]
    if "-l" in wanted:
        print("\n".join(name for name, _ in chosen))
        return
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    with ThreadPoolExecutor(at_once) as pool:
        results = pool.map(_run, (function for _, function in chosen))
        for number, ((name, _), outcome) in enumerate(zip(chosen, results), 1):
            result, comment, trouble, seconds = outcome
            failed += result != "ok"
            _diagnostics(trouble)
            print(f"{result} {number} - {name}{comment}")
            print(f"# {seconds:.2f} s", flush=True)
    sys.exit(1 if failed else 0)
