"""The answers in words: is the head count enough, what do the promises cost, which pot runs dry.

Decides which rows are quoted and which sentence is printed; every number in a sentence is a cell of
the run's files. Probabilities are shares of replications, intervals are 95 % confidence intervals,
bands hold nine replications in ten.
"""

from markupsafe import Markup

from reports import api, style
from reports.card import Card
from reports.cells import Book
from reports.names import hour_end
from reports.targets import HEADS, HELD_AT_RATIO, tone
from sim.experiment import subjects


def cards(book: Book) -> tuple[Card, ...]:
    """The answers that the page opens with: three, and one about the API where it was loaded."""
    loaded = api.holds(book)
    return _enough(book), _cost(book), _dry(book), *([loaded] if loaded else [])


def _enough(book: Book) -> Card:
    chance = book.cell(subjects.ENOUGH)
    worst = book.cell(subjects.WORST_HOUR_PHONE)
    mood = tone(chance)
    answer = {"good": "Yes", "bad": "No", "edge": "On the edge", "unknown": "Cannot tell"}[mood]
    if mood == "good" and (book.cell(subjects.HOURS_ON_TARGET).mean or 0.0) < 1.0:
        answer = "Yes, by the day"
    sentence = Markup(
        "{} of replications meet every target on every day (95&nbsp;% interval {}). "
        "{} of the hours are on target ({}); the worst hour answers {} of phone contacts in time "
        "({})."
    ).format(
        chance.number(form="probability"),
        chance.interval("probability"),
        book.cell(subjects.HOURS_ON_TARGET).number(),
        book.cell(subjects.HOURS_ON_TARGET).interval(),
        worst.number(),
        worst.interval(),
    )
    question = Markup("Are {} heads enough?").format(book.setting(HEADS, "count"))
    return Card(question, Markup(answer), mood, sentence)


def _cost(book: Book) -> Card:
    gross, recovered, net, wage = (
        book.cell(subject)
        for subject in (
            subjects.PAYOUT_GROSS,
            subjects.PAYOUT_RECOVERED,
            subjects.PAYOUT_NET,
            subjects.WAGE,
        )
    )
    sentence = Markup(
        "net of what merchants pay back (95&nbsp;% interval {}; nine replications in ten {}). "
        "Gross {}, recovered {}. Wages come on top: {} ({})."
    ).format(
        net.interval(),
        net.band(),
        gross.number(),
        recovered.number(),
        wage.number(),
        wage.interval(),
    )
    question = Markup("What do the promises cost?")
    return Card(question, Markup("{}").format(net.number()), "", sentence)


def _dry(book: Book) -> Card:
    question = Markup("Which pot runs dry?")
    order = by_risk(book)
    worst = book.cell(subjects.EXHAUSTED, guarantee=order[0])
    if not worst.mean:
        sentence = Markup("In no replication does a pot fail to meet a payment.")
        if worst.high is not None:
            sentence += Markup(" The interval allows for at most {} for each.").format(
                worst.number("high", "probability")
            )
        return Card(question, Markup("None"), "good", sentence)
    name, chinese = style.GUARANTEE_NAMES[order[0]]
    sentence = Markup("{} runs dry in {} of replications (95&nbsp;% interval {}): {}.").format(
        chinese,
        worst.number(form="probability"),
        worst.interval("probability"),
        when_dry(book, order[0]),
    )
    others = [other for other in order[1:] if book.cell(subjects.EXHAUSTED, guarantee=other).mean]
    if others:
        sentence += (
            Markup(" Then: ")
            + Markup(", ").join(
                Markup("{} in {}").format(
                    style.GUARANTEE_NAMES[other][0].lower(),
                    book.cell(subjects.EXHAUSTED, guarantee=other).number(form="probability"),
                )
                for other in others[:3]
            )
            + Markup(".")
        )
    mood = "bad" if worst.mean >= HELD_AT_RATIO else "edge"
    return Card(question, Markup(name), mood, sentence)


def by_risk(book: Book) -> list[str]:
    """Guarantees by the probability that their pot runs dry, highest first."""
    names = book.words_of(subjects.EXHAUSTED, "guarantee")
    return sorted(
        names, key=lambda name: -(book.cell(subjects.EXHAUSTED, guarantee=name).mean or 0.0)
    )


def when_dry(book: Book, guarantee: str) -> Markup:
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
