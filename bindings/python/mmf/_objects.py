"""The classes: arguments with names and defaults over the types of the extension module."""
import asyncio
import os
from enum import IntEnum, IntFlag
from typing import NamedTuple

from . import _mmf
from ._errors import (ClosedError, FullError, NotFoundError, PeerClosedError, StateError,
                      make)
from ._loop import patiently, until, wake

_CREATE_NEW, _CREATE_OR_OPEN, _OPEN_EXISTING, _OF_FILE, _OF_OPEN_FILE = range(5)


class Access(IntEnum):
    """What a map may do."""

    READ_WRITE = 0
    READ = 1
    COPY_ON_WRITE = 3


class FileMode(IntEnum):
    """How Map.of_file opens the file."""

    CREATE_NEW = 1
    CREATE = 2
    OPEN = 3
    OPEN_OR_CREATE = 4


class Overflow(IntEnum):
    """What happens to a message when there is no free slot."""

    BLOCK = 1
    FAIL = 2
    DROP_OLDEST = 3


class Role(IntFlag):
    """What a handle on a channel is for."""

    SEND = 1
    RECEIVE = 2
    BOTH = 3
    CLIENT = 1  # of a service: it calls
    SERVER = 2  # and it answers


class Strategy(IntEnum):
    """How a call on a channel waits."""

    SPIN_THEN_WAIT = 0
    SPIN = 1
    WAIT = 2


_SPSC, _PEER_CLOSED, _SINGLE_PRODUCER = 1, 2, 4


