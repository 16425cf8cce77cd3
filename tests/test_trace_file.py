"""The trace file: what is written is read back; what is wrong with a trace is all said at once."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from loadtests import trace
from tests.trace_cases import claim_steps, small_trace


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    made = replace(small_trace(amplification=2.5), thresholds=("failed_ratio <= 0", "a < 1"))
    trace.write(made, tmp_path / "t.parquet")
    again = trace.read(tmp_path / "t.parquet")
    assert again.steps.equals(made.steps)
    assert (again.source, again.window, again.amplification) == (made.source, made.window, 2.5)
    assert again.thresholds == made.thresholds
    assert again.duration_s == pytest.approx(2.9)
    assert again.counts() == {"open_claim": 10, "read_claim": 10, "resolve_claim": 10}
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_numbering_keeps_who_depends_on_whom() -> None:
    loose = pl.DataFrame(
        {
            "step": [70, 5, 9],
            "intended_ns": [30, 20, 10],
            "operation": ["resolve_claim", "read_claim", "open_claim"],
            "role": ["agent"] * 3,
            "target": [""] * 3,
            "body": [b"{}", b"", b"{}"],
            "key": ["c", "", "a"],
            "depends_on": [9, 9, -1],
            "shard_key": [4, 4, 4],
        }
    )
    steps = trace.numbered(loose)
    assert steps["operation"].to_list() == ["open_claim", "read_claim", "resolve_claim"]
    assert steps["step"].to_list() == [0, 1, 2]
    assert steps["depends_on"].to_list() == [-1, 0, 0]
    assert trace.mistakes(steps) == []


def test_everything_that_is_wrong_is_said() -> None:
    steps = claim_steps(2).with_columns(
        intended_ns=pl.Series([5, 4, 6, 7, 8, 9]),
        key=pl.Series(["a", "b", "a", "", "", "f"]),
        depends_on=pl.Series([-1, 0, 0, -1, 5, 1]),
        shard_key=pl.Series([0, 0, 0, 1, 1, 1]),
    )
    assert trace.mistakes(steps) == [
        "step 1: intended_ns lies before the step before it, or below 0 (1 steps)",
        "step 3: a write has no key (1 steps)",
        "step 1: a read has a key (1 steps)",
        "step 2: the key was used by an earlier step (1 steps)",
        "step 4: depends_on is no earlier step, or one where none is needed (1 steps)",
        "step 4: the step it depends on opens no claim (2 steps)",
        "step 5: the step it depends on has another shard_key (1 steps)",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": "2"}, "is a trace of version 2, this springpeak reads 1"),
        ({"format": "another"}, "is not a trace"),
    ],
)
def test_another_format_or_version_is_refused(
    change: dict[str, str], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.parquet"
    trace.write(small_trace(), path)
    told = pl.read_parquet_metadata(path) | change
    told.pop("ARROW:schema")
    small_trace().steps.write_parquet(path, metadata=told)
    with pytest.raises(trace.TraceError, match=said):
        trace.read(path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            claim_steps(2).drop("key").rename({"body": "content"}),
            "columns: body is missing (Binary); key is missing (String); content is none of a "
            "trace's",
        ),
        (
            claim_steps(2).cast({"step": pl.Int32, "operation": pl.String}),
            "columns: step is Int32 and should be Int64; operation is String and should be the "
            "Enum of operations",
        ),
    ],
)
def test_of_wrong_columns_only_these_are_said(changed: pl.DataFrame, said: str) -> None:
    (mistake,) = trace.mistakes(changed)
    assert mistake == said


def test_a_file_that_is_no_trace_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    for content in (b"", b"PAR1 no"):
        path.write_bytes(content)
        with pytest.raises(trace.TraceError, match="is no trace, or one that was cut off"):
            trace.read(path)
    whole = tmp_path / "whole.parquet"
    trace.write(small_trace(), whole)
    path.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(trace.TraceError, match="cut off"):
        trace.read(path)
    with pytest.raises(trace.TraceError, match="no such file"):
        trace.read(tmp_path / "none.parquet")
    with pytest.raises(trace.TraceError, match="is a folder: `springpeak trace`"):
        trace.read(tmp_path)
    with pytest.raises(trace.TraceError, match="cannot be written"):
        trace.write(small_trace(), tmp_path / "no" / "t.parquet")


def test_a_wrong_trace_is_not_written(tmp_path: Path) -> None:
    wrong = trace.Trace(claim_steps(2).reverse(), "test", "")
    with pytest.raises(trace.TraceError, match="step is not the row's number"):
        trace.write(wrong, tmp_path / "t.parquet")
    assert not list(tmp_path.iterdir())


def test_steps_of_a_consumer_go_out_under_one_identity() -> None:
    assert [trace.consumer_of(key) for key in (0, 999, 1000)] == [1, 1000, 1]
