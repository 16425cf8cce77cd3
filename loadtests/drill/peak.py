"""The busiest ten minutes of a run against the reference API, undisturbed: does it hold the peak?

Decides what `springpeak peak` loads the API with: reads included, within two minutes (five and a
half times as fast as in the festival), because the answer should not take as long as the peak. What
comes out stands in `api.json` of the run directory, which the report reads; the folder `api` beside
it keeps journal, store and logs.
"""

import json
import shutil
from pathlib import Path
from typing import Any, Final

from loadtests import jsonfile, trace
from loadtests.drill.drill import Plan, Say, drill
from loadtests.traffic.make import make
from loadtests.traffic.rundata import open_run
from loadtests.traffic.window import parse

FILE_NAME: Final = "api.json"
FOLDER: Final = "api"
WINDOW: Final = "busiest/PT10M"
LASTING_S: Final = 120.0


def at_peak(run: Path, say: Say = lambda _: None) -> dict[str, Any]:
    """What api.json holds; made if it is not there. Raises LoadError, ServiceFailed, AuditError,
    TraceError."""
    kept = run / FILE_NAME
    if kept.exists():
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    folder = run / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    say("cutting out the busiest ten minutes")
    made = make(run, asked=parse(WINDOW), reads=True).trace
    trace_path = folder / "trace.parquet"
    trace.write(made, trace_path)
    scenario = open_run(run).scenario
    say(f"sending {made.steps.height:,} requests in {LASTING_S:.0f} s")
    result = drill(
        Plan(trace_path=trace_path, folder=folder, scenario=scenario, duration_s=LASTING_S), say
    )
    values = {
        "window": made.window,
        "speed_multiple": round(made.duration_s / LASTING_S, 1),
        "sent_per_s": result.load["sent"] / LASTING_S,
        "measured": result.load["verdict"] == "valid",
        "reasons": result.load["reasons"],
        **result.document(),
    }
    jsonfile.write(kept, values)
    return values
