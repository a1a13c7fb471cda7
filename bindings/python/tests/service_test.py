"""service_test.py - services, pollers, and what queues and pinned values do with messages
that are not released."""
import asyncio
import gc
import multiprocessing
import os
import pickle
import select
import signal
import sys
import threading
import time
import unittest

from support import DEADLINE, NamespaceTest

import mmf

BLOCK, FAIL, DROP = mmf.Overflow
CLIENT, SERVER = mmf.Role.CLIENT, mmf.Role.SERVER


class InFlightTest(NamespaceTest):
    def test_a_block_that_raises_returns_its_message(self):
        jobs = mmf.Queue("Jobs", 16, 4, BLOCK)
        jobs.send(b"job")
        for times in range(1, 4):
            with self.assertRaises(ZeroDivisionError), jobs.take(DEADLINE) as job:
                self.assertEqual((job.deliveries, job.redelivered), (times, times > 1))
                1 / 0
        with jobs.take(DEADLINE) as job:
            self.assertEqual((bytes(job), job.deliveries), (b"job", 4))
        self.assertIsNone(jobs.take(0.05))
        self.assertEqual(jobs.stat()["received"], 1)

    def test_return_release_and_neither(self):
        jobs = mmf.Queue("Jobs", 16, 4, BLOCK)
        other = mmf.Queue.open_existing("Jobs", role=mmf.Role.RECEIVE)
        jobs.send(b"job")
        job = jobs.take()
        job.return_()
        self.refuses(mmf.StateError, "MMF_E_STATE", job.return_)
        job = other.take(DEADLINE)
        self.assertEqual(job.deliveries, 2)
        view = job.data
        with self.assertRaises(BufferError):
            job.return_()
        del view, job  # neither: it was not acknowledged
        self.assertEqual(jobs.receive(DEADLINE), b"job")
        self.assertEqual((jobs.deliveries, jobs.redelivered), (3, True))
        news = mmf.Topic("News", 16, 4, DROP)
        news.send(b"news")
        self.refuses(mmf.UnsupportedError, "MMF_E_NOT_SUPPORTED", news.take().return_)

    def test_one_consumer_has_no_other_to_return_to(self):
        jobs = mmf.Queue("Jobs", 16, 4, BLOCK, spsc=True)
        jobs.send(b"job")
        with self.assertRaises(ZeroDivisionError), jobs.take() as job:
            1 / 0
        self.refuses(mmf.UnsupportedError, "MMF_E_NOT_SUPPORTED", job.return_)
        self.assertTrue(job.release())

    def test_drain_and_browse(self):
        jobs = mmf.Queue("Jobs", 16, 4, BLOCK)
        self.assertTrue(jobs.drain(0))
        jobs.send(b"first")
        jobs.send(b"second")
        job = jobs.take()
        first, second = mmf.Queue.browse("Jobs")
        self.assertEqual((first.length, first.state, first.deliveries, first.pid),
                         (5, "in flight", 1, os.getpid()))
        self.assertGreaterEqual(first.age, 0)
        self.assertEqual((second.length, second.state, second.deliveries, second.age,
                          second.pid), (6, "waiting", 0, None, None))
        self.assertEqual((first.data, second.data), (None, None))
        self.assertEqual([item.data for item in jobs.browse_bytes("Jobs", 3)],
                         [b"fir", b"sec"])
        self.assertEqual([item.data for item in jobs.browse_bytes("Jobs", 16, most=1)],
                         [b"first"])
        self.assertEqual(len(jobs.browse("Jobs", most=1)), 1)
        self.assertFalse(jobs.drain(0.01))
        job.release()
        thread = threading.Thread(target=lambda: (time.sleep(0.01), jobs.receive()))
        thread.start()
        self.assertTrue(jobs.drain(DEADLINE))
        thread.join()
        self.assertEqual(jobs.browse("Jobs"), [])
        self.refuses(mmf.NotFoundError, "MMF_E_NOT_FOUND", mmf.Queue.browse, "No")
        self.refuses(ValueError, "MMF_E_RANGE", mmf.Queue.browse, "Jobs", 0)
        self.refuses(ValueError, "MMF_E_RANGE", mmf.Queue.browse_bytes, "Jobs", -1)
        self.refuses(ValueError, "MMF_E_RANGE", mmf.Queue.browse_bytes, "Jobs", 2**62, 4)
        self.refuses(ValueError, "MMF_E_INVALID", mmf.Queue.browse, "a\0b")
        self.refuses(mmf.UnsupportedError, "MMF_E_NOT_SUPPORTED", mmf.Queue.open_existing(
            "Jobs", role=mmf.Role.RECEIVE).drain)

    def test_pins(self):
        frames = mmf.Latest("Frames", 8, max_pins=2)
        frames.send(b"0")
        first = frames.take()
        for number in range(1, 20):  # no writer waits, and none overwrites it
            frames.send(b"%d" % number)
        self.assertEqual(bytes(first), b"0")
        self.refuses(mmf.StateError, "MMF_E_STATE", frames.take)
        others = [mmf.Latest.open_existing("Frames") for _ in range(2)]
        second = others[0].take()
        self.assertEqual(bytes(second), b"19")
        self.refuses(mmf.FullError, "MMF_E_TOO_MANY", others[1].take)
        self.assertEqual((frames.stat()["pins"], frames.stat()["max_pins"]), (2, 2))
        self.assertTrue(first.release() and second.release())
        news = mmf.Topic("News", 8, 4, DROP, max_pins=1)
        news.send(b"kept")
        kept = news.take()
        for _ in range(30):
            news.send(b"new")
        self.assertEqual(bytes(kept), b"kept")
        self.assertTrue(kept.release())
        self.refuses(ValueError, "MMF_E_INVALID", mmf.Topic, "T", 8, 4, BLOCK, max_pins=1)

    def test_single_producer(self):
        for make in (lambda **more: mmf.Topic("News", 8, 4, DROP, **more),
                     lambda **more: mmf.Latest("At", 8, **more)):
            one = make(single_producer=True, role=mmf.Role.SEND)
            self.refuses(mmf.Error, "MMF_E_SHARING", type(one).open_existing, one.name,
                         role=mmf.Role.SEND)
            with type(one).open_existing(one.name, role=mmf.Role.RECEIVE) as reader:
                one.send(b"x")
                self.assertEqual(reader.receive(), b"x")
            self.refuses(ValueError, "MMF_E_MISMATCH", make)


