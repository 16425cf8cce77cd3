"""From the posted form to a scenario, or to what is wrong beside each field.

Nothing is validated here: moved fields become the loader's settings, and what the loader refuses
goes back beside its field in the loader's words. Only moved fields are set, so that a page on which
nothing was moved is the baseline exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import tomlkit

from reports.whatif.levers import SHOCK, WHEN, Group, Lever, base_text, groups
from scenarios.loader import Library, Resolved
from scenarios.overlays import OWN_KEYS, merge
from scenarios.problems import Problem, ScenarioProblems
from scenarios.scenario import Scenario

GENERAL: Final = "general"
OVERLAYS: Final = "overlays"


@dataclass(frozen=True, slots=True)
class Posted:
    """What came in, as text."""

    scenario: str
    overlays: tuple[str, ...]
    fields: Mapping[str, str]
    """Texts of the levers' fields, by key; one that is missing was not moved."""
    shown_for: tuple[str, tuple[str, ...]] | None = None
    """Scenario and overlays that the fields were filled for, if others than these."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks: a scenario beside its baseline, or problems."""

    groups: tuple[Group, ...]
    texts: dict[str, str]
    """What every field shows, by key."""
    base_texts: dict[str, str]
    """What it would show if nothing were moved."""
    problems: dict[str, list[Problem]]
    """By key, or GENERAL, or OVERLAYS."""
    baseline: Resolved[Scenario] | None
    """The scenario alone; None where there is none of this name."""
    resolved: Resolved[Scenario] | None
    """The scenario with overlays and what was moved; None while anything is refused."""

    @property
    def moved(self) -> tuple[str, ...]:
        return tuple(key for key, text in self.texts.items() if text != self.base_texts[key])


class Reader:
    """Reads forms against one library of scenarios."""

    def __init__(self, library: Library[Scenario]) -> None:
        self._library = library
        self._resolved = lru_cache(maxsize=64)(self._resolve)

    def _resolve(
        self, name: str, overlays: tuple[str, ...], sets: tuple[str, ...]
    ) -> Resolved[Scenario]:
        return self._library.resolve(name, overlays=overlays, sets=sets)

    def read(self, posted: Posted) -> Asked:
        """What the form asks."""
        problems: dict[str, list[Problem]] = {}
        try:
            baseline = self._resolved(posted.scenario, (), ())
        except ScenarioProblems as error:
            return Asked((), {}, {}, {GENERAL: list(error.problems)}, None, None)
        try:
            under = self._resolved(posted.scenario, posted.overlays, ())
        except ScenarioProblems as error:
            problems[OVERLAYS] = list(error.problems)
            under = baseline
        form = groups(under.values)
        levers = [lever for group in form for lever in group.levers()]
        base_texts = {lever.key: base_text(lever, under.values) for lever in levers}
        filled = self._filled(posted) or base_texts
        texts = base_texts | {
            key: text
            for key, text in posted.fields.items()
            if key in base_texts and text != filled.get(key)
        }
        resolved = None
        if not problems:
            sets = _sets(levers, texts, base_texts)
            try:
                resolved = self._resolved(posted.scenario, posted.overlays, sets)
            except ScenarioProblems as error:
                moved = [key for key in texts if texts[key] != base_texts[key]]
                problems = _beside_fields(error.problems, texts, moved)
        return Asked(form, texts, base_texts, problems, baseline, resolved)

    def _filled(self, posted: Posted) -> dict[str, str]:
        """What the fields showed before anything was moved; empty where that is not known."""
        if posted.shown_for is None:
            return {}
        try:
            values = self._resolved(*posted.shown_for, ()).values
        except ScenarioProblems:
            return {}
        return {
            lever.key: base_text(lever, values)
            for group in groups(values)
            for lever in group.levers()
        }


def _sets(
    levers: Sequence[Lever], texts: Mapping[str, str], base_texts: Mapping[str, str]
) -> tuple[str, ...]:
    moved = [lever for lever in levers if texts[lever.key].strip() != base_texts[lever.key]]
    shock = [lever for lever in moved if lever.key.startswith(f"{SHOCK}.")]
    # When alone is no shock; a shock needs its when, moved or not.
    when: list[Lever] = []
    if any(lever.key not in WHEN for lever in shock):
        when = [lever for lever in levers if lever.key in WHEN]
    rest = [lever for lever in moved if lever.key not in WHEN]
    return tuple(_setting(lever, texts[lever.key]) for lever in (*when, *rest))


def _setting(lever: Lever, text: str) -> str:
    setting = lever.setting(text)
    if lever.key != WHEN[0]:
        return setting
    key, _, value = setting.partition("=")
    return f"{key}=[{value}]"


def _beside_fields(
    found: Sequence[Problem], texts: Mapping[str, str], moved: Sequence[str]
) -> dict[str, list[Problem]]:
    """Each problem beside the field it names; one about a table beside what was moved in it."""
    beside: dict[str, list[Problem]] = {}
    for problem in found:
        path = problem.path
        if path not in texts:
            # One element of a list is its field's matter.
            path = path.rpartition(".")[0] if path.rpartition(".")[0] in texts else path
        places = [path] if path in texts else [k for k in moved if k.startswith(f"{path}.")]
        for place in places or [GENERAL]:
            beside.setdefault(place, []).append(problem)
    return beside


def overlay_toml(asked: Asked, posted: Posted) -> str:
    """The overlays and what was moved as one overlay file for `springpeak run --overlay`."""
    assert asked.resolved is not None
    files = asked.baseline.layers if asked.baseline else ()
    values: dict[str, Any] = {}
    for layer in asked.resolved.layers[len(files) :]:
        said = {key: value for key, value in layer.values.items() if key not in OWN_KEYS}
        values = merge(values, said)
    document = tomlkit.document()
    over = " + ".join((posted.scenario, *posted.overlays))
    document.add("description", tomlkit.item(f"What if: {over}, moved by hand"))
    for key, value in values.items():
        document.add(key, tomlkit.item(value))
    return tomlkit.dumps(document)
