"""A replay over machines: master, workers, API and PostgreSQL on hosts of their own; a worker's
host is cut off, and the master's. The lease of five seconds ends, and no other time counts."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loadtests import journal, tokenfile, trace
from loadtests.guarantee_api.tokens import issue_all
from loadtests.recorder import part_paths
from tests import api_postgres, api_server
from tests.api_cases import NOON_S, SECRET
from tests.api_hosts import COMMAND, PORT
from tests.hosts import Host, network
from tests.trace_cases import claim_steps

ENV = os.environ | {"PYTHONPATH": str(api_server.ROOT)}
CREATE = """
import asyncio, asyncpg, sys
async def create():
    db = await asyncpg.connect(sys.argv[1])
    await db.execute(f"CREATE DATABASE {sys.argv[2]}")
    await db.close()
asyncio.run(create())
"""


@pytest.fixture(scope="module")
def net() -> Iterator[Mapping[str, Host]]:
    with network("master", "one", "two", "api", "database") as made:
        yield made


@pytest.fixture(scope="module")
def store_url(net: Mapping[str, Host]) -> str:
    url, why = api_postgres.start(net["database"].address, net["database"].inside)
    if why:
        pytest.skip(f"PostgreSQL was not tested: {why}")
    return url


class Replay:
    """One replay of a trace through two workers, each on its host, with the folder of each."""

    def __init__(self, folder: Path, net: Mapping[str, Host], steps: pl.DataFrame) -> None:
        self._folder, self._net = folder, net
        trace.write(trace.Trace(steps, "a test", ""), folder / "trace.parquet")
        tokenfile.write(folder / "tokens.json", issue_all(SECRET, expires_s=int(NOON_S) + 3600))
        self.out = folder / "out"
        at = f"{net['master'].address}:5557"
        self._same = ["--host", f"http://{net['api'].address}:{PORT}"]
        self._same += ["--token-file", str(folder / "tokens.json")]
        words = ["replay", str(folder / "trace.parquet"), *self._same, "--out", str(self.out)]
        words += ["--expect-workers", "2", "--bind", at, "--i-trust-this-network", "--json"]
        words += ["--i-may-load-this-host", "--lag-limit-ms", "10000"]
        self.master = self._started("master", *words)
        # Nothing is there but the installation: neither trace nor tokens.
        self.workers = [
            self._started(one, "replay-worker", "--master", at) for one in ("one", "two")
        ]

    def __enter__(self) -> "Replay":
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.master, *self.workers):
            process.kill()
            process.wait()

    def _started(self, name: str, *words: str) -> subprocess.Popen[str]:
        place = self._folder / name
        place.mkdir()
        with (place / "out").open("w") as out, (place / "said").open("w") as said:
            return self._net[name].popen(
                [*COMMAND, *words], cwd=place, env=ENV, stdout=out, stderr=said
            )

    def until_written(self) -> None:
        """Wait until both workers have handed over some of what they sent."""
        while len([one for one in part_paths(self.out) if one.stat().st_size]) < 2:
            assert self.master.poll() is None, (self._folder / "master" / "said").read_text()
            time.sleep(0.05)

    def summary(self) -> Any:
        self.master.wait(timeout=120)
        text = (self._folder / "master" / "out").read_text()
        assert text, (self._folder / "master" / "said").read_text()
        return json.loads(text)

    def audited(self) -> Any:
        words = [
            "audit",
            str(self.out),
            *self._same,
            "--trace",
            str(self._folder / "trace.parquet"),
        ]
        done = self._net["master"].run(
            [*COMMAND, *words, "--repeat", "20", "--json"], env=ENV, check=False
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


def cut_off(host: Host, replay: Replay) -> Any:
    """The summary of a replay during which a host was cut off."""
    replay.until_written()
    host.cut()
    try:
        return replay.summary()
    finally:
        host.mend()


@pytest.fixture
def api(tmp_path: Path, net: Mapping[str, Host], store_url: str) -> Iterator[None]:
    """The API on its host, with a data base of its own."""
    host = net["api"]
    name = f"of_{tmp_path.name}"[:60].lower()
    net["database"].run([sys.executable, "-c", CREATE, store_url, name])
    url = f"{store_url.rpartition('/')[0]}/{name}"
    words = api_server.planned(tmp_path, url, port=PORT, address=host.address)
    with (tmp_path / "api.log").open("w") as log:
        process = host.popen(words, cwd=api_server.ROOT, env=ENV, stdout=log, stderr=log)
    try:
        host.until_listening(PORT, process)
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("api")
def test_a_replay_over_hosts_is_valid_and_its_audit_too(
    tmp_path: Path, net: Mapping[str, Host]
) -> None:
    with Replay(tmp_path, net, claim_steps(300, step_ns=4_000_000)) as replay:
        said = replay.summary()
        assert (said["verdict"], said["ok"], said["reasons"]) == ("valid", 900, [])
        assert [one.wait(timeout=60) for one in replay.workers] == [0, 0]
    rows = journal.read(replay.out).rows
    assert rows["worker"].unique().sort().to_list() == [0, 1]
    # All hosts share this machine's clocks, so that the truth is 0.
    for one in said["clocks"]:
        assert abs(one["wall_offset_ms"]) <= one["uncertainty_ms"]
        assert abs(one["offset_ms"]) <= 2 * one["uncertainty_ms"]
    assert replay.audited()["verdict"] == "valid"


@pytest.mark.usefixtures("api")
def test_a_worker_cut_off_makes_the_replay_invalid_and_its_loss_is_known(
    tmp_path: Path, net: Mapping[str, Host]
) -> None:
    with Replay(tmp_path, net, claim_steps(750, step_ns=4_000_000)) as replay:
        said = cut_off(net["two"], replay)
    assert replay.master.returncode == 3
    (reason,) = said["reasons"]
    assert "was lost at" in reason
    rows = journal.read(replay.out).rows
    lost = rows.filter(pl.col("reason") == journal.WORKER_LOST)
    (number,) = lost["worker"].unique()
    assert set(rows.filter(pl.col("worker") != number)["outcome"]) == {"ok"}
    assert set(lost["outcome"]) == {"unknown", "dropped"}
    assert f"{lost.filter(pl.col('outcome') == 'dropped').height} were dropped" in reason
    assert replay.audited()["verdict"] == "valid"


@pytest.mark.usefixtures("api")
def test_a_master_cut_off_from_its_workers_still_knows_what_they_never_sent(
    tmp_path: Path, net: Mapping[str, Host]
) -> None:
    """The workers still reach the API and would go on: their lease ends. Were it not for that, the
    auditor would find claims of steps that the journal calls dropped."""
    with Replay(tmp_path, net, claim_steps(750, step_ns=4_000_000)) as replay:
        said = cut_off(net["master"], replay)
    assert replay.master.returncode == 3
    assert len(said["reasons"]) == 2
    assert said["unknown"] > 0
    assert said["dropped"] > 0
    assert replay.audited()["verdict"] == "valid"
