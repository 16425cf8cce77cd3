"""Reading logs: every row is used or counted with a reason; what cannot be read is refused."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sim.fit.instants import Clock
from sim.fit.logs import ContactLog, Reading, read
from sim.fit.problems import LogError

HEADER = "contact_id,queue,priority,arrived_at,answered_at,ended_at,outcome,agent,caller"
DAY = "2026-02-17T"


def row(number: int, start: str, answer: str, end: str, outcome: str) -> str:
    times = [f"{DAY}{time}" if time else "" for time in (start, answer, end)]
    return f"{number},A,1,{','.join(times)},{outcome},a{number % 3},c{number % 7}"


def sound(count: int, *, first: int = 1) -> list[str]:
    return [
        row(n, f"09:{n % 60:02d}:00", f"09:{n % 60:02d}:10", f"10:{n % 60:02d}:00", "answered")
        for n in range(first, first + count)
    ]


def log_of(path: Path, lines: list[str], *, zone: str | None = None) -> ContactLog:
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return read([path], Reading({}, Clock(zone)))


def test_rows_that_contradict_themselves_are_counted_with_their_reason(tmp_path: Path) -> None:
    bad = [
        row(201, "09:00:00", "09:00:10", "08:00:00", "answered"),
        row(202, "09:00:00", "", "09:01:00", ""),
        row(203, "09:00:00", "", "09:01:00", "lost"),
        row(204, "09:00:00", "", "09:01:00", "answered"),
        row(205, "09:00:00", "09:00:10", "09:01:00", "abandoned"),
        row(206, "09:00:00", "08:59:00", "09:01:00", "answered"),
        row(7, "09:00:00", "", "09:01:00", "abandoned"),
        "208,A,1,17.02.2026 09:00,,17.02.2026 09:01,abandoned,,",
        "209,A,1",
        row(210, "09:00:00", "", "09:01:00", "abandoned") + ",more",
        '211,"A,1,garbage',
    ]
    log = log_of(tmp_path / "log.csv", sound(110) + bad)
    assert len(log) == 110
    assert log.aside.total == len(bad)
    said = " | ".join(log.aside.lines())
    for reason in (
        "ended_at before arrived_at (first: row 111)",
        "outcome is missing (first: row 112)",
        "outcome is neither 'answered' nor 'abandoned' (first: row 113)",
        "answered, but answered_at is missing (first: row 114)",
        "abandoned, but answered_at is given (first: row 115)",
        "answered_at before arrived_at (first: row 116)",
        "contact_id has come before (first: row 117)",
        "arrived_at is no time that is understood",
        "arrived_at is missing (first: row 119)",
        "ended_at is missing (first: row 121)",
        "more fields than the header names (first: row 120)",
    ):
        assert reason in said


def test_a_log_that_is_mostly_unusable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="3 of 8 rows cannot be used"):
        log_of(tmp_path / "log.csv", sound(5) + ["x,,,,,,,,"] * 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (HEADER + "\n", "holds no rows"),
        ("a,b\n1,2\n", "no column 'arrived_at', 'ended_at', 'outcome' (it has a, b)"),
    ],
)
def test_files_without_a_log_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LogError) as error:
        read([path], Reading({}, Clock()))
    assert said in str(error.value)
    with pytest.raises(LogError, match="no such file"):
        read([tmp_path / "other.csv"], Reading({}, Clock()))


def test_one_log_in_three_formats(tmp_path: Path) -> None:
    lines = sound(40)
    plain = log_of(tmp_path / "log.csv", lines)
    text = "\n".join([HEADER, *lines]).replace(",", ";").replace("arrived_at", "Start")
    zipped = tmp_path / "log.csv.gz"
    zipped.write_bytes(gzip.compress(text.encode("utf-8-sig")))
    columns = [line.split(",") for line in lines]
    table = pl.DataFrame(columns, schema=HEADER.split(","), orient="row")
    table.write_parquet(tmp_path / "log.parquet")
    again = read([zipped], Reading({"arrived_at": "Start"}, Clock()))
    parquet = read([tmp_path / "log.parquet"], Reading({}, Clock()))
    for other in (again, parquet):
        for name in ("arrived_s", "answered_s", "ended_s", "queue", "agent"):
            np.testing.assert_array_equal(getattr(other, name), getattr(plain, name))
        first = [one.caller == one.caller[0] for one in (other, plain)]
        np.testing.assert_array_equal(*first)
    zipped.write_bytes(zipped.read_bytes()[:-20])
    with pytest.raises(LogError, match="damaged"):
        read([zipped], Reading({"arrived_at": "Start"}, Clock()))


def test_clocks_that_change(tmp_path: Path) -> None:
    def line(number: int, start: str, end: str) -> str:
        return f"{number},A,1,{start},,{end},abandoned,,"

    plain = [line(n, "2026-06-01T09:00:00", "2026-06-01T09:01:00") for n in range(20)]
    log = log_of(
        tmp_path / "log.csv",
        [
            *plain,
            line(30, "2026-10-25T02:50:00", "2026-10-25T02:10:00"),  # put back in between
            line(31, "2026-03-29T01:59:00", "2026-03-29T03:01:00"),  # put forward in between
            line(32, "2026-03-29T02:30:00", "2026-03-29T03:01:00"),  # shown by no clock
            line(33, "2026-06-01T07:00:00Z", "2026-06-01T09:01:00+02:00"),
        ],
        zone="Europe/Berlin",
    )
    assert sorted(set(log.wait_s.tolist())) == [60.0, 120.0, 1200.0]
    assert len(log) == 23
    assert "none that this zone's clocks show" in log.aside.lines()[0]
    assert log.hour[-1] == 2
    assert np.all(log.hour[log.wait_s == 60.0] == 9)
