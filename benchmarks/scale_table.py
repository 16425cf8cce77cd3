"""What bench_scale measured: rows of docs/scale.csv, and the law through those of one measure.

A law is a line, value = intercept + slope x size, by least squares, with 95 % intervals from
Student's t; the exponent of value = c x size^p beside it says how straight it is (1 = straight).
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

FILE = Path(__file__).parent.parent / "docs" / "scale.csv"
LEVEL = 0.95


class Row(NamedTuple):
    """One measurement."""

    use: str
    """fit: the law goes through it; check: it is compared with what the law foretells."""
    part: str
    measure: str
    size: float
    size_unit: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted law."""

    intercept: float
    slope: float
    slope_half: float
    """Half the width of the slope's interval."""
    exponent: float
    exponent_half: float
    count: int

    def at(self, size: float) -> float:
        """What it foretells."""
        return self.intercept + self.slope * size


def fit(rows: Sequence[Row]) -> Line:
    """The law through measurements of one kind, at least three."""
    size = np.array([one.size for one in rows])
    value = np.array([one.value for one in rows])
    assert size.size >= 3, "a line with an interval needs three points"
    line = stats.linregress(size, value)
    power = stats.linregress(np.log(size), np.log(value))
    wide = float(stats.t.ppf(0.5 + LEVEL / 2.0, size.size - 2))
    return Line(
        float(line.intercept),
        float(line.slope),
        wide * float(line.stderr),
        float(power.slope),
        wide * float(power.stderr),
        size.size,
    )


def read(path: Path = FILE) -> list[Row]:
    """All rows."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Row(o["use"], o["part"], o["measure"], float(o["size"]), o["size_unit"],
                float(o["value"]), o["unit"])
            for o in csv.DictReader(file)
        ]  # fmt: skip


def keep(new: Iterable[Row], path: Path = FILE, *, whole: bool = True) -> None:
    """Write rows in place of those of the same parts and measures; of the same sizes only, too,
    where `new` is not the whole ladder."""

    def place(one: Row) -> tuple[object, ...]:
        ladder = one.part, one.measure, one.use == "replay"
        return ladder if whole else (*ladder, one.use, one.size)

    new = list(new)
    renewed = {place(one) for one in new}
    old = read(path) if path.exists() else []
    rows = [one for one in old if place(one) not in renewed] + new
    order = {pair: at for at, pair in enumerate(dict.fromkeys((o.part, o.measure) for o in rows))}
    rows.sort(key=lambda one: (order[one.part, one.measure], one.use != "fit", one.size))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Row._fields)
        for one in rows:
            writer.writerow(one._replace(size=_short(one.size), value=_short(one.value)))


def _short(value: float) -> str:
    return f"{value:.6g}"


def of(rows: Iterable[Row], part: str, measure: str, use: str = "fit") -> list[Row]:
    """The rows of one kind."""
    return [o for o in rows if (o.part, o.measure, o.use) == (part, measure, use)]
