"""The judge of lines.csv: every rule is broken once, alone, and named with its head and day."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scenarios.labour import Labour
from scenarios.problems import ScenarioProblems
from scenarios.staff_tables import STAFF_TABLES
from sim.staffing.breaches import Rule, breaches
from tests.worlds import small

DAYS = range(-2, 7)
HEADS_COUNT = 10
Lines = dict[tuple[int, int], dict[str, Any]]
"""Rows by head and lunar day."""

DUTY = {
    "full": {"start_h": 9.0, "work_h": 8.0, "break_start_h": 4.0, "break_h": 1.0},
    "long": {"start_h": 9.0, "work_h": 10.0, "break_start_h": 5.0, "break_h": 1.0},
    "part": {"start_h": 9.0, "work_h": 4.0, "break_start_h": 0.0, "break_h": 0.0},
}
REST = dict.fromkeys(("start_h", "work_h", "break_start_h", "break_h", "overtime_h"))


def rules(**changes: Any) -> Labour:
    """The base scenario's rules; with 15 h of overtime before, seven days of three are the most."""
    return small().support.labour.model_copy(update={"overtime_used_h": 15.0, **changes})


def on_duty(kind: str, **changes: float) -> dict[str, Any]:
    return {**DUTY[kind], "overtime_h": 0.0, **changes}


def clean() -> Lines:
    """Ten heads over nine days, many at a limit: heads 7 and 8 by night, 9 long, 10 part-time."""
    rows: Lines = {}
    for head in range(1, HEADS_COUNT + 1):
        kind = {9: "long", 10: "part"}.get(head, "full")
        start_h = 22.0 if head in (7, 8) else 9.0
        for number, day in enumerate(DAYS):
            works = number % 7 < 4 if kind == "long" else number != 2 + head % 5
            duty = on_duty(kind, start_h=start_h) if works else REST
            rows[head, day] = {
                "head": str(head), "team": "general_im", "kind": kind, "lunar_day": day, **duty,
            }  # fmt: skip
    for day in DAYS[1:]:
        if rows[3, day]["start_h"] is not None:
            rows[3, day]["overtime_h"] = 3.0  # 36 h with those before
    rows[4, 0]["start_h"] = 13.0  # 11 h of rest before 09:00
    return rows


def judged(
    rows: Lines, path: Path, *, labour: Labour | None = None, heads_count: int = HEADS_COUNT
) -> list[tuple[Rule, str | None, int | None]]:
    schema = {one.name: getattr(pl, one.dtype) for one in STAFF_TABLES["lines"]}
    pl.DataFrame(list(rows.values()), schema=schema).write_csv(path / "lines.csv")
    teams = small().support.teams
    found, count = breaches(
        path / "lines.csv", labour or rules(), teams=teams, heads_count=heads_count
    )
    assert count == HEADS_COUNT
    return [(one.rule, one.head, one.lunar_day) for one in found]


def test_a_lawful_table_at_its_limits_has_no_breach(tmp_path: Path) -> None:
    assert judged(clean(), tmp_path) == []


def put(head: int, changes: Mapping[int, Mapping[str, Any]]) -> Callable[[Lines], None]:
    """Changes cells of a head, day by day."""

    def plant(rows: Lines) -> None:
        for day, cells in changes.items():
            rows[head, day] |= cells

    return plant


def again(head: int, day: int, **cells: Any) -> Callable[[Lines], None]:
    """A second row of a head on a day."""

    def plant(rows: Lines) -> None:
        rows[head, day + 100] = {**rows[head, day], **cells}

    return plant


def as_part_timer(rows: Lines) -> None:
    for day in DAYS:
        works = rows[6, day]["start_h"] is not None
        rows[6, day] |= {"kind": "part", **(on_duty("part") if works else {})}


def without(rows: Lines) -> None:
    del rows[1, 2]


