"""The scenarios that a study lays its points on, resolved, and what a point makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios.loader import is_path, shipped
from scenarios.overlays import Layer, merge, parse_set
from scenarios.sources import Source
from scenarios.study_file import StudyFile, StudyScenario
from sim.study.factors import Factor


@dataclass(frozen=True, slots=True)
class World:
    """A scenario of the study, resolved."""

    name: str
    scenario: str
    """Name or path, as a worker finds it."""
    overlays: tuple[str, ...]
    sets: tuple[str, ...]
    values: Mapping[str, Any]
    """As the model has them: a share is a float even where a file says 1."""
    layers: tuple[Layer, ...]
    fingerprint: str

    def source(self, key: str) -> Source | None:
        """The range that the highest layer with one states for the key, else its source."""
        said = [layer.source(key) for layer in reversed(self.layers) if layer.holds(key)]
        found = [one for one in said if one is not None]
        return next((one for one in found if one.low is not None), found[0] if found else None)


def world_of(one: StudyScenario, file: StudyFile, beside: Path) -> World:
    """The scenario on the study's days. Raises ScenarioProblems."""
    scenario, *overlays = (_found(name, beside) for name in (one.scenario, *one.overlays))
    days = (f"horizon.first_day={file.first_day}", f"horizon.last_day={file.last_day}")
    sets = (*days, *one.sets)
    resolved = shipped().resolve(scenario, overlays=overlays, sets=sets)
    return World(
        name=one.name,
        scenario=scenario,
        overlays=tuple(overlays),
        sets=sets,
        values=resolved.scenario.model_dump(mode="json"),
        layers=resolved.layers,
        fingerprint=resolved.scenario.fingerprint,
    )


def point_sets(
    world: World, factors: Sequence[Factor], values: Mapping[str, float]
) -> tuple[str, ...]:
    """The `key=value` of a point."""
    return tuple(text for f in factors for text in f.sets(world.values, values[f.key]))


def moved(world: World, sets: Sequence[str]) -> dict[str, Any]:
    """The scenario's values with these keys set, not validated."""
    values = dict(world.values)
    for text in sets:
        layer = parse_set(text, values)
        assert isinstance(layer, Layer), f"{text}: keys were looked at before"
        values = merge(values, layer.values)
    return values


def _found(name: str, beside: Path) -> str:
    """A name as it is; a path, which starts at the study's file, in full."""
    return str((beside / name).resolve()) if is_path(name) else name
