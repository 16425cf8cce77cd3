"""Figures of the payout page: cash as a fan by day, and the tornado.

Bands are quantiles over seasons, drawn where the tables give them. Fen are drawn as million CNY.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import polars as pl
from markupsafe import Markup
from matplotlib.figure import Figure as Canvas

from reports import style
from reports.figure import Figure, Layout, figure

_MILLION: Final = 1e-8
_FANS: Final = (("cumulative_paid", "paid"), ("cumulative_recovered", "recovered"))
_BANDS: Final = (("p50", "p99", 0.12), ("p50", "p95", 0.2), ("p50", "p75", 0.3))


def figures(tables: Mapping[str, pl.DataFrame]) -> list[Figure]:
    """The page's figures in order."""
    found = [_fan(tables["payout_cash"])]
    if "payout_tornado" in tables and tables["payout_tornado"].height:
        found.append(_tornado(tables["payout_tornado"].to_dicts()))
    return found


def _fan(cash: pl.DataFrame) -> Figure:
    def line(flow: str, statistic: str) -> tuple[list[int], list[float]]:
        rows = cash.filter(
            (pl.col("flow") == flow)
            & (pl.col("statistic") == statistic)
            & pl.col("lunar_day").is_not_null()
        ).sort("lunar_day")
        fen = rows["value_fen"].fill_null(math.nan).to_list()
        return rows["lunar_day"].to_list(), [value * _MILLION for value in fen]

    def draw(canvas: Canvas, layout: Layout) -> None:
        axes = canvas.add_subplot()
        for (flow, name), colour in zip(_FANS, (style.BLUE, style.GREEN), strict=True):
            days, mean = line(flow, "mean")
            axes.plot(days, mean, color=colour, label=f"{name}, mean")
            for low, high, alpha in _BANDS:
                bottom, top = line(flow, low)[1], line(flow, high)[1]
                axes.fill_between(days, bottom, top, color=colour, alpha=alpha, linewidth=0)
        axes.set_xticks(days, [style.day_number(day) for day in days])
        axes.set_xlabel("lunar day")
        axes.set_ylabel("M CNY so far")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, loc="upper left", fontsize=layout.font_px)
        left = 0.12 if layout.narrow else 0.07
        canvas.subplots_adjust(left=left, right=0.99, top=0.97, bottom=0.16)

    return figure(
        "payout-cash",
        title=Markup("Paid to consumers and received from merchants, from the first day on"),
        reading="Line: mean season. Bands: from the median up to P75, P95 and P99, where given.",
        subjects=("cumulative_paid", "cumulative_recovered"),
        file="payout_cash.parquet",
        alt="Cumulative payments and recoveries by day",
        height_px=lambda _layout: 300.0,
        draw=draw,
    )


def _tornado(rows: list[dict[str, Any]]) -> Figure:
    def draw(canvas: Canvas, layout: Layout) -> None:
        axes = canvas.add_subplot()
        for place, row in enumerate(reversed(rows)):
            for side, colour in (("low", style.SKY), ("high", style.VERMILION)):
                effect = row[f"{side}_effect_fen"]
                if effect is not None:
                    axes.barh(place, effect * _MILLION, color=colour, height=0.7)
        names = [row["key"].replace("_", " ") for row in reversed(rows)]
        axes.set_yticks(range(len(rows)), names, fontsize=layout.font_px - 2)
        axes.axvline(0.0, color=style.INK, linewidth=0.8)
        axes.set_xlabel("change of the expected net payout, M CNY")
        left = 0.52 if layout.narrow else 0.36
        canvas.subplots_adjust(left=left, right=0.98, top=0.98, bottom=0.16)

    return figure(
        "payout-tornado",
        title=Markup("What moves the expected net payout most"),
        reading="Blue: the low case of the assumption, red: its high case; each alone.",
        subjects=("low_effect_fen", "high_effect_fen"),
        file="payout_tornado.parquet",
        alt="Change of the net payout at the low and high case of each assumption",
        height_px=lambda _layout: 70.0 + 26.0 * len(rows),
        draw=draw,
    )
