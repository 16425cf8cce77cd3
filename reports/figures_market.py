"""Figures of the market: the two types of merchants drifting apart, and what the alerts do.

Daily estimates; bands are the 5 % and 95 % quantiles over replications.
"""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from reports import style
from reports.cells import Book
from reports.figure import (
    Figure,
    Layout,
    banded,
    figure,
    name_lines,
    name_panel,
    panels,
    reading,
    thousands,
)
from reports.language import say, say_html
from sim.experiment import subjects

_TYPES: Final = (("compliant", style.BLUE, False), ("speculator", style.VERMILION, True))


def _pair(canvas: Canvas, layout: Layout) -> tuple[Axes, Axes]:
    """Two panels side by side, or one above the other on a narrow page."""
    rows, columns = (2, 1) if layout.narrow else (1, 2)
    first, second = panels(canvas, layout, rows=rows, columns=columns, foot_px=42.0)
    return first, second


def _days_ticks(axes: Axes, days: list[int]) -> None:
    axes.set_xticks(days, [style.day_number(day) for day in days])
    axes.set_xlabel(say("lunar day"))


def merchants(book: Book) -> Figure:
    """The two types of merchants, day by day."""
    panels = (
        (subjects.MARGIN_PER_ORDER, 1e-2, say("Margin"), say("CNY per order")),
        (subjects.INCIDENTS_PER_ORDER, 100.0, say("Incidents"), say("percent of orders")),
    )

    def draw(canvas: Canvas, layout: Layout) -> None:
        for axes, (subject, scale, name, unit) in zip(_pair(canvas, layout), panels, strict=True):
            pair = [book.series(subject, "lunar_day", store_type=kind) for kind, *_ in _TYPES]
            for series, (_, colour, dashed) in zip(pair, _TYPES, strict=True):
                banded(
                    axes,
                    series.days(),
                    series,
                    colour=colour,
                    scale=scale,
                    marker="o",
                    dashed=dashed,
                )
            name_lines(axes, [style.words(kind) for kind, *_ in _TYPES])
            name_panel(axes, layout, name, unit)
            _days_ticks(axes, pair[0].days())
            axes.margins(y=0.15)
            axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))

    honest, rogue = (
        {subject: book.cell(subject, store_type=kind) for subject, *_ in panels}
        for kind, *_ in _TYPES
    )
    title = say_html(
        "Speculators cause incidents in {rogue} of orders, compliant merchants in {honest}; they "
        "earn {rogue_margin} and {honest_margin} an order",
        rogue=rogue[subjects.INCIDENTS_PER_ORDER].number(form="fine_percent"),
        honest=honest[subjects.INCIDENTS_PER_ORDER].number(form="fine_percent"),
        rogue_margin=rogue[subjects.MARGIN_PER_ORDER].number(form="cny_each"),
        honest_margin=honest[subjects.MARGIN_PER_ORDER].number(form="cny_each"),
    )
    drawn = (subjects.MARGIN_PER_ORDER, subjects.INCIDENTS_PER_ORDER)
    return figure(
        "merchants",
        title=title,
        reading=reading("Margin after fines, recourse and gains from misconduct."),
        subjects=drawn,
        data=book.data(drawn, "store_type", "lunar_day"),
        alt=say("Margin and incidents per order by day, compliant merchants and speculators"),
        height_px=lambda layout: 470.0 if layout.narrow else 310.0,
        draw=draw,
    )


def alerts(book: Book) -> Figure:
    """What the alerts save and cost, day by day."""
    saved = book.series(subjects.CONTACTS_SAVED, "lunar_day")
    sending = book.series(subjects.ALERT_COST, "lunar_day")
    paying = book.series(subjects.ALERT_COMPENSATION, "lunar_day")

    def draw(canvas: Canvas, layout: Layout) -> None:
        left, right = _pair(canvas, layout)
        name_panel(left, layout, say("Human contacts saved"), say("contacts per day"))
        banded(left, saved.days(), saved, colour=style.GREEN, marker="o")
        left.yaxis.set_major_formatter(thousands)
        scale, unit = style.money_axis(float(np.nanmax([sending.mean, paying.mean])))
        name_panel(right, layout, say("Cost"), say("{unit} per day", unit=unit))
        for series, colour in ((sending, style.BLUE), (paying, style.ORANGE)):
            banded(right, series.days(), series, colour=colour, scale=scale, marker="o")
        name_lines(right, [say("sending"), say("compensation")])
        right.yaxis.set_major_formatter(thousands)
        for axes in (left, right):
            axes.margins(y=0.15)
            axes.set_ylim(bottom=0)
            _days_ticks(axes, saved.days())

    total = {
        subject: book.cell(subject)
        for subject in (subjects.CONTACTS_SAVED, subjects.ALERT_COST, subjects.ALERT_COMPENSATION)
    }
    return figure(
        "alerts",
        title=say_html(
            "Alerts save {saved} human contacts (95&nbsp;% interval {interval}) for {sending} of "
            "sending and {compensation} of compensation",
            saved=total[subjects.CONTACTS_SAVED].number(),
            interval=total[subjects.CONTACTS_SAVED].interval(),
            sending=total[subjects.ALERT_COST].number(),
            compensation=total[subjects.ALERT_COMPENSATION].number(),
        ),
        reading=reading("Saved: first attempts that would have come without the alert."),
        subjects=tuple(total),
        data=book.data(tuple(total), "lunar_day"),
        alt=say("Contacts saved by alerts and what the alerts cost, by day"),
        height_px=lambda layout: 470.0 if layout.narrow else 310.0,
        draw=draw,
    )
