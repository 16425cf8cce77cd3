"""The guarantee API over five hosts: load, proxy, two processes and PostgreSQL, each on its own.

The data base's host is cut off for five seconds in the middle of the traffic, as if its cable were
pulled: both sides have requests, commits and answers under way, and neither is told. Afterwards
every write was acknowledged, the replay is valid, and the audit finds nothing lost, doubled or
overdrawn.
"""

import json
import signal
import subprocess
import time
from pathlib import Path

import polars as pl
import pytest

from loadtests import journal, trace
from loadtests.drill.member import ServiceFailed
from loadtests.drill.service import haproxy
from tests import api_postgres, hosts
from tests.api_hosts import COMMAND, PORT, balance, serve, until_claims
from tests.trace_cases import small_trace

CUT_S = 5.0
SPEED = 12.0
"""400 claims, opened, read and settled, in ten seconds."""


def test_the_data_base_is_cut_off_for_five_seconds(tmp_path: Path) -> None:
    try:
        haproxy()
    except ServiceFailed as error:
        pytest.skip(f"HAProxy was not tested: {error}")
    trace.write(small_trace(400), tmp_path / "trace.parquet")
    with hosts.network("load", "proxy", "api1", "api2", "database") as net:
        url, why = api_postgres.start(net["database"].address, net["database"].inside)
        if why:
            pytest.skip(f"PostgreSQL was not tested: {why}")
        servers = [net["api1"], net["api2"]]
        running = [serve(host, tmp_path, url) for host in servers]
        running.append(balance(net["proxy"], servers, tmp_path))
        load, address = net["load"], f"http://{net['proxy'].address}:{PORT}"
        given = ["--host", address, "--token-file", "tokens.json"]
        load.run([*COMMAND, "tokens", "tokens.json", "--secret-file", "secret"], cwd=tmp_path)
        words = [*COMMAND, "replay", "trace.parquet", *given, "--out", "journal", "--json"]
        words += ["--speed", str(SPEED), "--attempts", "100", "--i-may-load-this-host"]
        with load.popen(
            [*words, "--lag-limit-ms", "5000"], stdout=subprocess.PIPE, cwd=tmp_path
        ) as replaying:
            until_claims(net["database"], url, 150)
            net["database"].cut()
            time.sleep(CUT_S)  # how long the network is gone: the thing itself, not a wait for it
            net["database"].mend()
            replayed = json.loads(replaying.communicate()[0])
        words = [*COMMAND, "audit", "journal", *given, "--trace", "trace.parquet", "--json"]
        audited = json.loads(load.run(words, cwd=tmp_path).stdout)
    assert {one.wait() for one in running} == {-signal.SIGKILL}  # with their hosts
    assert (replayed["verdict"], replayed["sent"], replayed["dropped"]) == ("valid", 1200, 0)
    rows = journal.read(tmp_path / "journal").rows
    # Nobody was refused or left without an answer, and some had to ask again.
    assert rows["outcome"].unique().to_list() == ["ok"]
    assert rows.filter(pl.col("attempts") > 1).height > 0
    assert audited["verdict"] == "valid", audited
    assert audited["judged"]["acknowledged"] == 800
    assert audited["judged"]["nobody_knows"] == 0
    assert (audited["lost"], audited["doubled"], audited["overdrawn"]) == (0, 0, 0)
