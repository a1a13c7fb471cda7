from ._errors import (AccessError, ArgumentError, ClosedError, Error, ExistsError, FullError,
                      NotFoundError, OutOfMemoryError, PeerClosedError, StateError,
                      UnsupportedError)
from ._mmf import Message, Poller, Request, Slot
from ._objects import (Access, Event, FileMode, Latest, Map, Mutex, Object, Overflow, Queue,
                       QueueItem, Role, Semaphore, Service, Strategy, Topic, channel_size,
                       channel_stat, gc, list, signal_and_wait, wait_all, wait_any)

__version__: str

__all__ = [
    "Access", "AccessError", "ArgumentError", "ClosedError", "Error", "Event", "ExistsError",
    "FileMode", "FullError", "Latest", "Map", "Message", "Mutex", "NotFoundError", "Object",
    "OutOfMemoryError", "Overflow", "PeerClosedError", "Poller", "Queue", "QueueItem",
    "Request", "Role", "Semaphore", "Service", "Slot", "StateError", "Strategy", "Topic",
    "UnsupportedError", "channel_size", "channel_stat", "gc", "list", "signal_and_wait",
    "wait_all", "wait_any",
]
