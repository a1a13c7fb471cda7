"""mmf_test.py - the package mmf: what each class does, and how it refuses."""
import asyncio
import gc
import multiprocessing
import os
import pickle
import select
import signal
import stat
import struct
import sys
import threading
import time
import unittest

from support import DEADLINE, NamespaceTest, run

import mmf
import mmf.shared_memory

try:
    import numpy
except ImportError:
    numpy = None

BLOCK, FAIL, DROP = mmf.Overflow


class MapTest(NamespaceTest):
    def test_is_a_buffer(self):
        with mmf.Map("Cat", 10000) as cat:
            self.assertTrue(cat.created)
            self.assertEqual((len(cat), cat.name, cat.readonly), (10000, "Cat", False))
            cat.buf[:5] = b"Hello"
            struct.pack_into("<q", cat, 8, -7)
            with mmf.Map("Cat", 1) as again:
                self.assertFalse(again.created)
                self.assertEqual(len(again), 10000)
                self.assertEqual(bytes(again.buf[:5]), b"Hello")
                self.assertEqual(struct.unpack_from("<q", again, 8), (-7,))
            with mmf.Map.open_existing("Cat", access=mmf.Access.READ) as reader:
                self.assertTrue(reader.readonly and memoryview(reader).readonly)
                with self.assertRaises(TypeError):
                    reader.buf[0] = 1
        self.refuses(mmf.NotFoundError, "MMF_E_NOT_FOUND", mmf.Map.open_existing, "Cat")

    def test_closes_with_live_views(self):
        cat = mmf.Map("Cat", 100)
        view, part = memoryview(cat), cat.buf[10:20]
        view[10] = 42
        cat.close()
        cat.close()
        self.assertTrue(cat.closed)
        self.assertEqual(part[0], 42)
        self.refuses(FileNotFoundError, "MMF_E_NOT_FOUND", mmf.Map.open_existing, "Cat")
        self.refuses(ValueError, "MMF_E_DISPOSED", memoryview, cat)
        self.refuses(ValueError, "MMF_E_DISPOSED", cat.flush)
        self.assertEqual(self.mappings(), 1)
        del view, part
        self.assertEqual(self.mappings(), 0)

    @unittest.skipIf(numpy is None, "numpy is not here")
    def test_numpy_sees_it_without_a_copy(self):
        cat = mmf.Map("Cat", 8000)
        numbers = numpy.frombuffer(cat, dtype=numpy.float64)
        numbers[:] = numpy.arange(1000)
        other = numpy.frombuffer(mmf.Map.open_existing("Cat"), dtype=numpy.float64)
        self.assertEqual(other.sum(), 499500)
        numbers[0] = 1
        self.assertEqual(other[0], 1)
        cat.close()
        self.assertEqual(numbers[999], 999)

    def test_files(self):
        path = os.path.join(self.directory, "file")
        with open(path, "wb") as file:
            file.write(b"x" * 10)
        with mmf.Map.of_file(path, "File") as first:
            with mmf.Map.open_existing("File") as second:
                second.buf[0] = ord("y")
            first.flush()
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"y" + b"x" * 9)
        os.unlink(path)
        self.refuses(FileNotFoundError, "MMF_E_NOT_FOUND", mmf.Map.of_file, path)

    def test_files_that_are_open(self):
        path = os.path.join(self.directory, "file")
        with open(path, "w+b") as file:
            file.write(b"x" * 10)
            file.flush()
            with mmf.Map.of_fd(file, "File") as first:
                self.assertTrue(first.created)
                with mmf.Map.open_existing("File") as second:
                    second.buf[0] = ord("y")
            before = self.descriptors()
            whole = mmf.Map.of_fd(file.fileno(), size=20)
            self.refuses(ValueError, "MMF_E_RANGE", mmf.Map.of_fd, file, size=5)
            self.assertEqual(os.fstat(file.fileno()).st_size, 20)
        with open(path, "rb") as file:
            self.refuses(PermissionError, "MMF_E_ACCESS", mmf.Map.of_fd, file)
            with mmf.Map.of_fd(file, access=mmf.Access.READ) as reader:
                self.assertTrue(reader.readonly)
        self.assertEqual(bytes(whole), b"y" + b"x" * 9 + bytes(10))
        whole.close()
        self.assertEqual(self.descriptors(), before - 1)
        number = os.dup(0)
        os.close(number)
        self.refuses(mmf.ClosedError, "MMF_E_DISPOSED", mmf.Map.of_fd, number)
        for wrong in (-1, "x", None):
            with self.assertRaises((TypeError, ValueError)):
                mmf.Map.of_fd(wrong)
        os.unlink(path)

    def test_refuses(self):
        with mmf.Map("Cat", 10):
            self.refuses(FileExistsError, "MMF_E_EXISTS", mmf.Map.create_new, "Cat", 10)
            self.refuses(ValueError, "MMF_E_MISMATCH", mmf.Map, "Cat", 11, exact_size=True)
            self.refuses(ValueError, "MMF_E_WRONG_KIND", mmf.Mutex, "Cat")
        error = self.refuses(ValueError, "MMF_E_RANGE", mmf.Map, "Zero", 0)
        self.assertEqual(error.parameter, "capacity")
        self.assertIsInstance(error, OSError)
        self.refuses(ValueError, "MMF_E_INVALID", mmf.Map, "", 10)
        self.refuses(ValueError, "MMF_E_INVALID", mmf.Map, "a\0b", 10)
        self.refuses(ValueError, "MMF_E_PATH_TOO_LONG", mmf.Map, "x" * 4000, 10)
        self.refuses(OSError, "MMF_E_PATH_NOT_FOUND", mmf.Map, "no\\such", 10)
        for wrong in (None, 5, b"Cat", "\udc80"):
            with self.assertRaises((TypeError, ValueError)):
                mmf.Map(wrong, 10)
        with self.assertRaises(TypeError):
            mmf.Map("Cat", "large")
        with mmf.Map.create_new(None, 10) as unnamed, self.assertRaises(TypeError):
            pickle.dumps(unnamed)

    def test_waits_for_a_name(self):
        made = []
        thread = threading.Timer(0.05, lambda: made.append(mmf.Map("Late", 10)))
        thread.start()
        with mmf.Map.open_existing("Late", wait=DEADLINE):
            pass
        thread.join()
        made[0].close()
        self.refuses(mmf.NotFoundError, "MMF_E_NOT_FOUND", mmf.Map.open_existing, "No",
                     wait=0.01)