def _milliseconds(seconds):
    """The option wait_ms: how long to wait for a name."""
    if seconds is None:
        return -1
    return min(-int(-seconds * 1000 // 1), 2**31 - 1) if seconds > 0 else int(seconds)


def _by_name(cls, name, settings):
    """A pickled object arrives: it opens the name."""
    return cls.open_existing(name, **settings)


class _Named:
    """What all classes share: `with`, pickling by name, and the child of a fork."""

    _settings = {}  # of open_existing, for the handle of another process

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()

    def __repr__(self):
        state = " closed" if self.closed else ""
        return f"<mmf.{type(self).__name__} {self.name!r}{state}>"

    def __reduce__(self):
        if self.name is None:
            raise TypeError(f"an unnamed {type(self).__name__} cannot be pickled")
        return _by_name, (type(self), self.name, self._settings)

    def _reopen(self):
        try:
            if self.name is None:
                raise NotFoundError("it has no name")
            return type(self).open_existing(self.name, **self._settings)
        except NotFoundError as why:
            raise ClosedError(f"{self!r} was opened before the fork, and cannot be opened "
                              f"again in the child: {why}") from None


os.register_at_fork(after_in_child=_mmf.after_fork_in_child)


class Map(_Named, _mmf.Map):
    """A block of bytes that processes share by its name: a buffer, as bytearray is.

    Map(name, size) opens the map, or creates it. memoryview(map), numpy.frombuffer(map)
    and the like see its bytes without a copy, and stay valid after close().
    """

    def __new__(cls, name, size, *, access=Access.READ_WRITE, all_users=False, mode=0,
                exact_size=False):
        return cls._opened(_CREATE_OR_OPEN, name, size, access, all_users, mode,
                           exact_size)

    @classmethod
    def _opened(cls, how, name, size=0, access=0, all_users=False, mode=0, exact=False,
                wait=0, path=None, file_mode=0, file=None):
        self = cls._open(how, name, size, path, file_mode, access, all_users, mode, exact,
                         _milliseconds(wait), file)
        self._settings = {"access": access, "all_users": all_users}
        return self

    @classmethod
    def create_new(cls, name, size, *, access=Access.READ_WRITE, all_users=False, mode=0):
        """Create the map; ExistsError if there is one. None makes an unnamed map."""
        return cls._opened(_CREATE_NEW, name, size, access, all_users, mode)

    @classmethod
    def open_existing(cls, name, *, access=Access.READ_WRITE, all_users=False, wait=0):
        """Open the map, after waiting up to `wait` seconds for it; NotFoundError."""
        return cls._opened(_OPEN_EXISTING, name, 0, access, all_users, wait=wait)

    @classmethod
    def of_file(cls, path, name=None, size=0, *, file_mode=FileMode.OPEN,
                access=Access.READ_WRITE, all_users=False):
        """The bytes of a file, under a name for other processes unless that is None."""
        return cls._opened(_OF_FILE, name, size, access, all_users,
                           path=os.fsdecode(path), file_mode=file_mode)

    @classmethod
    def of_fd(cls, fd, name=None, size=0, *, access=Access.READ_WRITE, all_users=False):
        """The same for a file that is open: a descriptor, or what has a fileno(). The
        caller keeps it, and may close it."""
        return cls._opened(_OF_OPEN_FILE, name, size, access, all_users, file=fd)

    @property
    def buf(self):
        """A memoryview of all bytes."""
        return memoryview(self)


#
# Mutex, event, semaphore.
#


class _Waitable(_Named):
    """What an event loop can wait for."""

    def close(self):
        """Close the handle. What awaits it here ends with ClosedError."""
        super().close()
        wake(self)


class _Sync(_Waitable):
    @classmethod
    def _opened(cls, how, name, first=0, second=0, all_users=False, this_user_only=False,
                mode=0, wait=0):
        self = cls._open(how, name, first, second, all_users, this_user_only, mode,
                         _milliseconds(wait))
        self._settings = {"all_users": all_users, "this_user_only": this_user_only}
        return self

    @classmethod
    def open_existing(cls, name, *, all_users=False, this_user_only=False, wait=0):
        """Open the object, after waiting up to `wait` seconds for it; NotFoundError."""
        return cls._opened(_OPEN_EXISTING, name, 0, 0, all_users, this_user_only,
                           wait=wait)


class _Lock:
    """`with` acquires and releases, as threading.Lock does; close() is a call."""

    def __enter__(self):
        self.acquire()
        return self

    def __exit__(self, *failure):
        self.release()


class Mutex(_Lock, _Sync, _mmf.Mutex):
    """A mutex that survives its owner: the next one gets it, and `abandoned` is True.

    A thread owns it, and may acquire it again. In asyncio `async with mutex` owns it for
    one task: see acquire_async.
    """

    _tasks = None

    def __new__(cls, name=None, *, owned=False, all_users=False, this_user_only=False,
                mode=0):
        return cls._opened(_CREATE_OR_OPEN, name, owned, 0, all_users, this_user_only, mode)

    @classmethod
    def create_new(cls, name, *, owned=False, all_users=False, this_user_only=False,
                   mode=0):
        """Create the mutex; ExistsError if there is one."""
        return cls._opened(_CREATE_NEW, name, owned, 0, all_users, this_user_only, mode)

    async def acquire_async(self):
        """Own the mutex for this task.

        The loop's thread is the owner of all of its tasks, so tasks first take a lock of
        the loop. Release with release_async, in the same loop.
        """
        loop = asyncio.get_running_loop()
        if self._tasks is None or self._tasks[0] is not loop:
            self._tasks = loop, asyncio.Lock()
        lock = self._tasks[1]
        await lock.acquire()
        try:
            await until(self, lambda: self.acquire(0) or None)
        except BaseException:
            lock.release()
            raise
        return True

    def release_async(self):
        """Release what acquire_async acquired."""
        if self._tasks is None or not self._tasks[1].locked():
            raise make(-21, "MMF_E_STATE", "no task of this loop has acquired the mutex: "
                       "release() is for threads", "", 0)
        self.release()
        self._tasks[1].release()

    async def __aenter__(self):
        await self.acquire_async()
        return self

    async def __aexit__(self, *failure):
        self.release_async()


class Event(_Sync, _mmf.Event):
    """An event: set() wakes one waiter, or with manual_reset all until reset()."""

    def __new__(cls, name=None, *, manual_reset=False, initially_set=False,
                all_users=False, this_user_only=False, mode=0):
        return cls._opened(_CREATE_OR_OPEN, name, initially_set, manual_reset, all_users,
                           this_user_only, mode)

    @classmethod
    def create_new(cls, name, *, manual_reset=False, initially_set=False, all_users=False,
                   this_user_only=False, mode=0):
        """Create the event; ExistsError if there is one."""
        return cls._opened(_CREATE_NEW, name, initially_set, manual_reset, all_users,
                           this_user_only, mode)

    async def wait_async(self):
        """Wait for the event in an event loop."""
        return await until(self, lambda: self.wait(0) or None)


class Semaphore(_Lock, _Sync, _mmf.Semaphore):
    """A count from 0 to a maximum; acquire() takes one, and the dead give none back."""

    def __new__(cls, name, initial, maximum, *, all_users=False, this_user_only=False,
                mode=0):
        return cls._opened(_CREATE_OR_OPEN, name, initial, maximum, all_users,
                           this_user_only, mode)

    @classmethod
    def create_new(cls, name, initial, maximum, *, all_users=False, this_user_only=False,
                   mode=0):
        """Create the semaphore; ExistsError if there is one."""
        return cls._opened(_CREATE_NEW, name, initial, maximum, all_users, this_user_only,
                           mode)

    async def acquire_async(self):
        """Take one from the count, in an event loop."""
        return await until(self, lambda: self.acquire(0) or None)

    async def __aenter__(self):
        await self.acquire_async()
        return self

    async def __aexit__(self, *failure):
        self.release()


#
# Channels.
#


class _Channel(_Waitable):
    @classmethod
    def _opened(cls, how, name, message_size=0, capacity=0, overflow=0, *, role=Role.BOTH,
                strategy=0, peer_closed=False, max_senders=0, max_receivers=0, spsc=False,
                single_producer=False, replay=0, max_pins=0, all_users=False, mode=0,
                wait=0):
        flags = _SPSC * spsc | _PEER_CLOSED * peer_closed | _SINGLE_PRODUCER * single_producer
        self = cls._open(how, name, message_size, capacity, overflow, role, strategy,
                         flags, max_senders, max_receivers, replay, max_pins, all_users,
                         mode, _milliseconds(wait))
        self._settings = {"role": role, "strategy": strategy, "peer_closed": peer_closed,
                          "replay": replay, "all_users": all_users}
        return self

    @classmethod
    def open_existing(cls, name, *, role=Role.BOTH, strategy=Strategy.SPIN_THEN_WAIT,
                      peer_closed=False, replay=0, all_users=False, wait=0):
        """Open the channel, after waiting up to `wait` seconds for it; NotFoundError.

        With peer_closed a wait ends with PeerClosedError when the last peer has closed
        the channel or died; an iteration just ends.
        """
        return cls._opened(_OPEN_EXISTING, name, role=role, strategy=strategy,
                           peer_closed=peer_closed, replay=replay, all_users=all_users,
                           wait=wait)

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return self.receive()
        except PeerClosedError:
            raise StopIteration from None

    async def receive_async(self):
        """The next message, in an event loop."""
        return await until(self, lambda: self.receive(0))

    async def take_async(self):
        """The next message in place, in an event loop."""
        return await until(self, lambda: self.take(0))

    async def send_async(self, data):
        """Send, in an event loop: a full channel is tried again every few milliseconds,
        since no descriptor says that there is space."""
        await patiently(lambda: self.send(data, 0) or None)

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            return await self.receive_async()
        except PeerClosedError:
            raise StopAsyncIteration from None


class QueueItem(NamedTuple):
    """A message that Queue.browse or Queue.browse_bytes found."""

    sequence: int
    length: int
    state: str  # "waiting", "in flight" or "reserved"
    deliveries: int
    age: "float | None"  # seconds in flight; None: it is not, or that is not known
    pid: "int | None"  # of the process that has it
    data: "bytes | None"  # browse_bytes: its first ones; None: it is reserved


_STATES = {1: "waiting", 2: "in flight", 3: "reserved"}


class Queue(_Channel, _mmf.Queue):
    """Each message goes to one consumer; if that dies or returns it, to another one."""

    def __new__(cls, name, message_size, capacity, overflow, *, role=Role.BOTH,
                strategy=Strategy.SPIN_THEN_WAIT, peer_closed=False, max_senders=0,
                max_receivers=0, spsc=False, all_users=False, mode=0):
        return cls._opened(_CREATE_OR_OPEN, name, message_size, capacity, overflow,
                           role=role, strategy=strategy, peer_closed=peer_closed,
                           max_senders=max_senders, max_receivers=max_receivers,
                           spsc=spsc, all_users=all_users, mode=mode)

    @classmethod
    def create_new(cls, name, message_size, capacity, overflow, *, role=Role.BOTH,
                   strategy=Strategy.SPIN_THEN_WAIT, peer_closed=False, max_senders=0,
                   max_receivers=0, spsc=False, all_users=False, mode=0):
        """Create the queue; ExistsError if there is one. With spsc it has one producer
        and one consumer, and is faster."""
        return cls._opened(_CREATE_NEW, name, message_size, capacity, overflow, role=role,
                           strategy=strategy, peer_closed=peer_closed,
                           max_senders=max_senders, max_receivers=max_receivers,
                           spsc=spsc, all_users=all_users, mode=mode)

    @staticmethod
    def browse(name, most=1000):
        """What is in the queue of that name, the oldest first, without taking part."""
        return Queue.browse_bytes(name, 0, most)

    @staticmethod
    def browse_bytes(name, each, most=1000):
        """The same, with up to `each` bytes of every message."""
        return [QueueItem(sequence, length, _STATES.get(state, "unknown"), deliveries,
                          age / 1000 if age >= 0 else None, pid or None, data)
                for sequence, length, state, deliveries, age, pid, data
                in _mmf.browse(name, most, each)]


class Topic(_Channel, _mmf.Topic):
    """Each message goes to every subscriber.

    max_pins, with Overflow.DROP_OLDEST: so many messages that readers have taken at one
    time are not overwritten before their release.
    """

    def __new__(cls, name, message_size, capacity, overflow, *, role=Role.BOTH,
                strategy=Strategy.SPIN_THEN_WAIT, peer_closed=False, max_senders=0,
                max_receivers=0, single_producer=False, replay=0, max_pins=0,
                all_users=False, mode=0):
        return cls._opened(_CREATE_OR_OPEN, name, message_size, capacity, overflow,
                           role=role, strategy=strategy, peer_closed=peer_closed,
                           max_senders=max_senders, max_receivers=max_receivers,
                           single_producer=single_producer, replay=replay,
                           max_pins=max_pins, all_users=all_users, mode=mode)

    @classmethod
    def create_new(cls, name, message_size, capacity, overflow, *, role=Role.BOTH,
                   strategy=Strategy.SPIN_THEN_WAIT, peer_closed=False, max_senders=0,
                   max_receivers=0, single_producer=False, replay=0, max_pins=0,
                   all_users=False, mode=0):
        """Create the topic; ExistsError if there is one."""
        return cls._opened(_CREATE_NEW, name, message_size, capacity, overflow, role=role,
                           strategy=strategy, peer_closed=peer_closed,
                           max_senders=max_senders, max_receivers=max_receivers,
                           single_producer=single_producer, replay=replay,
                           max_pins=max_pins, all_users=all_users, mode=mode)


class Latest(_Channel, _mmf.Latest):
    """One value that is replaced; readers see the newest.

    What take() gives is pinned: it is not overwritten before its release. max_pins is how
    many there may be at one time; 0 means 4.
    """

    def __new__(cls, name, value_size, *, role=Role.BOTH, peer_closed=False, max_senders=0,
                max_receivers=0, single_producer=False, max_pins=0, all_users=False,
                mode=0):
        return cls._opened(_CREATE_OR_OPEN, name, value_size, role=role,
                           peer_closed=peer_closed, max_senders=max_senders,
                           max_receivers=max_receivers, single_producer=single_producer,
                           max_pins=max_pins, all_users=all_users, mode=mode)

    @classmethod
    def create_new(cls, name, value_size, *, role=Role.BOTH, peer_closed=False,
                   max_senders=0, max_receivers=0, single_producer=False, max_pins=0,
                   all_users=False, mode=0):
        """Create the value; ExistsError if there is one."""
        return cls._opened(_CREATE_NEW, name, value_size, role=role,
                           peer_closed=peer_closed, max_senders=max_senders,
                           max_receivers=max_receivers, single_producer=single_producer,
                           max_pins=max_pins, all_users=all_users, mode=mode)

    def __next__(self):
        try:
            self.wait()
        except PeerClosedError:
            raise StopIteration from None
        return self.receive()

    async def receive_async(self):
        """A value newer than the one received last, in an event loop."""
        return await until(self, lambda: self.receive() if self.wait(None, 0) else None)

    async def take_async(self):
        """The same in place, pinned."""
        return await until(self, lambda: self.take() if self.wait(None, 0) else None)


class Service(_Waitable, _mmf.Service):
    """Requests and answers: each request goes to one server; if that dies or closes before
    its last answer, to another one.

    A client calls, or sends and takes the answers: several calls may be open at a time
    (max_calls), and a call may have several answers. A server takes requests and answers
    them.
    """

    def __new__(cls, name, request_size, answer_size, capacity, *, role=Role.BOTH,
                strategy=Strategy.SPIN_THEN_WAIT, peer_closed=False, max_clients=0,
                max_servers=0, max_calls=0, max_answers=0, all_users=False, mode=0):
        return cls._opened(_CREATE_OR_OPEN, name, request_size, answer_size, capacity,
                           role, strategy, peer_closed, max_clients, max_servers,
                           max_calls, max_answers, all_users, mode)

    @classmethod
    def create_new(cls, name, request_size, answer_size, capacity, *, role=Role.BOTH,
                   strategy=Strategy.SPIN_THEN_WAIT, peer_closed=False, max_clients=0,
                   max_servers=0, max_calls=0, max_answers=0, all_users=False, mode=0):
        """Create the service; ExistsError if there is one."""
        return cls._opened(_CREATE_NEW, name, request_size, answer_size, capacity, role,
                           strategy, peer_closed, max_clients, max_servers, max_calls,
                           max_answers, all_users, mode)

    @classmethod
    def open_existing(cls, name, *, role=Role.BOTH, strategy=Strategy.SPIN_THEN_WAIT,
                      peer_closed=False, all_users=False, wait=0):
        """Open the service, after waiting up to `wait` seconds for it; NotFoundError.

        With peer_closed a wait ends with PeerClosedError when the last server, or the
        last client, has closed the service or died; an iteration just ends.
        """
        return cls._opened(_OPEN_EXISTING, name, role=role, strategy=strategy,
                           peer_closed=peer_closed, all_users=all_users, wait=wait)

    @classmethod
    def _opened(cls, how, name, request_size=0, answer_size=0, capacity=0, role=Role.BOTH,
                strategy=0, peer_closed=False, max_clients=0, max_servers=0, max_calls=0,
                max_answers=0, all_users=False, mode=0, wait=0):
        self = cls._open(how, name, request_size, answer_size, capacity, role, strategy,
                         _PEER_CLOSED * peer_closed, max_clients, max_servers, max_calls,
                         max_answers, all_users, mode, _milliseconds(wait))
        self._settings = {"role": role, "strategy": strategy, "peer_closed": peer_closed,
                          "all_users": all_users}
        return self

    # Clients.

    def _give_up(self, call):
        try:
            self.cancel(call)
        except (ClosedError, StateError):
            pass  # it has ended

    def answers(self, call, timeout=None):
        """The answers to a call, one after another, until the last.

        TimeoutError if one does not come within so many seconds. A call whose answers are
        not all wanted is given up.
        """
        last = False
        try:
            while not last:
                answer = self.take_answer(call, timeout)
                if answer is None:
                    raise TimeoutError(f"no answer to call {call} within {timeout} s")
                with answer:
                    data, last = bytes(answer), answer.last
                yield data
        finally:
            if not last:
                self._give_up(call)

    def _try_send(self, data):
        try:
            return self.send(data, 0)
        except FullError:
            return None  # a call of another task ends

    async def send_async(self, data):
        """Send a request, in an event loop: the call's number. While there is no space, or
        max_calls are open, it is tried again every few milliseconds."""
        return await patiently(lambda: self._try_send(data))

    async def answers_async(self, call):
        """The answers to a call in an event loop, for `async for`."""
        last = False
        try:
            while not last:
                with await until(self, lambda: self.take_answer(call, 0)) as answer:
                    data, last = bytes(answer), answer.last
                yield data
        finally:
            if not last:
                self._give_up(call)

    async def call_async(self, data):
        """Send a request, and await its answer. If that is cancelled, the call is."""
        call, last = await self.send_async(data), False
        try:
            with await until(self, lambda: self.take_answer(call, 0)) as answer:
                last = answer.last
                return bytes(answer)
        finally:
            if not last:
                self._give_up(call)

    # Servers.

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return self.take()
        except PeerClosedError:
            raise StopIteration from None

    async def take_async(self):
        """The next request, in an event loop."""
        return await until(self, lambda: self.take(0))

    async def receive_async(self):
        """The next request with a copy of its bytes, in an event loop."""
        return await until(self, lambda: self.receive(0))

    async def answer_async(self, request, data, more=False):
        """Answer a request, in an event loop. While max_answers wait for the client, it
        is tried again every few milliseconds."""
        await patiently(lambda: request.answer(data, more, 0) or None)

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            return await self.take_async()
        except PeerClosedError:
            raise StopAsyncIteration from None


#
# Waits for several, and the namespace.
#


def wait_any(objects, timeout=None):
    """Wait for one of the objects, and take it: its index.

    None if the time, in seconds, ran out. A mutex says in `abandoned` how it was had. Of
    channels and services nothing is taken: receive(0) then.
    """
    return _mmf.wait_any(tuple(objects), timeout)


def wait_all(objects, timeout=None):
    """Wait until all are available at once, and take all. False if the time ran out."""
    return _mmf.wait_all(tuple(objects), timeout) is not None


def signal_and_wait(to_signal, to_wait_on, timeout=None):
    """Set or release one, then wait for the other: two steps. False if the time ran out.

    Once the signal is given it stays, whatever the wait answers.
    """
    return _mmf.signal_and_wait((to_signal, to_wait_on), timeout)


def channel_stat(name):
    """The counters and limits of the channel or service of that name, as a dict, without
    taking part."""
    return _mmf.channel_stat(name)


def channel_size(kind, message_size, capacity=0, *, spsc=False, single_producer=False,
                 max_senders=0, max_receivers=0, max_pins=0):
    """The memory, in bytes, that a "queue", "topic" or "latest" takes if it is created
    so. Nothing is created."""
    return _mmf.channel_size(kind, message_size, capacity,
                             _SPSC * spsc | _SINGLE_PRODUCER * single_producer,
                             max_senders, max_receivers, max_pins)


class Object:
    """A named object, as list() found it."""

    _STATUSES = {1: "in use", 2: "orphaned", 3: "invalid", 4: "inaccessible"}

    def __init__(self, **facts):
        facts["status"] = self._STATUSES.get(facts["status"], "unknown")
        self.__dict__.update(facts)

    def __repr__(self):
        return f"<{self.kind} {self.name!r}, {self.size} bytes, {self.holders} holders>"


def list(*, local=True, everyones=True):  # noqa: A001, as the library names it
    """The named objects of this user, and under Global\\ everyone's."""
    return [Object(**facts) for facts in _mmf.list(1 * local | 2 * everyones)]


def gc():
    """Remove the orphaned objects that this user may remove. How many there were."""
    return _mmf.gc(0)
