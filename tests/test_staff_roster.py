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
from sim.staffing import program, rolling
from sim.staffing.breaches import breaches
from sim.staffing.lines import lines
from sim.staffing.plan import Plan, Planner
from sim.staffing.proof import Proven
from sim.staffing.shifts import SLOTS_PER_DAY
from sim.staffing.tables import tables
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
        patch.setattr(program, "PASSES_COUNT", 0)
        patch.setattr(rolling, "SHARES", (0.5,))
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
    return planner.plan(need, heads_count=HEADS)


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


def test_too_few_heads_are_priced_and_not_infeasible(planner: Planner, need: np.ndarray) -> None:
    fewest = planner.fewest_heads(need)
    scarce = planner.plan(need, heads_count=fewest // 2)
    assert scarce.roster.uncovered.sum() > 0
    assert scarce.uncovered.sum() > 0.0


def written(tmp_path: Path, planner: Planner, plan: Plan) -> pl.DataFrame:
    queues = np.ones((1, (planner.days_count - 1) * 96, 6), dtype=np.int32)
    shown = Trial(offered=queues, within=queues, metrics={})
    proven = Proven.of(plan, shown, target_ratio=np.full(6, 0.8), risk_ratio=0.95)
    table = tables(planner, proven)["lines"]
    table.write_csv(tmp_path / "lines.csv")
    return table


def test_every_head_has_a_lawful_row(tmp_path: Path, planner: Planner, plan: Plan) -> None:
    table = written(tmp_path, planner, plan)
    found, heads_count = breaches(tmp_path / "lines.csv", planner.scenario.support.labour)
    assert not found
    assert heads_count == HEADS
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
    heads, days = np.nonzero(found.shift >= 0)
    columns, shifts = found.shift[heads, days], nine.shifts
    kinds = [labour.kinds[name] for name in shifts.kind_names]
    pl.DataFrame(
        {
            "head": heads,
            "team": found.team[heads],
            "kind": [shifts.kind_names[kind] for kind in shifts.kind[columns]],
            "lunar_day": shifts.day[columns],
            "start_h": shifts.start[columns] * STEP_H,
            "work_h": [kinds[kind].work_h for kind in shifts.kind[columns]],
            "break_h": [kinds[kind].break_h for kind in shifts.kind[columns]],
            "overtime_h": shifts.overtime_h[columns].astype(float),
        }
    ).write_csv(tmp_path / "lines.csv")
    assert breaches(tmp_path / "lines.csv", labour)[0] == []


def test_breaks_are_within_their_window(planner: Planner, plan: Plan) -> None:
    shifts, labour = planner.shifts, planner.scenario.support.labour
    used = np.flatnonzero(plan.roster.heads.sum(axis=1))
    for column in used:
        kind = labour.kinds[shifts.kind_names[shifts.kind[column]]]
        at_h = shifts.break_start[column] * STEP_H
        assert not kind.break_h or kind.break_from_h <= at_h <= kind.break_to_h


WORK = {"kind": "full", "team": "general_im", "start_h": 9.0, "work_h": 8.0}
PLANTED = {
    "h of rest": [(0, {"start_h": 16.0}), (1, {"start_h": 9.0})],
    "days in a row": [(day, {}) for day in range(7)],
    "days of work in seven": [(day, {"kind": "long", "work_h": 10.0}) for day in (0, 1, 3, 4, 6)],
    "h of overtime on one day": [(0, {"overtime_h": 4.0})],
    "h on one day": [(0, {"overtime_h": 4.0})],
    "h of overtime in the month": [(2 * day, {"overtime_h": 3.0}) for day in range(9)],
    "second team": [(0, {}), (2, {"team": "general_phone"})],
    "two shifts on one day": [(0, {"start_h": 0.0}), (0, {"start_h": 20.0})],
    "are no shift of kind": [(0, {"work_h": 9.0})],
}


@pytest.mark.parametrize("rule", PLANTED)
def test_the_judge_finds_planted_breaches(tmp_path: Path, rule: str) -> None:
    rows = [
        {"head": "1", "break_h": 1.0, "overtime_h": 0.0, **WORK, "lunar_day": day, **changes}
        for day, changes in PLANTED[rule]
    ]
    pl.DataFrame(rows).write_csv(tmp_path / "lines.csv")
    found, _ = breaches(tmp_path / "lines.csv", small().support.labour)
    assert any(rule in str(one) for one in found)


def duties(heads_count: int) -> Duties:
    return Duties(
        lunar_day=(1,),
        team=("general_im",),
        start_h=(9.0,),
        length_h=(9.0,),
        break_start_h=(4.0,),
        break_h=(1.0,),
        overtime_h=(2.0,),
        heads_count=(heads_count,),
    )


def drawn(heads_count: int, **changes: float) -> tuple[Scenario, Roster]:
    values = small().model_dump()
    values["support"] |= {"duties": duties(heads_count).model_dump(), **changes}
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
    # One in five missed, half a percent may: 2.58 - 0.84 deviations of a tenth and of chance.
    deviation = np.hypot(0.1, need[60, 3] ** -0.5)
    assert seldom - 1.0 == pytest.approx((2.5758 - 0.8416) * deviation, abs=1.0 / need[60, 3])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--set", "support.labour.kinds.long.work_h=12.0"), "longer than the law allows"),
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
