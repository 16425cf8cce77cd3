"""A replay between its first request and its journal: what it says of itself before it sends, and
how journal and summary are made of its parts, by itself or by whoever finds it cut short.

Decides what is known of steps without a row after a `kill -9` or on a full disk. A worker wrote
down how far it would go before it went there (recorder.py): what was planned earlier may have been
sent and is unknown, the rest was never sent. Without power the last seconds of that are lost, too:
on a machine that was started again every step without a row is unknown.
"""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from loadtests import journal, jsonfile, recorder, schedule, summary, trace
from loadtests.journal import About, JournalError, Share
from loadtests.recorder import PARTS, Parts
from scenarios.held import HeldError, held
from scenarios.load import ThresholdError, parse

FILE_NAME: Final = f"{PARTS}/replay.json"
CUT_SHORT: Final = "the replay was cut short: its journal was made of the parts that it left"
RESTARTED: Final = (
    "this is another machine, or it was started again: whatever has no row may have been sent"
)
AT_WORK: Final = (
    "a replay is at work there, or was cut short: then `springpeak audit` makes its journal"
)
CLOCK_SLACK_NS: Final = 1_000_000_000


def _booted_unix_ns() -> int:
    """When the monotonic clock began, by the wall clock: it names this start of this machine."""
    return time.time_ns() - time.monotonic_ns()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """What parts/replay.json holds, from before the first request until there is a summary."""

    about: About
    """As planned: nobody was lost."""
    thresholds: tuple[str, ...]
    linger_ns: int
    """Its workers may send for so long after a word of their master's."""
    booted_unix_ns: int = field(default_factory=_booted_unix_ns)

    def write(self, folder: Path) -> None:
        """Keep it, whatever happens next. Raises OSError."""
        values = {
            "about": journal.told(self.about),
            "thresholds": self.thresholds,
            "linger_ns": self.linger_ns,
            "booted_unix_ns": self.booted_unix_ns,
        }
        (folder / PARTS).mkdir(exist_ok=True)
        jsonfile.write(folder / FILE_NAME, values)
        for place in (folder / FILE_NAME, folder / PARTS, folder):
            _sync(place)


def is_there(folder: Path) -> bool:
    """Whether a replay is at work in the folder, or was cut short there."""
    return (folder / FILE_NAME).is_file()


def finish(
    folder: Path, found: Unfinished, planned: pl.DataFrame, parts: Parts, *, stopped: list[str]
) -> summary.Summary:
    """Journal and summary of the parts, which then go; whatever stops it, another call goes on.
    `stopped` says why it ended early. Raises JournalError, and then keeps the parts."""
    limits = found.about.limits
    try:
        said = [_set_aside(folder, one) for one in parts.torn]
        if not (folder / journal.FILE_NAME).exists():
            journal.write(folder, planned, found.about, parts.rows)
        result = summary.summarise(
            journal.read(folder),
            parse(found.thresholds),
            lag_limit_ms=limits["send_lag_limit_ms"],
            clock_limit_ms=limits["clock_limit_ms"],
            stopped=[*stopped, *said],
        )
        result.write(folder)
        _remove(folder)
    except (OSError, JournalError) as error:
        raise JournalError(
            f"{error}; the parts are kept: `springpeak audit {folder}` makes the journal of them"
        ) from None
    return result


def recover(folder: Path, trace_path: Path) -> list[str]:
    """Finish a replay that was cut short, and say in sentences what is missing; nothing if none
    was. Raises JournalError."""
    if not is_there(folder):
        return []
    try:
        with held(folder):
            found = _read(folder)
            if found is None:  # another process finished it just now
                return []
            if all((folder / name).exists() for name in (journal.FILE_NAME, summary.FILE_NAME)):
                _remove(folder)
                return []
            _refuse_if_sending(folder, found)
            planned = schedule.plan(
                _trace_of(found, trace_path),
                speed=found.about.limits["speed"],
                shards=len(found.about.shares),
            )
            parts = recorder.read_parts(folder)
            reasons, about = _lost(folder, found, planned, parts)
            known = replace(found, about=about)
            with _uninterrupted():
                return finish(folder, known, planned, parts, stopped=reasons).reasons
    except HeldError as error:
        raise JournalError(str(error)) from None
    except OSError as error:
        raise JournalError(f"{folder}: {error}") from None


def _read(folder: Path) -> Unfinished | None:
    """What stands in replay.json; None if it is gone. Raises JournalError."""
    path = folder / FILE_NAME
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        about = journal.about_of(values.pop("about"))
        thresholds = tuple(values.pop("thresholds"))
        parse(thresholds)
        return Unfinished(about=about, thresholds=thresholds, **values)
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError, ThresholdError) as error:
        raise JournalError(
            f"{path} is damaged ({type(error).__name__}: {error}): without it nobody knows what "
            f"the parts beside it belong to"
        ) from None


def _trace_of(found: Unfinished, path: Path) -> trace.Trace:
    """The trace that was replayed. Raises JournalError if the file is not that one."""
    try:
        steps = trace.read(path)
    except trace.TraceError as error:
        raise JournalError(str(error)) from None
    if trace.digest(path) != found.about.trace_digest:
        raise JournalError(f"{path} is not the trace that was replayed: give that one with --trace")
    return steps


def _refuse_if_sending(folder: Path, found: Unfinished) -> None:
    """Workers outlive their master by their lease. Raises JournalError while they may send."""
    last_ns = max(recorder.read_reach(folder, one.worker)[1] for one in found.about.shares)
    left_ns = last_ns + found.linger_ns - time.time_ns()
    if 0 < left_ns <= found.linger_ns:
        raise JournalError(
            f"{folder}: the replay's workers may still send, for {left_ns / 1e9:.0f} s at most: "
            "repeat this then"
        )


def _lost(
    folder: Path, found: Unfinished, planned: pl.DataFrame, parts: Parts
) -> tuple[list[str], About]:
    """Why the replay is no whole one, and what each worker may have sent beside its rows."""
    restarted = abs(_booted_unix_ns() - found.booted_unix_ns) > CLOCK_SLACK_NS
    missing = planned.join(parts.rows, on="step", how="anti")
    last_ns = dict(missing.group_by("worker").agg(pl.col("intended_ns").max()).iter_rows())

    def lost(share: Share) -> Share:
        if share.worker not in last_ns:
            return share
        if restarted:
            return replace(share, lost_ns=last_ns[share.worker] + 1)
        return replace(share, lost_ns=recorder.read_reach(folder, share.worker)[0])

    shares = tuple(map(lost, found.about.shares))
    reasons = [CUT_SHORT, *([RESTARTED] if restarted and last_ns else [])]
    return reasons, replace(found.about, shares=shares)


def _set_aside(folder: Path, torn: recorder.Torn) -> str:
    """Keep what is no row beside the journal; a sentence about it. Raises OSError."""
    path = folder / f"{torn.path.stem}.torn"
    try:
        path.write_bytes(torn.data)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OSError(f"{path} cannot be written: {error.strerror}") from None
    size = len(torn.data)
    return f"a chunk of {torn.path.name} was cut off: its {size} bytes are set aside in {path.name}"


def _remove(folder: Path) -> None:
    """The parts, once journal and summary are there; replay.json first, which says that they are
    not. Raises OSError."""
    (folder / FILE_NAME).unlink()
    recorder.remove_parts(folder)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C takes effect at the end: Polars would go on writing in threads of its own."""
    pressed = False

    def note(*_: object) -> None:
        nonlocal pressed
        pressed = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def _sync(path: Path) -> None:
    """Wait until it is on the disk. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
