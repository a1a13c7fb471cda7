"""SharedMemory and ShareableList of multiprocessing.shared_memory, over named maps.

    from mmf.shared_memory import SharedMemory

They have the standard classes' arguments and attributes, and on every system the meaning
that those have on Windows: a block is there until the last process has closed it or died,
however it ends. So unlink() has nothing to do, no resource tracker watches, nothing stays
after kill -9, and close() may be called while arrays on the buffer are in use.
"""
import types
from multiprocessing import shared_memory as _standard

from ._errors import ExistsError
from ._objects import Map  # opened by _open, with the defaults of open_existing

__all__ = ["SharedMemory", "ShareableList"]

# What the standard module says of itself, as on Windows.
_USE_POSIX = False
_SHM_NAME_PREFIX = "psm_"


class SharedMemory:
    """A named block of bytes; `buf` is a memoryview of it. `track` is ignored."""

    _map = None

    def __init__(self, name=None, create=False, size=0, *, track=True):
        if size < 0:
            raise ValueError("'size' must be a positive integer")
        if create and size == 0:
            raise ValueError("'size' must be a positive number different from zero")
        if name is None and not create:
            raise ValueError("'name' can only be None if create=True")
        if not create:
            self._map = Map._open(2, name, 0, None, 0, 0, False, 0, False, 0)
        elif name is not None:
            self._map = Map.create_new(name, size)
        while self._map is None:
            try:
                self._map = Map.create_new(_standard._make_filename().lstrip("/"), size)
            except ExistsError:
                continue
        self._name, self._size = self._map.name, len(self._map)
        self._buf = memoryview(self._map)

    def __del__(self):
        self.close()

    def __reduce__(self):
        return type(self), (self.name, False, self.size)

    def __repr__(self):
        return f"{type(self).__name__}({self.name!r}, size={self.size})"

    @property
    def buf(self):
        """A memoryview of the block; None after close()."""
        return self._buf

    @property
    def name(self):
        """The name by which other processes attach."""
        return self._name

    @property
    def size(self):
        """The block's bytes, exactly as many as its creator asked for."""
        return self._size

    def close(self):
        """End the use of the block here. Arrays and memoryviews on `buf` stay valid."""
        if self._map is not None:
            try:
                self._buf.release()
            except BufferError:
                pass  # an array has it, which keeps the memory
            self._buf = None
            self._map.close()
            self._map = None

    def unlink(self):
        """Does nothing: the block goes with the last process that has it."""


def _over(function):
    """A function of the standard module, with our SharedMemory as its global."""
    known = {**function.__globals__, "SharedMemory": SharedMemory}
    same = types.FunctionType(function.__code__, known, function.__name__,
                              function.__defaults__, function.__closure__)
    same.__kwdefaults__ = function.__kwdefaults__
    same.__doc__ = function.__doc__
    return same


class ShareableList(_standard.ShareableList):
    """The standard list of fixed length, in a block of ours."""

    __init__ = _over(_standard.ShareableList.__init__)
