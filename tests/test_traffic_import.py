"""Traces from web logs and tables: what is read, mapped, left out and counted."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from loadtests import trace
from loadtests.trace import TraceError
from loadtests.traffic.imported import columns_of, import_trace, rules_of
from tests.test_cli import springpeak_says

LOG = """\
10.0.0.1 - - [18/Feb/2026:18:00:01 +0800] "POST /orders HTTP/1.1" 201 12
10.0.0.2 - - [18/Feb/2026:18:00:01 +0800] "GET /orders/7 HTTP/1.1" 200 12
10.0.0.1 - - [18/Feb/2026:18:00:03 +0800] "GET /orders/9 HTTP/1.1" 200 12 "-" "curl"
no line of a log
10.0.0.1 - - [18/Feb/2026:18:00:04 +0800] "DELETE /orders/9 HTTP/1.1" 204 0
10.0.0.1 - - [18/Feb/2026:18:00:05 +0800] "DELETE /orders/9 HTTP/1.1" 404 0
10.0.0.3 - - [18/Feb/2026:18:00:06 +0800] "GET /logo.gif HTTP/1.1" 200 999
10.0.0.3 - - [18/Feb/2026:18:00:09 +0800] "HEAD / HTTP/1.1" 200 0
"""
RULES = rules_of(
    ["POST /orders=open_claim", "GET /orders/*=read_claim", "DELETE *=resolve_claim", "GET *=terms"]
)


def test_a_web_log_becomes_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(LOG)
    made = import_trace(path, rules=RULES, columns=columns_of(""))
    steps = made.trace.steps
    assert steps["operation"].to_list() == ["open_claim", "read_claim", "resolve_claim", "terms"]
    assert steps["depends_on"].to_list() == [-1, 0, 0, -1]
    # Whole seconds are spread over their second.
    seconds = ((steps["intended_ns"] - steps["intended_ns"][0]) / 1e9).round().to_list()
    assert all(abs(s - due) <= 1 for s, due in zip(seconds, [0, 2, 3, 5], strict=True))
    assert (steps["intended_ns"] % 1_000_000_000 != 0).all()
    # One broken line, HEAD without a rule, and two calls on claims that are not the client's.
    assert (made.unread_count, made.unmapped_count, made.orphans_count) == (1, 1, 2)
    assert trace.mistakes(steps) == []


def test_a_table_becomes_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "calls.tsv.gz"
    text = "at\tverb\turl\n2026-02-18T18:00:00.25Z\tGET\t/a\n2026-02-18T18:00:01.5Z\tGET\t/b\n"
    path.write_bytes(gzip.compress(text.encode()))
    columns = columns_of("time=at,operation=verb+url")
    steps = import_trace(path, rules={"GET /?": "terms"}, columns=columns).trace.steps
    assert steps["intended_ns"].diff().to_list() == [None, 1_250_000_000]
    path = tmp_path / "epochs.csv"
    path.write_text("time,operation\n807256800.5,browse\n807256801.75,browse\nsoon,browse\n")
    made = import_trace(path, rules={"browse": "budgets"}, columns=columns_of(""))
    assert made.trace.steps["intended_ns"].diff().to_list() == [None, 1_250_000_000]
    assert made.unread_count == 1


@pytest.mark.parametrize(
    ("name", "text", "options", "said"),
    [
        ("access.log", LOG, ("--map", "GET *"), "PATTERN=OPERATION"),
        ("access.log", LOG, ("--map", "GET *=browse"), "PATTERN=OPERATION"),
        ("access.log", LOG, (), "--map is missing"),
        ("access.log", LOG, ("--map", "PATCH *=terms"), "no rule names any call"),
        ("access.log", LOG, ("--map", "GET *=read_claim"), "that nobody opened"),
        ("access.log", "a\nb\n", ("--map", "*=terms"), "access.log:1: no time and call"),
        ("access.log", "", ("--map", "*=terms"), "cannot be read"),
        ("t.csv", "when,operation\n1,a\n", ("--map", "*=terms"), "has no column time, only when"),
        ("t.csv", "a\n1\n", ("--map", "*=terms", "--columns", "who=a"), "time=NAME"),
    ],
)
def test_what_cannot_be_imported_ends_with_status_2(
    name: str, text: str, options: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    path, out = tmp_path / name, tmp_path / "t.parquet"
    path.write_text(text)
    answer = springpeak_says("trace", "import", str(path), *options, "-o", str(out))
    assert answer.status == 2
    assert said in answer.err
    assert not out.exists()


def test_the_command_says_what_was_left_out(tmp_path: Path) -> None:
    path, out = tmp_path / "access.log", tmp_path / "t.parquet"
    path.write_text(LOG)
    options = [
        word for rule, operation in RULES.items() for word in ("--map", f"{rule}={operation}")
    ]
    said = springpeak_says("trace", "import", str(path), *options, "-o", str(out))
    assert said.status == 0, said
    assert "1 lines that cannot be read, 1 calls that no --map names, 2 calls on claims" in said.out
    assert trace.read(out).steps.height == 4
    with pytest.raises(TraceError, match="cannot be read"):
        import_trace(tmp_path / "none.log", rules=RULES, columns=columns_of(""))
    assert pl.read_parquet(out)["role"].to_list() == ["consumer", "agent", "agent", "consumer"]
