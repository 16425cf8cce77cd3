"""Figures of the support floor: load against agents, the service-level heat map, queue and redials.

Hourly estimates over the horizon; bands are the 5 % and 95 % quantiles over replications. A title
states the hour that an extreme row stands for; the row is selected, nothing is computed.
"""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

from reports import style
from reports.cells import Book, Series
from reports.figure import (
    Figure,
    Layout,
    banded,
    days_axis,
    figure,
    hours_x,
    name_lines,
    name_panel,
    panels,
    reading,
    shade,
    thousands,
)
from reports.language import say, say_html
from reports.names import moment
from reports.targets import HELD_AT_RATIO, IM_TARGET, PHONE_TARGET
from sim.experiment import subjects

_HOURLY: Final = ("lunar_day", "hour")


def load(book: Book) -> Figure:
    """Contacts offered against agents, hour by hour."""
    offered = book.series(subjects.CONTACTS_OFFERED, *_HOURLY)
    available = book.series(subjects.AGENTS_AVAILABLE, *_HOURLY)
    busy = book.series(subjects.AGENTS_BUSY, *_HOURLY)
    held = book.series(subjects.TARGETS_HELD, *_HOURLY)
    days = offered.days()
    x = hours_x(offered, days[0])

    def draw(canvas: Canvas, layout: Layout) -> None:
        top, bottom = panels(canvas, layout, rows=2)
        for axes in (top, bottom):
            shade(axes, hours_x(held, days[0]), held.mean < HELD_AT_RATIO)
        name_panel(top, layout, say("Contacts offered"), say("contacts per hour"))
        banded(top, x, offered, colour=style.BLUE)
        name_panel(bottom, layout, say("Agents"), say("agents, mean over the hour"))
        banded(bottom, x, available, colour=style.GREEN)
        banded(bottom, x, busy, colour=style.VERMILION)
        name_lines(bottom, [say("available"), say("busy")])
        for axes in (top, bottom):
            axes.set_ylim(bottom=0)
            axes.locator_params(axis="y", nbins=4)
            axes.yaxis.set_major_formatter(thousands)
        days_axis(top, days, label=False)
        days_axis(bottom, days, label=True)

    day, hour = offered.peak() or (0, 0)
    here = {"lunar_day": day, "hour": hour}
    title = say_html(
        "{hour} is the busiest hour: {offered} contacts offered, {available} agents available, "
        "{busy} busy",
        hour=moment(day, hour),
        offered=book.cell(subjects.CONTACTS_OFFERED, **here).number(),
        available=book.cell(subjects.AGENTS_AVAILABLE, **here).number(),
        busy=book.cell(subjects.AGENTS_BUSY, **here).number(),
    )
    drawn = (
        subjects.CONTACTS_OFFERED,
        subjects.AGENTS_AVAILABLE,
        subjects.AGENTS_BUSY,
        subjects.TARGETS_HELD,
    )
    return figure(
        "load",
        title=title,
        reading=reading(
            "Shaded: hours that miss a target in more than half of the replications. All attempts "
            "count, redials and reconnects included."
        ),
        subjects=drawn,
        data=book.data(drawn, *_HOURLY),
        alt=say("Contacts offered, agents available and agents busy, by hour over the festival"),
        height_px=lambda layout: 400.0 if layout.narrow else 470.0,
        draw=draw,
    )


@dataclass(frozen=True, slots=True)
class _Heat:
    """One channel of the heat map."""

    name: str
    subject: str
    target: float
    series: Series


def service_level(book: Book) -> Figure:
    """The heat map of days and hours, phone and IM."""
    channels = [
        _Heat(name, subject, float(book.setting(target).value or 1.0), series)
        for name, subject, target in (
            (say("Phone"), subjects.SERVICE_LEVEL_PHONE, PHONE_TARGET),
            (say("IM"), subjects.SERVICE_LEVEL_IM, IM_TARGET),
        )
        for series in [book.series(subject, *_HOURLY)]
    ]

    def draw(canvas: Canvas, layout: Layout) -> None:
        grid = panels(canvas, layout, rows=2, foot_px=40.0)
        for axes, channel in zip(grid, channels, strict=True):
            _heat_panel(axes, book, channel, layout)

    phone = channels[0]
    day, hour = phone.series.peak(lowest=True) or (0, 0)
    worst = book.cell(phone.subject, lunar_day=day, hour=hour)
    held = worst.mean is not None and worst.mean >= phone.target
    title = say_html(
        "Phone service is on target in every hour; lowest on {hour}: {share} ({interval})"
        if held
        else "Phone service is lowest on {hour}: {share} of contacts answered in time "
        "(95&nbsp;% interval {interval})",
        hour=moment(day, hour),
        share=worst.number(),
        interval=worst.interval(),
    )
    return figure(
        "service-level",
        title=title,
        reading=_heat_reading(book),
        subjects=(subjects.SERVICE_LEVEL_PHONE, subjects.SERVICE_LEVEL_IM),
        data=book.data((subjects.SERVICE_LEVEL_PHONE, subjects.SERVICE_LEVEL_IM), *_HOURLY),
        alt=say("Service level by day and hour, phone and IM"),
        height_px=lambda layout: 1010.0 if layout.narrow else 560.0,
        draw=draw,
    )


