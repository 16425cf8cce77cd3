"""How a worker process holds its memory from one replication to the next.

Decides nothing but speed: what a replication frees, the next one asks for again.
"""

import ctypes
from typing import Final

# From glibc's malloc.h.
_M_TRIM_THRESHOLD: Final = -1
_M_TOP_PAD: Final = -2
_M_MMAP_MAX: Final = -4
_PAD_BYTES: Final = 1 << 26


def keep_memory() -> None:
    """Have the C library keep freed memory, where it is glibc.

    By default every large array is mapped anew and given back when it is freed, and the kernel
    clears each of its pages again: a twentieth of a replication's time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    for option, value in (
        (_M_MMAP_MAX, 0),
        (_M_TRIM_THRESHOLD, 2**31 - 1),
        (_M_TOP_PAD, _PAD_BYTES),
    ):
        mallopt(option, value)
