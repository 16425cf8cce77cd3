"""What the page shows of an answer: cards, rows of the tables, the state of a study.

Decides which figure stands where and in which printed form; the figures are sim/whatif's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports import style
from reports.answers import ENOUGH
from reports.language import say
from reports.targets import HELD_AT_RATIO, YES_AT_RATIO, tone_of
from reports.whatif.drawing import Chart, Heat, chart, heat
from reports.whatif.words import MEASURES
from scenarios.scenario import Scenario
from sim.experiment.compare import PairedDifference
from sim.whatif.answer import Answer, changes


@dataclass(frozen=True, slots=True)
class Card:
    """One answer in large letters, with the baseline's beside it."""

    question: str
    answer: str
    tone: str
    sentence: str
    baseline: str


@dataclass(frozen=True, slots=True)
class Row:
    """A measure in both worlds."""

    label: str
    baseline: str
    change: str
    difference: str
    same: bool


@dataclass(frozen=True, slots=True)
class Simulated:
    """A measure as simulated, paired, with the approximation beside it."""

    label: str
    baseline: str
    change: str
    difference: str
    interval: str
    clear: bool
    approximate: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that is drawn for an answer."""

    cards: tuple[Card, ...]
    rows: tuple[Row, ...]
    phone: Heat
    im: Heat
    agents: Chart
    day: str


def shown(
    baseline: Answer, answer: Answer, *, scenario: Scenario, baseline_heads: int, day: int
) -> Shown:
    """The answer for the season, and the chosen day's agents."""
    targets = scenario.support.targets
    at = min(max(day - answer.first_day, 0), len(answer.agents_available) - 1)
    return Shown(
        cards=(
            _enough(baseline, answer, scenario.support.heads_count, baseline_heads),
            _cost(baseline, answer),
            _dry(baseline, answer),
        ),
        rows=_rows(baseline, answer),
        phone=heat(
            answer.service_level_ratio[:, :, 0],
            target=targets.phone.service_level_ratio,
            first_day=answer.first_day,
        ),
        im=heat(
            answer.service_level_ratio[:, :, 1],
            target=targets.im.service_level_ratio,
            first_day=answer.first_day,
        ),
        agents=chart(
            (baseline.agents_available[at], answer.agents_available[at]),
            (baseline.load_agents[at], answer.load_agents[at]),
        ),
        day=style.lunar_name(answer.first_day + at),
    )


def _verdict(answer: Answer) -> tuple[str, str]:
    """The word and its tone, as the report has them."""
    mood = tone_of(answer.measures["enough_probability_ratio"][0])
    return say(ENOUGH[mood]), mood


def _enough(baseline: Answer, answer: Answer, heads: int, baseline_heads: int) -> Card:
    word, tone = _verdict(answer)
    held = answer.held_ratio
    missed = [
        style.lunar_name(answer.first_day + int(day))
        for day in np.flatnonzero(held < YES_AT_RATIO)
    ]
    sentence = say(
        "Phone {phone} and IM {im} answered in time, {abandoned} abandon.",
        phone=style.percent(answer.measures["service_level_phone_ratio"][0]),
        im=style.percent(answer.measures["service_level_im_ratio"][0]),
        abandoned=style.percent(answer.measures["abandoned_ratio"][0]),
    )
    if missed:
        sentence += " " + say("Days in danger: {days}.", days=", ".join(missed))
    return Card(
        question=say("Are {heads} heads enough?", heads=style.count(heads)),
        answer=word,
        tone=tone,
        sentence=sentence,
        baseline=say(
            "Baseline: {word}, with {heads} heads",
            word=_verdict(baseline)[0],
            heads=style.count(baseline_heads),
        ),
    )


def _cost(baseline: Answer, answer: Answer) -> Card:
    def said(one: Answer, name: str) -> str:
        return style.cny(one.measures[name][0])

    return Card(
        question=say("What do the promises cost?"),
        answer=said(answer, "payout_net_fen"),
        tone="",
        sentence=say(
            "{gross} are paid, {recovered} come back from merchants by the end. Wages on top: "
            "{wages}.",
            gross=said(answer, "payout_gross_fen"),
            recovered=said(answer, "payout_recovered_fen"),
            wages=said(answer, "wage_fen"),
        ),
        baseline=say("Baseline: {cost}", cost=said(baseline, "payout_net_fen")),
    )


def _dry(baseline: Answer, answer: Answer) -> Card:
    def worst(one: Answer) -> list[tuple[str, float]]:
        order = sorted(one.exhausted_ratio.items(), key=lambda item: -item[1])
        return [(name, chance) for name, chance in order if chance >= 0.05]

    found, before = worst(answer), worst(baseline)

    def said(name: str, chance: float) -> str:
        return f"{style.guarantee(name)} {style.probability(chance)}"

    none = say("None")
    return Card(
        question=say("Which pot runs dry?"),
        answer=style.guarantee(found[0][0]) if found else none,
        tone="bad" if found and found[0][1] >= HELD_AT_RATIO else "edge" if found else "good",
        sentence=(
            say(
                "Chance that it refuses a claim on some day: {pots}.",
                pots=", ".join(said(*one) for one in found[:4]),
            )
            if found
            else say("No pot refuses a claim with a chance of 5 % or more.")
        ),
        baseline=say("Baseline: {pots}", pots=", ".join(said(*one) for one in before[:2]) or none),
    )


def _rows(baseline: Answer, answer: Answer) -> tuple[Row, ...]:
    apart = changes(baseline, answer)
    rows = []
    for name, label in MEASURES:
        before, unit = baseline.measures[name]
        difference = _difference(apart[name], unit)
        rows.append(
            Row(
                label=say(label),
                baseline=_said(before, unit),
                change=_said(answer.measures[name][0], unit),
                difference=difference,
                same=difference == _difference(0.0, unit),
            )
        )
    return tuple(rows)


def _said(value: float | None, unit: str) -> str:
    return style.MISSING if value is None else style.FORMATS[style.format_of_unit(unit)](value)


def _difference(value: float | None, unit: str) -> str:
    """A signed difference; 0 is said as 0."""
    if value is None:
        return style.MISSING
    if unit == "ratio":
        return style.points(value) if round(value * 100, 2) else "0"
    text = style.FORMATS[style.format_of_unit(unit)](abs(value))
    if abs(value) < 0.5:
        return "0"
    return f"{'+' if value > 0 else style.MINUS}{text}"


def simulated(
    differences: Sequence[PairedDifference], approximate: Mapping[str, tuple[float, str]]
) -> tuple[Simulated, ...]:
    """The paired differences of the table's measures."""
    found = {one.metric: one for one in differences}
    rows = []
    for name, label in MEASURES:
        one = found.get(name)
        if one is None:
            continue
        interval = style.MISSING
        if one.low is not None and one.high is not None:
            low, high = _difference(one.low, one.unit), _difference(one.high, one.unit)
            interval = say("{low} to {high}", low=low, high=high)
        rows.append(
            Simulated(
                label=say(label),
                baseline=_said(one.mean_a, one.unit),
                change=_said(one.mean_b, one.unit),
                difference=_difference(one.difference, one.unit),
                interval=interval,
                clear=one.clear_of_zero,
                approximate=_said(approximate[name][0], one.unit),
            )
        )
    return tuple(rows)
