"""What must hold for every attempt of a record and between those of a case, read in one pass.

Decides which rule the first offending attempt breaks. A second path, compiled for its speed: it
reads the record and the draws, and knows nothing of the pool's own bookkeeping. Exact: no
tolerance. Times in seconds.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.compiled import compiled
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

HOLD: Final = -1  # no rule is broken
AGENT_IF_ANSWERED: Final = 0
WAITING_NOT_ENDED: Final = 1
ANSWERED_IN_PATIENCE: Final = 2
ENDS_AFTER_ANSWER: Final = 3
WAITS_ALL_PATIENCE: Final = 4
WITHIN_HORIZON: Final = 5
FIRST_COME_FIRST_SERVED: Final = 6
FIRST_IS_FRESH: Final = 7
ESCALATION_IS_LAST: Final = 8
NUMBERED_IN_TURN: Final = 9
RETURNS_IF_FOLLOWED: Final = 10
AFTER_ITS_CAUSE: Final = 11
AFTER_DRAWN_DELAY: Final = 12
RULES: Final = {
    AGENT_IF_ANSWERED: "an agent exactly where the outcome is answered",
    WAITING_NOT_ENDED: "nobody who waits still has ended",
    ANSWERED_IN_PATIENCE: "answered after arrival and within the patience",
    ENDS_AFTER_ANSWER: "handling ends after it starts",
    WAITS_ALL_PATIENCE: "whoever abandons waits exactly the patience",
    WITHIN_HORIZON: "nothing ends after the horizon",
    FIRST_COME_FIRST_SERVED: "within a line answers come in the order of arrival",
    FIRST_IS_FRESH: "the first attempt of a case is number 1, fresh, and comes when the case does",
    ESCALATION_IS_LAST: "an escalation ends the case",
    NUMBERED_IN_TURN: "attempts of a case are numbered 1, 2, 3, ..., and only the first is fresh",
    RETURNS_IF_FOLLOWED: "a case that is resolved, given up or escalated never returns",
    AFTER_ITS_CAUSE: "the next attempt comes after its cause",
    AFTER_DRAWN_DELAY: "the next attempt comes after exactly the drawn delay",
}


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
    """The first rule that an attempt breaks by itself: key of RULES, or HOLD."""
    ended, answered = not np.isnan(ended_s), outcome == ANSWERED
    if answered != (team >= 0):
        return AGENT_IF_ANSWERED
    if ended and outcome == IN_SYSTEM:
        return WAITING_NOT_ENDED
    # A comparison with NaN is false, which is what is asked of what did not happen.
    if answered and not (0.0 <= answered_s - arrived_s <= patience_s):
        return ANSWERED_IN_PATIENCE
    if answered and ended and not ended_s >= answered_s:
        return ENDS_AFTER_ANSWER
    if outcome == ABANDONED and not (np.isnan(answered_s) and ended_s == arrived_s + patience_s):
        return WAITS_ALL_PATIENCE
    return WITHIN_HORIZON if ended_s > end_s else HOLD


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
        return NUMBERED_IN_TURN
    if not followed[before] or kind[before] == ESCALATION:
        return RETURNS_IF_FOLLOWED
    if outcome[before] != (ANSWERED if kind[i] == RECONNECT else ABANDONED):
        return AFTER_ITS_CAUSE
    delay_s = drawn_delay_s(kind[i], case, abandonments, number[before] - abandonments)
    return HOLD if arrived_s[i] == ended_s[before] + delay_s else AFTER_DRAWN_DELAY


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
    """The first rule broken (key of RULES) and by which attempt; HOLD if none is."""
    previous = np.full(len(cases), -1, dtype=np.int32)
    abandonments = np.zeros(len(cases), dtype=np.int8)
    served_s = np.full(lines_count, -np.inf)
    for i in range(len(row)):
        rule = broken_alone(
            outcome[i], team[i], arrived_s[i], answered_s[i], ended_s[i], patience_s[i], end_s
        )
        case, before = cases[row[i]], previous[row[i]]
        if rule == HOLD and outcome[i] == ANSWERED:
            in_order = answered_s[i] >= served_s[line[i]]
            rule = HOLD if in_order else FIRST_COME_FIRST_SERVED
            served_s[line[i]] = answered_s[i]
        if rule == HOLD and before < 0:
            first = number[i] == 1 and kind[i] == FRESH and arrived_s[i] == case["arrived_s"]
            rule = HOLD if first else FIRST_IS_FRESH
        elif rule == HOLD:
            gone = abandonments[row[i]]
            rule = broken_by_return(
                i, before, number, kind, outcome, arrived_s, ended_s, followed, case, gone
            )
        if rule == HOLD and kind[i] == ESCALATION and followed[i]:
            rule = ESCALATION_IS_LAST
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
