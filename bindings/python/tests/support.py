"""support.py - what the tests share: a namespace for each, and what is left after it."""
import gc
import os
import shutil
import tempfile
import threading
import unittest

DEADLINE = 60.0


def run(call):
    """The answer of a call that another thread makes, which then ends."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    thread.join(DEADLINE)
    return answers[0]


class NamespaceTest(unittest.TestCase):
    """Each test has a namespace of its own, which must be empty after it."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="mmf-test-", dir="/dev/shm")
        os.environ["MMF_DIR"] = self.directory
        self.before = self.mappings_of_all()

    def tearDown(self):
        gc.collect()
        files = [os.path.join(folder, name) for folder, _, names in os.walk(self.directory)
                 for name in names]
        shutil.rmtree(self.directory)
        self.assertEqual(files, [], "names are left")

    def refuses(self, kind, status, call, *arguments, **settings):
        """The call raises that exception, with the status and a message."""
        with self.assertRaises(kind) as caught:
            call(*arguments, **settings)
        self.assertEqual(caught.exception.status, status)
        self.assertTrue(str(caught.exception))
        self.assertEqual(str(caught.exception), caught.exception.message)
        return caught.exception

    def mappings_of_all(self):
        with open("/proc/self/maps", encoding="utf-8") as maps:
            return sum("/mmf-test-" in line for line in maps)

    def mappings(self):
        """Mappings of the test's own objects."""
        return self.mappings_of_all() - self.before

    @staticmethod
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    @staticmethod
    def resident():
        with open("/proc/self/statm", encoding="utf-8") as sizes:
            return int(sizes.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class _Result(unittest.TextTestResult):
    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print(f"SKIPPED: {test}: {reason}")


def main(suite):
    """Run the tests of the program; the last line is what script/test adds up."""
    runner = unittest.TextTestRunner(resultclass=_Result, verbosity=1, failfast=False)
    result = unittest.main(module="__main__", exit=False, testRunner=runner).result
    failed = len(result.failures) + len(result.errors)
    print(f"{suite}: {result.passed} passed, {failed} failed, {len(result.skipped)} skipped")
    return 1 if failed or not result.passed else 0
