"""Figures of the money: payouts of each guarantee by day, and the pots burning down by hour.

Daily and hourly estimates; bands are the 5 % and 95 % quantiles over replications. Fen are drawn as
CNY. Panels are ordered by the season's estimate, so that what matters stands first.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from reports import style
from reports.cells import Book, Series
from reports.figure import (
    Figure,
    Layout,
    banded,
    days_axis,
    figure,
    hours_x,
    name_panel,
    panels,
    reading,
    shade,
)
from reports.language import say, say_html
from reports.names import day_name
from reports.targets import HELD_AT_RATIO
from sim.experiment import subjects

_ROW_PX: Final = 150.0


def _unit(series: Series) -> tuple[float, str]:
    """Scale and name of the axis unit that suits the panel's largest value, in fen."""
    tops = [value for value in (*series.mean, *series.band_high) if not math.isnan(value)]
    return style.money_axis(max(tops, default=0.0))


def _small_multiples(
    canvas: Canvas,
    layout: Layout,
    names: Sequence[str],
    columns: int,
    draw_one: Callable[[Axes, str], str],
) -> None:
    """One panel a guarantee; `draw_one` gives back the panel's unit."""
    grid = panels(
        canvas, layout, rows=_rows(names, columns), columns=columns, foot_px=26.0, bottom_px=40.0
    )
    for axes, name in zip(grid, names, strict=False):
        name_panel(axes, layout, style.guarantee(name), draw_one(axes, name))
        axes.tick_params(labelsize=layout.font_px - 1)
        axes.set_ylim(bottom=0)
        axes.locator_params(axis="y", nbins=3)
    for axes in grid[len(names) :]:
        axes.set_visible(False)
    for axes in grid[len(names) - columns : len(names)]:
        axes.set_xlabel(say("lunar day"))


def _rows(names: Sequence[str], columns: int) -> int:
    return math.ceil(len(names) / columns)


def _by_season(book: Book, subject: str) -> list[str]:
    """Guarantees by the season's estimate, largest first; ties keep the vocabulary's order."""
    names = book.words_of(subject, "guarantee")
    return sorted(names, key=lambda name: -(book.cell(subject, guarantee=name).mean or 0.0))


def payouts(book: Book) -> Figure:
    """Gross payouts by day, one panel a guarantee."""
    names = _by_season(book, subjects.PAYOUT_GROSS)
    whole = book.series(subjects.PAYOUT_GROSS, "lunar_day")

    def draw(canvas: Canvas, layout: Layout) -> None:
        def panel(axes: Axes, name: str) -> str:
            series = book.series(subjects.PAYOUT_GROSS, "lunar_day", guarantee=name)
            scale, unit = _unit(series)
            days = series.days()
            banded(axes, days, series, colour=style.BLUE, scale=scale, marker="o")
            axes.set_xticks(days[::2], [style.day_number(day) for day in days[::2]])
            return say("{unit} per day", unit=unit)

        _small_multiples(canvas, layout, names, 2 if layout.narrow else 4, panel)

    (day,) = whole.peak() or (0,)
    first = book.cell(subjects.PAYOUT_GROSS, guarantee=names[0])
    top = book.cell(subjects.PAYOUT_GROSS, lunar_day=day)
    title = say_html(
        "{guarantee} pays out most, {amount} (95&nbsp;% interval {interval}); the dearest day is "
        "{day} with {top}",
        guarantee=style.guarantee(names[0]),
        amount=first.number(),
        interval=first.interval(),
        day=day_name(day),
        top=top.number(),
    )
    return figure(
        "payouts-by-day",
        title=title,
        reading=reading(
            "Gross payments to consumers. Every panel has its own axis: compare days within a "
            "panel, and guarantees by the table of costs."
        ),
        subjects=(subjects.PAYOUT_GROSS,),
        data=book.data((subjects.PAYOUT_GROSS,), "guarantee", "lunar_day"),
        alt=say("Gross payout per day, one panel a guarantee"),
        height_px=lambda layout: 14 + _ROW_PX * _rows(names, 2 if layout.narrow else 4),
        draw=draw,
    )


def pots(book: Book) -> Figure:
    """What is left of each pot, hour by hour."""
    names = _by_season(book, subjects.EXHAUSTED)

    def draw(canvas: Canvas, layout: Layout) -> None:
        def panel(axes: Axes, name: str) -> str:
            left = book.series(subjects.DAY_LEFT, "lunar_day", "hour", guarantee=name)
            dry = book.series(subjects.EXHAUSTED, "lunar_day", "hour", guarantee=name)
            days = left.days()
            scale, unit = _unit(left)
            shade(axes, hours_x(dry, days[0]), dry.mean >= HELD_AT_RATIO)
            _burn_down(axes, left, scale=scale)
            days_axis(axes, days, label=False)
            axes.tick_params(labelbottom=True)
            places = [24 * (day - days[0]) + 12 for day in days[::2]]
            axes.set_xticks(places, [style.day_number(day) for day in days[::2]])
            return say("{unit} left of the day's limit", unit=unit)

        _small_multiples(canvas, layout, names, 1 if layout.narrow else 3, panel)

    worst = book.cell(subjects.EXHAUSTED, guarantee=names[0])
    if worst.mean:
        title = say_html(
            "The pot of {guarantee} runs dry in {share} of replications (95&nbsp;% interval "
            "{interval})",
            guarantee=style.guarantee(names[0]).lower(),
            share=worst.number(form="probability"),
            interval=worst.interval("probability"),
        )
    else:
        title = say_html(
            "No pot runs dry in any replication (at most {high} by its interval)",
            high=worst.number("high", "probability"),
        )
    return figure(
        "pots",
        title=title,
        reading=reading(
            "What is left of the day's limit at each hour's end; limits start afresh at midnight "
            "and nothing rolls over. Shaded: the pot is dry in at least half of the replications. "
            "The pots most likely to run dry stand first."
        ),
        subjects=(subjects.DAY_LEFT, subjects.EXHAUSTED),
        data=book.data(
            (subjects.DAY_LEFT, subjects.EXHAUSTED), "guarantee", "lunar_day", "hour"
        ),
        alt=say("What is left of each pot's day limit, by hour over the festival"),
        height_px=lambda layout: 14 + _ROW_PX * _rows(names, 1 if layout.narrow else 3),
        draw=draw,
    )


def _burn_down(axes: Axes, left: Series, *, scale: float) -> None:
    """What is left at each hour's end, day by day: a new day's limit is a new line."""
    days = left.days()
    starts = [at for at, key in enumerate(left.keys) if at and key[0] != left.keys[at - 1][0]]
    x = np.insert(np.array(hours_x(left, days[0])) + 0.5, starts, np.nan)
    mean, low, high = (
        np.insert(values * scale, starts, np.nan)
        for values in (left.mean, left.band_low, left.band_high)
    )
    axes.fill_between(x, 0.0, mean, color=style.SKY, alpha=0.15, linewidth=0)
    axes.fill_between(x, low, high, color=style.BLUE, alpha=0.3, linewidth=0)
    axes.plot(x, mean, color=style.BLUE, linewidth=1.2)