class SyncTest(NamespaceTest):
    def test_mutex(self):
        gate = mmf.Mutex("Gate")
        with gate:
            self.assertFalse(gate.abandoned)
            self.assertTrue(gate.acquire(0))  # recursive
            gate.release()
            answers = run(lambda: (gate.acquire(0), gate.acquire(timeout=0.01)))
            self.assertEqual(answers, (False, False))
        error = self.refuses(mmf.StateError, "MMF_E_NOT_OWNER", gate.release)
        self.assertIsInstance(error, RuntimeError)
        run(gate.acquire)  # and its thread ends
        self.assertTrue(gate.acquire(DEADLINE))
        self.assertTrue(gate.abandoned)
        gate.release()
        gate.close()
        self.refuses(ValueError, "MMF_E_DISPOSED", gate.acquire)

    def test_event_and_semaphore(self):
        gate = mmf.Event("Gate", manual_reset=True, initially_set=True)
        turn = mmf.Event.create_new("Turn")
        seats = mmf.Semaphore("Seats", 1, 2)
        self.assertTrue(gate.wait() and gate.wait(0))
        gate.reset()
        self.assertFalse(gate.wait(0) or gate.wait(0.01))
        threading.Timer(0.02, turn.set).start()
        self.assertTrue(turn.wait(DEADLINE))
        self.assertFalse(turn.wait(0))
        self.assertTrue(seats.acquire())
        self.assertFalse(seats.acquire(0.01))
        self.assertEqual(seats.release(2), 0)
        self.refuses(mmf.FullError, "MMF_E_MAXIMUM", seats.release)
        self.refuses(ValueError, "MMF_E_RANGE", seats.release, 0)
        with self.assertRaises(OverflowError):
            seats.release(2**70)
        with seats:
            pass
        for timeout in (-1, float("nan"), -0.5):
            self.refuses(ValueError, "MMF_E_RANGE", gate.wait, timeout)
        with self.assertRaises(TypeError):
            gate.wait("soon")
        with self.assertRaises(TypeError):
            gate.wait(1, 2)
        with self.assertRaises(TypeError):
            gate.wait(time=1)

    def test_waits_for_several(self):
        gate, turn = mmf.Mutex("Gate"), mmf.Event("Turn")
        seats = mmf.Semaphore("Seats", 0, 1)
        self.assertIsNone(mmf.wait_any([turn, seats], 0.01))
        seats.release()
        self.assertEqual(mmf.wait_any([turn, seats]), 1)
        run(gate.acquire)
        self.assertEqual(mmf.wait_any((turn, gate), DEADLINE), 1)
        self.assertTrue(gate.abandoned)
        gate.release()
        self.assertFalse(mmf.wait_all([turn, gate], 0.01))
        turn.set()
        self.assertTrue(mmf.wait_all([turn, gate]))
        gate.release()
        self.assertTrue(mmf.signal_and_wait(turn, turn))
        self.assertFalse(mmf.signal_and_wait(turn, seats, 0.01))
        self.assertTrue(turn.wait(0))
        self.refuses(ValueError, "MMF_E_INVALID", mmf.wait_any, [])
        self.refuses(mmf.UnsupportedError, "MMF_E_NOT_SUPPORTED", mmf.wait_any, [turn] * 65)
        self.assertIsNone(mmf.wait_any([turn] * 64, 0))
        for wrong in ([turn, 5], [turn, None], 7):
            with self.assertRaises(TypeError):
                mmf.wait_any(wrong, 0)
        turn.close()
        self.refuses(ValueError, "MMF_E_DISPOSED", mmf.wait_any, [gate, turn])


