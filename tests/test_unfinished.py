"""A replay that was killed: its journal, made of its parts, says nothing that is not so.

One replay against the real API is killed for all tests while the API stands still, so that requests
are under way; the API then carries them out, and nobody is told.
"""

import json
import os
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest

from loadtests import journal, recorder, summary, tokenfile, trace, unfinished
from loadtests.audit.books import Target
from loadtests.guarantee_api.tokens import issue_all
from loadtests.journal import JournalError
from loadtests.recorder import PARTS, part_paths, read_reach
from loadtests.unfinished import CUT_SHORT, RESTARTED, recover
from tests.api_cases import NOON_S, SECRET
from tests.api_server import server
from tests.replay_cases import MS
from tests.replay_processes import started, target, written
from tests.test_cli import Said, springpeak_says
from tests.trace_cases import claim_steps

TOKENS = issue_all(SECRET, expires_s=int(NOON_S) + 3600)
STEPS_COUNT = 7500
"""In half a minute, of which the first seconds are sent."""
BOUND_S = 120.0


@dataclass(frozen=True)
class Killed:
    """What a killed replay left, and the API that it was sent to."""

    out: Path
    trace_path: Path
    host: tuple[str, ...]
    """Where the API is, as options."""
    at_work: list[Said]
    """What audit, report and another replay said while it was at work."""

    @property
    def url(self) -> str:
        return self.host[1]

    def copy(self, folder: Path) -> Path:
        """The folder, for one test to change."""
        return Path(shutil.copytree(self.out, folder / "out"))

    def audit(self, out: Path) -> Said:
        more = ("--trace", str(self.trace_path), "--repeat", "20", "--json")
        return springpeak_says("audit", str(out), *self.host, *more)


