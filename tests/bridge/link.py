"""link.py - the way between two servers: a proxy that delays what goes over it, holds it up
for a while (what a lost packet does to TCP), and cuts the connection."""
import random
import selectors
import socket
import threading
import time
from collections import deque


class Link:
    def __init__(self, port, delay=0.0, stall=0.0, often=0.0):
        """To `port`. Each piece is late by `delay` seconds; of 1, `often` pieces are held up
        for `stall` seconds more, and all that follows with them."""
        self.target, self.delay, self.stall, self.often = port, delay, stall, often
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pairs, self.cuts, self.ends = [], 0, False
        self.lock = threading.Lock()
        self.wake, self.waker = socket.socketpair()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def cut(self):
        """Both ends see the end of the connection."""
        with self.lock:
            self.cuts += 1
        self.waker.send(b"x")

    def close(self):
        self.ends = True
        self.waker.send(b"x")
        self.thread.join()

    def run(self):
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.selector.register(self.wake, selectors.EVENT_READ, None)
        self.ways = {}  # a socket: (the other one, what is on its way there)
        while not self.ends:
            for key, _ in self.selector.select(self.pause()):
                if key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj is self.wake:
                    self.wake.recv(100)
                    self.cut_now()
                elif key.fileobj in self.ways:
                    self.read(key.fileobj)
            self.deliver()
        self.drop_all()
        for end in (self.listener, self.wake, self.waker):
            end.close()

    def pause(self):
        due = [way[1][0][0] for way in self.ways.values() if way[1]]
        return max(0.0, min(due) - time.monotonic()) if due else 1.0

    def accept(self):
        one, _ = self.listener.accept()
        try:
            other = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            one.close()
            return
        other.settimeout(None)
        for end, peer in ((one, other), (other, one)):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.ways[end] = (peer, deque())
            self.selector.register(end, selectors.EVENT_READ, None)

    def drop(self, end):
        peer = self.ways[end][0]
        for one in (end, peer):
            if self.ways.pop(one, None) is not None:
                self.selector.unregister(one)
                one.close()

    def cut_now(self):
        with self.lock:
            cuts, self.cuts = self.cuts, 0
        if cuts:
            self.drop_all()

    def drop_all(self):
        while self.ways:
            self.drop(next(iter(self.ways)))

    def read(self, end):
        try:
            data = end.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            self.drop(end)
            return
        on_its_way = self.ways[end][1]
        due = time.monotonic() + self.delay
        if random.random() < self.often:
            due += self.stall
        if on_its_way:
            due = max(due, on_its_way[-1][0])
        on_its_way.append((due, data))

    def deliver(self):
        now = time.monotonic()
        for end, (peer, on_its_way) in list(self.ways.items()):
            while end in self.ways and on_its_way and on_its_way[0][0] <= now:
                try:
                    peer.sendall(on_its_way.popleft()[1])
                except OSError:
                    self.drop(end)
