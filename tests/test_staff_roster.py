"""Rosters: lawful, covered or priced, judged by a judge that finds planted breaches."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from scenarios.labour import STEP_H, Duties
from scenarios.scenario import Scenario
from sim.staffing import need as needs
from sim.staffing import planning, program
from sim.staffing.breaches import Breach, breaches
from sim.staffing.lines import lines
from sim.staffing.plan import Plan, Planner
from sim.staffing.proof import Proven
from sim.staffing.rolling import QUICK
from sim.staffing.shifts import SLOTS_PER_DAY
from sim.staffing.tables import lines_table, tables
from sim.staffing.trial import Trial
from sim.streams import Streams
from sim.support.roster import Roster
from springpeak import app
from tests.worlds import BASE, small

TWO_DAYS = ("horizon.first_day=1", "horizon.last_day=2")
NINE_DAYS = ("horizon.first_day=-2", "horizon.last_day=6")
HEADS = 75


@pytest.fixture(scope="module", autouse=True)
def short_search() -> Iterator[None]:
    """What is asserted holds for any solution, so the solver need not look long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "FULL", QUICK)
        yield


@pytest.fixture(scope="module")
def planner() -> Planner:
    return Planner(small(sets=TWO_DAYS))


@pytest.fixture(scope="module")
def need(planner: Planner) -> np.ndarray:
    """Heads by half hour and group: two in the night, up to six in the evening."""
    hours = np.arange(planner.days_count * SLOTS_PER_DAY) % SLOTS_PER_DAY / 2.0
    curve = 3.5 - 2.0 * np.cos((hours - 5.0) / 24.0 * 2.0 * np.pi)
    return np.rint(np.repeat(curve[:, None], 6, axis=1)).astype(np.int64)


@pytest.fixture(scope="module")
def plan(planner: Planner, need: np.ndarray) -> Plan:
    return planner.plan(need, heads_count=HEADS, effort=QUICK)


def at_desks(planner: Planner, heads: np.ndarray, slots_count: int) -> np.ndarray:
    total = np.zeros(slots_count)
    for column in np.flatnonzero(heads):
        total[planner.shifts.covers[column]] += heads[column]
    return total


def test_the_program_covers_or_names_what_it_does_not(
    planner: Planner, need: np.ndarray, plan: Plan
) -> None:
    roster = plan.roster
    total = at_desks(planner, roster.heads.sum(axis=1), len(need))
    assert (total + roster.uncovered.sum(axis=1) >= need.sum(axis=1) - 1e-6).all()
    assert roster.employed.sum() == HEADS
    assert roster.bound_fen <= roster.cost_fen * (1.0 + 1e-9)
    # Whoever helps serves one skill at a time: counted again from the heads alone, in an order of
    # its own, nothing is covered that the program leaves uncovered.
    assert planner.uncovered(roster.heads, need).sum() >= roster.uncovered.sum() - 1e-6


def test_equal_inputs_give_equal_rosters(planner: Planner, need: np.ndarray, plan: Plan) -> None:
    """Limits count work and the order of work is fixed, however busy the machine."""
    again = planner.plan(need, heads_count=HEADS, effort=QUICK)
    assert (again.roster.heads == plan.roster.heads).all()
    assert again.roster.cost_fen == plan.roster.cost_fen