def until(there: Callable[[], bool]) -> None:
    """Wait for it, with a bound."""
    ends_s = time.monotonic() + BOUND_S
    while not there():
        assert time.monotonic() < ends_s
        time.sleep(0.01)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    folder = tmp_path_factory.mktemp("killed")
    out, trace_path = folder / "out", folder / "trace.parquet"
    steps = claim_steps(STEPS_COUNT // 3, step_ns=4 * MS)
    trace.write(trace.Trace(steps, "a test", ""), trace_path)
    tokenfile.write(folder / "tokens.json", TOKENS)
    with server(folder, f"sqlite:///{folder / 'guarantee.db'}") as running:
        url = f"http://127.0.0.1:{running.port}"
        host = ("--host", url, "--token-file", str(folder / "tokens.json"))
        one = Killed(out, trace_path, host, [])
        process = started(folder, str(trace_path), *host, "--out", str(out))
        try:
            until(lambda: any(part.stat().st_size for part in part_paths(out)))
            one.at_work.append(one.audit(out))
            one.at_work.append(springpeak_says("report", str(out)))
            one.at_work.append(springpeak_says("replay", str(trace_path), *host, "--out", str(out)))
            running.process.send_signal(signal.SIGSTOP)
            reached_ns = read_reach(out, 0)[0]
            until(lambda: read_reach(out, 0)[0] > reached_ns + 300 * MS)
        finally:
            process.kill()
            process.communicate()
            running.process.send_signal(signal.SIGCONT)
        yield one


def whole(out: Path) -> dict[str, bytes]:
    return {str(one.relative_to(out)): one.read_bytes() for one in out.rglob("*") if one.is_file()}


def reasons(out: Path) -> list[str]:
    found: list[str] = json.loads((out / summary.FILE_NAME).read_text())["reasons"]
    return found


def test_a_killed_replay_is_judged_and_what_it_left_open_is_unknown(
    tmp_path: Path, killed: Killed
) -> None:
    out = killed.copy(tmp_path)
    said = killed.audit(out)
    assert said.status == 0, said.err
    verdict = json.loads(said.out)
    assert (verdict["verdict"], verdict["lost"], verdict["doubled"]) == ("valid", 0, 0)
    assert min(verdict["judged"][one] for one in ("acknowledged", "nobody_knows")) > 0
    assert f"{out}: {CUT_SHORT}" in said.err
    assert "may have been sent" in said.err
    assert reasons(out)[0] == CUT_SHORT
    assert sorted(one.name for one in out.iterdir()) == [journal.FILE_NAME, summary.FILE_NAME]
    # Whatever the API has was acknowledged or is unknown: none of it is said to be unsent. And some
    # of the unknown is there, which is why it must not be called lost, nor unsent.
    rows = journal.read(out).rows
    assert rows.height == STEPS_COUNT
    with closing(Target(killed.url, TOKENS)) as api:
        orders = {one["order_id"] for one in api.books().claims}
    steps = trace.read(killed.trace_path).steps.with_columns(pl.col("body").cast(pl.String))
    opened = steps.filter(pl.col("operation") == "open_claim").select(
        "step", order=pl.col("body").str.json_path_match("$.order_id").cast(pl.Int64)
    )
    there = opened.filter(pl.col("order").is_in(list(orders))).join(rows, on="step")
    assert there.height == len(orders)
    assert set(there["outcome"]) == {"ok", "unknown"}
    assert rows.filter(pl.col("outcome") == "dropped").height > 0
    # Again: the same files, the same verdict, and nothing more to say.
    before = whole(out)
    again = killed.audit(out)
    assert (again.status, CUT_SHORT in again.err) == (0, False)
    assert whole(out) == before


def test_a_folder_in_which_a_replay_is_at_work_is_refused(killed: Killed) -> None:
    audit, report, replay = killed.at_work
    assert [one.status for one in killed.at_work] == [2, 2, 2]
    assert audit.err == f"another springpeak is at work in {killed.out}: wait until it ends\n"
    for one in (report, replay):
        assert "a replay is at work there, or was cut short" in " ".join(one.err.split())
    assert not (killed.out / journal.FILE_NAME).exists()


def test_the_same_parts_make_the_same_files_wherever_it_was_stopped(
    tmp_path: Path, killed: Killed
) -> None:
    once = killed.copy(tmp_path / "once")
    said = recover(once, killed.trace_path)
    stopped = killed.copy(tmp_path / "stopped")
    # As after a kill between journal and summary, and then in the middle of removing the parts.
    (stopped / summary.FILE_NAME).mkdir()
    with pytest.raises(JournalError, match=r"summary.json cannot be written: .* parts are kept"):
        recover(stopped, killed.trace_path)
    (stopped / summary.FILE_NAME).rmdir()
    assert (stopped / journal.FILE_NAME).exists()
    assert recover(stopped, killed.trace_path) == said
    assert whole(stopped) == whole(once)
    shutil.copytree(killed.out / PARTS, stopped / PARTS)
    assert recover(stopped, killed.trace_path) == []
    assert whole(stopped) == whole(once)


@pytest.mark.parametrize("cut_bytes", [1, 70])
def test_a_chunk_that_was_cut_off_is_set_aside_and_counted(
    tmp_path: Path, killed: Killed, cut_bytes: int
) -> None:
    out = killed.copy(tmp_path)
    (part,) = part_paths(out)
    data, rows_count = part.read_bytes(), recorder.read_parts(out).rows.height
    part.write_bytes(data[:-cut_bytes])
    parts = recorder.read_parts(out)
    (torn,) = parts.torn
    assert data[:-cut_bytes].endswith(torn.data)
    size = len(torn.data)
    said = killed.audit(out)
    assert said.status == 0, said.err
    told = f"a chunk of 000.part was cut off: its {size} bytes are set aside in 000.torn"
    assert told in said.err
    assert told in reasons(out)
    assert (out / "000.torn").read_bytes() == torn.data
    rows = journal.read(out).rows
    answered = rows.filter(pl.col("attempts") > 0)
    assert answered.height == parts.rows.height < rows_count


@pytest.mark.parametrize("rubbish", [bytes(64), b"no chunk at all", b"\x02\x00\x00\x00\x93\x01"])
def test_what_is_no_chunk_ends_a_part(tmp_path: Path, killed: Killed, rubbish: bytes) -> None:
    """A machine without power leaves zeros, or anything."""
    out = killed.copy(tmp_path)
    (part,) = part_paths(out)
    before = recorder.read_parts(out)
    with part.open("ab") as file:
        file.write(rubbish)
    after = recorder.read_parts(out)
    assert after.rows.equals(before.rows)
    assert [one.data for one in after.torn] == [rubbish]


def test_after_a_restart_of_the_machine_all_that_is_missing_is_unknown(
    tmp_path: Path, killed: Killed
) -> None:
    out = killed.copy(tmp_path)
    path = out / unfinished.FILE_NAME
    values = json.loads(path.read_text())
    values["booted_unix_ns"] -= 2 * unfinished.CLOCK_SLACK_NS
    path.write_text(json.dumps(values))
    said = recover(out, killed.trace_path)
    assert said[:2] == [CUT_SHORT, RESTARTED]
    rows = journal.read(out).rows
    assert set(rows["outcome"]) == {"ok", "unknown"}


def test_a_disk_without_room_keeps_the_parts_for_when_there_is(
    tmp_path: Path, killed: Killed
) -> None:
    out = killed.copy(tmp_path)
    before = whole(out)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        with pytest.raises(
            JournalError, match=r"cannot be written: .* `springpeak audit .*` makes"
        ):
            recover(out, killed.trace_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert whole(out) == before
    assert recover(out, killed.trace_path)[0] == CUT_SHORT


def test_ctrl_c_waits_for_the_journal_and_gives_no_verdict(
    tmp_path: Path, killed: Killed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*words: Any) -> Path:
        signal.raise_signal(signal.SIGINT)
        return was(*words)

    out, once, was = killed.copy(tmp_path), killed.copy(tmp_path / "once"), journal.write
    recover(once, killed.trace_path)
    monkeypatch.setattr(journal, "write", write)
    said = killed.audit(out)
    assert (said.status, said.out, said.err) == (130, "", "interrupted: there is no verdict\n")
    assert whole(out) == whole(once)


def test_nothing_to_recover_and_what_is_damaged_or_wrong_is_said(
    tmp_path: Path, killed: Killed
) -> None:
    (tmp_path / "empty").mkdir()
    assert recover(tmp_path / "empty", killed.trace_path) == []
    for path in (tmp_path / "empty", tmp_path / "nowhere"):
        said = killed.audit(path)
        assert (said.status, said.err.count("\n")) == (2, 1)
        assert "is not a journal that can be read" in said.err
    out = killed.copy(tmp_path)
    before = whole(out)
    other = tmp_path / "other.parquet"
    trace.write(trace.Trace(claim_steps(5), "another", ""), other)
    with pytest.raises(JournalError, match="is not the trace that was replayed"):
        recover(out, other)
    with pytest.raises(JournalError, match="no such file"):
        recover(out, tmp_path / "missing.parquet")
    assert whole(out) == before
    (out / unfinished.FILE_NAME).write_text("{}")
    with pytest.raises(JournalError, match=r"replay.json is damaged"):
        recover(out, killed.trace_path)


def test_a_killed_master_is_waited_for_until_its_workers_send_no_more(tmp_path: Path) -> None:
    files, out = written(tmp_path), tmp_path / "out"
    with target() as url:
        master = started(
            tmp_path, *files, "--host", url, "--out", str(out), "--processes", "2", "--speed", "2"
        )
        until(lambda: len([one for one in part_paths(out) if one.stat().st_size]) == 2)
        workers = psutil.Process(master.pid).children()
        master.kill()
        master.wait()
        with pytest.raises(JournalError, match=r"workers may still send, for [1-7] s at most"):
            recover(out, Path(files[0]))
        asked_ns = time.time_ns()
        for one in workers:
            one.kill()
        master.communicate()
        # What follows needs no waiting: as if it had been written down a lease ago.
        for path in (out / PARTS).glob("*.reach"):
            earlier_ns = (
                asked_ns - json.loads((out / unfinished.FILE_NAME).read_text())["linger_ns"]
            )
            os.utime(path, ns=(earlier_ns, earlier_ns))
        said = recover(out, Path(files[0]))
    assert said[0] == CUT_SHORT
    assert sum("may have been sent" in one for one in said) == 2
    found = journal.read(out)
    assert [one.worker for one in found.about.shares] == [0, 1]
    assert set(found.rows["outcome"]) == {"ok", "unknown", "dropped"}
