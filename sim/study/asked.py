"""From a study file to a plan, or to everything that is wrong with it.

Decides what a factor's key means in the scenarios, where its range comes from, and that every point
is a valid scenario before anything is simulated. Problems name the file, the line, the key, its
value and what would be right.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from scenarios.loader import SHIPPED, Library, is_path, shipped
from scenarios.overlays import Layer, at
from scenarios.problems import Problem, ScenarioProblems, shorten
from scenarios.ranges import numeric, ranged
from scenarios.scenario import Scenario
from scenarios.study_file import SIZES, StudyFactor, StudyFile
from sim.experiment.account import code_digest
from sim.study.design import rows_count as design_rows_count
from sim.study.factors import Factor
from sim.study.festival import TABLES_OF, Question, tables_for
from sim.study.plan import Plan, Point, lay_out
from sim.study.worlds import World, moved, point_sets, world_of

FOLDER: Final = SHIPPED / "studies"
POINTS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A study file that is right as far as can be said without its points."""

    file: StudyFile
    layers: tuple[Layer, ...]
    """What the file was read from, lowest first."""
    worlds: tuple[World, ...]
    factors: tuple[Factor, ...]

    def tables(self) -> tuple[str, ...]:
        """The tables that a season makes for the metrics that are looked at."""
        metrics = {*self.file.outcomes}
        if any(one.decided for one in self.file.factors):
            metrics |= {*self.file.frontier.cost, self.file.frontier.service}
        return tables_for(metrics)

    def identity(self) -> dict[str, Any]:
        """What two invocations must share to be the same study. Words, the number of replications
        and what is looked at do not count, unless the widest are chosen by it."""
        words = {"name", "description", "replications_count", "frontier"}
        chosen_by = set() if self.file.widest_count else {"outcomes"}
        told = self.file.model_dump_json(exclude=words | chosen_by)
        return {
            "asked": blake2b(told.encode(), digest_size=16).hexdigest(),
            "fingerprints": [world.fingerprint for world in self.worlds],
            "tables": list(self.tables()),
            "seed": self.file.seed,
        }

    def folder(self) -> Path:
        """Where the study goes unless the user says."""
        text = json.dumps({**self.identity(), "code": code_digest()}, sort_keys=True)
        both = blake2b(text.encode(), digest_size=4).hexdigest()
        return Path("results") / f"{self.file.name}-{both}-{self.file.seed}"

    def problem(self, path: str, message: str, hint: str = "", value: object = None) -> Problem:
        """A mistake at a key, where it was said last."""
        files = [one for one in self.layers if one.marks]
        layer = next((one for one in reversed(self.layers) if one.holds(path)), files[-1])
        return Problem(
            file=layer.label,
            line=layer.line(path),
            path=path,
            value="" if value is None else shorten(value),
            message=message,
            hint=hint,
        )


def read_study(name_or_path: str, *, sets: Sequence[str] = ()) -> Asked:
    """A shipped study by name, or the user's own by path. Raises ScenarioProblems."""
    library = Library(FOLDER, StudyFile, noun="study")
    resolved = library.resolve(name_or_path, sets=sets)
    beside = Path(name_or_path).parent if is_path(name_or_path) else FOLDER
    worlds = tuple(world_of(one, resolved.scenario, beside) for one in resolved.scenario.scenarios)
    asked = Asked(resolved.scenario, resolved.layers, worlds, ())
    problems = list(_outcome_problems(asked))
    factors = []
    for number, said in enumerate(asked.file.factors):
        found = _factor(asked, number, said)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            factors.append(found)
    if problems:
        raise ScenarioProblems(problems)
    return replace(asked, factors=tuple(factors))


