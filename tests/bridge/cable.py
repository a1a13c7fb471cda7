"""cable.py - the way between two network namespaces: each has a device whose packets come
here (/dev/net/tun), are delayed, are lost now and then, and go to the other one. Cut, it
carries none for a while, and no end notices."""
import fcntl
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections import deque

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000


class Impossible(Exception):
    pass


class Cable:
    def __init__(self, delay, jitter, loss, seed):
        """A packet is late by `delay` seconds and up to `jitter` more, in order; `loss` of 1
        never come."""
        self.delay, self.jitter, self.loss = delay, jitter, loss
        self.random = random.Random(seed)
        self.names = ["mmf-%s-%d" % (side, os.getpid()) for side in "ab"]
        self.addresses = ["10.213.7.1", "10.213.7.2"]
        self.ends, self.ways = [], []
        self.carried = self.lost = self.dropped = 0
        self.cut_until, self.is_closing, self.thread = 0.0, False, None
        self.wake, self.waker = os.pipe()
        try:
            for i in (0, 1):
                self.make_end(i)
        except (OSError, subprocess.CalledProcessError) as failure:
            self.close()
            raise Impossible(str(getattr(failure, "stderr", None) or failure)) from failure
        self.ways = [deque(), deque()]  # to the other end: (when, packet)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    @staticmethod
    def ip(*arguments, check=True):
        subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True,
                       timeout=60)

    def within(self, i):
        return "ip", "netns", "exec", self.names[i]

    def make_end(self, i):
        """The device is made here, and moves; its descriptor stays."""
        name = self.names[i]
        self.ip("netns", "add", name)
        self.ends.append(os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK))
        device = "mmf%d%s" % (os.getpid(), "ab"[i])
        fcntl.ioctl(self.ends[i], TUNSETIFF,
                    struct.pack("16sH22x", device.encode(), IFF_TUN | IFF_NO_PI))
        self.ip("link", "set", device, "netns", name, "name", "cable")
        self.ip("-n", name, "address", "add", self.addresses[i] + "/24", "dev", "cable")
        for device in ("cable", "lo"):
            self.ip("-n", name, "link", "set", device, "up")

    def cut(self):
        self.cut_until = time.monotonic() + self.random.uniform(0, 1.5)

    def close(self):
        self.is_closing = True
        os.write(self.waker, b"x")
        if self.thread:
            self.thread.join()
        for end in [*self.ends, self.wake, self.waker]:
            os.close(end)
        for name in self.names:
            self.ip("netns", "del", name, check=False)

    def run(self):
        while not self.is_closing:
            due = [way[0][0] for way in self.ways if way]
            pause = max(0.0, min(due) - time.monotonic()) if due else None
            readable, _, _ = select.select([*self.ends, self.wake], [], [], pause)
            for i in (0, 1):
                if self.ends[i] in readable:
                    self.read(i)
                self.deliver(i)

    def read(self, i):
        now, way = time.monotonic(), self.ways[1 - i]
        for _ in range(64):
            try:
                packet = os.read(self.ends[i], 65536)
            except BlockingIOError:
                return
            if now < self.cut_until:
                self.dropped += 1
            elif self.random.random() < self.loss:
                self.lost += 1
            else:
                due = now + self.delay + self.random.uniform(0, self.jitter)
                way.append((max(due, way[-1][0]) if way else due, packet))

    def deliver(self, i):
        now, way = time.monotonic(), self.ways[i]
        while way and way[0][0] <= now:
            try:
                os.write(self.ends[i], way.popleft()[1])
                self.carried += 1
            except OSError:  # its queue is full: one more that is lost
                self.lost += 1

    def __str__(self):
        return ("%d packets, each %d to %d ms late; %d lost (%.1f %%), %d more while it was cut" % (
            self.carried, 1000 * self.delay, 1000 * (self.delay + self.jitter), self.lost,
            100 * self.lost / max(1, self.carried + self.lost), self.dropped))
