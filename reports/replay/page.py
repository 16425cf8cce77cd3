"""The report of a replay: verdict, thresholds, a table by operation, and three pictures.

Reads the journal and summary.json of a replay's folder, and writes the same bytes every time.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from loadtests import journal, latency, summary, timeline
from reports import style, templating
from reports.replay import figures
from reports.tables import Table

REPORT: Final = "report.html"
COUNTS: Final = ("planned", "sent", "ok", "fail", "unknown", "dropped")
_YES: Final = {True: Markup("yes"), False: Markup("no")}
TIMES: Final = ("p50_response_ms", "p99_response_ms", "p999_response_ms", "p99_service_ms")


def write(folder: Path) -> Path:
    """Write report.html into a replay's folder and return its path.

    Raises journal.JournalError or OSError if the folder holds no finished replay.
    """
    found = journal.read(folder)
    said = json.loads((folder / summary.FILE_NAME).read_text(encoding="utf-8"))
    path = folder / REPORT
    path.write_text(render(found, said), encoding="utf-8")
    return path


def render(found: journal.Journal, said: Mapping[str, Any]) -> str:
    """The page as text; `said` is summary.json."""
    rows, limits = found.rows, found.about.limits
    held = all(one["held"] for one in said["thresholds"])
    verdict = "INVALID: this run measured its own sender"
    if said["verdict"] == "valid":
        verdict = "All thresholds held" if held else "Thresholds are broken"
        verdict = verdict if said["thresholds"] else "A valid run; no thresholds were set"
    return templating.rendered(
        "replay.html.j2",
        heading=f"Replay against {said['host']}",
        description=f"Trace {said['trace_digest'][:8]}, speed {limits['speed']:g}; "
        f"send lag p99 {_ms(said[latency.LAG])}, limit {limits['send_lag_limit_ms']:g} ms.",
        verdict=verdict,
        reasons=said["reasons"],
        thresholds=Table(
            ("threshold", "measured", "held"),
            tuple(
                (Markup.escape(one["text"]), _number(one["value"]), _YES[one["held"]])
                for one in said["thresholds"]
            ),
        ),
        operations=Table(
            ("operation", *COUNTS, *(name.replace("_", " ") for name in TIMES)),
            tuple(
                (Markup.escape(name), *_cells(values))
                for name, values in (*said["operations"].items(), ("all", said))
            ),
        ),
        figures=[
            figures.over_time(timeline.timeline(rows)),
            figures.heat_map(timeline.heat_map(rows)),
            figures.percentiles(timeline.curve(rows)),
        ],
    )


def _cells(values: Mapping[str, Any]) -> list[Markup]:
    counts = [Markup(f"{values[name]:,}") for name in COUNTS]
    return counts + [Markup(_ms(values[name])) for name in TIMES]


def _ms(value: float | None) -> str:
    if value is None:
        return style.MISSING
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"


def _number(value: float | None) -> Markup:
    return Markup(style.MISSING if value is None else f"{value:,.4g}")
