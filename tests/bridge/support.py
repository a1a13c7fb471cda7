"""support.py - shared by the tests of mmf-bridge.

A test is a function whose name begins with "test_", and gets a world: a directory, in which
each "machine" has a private namespace (MMF_DIR), and servers that it starts itself, on ports
that were free. Every process says in a line that it is ready; each wait has a deadline.
"""
import array
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from gate import Gate
from runner import Skip, run_suite, time_limit

BRIDGE, PEER, MMF, PRELOAD = (os.path.abspath(path) for path in sys.argv[1:5])
# Before a bridge: its own pauses are ten times as short.
FAST = "env", "LD_PRELOAD=" + PRELOAD, "BRIDGE_SPEED=10"
DEADLINE = float(os.environ.get("MMF_TEST_DEADLINE_MS", "120000")) / 1000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("%s did not happen in %d s" % (what, deadline))
        time.sleep(0.01)


class Process:
    """A program whose lines are read as it writes them."""

    def __init__(self, *command, env=None):
        self.command = command
        self.lines, self.news = [], queue.Queue()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", env={**os.environ, **(env or {})})
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            del self.lines[:-5000]
            self.news.put(line.rstrip("\n"))
        self.news.put(None)

    def expect(self, parts, deadline=DEADLINE):
        """The next line that has it, or one of them, in it."""
        parts = (parts,) if isinstance(parts, str) else parts
        end = time.monotonic() + deadline
        while True:
            try:
                line = self.news.get(timeout=max(0.001, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError("%r did not come from %s:\n%s" % (
                    parts, " ".join(self.command), "\n".join(self.lines[-40:])))
            if any(part in line for part in parts):
                return line

    def expect_said(self, part, times=1):
        """So many of all its lines have it: what it wrote before something else that was seen
        may be read later."""
        wait_until(lambda: sum(part in line for line in list(self.lines)) == times, part)

    def is_running(self):
        return self.process.poll() is None

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        return self.wait()

    def wait(self, deadline=DEADLINE):
        self.process.wait(timeout=deadline)
        self.reader.join(timeout=deadline)
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except OSError:
                pass
        return self.process.returncode


class Server:
    """nats-server; started again it has its port and its directory."""

    def __init__(self, world, name, jetstream=True, more="", within=()):
        """`within`: a command that starts another one in a namespace of its own."""
        self.port, self.world, self.process = free_port(), world, None
        self.within = within
        self.url = "nats://127.0.0.1:%d" % self.port
        self.config = os.path.join(world.directory, name + ".conf")
        store = os.path.join(world.directory, name + ".store")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("listen: 127.0.0.1:%d\nserver_name: %s\n%s\n" % (self.port, name, more))
            if jetstream:
                file.write("jetstream { store_dir: \"%s\"%s }\n" % (
                    store, ", domain: %s" % jetstream if jetstream is not True else ""))

    def start(self):
        """Its port may just be another process's outgoing one: then it is tried again."""
        for _ in range(50):
            self.process = self.world.start(*self.within, "nats-server", "-c", self.config)
            line = self.process.expect(("Server is ready", "address already in use"))
            if "ready" in line:
                return self
            self.process.wait()
            time.sleep(0.1)
        raise AssertionError("the server's port stays in use: " + line)

    def kill(self, how=signal.SIGKILL):
        self.process.kill(how)


def request(server, subject, body=""):
    """A request to a server, answered with JSON. Each has an inbox of its own: what a connected
    server answered to the one before may come late."""
    inbox = "_r." + os.urandom(8).hex()
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as connection:
        stream = connection.makefile("rwb")
        stream.readline()  # INFO
        stream.write(b'CONNECT {"verbose":false,"pedantic":false}\r\n')
        stream.write(("SUB %s 1\r\nPUB %s %s %d\r\n%s\r\n" % (
            inbox, subject, inbox, len(body), body)).encode())
        stream.flush()
        while True:
            words = stream.readline().split()
            if words and words[0] == b"MSG":
                return json.loads(stream.read(int(words[-1])))
            if words and words[0] == b"PING":
                stream.write(b"PONG\r\n")
                stream.flush()


def publish(server, subject, payloads):
    """Bytes as they are; done when the server has all of them."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as connection:
        stream = connection.makefile("rwb")
        stream.readline()  # INFO
        stream.write(b'CONNECT {"verbose":false,"pedantic":false}\r\n')
        for payload in payloads:
            stream.write(b"PUB %s %d\r\n%s\r\n" % (subject.encode(), len(payload), payload))
        stream.write(b"PING\r\n")
        stream.flush()
        while stream.readline() != b"PONG\r\n":
            pass


def stream_info(server, name):
    return request(server, "$JS.API.STREAM.INFO." + name)


def read_account(path, count):
    """Of the numbers 1 to `count`, what peer.c has written: four counts, and a sequence for
    each, 0 for what has not come."""
    words = array.array("Q")
    if os.path.exists(path):
        with open(path, "rb") as file:
            words.frombytes(file.read())
    words.extend([0] * (4 + count - len(words)))
    return words[:4], words[4:4 + count]


def report(path, count):
    """The same in words, with up to ten ranges of missing numbers."""
    (twice, disordered, damaged, redelivered), sequences = read_account(path, count)
    came, ranges, end = bytes(map(bool, sequences)), [], 0
    while len(ranges) < 10 and (at := came.find(0, end)) >= 0:
        end = came.find(1, at)
        end = end if end >= 0 else count
        ranges.append([at + 1, end])
    return {"missing": came.count(0), "twice": twice, "disordered": disordered,
            "damaged": damaged, "redelivered": redelivered, "ranges": ranges}


class World:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="mmf-bridge-test-")
        self.namespaces = tempfile.mkdtemp(prefix="mmf-test-bridge-", dir="/dev/shm")
        self.processes, self.closers = [], []

    def start(self, *command, machine=None):
        env = {"MMF_DIR": self.namespace(machine)} if machine else None
        self.processes.append(Process(*command, env=env))
        return self.processes[-1]

    def namespace(self, machine):
        path = os.path.join(self.namespaces, machine)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def peer(self, machine, *arguments):
        process = self.start(PEER, *map(str, arguments), machine=machine)
        process.expect("ready")
        return process

    def hold(self, machines, kind, name, size, capacity):
        """On each of these machines, a process that has such a channel."""
        return [self.peer(machine, "hold", kind, name, size, capacity) for machine in machines]

    def bridge(self, machine, config, *arguments, ready=True, within=()):
        path = self.write(machine + ".ini", config)
        process = self.start(*within, BRIDGE, path, *arguments, machine=machine)
        if ready:
            process.expect(" ready: ")
        return process

    def gate(self, server):
        """For a bridge: it takes the place of the server."""
        gate = Gate(server, DEADLINE)
        self.closers.append(gate.close)
        return gate

    def mmf(self, machine, *arguments):
        return subprocess.run([MMF, *arguments], check=True, capture_output=True, text=True,
                              timeout=DEADLINE,
                              env={**os.environ, "MMF_DIR": self.namespace(machine)}).stdout

    def close(self):
        for close in self.closers:
            close()
        for process in self.processes:
            if process.is_running():
                process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.rmtree(self.namespaces, ignore_errors=True)


def sections(server, origin, channels, more=""):
    return "[bridge]\norigin = %s\n%s\n[server]\nserver = %s\nack-wait = 1s\n%s\n" % (
        origin, more, server.url, channels)


def receive(world, machine, name, count):
    return world.mmf(machine, "recv", name, "--count", str(count), "--timeout",
                     "%ds" % DEADLINE).splitlines()


def counter(world, machine, name, of=""):
    """The sum of all links whose labels have `of`, in the metrics; -1: there are none yet."""
    try:
        with open(os.path.join(world.directory, "metrics-" + machine), encoding="utf-8") as file:
            return sum(int(line.split()[-1]) for line in file
                       if line.startswith("mmf_bridge_%s_total" % name) and of in line)
    except FileNotFoundError:
        return -1


def lost(world, machine):
    return counter(world, machine, "lost")


def metrics(world, machine):
    return "metrics = %s\nmetrics-every = 100ms" % os.path.join(world.directory,
                                                              "metrics-" + machine)


def call(world, machine, text, timeout=60000):
    return subprocess.run([PEER, "call", "Sums", text, str(timeout)], check=True, text=True,
                          capture_output=True, timeout=DEADLINE,
                          env={**os.environ, "MMF_DIR": world.namespace(machine)}).stdout.strip()


def run_test(test, limit):
    world = World()
    with time_limit(limit):
        try:
            test(world)
        except (AssertionError, subprocess.SubprocessError):
            for process in world.processes[-30:]:
                lines = [line for line in process.lines
                         if "Mapping" not in line and "__" not in line]
                print("--- %s (%s)\n%s" % (" ".join(process.command), process.process.returncode,
                                           "\n".join(lines[-20:])))
            raise
        finally:
            signal.alarm(0)
            world.close()


def main(suite, tests, limit=600):
    if shutil.which("nats-server") is None:
        print("SKIPPED: nats-server is needed")
        print("%s: 0 passed, 0 failed, 1 skipped" % suite)
        sys.exit(0)
    run_suite(suite, tests, sys.argv[5:], lambda test: run_test(test, limit))
