"""What must hold on every path of the support pool, asserted after every run.

Checks conservation, order, patience and work on the record alone, with the draws read again from
the cases: a second path, not the pool's own bookkeeping. Exact (no tolerance) except Little's law,
which sums floats. Raises AssertionError with the rule and the first case that breaks it. Seconds.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from scenarios.words import ATTEMPT_KINDS
from sim.support.attempts import ABANDONED, ANSWERED, IN_SYSTEM, Attempts
from sim.support.cases import CaseFile, Floats
from sim.support.integrals import open_integral
from sim.support.key import ESCALATION, FRESH, RECONNECT, REDIAL
from sim.support.layout import PRIORITIES_COUNT, Layout

LITTLE_RATIO: Final = 1e-9
Bools: TypeAlias = NDArray[np.bool_]
Staffed: TypeAlias = tuple[tuple[float, tuple[int, ...]], ...]


def check(
    attempts: Attempts, *, cases: CaseFile, layout: Layout, staffed: Staffed, end_s: float
) -> None:
    """All invariants of a run that ended at `end_s`."""
    _hold_in_each_attempt(attempts)
    _hold_between_attempts(attempts, cases, end_s)
    _first_come_first_served(attempts, layout)
    _never_more_than_slots(attempts, layout, staffed)
    _obey_littles_law(attempts, end_s)


def _require(holds: Bools, rule: str, attempts: Attempts) -> None:
    if not holds.all():
        worst = int(np.argmin(holds))
        raise AssertionError(
            f"{rule}: broken by {int((~holds).sum())} attempts, the first of them case "
            f"{attempts.case_id[worst]}, attempt {attempts.attempt[worst]}, "
            f"which arrived at {attempts.arrived_s[worst]} s"
        )


def _hold_in_each_attempt(attempts: Attempts) -> None:
    """1, 5 and 6: outcomes partition; nobody leaves early or is answered too late."""
    answered = attempts.outcome == ANSWERED
    abandoned = attempts.outcome == ABANDONED
    waiting = attempts.outcome == IN_SYSTEM
    # A comparison with NaN is false, which is what is asked of those that did not happen.
    wait_s = attempts.answered_s - attempts.arrived_s
    _require(
        answered == (attempts.team >= 0), "an agent exactly where the outcome is answered", attempts
    )
    _require(np.isnan(attempts.ended_s) | ~waiting, "nobody who waits still has ended", attempts)
    _require(
        ~answered | ((wait_s >= 0.0) & (wait_s <= attempts.patience_s)),
        "answered after arrival and within the patience",
        attempts,
    )
    _require(
        ~answered | np.isnan(attempts.ended_s) | (attempts.ended_s >= attempts.answered_s),
        "handling ends after it starts",
        attempts,
    )
    _require(
        ~abandoned
        | (
            np.isnan(attempts.answered_s)
            & (attempts.ended_s == attempts.arrived_s + attempts.patience_s)
        ),
        "whoever abandons waits exactly the patience",
        attempts,
    )


def _hold_between_attempts(attempts: Attempts, cases: CaseFile, end_s: float) -> None:
    """6 and 7: the next attempt comes after exactly the drawn delay, and only if one was drawn."""
    # By case, then by number; a case has less than 2^15 attempts.
    order = np.argsort(attempts.case_row << 15 | attempts.attempt)
    row = attempts.case_row[order]
    first = np.r_[True, row[1:] != row[:-1]][: len(row)]
    kind = attempts.kind[order]
    abandoned = attempts.outcome[order] == ABANDONED
    answered = attempts.outcome[order] == ANSWERED
    ended_s = attempts.ended_s[order]
    number = attempts.attempt[order]
    starts = np.flatnonzero(first)
    lengths = np.diff(np.r_[starts, len(row)])
    assert np.array_equal(number, np.arange(len(row)) - np.repeat(starts, lengths) + 1), (
        "attempts of a case are numbered 1, 2, 3, ..."
    )
    assert np.array_equal(kind == FRESH, first), "exactly the first attempt of a case is fresh"
    total_abandoned = np.cumsum(abandoned)
    before = np.repeat((total_abandoned - abandoned)[starts], lengths)
    # Counts up to and including the previous attempt, for every attempt but the first.
    next_at = np.flatnonzero(~first)
    previous = next_at - 1
    abandons = (total_abandoned - before)[previous]
    answers = number[previous] - abandons
    for code, column, index, came_after in (
        (REDIAL, cases.redial_delay_s, abandons - 1, abandoned),
        (RECONNECT, cases.reconnect_delay_s, answers - 1, answered),
        (ESCALATION, cases.escalation_delay_s[:, np.newaxis], np.zeros_like(answers), abandoned),
    ):
        name = ATTEMPT_KINDS[code]
        chosen = kind[next_at] == code
        if not chosen.any():
            continue
        assert came_after[previous[chosen]].all(), f"{name}: comes after its cause"
        delay_s = column[row[next_at[chosen]], index[chosen]]
        arrived_s = attempts.arrived_s[order[next_at[chosen]]]
        assert np.array_equal(arrived_s, ended_s[previous[chosen]] + delay_s), (
            f"{name}: the next attempt comes after exactly the drawn delay"
        )
    followed = attempts.followed[order]
    assert not (followed & (kind == ESCALATION)).any(), "an escalation ends the case"
    assert followed[previous].all(), "a case that is resolved or given up never returns"
    assert not (ended_s > end_s).any(), "nothing ends after the horizon"


def _first_come_first_served(attempts: Attempts, layout: Layout) -> None:
    """4: within a line (queue x priority) answers come in the order of arrival."""
    served = attempts.outcome == ANSWERED
    line = attempts.priority.astype(np.int64) * layout.queues_count + attempts.queue
    for number in range(PRIORITIES_COUNT * layout.queues_count):
        answered_s = attempts.answered_s[served & (line == number)]
        assert (np.diff(answered_s) >= 0.0).all(), f"line {number} is served first come first"


def _never_more_than_slots(attempts: Attempts, layout: Layout, staffed: Staffed) -> None:
    """3: no start beyond slots or reserve; nobody waits while an agent who may serve is idle."""
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

        in_hand = np.arange(1, len(starts_s) + 1) - np.searchsorted(ends_s, starts_s, side="right")
        slots = slots_at(starts_s, team)
        assert (in_hand <= slots).all(), f"team {plan.name} has more contacts in hand than slots"
        for queue in (plan.first, *plan.further):
            at_s = waited_by_queue_s[queue]
            in_hand = np.searchsorted(starts_s, at_s, side="right") - np.searchsorted(
                ends_s, at_s, side="right"
            )
            slots = slots_at(at_s, team)
            reserve = np.floor(plan.overflow_reserve_ratio * slots)
            idle = slots - in_hand > (0 if queue == plan.first else reserve)
            assert not idle.any(), f"team {plan.name} is idle while queue {queue} waits"


def _obey_littles_law(attempts: Attempts, end_s: float) -> None:
    """2: sum of waits = integral of the queue length, of handle times = of busy slots."""
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
