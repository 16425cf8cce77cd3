"""The rules of the floor: who is answered when and by which team, event by event, compiled.

Draws no random number and computes no statistic. What comes next is the earliest of the fresh
cases, which are in order, and of the agenda, a binary heap of (time, tag); tags put equal times in
order: ends before arrivals before lost patience (grant wins), equals by case, then by how far the
case has come. Rules: a free agent serves lines by priority, then by its team's preference, FCFS
within a line; a team takes a contact of a further queue only while more than its overflow reserve
is free; priorities are non-pre-emptive; contacts in hand are finished whatever becomes of slots.

The state is a few arrays that the pool owns (sim/support/state.py describes them); a function that
may need more room in them returns NEEDS_ROOM between two events and is called again. Times in
seconds on the grid of sim/support/cases.py.
"""

from math import inf, isnan, nan
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.compiled import compiled, part
from sim.support.attempts import ESCALATION, FRESH, NO_TEAM, RECONNECT, REDIAL
from sim.support.cases import ATTEMPT_COLUMNS, GRID_MAGIC, HORIZON_LIMIT_S

Table: TypeAlias = NDArray[Any]  # of records
Ints: TypeAlias = NDArray[np.int64]

# What an entry is, in the order of what happens at one instant.
END: Final = 0
ARRIVAL: Final = 1
PATIENCE: Final = 2

# Positions in `counts`.
OFFERED: Final = 0
BEGUN: Final = 1  # cases whose first attempt has arrived
ATTEMPTS: Final = 2
ENTRIES: Final = 3
ENDED: Final = 4  # and the next two: see the rows of `ended`
COUNTS: Final = 7

# Rows of `ended`: attempts that came to their end, by what the case did next.
RESOLVED: Final = 0
GIVEN_UP: Final = 1
ESCALATED: Final = 2

NOBODY: Final = -1
DONE: Final = 0
NEEDS_ROOM: Final = 1
MOST_PER_EVENT: Final = 2  # entries that one event adds


@part
def tag_of(what: int, row: int, kind: int, abandonments: int, answers: int) -> int:
    """what x 2^40 + case row x 2^8 + kind x 2^6 + abandonments so far x 2^3 + answers so far."""
    return what << 40 | row << 8 | kind << 6 | abandonments << 3 | answers


@part
def row_of(tag: int) -> int:
    """The case row in a tag."""
    return tag >> 8 & 0xFFFFFFFF


@part
def push(agenda: Table, counts: Ints, at_s: float, tag: int) -> None:
    """Puts an entry on the agenda."""
    at = counts[ENTRIES]
    counts[ENTRIES] = at + 1
    while at > 0:
        above = (at - 1) >> 1
        above_s = agenda[above]["at_s"]
        if above_s < at_s or (above_s == at_s and agenda[above]["tag"] <= tag):
            break
        agenda[at]["at_s"] = above_s
        agenda[at]["tag"] = agenda[above]["tag"]
        at = above
    agenda[at]["at_s"] = at_s
    agenda[at]["tag"] = tag


@part
def drop_first(agenda: Table, counts: Ints) -> None:
    """Takes the first entry off the agenda."""
    last = counts[ENTRIES] - 1
    counts[ENTRIES] = last
    at_s = agenda[last]["at_s"]
    tag = agenda[last]["tag"]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= last:
            break
        below_s = agenda[below]["at_s"]
        if below + 1 < last:
            other_s = agenda[below + 1]["at_s"]
            if other_s < below_s or (
                other_s == below_s and agenda[below + 1]["tag"] < agenda[below]["tag"]
            ):
                below += 1
                below_s = other_s
        if at_s < below_s or (at_s == below_s and tag <= agenda[below]["tag"]):
            break
        agenda[at]["at_s"] = below_s
        agenda[at]["tag"] = agenda[below]["tag"]
        at = below
    agenda[at]["at_s"] = at_s
    agenda[at]["tag"] = tag


@part
def may_serve(team: Any, queue: int) -> bool:
    """Whether a team has a slot for the queue."""
    return bool(team["free"] > (0 if team["first"] == queue else team["reserve"]))


@part
def wait(i: int, line: int, attempts: Table, lines: Table) -> None:
    """Puts attempt `i` at the end of a line."""
    if lines[line]["head"] == NOBODY:
        lines[line]["head"] = i
    else:
        attempts[lines[line]["tail"]]["behind"] = i
    lines[line]["tail"] = i
    lines[line]["waiting"] += 1


