"""gate.py - between a bridge and its server: one of the bridge's requests can be held up, and
all that it sends afterwards, until the test has done what is to come before it."""
import re
import socket
import threading


class Stop:
    def __init__(self, pattern):
        self.pattern = re.compile(pattern)
        self.is_held, self.may_pass = threading.Event(), threading.Event()


class Gate:
    def __init__(self, server, deadline):
        self.target, self.deadline = server.port, deadline
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "nats://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.subjects = []  # of all that the bridge has published
        self.stop = None
        threading.Thread(target=self.accept, daemon=True).start()

    def hold(self, pattern):
        """The next publish to a subject that has it stops here; what stopped before goes on."""
        before = self.stop
        self.stop = Stop(pattern)
        if before:
            before.may_pass.set()

    def wait(self):
        assert self.stop.is_held.wait(self.deadline), (self.stop.pattern, self.subjects[-20:])

    def release(self):
        if self.stop:
            self.stop.may_pass.set()

    def count(self, part):
        return sum(part in subject for subject in self.subjects)

    def close(self):
        self.release()
        self.listener.close()

    def accept(self):
        while True:
            try:
                bridge, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:  # the test is over
                return
            for end in (bridge, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for carry, *ends in ((self.carry_requests, bridge, server),
                                 (self.carry_answers, server, bridge)):
                threading.Thread(target=self.run, args=(carry, *ends), daemon=True).start()

    @staticmethod
    def run(carry, source, sink):
        """Until one of both ends; then the other one does."""
        try:
            carry(source, sink)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def carry_answers(source, sink):
        while data := source.recv(1 << 18):
            sink.sendall(data)

    def carry_requests(self, source, sink):
        stream = source.makefile("rb")
        while line := stream.readline():
            words = line.split()
            if words and words[0] in (b"PUB", b"HPUB"):
                line += stream.read(int(words[-1]) + 2)
                self.stop_at(words[1].decode())
            sink.sendall(line)

    def stop_at(self, subject):
        stop = self.stop
        self.subjects.append(subject)
        if stop and not stop.is_held.is_set() and stop.pattern.search(subject):
            stop.is_held.set()
            stop.may_pass.wait(self.deadline)
