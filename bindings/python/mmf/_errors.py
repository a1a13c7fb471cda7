"""The exceptions. Each status of the library has one; its name and message are in it."""
import errno


class Error(OSError):
    """A call failed; str() is the library's message: the object, the cause, the way out."""

    status = "MMF_E_IO"  #: the name of the status
    parameter = ""  #: the argument at fault, as .NET names it, or ""
    message = ""


class NotFoundError(Error, FileNotFoundError):
    """There is no such name, or file."""


class ExistsError(Error, FileExistsError):
    """The name, or the file, exists already."""


class AccessError(Error, PermissionError):
    """The system, or the object's owner, does not permit it."""


class ArgumentError(Error, ValueError):
    """An argument is wrong, alone or with the others, or a message is too long."""


class ClosedError(Error, ValueError):
    """The object is closed, or it is the parent's and its name is gone."""


class StateError(Error, RuntimeError):
    """Not now: the mutex has another owner, the message is released, and the like."""


class FullError(Error):
    """A full channel that is made to fail; a semaphore at its maximum; too many peers."""


class PeerClosedError(Error, BrokenPipeError):
    """Asked for: the last peer of the channel has closed it or died."""


class UnsupportedError(Error, NotImplementedError):
    """Not possible with this object, or on this system."""


class OutOfMemoryError(Error, MemoryError):
    """The machine, its cgroup or the address space has no space."""


_CLASSES = {
    "MMF_E_INVALID": (ArgumentError, errno.EINVAL),
    "MMF_E_NULL": (ArgumentError, errno.EINVAL),
    "MMF_E_RANGE": (ArgumentError, errno.ERANGE),
    "MMF_E_ACCESS": (AccessError, errno.EACCES),
    "MMF_E_EXISTS": (ExistsError, errno.EEXIST),
    "MMF_E_NOT_FOUND": (NotFoundError, errno.ENOENT),
    "MMF_E_PATH_NOT_FOUND": (NotFoundError, errno.ENOENT),
    "MMF_E_PATH_TOO_LONG": (ArgumentError, errno.ENAMETOOLONG),
    "MMF_E_SHARING": (Error, errno.EBUSY),
    "MMF_E_NO_SPACE": (Error, errno.ENOSPC),
    "MMF_E_NO_MEMORY": (OutOfMemoryError, errno.ENOMEM),
    "MMF_E_IO": (Error, errno.EIO),
    "MMF_E_DISPOSED": (ClosedError, errno.EBADF),
    "MMF_E_NOT_SUPPORTED": (UnsupportedError, errno.ENOTSUP),
    "MMF_E_PLATFORM": (UnsupportedError, errno.ENOSYS),
    "MMF_E_MISMATCH": (ArgumentError, errno.EINVAL),
    "MMF_E_WRONG_KIND": (ArgumentError, errno.EINVAL),
    "MMF_E_NOT_OWNER": (StateError, errno.EPERM),
    "MMF_E_FULL": (FullError, errno.ENOBUFS),
    "MMF_E_RECURSION": (StateError, errno.EOVERFLOW),
    "MMF_E_STATE": (StateError, errno.EINVAL),
    "MMF_E_BUSY": (Error, errno.EBUSY),
    "MMF_E_LAYOUT": (Error, errno.EIO),
    "MMF_E_CORRUPT": (Error, errno.EIO),
    "MMF_E_PEER_CLOSED": (PeerClosedError, errno.EPIPE),
    "MMF_E_MAXIMUM": (FullError, errno.EOVERFLOW),
    "MMF_E_TOO_MANY": (FullError, errno.EUSERS),
}


def make(status, name, message, parameter, system_error):
    """For the extension module: the exception of a status."""
    kind, number = _CLASSES.get(name, (Error, errno.EIO))
    error = kind(message)
    error.errno = system_error or number
    error.status, error.message, error.parameter = name, message, parameter
    return error