@part
def take(team: int, preferences: Ints, attempts: Table, teams: Table, lines: Table) -> int:
    """The attempt that a team's free agent serves now, out of its line; or NOBODY."""
    if teams[team]["free"] <= 0:
        return NOBODY
    for line in preferences[team]:
        if line == NOBODY:
            break
        if lines[line]["waiting"] > 0 and may_serve(teams[team], lines[line]["queue"]):
            lines[line]["waiting"] -= 1
            i = lines[line]["head"]
            while not isnan(attempts[i]["ended_s"]):  # has lost patience
                i = attempts[i]["behind"]
            lines[line]["head"] = attempts[i]["behind"]
            return int(i)
    return NOBODY


@part
def answer(
    at_s: float,
    i: int,
    team: int,
    cases: Table,
    attempts: Table,
    agenda: Table,
    teams: Table,
    factors: NDArray[np.float64],
    counts: Ints,
) -> None:
    """Puts attempt `i` in a team's hand."""
    attempt = attempts[i]
    row, answers = attempt["row"], attempt["answers"]
    if attempt["kind"] == ESCALATION:
        handle_s = cases[row]["escalation_handle_s"]
    else:
        handle_s = cases[row]["handle_s"][answers]
        attempt["next_delay_s"] = cases[row]["reconnect_delay_s"][answers]
    attempt["answered_s"] = at_s
    attempt["team"] = team
    teams[team]["free"] -= 1
    ends_s = (at_s + handle_s * factors[team, attempt["topic"]] + GRID_MAGIC) - GRID_MAGIC
    tag = tag_of(END, row, attempt["kind"], attempt["abandonments"], answers)
    push(agenda, counts, ends_s, tag)


@part
def begin(
    at_s: float, tag: int, escalation_queue: int, cases: Table, attempts: Table, counts: Ints
) -> int:
    """Opens the record of an attempt that arrives."""
    i = counts[ATTEMPTS]
    counts[ATTEMPTS] = i + 1
    row = row_of(tag)
    case, attempt = cases[row], attempts[i]
    case["attempt"] = i
    attempt["row"] = row
    attempt["kind"] = tag >> 6 & 3
    attempt["abandonments"] = tag >> 3 & 7
    attempt["answers"] = tag & 7
    attempt["topic"] = case["topic"]
    if attempt["kind"] == ESCALATION:
        attempt["queue"] = escalation_queue
        attempt["priority"] = 0
        attempt["patience_s"] = inf
    else:
        attempt["queue"] = case["queue"]
        attempt["priority"] = case["priority"]
        before = attempt["abandonments"] + attempt["answers"]
        attempt["patience_s"] = case["patience_s"][min(before, ATTEMPT_COLUMNS - 1)]
    attempt["arrived_s"] = at_s
    attempt["answered_s"] = nan
    attempt["ended_s"] = nan
    attempt["next_delay_s"] = inf
    attempt["team"] = NO_TEAM
    attempt["behind"] = NOBODY
    return int(i)


@part
def arrive(
    at_s: float,
    i: int,
    cases: Table,
    attempts: Table,
    agenda: Table,
    teams: Table,
    lines: Table,
    routes: Ints,
    factors: NDArray[np.float64],
    counts: Ints,
) -> None:
    """Finds attempt `i` an agent, or a place in its line."""
    attempt = attempts[i]
    queue = attempt["queue"]
    for team in routes[queue]:
        if team == NO_TEAM:
            break
        if may_serve(teams[team], queue):
            answer(at_s, i, team, cases, attempts, agenda, teams, factors, counts)
            return
    wait(i, attempt["priority"] * len(routes) + queue, attempts, lines)
    lost_s = at_s + attempt["patience_s"]
    if lost_s < HORIZON_LIMIT_S:
        tag = tag_of(
            PATIENCE,
            attempt["row"],
            attempt["kind"],
            attempt["abandonments"],
            attempt["answers"],
        )
        push(agenda, counts, lost_s, tag)


@part
def note_end(what: int, i: int, ended: NDArray[np.int32], counts: Ints) -> None:
    """Notes that attempt `i` ended so."""
    ended[what, counts[ENDED + what]] = i
    counts[ENDED + what] += 1


@part
def come_back(at_s: float, tag: int, agenda: Table, counts: Ints) -> None:
    """Puts the case's next attempt on the agenda."""
    if at_s < HORIZON_LIMIT_S:
        push(agenda, counts, at_s, tag)


@part
def finish(
    at_s: float,
    i: int,
    attempts: Table,
    agenda: Table,
    ended: NDArray[np.int32],
    teams: Table,
    counts: Ints,
) -> None:
    """Ends the handling of attempt `i`: the case comes back or is resolved, the agent is free."""
    attempt = attempts[i]
    attempt["ended_s"] = at_s
    teams[attempt["team"]]["free"] += 1
    delay_s = attempt["next_delay_s"]
    if delay_s == inf:
        note_end(RESOLVED, i, ended, counts)
    else:
        row, before = attempt["row"], attempt["abandonments"]
        tag = tag_of(ARRIVAL, row, RECONNECT, before, attempt["answers"] + 1)
        come_back(at_s + delay_s, tag, agenda, counts)


