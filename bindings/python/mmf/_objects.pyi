import builtins
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from enum import IntEnum, IntFlag
from typing import Any, NamedTuple

from _typeshed import FileDescriptorLike, ReadableBuffer, Self

from . import _mmf

class Access(IntEnum):
    READ_WRITE: int
    READ: int
    COPY_ON_WRITE: int

class FileMode(IntEnum):
    CREATE_NEW: int
    CREATE: int
    OPEN: int
    OPEN_OR_CREATE: int

class Overflow(IntEnum):
    BLOCK: int
    FAIL: int
    DROP_OLDEST: int

class Role(IntFlag):
    SEND: int
    RECEIVE: int
    BOTH: int
    CLIENT: int
    SERVER: int

class Strategy(IntEnum):
    SPIN_THEN_WAIT: int
    SPIN: int
    WAIT: int

class Map(_mmf.Map):
    def __new__(
        cls: type[Self],
        name: str,
        size: int,
        *,
        access: Access = ...,
        all_users: bool = ...,
        mode: int = ...,
        exact_size: bool = ...,
    ) -> Self: ...
    @classmethod
    def create_new(
        cls: type[Self],
        name: str | None,
        size: int,
        *,
        access: Access = ...,
        all_users: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def open_existing(
        cls: type[Self],
        name: str,
        *,
        access: Access = ...,
        all_users: bool = ...,
        wait: float | None = ...,
    ) -> Self: ...
    @classmethod
    def of_file(
        cls: type[Self],
        path: str | os.PathLike[str],
        name: str | None = ...,
        size: int = ...,
        *,
        file_mode: FileMode = ...,
        access: Access = ...,
        all_users: bool = ...,
    ) -> Self: ...
    @classmethod
    def of_fd(
        cls: type[Self],
        fd: FileDescriptorLike,
        name: str | None = ...,
        size: int = ...,
        *,
        access: Access = ...,
        all_users: bool = ...,
    ) -> Self: ...
    @property
    def buf(self) -> memoryview: ...
    def __enter__(self: Self) -> Self: ...
    def __exit__(self, *failure: object) -> None: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

class Mutex(_mmf.Mutex):
    def __new__(
        cls: type[Self],
        name: str | None = ...,
        *,
        owned: bool = ...,
        all_users: bool = ...,
        this_user_only: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def create_new(
        cls: type[Self],
        name: str,
        *,
        owned: bool = ...,
        all_users: bool = ...,
        this_user_only: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def open_existing(
        cls: type[Self],
        name: str,
        *,
        all_users: bool = ...,
        this_user_only: bool = ...,
        wait: float | None = ...,
    ) -> Self: ...
    def close(self) -> None: ...
    def __enter__(self: Self) -> Self: ...
    def __exit__(self, *failure: object) -> None: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    async def acquire_async(self) -> bool: ...
    def release_async(self) -> None: ...
    async def __aenter__(self: Self) -> Self: ...
    async def __aexit__(self, *failure: object) -> None: ...

class Event(_mmf.Event):
    def __new__(
        cls: type[Self],
        name: str | None = ...,
        *,
        manual_reset: bool = ...,
        initially_set: bool = ...,
        all_users: bool = ...,
        this_user_only: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def create_new(
        cls: type[Self],
        name: str,
        *,
        manual_reset: bool = ...,
        initially_set: bool = ...,
        all_users: bool = ...,
        this_user_only: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def open_existing(
        cls: type[Self],
        name: str,
        *,
        all_users: bool = ...,
        this_user_only: bool = ...,
        wait: float | None = ...,
    ) -> Self: ...
    def close(self) -> None: ...
    def __enter__(self: Self) -> Self: ...
    def __exit__(self, *failure: object) -> None: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    async def wait_async(self) -> bool: ...

class Semaphore(_mmf.Semaphore):
    def __new__(
        cls: type[Self],
        name: str | None,
        initial: int,
        maximum: int,
        *,
        all_users: bool = ...,
        this_user_only: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def create_new(
        cls: type[Self],
        name: str,
        initial: int,
        maximum: int,
        *,
        all_users: bool = ...,
        this_user_only: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def open_existing(
        cls: type[Self],
        name: str,
        *,
        all_users: bool = ...,
        this_user_only: bool = ...,
        wait: float | None = ...,
    ) -> Self: ...
    def close(self) -> None: ...
    def __enter__(self: Self) -> Self: ...
    def __exit__(self, *failure: object) -> None: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    async def acquire_async(self) -> bool: ...
    async def __aenter__(self: Self) -> Self: ...
    async def __aexit__(self, *failure: object) -> None: ...

class QueueItem(NamedTuple):
    sequence: int
    length: int
    state: str
    deliveries: int
    age: float | None
    pid: int | None
    data: bytes | None

class Queue(_mmf.Queue):
    def __new__(
        cls: type[Self],
        name: str,
        message_size: int,
        capacity: int,
        overflow: Overflow,
        *,
        role: Role = ...,
        strategy: Strategy = ...,
        peer_closed: bool = ...,
        max_senders: int = ...,
        max_receivers: int = ...,
        spsc: bool = ...,
        all_users: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def create_new(
        cls: type[Self],
        name: str,
        message_size: int,
        capacity: int,
        overflow: Overflow,
        *,
        role: Role = ...,
        strategy: Strategy = ...,
        peer_closed: bool = ...,
        max_senders: int = ...,
        max_receivers: int = ...,
        spsc: bool = ...,
        all_users: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def open_existing(
        cls: type[Self],
        name: str,
        *,
        role: Role = ...,
        strategy: Strategy = ...,
        peer_closed: bool = ...,
        replay: int = ...,
        all_users: bool = ...,
        wait: float | None = ...,
    ) -> Self: ...
    def close(self) -> None: ...
    def __enter__(self: Self) -> Self: ...
    def __exit__(self, *failure: object) -> None: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __iter__(self: Self) -> Self: ...
    def __next__(self) -> bytes: ...
    def __aiter__(self: Self) -> Self: ...
    async def __anext__(self) -> bytes: ...
    async def receive_async(self) -> bytes: ...
    async def take_async(self) -> _mmf.Message: ...
    async def send_async(self, data: ReadableBuffer) -> None: ...
    @staticmethod
    def browse(name: str, most: int = ...) -> builtins.list[QueueItem]: ...
    @staticmethod
    def browse_bytes(
        name: str, each: int, most: int = ...
    ) -> builtins.list[QueueItem]: ...

class Topic(_mmf.Topic):
    def __new__(
        cls: type[Self],
        name: str,
        message_size: int,
        capacity: int,
        overflow: Overflow,
        *,
        role: Role = ...,
        strategy: Strategy = ...,
        peer_closed: bool = ...,
        max_senders: int = ...,
        max_receivers: int = ...,
        single_producer: bool = ...,
        replay: int = ...,
        max_pins: int = ...,
        all_users: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def create_new(
        cls: type[Self],
        name: str,
        message_size: int,
        capacity: int,
        overflow: Overflow,
        *,
        role: Role = ...,
        strategy: Strategy = ...,
        peer_closed: bool = ...,
        max_senders: int = ...,
        max_receivers: int = ...,
        single_producer: bool = ...,
        replay: int = ...,
        max_pins: int = ...,
        all_users: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def open_existing(
        cls: type[Self],
        name: str,
        *,
        role: Role = ...,
        strategy: Strategy = ...,
        peer_closed: bool = ...,
        replay: int = ...,
        all_users: bool = ...,
        wait: float | None = ...,
    ) -> Self: ...
    def close(self) -> None: ...
    def __enter__(self: Self) -> Self: ...
    def __exit__(self, *failure: object) -> None: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __iter__(self: Self) -> Self: ...
    def __next__(self) -> bytes: ...
    def __aiter__(self: Self) -> Self: ...
    async def __anext__(self) -> bytes: ...
    async def receive_async(self) -> bytes: ...
    async def take_async(self) -> _mmf.Message: ...
    async def send_async(self, data: ReadableBuffer) -> None: ...

class Latest(_mmf.Latest):
    def __new__(
        cls: type[Self],
        name: str,
        value_size: int,
        *,
        role: Role = ...,
        peer_closed: bool = ...,
        max_senders: int = ...,
        max_receivers: int = ...,
        single_producer: bool = ...,
        max_pins: int = ...,
        all_users: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def create_new(
        cls: type[Self],
        name: str,
        value_size: int,
        *,
        role: Role = ...,
        peer_closed: bool = ...,
        max_senders: int = ...,
        max_receivers: int = ...,
        single_producer: bool = ...,
        max_pins: int = ...,
        all_users: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def open_existing(
        cls: type[Self],
        name: str,
        *,
        role: Role = ...,
        strategy: Strategy = ...,
        peer_closed: bool = ...,
        replay: int = ...,
        all_users: bool = ...,
        wait: float | None = ...,
    ) -> Self: ...
    def close(self) -> None: ...
    def __enter__(self: Self) -> Self: ...
    def __exit__(self, *failure: object) -> None: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __iter__(self: Self) -> Self: ...
    def __next__(self) -> bytes: ...
    def __aiter__(self: Self) -> Self: ...
    async def __anext__(self) -> bytes: ...
    async def receive_async(self) -> bytes: ...
    async def take_async(self) -> _mmf.Message: ...
    async def send_async(self, data: ReadableBuffer) -> None: ...

class Service(_mmf.Service):
    def __new__(
        cls: type[Self],
        name: str,
        request_size: int,
        answer_size: int,
        capacity: int,
        *,
        role: Role = ...,
        strategy: Strategy = ...,
        peer_closed: bool = ...,
        max_clients: int = ...,
        max_servers: int = ...,
        max_calls: int = ...,
        max_answers: int = ...,
        all_users: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def create_new(
        cls: type[Self],
        name: str,
        request_size: int,
        answer_size: int,
        capacity: int,
        *,
        role: Role = ...,
        strategy: Strategy = ...,
        peer_closed: bool = ...,
        max_clients: int = ...,
        max_servers: int = ...,
        max_calls: int = ...,
        max_answers: int = ...,
        all_users: bool = ...,
        mode: int = ...,
    ) -> Self: ...
    @classmethod
    def open_existing(
        cls: type[Self],
        name: str,
        *,
        role: Role = ...,
        strategy: Strategy = ...,
        peer_closed: bool = ...,
        all_users: bool = ...,
        wait: float | None = ...,
    ) -> Self: ...
    def close(self) -> None: ...
    def __enter__(self: Self) -> Self: ...
    def __exit__(self, *failure: object) -> None: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def answers(self, call: int, timeout: float | None = ...) -> Iterator[bytes]: ...
    async def send_async(self, data: ReadableBuffer) -> int: ...
    def answers_async(self, call: int) -> AsyncIterator[bytes]: ...
    async def call_async(self, data: ReadableBuffer) -> bytes: ...
    async def take_async(self) -> _mmf.Request: ...
    async def receive_async(self) -> _mmf.Request: ...
    async def answer_async(
        self, request: _mmf.Request, data: ReadableBuffer, more: bool = ...
    ) -> None: ...
    def __iter__(self: Self) -> Self: ...
    def __next__(self) -> _mmf.Request: ...
    def __aiter__(self: Self) -> Self: ...
    async def __anext__(self) -> _mmf.Request: ...

def wait_any(
    objects: Iterable[_mmf.Waitable], timeout: float | None = ...
) -> int | None: ...
def wait_all(objects: Iterable[_mmf.Waitable], timeout: float | None = ...) -> bool: ...

def signal_and_wait(
    to_signal: _mmf.Waitable, to_wait_on: _mmf.Waitable, timeout: float | None = ...
) -> bool: ...

def channel_stat(name: str) -> dict[str, Any]: ...
def channel_size(
    kind: str,
    message_size: int,
    capacity: int = ...,
    *,
    spsc: bool = ...,
    single_producer: bool = ...,
    max_senders: int = ...,
    max_receivers: int = ...,
    max_pins: int = ...,
) -> int: ...

class Object:
    name: str
    kind: str
    size: int
    resident: int
    created: float
    creator: str
    holders: int
    status: str
    path: str
    mode: int
    def __init__(self, **facts: Any) -> None: ...

def list(*, local: bool = ..., everyones: bool = ...) -> builtins.list[Object]: ...
def gc() -> int: ...
