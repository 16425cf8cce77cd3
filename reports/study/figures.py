"""Figures of a study: what explains an outcome, main effects, and the frontier.

Intervals are 95 % confidence intervals where the tables give them.
"""

import math
from collections.abc import Sequence
from typing import Final

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from reports import style
from reports.cells import quote
from reports.figure import Figure, Layout, figure, name_panel, panels, thousands
from reports.language import later, say, say_html
from reports.metrics import metric_name
from reports.rows import Row, rows

ORDERS: Final = ("first", "total")
INDEX_KEYS: Final = ("scenario", "combination", "outcome", "order", "key", "other")
EFFECT_KEYS: Final = ("scenario", "combination", "outcome", "key", "step")
FRONTIER_KEYS: Final = ("scenario", "position")
SCREENING_KEYS: Final = ("scenario", "combination", "outcome", "key")
_PANELS_COUNT: Final = 6
_PANEL_PX: Final = 170.0
_BAR_PX: Final = 30.0
_READING: Final = later(
    "Blue: the factor alone. Light: alone and in interactions. Thin line: 95 % interval."
)


def slug(*parts: object) -> str:
    """A name for a figure that no other has."""
    text = "-".join(str(part) for part in parts if part is not None)
    return "".join(letter if letter.isalnum() else "-" for letter in text)


def indices(name: str, frame: pl.DataFrame) -> Figure:
    """First-order and total indices of one outcome, the factor with the largest total first."""
    single = [row for row in rows("study_indices", frame, INDEX_KEYS) if row["other"] is None]
    by_order = {order: {r["key"]: r for r in single if r["order"] == order} for order in ORDERS}
    keys = sorted(by_order["total"], key=lambda key: -by_order["total"][key]["value"])
    top = by_order["first"][max(keys, key=lambda key: float(by_order["first"][key]["value"]))]

    def draw(canvas: Canvas, layout: Layout) -> None:
        axes = canvas.add_subplot()
        for place, key in enumerate(reversed(keys)):
            for order, colour, height in (("total", style.SKY, 0.8), ("first", style.BLUE, 0.4)):
                _bar(axes, place, by_order[order][key], colour, height)
        _keys_axis(canvas, axes, layout, [*reversed(keys)])
        axes.set_xlim(left=0.0)
        axes.set_xlabel(say("share of the variance"))
        axes.xaxis.set_major_formatter(lambda value, _: style.percent(value, 0))

    return figure(
        f"study-indices-{name}",
        title=say_html(
            "{outcome}: {key} alone explains {share} of the variance (95&nbsp;% interval "
            "{interval})",
            key=quote(top["key"]),
            share=top.number("value", "percent"),
            outcome=metric_name(top["outcome"]),
            interval=top.range("low", "high", "percent"),
        ),
        reading=say(_READING),
        subjects=ORDERS,
        file="study_indices.parquet",
        data=frame,
        alt=say("Share of the variance that each factor explains"),
        height_px=lambda _layout: 70.0 + _BAR_PX * len(keys),
        draw=draw,
    )


def screening(name: str, frame: pl.DataFrame) -> Figure:
    """Mean size of elementary effects, largest first; chance as a mark."""
    found = sorted(rows("study_screening", frame, SCREENING_KEYS), key=lambda row: -row["size"])
    unit = _Unit(found[0]["outcome"], [row["size"] for row in found])

    def draw(canvas: Canvas, layout: Layout) -> None:
        axes = canvas.add_subplot()
        for place, row in enumerate(reversed(found)):
            axes.barh(place, row["size"] * unit.scale, color=style.BLUE, height=0.6)
            ends = [row[end] * unit.scale for end in ("low", "high")]
            axes.plot(ends, [place, place], color=style.INK, linewidth=1.0)
            if row["noise"] is not None:
                axes.plot([row["noise"] * unit.scale], [place], "|", color=style.VERMILION, ms=14)
        _keys_axis(canvas, axes, layout, [row["key"] for row in reversed(found)])
        axes.set_xlim(left=0.0)
        axes.set_xlabel(unit.name)

    return figure(
        f"study-screening-{name}",
        title=say_html(
            "{key} moves it most over its range: {outcome}, by {size} on average",
            key=quote(found[0]["key"]),
            outcome=metric_name(found[0]["outcome"]),
            size=found[0].number("size", unit.form),
        ),
        reading=say(
            "Mean size of single steps, of the whole range. Red mark: what chance alone would show."
        ),
        subjects=("size", "noise"),
        file="study_screening.parquet",
        data=frame,
        alt=say("Mean size of each factor's steps"),
        height_px=lambda _layout: 70.0 + _BAR_PX * len(found),
        draw=draw,
    )


