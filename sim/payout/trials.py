"""Many short simulations with one thing changed each: run once, kept in a file, never twice.

A trial is a scenario file, changes in the form `key=value`, and a replication; what it gives is the
payouts of that season. A trial whose changes make no valid scenario gives None. Files are read
here, so that workers need none; finished trials are kept when the work is interrupted.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from scenarios.loader import shipped
from scenarios.problems import ScenarioProblems
from scenarios.scenario import Scenario
from sim.experiment.account import code_digest
from sim.experiment.executor import carry_out
from sim.experiment.files import read_json, replacing
from sim.replication import simulate

METRICS: Final = ("payout_gross_fen", "payout_recovered_fen", "payout_net_fen")
FILE: Final = "payout_trials.json"
Outcome = dict[str, float] | None


@dataclass(frozen=True, slots=True)
class Trial:
    """One season of a changed scenario."""

    scenario: str
    """Path of the file."""
    sets: tuple[str, ...]
    seed: int
    replication: int

    def key(self, values: str) -> str:
        """What makes two trials the same; `values` is the text of the file."""
        told = json.dumps([values, self.sets, self.seed, self.replication, code_digest()])
        return blake2b(told.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class _Job:
    """A trial whose scenario is resolved; picklable."""

    kind: type[Scenario]
    values: Mapping[str, Any]
    seed: int
    replication: int


def attempt(job: _Job) -> Outcome:
    """Simulate one trial; called in worker processes."""
    scenario = job.kind.model_validate(job.values)
    season = simulate(scenario, seed=job.seed, replication=job.replication, tables=())
    found = season.metrics
    return {name: found[name][0] for name in METRICS}


def _jobs(trials: Iterable[Trial]) -> Iterator[_Job | None]:
    """The trials resolved, in their order; None for no valid scenario."""

    @cache
    def resolved(file: str, sets: tuple[str, ...]) -> Scenario | None:
        try:
            return shipped().load(file, sets=sets)
        except ScenarioProblems:
            return None

    for trial in trials:
        scenario = resolved(trial.scenario, trial.sets)
        if scenario is None:
            yield None
        else:
            yield _Job(type(scenario), scenario.model_dump(), trial.seed, trial.replication)


def outcomes(
    trials: Sequence[Trial],
    *,
    folder: Path,
    executor: Executor,
    report: Callable[[int, int], None] = lambda _done, _planned: None,
) -> list[Outcome]:
    """What every trial gave, in the order asked; `report(done, planned)` after each."""
    texts = {path: Path(path).read_text(encoding="utf-8") for path in _files(trials)}
    keys = [trial.key(texts[trial.scenario]) for trial in trials]
    file = folder / FILE
    known: dict[str, Outcome] = {}
    if file.exists():
        known = read_json(file)
    missing = {key: trial for key, trial in zip(keys, trials, strict=True) if key not in known}
    resolved = dict(zip(missing, _jobs(missing.values()), strict=True))
    jobs = {key: job for key, job in resolved.items() if job is not None}
    known |= dict.fromkeys(resolved.keys() - jobs.keys())
    report(len(trials) - len(jobs), len(trials))

    def keep(key: str, outcome: Outcome) -> None:
        known[key] = outcome
        _keep(file, known)

    carry_out(
        executor,
        attempt,
        jobs,
        keep=keep,
        kept=lambda _key, count: report(len(trials) - len(jobs) + count, len(trials)),
        named=lambda _key: "a trial failed, finished ones are kept, the same command goes on",
    )
    return [known[key] for key in keys]


def _keep(file: Path, known: dict[str, Outcome]) -> None:
    """Replace the file in one step; it stays small beside the seconds that a trial takes."""
    with replacing(file) as unfinished:
        unfinished.write_text(json.dumps(known, sort_keys=True), encoding="utf-8")


def _files(trials: Iterable[Trial]) -> set[str]:
    return {trial.scenario for trial in trials}