PLANTED: list[tuple[Rule, str | None, int | None, Callable[[Lines], None]]] = [
    (Rule.ONE_ROW, "1", 2, without),
    (Rule.ONE_ROW, "1", 2, again(1, 2, **REST)),
    (Rule.ONE_ROW, "10", 2, again(10, 2, start_h=15.0)),
    (Rule.ONE_ROW, "10", 2, again(10, 2, start_h=10.0)),  # overlaps
    (Rule.KNOWN_KIND, "1", 2, put(1, {2: {"kind": "fulll"}})),
    (Rule.KNOWN_TEAM, "1", -2, put(1, {day: {"team": "nobody"} for day in DAYS})),
    (Rule.SAME_KIND, "1", 2, put(1, {2: {"kind": "part", **on_duty("part")}})),
    (Rule.SAME_TEAM, "1", 2, put(1, {2: {"team": "general_phone"}})),
    (Rule.HALF_HOUR, "1", 2, put(1, {2: {"start_h": 9.25}})),
    (Rule.HALF_HOUR, "1", 2, put(1, {2: {"overtime_h": 0.75}})),
    (Rule.HALF_HOUR, "1", 2, put(1, {2: {"break_start_h": 4.25}})),
    (Rule.HALF_HOUR, "7", 0, put(7, {0: {"start_h": 24.0}})),
    (Rule.WORK, "1", 2, put(1, {2: {"work_h": 8.5}})),
    (Rule.WORK, "10", 2, put(10, {2: {"work_h": 8.0}})),
    (Rule.BREAK_LENGTH, "1", 2, put(1, {2: {"break_h": 0.5}})),
    (Rule.BREAK_LENGTH, "1", 2, put(1, {2: {"break_h": 0.0, "break_start_h": 0.0}})),
    (Rule.BREAK_WINDOW, "1", 2, put(1, {2: {"break_start_h": 2.5}})),
    (Rule.BREAK_WINDOW, "9", 0, put(9, {0: {"break_start_h": 6.5}})),
    (Rule.OVERTIME_DAY, "1", 2, put(1, {2: {"work_h": 7.0, "overtime_h": 3.5}})),
    (Rule.OVERTIME_DAY, "9", 0, put(9, {0: {"overtime_h": 1.0}})),
    (Rule.OVERTIME_MONTH, "3", 6, put(3, {-2: {"overtime_h": 0.5}})),
    (Rule.REST, "4", 1, put(4, {1: {"start_h": 8.5}})),
    (Rule.REST, "8", 2, put(8, {1: {"overtime_h": 3.0}, 2: {"start_h": 20.5}})),
    (Rule.DAYS_IN_ROW, "1", 4, put(1, {1: on_duty("full"), 5: REST})),
    (Rule.DAYS_IN_SEVEN, "9", 2, put(9, {2: on_duty("long"), 5: REST, 6: REST})),
    (Rule.NIGHT_SHARE, None, 0, put(6, {0: {"start_h": 22.0}})),
    (Rule.NIGHT_SHARE, None, 0, put(6, {0: {"start_h": 5.5}})),
    (Rule.KIND_SHARE, None, None, as_part_timer),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "head", "day", "plant"), PLANTED, ids=[str(one[0]) for one in PLANTED]
)
def test_a_planted_breach_is_named_and_no_other(
    rule: Rule, head: str | None, day: int | None, plant: Callable[[Lines], None], tmp_path: Path
) -> None:
    rows = clean()
    plant(rows)
    assert judged(rows, tmp_path) == [(rule, head, day)]


def test_more_heads_than_there_are(tmp_path: Path) -> None:
    assert judged(clean(), tmp_path, heads_count=9) == [(Rule.HEADCOUNT, None, None)]


def test_the_law_holds_against_rules_that_allow_more(tmp_path: Path) -> None:
    """Rules that no scenario file could state: the judge has the law's own limits."""
    kinds = rules().kinds
    lax = rules(
        kinds=kinds | {"long": kinds["long"].model_copy(update={"overtime_max_h": 4})},
        overtime_month_max_h=99.0,
        days_in_row_max_count=9,
    )
    rows = clean()
    put(9, {0: {"overtime_h": 2.0}})(rows)
    put(3, {-2: {"overtime_h": 0.5}})(rows)
    put(1, {1: on_duty("full"), 5: REST})(rows)
    assert judged(rows, tmp_path, labour=lax) == [
        (Rule.DAYS_IN_ROW, "1", 4), (Rule.OVERTIME_MONTH, "3", 6), (Rule.DAY, "9", 0),
    ]  # fmt: skip


def test_every_rule_is_planted() -> None:
    elsewhere = {Rule.DAY, Rule.HEADCOUNT}
    assert {one[0] for one in PLANTED} | elsewhere == set(Rule)


def test_a_file_that_is_no_lines_csv_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"

    def said(text: str) -> str:
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ScenarioProblems) as caught:
            breaches(path, rules(), teams=(), heads_count=1)
        return str(caught.value)

    names = ",".join(one.name for one in STAFF_TABLES["lines"])
    assert "has no row" in said(f"{names}\n")
    assert "lines.csv:1: no column break_start_h" in said(names.replace("break_start_h,", ""))
    wrong = said(f"{names}\n1,general_im,full,first,9,8,4,1,0\n,general_im,full,1,,8,nan,1,0\n")
    assert 'lines.csv:2: lunar_day = "first"' in wrong
    assert "lines.csv:3: head" in wrong
    assert "lines.csv:3: start_h" in wrong
    assert 'lines.csv:3: break_start_h = "nan"' in wrong
    assert "as many cells" in said(f"{names}\n1,general_im\n")
    path.unlink()
    with pytest.raises(ScenarioProblems, match="No such file"):
        breaches(path, rules(), teams=(), heads_count=1)
