"""What `springpeak fit` says of logs, options and places that it cannot use, or only in part."""

import gzip
import json
import tomllib
from pathlib import Path

import pytest

from sim.fit.events import CLAIMS, ORDERS, read_events
from sim.fit.instants import Clock
from sim.fit.logs import Reading, read
from sim.fit.problems import LogError
from tests.log_cases import Truth, frame, write
from tests.test_cli import springpeak_says

WAY = Reading({}, Clock())


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of one day."""
    return write(tmp_path_factory.mktemp("log") / "day.csv", Truth(), days=1, seed=5)


def lines_of(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_file_counts_once(day: Path) -> None:
    with pytest.raises(LogError, match=r"day.csv: is given twice; each file counts once"):
        read([day, day.parent / "." / day.name], WAY)


def test_rows_in_two_files_are_told_from_wrong_columns(day: Path, tmp_path: Path) -> None:
    packed = tmp_path / "day.csv.gz"
    packed.write_bytes(gzip.compress(day.read_bytes()))
    with pytest.raises(LogError, match="are rows in two files"):
        read([day, packed], WAY)


def test_files_that_are_none_are_named(day: Path, tmp_path: Path) -> None:
    with pytest.raises(LogError, match="is a folder; name the files in it"):
        read([tmp_path], WAY)
    whole = bytearray(gzip.compress(day.read_bytes()))
    whole[200:260] = bytes(60)
    (tmp_path / "bad.csv.gz").write_bytes(bytes(whole))
    with pytest.raises(LogError, match=r"bad.csv.gz: the compressed file is damaged"):
        read([tmp_path / "bad.csv.gz"], WAY)


def test_a_column_that_is_mapped_and_not_there_is_refused(day: Path) -> None:
    with pytest.raises(LogError, match=r"no column 'who' .*; map it with --column agent=NAME"):
        read([day], Reading({"agent": "who"}, Clock()))


def test_the_missing_column_is_the_one_to_map(day: Path, tmp_path: Path) -> None:
    text = day.read_text(encoding="utf-8").replace("outcome", "result", 1)
    bare = lines_of(tmp_path / "log.csv", text.splitlines())
    with pytest.raises(LogError, match=r"no column 'outcome' .*--column outcome=NAME"):
        read([bare], WAY)


@pytest.mark.parametrize("name", ["there.toml", "missing/x.toml", "x.json"])
def test_where_no_overlay_can_be_is_said_before_anything_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "there.toml").mkdir()
    said = springpeak_says("fit", "orders", "none.csv", "-o", str(tmp_path / name))
    assert said.status == 2
    assert "should be a .toml file in a folder that exists" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["there.toml"]


@pytest.mark.parametrize("command", ["contacts", "orders"])
def test_an_overlay_that_cannot_be_written_is_named(
    command: str, day: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ["hotel,2026-03-01T09:00"] * 40
    orders = lines_of(tmp_path / "orders.csv", ["category,due_at", *rows])
    folder = tmp_path / "out"
    folder.mkdir()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    log = day if command == "contacts" else orders
    said = springpeak_says("fit", command, str(log), "-o", str(folder / "x.toml"))
    assert said.status == 2
    assert "x.json: cannot be written (No space left on device)" in said.err
    assert list(folder.iterdir()) == []


def test_two_outcomes_of_one_name_are_refused(day: Path, tmp_path: Path) -> None:
    said = springpeak_says(
        "fit", "contacts", str(day), "-o", str(tmp_path / "x.toml"), "--answered", "abandoned"
    )
    assert said.status == 2
    assert "--answered and --abandoned are both 'abandoned'" in said.err


def test_what_one_day_cannot_tell_is_left_to_the_scenario(day: Path, tmp_path: Path) -> None:
    out = tmp_path / "day.toml"
    said = springpeak_says("fit", "contacts", str(day), "-o", str(out))
    assert said.status == 0, said.err
    assert "nan" not in said.out
    assert "too few weekdays come twice" in said.out
    assert "demand" not in tomllib.loads(out.read_text(encoding="utf-8"))
    beside = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert beside["estimates"]["availability_ratio"]["high"] is None
    assert all(set(one) == set(beside["overlay"]) for one in beside["bootstrap"])


def test_contacts_that_nobody_hung_up_and_agents_that_nobody_named(tmp_path: Path) -> None:
    log = frame(Truth(per_day=200.0), days=1, seed=6).drop("agent")
    rows = log.write_csv().splitlines()
    cells = next(row for row in rows if row.endswith(",answered,c0")).split(",")
    rows.append(",".join(["x", *cells[1:5], "2026-03-09T09:00:00", *cells[6:]]))
    said = springpeak_says(
        "fit", "contacts", str(lines_of(tmp_path / "a.csv", rows)), "-o", str(tmp_path / "a.toml")
    )
    assert said.status == 0, said.err
    assert "longer than 60 min, as if nobody had hung up: 1; each counts as 60 min" in said.out
    assert "agents: none is named" in said.out
    assert "turn_mean_s" not in said.out, "nothing is known of turns"


def test_a_repeated_event_is_told_by_its_own_file(tmp_path: Path) -> None:
    head = "order_id,category,due_at"
    rows = [f"{n},hotel,2026-03-01T09:00:00" for n in range(60)]
    first = lines_of(tmp_path / "first.csv", [head, *rows[:30]])
    second = lines_of(tmp_path / "second.csv", [head, *rows[30:], rows[0]])
    found, aside = read_events([first, second], names=ORDERS, columns={}, clock=Clock())
    assert found.height == 60
    told = "second.csv: 1 rows set aside: order_id has come before (first: row 31)"
    assert aside.lines() == [told]


def test_events_that_contradict_themselves(tmp_path: Path) -> None:
    row = "2026-03-01T09:00:00"
    orders = lines_of(
        tmp_path / "orders.csv",
        ["category,due_at,incident", *[f"hotel,{row},no_room"] * 40, f"movie,{row},no_room"],
    )
    _, aside = read_events([orders], names=ORDERS, columns={}, clock=Clock())
    assert "only hotels sell rooms here (first: row 41)" in aside.lines()[0]
    claims = lines_of(
        tmp_path / "claims.csv",
        ["category,paid_at,paid_fen,recovered_fen,recovered_at", *[f"hotel,{row},500,0,"] * 40,
         f"hotel,{row},500,400,", f"hotel,{row},500,,{row}"],
    )  # fmt: skip
    _, aside = read_events([claims], names=CLAIMS, columns={}, clock=Clock())
    told = " | ".join(aside.lines())
    assert "recovered_fen is given, but recovered_at is missing (first: row 41)" in told
    assert "recovered_at is given, but recovered_fen is missing (first: row 42)" in told


def test_few_orders_draw_no_profile(tmp_path: Path) -> None:
    rows = [f"hotel,2026-03-01T{9 + n % 9:02d}:00:00" for n in range(30)]
    three = lines_of(tmp_path / "three.csv", ["category,due_at", *rows[:3]])
    out = tmp_path / "out.toml"
    said = springpeak_says("fit", "orders", str(three), "-o", str(out))
    assert said.status == 0, said.err
    assert "sets nothing: no key of a scenario has rows enough in this log" in said.out
    assert set(tomllib.loads(out.read_text(encoding="utf-8"))) == {"description"}
    enough = lines_of(tmp_path / "enough.csv", ["category,due_at", *rows])
    said = springpeak_says("fit", "orders", str(enough), "-o", str(out))
    assert "demand.hour_profile.hotel" in said.out, "what is set is printed"
    assert "24 values" in said.out


def test_withheld_numbers_that_count_as_one_caller_are_told_of(day: Path, tmp_path: Path) -> None:
    rows = [line.rpartition(",")[0] + ",withheld" for line in day.read_text("utf-8").splitlines()]
    log = lines_of(tmp_path / "log.csv", [day.read_text("utf-8").splitlines()[0], *rows[1:]])
    out = tmp_path / "fit.toml"
    said = springpeak_says("fit", "contacts", str(log), "-o", str(out))
    assert said.status == 0, said.err
    assert "one caller stands for 100.0% of contacts" in said.out
    draws = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))["bootstrap"]
    assert None not in draws[0]["consumers.inquiries.hour_profile"]
    assert "one caller" not in springpeak_says("fit", "contacts", str(day), "-o", str(out)).out
