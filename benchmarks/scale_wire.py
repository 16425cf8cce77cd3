"""Measures of bench_scale on the wire: bytes between hosts of their own (network namespaces).

Counted by the hosts' interfaces, headers of TCP, IP and Ethernet included.
"""

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.scale_table import Row
from loadtests import trace
from loadtests.capacity.steps import piece_of
from loadtests.trace import Trace
from tests import api_postgres, hosts
from tests.api_hosts import COMMAND, PORT, balance, serve


def on_the_wire(loaded: Trace, counts: Sequence[int]) -> Iterator[Row]:
    """Bytes between load and proxy, proxy and API, API and PostgreSQL, both ways together."""
    for count in counts:
        with _hosts() as (net, folder):
            trace.write(piece_of(loaded, count=count), folder / "trace.parquet")
            before = {name: _interface_bytes(host) for name, host in net.items()}
            words = [*COMMAND, "replay", "trace.parquet", "--out", "journal", "--json"]
            words += ["--host", f"http://{net['proxy'].address}:{PORT}", "--speed", "10"]
            words += ["--token-file", "tokens.json", "--i-may-load-this-host"]
            net["load"].run([*words, "--lag-limit-ms", "100000"], cwd=folder, check=False)
            passed = {name: _interface_bytes(host) - before[name] for name, host in net.items()}
        links = {
            "load_proxy_bytes": passed["load"],
            "proxy_api_bytes": passed["proxy"] - passed["load"],
            "api_store_bytes": passed["database"],
        }
        for measure, value in links.items():
            yield Row("fit", "network", measure, count, "requests", value, "byte")


@contextmanager
def _hosts() -> Iterator[tuple[Mapping[str, hosts.Host], Path]]:
    with (
        tempfile.TemporaryDirectory(prefix="springpeak-scale-") as name,
        hosts.network("load", "proxy", "api", "database") as net,
    ):
        folder = Path(name)
        url, why = api_postgres.start(net["database"].address, net["database"].inside)
        assert not why, why
        running: list[subprocess.Popen[str]] = [serve(net["api"], folder, url)]
        running.append(balance(net["proxy"], [net["api"]], folder))
        words = [*COMMAND, "tokens", "tokens.json", "--secret-file", "secret"]
        net["load"].run(words, cwd=folder)
        yield net, folder
        for one in running:
            one.kill()
            one.wait()


def _interface_bytes(host: hosts.Host) -> float:
    """Received and sent by the host's interface."""
    text = host.run(["cat", "/proc/net/dev"]).stdout
    fields = next(line for line in text.splitlines() if "eth0:" in line).split(":")[1].split()
    return float(fields[0]) + float(fields[8])