def effects(name: str, frame: pl.DataFrame, keys: Sequence[str]) -> Figure:
    """The mean outcome along the first factors of `keys`, a panel a factor, on one scale."""
    shown = list(keys[:_PANELS_COUNT])
    found = list(rows("study_effects", frame, EFFECT_KEYS))
    by_key = {key: [row for row in found if row["key"] == key] for key in shown}
    values = [row[field] for row in found for field in ("mean", "low", "high")]
    unit = _Unit(found[0]["outcome"], [value for value in values if value is not None])
    first = by_key[shown[0]]
    ends = (first[0], first[-1])

    def draw(canvas: Canvas, layout: Layout) -> None:
        columns = 1 if layout.narrow else 3
        grid = panels(
            canvas, layout, rows=math.ceil(len(shown) / columns), columns=columns, foot_px=26.0
        )
        for number, (axes, key) in enumerate(zip(grid, shown, strict=False)):
            _curve(axes, by_key[key], unit)
            block, _, last = key.rpartition(".")
            name_panel(axes, layout, last, block)
            axes.tick_params(labelsize=layout.font_px - 1, labelleft=number % columns == 0)
            axes.locator_params(axis="x", nbins=4)
            axes.locator_params(axis="y", nbins=4)
            if number:
                axes.sharey(grid[0])
        for axes in grid[len(shown) :]:
            axes.set_visible(False)
        grid[0].yaxis.set_major_formatter(unit.tick)

    return figure(
        f"study-effects-{name}",
        title=say_html(
            "{outcome}: {low} at {low_value}, {high} at {high_value} of {key}",
            outcome=metric_name(first[0]["outcome"]),
            key=quote(shown[0]),
            **{
                f"{side}{suffix}": row.number(field, form)
                for side, row in zip(("low", "high"), ends, strict=True)
                for suffix, field, form in (("", "mean", unit.form), ("_value", "value", "plain"))
            },
        ),
        reading=say_html(
            "Line: mean over everything else that moves ({unit}). Band: 95&nbsp;% interval of the "
            "effect.",
            unit=unit.name,
        ),
        subjects=shown,
        file="study_effects.parquet",
        data=frame.filter(pl.col("key").is_in(shown)),
        alt=say("Mean outcome along each factor"),
        height_px=lambda layout: 20.0
        + _PANEL_PX * math.ceil(len(shown) / (1 if layout.narrow else 3)),
        draw=draw,
    )


def frontier(name: str, frame: pl.DataFrame, service: str) -> Figure:
    """Cost against service of every choice; the efficient ones joined."""
    found = list(rows("study_frontier", frame, FRONTIER_KEYS))
    scale, money = style.money_axis(max(row["cost_fen"] for row in found))
    unit = _Unit(service, [row["service"] for row in found])
    best = [row for row in found if row["efficient"]]

    def draw(canvas: Canvas, layout: Layout) -> None:
        (axes,) = panels(canvas, layout, rows=1)
        name_panel(axes, layout, metric_name(service), unit.name)
        for row in found:
            colour = style.BLUE if row["efficient"] else style.MUTED
            at = (row["cost_fen"] * scale, row["service"] * unit.scale)
            _whiskers(axes, row, at, (scale, unit.scale), colour)
            axes.annotate(
                row["choice"].rpartition("=")[2] if "," not in row["choice"] else row["choice"],
                at,
                xytext=(6, -12),
                textcoords="offset points",
                color=colour,
                fontsize=layout.font_px - 2,
            )
        path = [(row["cost_fen"] * scale, row["service"] * unit.scale) for row in best]
        axes.plot(*zip(*path, strict=True), color=style.BLUE, linewidth=1.0)
        axes.set_xlabel(say("cost, {unit}", unit=money))
        axes.xaxis.set_major_formatter(thousands)
        axes.yaxis.set_major_formatter(unit.tick)

    return figure(
        f"study-frontier-{name}",
        title=say_html(
            "From {cheap_choice} to {dear_choice} service goes from {cheap} to {dear}, and cost "
            "from {cheap_cost} to {dear_cost}",
            cheap_choice=quote(best[0]["choice"]),
            dear_choice=quote(best[-1]["choice"]),
            cheap=best[0].number("service", unit.form),
            dear=best[-1].number("service", unit.form),
            cheap_cost=best[0].number("cost_fen", "cny"),
            dear_cost=best[-1].number("cost_fen", "cny"),
        ),
        reading=say(
            "Blue: no other choice costs no more and serves no worse. Lines: nine points in ten, "
            "over the assumptions."
        ),
        subjects=("cost_fen", "service"),
        file="study_frontier.parquet",
        data=frame,
        alt=say("Cost against service of every choice"),
        height_px=lambda _layout: 360.0,
        draw=draw,
    )


