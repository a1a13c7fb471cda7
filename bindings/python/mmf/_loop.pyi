from collections.abc import Callable
from typing import TypeVar

from . import _mmf

_T = TypeVar("_T")

async def until(one: _mmf.Waitable, attempt: Callable[[], _T | None]) -> _T: ...
async def patiently(attempt: Callable[[], _T | None]) -> _T: ...
def wake(one: _mmf.Waitable) -> None: ...
