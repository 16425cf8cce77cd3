"""The tables that explain a study: variances, indices, screening, main effects, frontier.

Decides what is explained together: a scenario with one combination of levels, which has the whole
design; of a grid all combinations of a scenario. Everything comes from the study's files, so an old
study can be explained again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from sim.columns import Floats
from sim.experiment.confidence import student
from sim.payout.frames import frame, known
from sim.study.dataset import Dataset
from sim.study.effects import Step, along_range, at_levels
from sim.study.expansion import Expansion, of_ranges
from sim.study.explained import Explained, explained, explained_grid, noise_ratio, screened
from sim.study.factors import Factor, choice, combinations
from sim.study.frontier import frontier
from sim.study.shares import fit_of

# Effects along the ranges of a saltelli design come from so many of its rows.
ROWS_FOR_EFFECTS: Final = 2000
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Group:
    """What is explained together: values of an outcome by (points, replications)."""

    names: Mapping[str, Any]
    """Scenario, combination and outcome."""
    values: Floats


def tables(dataset: Dataset) -> dict[str, pl.DataFrame]:
    """Every table by name; those of a study without such rows are left out."""
    rows: dict[str, list[Row]] = {
        f"study_{name}": [] for name in ("variance", "indices", "screening", "effects", "frontier")
    }
    for outcome in dataset.plan.outcomes:
        for group in _groups(dataset, outcome):
            _explain(dataset, group, rows)
        for scenario in dataset.plan.scenarios:
            names = {"scenario": scenario, "combination": None, "outcome": outcome}
            rows["study_effects"] += _at_levels(dataset, names, dataset.plan.crossed)
    rows["study_frontier"] = list(frontier(dataset))
    rows["study_factors"] = [_factor(one) for one in dataset.plan.factors]
    rows["study_combinations"] = [
        {"combination": number, "choice": choice(dataset.plan.crossed, levels)}
        for number, levels in enumerate(combinations(dataset.plan.crossed))
    ]
    return {name: frame(name, found) for name, found in rows.items() if found}


def _groups(dataset: Dataset, outcome: str) -> Iterator[_Group]:
    if dataset.plan.design.kind == "grid":
        for scenario in dataset.plan.scenarios:
            chosen = [k for k, one in enumerate(dataset.points) if one.scenario == scenario]
            names = {"scenario": scenario, "combination": None, "outcome": outcome}
            yield _Group(names, dataset.values(outcome)[chosen])
        return
    for block in dataset.blocks(outcome):
        at = {"scenario": block.scenario, "combination": block.combination}
        yield _Group({**at, "outcome": outcome}, block.values)


def _explain(dataset: Dataset, group: _Group, rows: dict[str, list[Row]]) -> None:
    """Add a group's rows. A group with a value that does not exist has only its variance."""
    plan = dataset.plan
    if not np.isfinite(group.values).all():
        rows["study_variance"].append(_variance(dataset, group, None))
    elif plan.design.kind == "morris":
        _screen(dataset, group, rows)
    elif plan.design.kind == "grid":
        levels = _levels(dataset, group.names["scenario"])
        found = explained_grid(levels, group.values, plan.seed)
        rows["study_variance"].append(_variance(dataset, group, found))
        rows["study_indices"] += _indices(group, plan.factors, found)
    else:
        found = explained(plan.design, plan.places, group.values, plan.seed)
        rows["study_variance"].append(_variance(dataset, group, found))
        rows["study_indices"] += _indices(group, plan.sampled, found)
        expansion = found.expansion or _for_effects(plan.places, group.values)
        fit = fit_of(expansion, plan.seed)
        for number, factor in enumerate(plan.sampled):
            steps = along_range(factor, number, expansion, fit)
            rows["study_effects"] += _steps(group, factor, steps)


def _screen(dataset: Dataset, group: _Group, rows: dict[str, list[Row]]) -> None:
    plan = dataset.plan
    found = screened(plan.design, plan.places, group.values, plan.seed)
    rows["study_variance"].append(_variance(dataset, group, None))
    for number, (factor, one) in enumerate(zip(plan.sampled, found, strict=True)):
        rows["study_screening"].append({**group.names, "key": factor.key, **asdict(one)})
        steps = at_levels(plan.places[:, number], group.values)
        rows["study_effects"] += _steps(group, factor, steps, of_places=True)


def _for_effects(places: Floats, values: Floats) -> Expansion:
    return of_ranges(places[:ROWS_FOR_EFFECTS], values[:ROWS_FOR_EFFECTS])


def _levels(dataset: Dataset, scenario: str) -> Floats:
    """Shape (points of the scenario, factors)."""
    keys = [one.key for one in dataset.plan.crossed]
    chosen = [point for point in dataset.points if point.scenario == scenario]
    return np.array([[point.values[key] for key in keys] for point in chosen])


def _variance(dataset: Dataset, group: _Group, one: Explained | None) -> Row:
    points, replications = group.values.shape
    over_seasons = student(group.values.mean(axis=0))
    means = group.values.mean(axis=1)
    noise = noise_ratio(group.values)
    variance = float(means.var(ddof=1)) * (1.0 - (noise or 0.0)) if points > 1 else np.nan
    low, high = np.quantile(means, (0.05, 0.95))
    return {
        **group.names,
        "unit": dataset.units[group.names["outcome"]],
        **{k: known(getattr(over_seasons, k)) for k in ("mean", "low", "high")},
        "sd": known(float(np.sqrt(variance))),
        "p05": known(float(low)),
        "p95": known(float(high)),
        "noise_ratio": None if noise is None else known(noise),
        "rest_ratio": one.rest_ratio if one else None,
        "method": one.method if one else None,
        "terms_count": len(one.expansion.terms) if one and one.expansion else None,
        "points_count": points,
        "replications_count": replications,
    }


def _indices(group: _Group, factors: tuple[Factor, ...], one: Explained) -> Iterator[Row]:
    for share in one.shares:
        keys = [factors[number].key for number in share.factors]
        yield {
            **group.names,
            "order": share.order,
            "key": keys[0],
            "other": keys[1] if len(keys) > 1 else None,
            "value": share.value,
            "low": known(share.low),
            "high": known(share.high),
        }


def _at_levels(
    dataset: Dataset, names: Mapping[str, Any], factors: tuple[Factor, ...]
) -> Iterator[Row]:
    chosen = [k for k, one in enumerate(dataset.points) if one.scenario == names["scenario"]]
    group = _Group(names, dataset.values(names["outcome"])[chosen])
    if not np.isfinite(group.values).all():
        return
    for factor in factors:
        levels = np.array([dataset.points[k].values[factor.key] for k in chosen])
        yield from _steps(group, factor, at_levels(levels, group.values))


def _steps(
    group: _Group, factor: Factor, steps: Iterator[Step], *, of_places: bool = False
) -> Iterator[Row]:
    """Rows of a factor's effect; `of_places`: the steps are places in its range, not values."""
    for number, step in enumerate(steps):
        yield {
            **group.names,
            "key": factor.key,
            "step": number,
            "value": factor.value(step.value) if of_places else step.value,
            "mean": known(step.mean),
            "low": known(step.low),
            "high": known(step.high),
        }


def _factor(one: Factor) -> Row:
    names = ("key", "low", "base", "high", "law", "decided", "source")
    return {
        **{name: getattr(one, name) for name in names},
        "also": ", ".join(one.also) or None,
        "levels": ", ".join(f"{level:.12g}" for level in one.levels) or None,
    }
