"""What must hold for every attempt of a record and between those of a case, read in one pass.

Decides which rule the first offending attempt breaks. A second path, compiled for its speed: it
reads the record and the draws, and knows nothing of the pool's own bookkeeping. Exact: no
tolerance. Times in seconds.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.support.attempts import (
    ABANDONED,
    ANSWERED,
    ESCALATION,
    FRESH,
    IN_SYSTEM,
    RECONNECT,
    REDIAL,
)
from sim.support.cases import ATTEMPT_COLUMNS
from sim.support.compiled import compiled

RULES: Final = (
    "an agent exactly where the outcome is answered",
    "nobody who waits still has ended",
    "answered after arrival and within the patience",
    "handling ends after it starts",
    "whoever abandons waits exactly the patience",
    "nothing ends after the horizon",
    "within a line answers come in the order of arrival",
    "the first attempt of a case is number 1, fresh, and comes when the case does",
    "an escalation ends the case",
    "attempts of a case are numbered 1, 2, 3, ..., and only the first is fresh",
    "a case that is resolved, given up or escalated never returns",
    "the next attempt comes after its cause",
    "the next attempt comes after exactly the drawn delay",
)
HOLD: Final = -1


@compiled
def broken_alone(
    outcome: int,
    team: int,
    arrived_s: float,
    answered_s: float,
    ended_s: float,
    patience_s: float,
    end_s: float,
) -> int:
    """The first rule that an attempt breaks by itself: position in RULES, or HOLD."""
    ended, answered = not np.isnan(ended_s), outcome == ANSWERED
    if answered != (team >= 0):
        return 0
    if ended and outcome == IN_SYSTEM:
        return 1
    # A comparison with NaN is false, which is what is asked of what did not happen.
    if answered and not (0.0 <= answered_s - arrived_s <= patience_s):
        return 2
    if answered and ended and not ended_s >= answered_s:
        return 3
    if outcome == ABANDONED and not (np.isnan(answered_s) and ended_s == arrived_s + patience_s):
        return 4
    return 5 if ended_s > end_s else HOLD


@compiled
def drawn_delay_s(kind: int, case: Any, abandonments: int, answers: int) -> float:
    """What was drawn between the previous attempt's end and one of this kind; NaN if nothing."""
    if kind == REDIAL and 0 < abandonments <= ATTEMPT_COLUMNS:
        return float(case["redial_delay_s"][abandonments - 1])
    if kind == RECONNECT and 0 < answers <= ATTEMPT_COLUMNS:
        return float(case["reconnect_delay_s"][answers - 1])
    return float(case["escalation_delay_s"]) if kind == ESCALATION else np.nan


@compiled
def broken_by_return(
    i: int,
    before: int,
    number: NDArray[np.int16],
    kind: NDArray[np.int8],
    outcome: NDArray[np.int8],
    arrived_s: NDArray[np.float64],
    ended_s: NDArray[np.float64],
    followed: NDArray[np.bool_],
    case: Any,
    abandonments: int,
) -> int:
    """The first rule that attempt `i` breaks by coming after attempt `before` of its case."""
    if number[i] != number[before] + 1 or kind[i] == FRESH:
        return 9
    if not followed[before] or kind[before] == ESCALATION:
        return 10
    if outcome[before] != (ANSWERED if kind[i] == RECONNECT else ABANDONED):
        return 11
    delay_s = drawn_delay_s(kind[i], case, abandonments, number[before] - abandonments)
    return HOLD if arrived_s[i] == ended_s[before] + delay_s else 12


@compiled
def first_broken(
    row: NDArray[np.int64],
    number: NDArray[np.int16],
    kind: NDArray[np.int8],
    outcome: NDArray[np.int8],
    team: NDArray[np.int8],
    arrived_s: NDArray[np.float64],
    answered_s: NDArray[np.float64],
    ended_s: NDArray[np.float64],
    patience_s: NDArray[np.float64],
    followed: NDArray[np.bool_],
    line: NDArray[np.int64],
    cases: NDArray[Any],
    lines_count: int,
    end_s: float,
) -> tuple[int, int]:
    """The first rule broken (position in RULES) and by which attempt; HOLD if none is."""
    previous = np.full(len(cases), -1, dtype=np.int32)
    abandonments = np.zeros(len(cases), dtype=np.int8)
    served_s = np.full(lines_count, -np.inf)
    for i in range(len(row)):
        rule = broken_alone(
            outcome[i], team[i], arrived_s[i], answered_s[i], ended_s[i], patience_s[i], end_s
        )
        case, before = cases[row[i]], previous[row[i]]
        if rule == HOLD and outcome[i] == ANSWERED:
            rule = HOLD if answered_s[i] >= served_s[line[i]] else 6
            served_s[line[i]] = answered_s[i]
        if rule == HOLD and before < 0:
            first = number[i] == 1 and kind[i] == FRESH and arrived_s[i] == case["arrived_s"]
            rule = HOLD if first else 7
        elif rule == HOLD:
            gone = abandonments[row[i]]
            rule = broken_by_return(
                i, before, number, kind, outcome, arrived_s, ended_s, followed, case, gone
            )
        if rule == HOLD and kind[i] == ESCALATION and followed[i]:
            rule = 8
        if rule != HOLD:
            return rule, i
        previous[row[i]] = i
        abandonments[row[i]] += outcome[i] == ABANDONED
    return HOLD, HOLD


@compiled
def counts_until(times_s: NDArray[np.float64], at_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many of the times, in order and NaN last, are not after each moment, also in order."""
    found = np.empty(len(at_s), dtype=np.int64)
    count = 0
    for i in range(len(at_s)):
        while count < len(times_s) and times_s[count] <= at_s[i]:
            count += 1
        found[i] = count
    return found
