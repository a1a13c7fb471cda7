"""cpython_suite.py - the tests that CPython has for multiprocessing's shared memory, run
over mmf.shared_memory, with processes started by fork, forkserver and spawn. They come
from Debian's libpython3.11-testsuite; without it they are skipped, loudly.
"""
import os
import subprocess
import sys
import unittest

METHOD = os.environ.get("MMF_START_METHOD")
# What they test that mmf has not, and why.
NOT_OURS = {
    "test_shared_memory_SharedMemoryManager_basics": "a manager's blocks are the standard "
        "ones",
    "test_shared_memory_SharedMemoryManager_reuses_resource_tracker": "there is no tracker",
    "test_shared_memory_SharedMemoryServer_ignores_sigint": "a manager's blocks are the "
        "standard ones",
    "test_shared_memory_cleaned_after_process_termination": "it waits for the tracker's "
        "warning",
    "test_shared_memory_tracking": "there is no tracker",
    "test_shared_memory_untracking": "there is no tracker",
}

if METHOD:
    from test import _test_multiprocessing as suite

    from mmf import shared_memory

    suite.shared_memory = shared_memory  # in a child that is spawned, too: it runs this
    for name, why in NOT_OURS.items():
        if hasattr(suite._TestSharedMemory, name):
            setattr(suite._TestSharedMemory, name, unittest.skip(why)(
                getattr(suite._TestSharedMemory, name)))
    suite.install_tests_in_module_dict(globals(), METHOD)
    for name in [name for name, value in globals().items()
                 if isinstance(value, type) and issubclass(value, unittest.TestCase)]:
        if name != "WithProcessesTestSharedMemory":
            del globals()[name]


def main():
    try:
        from test import _test_multiprocessing  # noqa: F401
    except ImportError:
        print("SKIPPED: CPython's tests are not here (libpython3.11-testsuite)")
        print("python_cpython: 0 passed, 0 failed, 1 skipped")
        return 0
    failed = 0
    for method in ("fork", "forkserver", "spawn"):
        run = subprocess.run([sys.executable, __file__], text=True, timeout=300,
                             env={**os.environ, "MMF_START_METHOD": method},
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        good = run.returncode == 0 and "\nRan 1" in run.stdout
        print(f"{'ok' if good else 'FAILED'}: {method}: {run.stdout.strip()[-60:]}"
              if good else f"FAILED: {method}\n{run.stdout}")
        failed += not good
    print(f"python_cpython: {3 - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main() if METHOD is None else unittest.main())
