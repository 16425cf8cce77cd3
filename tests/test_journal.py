"""The journal: what is made of finished, missing and lost steps, and what is refused on reading."""

import json
import resource
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from loadtests import journal
from loadtests.journal import About, Clock, JournalError, Share
from loadtests.recorder import PARTS, PartFile, Recorder, part_paths, read_parts

PLAN = pl.DataFrame(
    {
        "step": [0, 1, 2, 3],
        "operation": ["open_claim", "terms", "alert", "terms"],
        "worker": [0, 1, 1, 0],
        "intended_ns": [0, 10, 30, 40],
        "key": ["k0", "", "k2", ""],
    }
)
ABOUT = About(
    planned_count=4,
    trace_digest="d",
    host="http://127.0.0.1",
    started_unix_ns=1,
    limits={"speed": 1.0},
    shares=(
        Share(worker=0, planned_count=2, host="there", clock=Clock(-1, 2, 3)),
        Share(worker=1, planned_count=2, lost_ns=25),
    ),
)


def part_of_worker_0(folder: Path) -> None:
    file = PartFile(folder, 0)
    recorder = Recorder(file.write)
    recorder.add((0, 0, 3, 8, 201, 0, "", "77", "approved", 500, 1))
    recorder.flush()
    recorder.add((3, 0, 3, 8, 201, 0, "", "77", "approved", 500, 1))
    recorder.flush()
    file.close()
    (part,) = part_paths(folder)
    part.write_bytes(part.read_bytes()[:-1])  # the process was killed while it wrote


def written(folder: Path) -> journal.Journal:
    part_of_worker_0(folder)
    return journal.read(journal.write(folder, PLAN, ABOUT, read_parts(folder).rows))


def test_every_planned_step_is_there_once_and_accounted_for(tmp_path: Path) -> None:
    found = written(tmp_path)
    assert found.about == ABOUT
    assert found.rows.columns == [column.name for column in journal.COLUMNS]
    assert found.rows["step"].to_list() == [0, 1, 2, 3]
    # Worker 1 was missed at 25 ns: what it had to send before then may have been sent.
    assert found.rows["outcome"].to_list() == ["ok", "unknown", "dropped", "dropped"]
    lost, not_reached = journal.WORKER_LOST, journal.NOT_REACHED
    assert found.rows["reason"].to_list() == ["", lost, lost, not_reached]
    first = found.rows.row(0, named=True)
    assert (first["response_ns"], first["service_ns"], first["answer_fen"]) == (8, 5, 500)


def test_a_journal_that_finds_no_room_is_not_there(tmp_path: Path) -> None:
    part_of_worker_0(tmp_path)
    seen = read_parts(tmp_path).rows
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        with pytest.raises(JournalError, match=f"{journal.FILE_NAME} cannot be written: "):
            journal.write(tmp_path, PLAN, ABOUT, seen)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [one.name for one in tmp_path.iterdir()] == [PARTS]
    found = journal.read(journal.write(tmp_path, PLAN, ABOUT, seen))
    assert found.rows["outcome"].to_list() == ["ok", "unknown", "dropped", "dropped"]


def test_a_journal_of_before_says_nothing_of_hosts_and_clocks(tmp_path: Path) -> None:
    found = written(tmp_path)
    path = tmp_path / journal.FILE_NAME
    metadata = pl.read_parquet_metadata(path)
    about = json.loads(metadata["about"])
    about["shares"] = [
        {name: one[name] for name in ("worker", "planned_count", "lost_ns")}
        for one in about["shares"]
    ]
    told = {name: metadata[name] for name in ("format", "version")}
    found.rows.write_parquet(path, metadata=told | {"about": json.dumps(about)})
    shares = tuple(Share(**one) for one in about["shares"])
    assert journal.read(tmp_path).about == replace(ABOUT, shares=shares)


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    PLAN.write_parquet(tmp_path / "plan.parquet")
    (tmp_path / "text").write_text("no")
    PLAN.write_parquet(
        tmp_path / "later.parquet", metadata={"format": journal.FORMAT, "version": "2"}
    )
    for name, said in (
        ("plan.parquet", "is no journal"),
        ("text", "can be read"),
        ("missing", "can be read"),
        ("later.parquet", "version 2, this one reads 1"),
    ):
        with pytest.raises(JournalError, match=said):
            journal.read(tmp_path / name)
