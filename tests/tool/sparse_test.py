"""sparse_test.py - the tool beside the host: reading what was never written takes no memory
and no time; fakeroot locks no user out."""
import os
import resource
import shutil
import subprocess

from support import *

SECOND = 1.0


def taken():
    return os.stat(ls()[0]["path"]).st_blocks * 512


def worked():
    """The processor time of all children so far, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def quick(run):
    """What `run` answers, which takes no memory, and less than a second of a processor."""
    before = taken()
    begin = worked()
    answer = run()
    passed = worked() - begin
    assert taken() == before, "reading took %d bytes" % (taken() - before)
    assert passed < SECOND, "%f seconds" % passed
    return answer


def test_a_map_of_holes_is_read_without_taking_memory():
    create("Log", "1G", "--delay")
    mmf("write", "Log", "--offset", "500MiB", stdin="cat")
    with open(os.devnull, "wb") as null:
        quick(lambda: subprocess.check_call([*COMMAND, "read", "Log"], stdout=null))
    lines = quick(lambda: mmf("dump", "Log").out).splitlines()
    assert len(lines) == 6, lines
    assert lines[2].startswith("1f400000  63 61 74 00 "), lines
    assert lines[5] == "40000000", lines
    part = quick(lambda: mmf("read", "Log", "--offset", "499MiB", "--length", "2MiB", raw=True))
    assert part.out == bytes(1 << 20) + b"cat" + bytes((1 << 20) - 3)
    assert quick(lambda: mmf("peek", "Log", "--count", "2").out) == "0\n0\n"
    assert quick(lambda: mmf("read", "Log", "--string").out) == ""


def test_watching_takes_no_memory():
    create("Log", "1G", "--delay")
    mmf("write", "Log", "--offset", "800KiB", stdin="cat")
    before = taken()
    watcher = start("watch", "Log", "--interval", "20ms", "--changes", "1")
    change_until_shown(watcher, lambda: mmf("write", "Log", "--offset", "800KiB",
                                            stdin=os.urandom(1)))
    finish(watcher)
    assert taken() == before, "watching took %d bytes" % (taken() - before)


def test_fakeroot_makes_no_directory_for_root():
    """Packages are built under it: its word for a user is not the kernel's."""
    if shutil.which("fakeroot") is None:
        raise Skip("fakeroot is not here")
    if os.geteuid() != 0:
        raise Skip("another user is needed: run as root")
    tool, more = tool_for_others()
    root = os.environ["MMF_DIR"]
    os.chmod(root, 0o1777)
    done = subprocess.run(["fakeroot", tool, "create", "Cat", "4K", "--", "true"], user=2001,
                          group=2001, extra_groups=[], env={**os.environ, **more,
                               "ASAN_OPTIONS": "verify_asan_link_order=0"},
                          capture_output=True, text=True, timeout=DEADLINE, cwd="/")
    assert done.returncode == DONE, done
    assert os.listdir(root) == ["mmf-2001"], os.listdir(root)
    mmf("create", "Cat", "4K", "--", "true")
    os.rmdir(os.path.join(root, "mmf-2001"))


main("tool_sparse", globals())