class ServiceTest(NamespaceTest):
    def setUp(self):
        super().setUp()
        self.client = mmf.Service("Sums", 64, 32, 8, role=CLIENT, max_calls=3,
                                  max_clients=2, max_servers=3)
        self.server = mmf.Service.open_existing("Sums", role=SERVER)

    def tearDown(self):
        self.client.close()
        self.server.close()
        del self.client, self.server
        super().tearDown()

    def serve(self, times):
        for _ in range(times):
            with self.server.take(DEADLINE) as request:
                request.answer(bytes(request)[::-1])

    def test_calls(self):
        self.assertTrue(self.client.created and not self.server.created)
        self.assertEqual((self.client.request_size, self.client.answer_size), (64, 32))
        thread = threading.Thread(target=self.serve, args=(100,))
        thread.start()
        for number in range(100):
            self.assertEqual(self.client.call(b"<%d" % number, DEADLINE),
                             (b"<%d" % number)[::-1])
        thread.join()
        self.assertIsNone(self.client.call(b"no server takes it", 0.01))
        self.assertIsNone(self.server.take(0))  # what was given up was taken back
        facts = self.client.stat()
        self.assertEqual((facts["max_calls"], facts["senders"], facts["receivers"]),
                         (3, 1, 1))

    def test_several_calls_at_a_time(self):
        calls = {self.client.send(b"%d" % number): b"%d" % number for number in range(3)}
        self.refuses(mmf.FullError, "MMF_E_TOO_MANY", self.client.send, b"one more", 0)
        requests = [self.server.take() for _ in range(3)]
        for request in reversed(requests):
            request.answer(bytes(request) + b"!")
            self.refuses(mmf.StateError, "MMF_E_STATE", request.answer, b"again")
        for _ in range(3):  # as they come
            with self.client.take_answer(timeout=DEADLINE) as answer:
                self.assertTrue(answer.last)
                self.assertEqual(bytes(answer), calls.pop(answer.sequence) + b"!")
        self.refuses(mmf.StateError, "MMF_E_STATE", self.client.take_answer, 5)

    def test_a_stream_of_answers(self):
        call = self.client.send(b"count")
        with self.server.take() as request:
            self.assertTrue(request.wanted)
            self.assertTrue(request.answer(b"1", more=True))
            with request.reserve_answer(5, more=True) as slot:
                slot.data[:1] = b"2"
                slot.commit(1)
            self.assertFalse(request.answer(b"3", more=True, timeout=0.01))  # two wait
            answers = self.client.answers(call, DEADLINE)
            self.assertEqual([next(answers), next(answers)], [b"1", b"2"])
            with request.reserve_answer() as slot:
                self.assertEqual(len(slot), 32)
        self.assertEqual([len(answer) for answer in answers], [32])
        call = self.client.send(b"count")
        request = self.server.take()
        request.answer(b"1", more=True)
        for answer in self.client.answers(call):
            break
        del answer
        gc.collect()
        self.assertFalse(request.wanted)  # the loop did not go on: it was given up
        request.answer(b"to no one")
        call = self.client.send(b"slow")
        with self.assertRaises(TimeoutError):
            next(self.client.answers(call, 0.01))
        self.refuses(mmf.StateError, "MMF_E_STATE", self.client.cancel, call)

    def test_a_request_without_a_last_answer_goes_on(self):
        call = self.client.send(b"job")
        with self.assertRaises(ZeroDivisionError), self.server.take() as request:
            1 / 0
        with self.server.take(DEADLINE) as request:
            self.assertEqual(request.deliveries, 2)
        request = self.server.take(DEADLINE)
        with self.assertRaises(ZeroDivisionError), request.reserve_answer():
            1 / 0
        self.refuses(mmf.StateError, "MMF_E_STATE", request.answer, b"late")
        del request
        request = self.server.take(DEADLINE)
        self.assertTrue(request.redelivered)
        del request  # dropped
        request = self.server.take(DEADLINE)
        self.assertEqual(request.deliveries, 5)
        view = request.data
        with self.assertRaises(BufferError):
            request.answer(b"while a view reads it")
        view.release()
        request.return_()
        request = self.server.take(DEADLINE)
        request.answer(b"done")
        with self.client.take_answer(call, DEADLINE) as answer:
            self.assertEqual((bytes(answer), answer.deliveries), (b"done", 6))

    def test_copies_of_requests(self):
        self.assertIsNone(self.server.receive(0))
        call = self.client.send(b"job")
        with self.assertRaises(ZeroDivisionError), self.server.receive() as request:
            1 / 0
        request = self.server.receive(timeout=DEADLINE)
        self.assertEqual((request.deliveries, request.sequence, len(request)), (2, call, 3))
        view = request.data
        self.assertTrue(view.readonly and request.wanted)
        request.answer(view)  # which it outlives
        with self.client.take_answer(call, DEADLINE) as answer:
            self.assertEqual(bytes(answer), b"job")
        self.assertEqual((bytes(view), bytes(request)), (b"job", b"job"))
        self.refuses(mmf.StateError, "MMF_E_STATE", request.answer, b"again")
        del request
        call = self.client.send(b"another")
        request = asyncio.run(self.server.receive_async())
        self.assertEqual(bytes(request), b"another")
        self.server.close()
        self.assertEqual(bytes(request), b"another")

    def test_refuses(self):
        self.refuses(ValueError, "MMF_E_RANGE", self.client.call, b"x" * 65)
        self.refuses(mmf.UnsupportedError, "MMF_E_NOT_SUPPORTED", self.client.take)
        self.refuses(mmf.UnsupportedError, "MMF_E_NOT_SUPPORTED", self.server.call, b"x")
        self.refuses(ValueError, "MMF_E_MISMATCH", mmf.Service, "Sums", 64, 33, 8)
        self.refuses(ValueError, "MMF_E_RANGE", mmf.Service, "S", 8, -1, 8)
        self.refuses(ValueError, "MMF_E_WRONG_KIND", mmf.Queue.open_existing, "Sums")
        self.refuses(FileExistsError, "MMF_E_EXISTS", mmf.Service.create_new, "Sums", 1, 1, 1)
        self.refuses(mmf.StateError, "MMF_E_STATE", self.client.cancel, 99)
        with self.assertRaises(TypeError):
            self.client.call("text")
        with self.assertRaises(TypeError):
            self.client.take_answer("x")
        with self.assertRaises(OverflowError):
            self.client.cancel(-1)
        self.client.send(b"x")
        request = self.server.take()
        self.refuses(ValueError, "MMF_E_RANGE", request.answer, b"x" * 33)
        self.server.close()
        self.refuses(ValueError, "MMF_E_DISPOSED", request.answer, b"x")
        self.refuses(ValueError, "MMF_E_DISPOSED", self.server.take)
        self.assertEqual(mmf.list()[0].kind, "service")

    def test_peers_that_close(self):
        with mmf.Service("Pair", 8, 8, 2, role=SERVER, peer_closed=True) as server:
            client = mmf.Service.open_existing("Pair", role=CLIENT, peer_closed=True)
            self.assertEqual(client.send(b"1") > 0, True)
            with next(server) as request:
                request.answer(b"one")
            with client.take_answer() as answer:
                self.assertEqual(bytes(answer), b"one")
            client.close()
            self.assertEqual(list(server), [])

    def test_is_pickled_and_signals_end_waits(self):
        copy = pickle.loads(pickle.dumps(self.client))
        self.assertEqual((copy.name, copy.created), ("Sums", False))
        self.refuses(mmf.UnsupportedError, "MMF_E_NOT_SUPPORTED", copy.take, 0)
        copy.close()

        def handler(number, frame):
            raise InterruptedError("by the handler")
        before = signal.signal(signal.SIGALRM, handler)
        try:
            for wait in (self.server.take, lambda: self.client.call(b"x")):
                with self.assertRaises(InterruptedError):
                    signal.setitimer(signal.ITIMER_REAL, 0.05)
                    wait()
        finally:
            signal.signal(signal.SIGALRM, before)
        self.assertIsNone(self.server.take(0.05))  # the call was given up

    def test_a_server_that_is_killed_is_replaced(self):
        def die():
            mmf.Service.open_existing("Sums", role=SERVER).take()
            os.kill(os.getpid(), signal.SIGKILL)
        process = multiprocessing.get_context("fork").Process(target=die)
        process.start()
        call = self.client.send(b"job")
        process.join(DEADLINE)
        self.assertEqual(process.exitcode, -signal.SIGKILL)
        with self.server.take(DEADLINE) as request:
            self.assertEqual(request.deliveries, 2)
            request.answer(b"done")
        self.assertEqual(list(self.client.answers(call, DEADLINE)), [b"done"])

    def test_in_an_event_loop(self):
        async def serve():
            async for request in self.server:
                if bytes(request) == b"end":
                    return request.answer(b"")
                for more in [] if bytes(request) == b"kept" else [True] * 3:
                    await self.server.answer_async(request, bytes(request)[::-1], more)
                await self.server.answer_async(request, bytes(request)[::-1])

        async def main():
            serving = asyncio.create_task(serve())
            answers = await asyncio.gather(  # more than may be open at a time
                *(self.client.call_async(b"<%d" % number) for number in range(12)))
            self.assertEqual(answers, [(b"<%d" % number)[::-1] for number in range(12)])
            call = await self.client.send_async(b"abc")
            got = [answer async for answer in self.client.answers_async(call)]
            self.assertEqual(got, [b"cba"] * 4)
            # An answer that no task wants now does not keep the loop busy.
            kept = await self.client.send_async(b"kept")
            self.assertEqual(await self.client.call_async(b"abc"), b"cba")
            self.client.cancel(kept)
            self.assertEqual(await self.client.call_async(b"end"), b"")
            await serving
            with self.assertRaises(asyncio.TimeoutError):  # cancelled: it is given up
                await asyncio.wait_for(self.client.call_async(b"no server"), 0.02)
            self.assertIsNone(self.server.take(0.05))
            waiting = asyncio.create_task(self.server.take_async())
            await asyncio.sleep(0.01)
            self.server.close()
            with self.assertRaises(mmf.ClosedError):
                await waiting
        asyncio.run(asyncio.wait_for(main(), 3 * DEADLINE))


