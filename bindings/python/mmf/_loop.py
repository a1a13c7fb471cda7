"""Waits in event loops. All tasks of a loop wait behind one descriptor, a poller's."""
import asyncio
import time
import weakref

from . import _mmf

_SPIN = 50e-6  # seconds, as the library's own waits
_AT_ONCE = 0.001  # a wake-up, and the attempt after it
_watchers = weakref.WeakKeyDictionary()  # of each loop


class _Watcher:
    """What the tasks of one loop wait for. It must not lead to the loop, whose value in
    _watchers it is."""

    def __init__(self, loop):
        self.poller = _mmf.Poller()
        self.waiting = {}  # object: the futures of the tasks that wait for it
        loop.add_reader(self.poller.fileno(), self.look)

    def look(self):
        """The descriptor is readable: the tasks try again.

        An object that no task waits for leaves the poller, since the descriptor would
        stay readable; it stays there until then, as the next wait is likely to come.
        """
        for one in self.poller.ready():
            if one in self.waiting:
                self.wake(one)
            else:
                self.poller.remove(one)

    def wake(self, one):
        for future in self.waiting.get(one, ()):
            if not future.done():
                future.set_result(None)

    async def until(self, one, attempt):
        loop, in_vain, last = asyncio.get_running_loop(), 0, 0.0
        futures = self.waiting.setdefault(one, set())
        try:
            while True:
                if not one.closed and one not in self.poller:
                    self.poller.add(one)
                if (answer := attempt()) is not None:
                    return answer
                in_vain = in_vain + 1 if time.monotonic() - last < _AT_ONCE else 0
                if in_vain > 3:
                    await self.pause(one, in_vain)
                    continue
                future = loop.create_future()
                futures.add(future)
                try:
                    await future
                finally:
                    futures.discard(future)
                last = time.monotonic()
        finally:
            if not futures and self.waiting.get(one) is futures:
                del self.waiting[one]

    async def pause(self, one, times):
        """What it has is not for this task: an answer to another call, say. It would keep
        the descriptor readable."""
        if one in self.poller:
            self.poller.remove(one)
        await asyncio.sleep(min(0.0005 * times, 0.02))


async def until(one, attempt):
    """What attempt() returns once that is not None.

    At first it is made again at each turn of the loop, as the library spins before it
    sleeps; then when the loop's poller says that the object may be available. From then
    on senders pay a system call for each message.
    """
    end = time.monotonic() + _SPIN
    while (answer := attempt()) is None and time.monotonic() < end:
        await asyncio.sleep(0)
    if answer is not None:
        return answer
    loop = asyncio.get_running_loop()
    if loop not in _watchers:
        _watchers[loop] = _Watcher(loop)
    return await _watchers[loop].until(one, attempt)


async def patiently(attempt):
    """The same for what no descriptor tells: again and again, with longer pauses."""
    pause = 0.0005
    while (answer := attempt()) is None:
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.02)
    return answer


def wake(one):
    """The object was closed, by any thread: the tasks that wait for it try again."""
    for loop, watcher in list(_watchers.items()):
        if one in watcher.waiting and not loop.is_closed():
            loop.call_soon_threadsafe(watcher.wake, one)