def _heat_reading(book: Book) -> Markup:
    three_quarters, half, quarter, less = (_swatch(colour) for colour in reversed(style.RAMP))
    return say_html(
        "Share of offered contacts answered within the threshold, mean over replications. "
        "{on} on target (phone {phone}, IM {im}); below it: {three_quarters} at least three "
        "quarters of the target, {half} half, {quarter} a quarter, {less} less. Framed: the "
        "95&nbsp;% interval reaches across the target, so the replications cannot tell.",
        on=_swatch(style.ON_TARGET),
        phone=book.setting(PHONE_TARGET, "probability"),
        im=book.setting(IM_TARGET, "probability"),
        three_quarters=three_quarters,
        half=half,
        quarter=quarter,
        less=less,
    )


def _swatch(colour: str) -> Markup:
    return Markup('<i class="swatch" style="background:{}"></i>').format(colour)


def _heat_panel(axes: Axes, book: Book, panel: _Heat, layout: Layout) -> None:
    """Days by hours; on a narrow page hours run downwards, so that every value stays readable."""
    days = panel.series.days()
    tiles, frames = [], []
    for at, (day, hour) in enumerate(panel.series.keys):
        cell = book.cell(panel.subject, lunar_day=day, hour=hour)
        across, down = hour, days.index(day)
        if layout.narrow:
            across, down = down, across
        colour = style.bin_colour(cell.mean, panel.target)
        tiles.append(Rectangle((across, down), 1, 1, facecolor=colour, edgecolor="white"))
        if panel.series.low[at] < panel.target <= panel.series.high[at]:
            frames.append(Rectangle((across + 0.06, down + 0.06), 0.88, 0.88))
        number = cell.number(form="whole")
        axes.text(
            across + 0.5,
            down + 0.52,
            number.text,
            gid=number.gid,
            ha="center",
            va="center",
            fontsize=layout.font_px - 1,
            color=style.ink_on(colour),
        )
    axes.add_collection(PatchCollection(tiles, match_original=True), autolim=False)
    axes.add_collection(
        PatchCollection(frames, facecolor="none", edgecolor=style.INK, linewidth=0.9), autolim=False
    )
    hours = list(range(0, 24, 1 if layout.narrow else 2))
    day_places = ([at + 0.5 for at in range(len(days))], [style.day_number(day) for day in days])
    hour_places = ([hour + 0.5 for hour in hours], [f"{hour:02d}" for hour in hours])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    name_panel(axes, layout, panel.name, say("percent answered in time"))
    axes.set_xlim(0, len(days) if layout.narrow else 24)
    axes.set_ylim(24 if layout.narrow else len(days), 0)
    axes.set_xticks(*(day_places if layout.narrow else hour_places))
    axes.set_yticks(*(hour_places if layout.narrow else day_places))
    names = [say("lunar day"), say("hour of the day (h)")]
    axes.set_xlabel(names[0 if layout.narrow else 1])
    axes.set_ylabel(names[1 if layout.narrow else 0])


def strain(book: Book) -> Figure:
    """Queue, abandonment and redials, hour by hour."""
    queue = book.series(subjects.QUEUE_LEN, *_HOURLY)
    days = queue.days()
    measures = (
        (queue, 1.0, say("Waiting"), say("contacts, mean over the hour"), style.BLUE),
        (
            book.series(subjects.ABANDONED_RATIO, *_HOURLY),
            100.0,
            say("Abandoned"),
            say("percent of contacts offered"),
            style.VERMILION,
        ),
        (
            book.series(subjects.REDIALS, *_HOURLY),
            1.0,
            say("Redials"),
            say("contacts per hour"),
            style.ORANGE,
        ),
    )

    def draw(canvas: Canvas, layout: Layout) -> None:
        grid = panels(canvas, layout, rows=len(measures))
        for axes, (series, scale, name, unit, colour) in zip(grid, measures, strict=True):
            banded(axes, hours_x(series, days[0]), series, colour=colour, scale=scale)
            name_panel(axes, layout, name, unit)
            axes.set_ylim(bottom=0)
            axes.locator_params(axis="y", nbins=4)
            axes.yaxis.set_major_formatter(thousands)
            days_axis(axes, days, label=axes is grid[-1])

    drawn = (subjects.QUEUE_LEN, subjects.ABANDONED_RATIO, subjects.REDIALS)
    day, hour = queue.peak() or (0, 0)
    here = {"lunar_day": day, "hour": hour}
    return figure(
        "strain",
        title=say_html(
            "The queue is longest on {hour}: {waiting} waiting, {abandon} abandon, {redial} redial",
            hour=moment(day, hour),
            waiting=book.cell(subjects.QUEUE_LEN, **here).number(),
            abandon=book.cell(subjects.ABANDONED_RATIO, **here).number(),
            redial=book.cell(subjects.REDIALS, **here).number(),
        ),
        reading=reading(
            "Both channels together. A redial is a new attempt after an abandonment; it is load "
            "that understaffing makes by itself."
        ),
        subjects=drawn,
        data=book.data(drawn, *_HOURLY),
        alt=say("Queue length, abandonment and redials, by hour over the festival"),
        height_px=lambda layout: 460.0 if layout.narrow else 520.0,
        draw=draw,
    )
