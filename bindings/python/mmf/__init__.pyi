from ._errors import (AccessError, ArgumentError, ClosedError, Error, ExistsError, FullError,
                      NotFoundError, OutOfMemoryError, PeerClosedError, StateError,
                      UnsupportedError)
from ._mmf import Message, Slot
from ._objects import (Access, Event, FileMode, Latest, Map, Mutex, Object, Overflow, Queue,
                       Role, Semaphore, Strategy, Topic, gc, list, signal_and_wait,
                       wait_all, wait_any)

__version__: str

__all__ = [
    "Access", "AccessError", "ArgumentError", "ClosedError", "Error", "Event", "ExistsError",
    "FileMode", "FullError", "Latest", "Map", "Message", "Mutex", "NotFoundError", "Object",
    "OutOfMemoryError", "Overflow", "PeerClosedError", "Queue", "Role", "Semaphore", "Slot",
    "StateError", "Strategy", "Topic", "UnsupportedError", "gc", "list",
    "signal_and_wait", "wait_all", "wait_any",
]