class PollerTest(NamespaceTest):
    def readable(self, poller, seconds=0.0):
        return bool(select.select([poller], [], [], seconds)[0])

    def expect(self, poller, one):
        while True:
            self.assertTrue(self.readable(poller, DEADLINE))
            if found := poller.ready():
                return self.assertEqual(found, [one])

    def quiet(self, poller):
        while self.readable(poller):
            self.assertEqual(poller.ready(), [])

    def test_one_descriptor_for_every_kind(self):
        made = [mmf.Mutex("Gate", owned=True), mmf.Event("Turn"), mmf.Semaphore("Seats", 0, 1),
                mmf.Queue("Jobs", 8, 2, BLOCK), mmf.Topic("News", 8, 2, DROP),
                mmf.Latest("At", 8), mmf.Service("Sums", 8, 8, 2)]
        gate, turn, seats, jobs, news, at, sums = made
        before = self.descriptors()
        with mmf.Poller() as poller:
            within = self.descriptors() - before
            for one in made:
                poller.add(one)
                self.assertIn(one, poller)
            self.assertEqual(self.descriptors() - before, within)  # one for all
            turn.set()
            self.expect_among(poller, turn)
            turn.wait()
            jobs.send(b"x")
            self.expect_among(poller, jobs)
            jobs.receive()
            news.send(b"x")
            self.expect_among(poller, news)
            news.receive()
            at.send(b"x")
            self.expect_among(poller, at)
            at.receive()
            seats.release()
            self.expect_among(poller, seats)
            seats.acquire()
            call = sums.send(b"x")
            self.expect_among(poller, sums)
            with sums.take() as request:
                request.answer(b"y")
            self.expect_among(poller, sums)
            self.assertEqual(list(sums.answers(call)), [b"y"])
            poller.remove(gate)
            self.quiet(poller)
            self.refuses(mmf.NotFoundError, "MMF_E_NOT_FOUND", poller.remove, gate)
            self.refuses(FileExistsError, "MMF_E_EXISTS", poller.add, turn)
            self.refuses(ValueError, "MMF_E_RANGE", poller.ready, 0)
            for wrong in (5, None, mmf.Map("Cat", 1)):
                with self.assertRaises(TypeError):
                    poller.add(wrong)
            turn.set()
            turn.close()  # and is no longer in it
            self.assertNotIn(turn, poller)
            jobs.send(b"x")
            del jobs, made, wrong
            self.quiet(poller)
        self.assertEqual(self.descriptors(), before - 2)
        self.refuses(ValueError, "MMF_E_DISPOSED", poller.add, news)
        self.refuses(ValueError, "MMF_E_DISPOSED", poller.ready)
        poller.close()
        with self.assertRaises(TypeError):
            mmf.Poller(1)

    def expect_among(self, poller, one):
        """The owned mutex is available to its owner, too."""
        while True:
            self.assertTrue(self.readable(poller, DEADLINE))
            if one in poller.ready():
                return

    def test_many_objects_in_one_loop(self):
        """More than inotify instances that a user has by default."""
        async def main():
            turns = [mmf.Event(f"Turn {number}") for number in range(200)]
            waits = [asyncio.create_task(turn.wait_async()) for turn in turns]
            await asyncio.sleep(0.05)
            before = self.descriptors()
            for turn in reversed(turns):
                turn.set()
            self.assertEqual(await asyncio.gather(*waits), [True] * 200)
            self.assertEqual(self.descriptors(), before)
            for turn in turns:
                turn.close()
        asyncio.run(asyncio.wait_for(main(), 3 * DEADLINE))

    def test_loops_leave_nothing(self):
        turn = mmf.Event("Turn")

        async def main():
            wait = asyncio.create_task(turn.wait_async())
            await asyncio.sleep(0.001)
            turn.set()
            await wait
        asyncio.run(main())
        gc.collect()
        before = self.descriptors()
        for _ in range(20):
            asyncio.run(main())
        gc.collect()
        self.assertEqual(self.descriptors(), before)

    def test_channels_are_waited_for_beside_others(self):
        stop, jobs = mmf.Event("Stop"), mmf.Queue("Jobs", 8, 2, BLOCK)
        self.assertIsNone(mmf.wait_any([stop, jobs], 0.01))
        threading.Timer(0.02, jobs.send, [b"x"]).start()
        self.assertEqual(mmf.wait_any([stop, mmf.Queue.open_existing("Jobs")], DEADLINE), 1)
        self.assertEqual(mmf.wait_any([jobs, stop]), 0)
        self.assertEqual(jobs.receive(0), b"x")  # nothing was taken
        self.refuses(mmf.UnsupportedError, "MMF_E_NOT_SUPPORTED", mmf.wait_all, [stop, jobs])
        both = mmf.Service("Sums", 8, 8, 2)
        self.assertIsNone(mmf.wait_any([both, stop], 0))
        sums = mmf.Service.open_existing("Sums", role=CLIENT)
        self.refuses(mmf.StateError, "MMF_E_STATE", mmf.wait_any, [sums], DEADLINE)
        call = sums.send(b"x")
        self.assertEqual(mmf.wait_any([stop, both], DEADLINE), 1)
        both.take().answer(b"y")
        self.assertEqual(mmf.wait_any([stop, sums], DEADLINE), 1)
        self.assertEqual(list(sums.answers(call)), [b"y"])

        class Liar:
            closed = False
        with self.assertRaises(TypeError):
            mmf.wait_any([Liar()], 0)

    def test_a_child_makes_its_own(self):
        turn = mmf.Event("Turn")
        with mmf.Poller() as poller:
            poller.add(turn)
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    self.refuses(ValueError, "MMF_E_DISPOSED", poller.ready)
                    with mmf.Poller() as own:
                        own.add(turn)
                        turn.set()
                        self.expect(own, turn)
                        status = 0
                finally:
                    os._exit(status)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            self.expect(poller, turn)


if __name__ == "__main__":
    from support import main
    sys.exit(main("python_services"))
