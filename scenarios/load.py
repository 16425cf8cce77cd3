"""What a load test of the guarantee API must hold, as text such as "open_claim.p99_response_ms <=
250", and the words of that language: operations of a trace, figures of a replay.

Decides how a threshold is written, in a scenario, in a mapping and on the command line; not when it
holds (loadtests/thresholds.py), and nothing in the simulation depends on it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Final

from pydantic import Field, field_validator

from scenarios.model import Model

READS: Final = ("read_claim", "read_merchant", "terms", "budgets")
# A write carries a key, so that it can be repeated and be found again by the audit.
WRITES: Final = (
    "open_claim",
    "resolve_claim",
    "cancel",
    "alert",
    "report",
    "merchant_status",
    "merchant_status_bulk",
)
OPERATIONS: Final = (*READS, *WRITES)

PERCENTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999, "max": 1.0}
TIMES: Final = ("response", "service")
RATIOS: Final = ("failed_ratio", "unknown_ratio", "dropped_ratio")
LAG: Final = "send_lag_p99_ms"
METRICS: Final = (
    *(f"{name}_{time}_ms" for time in TIMES for name in PERCENTILES),
    *RATIOS,
    LAG,
)

_PATTERN: Final = re.compile(r"\s*(?:(\w+)\.)?(\w+)\s*(<=|>=|<|>)\s*([0-9.eE+-]+)\s*")


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


class Load(Model):
    """Load tests of the guarantee API."""

    thresholds: Annotated[tuple[str, ...], Field(strict=False)]
    """What a load test must hold, each "[OPERATION.]FIGURE <= NUMBER"; other thresholds on the
    command line take their place."""

    @field_validator("thresholds")
    @classmethod
    def _can_be_understood(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        try:
            parse(texts)
        except ThresholdError as error:
            raise ValueError("; ".join(str(error).splitlines())) from None
        return texts


def parse(texts: Sequence[str]) -> list[Threshold]:
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
