"""The answers in words: is the head count enough, what do the promises cost, which pot runs dry.

Decides which rows are quoted and which sentence is printed; every number in a sentence is a cell of
the run's files. Probabilities are shares of replications, intervals are 95 % confidence intervals,
bands hold nine replications in ten. Each answer is one sentence.
"""

from typing import Final

from markupsafe import Markup

from reports import api, style
from reports.card import Card
from reports.cells import Book
from reports.language import later, say, say_html, spoken
from reports.names import hour_end, moment
from reports.targets import HEADS, HELD_AT_RATIO, tone
from sim.experiment import subjects

ENOUGH: Final = {
    "good": later("Yes"),
    "bad": later("No"),
    "edge": later("On the edge"),
    "unknown": later("Cannot tell"),
}
"""The word of each tone of targets.py."""
_BY_THE_DAY = later("Yes, by the day")


def cards(book: Book) -> tuple[Card, ...]:
    """The answers that the page opens with: three, and one about the API where it was loaded."""
    loaded = api.holds(book)
    return enough(book), cost(book), dry(book), *([loaded] if loaded else [])


def enough(book: Book) -> Card:
    """Whether the heads are enough, and when they are not."""
    chance = book.cell(subjects.ENOUGH)
    hours = book.cell(subjects.HOURS_ON_TARGET)
    mood = tone(chance)
    answer = ENOUGH[mood]
    if mood == "good" and (hours.mean or 0.0) < 1.0:
        answer = _BY_THE_DAY
    question = say_html("Are {heads} heads enough?", heads=book.setting(HEADS, "count"))
    phone = book.series(subjects.SERVICE_LEVEL_PHONE, "lunar_day", "hour")
    day, hour = phone.peak(lowest=True) or (0, 0)
    worst = book.cell(subjects.SERVICE_LEVEL_PHONE, lunar_day=day, hour=hour)
    sentence = say_html(
        "{share} of replications meet every target on every day (95&nbsp;% interval {interval}); "
        "{hours} of the hours are on target ({hours_interval}), and the worst is {worst_hour}, "
        "when {phone} of phone contacts are answered in time ({phone_interval}).",
        share=chance.number(form="probability"),
        interval=chance.interval("probability"),
        hours=hours.number(),
        hours_interval=hours.interval(),
        worst_hour=moment(day, hour),
        phone=worst.number(),
        phone_interval=worst.interval(),
    )
    return Card(question, Markup(say(answer)), mood, sentence)


def cost(book: Book) -> Card:
    """What the programme costs the platform."""
    net, wage = book.cell(subjects.PAYOUT_NET), book.cell(subjects.WAGE)
    sentence = say_html(
        "That is net of what merchants pay back (95&nbsp;% interval {interval}; nine festivals in "
        "ten {band}): {gross} paid, {recovered} recovered; wages of the support floor add {wage} "
        "({wage_interval}).",
        interval=net.interval(),
        band=net.band(),
        gross=book.cell(subjects.PAYOUT_GROSS).number(),
        recovered=book.cell(subjects.PAYOUT_RECOVERED).number(),
        wage=wage.number(),
        wage_interval=wage.interval(),
    )
    question = say_html("What do the promises cost?")
    return Card(question, Markup("{}").format(net.number()), "", sentence)


def dry(book: Book) -> Card:
    """Which pot runs dry first, when, and which ones then."""
    question = say_html("Which pot runs dry?")
    order = by_risk(book)
    worst = book.cell(subjects.EXHAUSTED, guarantee=order[0])
    if not worst.mean:
        sentence = say_html("In no replication does a pot fail to meet a payment.")
        if worst.high is not None:
            sentence = say_html(
                "In no replication does a pot fail to meet a payment; the interval allows for at "
                "most {high} for each.",
                high=worst.number("high", "probability"),
            )
        return Card(question, say_html("None"), "good", sentence)
    others = [other for other in order[1:] if book.cell(subjects.EXHAUSTED, guarantee=other).mean]
    english, chinese = style.GUARANTEE_NAMES[order[0]]
    sentence = say_html(
        "{other_name} runs dry in {share} of replications (95&nbsp;% interval {interval}), {when}",
        other_name=english if spoken() == "zh" else chinese,
        share=worst.number(form="probability"),
        interval=worst.interval("probability"),
        when=when_dry(book, order[0]),
    )
    if others:
        listed = Markup(say(", ")).join(
            say_html(
                "{pot} in {share}",
                pot=style.guarantee(other).lower(),
                share=book.cell(subjects.EXHAUSTED, guarantee=other).number(form="probability"),
            )
            for other in others[:3]
        )
        sentence += say_html("; then {listed}", listed=listed)
    mood = "bad" if worst.mean >= HELD_AT_RATIO else "edge"
    name = style.guarantee(order[0])
    return Card(question, Markup.escape(name), mood, sentence + say_html("."))


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
            return say_html(
                "by {hour} in {share}",
                hour=hour_end(day, hour),
                share=chance.number(form="probability"),
            )
    peak = series.peak()
    if peak is None or not series.mean.max() > 0:
        return say_html("at no hour")
    day, hour = peak
    chance = book.cell(subjects.EXHAUSTED, lunar_day=day, hour=hour, guarantee=guarantee)
    return say_html(
        "most often by {hour}, in {share}",
        hour=hour_end(day, hour),
        share=chance.number(form="probability"),
    )
