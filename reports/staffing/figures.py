"""Figures of the staffing page: need against roster by half hour, and the curve over headcounts.

Drawn are the plan's CSV tables as they are. Money in million CNY, shares in percent.
"""

from collections.abc import Mapping
from typing import Any, Final

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from reports import style
from reports.figure import Figure, Layout, days_axis, figure, name_panel, panels, thousands
from reports.language import later, say, say_html
from reports.staffing import words

_PERCENT: Final = 100.0
_MONEY: Final = 0.0
"""Stands for the scale that suits the amounts."""
_CURVES: Final = (
    (
        later("Intervals on target"),
        later("% of a season's"),
        _PERCENT,
        (("held_ratio", style.BLUE),),
    ),
    (
        later("Service level"),
        later("percent answered in time"),
        _PERCENT,
        (("service_level_phone_ratio", style.BLUE), ("service_level_im_ratio", style.GREEN)),
    ),
    (
        later("Abandoned"),
        later("percent of contacts offered"),
        _PERCENT,
        (("abandoned_ratio", style.VERMILION),),
    ),
    (later("Wages"), "", _MONEY, (("wage_fen", style.ORANGE),)),
    (later("Net payout"), "", _MONEY, (("payout_net_fen", style.SKY),)),
)


def cover(table: pl.DataFrame, summary: Mapping[str, Any]) -> Figure:
    """Heads at desks: needed, rostered, missing."""
    days = sorted(table["lunar_day"].unique().to_list())
    hours = (24.0 * (table["lunar_day"] - days[0]) + table["start_h"]).to_list()

    def draw(canvas: Canvas, layout: Layout) -> None:
        (axes,) = panels(canvas, layout, rows=1)
        name_panel(axes, layout, say("Heads at their desks"), say("heads, by half hour"))
        rostered, needed = table["rostered_count"].to_list(), table["needed_count"].to_list()
        axes.fill_between(hours, rostered, step="post", color=style.SKY, alpha=0.35, linewidth=0)
        axes.step(hours, needed, where="post", color=style.INK, linewidth=1.0)
        missing = table["uncovered_count"].to_list()
        axes.fill_between(hours, missing, step="post", color=style.VERMILION, linewidth=0)
        axes.set_ylim(bottom=0.0)
        axes.yaxis.set_major_formatter(thousands)
        days_axis(axes, days, label=True)

    of = words.whole(summary)
    return figure(
        "staff-cover",
        title=say_html(
            "The roster of {heads} heads leaves {hours} hours uncovered",
            heads=of.number("heads_count", "count"),
            hours=of.number("uncovered_h", "count"),
        ),
        reading=say(
            "Black: heads that must be at their desks for the target at the stated risk. Blue: "
            "heads rostered there. Red: heads missing by skill, which others who are there cannot "
            "replace."
        ),
        data=table,
        subjects=("needed_count", "rostered_count", "uncovered_count"),
        alt=say("Heads needed and rostered by half hour"),
        height_px=lambda _: 320.0,
        draw=draw,
        file="cover.csv",
    )


def curves(table: pl.DataFrame, summary: Mapping[str, Any]) -> Figure:
    """What more heads bring."""
    asked = summary["heads_count"]

    def draw(canvas: Canvas, layout: Layout) -> None:
        columns = 1 if layout.narrow else 2
        rows = -(-len(_CURVES) // columns)
        found = panels(canvas, layout, rows=rows, columns=columns, foot_px=34.0)
        for axes, (name, of, by, lines) in zip(found, _CURVES, strict=False):
            shown = [table.filter(pl.col("metric") == metric) for metric, _ in lines]
            scale, unit = _scale(shown[0]) if by == _MONEY else (by, say(of))
            name_panel(axes, layout, say(name), unit)
            for of_metric, (_, colour) in zip(shown, lines, strict=True):
                _band(axes, of_metric, scale, colour)
            axes.axvline(asked, color=style.INK, linewidth=0.8, linestyle=":")
            axes.xaxis.set_major_formatter(thousands)
            axes.yaxis.set_major_formatter(thousands)
            axes.set_xlabel(say("heads"))
        for axes in found[len(_CURVES) :]:
            axes.set_axis_off()
        _good(found[0], table)

    return figure(
        "staff-curve",
        title=words.smallest(summary),
        reading=say(
            "Line: mean over seasons none of which the need was found with. Band: nine seasons in "
            "ten. Dashed: share of intervals that hold at the stated risk, of which 95 % are "
            "asked. Service level: blue phone, green IM. Dotted: the headcount asked about. "
            "Payouts are of fewer seasons."
        ),
        data=table,
        subjects=tuple(metric for *_, lines in _CURVES for metric, _ in lines),
        alt=say("Service, abandonment, wages and payouts over headcounts"),
        height_px=lambda layout: 1000.0 if layout.narrow else 640.0,
        draw=draw,
        file="curve.csv",
    )


def _scale(rows: pl.DataFrame) -> tuple[float, str]:
    """Scale and unit of amounts."""
    top = rows["band_high"].max()
    return style.money_axis(float(top) if isinstance(top, int | float) else 0.0)


def _band(axes: Axes, rows: pl.DataFrame, scale: float, colour: str) -> None:
    heads = rows["heads_count"].to_list()
    low, high = ([scale * v for v in rows[name].to_list()] for name in ("band_low", "band_high"))
    axes.fill_between(heads, low, high, color=colour, alpha=0.25, linewidth=0)
    axes.plot(heads, [scale * v for v in rows["mean"].to_list()], color=colour, marker=".")


def _good(axes: Axes, table: pl.DataFrame) -> None:
    rows = table.filter(pl.col("metric") == "good_intervals_ratio")
    values = [_PERCENT * value for value in rows["mean"].to_list()]
    axes.plot(rows["heads_count"].to_list(), values, color=style.INK, linestyle="--")
    axes.axhline(95.0, color=style.RULE, linewidth=0.8)
