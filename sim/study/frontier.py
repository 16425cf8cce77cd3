"""Table `study_frontier`: what each decision costs, how it serves, and which are worth taking.

A decision is a combination of the levels of the factors that somebody decides. Its cost and its
service are means over everything else that moves and over the seasons; all decisions meet the same
points and seasons. One is efficient if no other of the same scenario costs no more and serves no
worse, and is better in one of both.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sim.columns import Floats
from sim.experiment.confidence import student
from sim.payout.frames import known
from sim.study.dataset import Dataset
from sim.study.factors import choice


def frontier(dataset: Dataset) -> Iterator[dict[str, Any]]:
    """Rows of the table, cheapest first; none where nothing is decided."""
    decided = [one for one in dataset.plan.crossed if one.decided]
    if not decided:
        return
    axes = dataset.plan.frontier
    cost_fen = np.sum([dataset.values(metric) for metric in axes.cost], axis=0)
    service = dataset.values(axes.service)
    for scenario in dataset.plan.scenarios:
        choices: dict[str, list[int]] = {}
        for number, point in enumerate(dataset.points):
            if point.scenario == scenario:
                levels = [point.values[one.key] for one in decided]
                choices.setdefault(choice(decided, levels), []).append(number)
        rows: list[dict[str, Any]] = [
            {
                "scenario": scenario,
                "choice": name,
                **_axis("cost", "_fen", cost_fen[numbers]),
                **_axis("service", "", service[numbers]),
                "points_count": len(numbers),
            }
            for name, numbers in choices.items()
        ]
        for row in rows:
            row["efficient"] = not any(_beats(other, row) for other in rows)
        rows.sort(key=lambda row: (row["cost_fen"], -row["service"]))
        yield from ({**row, "position": position} for position, row in enumerate(rows))


def _axis(name: str, unit: str, values: Floats) -> dict[str, float | None]:
    """Mean, interval over replications and spread over points; values (points, replications)."""
    found = student(np.nanmean(values, axis=0))
    low, high = np.nanquantile(np.nanmean(values, axis=1), (0.05, 0.95))
    ends = {"low": found.low, "high": found.high, "p05": low, "p95": high}
    return {
        f"{name}{unit}": found.mean,
        **{f"{name}_{end}{unit}": known(float(value)) for end, value in ends.items()},
    }


def _beats(other: dict[str, Any], row: dict[str, Any]) -> bool:
    saved = row["cost_fen"] - other["cost_fen"]
    gained = other["service"] - row["service"]
    return bool(min(saved, gained) >= 0.0 and max(saved, gained) > 0.0)
