"""support.py - shared by the tests of the tool.

A test is a function whose name begins with "test_". Each gets a private namespace, a
directory under /dev/shm named in MMF_DIR, and has failed if it leaves a process or a file
there. The tool is driven as a person would: by arguments, pipes, a pseudo-terminal, a
terminal of tmux.

mmf.exe is driven in the same way, through script/wine. There all tests share the names of
one session with Wine's own, so that one must run after the other; windows_test.py has what
differs.
"""
import atexit
import glob
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runner import Skip, run_suite, time_limit

os.environ["LC_ALL"] = "C.UTF-8"
MMF = os.path.abspath(sys.argv[1])
SOURCE = os.path.abspath(sys.argv[2])
WINDOWS = MMF.endswith(".exe")
WINE = os.path.join(SOURCE, "script", "wine")
COMMAND = [WINE, MMF] if WINDOWS else [MMF]
SHELL_COMMAND = " ".join("'%s'" % part for part in COMMAND)
DEADLINE = float(os.environ.get("MMF_TEST_DEADLINE_MS", "120000")) / 1000

DONE, NO_OBJECT, USAGE, DENIED, TIMED_OUT, EXISTS = range(6)
NO_SPACE, WRONG_KIND, DAMAGED, BUSY, FAILED = range(6, 11)

# How Ctrl-C ends a program. Of Windows' statuses Linux sees the last byte.
INTERRUPTED = 0xC000013A & 0xff if WINDOWS else -signal.SIGINT


def windows_path(path):
    return "Z:" + os.path.abspath(path).replace("/", "\\")


# A program for tests of mmf.exe.
HELPER = os.path.join(os.path.dirname(MMF), "..", "..", "tests", "tool", "windows_process.exe")


def not_on_windows(reason):
    """A test that is another one on Windows, or none."""
    def skip():
        raise Skip("on Windows " + reason)

    return (lambda test: skip) if WINDOWS else (lambda test: test)


