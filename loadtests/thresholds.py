"""Thresholds: what a replay must hold, as text such as "open_claim.p99_response_ms <= 250".

Decides how they are written and when they hold. A figure that was never measured holds nothing.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from loadtests.latency import METRICS
from loadtests.trace import OPERATIONS

SIGNS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}
_PATTERN: Final = re.compile(r"\s*(?:(\w+)\.)?(\w+)\s*(<=|>=|<|>)\s*([0-9.eE+-]+)\s*")

Figures = Mapping[str, float | int | None]


class ThresholdError(Exception):
    """Thresholds that cannot be understood; the message names all of them, for the user."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold; `operation` is empty for all together."""

    text: str
    operation: str
    metric: str
    sign: str
    limit: float


@dataclass(frozen=True, slots=True)
class Finding:
    """A threshold, what was measured, and whether it holds."""

    text: str
    value: float | int | None
    held: bool


def parse(texts: list[str]) -> list[Threshold]:
    """Thresholds of their texts. Raises ThresholdError with everything that is wrong."""
    found, wrong = [], []
    for text in texts:
        match = _PATTERN.fullmatch(text)
        said = _mistake(match)
        if match is None or said:
            wrong.append(f'threshold "{text}": {said}')
            continue
        operation, metric, sign, limit = match.groups()
        found.append(Threshold(text, operation or "", metric, sign, float(limit)))
    if wrong:
        raise ThresholdError("\n".join(wrong))
    return found


def judge(
    thresholds: list[Threshold], total: Figures, operations: Mapping[str, Figures]
) -> list[Finding]:
    """What each threshold comes to."""
    findings = []
    for one in thresholds:
        figures = operations.get(one.operation, {}) if one.operation else total
        value = figures.get(one.metric)
        held = value is not None and SIGNS[one.sign](value, one.limit)
        findings.append(Finding(one.text, value, held))
    return findings


def _mistake(match: re.Match[str] | None) -> str:
    if match is None:
        return 'write [OPERATION.]METRIC <= NUMBER, as in "p99_response_ms <= 250"'
    operation, metric, _, limit = match.groups()
    for word, known in ((operation, OPERATIONS), (metric, METRICS)):
        if word and word not in known:
            near = get_close_matches(word, known, n=1)
            meant = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
            return f"{word} is not measured; {meant}"
    try:
        float(limit)
    except ValueError:
        return f"{limit} is not a number"
    return ""
