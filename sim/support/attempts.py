"""The record of the support pool: every attempt as a row of columns, and what became of cases.

Decides how attempts are kept, not what they mean (sim/support/service.py computes statistics).
Times in seconds from the horizon's start, NaN where it did not happen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scenarios.words import OUTCOMES
from sim.support.cases import ATTEMPT_COLUMNS, CaseFile, Floats
from sim.support.entries import RECORD_LENGTH, Record
from sim.support.key import ESCALATION, abandonments, answers, kind_of, row_of
from sim.support.layout import Layout

ANSWERED: Final = OUTCOMES.index("answered")
ABANDONED: Final = OUTCOMES.index("abandoned")
IN_SYSTEM: Final = OUTCOMES.index("in_system")
NO_TEAM: Final = -1


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


class AttemptLog:
    """Records in order of their end. `entries` grows by a packed record at a time, `raised` by an
    escalation's (case row, time)."""

    def __init__(self, file: CaseFile) -> None:
        self.entries = bytearray()
        self.raised: list[tuple[int, float]] = []
        self._file = file
        self._sealed: list[Floats] = []

    def _seal(self) -> Floats:
        """Moves the entries into a compact column block, and returns it."""
        block = np.frombuffer(bytes(self.entries), np.float64).reshape(-1, RECORD_LENGTH)
        self.entries.clear()
        self._sealed.append(block)
        return block

    def outcomes(self) -> Outcomes:
        """Cases that came to an end since the last call."""
        ended_s, _, key, team, _, _, next_delay_s = self._seal().T
        final = np.isinf(next_delay_s)
        keys = key.astype(np.int64)
        case_id = self._file.case_id.take(row_of(keys))
        escalated = kind_of(keys) == ESCALATION
        resolved = final & (team != NO_TEAM)
        given_up = final & (team == NO_TEAM)
        raised = np.array(self.raised, dtype=np.float64).reshape(-1, 2)
        self.raised.clear()
        return Outcomes(
            resolved_case_id=case_id[resolved],
            resolved_s=ended_s[resolved],
            resolved_escalated=escalated[resolved],
            given_up_case_id=case_id[given_up],
            given_up_s=ended_s[given_up],
            escalated_case_id=self._file.case_id.take(raised[:, 0].astype(np.int64)),
            escalated_s=raised[:, 1],
        )

    def attempts(self, still_open: Sequence[Record], layout: Layout) -> Attempts:
        """All records, with those of attempts still in the system, in order of arrival."""
        self._seal()
        still_open_block = np.array(still_open, dtype=np.float64).reshape(-1, RECORD_LENGTH)
        blocks = [*self._sealed, still_open_block]

        def column(number: int) -> Floats:
            return np.concatenate([block[:, number] for block in blocks])

        order = np.lexsort((column(2), column(4)))
        ended_s, key, team_number, arrived_s, answered_s, next_delay_s = (
            column(number).take(order) for number in (0, 2, 3, 4, 5, 6)
        )
        keys = key.astype(np.int64)
        row = row_of(keys)
        team = team_number.astype(np.int8)
        kind = kind_of(keys).astype(np.int8)
        before = abandonments(keys) + answers(keys)
        escalated = kind == ESCALATION
        answered = team != NO_TEAM
        ended = ~np.isnan(ended_s)
        followed = np.isfinite(next_delay_s)
        patience_s = self._file.patience_s[row, np.minimum(before, ATTEMPT_COLUMNS - 1)]
        line, topic = np.divmod(self._file.place.take(row), layout.topics_count)
        priority, queue = np.divmod(line, layout.queues_count)
        return Attempts(
            case_row=row,
            case_id=self._file.case_id.take(row),
            attempt=(before + 1).astype(np.int16),
            kind=kind,
            queue=np.where(escalated, layout.escalation_queue, queue).astype(np.int8),
            priority=np.where(escalated, 0, priority).astype(np.int8),
            topic=topic.astype(np.int8),
            arrived_s=arrived_s,
            answered_s=answered_s,
            ended_s=ended_s,
            outcome=np.where(answered, ANSWERED, np.where(ended, ABANDONED, IN_SYSTEM)).astype(
                np.int8
            ),
            team=team,
            patience_s=np.where(escalated, np.inf, patience_s),
            followed=followed,
            resolved=answered & ended & ~followed,
        )
