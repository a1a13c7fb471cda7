"""runner.py - runs the functions of a test in Python whose names begin with "test_", and prints
what script/test counts. The suites of tests/tool and tests/bridge share it."""
import contextlib
import signal
import sys
import time
import traceback


class Skip(Exception):
    pass


def too_late(number, frame):
    raise AssertionError("the test took too long")


@contextlib.contextmanager
def time_limit(seconds):
    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def run_suite(suite, tests, only, run_test):
    """`only`: names of tests; empty: all. The program ends."""
    passed = failed = skipped = 0
    for name, test in list(tests.items()):
        if not name.startswith("test_") or (only and name not in only):
            continue
        begin = time.monotonic()
        try:
            run_test(test)
            passed += 1
            print("ok: %s (%.1f s)" % (name, time.monotonic() - begin))
        except Skip as reason:
            skipped += 1
            print("[ RUN ] %s\nSKIPPED: %s" % (name, reason))
        except Exception:
            failed += 1
            print("FAILED: %s" % name)
            traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
    print("%s: %d passed, %d failed, %d skipped" % (suite, passed, failed, skipped))
    sys.exit(failed > 0)
