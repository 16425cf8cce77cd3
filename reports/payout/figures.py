"""Figures of the payout page: cash as a fan by day, and the tornado.

Bands are quantiles over seasons, drawn where the tables give them.
"""

import math
from collections.abc import Mapping
from typing import Final

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from reports import style
from reports.cells import quote
from reports.figure import Figure, Layout, figure, name_panel, panels, thousands
from reports.language import say, say_html
from reports.names import day_name
from reports.rows import Row, rows

_FANS: Final = ("cumulative_paid", "cumulative_recovered")
_BANDS: Final = (("p50", "p99", 0.12), ("p50", "p95", 0.2), ("p50", "p75", 0.3))
_SIDES: Final = (("low", style.SKY), ("high", style.VERMILION))


def figures(tables: Mapping[str, pl.DataFrame]) -> list[Figure]:
    """The page's figures in order."""
    found = [_fan(tables["payout_cash"])]
    if "payout_tornado" in tables and tables["payout_tornado"].height:
        found.append(_tornado(tables["payout_tornado"]))
    return found


def _fan(cash: pl.DataFrame) -> Figure:
    drawn = cash.filter(pl.col("flow").is_in(_FANS), pl.col("lunar_day").is_not_null())
    scale, unit = style.money_axis(float(drawn["value_fen"].max() or 0.0))  # type: ignore[arg-type]
    named = dict(zip(_FANS, (say("paid"), say("recovered")), strict=True))

    def line(flow: str, statistic: str) -> tuple[list[int], list[float]]:
        of_flow = (pl.col("flow") == flow) & (pl.col("statistic") == statistic)
        found = drawn.filter(of_flow).sort("lunar_day")
        fen = found["value_fen"].fill_null(math.nan).to_list()
        return found["lunar_day"].to_list(), [value * scale for value in fen]

    def draw(canvas: Canvas, layout: Layout) -> None:
        (axes,) = panels(canvas, layout, rows=1)
        name_panel(axes, layout, say("Cash so far"), unit)
        days: list[int] = []
        for (flow, name), colour in zip(named.items(), (style.BLUE, style.GREEN), strict=True):
            days, mean = line(flow, "mean")
            axes.plot(days, mean, color=colour, label=name, marker="o", markersize=4)
            for low, high, alpha in _BANDS:
                bottom, top = line(flow, low)[1], line(flow, high)[1]
                axes.fill_between(days, bottom, top, color=colour, alpha=alpha, linewidth=0)
        axes.set_xticks(days, [style.day_number(day) for day in days])
        axes.set_xlabel(say("lunar day"))
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(thousands)
        axes.legend(frameon=False, loc="upper left", fontsize=layout.font_px)

    last = [
        row
        for row in rows("payout_cash", drawn, ("flow", "lunar_day", "statistic"))
        if row["statistic"] == "mean" and row["lunar_day"] == drawn["lunar_day"].max()
    ]
    ends = {str(row["flow"]): row for row in last}
    paid, recovered = (ends[flow] for flow in _FANS)
    return figure(
        "payout-cash",
        title=say_html(
            "By {day} {paid} are paid to consumers and {recovered} have come back from merchants",
            day=day_name(int(paid["lunar_day"])),
            paid=paid.number("value_fen", "cny"),
            recovered=recovered.number("value_fen", "cny"),
        ),
        reading=say(
            "Line: mean season. Bands: from the median up to P75, P95 and P99, where given."
        ),
        subjects=_FANS,
        file="payout_cash.parquet",
        data=drawn,
        alt=say("Cumulative payments and recoveries by day"),
        height_px=lambda _layout: 300.0,
        draw=draw,
    )


def _tornado(table: pl.DataFrame) -> Figure:
    shown = list(rows("payout_tornado", table, ("key",)))
    effects = [abs(row[f"{side}_effect_fen"] or 0.0) for row in shown for side, _ in _SIDES]
    scale, unit = style.money_axis(max(effects, default=0.0))

    def draw(canvas: Canvas, layout: Layout) -> None:
        axes = canvas.add_subplot()
        for place, row in enumerate(reversed(shown)):
            for side, colour in _SIDES:
                _bar(axes, place, row, side, colour, scale)
        names = [_short(row["key"], layout) for row in reversed(shown)]
        axes.set_yticks(range(len(shown)), names, fontsize=layout.font_px - 2)
        axes.axvline(0.0, color=style.INK, linewidth=0.8)
        axes.grid(visible=False)
        axes.grid(axis="x", visible=True)
        axes.set_xlabel(say("change of the expected net payout, {unit}", unit=unit))
        axes.xaxis.set_major_formatter(thousands)
        left, bottom = (0.5 if layout.narrow else 0.36), 46.0 / (70.0 + 26.0 * len(shown))
        canvas.subplots_adjust(left=left, right=0.98, top=0.98, bottom=bottom)

    first = shown[0]
    side = max(("low", "high"), key=lambda one: abs(first[f"{one}_effect_fen"] or 0.0))
    return figure(
        "payout-tornado",
        title=say_html(
            "{key} moves the expected net payout most: {effect} at {value} (95&nbsp;% interval "
            "{interval})",
            key=quote(first["key"]),
            effect=first.number(f"{side}_effect_fen", "cny"),
            value=first.number(f"{side}_value", "plain"),
            interval=first.range(f"{side}_effect_low_fen", f"{side}_effect_high_fen", "cny"),
        ),
        reading=say(
            "Blue: the low case of the assumption, red: its high case; each alone. Thin line: "
            "95 % interval."
        ),
        subjects=("low_effect_fen", "high_effect_fen"),
        file="payout_tornado.parquet",
        data=table,
        alt=say("Change of the net payout at the low and high case of each assumption"),
        height_px=lambda _layout: 70.0 + 26.0 * len(shown),
        draw=draw,
    )


def _bar(axes: Axes, place: int, row: Row, side: str, colour: str, scale: float) -> None:
    """A case's effect, and its interval where there is one."""
    effect = row[f"{side}_effect_fen"]
    if effect is None:
        return
    axes.barh(place, effect * scale, color=colour, height=0.7)
    low, high = row[f"{side}_effect_low_fen"], row[f"{side}_effect_high_fen"]
    if low is not None and high is not None:
        axes.plot([low * scale, high * scale], [place, place], color=style.INK, linewidth=1.0)


def _short(key: str, layout: Layout) -> str:
    """A key as a label; on a narrow page without its block."""
    return key.partition(".")[2] if layout.narrow else key
