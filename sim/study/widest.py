"""Table `study_widest`: which assumptions move the outcomes most, each alone, over its range.

Decides which factors a study takes by itself. "Widest" is meant by effect: of a range of 1800 to
108,000 s it says nothing that it spans a factor of sixty, if nothing depends on it. Every key whose
source is "A: low/base/high" is put to both ends, and ranked by its swing as the tornado of payouts
does (sim/payout/tornado.py): from the lower to the higher of both effects and 0. Swings are divided
by the widest one of the same outcome, and a key counts by its best outcome. The ends are answered
by the approximation (sim/whatif/answer.py): it draws nothing, so no chance is taken for an effect,
and it knows the whole country, where a smaller world would have another floor. A key that cannot be
moved alone (a share of a whole), or not together with a wider one, or that is another name of a
wider one's lever (on a single day its multiplier is one), is left out, with the reason.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from pydantic import ValidationError

from scenarios.loader import shipped
from scenarios.overlays import leaves
from scenarios.problems import ScenarioProblems
from scenarios.ranges import Ranged, ranged
from scenarios.scenario import Scenario
from sim.experiment.executor import carry_out
from sim.experiment.files import read_table, readable, replacing
from sim.payout.frames import frame
from sim.study.asked import Asked
from sim.study.factors import Factor
from sim.study.festival import Question
from sim.study.lines import Lines
from sim.study.worlds import World, moved
from sim.whatif.answer import approximate

WIDEST: Final = "study_widest"
# Answers while there is no table yet, so that choosing goes on where it was stopped.
LINES: Final = "widest.jsonl"
# Which days are simulated is no assumption about the festival.
LEFT_OUT: Final = ("horizon.", "calendar.")
Report = Callable[[int, int], None]
Ends = dict[str, float]


@dataclass(frozen=True, slots=True)
class _Swung:
    """A key with the change of each outcome at both ends; None where the end is no scenario."""

    ranged: Ranged
    low: Ends | None
    high: Ends | None

    def swing(self, outcome: str) -> float:
        """How far apart both ends lie, and how far from the scenario."""
        ends = [end[outcome] for end in (self.low, self.high) if end is not None]
        return max(0.0, *ends) - min(0.0, *ends) if len(ends) == 2 else 0.0

    def acts_as(self, other: "_Swung") -> bool:
        """Whether both keys are two names of one lever: ranges as wide, and the same effects."""
        mine, theirs = (
            [one.ranged.low / one.ranged.base, one.ranged.high / one.ranged.base]
            if one.ranged.base
            else [one.ranged.low, one.ranged.high]
            for one in (self, other)
        )
        for end, same in ((self.low, other.low), (self.high, other.high)):
            mine += (end or {}).values()
            theirs += (same or {}).values()
        return bool(np.allclose(mine, theirs, rtol=1e-6, atol=0.0))


def widest(
    asked: Asked, *, folder: Path, executor: Executor, report: Report
) -> tuple[Factor, ...]:
    """The factors of the study file, and as many more as it asks for; the table is kept.

    Raises ScenarioProblems where the approximate answer knows none of the outcomes.
    """
    count = asked.file.widest_count
    if count is None:
        return asked.factors
    file, lines = folder / f"{WIDEST}.parquet", Lines(folder / LINES)
    if file.exists():
        table = read_table(file)
    else:
        table = _screened(asked, count, lines, executor, report)
        with replacing(file) as unfinished:
            table.write_parquet(unfinished)
        lines.path.unlink(missing_ok=True)
    chosen = table.filter("chosen")["key"].unique(maintain_order=True).to_list()
    return (*asked.factors, *(_factor(asked.worlds[0], key) for key in chosen))


def _screened(
    asked: Asked, count: int, lines: Lines, executor: Executor, report: Report
) -> pl.DataFrame:
    world = asked.worlds[0]
    base = _answered(_question(world, ()))
    assert base is not None, "the scenario itself was loaded before"
    outcomes = [one for one in asked.file.outcomes if one in base]
    if not outcomes:
        problem = asked.problem(
            "widest_count",
            "cannot be ranked: the approximate answer knows none of the outcomes",
            f"an outcome among {', '.join(sorted(base))}, or [[factors]]",
            count,
        )
        raise ScenarioProblems([problem])
    taken = [key for one in asked.factors for key in (one.key, *one.also)]
    keys = [one for one in assumptions(world) if one.key not in taken]
    sets = [one.sets(world.values, value) for one in keys for value in (one.low, one.high)]
    answers = _all(world, sets, lines, executor, report)
    ends = [None if a is None else {o: a[o] - base[o] for o in outcomes} for a in answers]
    swung = [_Swung(*one) for one in zip(keys, ends[::2], ends[1::2], strict=True)]
    return _ranked(world, swung, outcomes, count)


def assumptions(world: World) -> list[Ranged]:
    """Every key of the scenario with an assumed range."""
    found = []
    for key, _ in leaves(world.values):
        one = ranged(world.values, key, world.source(key))
        if one is not None and one.low < one.high and not key.startswith(LEFT_OUT):
            found.append(one)
    return found


def _ranked(
    world: World, swung: Sequence[_Swung], outcomes: Sequence[str], count: int
) -> pl.DataFrame:
    """All keys, the one that moves most first; the first `count` that go together are chosen."""
    most = {o: max((one.swing(o) for one in swung), default=0.0) or 1.0 for o in outcomes}
    ordered = sorted(
        swung, key=lambda one: (-max(one.swing(o) / most[o] for o in outcomes), one.ranged.key)
    )
    chosen: list[_Swung] = []
    rows: list[dict[str, Any]] = []
    for rank, one in enumerate(ordered, start=1):
        reason = None
        if len(chosen) < count:
            reason = _why_not(world, one, chosen)
            if reason is None:
                chosen.append(one)
        is_chosen = one in chosen
        for outcome in outcomes:
            rows.append(
                {
                    "rank": rank,
                    "key": one.ranged.key,
                    "low_value": one.ranged.low,
                    "base_value": one.ranged.base,
                    "high_value": one.ranged.high,
                    "source": one.ranged.source,
                    "outcome": outcome,
                    "low_effect": None if one.low is None else one.low[outcome],
                    "high_effect": None if one.high is None else one.high[outcome],
                    "chosen": is_chosen,
                    "reason": reason,
                }
            )
    return frame(WIDEST, rows)


def _why_not(world: World, one: _Swung, chosen: Sequence[_Swung]) -> str | None:
    """Why a key is not moved over its range beside those chosen; None where it can be."""
    if one.low is None or one.high is None:
        return "cannot be moved alone"
    for other in chosen:
        if one.acts_as(other):
            return f"does what {other.ranged.key} does"
    known = [swung.ranged for swung in chosen]
    for its in known:
        for mine, theirs in product((one.ranged.low, one.ranged.high), (its.low, its.high)):
            pair = (one.ranged.sets(world.values, mine), its.sets(world.values, theirs))
            if not _is_valid(world, pair):
                return f"not together with {its.key}"
    for ends in ([r.low for r in known], [r.high for r in known]):
        for mine in (one.ranged.low, one.ranged.high):
            all_sets = [r.sets(world.values, e) for r, e in zip(known, ends, strict=True)]
            if not _is_valid(world, [*all_sets, one.ranged.sets(world.values, mine)]):
                return "not together with all of the others"
    return None


def _is_valid(world: World, sets: Sequence[str]) -> bool:
    try:
        Scenario.model_validate(moved(world, sets))
    except ValidationError:
        return False
    return True


def _factor(world: World, key: str) -> Factor:
    one = ranged(world.values, key, world.source(key))
    assert one is not None, "it was ranked by its range"
    return Factor(
        one.key,
        low=one.low,
        base=one.base,
        high=one.high,
        is_array=one.is_array,
        is_whole=one.is_whole,
        source=one.source,
    )


def _question(world: World, sets: Sequence[str]) -> Question:
    return Question(world.scenario, world.overlays, (*world.sets, *sets), 0, ())


def _all(
    world: World, sets: Sequence[str], lines: Lines, executor: Executor, report: Report
) -> list[Ends | None]:
    """The answer with each of the settings alone, in their order; kept in `lines` one by one."""
    known: dict[str, Ends | None] = {}
    with readable(lines.path):
        known.update(dict(lines.read()))
    report(len(known), len(sets))
    with lines.open() as writer:

        def keep(text: str, answer: Ends | None) -> None:
            known[text] = answer
            writer.add((text, answer))

        carry_out(
            executor,
            _answered,
            {text: _question(world, (text,)) for text in sets if text not in known},
            keep=keep,
            kept=lambda _text, _count: report(len(known), len(sets)),
            named=lambda text: f"the answer to {text} failed, the same command goes on",
        )
    return [known[text] for text in sets]


def _answered(question: Question) -> Ends | None:
    """The approximate answer; None where this is no scenario. Called in worker processes."""
    try:
        scenario = shipped().load(
            question.scenario, overlays=question.overlays, sets=question.sets
        )
    except ScenarioProblems:
        return None
    return {name: value for name, (value, _) in approximate(scenario).measures.items()}
