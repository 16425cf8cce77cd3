"""When the thresholds of a replay hold. How they are written: scenarios/load.py.

A figure that was never measured holds nothing.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scenarios.load import LAG, Threshold, parse

SIGNS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}

Figures = Mapping[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """A threshold, what was measured, and whether it holds."""

    text: str
    value: float | int | None
    held: bool


def of_the_host(texts: Sequence[str]) -> tuple[str, ...]:
    """Those that judge the host: not the send lag, which is the sender's own. Raises
    ThresholdError."""
    return tuple(one.text for one in parse(texts) if one.metric != LAG)


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
