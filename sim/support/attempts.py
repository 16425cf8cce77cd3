"""The record of the support pool: every attempt as a row of columns, and what became of cases.

Decides how attempts are kept, not what they mean (sim/support/service.py computes statistics).
Times in seconds from the horizon's start, NaN where it did not happen.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scenarios.words import ATTEMPT_KINDS, OUTCOMES
from sim.support.cases import Floats

ANSWERED: Final = OUTCOMES.index("answered")
ABANDONED: Final = OUTCOMES.index("abandoned")
IN_SYSTEM: Final = OUTCOMES.index("in_system")
FRESH: Final = ATTEMPT_KINDS.index("fresh")
REDIAL: Final = ATTEMPT_KINDS.index("redial")
RECONNECT: Final = ATTEMPT_KINDS.index("reconnect")
ESCALATION: Final = ATTEMPT_KINDS.index("escalation")
NO_TEAM: Final = -1

ATTEMPT_RECORD: Final = np.dtype(
    [
        ("arrived_s", np.float64),
        ("answered_s", np.float64),  # NaN if not answered
        ("ended_s", np.float64),  # NaN while waiting or in hand
        ("patience_s", np.float64),
        ("next_delay_s", np.float64),  # until the case comes back; inf = it does not
        ("row", np.int32),  # of the case
        ("behind", np.int32),  # the attempt that came behind it in its line
        ("kind", np.int8),
        ("abandonments", np.int8),  # of the case before the attempt
        ("answers", np.int8),
        ("queue", np.int8),
        ("priority", np.int8),
        ("topic", np.int8),
        ("team", np.int8),  # in hand or answered by; NO_TEAM = nobody so far
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class Attempts:
    """One row an attempt, in order of arrival; words as their position in the vocabulary."""

    case_row: NDArray[np.int64]  # position of the case among all cases ever offered
    case_id: NDArray[np.int64]
    attempt: NDArray[np.int16]  # number within the case, from 1
    kind: NDArray[np.int8]
    queue: NDArray[np.int8]
    priority: NDArray[np.int8]
    topic: NDArray[np.int8]
    arrived_s: Floats
    answered_s: Floats  # NaN if not answered
    ended_s: Floats  # NaN while waiting or in hand
    outcome: NDArray[np.int8]  # answered (also while in hand), abandoned, in_system (waiting)
    team: NDArray[np.int8]  # position in the layout, -1 = none
    patience_s: Floats
    followed: NDArray[np.bool_]  # the case comes back after it, be it after the horizon
    resolved: NDArray[np.bool_]  # answered, ended and not followed

    @classmethod
    def of(cls, records: NDArray[Any], case_ids: NDArray[np.int64]) -> "Attempts":
        """The columns of ATTEMPT_RECORDs; `case_ids` goes by case row."""
        row = records["row"].astype(np.int64)
        team = records["team"].copy()
        ended_s = records["ended_s"].copy()
        answered, ended = team != NO_TEAM, ~np.isnan(ended_s)
        followed = np.isfinite(records["next_delay_s"])
        outcome = np.where(ended, np.int8(ABANDONED), np.int8(IN_SYSTEM))
        outcome[answered] = ANSWERED
        return cls(
            case_row=row,
            case_id=case_ids.take(row),
            attempt=records["abandonments"] + records["answers"] + np.int16(1),
            kind=records["kind"].copy(),
            queue=records["queue"].copy(),
            priority=records["priority"].copy(),
            topic=records["topic"].copy(),
            arrived_s=records["arrived_s"].copy(),
            answered_s=records["answered_s"].copy(),
            ended_s=ended_s,
            outcome=outcome,
            team=team,
            patience_s=records["patience_s"].copy(),
            followed=followed,
            resolved=answered & ended & ~followed,
        )

    def __len__(self) -> int:
        return len(self.case_id)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Cases that came to an end since the last look, each list in time order."""

    resolved_case_id: NDArray[np.int64]
    resolved_s: Floats
    resolved_escalated: NDArray[np.bool_]
    given_up_case_id: NDArray[np.int64]
    given_up_s: Floats
    escalated_case_id: NDArray[np.int64]
    """Cases whose consumer gave up and goes over the floor's head."""
    escalated_s: Floats
    """When the escalation is raised; not in order, and maybe later than now."""
