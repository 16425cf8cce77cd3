"""A directory that one process at a time works in.

The lock is that of the directory itself: it leaves no file, and ends with the process, however that
ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class HeldError(Exception):
    """Another process works in the directory; the message says so, for the user."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """In here no other process holds the directory. Raises HeldError where one does, and OSError
    where there is no directory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HeldError(
                f"another springpeak is at work in {path}: wait until it ends"
            ) from None
        except OSError:
            pass  # A file system without locks: it is left to the user.
        yield
    finally:
        os.close(handle)
