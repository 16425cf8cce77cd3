"""The answers in words: is the head count enough, when not, what it costs, which pot runs dry, how sure.

Decides which rows are quoted and which sentence is printed; every number in a sentence is a cell of
the run's files. Probabilities are shares of replications, intervals are 95 % confidence intervals,
bands hold nine replications in ten.
"""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from reports import style
from reports.cells import Book, Cell
from reports.moments import dated, hour_end, spans
from reports.targets import HEADS, HELD_AT_RATIO, NO_BELOW_RATIO, YES_AT_RATIO
from scenarios.calendar import Calendar
from sim.experiment import subjects

NONE: Final = Markup('<span class="none">none</span>')
_SURE: Final = (
    (subjects.CONTACTS_OFFERED, "Contacts offered, all attempts"),
    ("abandoned_ratio", "Abandoned, of offered"),
    (subjects.SERVICE_LEVEL_PHONE, "Phone, answered in time"),
    (subjects.SERVICE_LEVEL_IM, "IM, answered in time"),
    ("asa_phone_s", "Phone, mean wait of the answered"),
    ("asa_im_s", "IM, mean wait of the answered"),
    (subjects.OCCUPANCY, "Occupancy of agents"),
    (subjects.ORDERS, "Orders due"),
    (subjects.INCIDENTS, "Incidents"),
)
_COSTS: Final = (
    (subjects.PAYOUT_GROSS, "Paid to consumers (gross)"),
    (subjects.PAYOUT_RECOVERED, "Recovered from merchants"),
    (subjects.PAYOUT_NET, "Borne by the platform (net)"),
    (subjects.WAGE, "Wages of the support floor"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page; the first column names the row."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Markup | str, ...], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A question, its answer in a word or a number, and the sentence behind it."""

    question: Markup
    answer: Markup
    tone: str
    sentence: Markup


def with_interval(cell: Cell, form: str | None = None) -> Markup:
    """A mean with its confidence interval."""
    return Markup('{} <span class="interval">{}</span>').format(
        cell.number(form=form), cell.interval(form)
    )


def cards(book: Book) -> tuple[Card, ...]:
    """The three answers that the page opens with."""
    return _enough(book), _cost(book), _dry(book)


def _enough(book: Book) -> Card:
    chance = book.cell(subjects.ENOUGH)
    worst = book.cell(subjects.WORST_HOUR_PHONE)
    tone = _tone(chance)
    answer = {"good": "Yes", "bad": "No", "edge": "On the edge"}[tone]
    sentence = Markup(
        "{} of replications meet every target on every day (95&nbsp;% interval {}). "
        "{} of the hours are on target ({}); the worst hour answers {} of phone contacts in time ({})."
    ).format(
        chance.number(form="probability"),
        chance.interval("probability"),
        book.cell(subjects.HOURS_ON_TARGET).number(),
        book.cell(subjects.HOURS_ON_TARGET).interval(),
        worst.number(),
        worst.interval(),
    )
    question = Markup("Are {} heads enough?").format(book.setting(HEADS))
    return Card(question, Markup(answer), tone, sentence)


def _tone(chance: Cell) -> str:
    """Yes, no or on the edge, by the cuts that the page states."""
    share = chance.mean or 0.0
    if share >= YES_AT_RATIO:
        return "good"
    return "bad" if share < NO_BELOW_RATIO else "edge"


def _toned(chance: Cell) -> Markup:
    return Markup('<span class="{}">{}</span>').format(
        _tone(chance), with_interval(chance, "probability")
    )


def _cost(book: Book) -> Card:
    gross, recovered, net, wage = (book.cell(subject) for subject, _ in _COSTS)
    sentence = Markup(
        "net of what merchants pay back (95&nbsp;% interval {}; nine replications in ten {}). Gross {}, "
        "recovered {}. Wages come on top: {} ({})."
    ).format(
        net.interval(), net.band(), gross.number(), recovered.number(), wage.number(), wage.interval()
    )
    return Card(Markup("What do the promises cost?"), Markup("{}").format(net.number()), "", sentence)


def _dry(book: Book) -> Card:
    question = Markup("Which pot runs dry?")
    order = _by_risk(book)
    worst = book.cell(subjects.EXHAUSTED, guarantee=order[0])
    if not worst.mean:
        sentence = Markup(
            "In no replication does a pot fail to meet a payment (at most {} for each, by its interval)."
        ).format(worst.number("high", "probability"))
        return Card(question, Markup("None"), "good", sentence)
    name, chinese = style.GUARANTEE_NAMES[order[0]]
    sentence = Markup("{} runs dry in {} of replications (95&nbsp;% interval {}): {}.").format(
        chinese,
        worst.number(form="probability"),
        worst.interval("probability"),
        _when(book, order[0]),
    )
    others = [other for other in order[1:] if book.cell(subjects.EXHAUSTED, guarantee=other).mean]
    if others:
        sentence += Markup(" Then: ") + Markup(", ").join(
            Markup("{} in {}").format(
                style.GUARANTEE_NAMES[other][0].lower(),
                book.cell(subjects.EXHAUSTED, guarantee=other).number(form="probability"),
            )
            for other in others[:3]
        ) + Markup(".")
    tone = "bad" if worst.mean >= HELD_AT_RATIO else "edge"
    return Card(question, Markup(name), tone, sentence)


def _by_risk(book: Book) -> list[str]:
    names = book.words_of(subjects.EXHAUSTED, "guarantee")
    return sorted(
        names, key=lambda name: -(book.cell(subjects.EXHAUSTED, guarantee=name).mean or 0.0)
    )


def _when(book: Book, guarantee: str) -> Markup:
    """The first hour by which the pot is dry in at least half of the replications."""
    series = book.series(subjects.EXHAUSTED, "lunar_day", "hour", guarantee=guarantee)
    for (day, hour), mean in zip(series.keys, series.mean, strict=True):
        if mean >= HELD_AT_RATIO:
            chance = book.cell(subjects.EXHAUSTED, lunar_day=day, hour=hour, guarantee=guarantee)
            return Markup("by {} in {}").format(
                hour_end(day, hour), chance.number(form="probability")
            )
    peak = series.peak()
    if peak is None or not series.mean.max() > 0:
        return Markup("at no hour")
    day, hour = peak
    chance = book.cell(subjects.EXHAUSTED, lunar_day=day, hour=hour, guarantee=guarantee)
    return Markup("most often by {}, in {}").format(
        hour_end(day, hour), chance.number(form="probability")
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
            if key[0] == day and mean == mean
        }
        worst = min(of_day, key=lambda hour: of_day[hour], default=0)
        at_worst = {"lunar_day": day, "hour": worst}
        rows.append(
            (
                dated(calendar, day),
                _toned(book.cell(subjects.TARGETS_HELD, lunar_day=day)),
                spans(missed) if missed else NONE,
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
        "Day",
        "Day on target",
        "Hours missed",
        "Worst hour, phone in time",
        "IM in that hour",
        "Contacts offered",
        "Gross payout",
        "Wages",
    )
    return Table(heads, tuple(rows))


def costs(book: Book) -> Table:
    """What the festival costs: mean, interval of the mean, and the band to set money aside by."""
    rows = tuple(_estimate_row(book.cell(subject), name) for subject, name in _COSTS)
    return Table(("All days", "Mean", "95 % interval of the mean", "Nine replications in ten"), rows)


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
    return Table(("Guarantee", "Claims", "Gross", "Recovered", "Net", "Due but not paid"), rows)


def pots(book: Book) -> Table:
    """The pots that run dry in some replication: how likely, and when."""
    rows = tuple(
        (
            guarantee_name(name),
            with_interval(chance, "probability"),
            _when(book, name),
            with_interval(book.cell(subjects.FIRST_EXHAUSTED_DAY, guarantee=name)),
            with_interval(book.cell(subjects.SHORTFALL, guarantee=name)),
        )
        for name in _by_risk(book)
        for chance in [book.cell(subjects.EXHAUSTED, guarantee=name)]
        if chance.mean
    )
    heads = ("Pot", "Runs dry at some time", "When", "First dry day, mean", "Due but not paid")
    return Table(heads, rows)


def sureness(book: Book) -> Table:
    """The main results with the width of what is known about them."""
    rows = tuple(_estimate_row(book.cell(subject), name) for subject, name in _SURE)
    return Table(("Result", "Mean", "95 % interval of the mean", "Nine replications in ten"), rows)


def guarantee_name(code: str) -> Markup:
    """English and Chinese name of a guarantee."""
    english, chinese = style.GUARANTEE_NAMES[code]
    return Markup('<b>{}</b> <small lang="zh">{}</small>').format(english, chinese)


def _estimate_row(cell: Cell, name: str) -> tuple[Markup | str, ...]:
    return (name, Markup("{}").format(cell.number()), cell.interval(), cell.band())
