"""The numbers that the page may print: cells of a run's files, each with the address it came from.

Reads manifest.json, summary.json, scenario.toml, estimates.parquet and api.json (if there is one)
of a run directory and hands out cells; it selects and never computes. An address reads
`estimates:subject[dim=value,...]`, `summary:metric`, `manifest:dotted.key`, `scenario:dotted.key`
or `api:key`; with the field (mean, low, high, band_low, band_high, n) and the printed form it
stands on the page beside every number, so that each can be walked back to its file. Units are those
of the files; printed forms are style.py's.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from markupsafe import Markup

from reports import style
from sim.experiment.files import read_json, read_table, readable

DIMS: Final = (
    "lunar_day", "hour", "skill", "channel", "guarantee", "category", "store_type"
)  # fmt: skip
FIELDS: Final = ("mean", "low", "high", "band_low", "band_high", "n")
Dim = int | str


@dataclass(frozen=True, slots=True)
class Number:
    """One printed number: where it came from, and how it is printed."""

    source: str
    field: str
    form: str
    value: float | None

    @property
    def text(self) -> str:
        return style.MISSING if self.value is None else style.FORMATS[self.form](self.value)

    @property
    def gid(self) -> str:
        """The same address for a number inside a figure; figure.py turns it into attributes."""
        return f"num:{self.source}|{self.field}|{self.form}"

    def __html__(self) -> Markup:
        return Markup(
            '<span class="num" data-source="{}" data-field="{}" data-form="{}">{}</span>'
        ).format(self.source, self.field, self.form, self.text)


def between(low: Number, high: Number) -> Markup:
    """Two numbers as a range; a dash alone where one is missing."""
    if low.value is None or high.value is None:
        return Markup('<span class="none">{}</span>').format(style.MISSING)
    return Markup("{}&nbsp;– {}").format(low, high)


@dataclass(frozen=True, slots=True)
class Cell:
    """One estimate: mean, 95 % confidence interval, 5-95 % band over replications, and its unit."""

    source: str
    unit: str
    mean: float | None
    low: float | None
    high: float | None
    band_low: float | None
    band_high: float | None
    n: float | None

    def number(self, field: str = "mean", form: str | None = None) -> Number:
        value: float | None = getattr(self, field)
        return Number(self.source, field, form or style.format_of_unit(self.unit), value)

    def range(self, low: str, high: str, form: str | None = None) -> Markup:
        """Two numbers as a range; a dash alone where the file has none (one replication)."""
        form = style.form_in_range(form or style.format_of_unit(self.unit))
        return between(self.number(low, form), self.number(high, form))

    def interval(self, form: str | None = None) -> Markup:
        """The 95 % confidence interval of the mean."""
        return self.range("low", "high", form)

    def band(self, form: str | None = None) -> Markup:
        """The range that nine replications in ten fall into."""
        return self.range("band_low", "band_high", form)


@dataclass(frozen=True, slots=True)
class Series:
    """Estimates of one subject along one or two dimensions, in order; NaN where null."""

    subject: str
    keys: tuple[tuple[int, ...], ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    band_low: np.ndarray
    band_high: np.ndarray

    def peak(self, *, lowest: bool = False) -> tuple[int, ...] | None:
        """The key of the highest (or lowest) mean; None where nothing was estimated."""
        if np.isnan(self.mean).all():
            return None
        at = np.nanargmin(self.mean) if lowest else np.nanargmax(self.mean)
        return self.keys[int(at)]

    def days(self) -> list[int]:
        """The lunar days of a series along lunar_day."""
        return sorted({key[0] for key in self.keys})


class Book:
    """Everything the page may quote from one run directory."""

    def __init__(self, run_dir: Path) -> None:
        self.path = run_dir
        self.manifest = read_json(run_dir / "manifest.json")
        self.summary = read_json(run_dir / "summary.json")
        with readable(run_dir / "scenario.toml"):
            self.scenario = tomllib.loads((run_dir / "scenario.toml").read_text(encoding="utf-8"))
        loaded = run_dir / "api.json"
        self.api = read_json(loaded) if loaded.exists() else {}
        frame = read_table(run_dir / "estimates.parquet")
        enums = [name for name in DIMS if name not in ("lunar_day", "hour")]
        self._frame = frame = frame.with_columns(pl.col(enums).cast(pl.String))
        self._rows: dict[str, dict[tuple[Dim | None, ...], dict[str, Any]]] = {}
        for row in frame.iter_rows(named=True):
            key = tuple(row[name] for name in DIMS)
            self._rows.setdefault(row["subject"], {})[key] = row

    def has(self, subject: str, **dims: Dim) -> bool:
        return _key(dims) in self._rows.get(subject, {})

    def cell(self, subject: str, **dims: Dim) -> Cell:
        """The estimate at these dimensions; an empty cell where the run has none."""
        row = self._rows.get(subject, {}).get(_key(dims), {})
        given = ",".join(f"{name}={dims[name]}" for name in DIMS if name in dims)
        source = f"estimates:{subject}[{given}]" if given else f"estimates:{subject}"
        return Cell(source, row.get("unit", ""), *(_finite(row.get(name)) for name in FIELDS))

    def metric(self, name: str) -> Cell:
        """The metric of summary.json, with the band of the season's estimate left out."""
        row = self.summary["metrics"].get(name, {})
        return Cell(
            f"summary:{name}",
            row.get("unit", ""),
            *(_finite(row.get(field)) for field in FIELDS),
        )

    def series(self, subject: str, *by: str, **fixed: Dim) -> Series:
        """All estimates of the subject at `fixed`, along `by`, in rising order."""
        along = [DIMS.index(name) for name in by]
        wanted = [(at, fixed.get(name)) for at, name in enumerate(DIMS) if at not in along]
        rows = [
            (tuple(int(key[at] or 0) for at in along), row)
            for key, row in self._rows.get(subject, {}).items()
            if all(key[at] is not None for at in along)
            and all(key[at] == value for at, value in wanted)
        ]
        rows.sort(key=lambda item: item[0])
        columns = (
            np.array([_nan(row[name]) for _, row in rows], dtype=np.float64)
            for name in ("mean", "low", "high", "band_low", "band_high")
        )
        return Series(subject, tuple(key for key, _ in rows), *columns)

    def data(self, subjects: Sequence[str], *by: str, **fixed: Dim) -> pl.DataFrame:
        """The rows behind a figure: these subjects along `by`, without columns that say nothing."""
        others = [name for name in DIMS if name not in by and name not in fixed]
        chosen = self._frame.filter(
            pl.col("subject").is_in(list(subjects)),
            *(pl.col(name).is_not_null() for name in by),
            *(pl.col(name) == value for name, value in fixed.items()),
            *(pl.col(name).is_null() for name in others),
        )
        return chosen.select("subject", *fixed, *by, "unit", *FIELDS)

    def words_of(self, subject: str, dim: str) -> tuple[str, ...]:
        """The values that a dimension takes for a subject, in order of appearance."""
        at = DIMS.index(dim)
        found = (key[at] for key in self._rows.get(subject, {}))
        return tuple(dict.fromkeys(str(word) for word in found if word is not None))

    def quoted(self, key: str, form: str) -> Number:
        """A number of the head of summary.json."""
        return Number(f"summary:{key}", "value", form, _number(self.summary, key))

    def setting(self, dotted: str, form: str = "plain") -> Number:
        """A value of the resolved scenario."""
        return Number(f"scenario:{dotted}", "value", form, _number(self.scenario, dotted))

    def noted(self, dotted: str, form: str = "plain") -> Number:
        """A value of the manifest."""
        return Number(f"manifest:{dotted}", "value", form, _number(self.manifest, dotted))

    def loaded(self, key: str, form: str = "plain") -> Number:
        """A number of api.json: what the guarantee API did under the run's busiest minutes."""
        return Number(f"api:{key}", "value", form, _number(self.api, key))


def quote(text: str, source: str = "") -> Markup:
    """A quoted word of a file (a fingerprint, a version), with its address if it has one."""
    if not source:
        return Markup('<span class="quoted">{}</span>').format(text)
    return Markup('<span class="quoted" data-source="{}">{}</span>').format(source, text)


def _number(tree: Mapping[str, Any], dotted: str) -> float | None:
    value: Any = tree
    for name in dotted.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _key(dims: Mapping[str, Dim]) -> tuple[Dim | None, ...]:
    return tuple(dims.get(name) for name in DIMS)


def _finite(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)
