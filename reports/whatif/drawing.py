"""The two pictures of the page as SVG: service by hour of the season, and agents against load.

Decides places and colours only. Colours are the report's (reports/style.py), which colour-blind
readers tell apart; lines differ by dashes as well. Attributes instead of styles, because the page's
policy allows no style in the document.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from reports import style
from reports.language import say
from sim.columns import Floats

CELL_W: Final = 24
CELL_H: Final = 22
LABEL_W: Final = 84
WIDTH: Final = 720
HEIGHT: Final = 240
LEFT: Final = 48
FOOT: Final = 26


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of a day."""

    x: int
    y: int
    fill: str
    said: str
    number: str
    ink: str


@dataclass(frozen=True, slots=True)
class Heat:
    """Service levels, one row a day."""

    cells: tuple[Cell, ...]
    days: tuple[tuple[int, str], ...]
    """Height of a row's label, and its words."""
    hours: tuple[tuple[int, str], ...]
    width: int
    height: int
    cell_w: int
    cell_h: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart as SVG points."""

    points: str
    colour: str
    dash: str
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines by hour of a day."""

    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]
    """Height of a grid line, and its number."""
    hours: tuple[tuple[float, str], ...]
    width: int
    height: int
    left: int
    right: int


def heat(service_level: Floats, *, target: float, first_day: int) -> Heat:
    """The map of a channel's hours; (days, 24), NaN where nothing was offered."""
    cells, days = [], []
    for row, values in enumerate(service_level):
        day = first_day + row
        name = style.lunar_name(day)
        days.append((row * CELL_H + CELL_H // 2 + 20, f"{name} {style.day_number(day)}"))
        for hour, value in enumerate(values):
            known = None if np.isnan(value) else float(value)
            fill = style.bin_colour(known, target)
            number = style.MISSING if known is None else style.whole(known)
            said = style.MISSING if known is None else style.percent(known)
            cells.append(
                Cell(
                    x=LABEL_W + hour * CELL_W,
                    y=row * CELL_H + 20,
                    fill=fill,
                    said=f"{name} {style.hour_name(hour)}: {said}",
                    number=number,
                    ink=style.ink_on(fill),
                )
            )
    hours = tuple((LABEL_W + hour * CELL_W, f"{hour:02d}") for hour in range(0, 24, 3))
    return Heat(
        cells=tuple(cells),
        days=tuple(days),
        hours=hours,
        width=LABEL_W + 24 * CELL_W,
        height=len(service_level) * CELL_H + 22,
        cell_w=CELL_W,
        cell_h=CELL_H,
    )


def chart(agents: tuple[Floats, Floats], load: tuple[Floats, Floats]) -> Chart:
    """Agents there and agents kept busy by hour, baseline and change; (24,) each."""
    top = max(float(np.max(one)) for one in (*agents, *load)) * 1.08 or 1.0
    step = _step(top / 4.0)

    def points(values: Floats) -> str:
        pairs = []
        for hour, value in enumerate(values):
            y = _y(float(value), top)
            pairs += [f"{_x(hour):.1f},{y:.1f}", f"{_x(hour + 1):.1f},{y:.1f}"]
        return " ".join(pairs)

    lines = (
        (agents[0], style.MUTED, "2 4", say("Agents there, baseline")),
        (agents[1], style.INK, "", say("Agents there")),
        (load[0], style.SKY, "2 4", say("Agents that contacts would keep busy, baseline")),
        (load[1], style.VERMILION, "", say("Agents that contacts would keep busy")),
    )
    ticks = np.arange(0.0, top, step)
    return Chart(
        lines=tuple(Line(points(v), colour, dash, label) for v, colour, dash, label in lines),
        ticks=tuple((_y(float(t), top), style.count(float(t))) for t in ticks),
        hours=tuple((_x(hour), f"{hour:02d}") for hour in range(0, 25, 3)),
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - 8,
    )


def _x(hour: float) -> float:
    return LEFT + hour * (WIDTH - LEFT - 8) / 24.0


def _y(value: float, top: float) -> float:
    return (HEIGHT - FOOT) * (1.0 - value / top)


def _step(least: float) -> float:
    """The next of 1, 2, 5 x 10^k."""
    power = 10.0 ** np.floor(np.log10(max(least, 1e-9)))
    return float(next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= least))
