"""random_test.py - calls in a random order with random arguments, on objects
that are open, closed or of another kind: each answers, or raises with a status. Nothing may
be left. MMF_TEST_SEED repeats a run.
"""
import array
import asyncio
import os
import random
import sys

from support import NamespaceTest

import mmf

BLOCK, FAIL, DROP = mmf.Overflow
VALUES = [0, 1, -1, 2, 2**31, 2**64 - 1, 2**70, 0.001, None, True, "x", "A", "a\0b", b"abc",
          b"x" * 99, b"", array.array("i", [1, 2]), float("nan"), [], [b"1", b"2"], BLOCK, DROP]
KINDS = [mmf.Map, mmf.Mutex, mmf.Event, mmf.Semaphore, mmf.Queue, mmf.Topic, mmf.Latest,
         mmf.Service, mmf.Poller]
SIZES = {mmf.Map: (100,), mmf.Semaphore: (1, 2), mmf.Latest: (64,), mmf.Queue: (64, 4, BLOCK),
         mmf.Topic: (64, 4, DROP), mmf.Service: (64, 64, 4)}
SETTINGS = {mmf.Queue: {"spsc": True}, mmf.Topic: {"max_pins": 2}, mmf.Latest:
            {"single_producer": True}, mmf.Service: {"max_calls": 2},
            mmf.Event: {"manual_reset": True}}
LENT = (mmf.Message, mmf.Request, mmf.Slot)
WAITING = {"acquire", "wait", "receive", "take", "reserve", "send", "send_many", "drain",
           "receive_many", "call", "take_answer", "answer", "reserve_answer", "answers"}
NEVER = {"of_file", "of_fd"}
RARE = ("Queue.drain", "Message.return_", "Service.call", "Request.answer",
        "Service.take_answer", "Slot.commit", "Slot.commit_from", "Queue.applied",
        "Poller.ready")


class RandomTest(NamespaceTest):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("MMF_TEST_SEED", random.randrange(2**32)))
        self.choose = random.Random(self.seed)
        self.objects, self.held, self.seen = [], [], set()

    def tearDown(self):
        self.objects.clear()
        self.held.clear()
        super().tearDown()

    def make(self):
        kind = self.choose.choice(KINDS)
        if kind is mmf.Poller:
            made = kind()
        else:
            settings = SETTINGS.get(kind, {}) if self.choose.random() < 0.3 else {}
            own = kind.__name__ if self.choose.random() < 0.7 else ""
            made = kind(own + self.choose.choice("AB"), *SIZES.get(kind, ()), **settings)
        if len(self.objects) < 14:
            self.objects.append(made)
        else:
            self.objects[self.choose.randrange(14)] = made

    def arguments(self, name):
        # Going through a channel waits for its messages.
        others = [] if name == "send_many" else self.objects + self.held
        return [self.choose.choice(VALUES + others)
                for _ in range(self.choose.randrange(3))]

    def in_a_block(self, one):
        with one:
            if self.choose.random() < 0.5:
                raise ZeroDivisionError

    def in_a_loop(self, member, arguments):
        async def collect():
            return [one async for one in member(*arguments)]

        async def run():
            several = member.__name__ == "answers_async"
            await asyncio.wait_for(collect() if several else member(*arguments), 0.001)
        asyncio.run(run())

    def of_several(self):
        several = [self.choose.choice(self.objects) for _ in range(self.choose.randrange(4))]
        self.choose.choice([
            lambda: mmf.wait_any(several, 0), lambda: mmf.wait_all(several, 0),
            lambda: mmf.signal_and_wait(*several[:2], 0), lambda: mmf.list(),
            lambda: mmf.Queue.browse(self.choose.choice(["QueueA", "A", "B"]))])()

    def keep(self, answer):
        if isinstance(answer, LENT + (memoryview,)):
            self.held.append(answer)
        del self.held[:-6]

    def step(self):
        if len(self.objects) < 14 or self.choose.random() < 0.1:
            self.make()
        if self.choose.random() < 0.05:
            return self.of_several()
        few = self.held if self.held and self.choose.random() < 0.3 else []
        target = self.choose.choice(few or self.objects)
        if isinstance(target, LENT) and self.choose.random() < 0.2:
            return self.in_a_block(target)
        name = self.choose.choice([name for name in dir(target)
                                   if not name.startswith("_") and name not in NEVER])
        if name == "close" and self.choose.random() < 0.8:
            return None  # else most are closed
        self.seen.add(f"{type(target).__name__}.{name}")
        member = getattr(target, name)
        if not callable(member):
            return self.keep(member)
        arguments = self.arguments(name)
        if name.endswith("_async") and name != "release_async":
            return self.in_a_loop(member, arguments)
        settings = {"timeout": self.choose.choice([0, 0.001])} if name in WAITING else {}
        if isinstance(target, mmf.Latest) and name in ("send", "receive"):
            settings = {}
        answer = member(*arguments[:-1] if settings else arguments, **settings)
        return self.keep(list(answer) if name == "answers" else answer)

    def test_random_calls_answer_or_raise(self):
        steps = 100000 if os.environ.get("MMF_TEST_LONG") else 20000
        done = refused = 0
        # What takes several lucky steps may need more of them than there are.
        while done < steps or (not self.seen.issuperset(RARE) and done < 20 * steps):
            done += 1
            try:
                self.step()
            except mmf.Error as why:
                refused += 1
                self.assertTrue(why.status.startswith("MMF_") and str(why), self.seed)
            except (TypeError, ValueError, OverflowError, BufferError, ZeroDivisionError,
                    AttributeError, MemoryError, asyncio.TimeoutError):
                pass
        print(f"seed {self.seed}: {len(self.seen)} members, {refused} refused")
        for called in RARE:
            self.assertIn(called, self.seen, self.seed)


if __name__ == "__main__":
    from support import main
    sys.exit(main("python_random"))