def whole(size):
    """A map's size, rounded up to pages on Windows."""
    return -(-size // 4096) * 4096 if WINDOWS else size


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return "status %d\n--- out\n%s\n--- err\n%s" % (self.status, self.out, self.err)


def text(data):
    return data.decode("utf-8", "surrogateescape")


def tool_for_others():
    """A copy of the tool where every user can get at it; (path, environment)."""
    if not others:
        directory = tempfile.mkdtemp(prefix="mmf-test-tool-")
        os.chmod(directory, 0o755)
        atexit.register(shutil.rmtree, directory)
        library = os.path.join(os.path.dirname(MMF), "..", "..", "src")
        for path in [MMF] + glob.glob(os.path.join(library, "libmmf.so*")):
            shutil.copy(path, directory)
        others.append((os.path.join(directory, "mmf"), {"LD_LIBRARY_PATH": directory}))
    return others[0]


others = []


def mmf(*arguments, status=DONE, **more):
    """Run the tool to its end; it must exit with `status`."""
    for _ in range(3):
        result = run_mmf(*arguments, **more)
        # Of a thousand programs that Wine starts, one or two do not begin.
        silent = WINDOWS and result.status in (1, 127) and not result.out and not result.err
        if result.status == status or not silent:
            break
        print("mmf %s: Wine answers %d" % (" ".join(map(str, arguments)), result.status))
    if result.status != status:
        raise AssertionError("mmf %s: wanted status %d\n%r"
                             % (" ".join(map(str, arguments)), status, result))
    return result


def run_mmf(*arguments, stdin=b"", env=None, user=None, raw=False, cwd=None):
    if isinstance(stdin, str):
        stdin = stdin.encode()
    tool, more = tool_for_others() if user is not None else (None, {})
    command = [tool] if tool is not None else COMMAND
    # No pipe: Wine gives it to all children, who keep it open.
    with tempfile.TemporaryFile() as errors:
        done = subprocess.run([*command, *arguments], input=stdin, stdout=subprocess.PIPE,
                              stderr=errors, timeout=DEADLINE,
                              env={**os.environ, **more, **(env or {})}, user=user, group=user,
                              extra_groups=[] if user else None, cwd=cwd)
        errors.seek(0)
        said = text(errors.read())
    return Result(done.returncode, done.stdout if raw else text(done.stdout), said)


def fails(status, *parts_and_arguments, **more):
    """fails(STATUS, "part of the line", ARGUMENT...): one line that says why."""
    part, *arguments = parts_and_arguments
    result = mmf(*arguments, status=status, **more)
    lines = result.err.splitlines()
    assert len(lines) == 1, "one line, not %r" % result.err
    assert lines[0].startswith("mmf"), lines[0]
    assert part in lines[0], "%r is not in %r" % (part, lines[0])
    assert result.out == "", result.out
    return result


def create(*arguments):
    """An object held in the background; answers the process's number."""
    pid = int(mmf("create", *arguments, "--background").out)
    held.append(pid)
    return pid


def windows_process(what, pid):
    """Is it so, or done? For mmf.exe alone."""
    for _ in range(5):
        status = subprocess.run([WINE, HELPER, what, str(pid)], timeout=DEADLINE).returncode
        if status in (0, 3):
            return status == 0
        print("%s %d: Wine answers %d" % (what, pid, status))
    raise AssertionError("Wine does not start a program")


def is_alive(pid):
    if WINDOWS:
        return windows_process("alive", pid)
    try:
        with open("/proc/%d/stat" % pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        # Its descriptors are closed then; while it has other threads they may not be.
        return fields[0] not in "ZX" or int(fields[17]) > 1
    except OSError:
        return False


def wait_until(condition, what="it"):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("%s did not happen" % what)
        time.sleep(0.01)


def settled(look, **wanted):
    """What look() answers as soon as it has these members. A process that was seen to do
    something may count it a moment later."""
    deadline = time.monotonic() + DEADLINE
    while True:
        found = look()
        if all(found[key] == value for key, value in wanted.items()):
            return found
        assert time.monotonic() < deadline, "wanted %s, but it is %s" % (wanted, found)
        time.sleep(0.01)


def kill(pid, how=signal.SIGKILL):
    if WINDOWS:
        wait_until(lambda: windows_process("end", pid), "the end of %d" % pid)
        return
    os.kill(pid, how)
    wait_until(lambda: not is_alive(pid), "the end of %d" % pid)


def ls(*arguments):
    """What there is, but for what Wine has for itself."""
    return [entry for entry in json.loads(mmf("ls", "--json", *arguments).out)["objects"]
            if not (WINDOWS and "__wine" in entry["name"].lower())]


def names(*arguments):
    return [entry["name"] for entry in ls(*arguments)]


def start(*arguments, **more):
    """The tool, running; ends with the test."""
    process = subprocess.Popen([*COMMAND, *arguments], stdin=more.pop("stdin", subprocess.PIPE),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    started.append(process)
    return process


def finish(process, status=DONE):
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == status, "status %d, not %d\n%s\n%s" % (
        process.returncode, status, text(out), text(err))
    return Result(process.returncode, text(out), text(err))


def change_until_shown(watcher, change):
    """Change something until the watcher, which may begin late, prints a line; answers
    the line."""
    deadline = time.monotonic() + DEADLINE
    while not select.select([watcher.stdout], [], [], 0.05)[0]:
        assert time.monotonic() < deadline, "no change was shown"
        change()
    return text(watcher.stdout.readline())


class Terminal:
    """The tool on a pseudo-terminal."""

    def __init__(self, *arguments, command=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            command = command or [MMF, *arguments]
            os.execv(command[0], command)
        self.seen = b""
        self.status = None
        terminals.append(self)

    def _read(self, timeout):
        if not select.select([self.fd], [], [], timeout)[0]:
            return None
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.seen += data
        return data

    def expect(self, part):
        deadline = time.monotonic() + DEADLINE
        while part.encode() not in self.seen:
            if time.monotonic() > deadline or self._read(0.1) == b"":
                raise AssertionError("%r did not come: %r" % (part, self.seen))

    def send(self, keys):
        os.write(self.fd, keys.encode())

    def finish(self):
        """Everything until the end; answers how it ended, as waitpid has it."""
        deadline = time.monotonic() + DEADLINE
        while self._read(0.1) != b"":
            assert time.monotonic() < deadline, "no end: %r" % self.seen
        self.status = os.waitpid(self.pid, 0)[1]
        os.close(self.fd)
        return self.status

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.fd)
            self.status = -1


class Screen:
    """The tool in a terminal of tmux of a fixed size."""

    count = 0

    def __init__(self, command, columns=80, rows=24):
        if shutil.which("tmux") is None:
            raise Skip("tmux is needed")
        Screen.count += 1
        self.socket = "/dev/shm/.tmux-mmf-%d-%d" % (os.getpid(), Screen.count)
        self.run("new-session", "-d", "-x", str(columns), "-y", str(rows),
                 "env MMF_DIR=%s NO_COLOR=%s TERM=screen bash --norc -c 'trap : INT; %s; "
                 "echo status $?; exec cat'" % (os.environ.get("MMF_DIR", ""), "1", command))
        screens.append(self)

    def run(self, *arguments):
        return subprocess.run(["tmux", "-f", "/dev/null", "-S", self.socket, *arguments],
                              capture_output=True, text=True, timeout=DEADLINE,
                              check=True).stdout

    def show(self):
        return self.run("capture-pane", "-p")

    def expect(self, part, times=1):
        """The screen that has the part so many times. It is drawn in pieces: what stands
        below the part may not be there yet."""
        deadline = time.monotonic() + DEADLINE
        while True:
            shown = self.show()
            if shown.count(part) >= times:
                return shown
            if time.monotonic() > deadline:
                raise AssertionError("%r is not on the screen:\n%s" % (part, shown))
            time.sleep(0.03)

    def keys(self, *keys):
        self.run("send-keys", *keys)

    def close(self):
        try:
            self.run("kill-server")
        except subprocess.SubprocessError:
            pass
        if os.path.exists(self.socket):
            os.unlink(self.socket)


held, started, terminals, screens = [], [], [], []


def end_process(process):
    if process.poll() is None:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            try:
                stream.close()
            except BrokenPipeError:
                pass


def clean_up():
    while screens:
        screens.pop().close()
    while terminals:
        terminals.pop().close()
    while started:
        end_process(started.pop())
    while held:
        pid = held.pop()
        if WINDOWS or is_alive(pid): # there it is one program to ask and to end it
            kill(pid)


def run_on_windows(test):
    try:
        test()
        clean_up()
        wait_until(lambda: names() == [], "the end of %s" % names())
    finally:
        signal.alarm(0)
        clean_up()


def run_in_a_namespace(test):
    directory = tempfile.mkdtemp(prefix="mmf-test-tool-", dir="/dev/shm")
    os.environ["MMF_DIR"] = directory
    try:
        test()
        clean_up()
        mmf("gc", "--all-users")
        left = [entry for entry in os.listdir(directory)
                if not re.fullmatch(r"mmf-\d+", entry) or os.listdir(
                    os.path.join(directory, entry))]
        assert not left, "left behind: %s" % left
    finally:
        signal.alarm(0)
        clean_up()
        shutil.rmtree(directory, ignore_errors=True)


def run_test(test):
    with time_limit(int(6 * DEADLINE)):
        (run_on_windows if WINDOWS else run_in_a_namespace)(test)


def main(suite, tests):
    """Run all functions of a module that begin with test_."""
    run_suite(suite, tests, sys.argv[3:], run_test)
