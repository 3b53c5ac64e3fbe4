# SPDX-License-Identifier: Apache-2.0
"""Runs the system tests against the stack that CAUSEWAY_TEST_RUN names:
run.py [PATTERN...]   PATTERN is part of a test's full name. Last line: N passed, N failed, N skipped."""

import logging
import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


class Result(unittest.TestResult):
    """One line a test, as it ends."""

    def __init__(self):
        super().__init__()
        self.passed = 0
        self.failed = 0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def line(self, verdict, test, more=""):
        print(f"{verdict:7} {time.monotonic() - self.began:6.1f} s  {test.id()}{more}", flush=True)

    def addSuccess(self, test):
        self.passed += 1
        self.line("passed", test)

    def add_wrong(self, test, error):
        self.failed += 1
        self.line("FAILED", test)
        print(self._exc_info_to_string(error, test), flush=True)

    addFailure = addError = add_wrong

    def addSubTest(self, test, subtest, error):
        if error:
            self.add_wrong(subtest, error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line("skipped", test, f": {reason}")


def every_test(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from every_test(test)
        else:
            yield test


def main():
    wanted = sys.argv[1:]
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # its debug mode times every step
    found = unittest.defaultTestLoader.discover(str(HERE), "test_*.py", str(HERE))
    tests = [t for t in every_test(found) if not wanted or any(w in t.id() for w in wanted)]
    result = Result()
    unittest.TestSuite(tests).run(result)
    print(f"{result.passed} passed, {result.failed} failed, {len(result.skipped)} skipped")
    sys.exit(1 if result.failed or not tests else 0)


if __name__ == "__main__":
    main()