class ChannelTest(NamespaceTest):
    def test_queue(self):
        jobs = mmf.Queue("Jobs", 16, 4, BLOCK)
        self.assertTrue(jobs.send(b"one") and jobs.send(data=bytearray(b"two"), timeout=0))
        self.assertTrue(jobs.send(memoryview(b"three")[1:]))
        self.assertEqual((jobs.receive(), jobs.receive(timeout=1)), (b"one", b"two"))
        self.assertEqual(jobs.receive(0), b"hree")
        self.assertIsNone(jobs.receive(0) or jobs.receive(0.01))
        self.assertEqual(jobs.send_many([b"1", b"2", b"3", b"4", b"5"], 0.01), 4)
        self.assertFalse(jobs.send(b"x", 0) or jobs.send(b"x", 0.01))
        self.assertEqual(jobs.receive_many(9), [b"1", b"2", b"3", b"4"])
        self.assertEqual(jobs.receive_many(9, 0), [])
        facts = jobs.stat()
        self.assertEqual((facts["sent"], facts["received"], facts["capacity"]), (7, 7, 4))
        self.assertEqual(jobs.message_size, 16)
        self.refuses(ValueError, "MMF_E_RANGE", jobs.send, b"x" * 17)
        for wrong in ("text", 5, None):
            with self.assertRaises(TypeError):
                jobs.send(wrong)
        # What comes before one that cannot be sent has been sent.
        self.refuses(ValueError, "MMF_E_RANGE", jobs.send_many, [b"1", b"x" * 17, b"2"])
        with self.assertRaises(TypeError):
            jobs.send_many(iter([b"3", "text", b"4"]))
        self.assertEqual(jobs.receive_many(9, 0), [b"1", b"3"])
        full = mmf.Queue("Full", 1, 1, FAIL)
        full.send(b"x")
        self.refuses(mmf.FullError, "MMF_E_FULL", full.send, b"x")
        self.refuses(ValueError, "MMF_E_MISMATCH", mmf.Queue, "Full", 2, 1, FAIL)
        self.refuses(ValueError, "MMF_E_WRONG_KIND", mmf.Topic.open_existing, "Full")
        self.refuses(ValueError, "MMF_E_RANGE", mmf.Queue, "Q", -1, 1, FAIL)
        self.refuses(mmf.UnsupportedError, "MMF_E_NOT_SUPPORTED", mmf.Queue.open_existing(
            "Full", role=mmf.Role.RECEIVE).send, b"x")
        jobs.close()
        self.refuses(ValueError, "MMF_E_DISPOSED", jobs.receive)
        self.refuses(ValueError, "MMF_E_DISPOSED", jobs.send, b"x")
        self.refuses(ValueError, "MMF_E_DISPOSED", jobs.stat)

    def test_messages_in_shared_memory(self):
        jobs = mmf.Queue("Jobs", 64, 4, BLOCK)
        with jobs.reserve(5) as slot:
            slot.data[:] = b"12345"
        with jobs.reserve() as slot:
            self.assertEqual(len(slot), 64)
            memoryview(slot)[:3] = b"abc"
            slot.commit(3)
        with self.assertRaises(ZeroDivisionError), jobs.reserve(5):
            1 / 0
        with jobs.take() as message:
            self.assertEqual((bytes(message), len(message)), (b"12345", 5))
            self.assertTrue(message.data.readonly)
            self.assertFalse(message.redelivered)
            self.assertGreater(message.sequence, 0)
        self.refuses(mmf.StateError, "MMF_E_STATE", memoryview, message)
        message = jobs.take(0)
        view = memoryview(message)
        with self.assertRaises(BufferError):
            message.release()
        view.release()
        self.assertEqual(jobs.stat()["in_flight"], 1)
        self.assertTrue(message.release() and message.release())
        self.assertIsNone(jobs.take(0))
        self.assertEqual((jobs.stat()["received"], jobs.stat()["in_flight"]), (2, 0))
        jobs.send(b"held")
        view = jobs.take().data
        jobs.close()
        self.assertEqual(bytes(view), b"held")  # no fault
        self.assertEqual(self.mappings(), 1)
        del view
        self.assertEqual(self.mappings(), 0)

    def test_messages_of_a_source(self):
        jobs = mmf.Queue("Jobs", 16, 8, BLOCK)

        def send(queue, source, position):
            slot = queue.reserve(8)
            slot.data[:] = b"%08d" % (position % 10**8)
            return slot.commit_from(source, position)
        self.assertEqual(jobs.applied(1), 0)
        self.assertLess(send(jobs, 1, 5), send(jobs, source=1, position=2**64 - 1))
        self.assertEqual((jobs.applied(1), jobs.applied(2)), (2**64 - 1, 0))
        self.refuses(mmf.ExistsError, "MMF_E_EXISTS", send, jobs, 1, 5)
        with jobs.reserve(8) as slot:
            slot.data[:3] = b"two"
            self.refuses(ValueError, "MMF_E_RANGE", slot.commit_from, 0, 1)
            self.refuses(ValueError, "MMF_E_RANGE", slot.commit_from, 2, 0)
            self.refuses(ValueError, "MMF_E_RANGE", slot.commit_from, 2, 1, 9)
            for wrong in ((-1, 1), (1, 2**64), ("1", 1), (1, None), (1,)):
                with self.assertRaises((OverflowError, TypeError)):
                    slot.commit_from(*wrong)
            view = slot.data
            with self.assertRaises(BufferError):
                slot.commit_from(2, 1)
            view.release()
            self.assertEqual(slot.commit_from(2, 1, length=3), slot.sequence)
            self.refuses(mmf.StateError, "MMF_E_STATE", slot.commit_from, 2, 2)
        self.assertEqual(jobs.applied(2), 1)
        self.refuses(ValueError, "MMF_E_RANGE", jobs.applied, 0)
        with self.assertRaises(TypeError):
            jobs.applied()
        with mmf.Queue.open_existing("Jobs") as other:
            self.assertEqual(other.applied(2), 1)
            self.refuses(mmf.Error, "MMF_E_SHARING", send, other, 2, 2)
        self.assertEqual(jobs.receive_many(9),
                         [b"00000005", b"09551615", b"two"])
        news = mmf.Topic("News", 16, 4, DROP)
        with news.reserve(1) as slot:
            self.refuses(mmf.UnsupportedError, "MMF_E_NOT_SUPPORTED", slot.commit_from, 1, 1)
        jobs.close()
        self.refuses(ValueError, "MMF_E_DISPOSED", jobs.applied, 1)

    def test_topic_and_latest(self):
        news = mmf.Topic("News", 16, 4, DROP, role=mmf.Role.SEND)
        reader = mmf.Topic.open_existing("News", role=mmf.Role.RECEIVE)
        for number in range(10):
            news.send(b"%d" % number)
        first = int(reader.receive())
        self.assertGreater(reader.lost, 0)
        self.assertEqual(first, reader.lost)
        self.assertEqual([int(text) for text in reader.receive_many(9)],
                         list(range(first + 1, 10)))
        message = None
        news.send(b"old")
        message = reader.take()
        for number in range(9):
            news.send(b"new")
        self.assertFalse(message.release())
        position = mmf.Latest("At", 16)
        self.assertIsNone(position.receive())
        self.assertFalse(position.wait(timeout=0.01))
        position.send(b"1")
        position.send(b"2")
        self.assertTrue(position.wait())
        self.assertEqual(position.receive(), b"2")
        self.assertFalse(position.wait(timeout=0))
        self.assertTrue(position.wait(0))
        with position.reserve(3) as slot:
            slot.data[:] = b"new"
        with position.take() as value:
            self.assertEqual(bytes(value), b"new")
        self.refuses(ValueError, "MMF_E_RANGE", position.send, b"x" * 17)

    def test_iterates_until_the_last_producer_closes(self):
        jobs = mmf.Queue("Jobs", 8, 4, BLOCK, role=mmf.Role.RECEIVE, peer_closed=True)

        def produce():
            with mmf.Queue.open_existing("Jobs", role=mmf.Role.SEND) as out:
                for number in range(100):
                    out.send(b"%d" % number)
        thread = threading.Thread(target=produce)
        thread.start()
        self.assertEqual([int(job) for job in jobs], list(range(100)))
        thread.join()
        self.refuses(mmf.PeerClosedError, "MMF_E_PEER_CLOSED", jobs.receive)

    def test_threads_share_a_handle(self):
        jobs = mmf.Queue("Jobs", 8, 4, BLOCK)
        got = []

        def consume():
            while (job := jobs.receive(DEADLINE)) != b"end":
                got.append(job)
        threads = [threading.Thread(target=consume) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(300):
            self.assertTrue(jobs.send(b"%d" % number, DEADLINE))
        for _ in threads:
            self.assertTrue(jobs.send(b"end", DEADLINE))
        for thread in threads:
            thread.join(DEADLINE)
        self.assertEqual(sorted(map(int, got)), list(range(300)))

    def test_close_ends_another_threads_wait(self):
        jobs = mmf.Queue("Jobs", 8, 4, BLOCK)
        entered = threading.Event()

        def consume():
            entered.set()
            try:
                return jobs.receive(DEADLINE)
            except mmf.ClosedError as why:
                return why.status
        answer = []
        thread = threading.Thread(target=lambda: answer.append(consume()))
        thread.start()
        entered.wait()
        jobs.close()
        thread.join(DEADLINE)
        self.assertEqual(answer, ["MMF_E_DISPOSED"])


class SettingsTest(NamespaceTest):
    def modes(self):
        return {stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
                for folder, _, names in os.walk(self.directory) for name in names}

    def test_who_finds_it(self):
        for kind, sizes in ((mmf.Map, (10,)), (mmf.Mutex, ()), (mmf.Event, ()),
                            (mmf.Semaphore, (0, 1)), (mmf.Queue, (8, 2, BLOCK)),
                            (mmf.Topic, (8, 2, BLOCK)), (mmf.Latest, (8,)),
                            (mmf.Service, (8, 8, 2))):
            with self.subTest(kind):
                one = kind("One", *sizes, mode=0o640)
                self.assertEqual(self.modes(), {0o640})
                one.close()
                one = kind.create_new("One", *sizes, all_users=True)
                self.assertEqual(self.modes(), {0o666})
                kind.open_existing("Global\\One").close()
                kind.open_existing("One", all_users=True).close()
                self.refuses(mmf.NotFoundError, "MMF_E_NOT_FOUND", kind.open_existing, "One")
                self.assertEqual([len(mmf.list(local=False)), len(mmf.list(everyones=False))],
                                 [1, 0])
                one.close()
                self.refuses(ValueError, "MMF_E_INVALID", kind, "Local\\One", *sizes,
                             all_users=True)

    def test_this_user_only(self):
        for kind, sizes in ((mmf.Mutex, ()), (mmf.Event, ()), (mmf.Semaphore, (0, 1))):
            with self.subTest(kind):
                mine = kind("Mine", *sizes, this_user_only=True)
                kind.open_existing("Mine", this_user_only=True).close()
                mine.close()
                plain = kind("Plain", *sizes)
                self.refuses(ValueError, "MMF_E_WRONG_KIND", kind.open_existing, "Plain",
                             this_user_only=True)
                plain.close()
                self.refuses(ValueError, "MMF_E_INVALID", kind, "Mine", *sizes,
                             this_user_only=True, all_users=True)

    def test_how_many_take_part(self):
        jobs = mmf.Queue("Jobs", 8, 2, BLOCK, role=mmf.Role.SEND, max_senders=1,
                         max_receivers=2)
        receivers = [mmf.Queue.open_existing("Jobs", role=mmf.Role.RECEIVE) for _ in range(2)]
        for role in (mmf.Role.SEND, mmf.Role.RECEIVE):
            self.refuses(mmf.FullError, "MMF_E_TOO_MANY", mmf.Queue.open_existing, "Jobs",
                         role=role)
        facts = jobs.stat()
        self.assertEqual((facts["max_senders"], facts["max_receivers"], facts["receivers"]),
                         (1, 2, 2))
        self.assertEqual(facts["identity"], receivers[0].stat()["identity"])
        self.refuses(mmf.UnsupportedError, "MMF_E_NOT_SUPPORTED", jobs.receive, 0)

    def test_older_messages(self):
        news = mmf.Topic("News", 8, 4, DROP, role=mmf.Role.SEND)
        news.send_many([b"1", b"2", b"3"])
        reader = mmf.Topic.open_existing("News", role=mmf.Role.RECEIVE, replay=2)
        self.assertEqual(reader.receive_many(9), [b"2", b"3"])
        self.assertIsNone(mmf.Topic.open_existing("News").receive(0))

    def test_every_strategy(self):
        for strategy in mmf.Strategy:
            with self.subTest(strategy), mmf.Queue("Jobs", 8, 1, BLOCK,
                                                   strategy=strategy) as jobs:
                self.assertIsNone(jobs.receive(0.01))
                with mmf.Queue.open_existing("Jobs", strategy=strategy) as other:
                    timer = threading.Timer(0.02, other.send, [b"x"])
                    timer.start()
                    self.assertEqual(jobs.receive(DEADLINE), b"x")
                    timer.join()

    def test_how_a_map_is_used(self):
        cat = mmf.Map("Cat", 10)
        cat.buf[0] = 1
        with mmf.Map.open_existing("Cat", access=mmf.Access.COPY_ON_WRITE) as own:
            own.buf[0] = 2
            self.assertEqual((own.buf[0], cat.buf[0]), (2, 1))
        path = os.path.join(self.directory, "file")
        with mmf.Map.of_file(path, size=10, file_mode=mmf.FileMode.CREATE_NEW) as file:
            file.buf[:3] = b"abc"
        with self.assertRaises(FileExistsError):
            mmf.Map.of_file(path, size=10, file_mode=mmf.FileMode.CREATE_NEW)
        with mmf.Map.of_file(path, size=20, file_mode=mmf.FileMode.OPEN_OR_CREATE) as file:
            self.assertEqual((len(file), bytes(file.buf[:4])), (20, b"abc\0"))
        with mmf.Map.of_file(path, access=mmf.Access.READ) as file:
            self.assertEqual((file.readonly, bytes(file.buf[:3])), (True, b"abc"))
        with mmf.Map.of_file(path, size=5, file_mode=mmf.FileMode.CREATE) as file:
            self.assertEqual(bytes(file), b"\0" * 5)
        os.unlink(path)

    def test_descriptors(self):
        turn, jobs, at = mmf.Event("Turn"), mmf.Queue("Jobs", 8, 2, BLOCK), mmf.Latest("At", 8)

        def receive_newer():
            return at.receive() if at.wait(None, 0) else None
        for one, signal_it, take in (
                (turn, turn.set, lambda: turn.wait(0) or None),
                (jobs, lambda: jobs.send(b"x"), lambda: jobs.receive(0)),
                (at, lambda: at.send(b"x"), receive_newer)):
            with self.subTest(one):
                for wanted in (0, 1, 1):  # readable without a reason, at first
                    if wanted:
                        signal_it()
                    end = time.monotonic() + DEADLINE
                    while select.select([one], [], [], DEADLINE if wanted else 0)[0]:
                        wanted -= take() is not None
                        self.assertLess(time.monotonic(), end)
                    self.assertEqual(wanted, 0)
                    self.assertIsNone(take())


class SignalTest(NamespaceTest):
    """A signal's handler runs at once, whatever the main thread waits for."""

    def interrupted(self, wait):
        def handler(number, frame):
            raise InterruptedError("by the handler")
        before = signal.signal(signal.SIGALRM, handler)
        try:
            start = time.monotonic()
            with self.assertRaisesRegex(InterruptedError, "by the handler"):
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                wait()
            self.assertLess(time.monotonic() - start, DEADLINE)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def test_every_wait(self):
        gate, turn = mmf.Mutex("Gate"), mmf.Event("Turn")
        owner = threading.Thread(target=self.hold, args=(gate,))
        self.done, self.held = threading.Event(), threading.Event()
        owner.start()
        self.held.wait()
        jobs = mmf.Queue("Jobs", 8, 1, BLOCK)
        news = mmf.Topic("News", 8, 4, BLOCK)
        position = mmf.Latest("At", 8)
        full = mmf.Queue("Full", 8, 1, BLOCK)
        full.send(b"x")
        for wait in (gate.acquire, turn.wait, mmf.Semaphore("Seats", 0, 1).acquire,
                     lambda: turn.wait(DEADLINE), lambda: mmf.wait_any([turn, gate]),
                     lambda: mmf.wait_all([turn, gate]), jobs.receive, jobs.take,
                     news.receive, position.wait, lambda: full.send(b"y"), full.reserve):
            self.interrupted(wait)
        self.done.set()
        owner.join()
        self.assertTrue(gate.acquire(DEADLINE))

    def hold(self, gate):
        with gate:
            self.held.set()
            self.done.wait(DEADLINE)

    def test_a_handler_that_returns_lets_the_wait_go_on(self):
        seen, turn = [], mmf.Event("Turn")
        before = signal.signal(signal.SIGALRM, lambda *_: (seen.append(1), turn.set()))
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        try:
            self.assertTrue(turn.wait(DEADLINE))
        finally:
            signal.signal(signal.SIGALRM, before)
        self.assertEqual(seen, [1])


class AsyncTest(NamespaceTest):
    def test_messages_come_in_order_while_the_loop_goes_on(self):
        jobs = mmf.Queue("Jobs", 8, 16, BLOCK, role=mmf.Role.RECEIVE, peer_closed=True)

        def produce():
            with mmf.Queue.open_existing("Jobs", role=mmf.Role.SEND) as out:
                for number in range(2000):
                    out.send(b"%d" % number)

        async def main():
            ticks = 0

            async def tick():
                nonlocal ticks
                while True:
                    ticks += 1
                    await asyncio.sleep(0)
            ticking = asyncio.create_task(tick())
            thread = threading.Thread(target=produce)
            thread.start()
            got = [int(job) async for job in jobs]
            ticking.cancel()
            thread.join()
            return got, ticks
        got, ticks = asyncio.run(main())
        self.assertEqual(got, list(range(2000)))
        self.assertGreater(ticks, 0)

    def test_waits_are_cancelled_and_nothing_is_lost(self):
        jobs = mmf.Queue("Jobs", 8, 16, BLOCK)
        turn, seats = mmf.Event("Turn"), mmf.Semaphore("Seats", 0, 9)

        async def main():
            for wait in (jobs.receive_async, turn.wait_async, seats.acquire_async):
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(wait(), 0.02)
            self.assertEqual(
                [watcher.waiting for watcher in mmf._loop._watchers.values()], [{}])
            waits = [asyncio.create_task(jobs.receive_async()) for _ in range(5)]
            await asyncio.sleep(0)
            waits[2].cancel()
            for number in range(4):
                await jobs.send_async(b"%d" % number)
            got = await asyncio.wait_for(
                asyncio.gather(*waits, return_exceptions=True), DEADLINE)
            self.assertIsInstance(got.pop(2), asyncio.CancelledError)
            self.assertEqual(sorted(got), [b"0", b"1", b"2", b"3"])
            wait = asyncio.create_task(turn.wait_async())
            await asyncio.sleep(0)
            await asyncio.to_thread(turn.set)
            self.assertTrue(await asyncio.wait_for(wait, DEADLINE))
        asyncio.run(main())

    def test_a_mutex_is_of_one_task(self):
        gate, order = mmf.Mutex("Gate"), []

        async def work(name):
            async with gate:
                order.append(name)
                await asyncio.sleep(0.01)
                order.append(name)

        async def main():
            taken, free = threading.Event(), threading.Event()

            def hold():
                with gate:
                    taken.set()
                    free.wait(DEADLINE)
            thread = threading.Thread(target=hold)
            thread.start()
            taken.wait()
            tasks = asyncio.gather(work("a"), work("b"), work("c"))
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(gate.acquire_async(), 0.02)
            free.set()
            await asyncio.wait_for(tasks, DEADLINE)
            thread.join()
        asyncio.run(main())
        self.assertEqual(order[::2], order[1::2])
        self.assertFalse(gate.abandoned)

    def test_latest_values(self):
        position = mmf.Latest("At", 8)
        sender = mmf.Latest.open_existing("At")

        async def main():
            got = []
            async for value in position:
                got.append(value)
                if value == b"end":
                    return got
                sender.send(b"end" if len(got) == 3 else b"%d" % len(got))
        sender.send(b"0")
        self.assertEqual(asyncio.run(asyncio.wait_for(main(), DEADLINE)),
                         [b"0", b"1", b"2", b"end"])


#
# Other processes.
#


def take_part(jobs, done, gate, cat):
    """In a process that was forked or spawned: the objects came pickled."""
    with gate:
        cat.buf[0] += 1
    for job in jobs:
        done.send(job * 2)
        if job == b"end":
            break


def own_and_die(gate):
    gate.acquire()
    os.kill(os.getpid(), signal.SIGKILL)


def send_and_die(jobs, positions):
    for position in positions:
        slot = jobs.reserve(8)
        slot.data[:] = position.to_bytes(8, "little")
        slot.commit_from(1, position)
    kept = jobs.reserve(8)
    assert kept is not None
    os.kill(os.getpid(), signal.SIGKILL)


def take_and_die(jobs):
    kept = jobs.take()
    assert kept is not None
    os.kill(os.getpid(), signal.SIGKILL)


class ProcessTest(NamespaceTest):
    def test_objects_travel(self):
        for method in ("fork", "spawn", "forkserver"):
            with self.subTest(method):
                context = multiprocessing.get_context(method)
                jobs, done = (mmf.Queue(name, 16, 8, BLOCK) for name in ("Jobs", "Done"))
                gate, cat = mmf.Mutex("Gate"), mmf.Map("Cat", 10)
                process = context.Process(target=take_part, args=(jobs, done, gate, cat))
                process.start()
                for job in (b"a", b"b", b"end"):
                    jobs.send(job)
                got = [done.receive(DEADLINE) for _ in range(3)]
                process.join(DEADLINE)
                self.assertEqual(process.exitcode, 0)
                self.assertEqual(got, [b"aa", b"bb", b"endend"])
                with gate:
                    self.assertEqual(cat.buf[0], 1)
                for one in (jobs, done, gate, cat):
                    one.close()

    def test_the_next_owner_sees_a_kill(self):
        context = multiprocessing.get_context("fork")
        gate = mmf.Mutex("Gate")
        jobs = mmf.Queue("Jobs", 16, 8, BLOCK)
        jobs.send(b"job")
        for target, argument in ((own_and_die, gate), (take_and_die, jobs)):
            process = context.Process(target=target, args=(argument,))
            process.start()
            process.join(DEADLINE)
            self.assertEqual(process.exitcode, -signal.SIGKILL)
        self.assertTrue(gate.acquire(DEADLINE) and gate.abandoned)
        gate.release()
        self.assertEqual(jobs.receive(DEADLINE), b"job")
        self.assertTrue(jobs.redelivered)

    def test_a_successor_goes_on_after_a_kill(self):
        context = multiprocessing.get_context("fork")
        jobs = mmf.Queue("Jobs", 8, 16, BLOCK)
        for start in (1, 4):
            self.assertEqual(jobs.applied(1), start - 1)
            process = context.Process(target=send_and_die,
                                      args=(jobs, range(start, start + 3)))
            process.start()
            process.join(DEADLINE)
            self.assertEqual(process.exitcode, -signal.SIGKILL)
        self.assertEqual([int.from_bytes(jobs.receive(DEADLINE), "little")
                          for _ in range(6)], [1, 2, 3, 4, 5, 6])
        self.assertEqual(jobs.applied(1), 6)

    def test_a_fork_reopens_or_says_why_not(self):
        cat, jobs = mmf.Map("Cat", 100), mmf.Queue("Jobs", 16, 8, BLOCK)
        unnamed, turn = mmf.Event(), mmf.Event("Turn")
        view = cat.buf
        view[0] = 7
        self.assertFalse(turn.wait(0.001))  # so that the thread for signals is there
        child = os.fork()
        if child == 0:
            status = 1
            try:
                assert view[0] == 7
                view[1] = 8
                jobs.send(b"from the child")
                assert not turn.wait(0.001)
                try:
                    unnamed.set()
                except mmf.ClosedError as why:
                    assert "before the fork" in str(why)
                    status = 0
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(view[1], 8)
        self.assertEqual(jobs.receive(DEADLINE), b"from the child")
        del view

    def test_pickles_by_name(self):
        kinds = [mmf.Map("Map", 10), mmf.Mutex("Mutex"), mmf.Event("Event"),
                 mmf.Semaphore("Semaphore", 0, 1), mmf.Queue("Queue", 8, 2, BLOCK),
                 mmf.Topic("Topic", 8, 2, DROP), mmf.Latest("Latest", 8)]
        for one in kinds:
            data = pickle.dumps(one)
            with self.subTest(one):
                copy = pickle.loads(data)
                self.assertEqual((copy.name, copy.created), (one.name, False))
                self.assertIsInstance(copy, type(one))
                copy.close()
                one.close()
                self.refuses(FileNotFoundError, "MMF_E_NOT_FOUND", pickle.loads, data)


class WholeTest(NamespaceTest):
    def test_channels_by_name(self):
        news = mmf.Topic("News", 8, 4, DROP)
        news.send(b"x")
        facts = mmf.channel_stat("News")
        self.assertEqual((facts["sent"], facts["senders"]), (1, 1))
        self.assertEqual(facts, news.stat())
        self.refuses(mmf.NotFoundError, "MMF_E_NOT_FOUND", mmf.channel_stat, "No")
        self.refuses(ValueError, "MMF_E_INVALID", mmf.channel_stat, "a\0b")
        with mmf.Map("Cat", 10):
            self.refuses(ValueError, "MMF_E_WRONG_KIND", mmf.channel_stat, "Cat")

    def test_the_memory_of_channels(self):
        small = mmf.channel_size("queue", 8, 4)
        self.assertGreater(mmf.channel_size("queue", 8, 4000), small + 4000 * 8)
        self.assertLess(mmf.channel_size("queue", 8, 4, spsc=True), small)
        self.assertLess(mmf.channel_size("topic", 8, 4, max_receivers=2),
                        mmf.channel_size("topic", 8, 4, max_receivers=1000))
        self.assertGreater(mmf.channel_size("latest", 1000, max_pins=100), 100000)
        refused = self.refuses(ValueError, "MMF_E_INVALID", mmf.channel_size, "map", 8, 4)
        self.assertIn('"map"', str(refused))
        self.refuses(ValueError, "MMF_E_RANGE", mmf.channel_size, "queue", -1, 4)
        self.refuses(ValueError, "MMF_E_RANGE", mmf.channel_size, "queue", 8)
        self.assertEqual(mmf.list(), [])

    def test_numbers_are_not_cut_off(self):
        for mode in 2**32 + 0o600, -2**32 + 0o600:
            for make in (lambda: mmf.Map("Cat", 10, mode=mode), lambda: mmf.Mutex("Cat", mode=mode),
                         lambda: mmf.Latest("Cat", 10, mode=mode),
                         lambda: mmf.Service("Cat", 8, 8, 2, mode=mode)):
                with self.assertRaises(OverflowError):
                    make()
        with self.assertRaises(OverflowError):
            mmf.Latest("Cat", 10, role=2**32 + 1)
        self.refuses(ValueError, "MMF_E_RANGE", mmf.Map, "Cat", 10, mode=-1)
        with mmf.Queue("Jobs", 8, 2, BLOCK):
            for sizes in (8, sys.maxsize), (sys.maxsize, 2), (sys.maxsize // 100, 1000):
                refused = self.refuses(ValueError, "MMF_E_RANGE", mmf.Queue.browse_bytes, "Jobs",
                                       *sizes)
                self.assertIn("address space", str(refused))

    def test_list(self):
        with mmf.Map("Cat", 100), mmf.Event("Turn"):
            found = {one.name: one for one in mmf.list()}
            self.assertEqual({name: one.kind for name, one in found.items()},
                             {"Cat": "map", "Turn": "event"})
            self.assertEqual((found["Cat"].size, found["Cat"].holders), (100, 1))
            self.assertEqual(found["Cat"].status, "in use")
            self.assertAlmostEqual(found["Cat"].created, time.time(), delta=60)
        self.assertEqual(mmf.list(), [])
        self.assertEqual(mmf.gc(), 0)

    def test_nothing_leaks(self):
        """Each kind opened, used and closed 10,000 times."""
        turn = mmf.Event("Always", manual_reset=True, initially_set=True)

        def a_map():
            with mmf.Map("Cat", 100) as cat:
                cat.buf[0] = 1

        def a_file():
            with open(__file__, "rb") as file:
                mmf.Map.of_fd(file, access=mmf.Access.READ).close()
                try:
                    mmf.Map.of_fd(file)
                except mmf.AccessError:
                    pass

        def a_queue():
            with mmf.Queue("Jobs", 8, 2, BLOCK) as jobs:
                jobs.send(b"x")
                with jobs.take() as message:
                    bytes(message)
                jobs.send(b"x")
                jobs.browse_bytes("Jobs", 8)

        def a_service():
            with mmf.Service("Sums", 8, 8, 2, max_clients=2) as sums:
                call = sums.send(b"x")
                with sums.receive() as request:
                    request.answer(request.data)
                list(sums.answers(call))
                sums.send(b"given up")

        def a_poller():
            with mmf.Poller() as poller:
                poller.add(turn)
                poller.ready()

        def a_block():
            block = mmf.shared_memory.SharedMemory(create=True, size=100)
            block.buf[0] = 1
            block.close()

        def all_of_them():
            mmf.list()
            mmf.wait_any([turn], 0)

        def a_failure():
            try:
                mmf.Map.open_existing("No")
            except mmf.NotFoundError:
                pass
        for use in (a_map, a_file, lambda: mmf.Mutex("Gate").close(), lambda: mmf.Event("Turn").set(),
                    lambda: mmf.Semaphore("Seats", 1, 2).acquire(), a_queue,
                    lambda: mmf.Topic("News", 8, 2, DROP).send(b"x"),
                    lambda: mmf.Latest("At", 8).send(b"x"), a_service, a_poller, a_block,
                    all_of_them, a_failure):
            for _ in range(1000):
                use()
            gc.collect()
            before = self.descriptors(), self.mappings()
            resident, objects = self.resident(), len(gc.get_objects())
            for _ in range(10000):
                use()
            gc.collect()
            self.assertEqual((self.descriptors(), self.mappings()), before)
            self.assertLess(self.resident() - resident, 2 << 20)
            self.assertLess(len(gc.get_objects()) - objects, 100)


if __name__ == "__main__":
    from support import main
    sys.exit(main("python"))
