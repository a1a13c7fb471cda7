"""mmf - named shared memory: maps, mutexes, events, semaphores and message channels that
processes find by name, and that vanish with their last user.

    import mmf

    with mmf.Map("Cat", 10000) as cat:
        cat.buf[:5] = b"Hello"

    with mmf.Mutex("Gate") as gate:         # survives an owner that is killed
        if gate.abandoned:
            repair()

    jobs = mmf.Queue("Jobs", 1000, 256, mmf.Overflow.BLOCK)
    jobs.send(b"count the sheep")
    for job in jobs:
        work(job)

    sums = mmf.Service("Sums", 100, 100, 16)  # here it is asked; a server takes and answers
    print(sums.call(b"6 * 7"))

Times are seconds, and None waits forever. Failures are mmf.Error, which is an OSError, and
for what Python has a word for that as well: FileNotFoundError, FileExistsError, ValueError.
"""
from . import _mmf
from ._errors import (AccessError, ArgumentError, ClosedError, Error, ExistsError, FullError,
                      NotFoundError, OutOfMemoryError, PeerClosedError, StateError,
                      UnsupportedError)
from ._mmf import Message, Poller, Request, Slot
from ._objects import (Access, Event, FileMode, Latest, Map, Mutex, Object, Overflow, Queue,
                       QueueItem, Role, Semaphore, Service, Strategy, Topic, channel_size,
                       channel_stat, gc, list, signal_and_wait, wait_all, wait_any)

__version__ = _mmf.version()

__all__ = [
    "Access", "AccessError", "ArgumentError", "ClosedError", "Error", "Event", "ExistsError",
    "FileMode", "FullError", "Latest", "Map", "Message", "Mutex", "NotFoundError", "Object",
    "OutOfMemoryError", "Overflow", "PeerClosedError", "Poller", "Queue", "QueueItem",
    "Request", "Role", "Semaphore", "Service", "Slot", "StateError", "Strategy", "Topic",
    "UnsupportedError", "channel_size", "channel_stat", "gc", "list", "signal_and_wait",
    "wait_all", "wait_any",
]
