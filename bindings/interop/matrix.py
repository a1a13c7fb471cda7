#!/usr/bin/env python3
"""matrix.py [--kinds KIND,...] LANGUAGE=COMMAND... - every language as producer and as
consumer of every other one, for each kind of object; and kills at random.

A command starts a peer: bindings/interop/peer.c says what that understands. A language that
knows some kinds only has them in brackets: csharp[map,mutex]=COMMAND. No peer may hang, and
nothing may be left in the namespace. MMF_TEST_LONG=1 has more kills.
"""
import os
import random
import re
import select
import shutil
import subprocess
import sys
import tempfile

DEADLINE = 60


class Failure(Exception):
    pass


class Peer:
    def __init__(self, command, directory):
        self.process = subprocess.Popen(
            command.split(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
            env={**os.environ, "MMF_DIR": directory})
        self.buffer, self.said = b"", command
        self.expect("ready", self.answer())

    def answer(self):
        while b"\n" not in self.buffer:
            if not select.select([self.process.stdout], [], [], DEADLINE)[0]:
                raise Failure(f"{self.said}: no answer")
            data = os.read(self.process.stdout.fileno(), 4096)
            if not data:
                raise Failure(f"{self.said}: it ended")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode().rstrip("\r")

    def expect(self, wanted, got):
        if got != wanted:
            raise Failure(f"{self.said}: {got!r}, not {wanted!r}")

    def tell(self, line):
        self.said = line
        self.process.stdin.write(line.encode() + b"\n")

    def does(self, line, wanted="ok"):
        self.tell(line)
        self.expect(wanted, self.answer())

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


#
# One kind each: `one` begins, `other` goes on, and of one of them nothing remains.
#


def play_map(one, other):
    one.does("map-new Cat 100")
    one.does("write 8 42")
    other.does("map-open Cat")
    other.does("read 8", "ok 42")
    other.does("write 96 7")
    one.does("read 96", "ok 7")
    other.does("map-new Cat 5", "failed MMF_E_EXISTS")
    one.kill()
    other.does("read 8", "ok 42")
    other.does("map-close")
    other.does("map-open Cat", "failed MMF_E_NOT_FOUND")


def play_mutex(one, other):
    one.does("mutex Gate free", "created")
    other.does("mutex Gate free", "opened")
    one.does("wait mutex 0")
    other.does("wait mutex 0", "timed-out")
    other.tell("wait mutex 20000")  # asleep, or about to be
    one.kill()
    other.expect("abandoned", other.answer())
    other.does("release mutex")
    other.does("wait mutex 0")
    other.does("release mutex")
    other.does("release mutex", "failed MMF_E_NOT_OWNER")


def play_event(one, other):
    one.does("event Turn auto", "created")
    other.does("event Turn auto", "opened")
    other.does("wait event 0", "timed-out")
    other.tell("wait event 20000")
    one.does("release event")
    other.expect("ok", other.answer())
    other.does("wait event 0", "timed-out")
    other.does("release event")
    one.does("wait event 20000")
    one.does("release event")
    one.kill()
    other.does("wait event 0")


def play_semaphore(one, other):
    one.does("semaphore Seats 1 2", "created")
    other.does("semaphore Seats 0 9", "opened")
    other.does("wait semaphore 0")
    other.tell("wait semaphore 20000")
    one.tell("release semaphore")
    one.answer()
    other.expect("ok", other.answer())
    other.does("wait semaphore 0", "timed-out")


def play_queue(one, other):
    one.does("queue Jobs", "created")
    other.does("queue Jobs", "opened")
    other.does("receive queue 0", "timed-out")
    other.tell("receive queue 20000")
    one.does("send queue first")
    other.expect("ok first", other.answer())
    for number in range(20):
        one.does(f"send queue job-{number}")
        other.does("receive queue 20000", f"ok job-{number}")
    one.does("send queue last")
    other.does("take queue 20000", "ok last")
    other.kill()
    one.does("receive queue 20000", "again last")


def play_topic(one, other):
    one.does("topic News", "created")
    other.does("topic News", "opened")
    for number in range(20):
        one.does(f"send topic news-{number}")
        other.does("receive topic 20000", f"ok news-{number}")
        one.does("receive topic 20000", f"ok news-{number}")
    one.does("send topic last")
    one.kill()
    other.does("receive topic 20000", "ok last")
    other.does("receive topic 0", "timed-out")


def play_latest(one, other):
    one.does("latest At", "created")
    other.does("latest At", "opened")
    other.does("receive latest 0", "timed-out")
    for number in range(20):
        one.does(f"send latest at-{number}")
        other.does("receive latest 20000", f"ok at-{number}")
    one.kill()
    other.does("receive latest 20000", "ok at-19")
    other.does("send latest mine")
    other.does("receive latest 20000", "ok mine")


def play_service(one, other):
    one.does("service Sums", "created")
    other.does("service Sums", "opened")
    other.does("serve 0", "timed-out")
    other.tell("serve 20000")
    one.does("ask a")
    other.expect("ok a", other.answer())
    one.does("answer 20000", "last a")
    for number in range(10, 30):
        one.does(f"ask {number}")
        other.does("serve 20000", f"ok {number}")
        one.does("answer 20000", f"more {number // 10}")
        one.does("answer 20000", f"last {number % 10}")
    one.does("ask cd")  # two calls at a time
    one.does("ask ef")
    other.does("serve 20000", "ok cd")
    other.does("serve 20000", "ok ef")
    got = []
    for _ in range(4):
        one.tell("answer 20000")
        got.append(one.answer())
    one.expect(["last d", "last f", "more c", "more e"], sorted(got))
    one.does("ask gh")
    other.does("hold 20000", "ok gh")
    other.kill()
    one.does("serve 20000", "again gh")  # another server has it
    one.does("answer 20000", "more g")
    one.does("answer 20000", "last h")


PLAYS = {"map": play_map, "mutex": play_mutex, "event": play_event,
         "semaphore": play_semaphore, "queue": play_queue, "topic": play_topic,
         "latest": play_latest, "service": play_service}


#
# Kills at random.
#


OBJECTS = ("mutex Gate free", "event Turn auto", "queue Jobs", "topic News", "latest At",
           "service Sums")


def call_own_service(peer):
    """What dead clients have asked comes before it, and what dead servers had."""
    peer.does("ask y")
    for _ in range(20):
        peer.tell("serve 20000")
        if peer.answer() in ("ok y", "again y"):
            return peer.does("answer 20000", "last y")
    raise Failure("a request does not come")


def storm(choose, start, languages):
    """A chain of peers; one is killed in the middle of a call, and the rest goes on."""
    peers = [start(choose.choice(languages)) for _ in range(3)]
    for peer in peers:
        for line in OBJECTS:
            peer.tell(line)
            if peer.answer() not in ("created", "opened"):
                raise Failure(f"{line}: neither created nor opened")
    for round in range(choose.randrange(1, 8)):
        victim = choose.randrange(3)
        peers[victim].tell(choose.choice([
            "wait mutex 20000", "wait event 20000", "release event", "send queue x", "receive queue 20000", "take queue 20000",
            "send topic x", "receive topic 20000", "send latest x", "ask ab",
            "serve 20000", "hold 20000"]))
        if choose.random() < 0.5:
            select.select([peers[victim].process.stdout], [], [],
                          choose.random() * 0.002)  # in the middle of it, or after it
        peers[victim].kill()
        for peer in peers[:victim] + peers[victim + 1:]:
            peer.tell("wait mutex 20000")
            if peer.answer() not in ("ok", "abandoned"):
                raise Failure("a survivor did not get the mutex")
            peer.does("release mutex")
            peer.does("release event")
            peer.does("wait event 20000")  # whichever dead process was to have it
            peer.does("send topic y")
            peer.does("send latest y")
            peer.does("receive latest 20000", "ok y")
            call_own_service(peer)
        peers[victim] = start(choose.choice(languages))
        for line in OBJECTS:
            peers[victim].tell(line)
            peers[victim].answer()
    for peer in peers:
        peer.kill()


def main():
    commands, kinds = {}, {}
    for argument in sys.argv[1:]:
        name, known, command = re.fullmatch(r"(\w+)(?:\[(.*)\])?=(.*)", argument).groups()
        commands[name], kinds[name] = command, known.split(",") if known else list(PLAYS)
    passed = failed = 0
    seed = int(os.environ.get("MMF_TEST_SEED", random.randrange(2**32)))
    choose = random.Random(seed)

    def attempt(title, play):
        """In a namespace of its own, where nothing may be left."""
        nonlocal passed, failed
        directory = tempfile.mkdtemp(prefix="mmf-test-", dir="/dev/shm")
        started = []

        def start(language):
            started.append(Peer(commands[language], directory))
            return started[-1]
        why = None
        try:
            play(start)
            for peer in started:
                peer.kill()
            start(next(iter(commands))).does("gc")
            left = [name for _, _, names in os.walk(directory) for name in names]
            if left:
                why = f"left: {left}"
        except Failure as failure:
            why = str(failure)
        for peer in started:
            peer.process.kill()
        shutil.rmtree(directory)
        passed, failed = passed + (not why), failed + bool(why)
        if why:
            print(f"FAILED: {title}: {why}")

    for kind, play in PLAYS.items():
        for one in commands:
            for other in commands:
                if kind in kinds[one] and kind in kinds[other]:
                    attempt(f"{kind}: {one} to {other}",
                            lambda start: play(start(one), start(other)))
    all_kinds = [name for name in commands if kinds[name] == list(PLAYS)]
    rounds = 300 if os.environ.get("MMF_TEST_LONG") else 30
    for round in range(rounds):
        attempt(f"kills at random, seed {seed}, round {round}",
                lambda start: storm(choose, start, all_kinds))
    print(f"interop: {', '.join(commands)}; {rounds} rounds of kills, seed {seed}")
    print(f"interop: {passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
