"""What must hold on every path of the support pool, asserted after every run.

Checks conservation, order, patience and work on the record alone, with the draws read again from
the cases: a second path, not the pool's own bookkeeping. Exact (no tolerance) except Little's law,
which sums floats. Raises AssertionError with the rule and the first case that breaks it. Seconds.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.support.attempts import ABANDONED, ANSWERED, Attempts
from sim.support.cases import CaseFile, Floats
from sim.support.integrals import open_integral
from sim.support.layout import Layout
from sim.support.rules import HOLD, RULES, counts_until, first_broken

LITTLE_RATIO: Final = 1e-9
Staffed: TypeAlias = tuple[tuple[float, tuple[int, ...]], ...]


def check(
    attempts: Attempts, *, cases: CaseFile, layout: Layout, staffed: Staffed, end_s: float
) -> None:
    """All invariants of a run that ended at `end_s`."""
    _hold_attempt_by_attempt(attempts, cases, layout, end_s)
    _never_more_than_slots(attempts, layout, staffed)
    _obey_littles_law(attempts, end_s)


def _hold_attempt_by_attempt(
    attempts: Attempts, cases: CaseFile, layout: Layout, end_s: float
) -> None:
    """What rules.py says of attempts. Raises with the first one that breaks a rule."""
    line = attempts.priority.astype(np.int64) * layout.queues_count + attempts.queue
    rule, i = first_broken(
        attempts.case_row,
        attempts.attempt,
        attempts.kind,
        attempts.outcome,
        attempts.team,
        attempts.arrived_s,
        attempts.answered_s,
        attempts.ended_s,
        attempts.patience_s,
        attempts.followed,
        line,
        cases.records[: cases.rows_count],
        layout.lines_count,
        float(end_s),
    )
    if rule != HOLD:
        raise AssertionError(
            f"{RULES[rule]}: broken by attempt {attempts.attempt[i]} of case "
            f"{attempts.case_id[i]}, which arrived at {attempts.arrived_s[i]} s"
        )


def _never_more_than_slots(attempts: Attempts, layout: Layout, staffed: Staffed) -> None:
    """No start beyond slots or reserve; nobody waits while an agent who may serve is idle."""
    if not staffed:
        assert not (attempts.outcome == ANSWERED).any(), "no answer without staff"
        return
    staffed_s = np.array([at_s for at_s, _ in staffed])
    slots_by_time = np.array([slots for _, slots in staffed])

    def slots_at(ordered_s: Floats, team: int) -> NDArray[np.int64]:
        """Slots of a team at times in order, none of them before the first staffing."""
        starts = np.searchsorted(ordered_s, staffed_s, side="left")
        return np.repeat(slots_by_time[:, team], np.diff(starts, append=len(ordered_s)))

    waited = ~(attempts.answered_s == attempts.arrived_s) & (attempts.patience_s > 0.0)
    waited_queue, waited_s = attempts.queue[waited], attempts.arrived_s[waited]
    waited_by_queue_s = [waited_s[waited_queue == queue] for queue in range(layout.queues_count)]
    for team, plan in enumerate(layout.teams):
        mine = attempts.team == team
        starts_s = np.sort(attempts.answered_s[mine])
        ends_s = np.sort(attempts.ended_s[mine])  # NaN, contacts in hand, sort to the end

        in_hand = np.arange(1, len(starts_s) + 1) - counts_until(ends_s, starts_s)
        slots = slots_at(starts_s, team)
        assert (in_hand <= slots).all(), f"team {plan.name} has more contacts in hand than slots"
        for queue in (plan.first, *plan.further):
            at_s = waited_by_queue_s[queue]
            in_hand = counts_until(starts_s, at_s) - counts_until(ends_s, at_s)
            slots = slots_at(at_s, team)
            reserve = np.floor(plan.overflow_reserve_ratio * slots)
            idle = slots - in_hand > (0 if queue == plan.first else reserve)
            assert not idle.any(), f"team {plan.name} is idle while queue {queue} waits"


def _obey_littles_law(attempts: Attempts, end_s: float) -> None:
    """Sum of waits = integral of the queue length, of handle times = of busy slots."""
    intervals_count = 16
    answered_s, ended_s = attempts.answered_s, attempts.ended_s
    left_s = np.where(attempts.outcome == ABANDONED, ended_s, answered_s)
    for name, start_s, stop_s in (
        ("waits", attempts.arrived_s, left_s),
        ("handle times", answered_s, ended_s),
    ):
        happened = start_s < end_s
        from_s = start_s[happened]
        until_s = np.fmin(stop_s[happened], end_s)
        integral = open_integral(
            group=np.zeros(len(from_s), dtype=np.int64),
            groups_count=1,
            start_s=from_s,
            end_s=until_s,
            interval_s=end_s / intervals_count,
            intervals_count=intervals_count,
        ).sum()
        total = (until_s - from_s).sum()
        assert abs(integral - total) <= LITTLE_RATIO * max(total, 1.0), f"Little's law for {name}"
