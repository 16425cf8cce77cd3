"""The approximate answer beside the simulation, for national days: how far off, and how fast.

    python -m benchmarks.bench_whatif --days 2 4 --replications 4 --workers 2

One JSON line a day and measure: the approximation, the simulated mean with its 95 % interval, their
distance (relative; of ratios the plain difference), and one with the CPU seconds of both.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from scenarios.command import BASE
from scenarios.loader import load
from sim.experiment.rundir import RunDirectory
from sim.experiment.runner import run, with_days
from sim.whatif.answer import approximate


def main() -> int:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, nargs="+", default=[2])
    parser.add_argument("--replications", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    scenario = load(BASE)
    started_s = time.process_time()
    approximate(scenario)
    _say({"measure": "season", "approximation_cpu_s": round(time.process_time() - started_s, 3)})
    for day in asked.days:
        _day(day, asked.replications, asked.workers)
    return 0


def _day(day: int, replications: int, workers: int) -> None:
    scenario = with_days(load(BASE), (day, day))
    answer = approximate(scenario)
    with tempfile.TemporaryDirectory() as folder:
        path = run(
            scenario,
            replications=replications,
            seed=1,
            workers=workers,
            out=Path(folder) / "run",
        ).path
        manifest = RunDirectory(path).manifest()
        found = json.loads((path / "summary.json").read_text("utf-8"))["metrics"]
    spent = [one["cpu_s"] for one in manifest["replications"]]
    _say({"measure": "replication", "day": day, "cpu_s": sum(spent) / len(spent)})
    for name, (value, unit) in answer.measures.items():
        if name not in found or found[name]["mean"] is None:
            continue
        mean, low, high = (found[name][key] for key in ("mean", "low", "high"))
        apart = value - mean if unit == "ratio" else value / mean - 1.0 if mean else 0.0
        _say(
            {
                "measure": name,
                "day": day,
                "approximation": round(value, 4),
                "simulated": round(mean, 4),
                "low": low,
                "high": high,
                "apart": round(apart, 4),
            }
        )


def _say(line: dict[str, object]) -> None:
    print(json.dumps(line))


if __name__ == "__main__":
    sys.exit(main())
