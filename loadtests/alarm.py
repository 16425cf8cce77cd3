"""An alarm clock for gevent's hub, exact to microseconds.

The hub's own timers wait in epoll, which counts in milliseconds. A timerfd (Linux 2.6.25) is a file
descriptor that becomes readable at a nanosecond of CLOCK_MONOTONIC, so that the hub wakes up for it
as for any socket, without spinning. Elsewhere the hub's own timer does, a millisecond late.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from time import monotonic_ns
from typing import Any, Final

CLOCK_MONOTONIC: Final = 1
TFD_TIMER_ABSTIME: Final = 1
TFD_NONBLOCK_CLOEXEC: Final = 0o4000 | 0o2000000
_NS_PER_S: Final = 1_000_000_000
_READ: Final = 1


class _Setting(ctypes.Structure):
    """struct itimerspec."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


class TimerfdAlarm:
    """Calls `ring` in the hub at a time; setting another time replaces the first."""

    def __init__(self, loop: Any, ring: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._file = libc.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK_CLOEXEC)
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._settime = libc.timerfd_settime
        self._setting = _Setting(0, 0, 0, 0)
        self._reference = ctypes.byref(self._setting)
        self._watcher = loop.io(self._file, _READ)
        self._watcher.start(ring)

    def at(self, monotonic: int) -> None:
        """Ring at this time of time.monotonic_ns(), at once if it is past; 0 is never."""
        self._setting.value_s, self._setting.value_ns = divmod(monotonic, _NS_PER_S)
        self._settime(self._file, TFD_TIMER_ABSTIME, self._reference, None)

    def close(self) -> None:
        self._watcher.stop()
        self._watcher.close()
        os.close(self._file)


class HubAlarm:
    """The same with the hub's own timer."""

    def __init__(self, loop: Any, ring: Callable[[], None]) -> None:
        self._loop, self._ring = loop, ring
        self._timer = loop.timer(0.0)

    def at(self, monotonic: int) -> None:
        """Ring at this time of time.monotonic_ns(), at once if it is past; 0 is never."""
        self.close()
        if monotonic:
            self._timer = self._loop.timer(max(0.0, (monotonic - monotonic_ns()) / _NS_PER_S))
            self._timer.start(self._ring)

    def close(self) -> None:
        self._timer.stop()
        self._timer.close()


Alarm = TimerfdAlarm if sys.platform == "linux" else HubAlarm
