"""Figures of the money: payouts of each guarantee by day, and the pots burning down by hour.

Daily and hourly estimates; bands are the 5 % and 95 % quantiles over replications. Fen are drawn as
CNY. Panels are ordered by the season's estimate, so that what matters stands first.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from reports import style
from reports.cells import Book, Series
from reports.figure import BAND_NOTE, Figure, Layout, banded, days_axis, figure, hours_x, shade
from reports.moments import day_name
from reports.targets import HELD_AT_RATIO
from sim.experiment import subjects

_UNITS: Final = ((1e8, 1e-8, "M CNY"), (1e5, 1e-5, "k CNY"), (0.0, 1e-2, "CNY"))
_ROW_PX: Final = 150.0


def figures(book: Book) -> list[Figure]:
    """The money's figures, in the order of the page."""
    return [_payouts(book), _pots(book)]


def _columns(layout: Layout) -> int:
    return 2 if layout.narrow else 4


def _unit(series: Series) -> tuple[float, str]:
    """Scale and name of the axis unit that suits the panel's largest value, in fen."""
    tops = [value for value in (*series.mean, *series.band_high) if not math.isnan(value)]
    top = max(tops, default=0.0)
    return next((scale, name) for least, scale, name in _UNITS if top >= least)


def _small_multiples(
    canvas: Canvas, layout: Layout, names: Sequence[str], draw_one: Callable[[Axes, str], None]
) -> None:
    """One panel a name; the panels left over stay empty."""
    columns = _columns(layout)
    grid = canvas.subplots(math.ceil(len(names) / columns), columns, squeeze=False)
    for axes, name in zip(grid.flat, names, strict=False):
        draw_one(axes, name)
        axes.tick_params(labelsize=layout.font_px - 2)
        axes.set_ylim(bottom=0)
        axes.locator_params(axis="y", nbins=4)
    for axes in list(grid.flat)[len(names) :]:
        axes.set_visible(False)


def _panel_title(axes: Axes, name: str, unit: str, layout: Layout) -> None:
    axes.set_title(
        f"{style.GUARANTEE_NAMES[name][0]}\n{unit}", fontsize=layout.font_px - 1, linespacing=1.25
    )


def _by_season(book: Book, subject: str) -> list[str]:
    """Guarantees by the season's estimate, largest first; ties keep the vocabulary's order."""
    names = book.words_of(subject, "guarantee")
    return sorted(names, key=lambda name: -(book.cell(subject, guarantee=name).mean or 0.0))


def _payouts(book: Book) -> Figure:
    names = _by_season(book, subjects.PAYOUT_GROSS)
    whole = book.series(subjects.PAYOUT_GROSS, "lunar_day")

    def draw(canvas: Canvas, layout: Layout) -> None:
        def panel(axes: Axes, name: str) -> None:
            series = book.series(subjects.PAYOUT_GROSS, "lunar_day", guarantee=name)
            scale, unit = _unit(series)
            days = series.days()
            banded(axes, days, series, colour=style.BLUE, scale=scale, marker="o")
            _panel_title(axes, name, f"{unit} per day", layout)
            axes.set_xticks(days[::2], [style.day_number(day) for day in days[::2]])

        _small_multiples(canvas, layout, names, panel)
        canvas.supxlabel("lunar day", fontsize=layout.font_px, color=style.MUTED)

    (day,) = whole.peak() or (0,)
    first = book.cell(subjects.PAYOUT_GROSS, guarantee=names[0])
    top = book.cell(subjects.PAYOUT_GROSS, lunar_day=day)
    title = Markup("{} pays out most, {} (95&nbsp;% interval {}); the dearest day is {} with {}").format(
        style.GUARANTEE_NAMES[names[0]][0],
        first.number(),
        first.interval(),
        day_name(day),
        top.number(),
    )
    return figure(
        "payouts",
        title=title,
        reading=f"{BAND_NOTE} Gross payments to consumers. Every panel has its own axis: compare "
        "days within a panel, and guarantees by the table of costs.",
        subjects=(subjects.PAYOUT_GROSS,),
        alt="Gross payout per day, one panel a guarantee",
        height_px=lambda layout: 40 + _ROW_PX * math.ceil(len(names) / _columns(layout)),
        draw=draw,
    )


def _pots(book: Book) -> Figure:
    names = _by_season(book, subjects.EXHAUSTED)

    def draw(canvas: Canvas, layout: Layout) -> None:
        def panel(axes: Axes, name: str) -> None:
            left = book.series(subjects.DAY_LEFT, "lunar_day", "hour", guarantee=name)
            dry = book.series(subjects.EXHAUSTED, "lunar_day", "hour", guarantee=name)
            days = left.days()
            scale, unit = _unit(left)
            shade(axes, hours_x(dry, days[0]), dry.mean >= HELD_AT_RATIO)
            runs_dry = (book.cell(subjects.EXHAUSTED, guarantee=name).mean or 0.0) > 0
            colour = style.VERMILION if runs_dry else style.GREEN
            banded(axes, hours_x(left, days[0]), left, colour=colour, scale=scale)
            days_axis(axes, days, label=False)
            places = [24 * (day - days[0]) + 12 for day in days[::2]]
            axes.set_xticks(places, [style.day_number(day) for day in days[::2]])
            _panel_title(axes, name, f"{unit} left", layout)

        _small_multiples(canvas, layout, names, panel)
        canvas.supxlabel("lunar day", fontsize=layout.font_px, color=style.MUTED)

    worst = book.cell(subjects.EXHAUSTED, guarantee=names[0])
    if worst.mean:
        title = Markup(
            "The pot of {} runs dry in {} of replications (95&nbsp;% interval {})"
        ).format(
            style.GUARANTEE_NAMES[names[0]][0].lower(),
            worst.number(form="probability"),
            worst.interval("probability"),
        )
    else:
        title = Markup("No pot runs dry in any replication (at most {} by its interval)").format(
            worst.number("high", "probability")
        )
    return figure(
        "pots",
        title=title,
        reading=f"{BAND_NOTE} What is left of the day's limit at each hour's end; limits start "
        "afresh at midnight and nothing rolls over. Red: pots that run dry in some replication; "
        "shaded: hours by which they have in at least half of them.",
        subjects=(subjects.DAY_LEFT, subjects.EXHAUSTED),
        alt="What is left of each pot's day limit, by hour over the festival",
        height_px=lambda layout: 40 + _ROW_PX * math.ceil(len(names) / _columns(layout)),
        draw=draw,
    )
