"""The classes: arguments with names and defaults over the types of the extension module."""
import asyncio
import os
import time
from enum import IntEnum, IntFlag

from . import _mmf
from ._errors import ClosedError, NotFoundError, PeerClosedError

_CREATE_NEW, _CREATE_OR_OPEN, _OPEN_EXISTING, _OF_FILE = range(4)


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


class Strategy(IntEnum):
    """How a call on a channel waits."""

    SPIN_THEN_WAIT = 0
    SPIN = 1
    WAIT = 2


_SPSC, _PEER_CLOSED = 1, 2


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
                wait=0, path=None, file_mode=0):
        self = cls._open(how, name, size, path, file_mode, access, all_users, mode, exact,
                         _milliseconds(wait))
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

    @property
    def buf(self):
        """A memoryview of all bytes."""
        return memoryview(self)


#
# Mutex, event, semaphore.
#


class _Sync(_Named):
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

    async def _wait_async(self, attempt):
        await _until(self, attempt)
        return True


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
            await _until(self, lambda: self.acquire(0) or None)
        except BaseException:
            lock.release()
            raise
        return True

    def release_async(self):
        """Release what acquire_async acquired."""
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
        return await self._wait_async(lambda: self.wait(0) or None)


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
        return await self._wait_async(lambda: self.acquire(0) or None)

    async def __aenter__(self):
        await self.acquire_async()
        return self

    async def __aexit__(self, *failure):
        self.release()


#
# Channels.
#


class _Channel(_Named):
    @classmethod
    def _opened(cls, how, name, message_size=0, capacity=0, overflow=0, role=Role.BOTH,
                strategy=0, spsc=False, peer_closed=False, max_senders=0, max_receivers=0,
                replay=0, all_users=False, mode=0, wait=0):
        flags = _SPSC * spsc | _PEER_CLOSED * peer_closed
        self = cls._open(how, name, message_size, capacity, overflow, role, strategy,
                         flags, max_senders, max_receivers, replay, all_users, mode,
                         _milliseconds(wait))
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
        return await _until(self, lambda: self.receive(0))

    async def send_async(self, data):
        """Send, in an event loop: a full channel is tried again every few milliseconds,
        since no descriptor says that there is space."""
        pause = 0.0005
        while not self.send(data, 0):
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.02)

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            return await self.receive_async()
        except PeerClosedError:
            raise StopAsyncIteration from None


class _Messages(_Channel):
    def __new__(cls, name, message_size, capacity, overflow, *, role=Role.BOTH,
                strategy=Strategy.SPIN_THEN_WAIT, peer_closed=False, max_senders=0,
                max_receivers=0, spsc=False, replay=0, all_users=False, mode=0):
        return cls._opened(_CREATE_OR_OPEN, name, message_size, capacity, overflow, role,
                           strategy, spsc, peer_closed, max_senders, max_receivers, replay,
                           all_users, mode)

    @classmethod
    def create_new(cls, name, message_size, capacity, overflow, *, role=Role.BOTH,
                   strategy=Strategy.SPIN_THEN_WAIT, peer_closed=False, max_senders=0,
                   max_receivers=0, spsc=False, replay=0, all_users=False, mode=0):
        """Create the channel; ExistsError if there is one."""
        return cls._opened(_CREATE_NEW, name, message_size, capacity, overflow, role,
                           strategy, spsc, peer_closed, max_senders, max_receivers, replay,
                           all_users, mode)


class Queue(_Messages, _mmf.Queue):
    """Each message goes to one consumer; if that dies, to another one."""


class Topic(_Messages, _mmf.Topic):
    """Each message goes to every subscriber."""


class Latest(_Channel, _mmf.Latest):
    """One value that is replaced; readers see the newest."""

    def __new__(cls, name, value_size, *, role=Role.BOTH, peer_closed=False, max_senders=0,
                max_receivers=0, all_users=False, mode=0):
        return cls._opened(_CREATE_OR_OPEN, name, value_size, role=role,
                           peer_closed=peer_closed, max_senders=max_senders,
                           max_receivers=max_receivers, all_users=all_users, mode=mode)

    @classmethod
    def create_new(cls, name, value_size, *, role=Role.BOTH, peer_closed=False,
                   max_senders=0, max_receivers=0, all_users=False, mode=0):
        """Create the value; ExistsError if there is one."""
        return cls._opened(_CREATE_NEW, name, value_size, role=role,
                           peer_closed=peer_closed, max_senders=max_senders,
                           max_receivers=max_receivers, all_users=all_users, mode=mode)

    def __next__(self):
        try:
            self.wait()
        except PeerClosedError:
            raise StopIteration from None
        return self.receive()

    async def receive_async(self):
        """A value newer than the one received last, in an event loop."""
        return await _until(self, lambda: self.receive() if self.wait(None, 0) else None)


#
# Event loops.
#


_SPIN = 50e-6  # seconds, as the library's own waits
_waiters = {}  # (loop, descriptor): the futures of the tasks that wait


async def _until(source, attempt):
    """What attempt() returns once that is not None.

    At first it is made again at each turn of the loop, as the library spins before it
    sleeps; then when the descriptor of `source` says that something has changed. From the
    first time that it is asked for, a descriptor costs senders a system call.
    """
    end = time.monotonic() + _SPIN
    while (answer := attempt()) is None and time.monotonic() < end:
        await asyncio.sleep(0)
    if answer is not None:
        return answer
    loop = asyncio.get_running_loop()
    key = loop, source.fileno()
    if key not in _waiters:
        _waiters[key] = []
        loop.add_reader(key[1], _wake, key)
    waiters, future = _waiters[key], None
    try:
        while (answer := attempt()) is None:
            future = loop.create_future()
            waiters.append(future)
            await future
            waiters.remove(future)
            future = None
        return answer
    finally:
        if future is not None:
            waiters.remove(future)
        _wake(key)  # what this task did not take is for another one


def _wake(key):
    """The descriptor is readable: the tasks try again. Without tasks it is left alone."""
    waiters = _waiters.get(key)
    if waiters:
        for future in waiters:
            if not future.done():
                future.set_result(None)
    elif waiters is not None:
        key[0].remove_reader(key[1])
        del _waiters[key]


#
# Waits for several, and the namespace.
#


def wait_any(objects, timeout=None):
    """Wait for one of the mutexes, events and semaphores, and take it: its index.

    None if the time, in seconds, ran out. A mutex says in `abandoned` how it was had.
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