def test_too_few_heads_are_priced_and_not_infeasible(planner: Planner, need: np.ndarray) -> None:
    fewest = planner.fewest_heads(need)
    scarce = planner.plan(need, heads_count=fewest // 2, effort=QUICK)
    assert scarce.roster.uncovered.sum() > 0
    assert scarce.uncovered.sum() > 0.0


def written(tmp_path: Path, planner: Planner, plan: Plan) -> pl.DataFrame:
    queues = np.ones((1, (planner.days_count - 1) * 96, 6), dtype=np.int32)
    shown = Trial(offered=queues, within=queues, metrics={})
    proven = Proven.of(plan, shown, target_ratio=np.full(6, 0.8), risk_ratio=0.95)
    table = tables(planner, proven)["lines"]
    table.write_csv(tmp_path / "lines.csv")
    return table


def judged(folder: Path, scenario: Scenario, *, heads_count: int) -> tuple[list[Breach], int]:
    support = scenario.support
    return breaches(
        folder / "lines.csv", support.labour, teams=support.teams, heads_count=heads_count
    )


def test_every_head_has_a_lawful_row(tmp_path: Path, planner: Planner, plan: Plan) -> None:
    table = written(tmp_path, planner, plan)
    assert judged(tmp_path, planner.scenario, heads_count=HEADS) == ([], HEADS)
    # Lines of work and roster say the same.
    assert table["start_h"].count() == plan.heads.sum() == sum(plan.duties.heads_count)


def test_nine_days_of_two_teams_are_dealt_whole_and_lawful(tmp_path: Path) -> None:
    """All rules bind over nine days: rest between shifts, days off, overtime, nights."""
    scenario = small(sets=NINE_DAYS)
    labour, nine = scenario.support.labour, Planner(scenario)
    two = program.Program(labour, nine.pay, nine.shifts, serves=[[0], [1]])
    hours = np.arange(nine.days_count * SLOTS_PER_DAY) % SLOTS_PER_DAY / 2.0
    curve = 30.0 - 24.0 * np.cos((hours - 4.0) / 24.0 * 2.0 * np.pi)
    need = np.rint(curve[:, None] * [1.0, 0.5]).astype(np.int64)
    roster = two.solve(need, heads_count=220, flexible_heads_max=0.0)
    assert 0.0 <= roster.gap_ratio < 0.05
    found = lines(roster, nine.shifts, labour, days_count=nine.days_count)
    assert len(found.open_shifts) <= 0.005 * roster.heads.sum()
    lines_table(nine, found).write_csv(tmp_path / "lines.csv")
    assert judged(tmp_path, scenario, heads_count=220) == ([], 220)


def dealt_by_hand(planner: Planner, marks: list[tuple[int, float, int, int]]) -> program.Roster:
    """Eight full-timers of the first team; so many of them on a day's shift from an hour."""
    shifts = planner.shifts
    heads = np.zeros((len(shifts), len(planner.teams)), dtype=np.int64)
    full = shifts.kind == shifts.kind_names.index("full")
    for day, start_h, overtime_h, count in marks:
        here = full & (shifts.day == day) & (shifts.start == round(start_h / STEP_H))
        heads[np.flatnonzero(here & (shifts.overtime_h == overtime_h))[0], 0] = count
    employed = np.zeros((len(shifts.kind_names), len(planner.teams)), dtype=np.int64)
    employed[shifts.kind_names.index("full"), 0] = 8
    return program.Roster(heads, employed, np.zeros((1, 1)), 0.0, 0.0)


@pytest.mark.parametrize(
    ("marks", "open_count", "worked_count"),
    [
        ([(0, 22.0, 0, 2)], 0, 2),
        ([(0, 22.0, 0, 3)], 1, 2),  # a quarter of eight
        ([(0, 1.0, 0, 1), (0, 22.0, 0, 2)], 1, 2),
        # All end at 06:00 and are free from 17:00: a shift of 16:00 is put off by an hour.
        ([(0, 18.0, 3, 8), (1, 16.0, 0, 8)], 0, 16),
        # Two end at 11:00 and are free from 22:00: 20:00 is not put off into the night.
        ([(0, 23.0, 3, 2), (0, 6.0, 0, 6), (1, 5.5, 0, 2), (1, 20.0, 0, 6)], 2, 14),
    ],
)
def test_night_shifts_beyond_their_share_stay_open(
    planner: Planner,
    marks: list[tuple[int, float, int, int]],
    open_count: int,
    worked_count: int,
    tmp_path: Path,
) -> None:
    labour = planner.scenario.support.labour
    dealt = dealt_by_hand(planner, marks)
    found = lines(dealt, planner.shifts, labour, days_count=planner.days_count)
    assert len(found.open_shifts) == open_count
    assert (found.shift >= 0).sum() == worked_count
    lines_table(planner, found).write_csv(tmp_path / "lines.csv")
    assert judged(tmp_path, planner.scenario, heads_count=8) == ([], 8)


def test_breaks_are_within_their_window(planner: Planner, plan: Plan) -> None:
    shifts, labour = planner.shifts, planner.scenario.support.labour
    used = np.flatnonzero(plan.roster.heads.sum(axis=1))
    for column in used:
        kind = labour.kinds[shifts.kind_names[shifts.kind[column]]]
        at_h = shifts.break_start[column] * STEP_H
        assert not kind.break_h or kind.break_from_h <= at_h <= kind.break_to_h


def duties(*heads_counts: int) -> Duties:
    """Shifts of nine hours, one an hour from 09:00 on, the break after four hours."""
    count = len(heads_counts)
    return Duties(
        lunar_day=(1,) * count,
        team=("general_im",) * count,
        start_h=tuple(9.0 + row for row in range(count)),
        length_h=(9.0,) * count,
        break_start_h=(4.0,) * count,
        break_h=(1.0,) * count,
        overtime_h=(2.0,) * count,
        heads_count=heads_counts,
    )


def drawn(*heads_counts: int, **changes: float) -> tuple[Scenario, Roster]:
    values = small().model_dump()
    values["support"] |= {"duties": duties(*heads_counts).model_dump(), **changes}
    scenario = Scenario.model_validate(values)
    horizon = scenario.horizon
    return scenario, Roster.draw(
        scenario.support,
        calendar=scenario.calendar,
        horizon=horizon,
        streams=Streams(seed=1, replication=0),
        attendance_multiple_by_day=[1.0] * horizon.days_count,
    )


def test_an_explicit_roster_enters_the_simulation() -> None:
    scenario, roster = drawn(10, attendance_ratio=1.0, attendance_spread_ratio=0.0)
    team = roster.team_names.index("general_im")
    assert roster.heads_present.sum(axis=0)[team] == 10 * (9 + 2) * 4
    assert roster.heads_present.sum() == 10 * 11 * 4
    wage = scenario.support.wage
    hour_fen = wage.per_month_fen / wage.work_days_per_month / wage.work_h_per_day
    # 初二 is a statutory day: eight hours and two of overtime at 300 %.
    assert roster.wage_fen.sum() == pytest.approx(10 * 10 * 3.0 * hour_fen, rel=1e-3)


def test_more_heads_never_bring_fewer() -> None:
    slots = [drawn(count)[1].slots for count in (5, 10, 11, 40)]
    assert all((b >= a).all() for a, b in pairwise(slots))


def test_rosters_that_differ_by_a_head_miss_the_same_ones() -> None:
    """Heads come or not in the order in which they start: one head more in the middle moves every
    later shift's heads by one, and never more than one head at any time."""
    _, a = drawn(100, 80, 120, attendance_ratio=0.8)
    assert 0 < a.heads_present.max() < 300
    for heads_counts in ((100, 81, 120), (101, 80, 120), (100, 80, 121), (99, 81, 120)):
        _, b = drawn(*heads_counts, attendance_ratio=0.8)
        assert np.abs(b.heads_present - a.heads_present).max() <= 1


def test_a_cut_raises_what_missed_by_what_is_missing(need: np.ndarray) -> None:
    """Half hours far from the missed ones stay; the more often one missed, the more it gets."""
    need = 100 * need
    held = np.ones((40, len(need) * 2, 6), dtype=bool)
    held[:8, 100:140, 3] = False
    held[:20, 200:240, 3] = False
    raised, count = needs.cut(need, held, risk_ratio=0.95, cv=0.1, ticks_per_day=96)
    assert (raised >= need).all()
    assert count == (raised != need).sum() < len(need)
    assert (raised[:, [0, 1, 2, 4, 5]] == need[:, [0, 1, 2, 4, 5]]).all()
    often, seldom = raised[110, 3] / need[110, 3], raised[60, 3] / need[60, 3]
    assert often > seldom > 1.0
    # One in five missed, half a percent may (a tenth of the risk): 2.58 - 0.84 deviations of a
    # tenth and of chance.
    deviation = np.hypot(0.1, need[60, 3] ** -0.5)
    assert seldom - 1.0 == pytest.approx((2.5758 - 0.8416) * deviation, abs=1.0 / need[60, 3])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--set", "support.labour.kinds.long.work_h=12.0"), "longer than the law allows"),
        (("--set", "support.labour.kinds.full.work_h=12.0"), "11 h a day"),
        (("--set", "support.labour.kinds.long.overtime_max_h=2"), "longer than the law allows"),
        (("--set", "support.labour.kinds.part.overtime_max_h=4"), "4 h of overtime are more"),
        (("--set", "support.labour.kinds.full.work_h=7.75"), "support.labour.kinds.full.work_h"),
        (("--set", "support.labour.kinds.full.break_from_h=6.0"), "break must begin within"),
        (("--set", "support.labour.kinds.full.days_per_week_max_count=7"), "days_per_week_max"),
        (("--set", "support.labour.days_in_row_max_count=7"), "days_in_row_max_count"),
        (("--set", "support.labour.overtime_month_max_h=40.0"), "overtime_month_max_h"),
        (("--set", "support.labour.kinds.full.heads_max_ratio=0.5"), "must be open to all"),
        (("--set", "support.labour.rest_min_h=4.0"), "support.labour.rest_min_h"),
        (("--target", "80/20/10"), "is not a target"),
        (("--target", "speed>=3"), "no measure is called speed"),
        (("--target", "sl>=0.9", "--target", "sl<=0.5"), "contradict"),
        (("--risk", "1.5"), "--risk: 1.5 is no share of days between 0.5 and 0.999"),
        (("--actuals", "day.csv", "--now", "2026-05-01T10:00"), "2026-05-01"),
    ],
)
def test_bad_input_is_refused(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    out = tmp_path / "plan"
    said = CliRunner().invoke(app, ["staff", BASE, "--out", str(out), *options])
    assert said.exit_code == 2
    assert message in said.output
    assert not out.exists()