def plan_of(asked: Asked) -> Plan:
    """Lay the study out and look at every point. Raises ScenarioProblems."""
    file, design = asked.file, asked.file.design
    ranges = [one for one in asked.factors if not one.levels]
    problem = None
    if design.kind == "grid" and ranges and design.levels_count is None:
        problem = asked.problem(
            "design.levels_count",
            f"is missing: {ranges[0].key} has a range and no levels",
            "how many levels of each range, e.g. 3; or levels = [...] of the factor",
        )
    elif design.kind != "grid" and not ranges:
        problem = asked.problem(
            "design.kind",
            "deals in ranges, and every factor has levels",
            'kind = "grid", or a factor without levels',
            design.kind,
        )
    elif design.kind == "morris" and len(ranges) < 2:
        problem = asked.problem("design.kind", "needs two ranges to walk through", "", design.kind)
    else:
        problem = _size_problem(asked, ranges)
    if problem is not None:
        raise ScenarioProblems([problem])
    plan = lay_out(
        name=file.name,
        description=file.description,
        design=design,
        seed=file.seed,
        replications_count=file.replications_count,
        outcomes=file.outcomes,
        scenarios=[world.name for world in asked.worlds],
        factors=asked.factors,
        frontier=file.frontier,
    )
    problems = [one for one in (_point_problem(asked, plan, p) for p in plan.points()) if one]
    if problems:
        raise ScenarioProblems(problems[:10])
    return plan


def _size_problem(asked: Asked, ranges: Sequence[Factor]) -> Problem | None:
    """A design that nobody will see the end of, said before it takes all memory."""
    design = asked.file.design
    counts = [len(one.levels) for one in asked.factors if one.levels]
    if design.kind == "grid":
        counts += [design.levels_count or 0] * len(ranges)
        rows_count = 1
    else:
        rows_count = design_rows_count(design, len(ranges))
    points_count = len(asked.worlds) * math.prod(counts) * rows_count
    if points_count <= POINTS_MAX:
        return None
    size = SIZES[design.kind]
    return asked.problem(
        f"design.{size}",
        f"lays out {points_count:,} points",
        f"at most {POINTS_MAX:,}: fewer levels or scenarios, or another kind of design",
        getattr(design, size),
    )


def questions(asked: Asked, plan: Plan) -> "Questions":
    """What each point asks a season."""
    by_name = {world.name: world for world in asked.worlds}
    return Questions(by_name, plan.factors, plan.seed, asked.tables())


@dataclass(frozen=True, slots=True)
class Questions:
    """Point by point: the scenario with what the point sets on top."""

    worlds: Mapping[str, World]
    factors: tuple[Factor, ...]
    seed: int
    tables: tuple[str, ...]

    def __call__(self, point: Point) -> Question:
        world = self.worlds[point.scenario]
        sets = (*world.sets, *point_sets(world, self.factors, point.values))
        return Question(world.scenario, world.overlays, sets, self.seed, self.tables)


def _outcome_problems(asked: Asked) -> Iterator[Problem]:
    """Metrics that no replication has."""
    file = asked.file
    said = [(f"outcomes.{k}", one) for k, one in enumerate(file.outcomes)]
    said += [(f"frontier.cost.{k}", one) for k, one in enumerate(file.frontier.cost)]
    said.append(("frontier.service", file.frontier.service))
    for path, metric in said:
        if metric not in TABLES_OF:
            close = get_close_matches(metric, TABLES_OF, n=1)
            hint = f"did you mean {close[0]}?" if close else f"one of {', '.join(TABLES_OF)}"
            yield asked.problem(path, "no replication has this metric", hint, metric)
        elif path.startswith("frontier.cost") and not metric.endswith("_fen"):
            yield asked.problem(path, "is no money", "a metric in fen", metric)