@part
def lose_patience(
    at_s: float,
    i: int,
    cases: Table,
    attempts: Table,
    agenda: Table,
    ended: NDArray[np.int32],
    lines: Table,
    queues_count: int,
    counts: Ints,
) -> None:
    """Attempt `i` abandons: redial, escalation, or gone for good."""
    attempt = attempts[i]
    row, before, answers = attempt["row"], attempt["abandonments"], attempt["answers"]
    attempt["ended_s"] = at_s
    lines[attempt["priority"] * queues_count + attempt["queue"]]["waiting"] -= 1
    delay_s = cases[row]["redial_delay_s"][before] if before < ATTEMPT_COLUMNS else inf
    kind = REDIAL
    if delay_s == inf:
        delay_s, kind = cases[row]["escalation_delay_s"], ESCALATION
        note_end(GIVEN_UP if delay_s == inf else ESCALATED, i, ended, counts)
    attempt["next_delay_s"] = delay_s
    come_back(at_s + delay_s, tag_of(ARRIVAL, row, kind, before + 1, answers), agenda, counts)


@part
def waits_still(tag: int, i: int, attempts: Table) -> bool:
    """Whether attempt `i` is the one that an entry means, and nobody has answered it."""
    attempt = attempts[i]
    same = attempt["abandonments"] == tag >> 3 & 7 and attempt["answers"] == tag & 7
    return bool(same and attempt["team"] == NO_TEAM)


@part
def has_room(attempts: Table, agenda: Table, ended: NDArray[np.int32], counts: Ints) -> bool:
    """Whether one more event finds room."""
    return bool(
        counts[ATTEMPTS] < len(attempts)
        and counts[ENTRIES] + MOST_PER_EVENT <= len(agenda)
        and counts[ENDED + RESOLVED] < ended.shape[1]
        and counts[ENDED + GIVEN_UP] < ended.shape[1]
        and counts[ENDED + ESCALATED] < ended.shape[1]
    )


@compiled
def walk(
    limit_s: float,
    escalation_queue: int,
    cases: Table,
    attempts: Table,
    agenda: Table,
    ended: NDArray[np.int32],
    teams: Table,
    lines: Table,
    routes: Ints,
    preferences: Ints,
    factors: NDArray[np.float64],
    counts: Ints,
) -> int:
    """Handles everything before a time."""
    while has_room(attempts, agenda, ended, counts):
        at_s, tag = inf, 0
        if counts[ENTRIES] > 0:
            at_s, tag = agenda[0]["at_s"], agenda[0]["tag"]
        row = counts[BEGUN]
        fresh = False
        if row < counts[OFFERED]:
            fresh_tag = tag_of(ARRIVAL, row, FRESH, 0, 0)
            arrived_s = cases[row]["arrived_s"]
            fresh = arrived_s < at_s or (arrived_s == at_s and fresh_tag < tag)
            if fresh:
                at_s, tag = arrived_s, fresh_tag
        if at_s >= limit_s:
            return DONE
        if fresh:
            counts[BEGUN] = row + 1
        else:
            drop_first(agenda, counts)
        what = tag >> 40
        if what == ARRIVAL:
            i = begin(at_s, tag, escalation_queue, cases, attempts, counts)
            arrive(at_s, i, cases, attempts, agenda, teams, lines, routes, factors, counts)
            continue
        i = cases[row_of(tag)]["attempt"]
        if what == END:
            finish(at_s, i, attempts, agenda, ended, teams, counts)
            team = attempts[i]["team"]
            i = take(team, preferences, attempts, teams, lines)
            if i != NOBODY:
                answer(at_s, i, team, cases, attempts, agenda, teams, factors, counts)
        elif waits_still(tag, i, attempts):
            lose_patience(at_s, i, cases, attempts, agenda, ended, lines, len(routes), counts)
    return NEEDS_ROOM


@compiled
def serve_waiting(
    at_s: float,
    cases: Table,
    attempts: Table,
    agenda: Table,
    teams: Table,
    lines: Table,
    preferences: Ints,
    factors: NDArray[np.float64],
    counts: Ints,
) -> int:
    """Gives every free agent what waits, team by team, after slots have changed."""
    for team in range(len(teams)):
        while True:
            if counts[ENTRIES] + MOST_PER_EVENT > len(agenda):
                return NEEDS_ROOM
            i = take(team, preferences, attempts, teams, lines)
            if i == NOBODY:
                break
            answer(at_s, i, team, cases, attempts, agenda, teams, factors, counts)
    return DONE
