"""A study file from beginning to end of its simulations: the widest factors, the plan, the points.

Source of the choice: sim/study/widest.py; of the seasons: sim/study/conduct.py.
"""

import shutil
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from scenarios.problems import ScenarioProblems
from sim.experiment.account import code_digest
from sim.experiment.executor import worker_pool
from sim.study.asked import Asked, plan_of, questions
from sim.study.conduct import Conducted, conduct, taken
from sim.study.festival import season
from sim.study.plan import Plan
from sim.study.widest import widest

Report = Callable[[str, int, int], None]
CHOOSING = "the widest assumptions"
SEASONS = "seasons"


def run(
    asked: Asked,
    *,
    path: Path | None = None,
    workers: int,
    executor: Executor | None = None,
    report: Report = lambda _what, _finished, _planned: None,
) -> Conducted:
    """Simulate what is missing of a study; `report(what, finished, planned)` says how far it is.

    `path` is results/<name, what is asked, seed> unless given. Raises ScenarioProblems where a
    point is no scenario and RunError where the folder holds something else, and leaves no folder
    behind then. Ctrl-C keeps what is finished.
    """
    folder = path or asked.folder()
    plan = _planned(asked, folder, workers, executor, report)
    return conduct(
        plan,
        season,
        questions(asked, plan),
        path=folder,
        workers=workers,
        asked_of=asked.identity(),
        executor=executor,
        report=lambda finished, planned: report(SEASONS, finished, planned),
    )


def _planned(
    asked: Asked, folder: Path, workers: int, executor: Executor | None, report: Report
) -> Plan:
    """The plan, once it is known which factors are the widest."""
    if asked.file.widest_count is None:
        return plan_of(asked)
    with taken(folder, {"code": code_digest(), **asked.identity()}) as fresh:
        try:
            with worker_pool(workers, executor) as pool:
                factors = widest(
                    asked,
                    folder=folder,
                    executor=pool,
                    report=lambda finished, planned: report(CHOOSING, finished, planned),
                )
            return plan_of(replace(asked, factors=factors))
        except ScenarioProblems:
            if fresh:
                shutil.rmtree(folder, ignore_errors=True)
            raise
