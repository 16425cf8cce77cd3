"""What a run says about itself: resolved scenario, manifest and summary, as text.

The summary holds results only, so its bytes are the same whatever machine, workers or order
produced them; everything that is not (times, memory, versions) stands in the manifest.
"""

import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import polars as pl
import tomlkit

import scenarios
import sim
from scenarios.scenario import Scenario
from sim.experiment.contents import ALL, Contents
from sim.experiment.estimates import season_metrics

PACKAGES: Final = ("springpeak", "numpy", "polars", "pydantic", "scipy", "simpy")


@dataclass(frozen=True, slots=True)
class State:
    """How far a run has come."""

    planned_count: int
    status: str
    """running, complete or interrupted."""
    workers: int
    wall_s: float
    replications: Sequence[Mapping[str, Any]]
    """What each finished replication took: wall_s, cpu_s, attempts_count, peak_memory_byte."""


@cache
def code_digest() -> str:
    """BLAKE2b of the model's source: other code is another run, whatever its version says."""
    digest = blake2b(digest_size=16)
    for package in (scenarios, sim):
        folder = Path(str(package.__file__)).parent
        for file in sorted(folder.rglob("*.py")):
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(file.read_bytes())
    return digest.hexdigest()


def run_id(scenario: Scenario, *, seed: int, contents: Contents) -> str:
    """Name of a run's directory unless the user gives one."""
    both = blake2b(f"{scenario.fingerprint}{code_digest()}".encode(), digest_size=4).hexdigest()
    kept = "" if contents == ALL else f"-{contents.name}"
    return f"{scenario.name}-{both}-{seed}{kept}"


def identity(scenario: Scenario, *, seed: int, contents: Contents) -> dict[str, Any]:
    """What two invocations must share to be the same run."""
    return {
        "fingerprint": scenario.fingerprint,
        "seed": seed,
        "code": code_digest(),
        "tables": contents.name,
    }


def scenario_text(scenario: Scenario) -> str:
    """The resolved scenario as TOML that loads again."""
    return tomlkit.dumps(_plain(scenario.model_dump(exclude_none=True)))


def manifest_text(scenario: Scenario, *, seed: int, contents: Contents, state: State) -> str:
    """The manifest as JSON."""
    taken = sorted(state.replications, key=lambda receipt: receipt["replication"])
    cpu_s = math.fsum(receipt["cpu_s"] for receipt in taken)
    attempts_count = _attempts_count(taken)
    values = {
        **identity(scenario, seed=seed, contents=contents),
        "run_id": run_id(scenario, seed=seed, contents=contents),
        "scenario": scenario.name,
        "first_day": scenario.horizon.first_day,
        "last_day": scenario.horizon.last_day,
        "status": state.status,
        "finished_count": len(taken),
        "planned_count": state.planned_count,
        "workers": state.workers,
        "wall_s": round(state.wall_s, 3),
        "cpu_s": round(cpu_s, 3),
        "attempts_count": attempts_count,
        "contacts_per_s": round(attempts_count / cpu_s, 1) if attempts_count and cpu_s else None,
        "peak_memory_byte": max((r["peak_memory_byte"] for r in taken), default=None),
        "replications": taken,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: package_version(name) for name in PACKAGES},
        "calibrated": scenario.model_dump().get("calibrated"),
    }
    return _json(values)


def summary_text(scenario: Scenario, *, seed: int, count: int, table: pl.DataFrame) -> str:
    """The summary as JSON, from the estimates `table` of `count` replications."""
    values = {
        "fingerprint": scenario.fingerprint,
        "seed": seed,
        "scenario": scenario.name,
        "replications": count,
        "metrics": season_metrics(table),
    }
    return _json(values)


def _attempts_count(taken: Sequence[Mapping[str, Any]]) -> int | None:
    """Contacts offered in all; None where a replication did not count them."""
    counts = [receipt["attempts_count"] for receipt in taken]
    return None if None in counts else sum(counts)


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """TOML has arrays where Python has tuples."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


def package_version(package: str) -> str | None:
    """The version installed; None where it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
