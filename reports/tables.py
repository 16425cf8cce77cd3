"""The tables of the page: the days, the costs, the guarantees, the pots, and how sure all that is.

Decides rows and columns; every number is a cell of the run's files, with its interval beside it.
"""

import math
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from reports import style
from reports.answers import by_risk, when_dry
from reports.cells import Book, Cell, Number
from reports.language import later, say
from reports.metrics import metric_name
from reports.names import dated, guarantee_name, spans
from reports.targets import HELD_AT_RATIO, tone
from scenarios.calendar import Calendar
from sim.experiment import subjects

_SURE: Final = (
    subjects.CONTACTS_OFFERED,
    subjects.ABANDONED_RATIO,
    subjects.SERVICE_LEVEL_PHONE,
    subjects.SERVICE_LEVEL_IM,
    "asa_phone_s",
    "asa_im_s",
    subjects.OCCUPANCY,
    subjects.ORDERS,
    subjects.INCIDENTS,
)
_COSTS: Final = (
    subjects.PAYOUT_GROSS,
    subjects.PAYOUT_RECOVERED,
    subjects.PAYOUT_NET,
    subjects.WAGE,
)
_ESTIMATE: Final = (
    later("Mean"),
    later("95 % interval of the mean"),
    later("Nine replications in ten"),
)
Printed = Markup | Number | str
"""What a cell may hold; a number prints itself with its address."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page; the first column names the row."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Printed, ...], ...]


def with_interval(cell: Cell, form: str | None = None) -> Markup:
    """A mean with its confidence interval."""
    return Markup('{} <span class="interval">{}</span>').format(
        cell.number(form=form), cell.interval(form)
    )


def none() -> Markup:
    """Says that there is nothing."""
    return Markup('<span class="none">{}</span>').format(say("none"))


def _toned(chance: Cell) -> Markup:
    return Markup('<span class="{}">{}</span>').format(
        tone(chance), with_interval(chance, "probability")
    )


def days(book: Book) -> Table:
    """One row a day: is it held, in which hours not, how far off, what it costs."""
    calendar = Calendar.model_validate(book.scenario["calendar"], strict=False)
    hourly = book.series(subjects.TARGETS_HELD, "lunar_day", "hour")
    phone = book.series(subjects.SERVICE_LEVEL_PHONE, "lunar_day", "hour")
    rows = []
    for day in hourly.days():
        missed = [
            key[1]
            for key, mean in zip(hourly.keys, hourly.mean, strict=True)
            if key[0] == day and mean < HELD_AT_RATIO
        ]
        of_day = {
            key[1]: mean
            for key, mean in zip(phone.keys, phone.mean, strict=True)
            if key[0] == day and not math.isnan(mean)
        }
        worst = min(of_day, key=lambda hour: of_day[hour], default=0)
        at_worst = {"lunar_day": day, "hour": worst}
        rows.append(
            (
                dated(calendar, day),
                _toned(book.cell(subjects.TARGETS_HELD, lunar_day=day)),
                spans(missed) if missed else none(),
                Markup('<span class="dim">{}</span> {}').format(
                    style.hour_name(worst),
                    with_interval(book.cell(subjects.SERVICE_LEVEL_PHONE, **at_worst)),
                ),
                with_interval(book.cell(subjects.SERVICE_LEVEL_IM, **at_worst)),
                with_interval(book.cell(subjects.CONTACTS_OFFERED, lunar_day=day)),
                with_interval(book.cell(subjects.PAYOUT_GROSS, lunar_day=day)),
                with_interval(book.cell(subjects.WAGE, lunar_day=day)),
            )
        )
    heads = (
        say("Day"),
        say("Day on target"),
        say("Hours missed"),
        say("Worst hour, phone in time"),
        say("IM in that hour"),
        say("Contacts offered"),
        say("Gross payout"),
        say("Wages"),
    )
    return Table(heads, tuple(rows))


def costs(book: Book) -> Table:
    """What the festival costs: mean, interval of the mean, and the band to set money aside by."""
    rows = tuple(_estimate_row(book, subject) for subject in _COSTS)
    return Table((say("All days"), *map(say, _ESTIMATE)), rows)


def guarantees(book: Book) -> Table:
    """The costs of each guarantee, dearest first."""
    shown = (
        subjects.PAYOUT_GROSS,
        subjects.PAYOUT_RECOVERED,
        subjects.PAYOUT_NET,
        subjects.SHORTFALL,
    )
    names = sorted(
        book.words_of(subjects.PAYOUT_GROSS, "guarantee"),
        key=lambda name: -(book.cell(subjects.PAYOUT_GROSS, guarantee=name).mean or 0.0),
    )
    rows = tuple(
        (
            guarantee_name(name),
            with_interval(book.cell(subjects.CLAIMS, guarantee=name)),
            *(with_interval(book.cell(subject, guarantee=name)) for subject in shown),
        )
        for name in names
    )
    heads = (
        say("Guarantee"),
        say("Claims"),
        say("Gross"),
        say("Recovered"),
        say("Net"),
        say("Due but not paid"),
    )
    return Table(heads, rows)


def pots(book: Book) -> Table:
    """The pots that run dry in some replication: how likely, and when."""
    rows = tuple(
        (
            guarantee_name(name),
            with_interval(chance, "probability"),
            when_dry(book, name),
            with_interval(book.cell(subjects.FIRST_EXHAUSTED_DAY, guarantee=name)),
            with_interval(book.cell(subjects.SHORTFALL, guarantee=name)),
        )
        for name in by_risk(book)
        for chance in [book.cell(subjects.EXHAUSTED, guarantee=name)]
        if chance.mean
    )
    heads = (
        say("Pot"),
        say("Runs dry at some time"),
        say("When"),
        say("First dry day, mean"),
        say("Due but not paid"),
    )
    return Table(heads, rows)


def sureness(book: Book) -> Table:
    """The main results with the width of what is known about them."""
    rows = tuple(_estimate_row(book, subject) for subject in _SURE)
    return Table((say("Result"), *map(say, _ESTIMATE)), rows)


def _estimate_row(book: Book, subject: str) -> tuple[Printed, ...]:
    cell = book.cell(subject)
    return (metric_name(subject), cell.number(), cell.interval(), cell.band())
