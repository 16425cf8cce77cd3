"""Files of runs and studies: read whole, or refused by name; replaced in one step, or left.

Decides nothing of what stands in them; sim/experiment/rundir.py has the run's.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import polars as pl

UNFINISHED: Final = ".unfinished"
"""Ends the name of what is still written."""


class RunError(Exception):
    """A run cannot start, go on or be read; the message says why and what to do, for the user."""


@contextmanager
def readable(place: Path | str) -> Iterator[None]:
    """In here something is read that springpeak wrote. Raises RunError, which names the file (and
    line), where it is damaged: a disk that was full, or a copy that stopped, leaves such files."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, pl.exceptions.PolarsError) as error:
        raise RunError(
            f"{place} cannot be read, it is damaged ({type(error).__name__}: {error}): "
            "simulate again, into another folder"
        ) from error


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A path to write to, which then becomes the file in one step: it is whole or as it was."""
    unfinished = file.with_name(f"{file.name}{UNFINISHED}")
    try:
        yield unfinished
        unfinished.replace(file)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


def read_json(file: Path) -> dict[str, Any]:
    """An object that springpeak wrote as JSON. Raises RunError where the file is damaged."""
    with readable(file):
        values = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise TypeError("no JSON object")
        return values


def read_table(file: Path) -> pl.DataFrame:
    """A table that springpeak wrote as Parquet. Raises RunError where the file is damaged."""
    with readable(file):
        return pl.read_parquet(file)