def _factor(asked: Asked, number: int, said: StudyFactor) -> Factor | Problem:
    """The factor with its range, or what is wrong with it."""
    path, world = f"factors.{number}", asked.worlds[0]
    for key in (said.key, *said.also):
        for one in asked.worlds:
            if at(one.values, key) is None:
                hint = shipped().schema.suggest(key)
                where = f"{path}.key" if key == said.key else f"{path}.also"
                return asked.problem(where, f"no such key in {one.scenario}", hint, key)
    if wrong := _kind_problem(asked, number, said):
        return wrong
    value = numeric(world.values, said.key)
    assert value is not None, "its kind was looked at"
    base, is_array, is_whole = value
    rest = {"base": base, "is_array": is_array, "is_whole": is_whole, "also": said.also}
    source = world.source(said.key)
    told = str(source) if source else ""
    if said.levels is not None:
        low, high = said.levels[0], said.levels[-1]
        return Factor(said.key, low=low, high=high, levels=said.levels, decided=said.decided,
                      source=told, **rest)  # type: ignore[arg-type]  # fmt: skip
    known = ranged(world.values, said.key, source)
    range_low = said.low if said.low is not None or known is None else known.low
    range_high = said.high if said.high is not None or known is None else known.high
    if range_low is None or range_high is None:
        return asked.problem(
            f"{path}.key",
            "no source states a range of it",
            'low and high, levels, or a key whose source is "A: low/base/high" '
            "(springpeak scenarios show)",
            said.key,
        )
    wrong = _range_problem(asked, path, said, (range_low, base, range_high))
    return wrong or Factor(said.key, low=range_low, high=range_high, law=said.law,
                           source=told, **rest)  # type: ignore[arg-type]  # fmt: skip


def _kind_problem(asked: Asked, number: int, said: StudyFactor) -> Problem | None:
    """What a key that is moved must be, and the keys that take its values."""
    path, values = f"factors.{number}", asked.worlds[0].values
    found = numeric(values, said.key)
    if found is None:
        return asked.problem(
            f"{path}.key",
            "is no number, so it has no range",
            "a number or an array of numbers; a switch is moved by a scenario with an overlay",
            said.key,
        )
    _, is_array, is_whole = found
    for key in said.also:
        other = numeric(values, key)
        if other is None or other[1:] != (is_array, is_whole):
            return asked.problem(
                f"{path}.also",
                f"does not take the values of {said.key}",
                "a key of the same kind: a number, a count, or an array of numbers",
                key,
            )
    if is_whole and any(level != round(level) for level in said.levels or ()):
        right = f"whole numbers, as {said.key} counts things"
        return asked.problem(f"{path}.levels", "are not all whole", right, said.levels)
    return None


def _range_problem(
    asked: Asked, path: str, said: StudyFactor, ends: tuple[float, float, float]
) -> Problem | None:
    """What a law asks of a range."""
    low, base, high = ends
    if low >= high:
        return asked.problem(f"{path}.low", f"should be below {high:g}", said.key, low)
    if said.law == "log_uniform" and low <= 0.0:
        return asked.problem(f"{path}.law", f"needs a range above 0, not {low:g}", "", said.law)
    if said.law == "triangular" and not low <= base <= high:
        hint = f"a range around {base:g}, or another law"
        message = f"has its mode at {base:g}, which is outside {low:g} to {high:g}"
        return asked.problem(f"{path}.law", message, hint, said.law)
    return None


def _point_problem(asked: Asked, plan: Plan, point: Point) -> Problem | None:
    """Why a point is no scenario."""
    world = next(one for one in asked.worlds if one.name == point.scenario)
    try:
        Scenario.model_validate(moved(world, point_sets(world, plan.factors, point.values)))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        why = str(first.get("ctx", {}).get("error", first["msg"]))
        values = ", ".join(f"{key} = {value:g}" for key, value in point.values.items())
        hint = f"a narrower low and high (point {point.number}: {values})"
        number = next(
            (k for k, one in enumerate(asked.file.factors) if one.key.startswith(where)), None
        )
        path = "factors" if number is None else f"factors.{number}.key"
        return asked.problem(path, f"{world.name} with {where}: {why}", hint)
    return None
