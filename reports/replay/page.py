"""The chapter of a replay: verdict, thresholds, a table by operation, and three pictures.

Reads the journal and summary.json of a replay's folder, and writes the same bytes every time.
`report.html` of the folder is the chapter by itself, the report of a run has it among others.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from loadtests import journal, summary, timeline
from reports import templating
from reports.cells import Number, quote
from reports.chapter import Chapter, Part
from reports.engine import retold
from reports.language import file_name, later, say, say_html
from reports.replay import figures
from reports.rows import Row
from reports.tables import Table
from scenarios.load import LAG

_CLOCK: Final = {
    "offset_ms": later("schedule behind"),
    "uncertainty_ms": later("known within"),
    "wall_offset_ms": later("wall clock ahead"),
}
REPORT: Final = "report.html"
_COUNTS: Final = {
    "planned": later("planned"),
    "sent": later("sent"),
    "ok": later("ok"),
    "fail": later("failed"),
    "unknown": later("unknown"),
    "dropped": later("dropped"),
}
_TIMES: Final = {
    "p50_response_ms": later("p50 response"),
    "p99_response_ms": later("p99 response"),
    "p999_response_ms": later("p99.9 response"),
    "p99_service_ms": later("p99 service"),
}


def write(folder: Path) -> Path:
    """Write report.html into a replay's folder and return its path.

    Raises journal.JournalError or OSError if the folder holds no finished replay.
    """
    path = folder / file_name(REPORT)
    path.write_text(render(journal.read(folder), said(folder)), encoding="utf-8")
    return path


def said(folder: Path) -> dict[str, Any]:
    """summary.json of a replay's folder."""
    found: dict[str, Any] = json.loads((folder / summary.FILE_NAME).read_text(encoding="utf-8"))
    return found


def render(found: journal.Journal, said: Mapping[str, Any]) -> str:
    """The page as text; `said` is summary.json."""
    limits = Row("replay:limits", found.about.limits)
    return templating.rendered(
        "page.html.j2",
        title=say("Replay against {host}", host=said["host"]),
        description=say_html(
            "Trace {trace}, speed {speed}; send lag p99 {lag}, limit {limit}.",
            trace=quote(said["trace_digest"][:8]),
            speed=limits.number("speed", "plain"),
            lag=Row("replay", said).number(LAG, "milliseconds"),
            limit=limits.number("send_lag_limit_ms", "milliseconds"),
        ),
        chapters=(Chapter("replay", say("Load test"), parts(found, said)),),
        foot="",
    )


def parts(found: journal.Journal, said: Mapping[str, Any]) -> tuple[Part, ...]:
    """Everything that a replay says."""
    whole = Row("replay", said)
    reasons = [quote(retold(r)) for r in said["reasons"]]
    lead = Markup(say("; ")).join(reasons)
    return (
        Part(_verdict(said), lead, _thresholds(said)),
        Part(
            say("What was asked, and how long it took"),
            say(
                "Response time counts from the intended time of a request, service time from its "
                "sending. A percentile is over all requests that were sent."
            ),
            _operations(said),
        ),
        *_workers(found, said),
        Part(
            say("In the course of time"),
            figures=(
                figures.over_time(timeline.timeline(found.rows), whole),
                figures.heat_map(timeline.heat_map(found.rows), whole),
                figures.percentiles(timeline.curve(found.rows), whole),
            ),
        ),
    )


def _verdict(said: Mapping[str, Any]) -> str:
    if said["verdict"] != "valid":
        return say("INVALID: this run measured its own sender")
    if not said["thresholds"]:
        return say("A valid run; no thresholds were set")
    if all(one["held"] for one in said["thresholds"]):
        return say("All thresholds held")
    return say("Thresholds are broken")


def _thresholds(said: Mapping[str, Any]) -> Table:
    return Table(
        (say("Threshold"), say("Measured"), say("Held")),
        tuple(
            (
                quote(one["text"]),
                Row(f"replay:thresholds.{at}", one).number("value", "figures"),
                say("yes") if one["held"] else say("no"),
            )
            for at, one in enumerate(said["thresholds"])
        ),
    )


def _operations(said: Mapping[str, Any]) -> Table:
    named = [
        (quote(name), f"replay:operations.{name}", one) for name, one in said["operations"].items()
    ]
    rows = (*named, (Markup.escape(say("all")), "replay", said))
    return Table(
        (say("Operation"), *map(say, _COUNTS.values()), *map(say, _TIMES.values())),
        tuple((name, *_cells(Row(source, values))) for name, source, values in rows),
    )


def _workers(found: journal.Journal, said: Mapping[str, Any]) -> tuple[Part, ...]:
    """The clocks of the workers; nothing if one process sent all."""
    clocks = said.get("clocks", ())  # summaries of before have none
    if not clocks:
        return ()
    limit = Row("replay:limits", found.about.limits).number("clock_limit_ms", "milliseconds")
    rows = (
        (quote(str(one["worker"])), quote(one["host"]), Row(f"replay:clocks.{at}", one))
        for at, one in enumerate(clocks)
    )
    return (
        Part(
            say("The workers' clocks"),
            say_html(
                "How far each schedule was behind its master's at the end, known within half of a "
                "round trip; the run is invalid beyond {limit}. Wall clocks carry no time of this "
                "page.",
                limit=limit,
            ),
            Table(
                (say("Worker"), say("Machine"), *map(say, _CLOCK.values())),
                tuple(
                    (worker, host, *(row.number(name, "milliseconds") for name in _CLOCK))
                    for worker, host, row in rows
                ),
            ),
        ),
    )


def _cells(row: Row) -> list[Number]:
    forms = {**dict.fromkeys(_COUNTS, "count"), **dict.fromkeys(_TIMES, "milliseconds")}
    return [row.number(name, form) for name, form in forms.items()]