class _Unit:
    """How an outcome's values stand on an axis, and how they are printed."""

    def __init__(self, metric: str, values: Sequence[float]) -> None:
        self.scale, self.name, self.form = 1.0, "", "figures"
        if metric.endswith("_fen"):
            self.scale, self.name = style.money_axis(max(map(abs, values), default=0.0))
            self.form = "cny"
        elif metric.endswith("_ratio"):
            self.name, self.form = "%", "percent"
        elif metric.endswith("_s"):
            self.name, self.form = say("s"), "seconds"
        elif metric.endswith("_count"):
            self.form = "count"

    def tick(self, value: float, position: float) -> str:
        """A tick label."""
        if self.form == "percent":
            return style.percent(value, 0)
        return thousands(value, position)


def _bar(axes: Axes, place: int, row: Row, colour: str, height: float) -> None:
    axes.barh(place, row["value"], color=colour, height=height)
    if row["low"] is not None and row["high"] is not None:
        shift = 0.25 if row["order"] == "total" else 0.0
        axes.plot(
            [row["low"], row["high"]], [place + shift] * 2, color=style.INK, linewidth=1.0
        )


def _keys_axis(canvas: Canvas, axes: Axes, layout: Layout, keys: Sequence[str]) -> None:
    """Names of factors down the side, without their block on a narrow page."""
    names = [key.partition(".")[2] or key if layout.narrow else key for key in keys]
    axes.set_yticks(range(len(keys)), names, fontsize=layout.font_px - 2)
    axes.grid(visible=False)
    axes.grid(axis="x", visible=True)
    height_px = 70.0 + _BAR_PX * len(keys)
    left = 0.5 if layout.narrow else 0.36
    canvas.subplots_adjust(left=left, right=0.96, top=0.98, bottom=46.0 / height_px)


def _curve(axes: Axes, steps: Sequence[Row], unit: _Unit) -> None:
    at = [row["value"] for row in steps]
    mean = [row["mean"] * unit.scale for row in steps]
    marker = "o" if len(steps) < 9 else ""
    axes.plot(at, mean, color=style.BLUE, marker=marker, markersize=4)
    if all(row["low"] is not None for row in steps):
        low, high = ([row[end] * unit.scale for row in steps] for end in ("low", "high"))
        axes.fill_between(at, low, high, color=style.BLUE, alpha=0.25, linewidth=0)


def _whiskers(
    axes: Axes, row: Row, at: tuple[float, float], scales: tuple[float, float], colour: str
) -> None:
    """The spread over the points in both directions, and the mean."""
    cost = [row[f"cost_{end}_fen"] * scales[0] for end in ("p05", "p95")]
    service = [row[f"service_{end}"] * scales[1] for end in ("p05", "p95")]
    axes.plot(cost, [at[1]] * 2, color=colour, alpha=0.35, linewidth=1.0)
    axes.plot([at[0]] * 2, service, color=colour, alpha=0.35, linewidth=1.0)
    axes.plot(*at, "o", color=colour, markersize=6)
