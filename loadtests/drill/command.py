"""`springpeak drill`: it parses, calls and prints. The front door registers it."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loadtests.command import say_thresholds
from scenarios.command import BASE, INTERRUPTED, leave, stderr

if TYPE_CHECKING:
    from loadtests.drill.behaviour import When
    from loadtests.drill.drill import Plan, Result

RESULTS = Path("results")
_KEPT = {
    "trace.parquet": "what was to be sent",
    "journal/journal.parquet": "what was sent and answered so far",
    "guarantee.db": "the store",
    "service.log": "what the service said",
}
"""What an interrupted drill may have left in its folder."""
PEAK = "busiest/PT10M"


def _writable(path: Path | None) -> Path | None:
    """Before what takes minutes: whether its result may be written there."""
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        why = "is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise typer.BadParameter(f"{path}: {why}")
    return path


Thresholds = Annotated[
    list[str] | None,
    typer.Option(metavar="TEXT", help="What must hold; the scenario's own if not given."),
]
WrittenOverlay = Annotated[
    Path | None,
    typer.Option(
        "--write-overlay",
        metavar="FILE",
        callback=_writable,
        help="Write it: what if the API behaved like this?",
    ),
]
Day = Annotated[int, typer.Option(help="Lunar day of the overlay, 0 = 正月初一.")]
Hours = Annotated[str, typer.Option(metavar="FIRST..LAST", help="Hours of the overlay.")]


def drill(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN|TRACE", help="A run, or a trace; the newest run in results if not given."
        ),
    ] = None,
    *,
    kill_every: Annotated[str, typer.Option(help="kill -9 so often; 0s for never.")] = "10s",
    freeze: Annotated[
        str, typer.Option(help="Stop the service so long, halfway between kills.")
    ] = "0s",
    lasting: Annotated[
        str, typer.Option(help="The trace is replayed so fast that it lasts so long.")
    ] = "60s",
    store: Annotated[
        str, typer.Option(metavar="URL", help="postgresql://...; a new SQLite file if not given.")
    ] = "",
    processes: Annotated[
        int, typer.Option(min=1, help="Serving processes on the store, behind HAProxy if several.")
    ] = 1,
    plant: Annotated[
        str, typer.Option(metavar="FAULT", help="Spoil the books first: the audit must say so.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder to write (else results/drill-<time>).")
    ] = None,
    threshold: Thresholds = None,
    overlay: WrittenOverlay = None,
    day: Day = 2,
    hours: Hours = "18..21",
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Load the reference API with the peak, kill and freeze it, restart it, audit its books.

    Exit status: 0 valid, 1 invalid, 3 unknown, 2 wrong input, 130 interrupted. Thresholds are
    judged, too; kills may well break them, and the verdict is on the books alone.
    """
    when = when_of(day, hours)
    kill_s = _seconds("--kill-every", kill_every)
    freeze_s, length_s = _seconds("--freeze", freeze), _seconds("--lasting", lasting)
    if length_s == 0.0:
        raise typer.BadParameter("--lasting: above 0s")
    folder = out or RESULTS / time.strftime("drill-%Y%m%dT%H%M%S")
    result = _held(
        lambda: _timed(
            _plan(
                source,
                folder,
                store=store,
                spoil=plant,
                processes_count=processes,
                thresholds=tuple(threshold or ()),
            ),
            kill_s=kill_s,
            freeze_s=freeze_s,
            length_s=length_s,
        ),
        folder,
    )
    values = result.document()
    keep(folder / "drill.json", values)
    if overlay is not None:
        said = f"{values['kills']} kills and {values['freezes']} freezes in {lasting}"
        write_overlay(overlay, folder / "journal", when, described=f"The guarantee API: {said}")
    if as_json:
        typer.echo(json.dumps(values, ensure_ascii=False))
    else:
        _print(result, values)
    raise typer.Exit(result.verdict.status)


def _held(planned: Callable[[], "Plan"], folder: Path) -> "Result":
    """The drill's result; or say what is wrong, or what an interruption left, and leave."""
    from loadtests.audit.judge import AuditError
    from loadtests.drill.drill import drill as hold
    from loadtests.drill.load import LoadError
    from loadtests.drill.member import ServiceFailed
    from loadtests.trace import TraceError
    from scenarios.load import ThresholdError

    doing = "preparing"

    def say(what: str) -> None:
        nonlocal doing
        doing = what
        status.update(what)

    try:
        with stderr().status(doing) as status:
            return hold(planned(), say)
    except (AuditError, LoadError, ServiceFailed, ThresholdError, TraceError) as error:
        leave(error)
    except KeyboardInterrupt:
        kept = ", ".join(
            f"{name} ({what})" for name, what in _KEPT.items() if (folder / name).exists()
        )
        said = f"interrupted ({doing}): no verdict. Kept in {folder}: {kept or 'nothing'}"
        leave(said, INTERRUPTED)


def _print(result: "Result", values: dict[str, Any]) -> None:
    from loadtests.audit.command import say

    keys = ("planned", "sent", "dropped", "kills", "freezes", "p99_response_ms")
    typer.echo(", ".join(f"{values[key] or 0:,.6g} {key.replace('_', ' ')}" for key in keys))
    say_thresholds(result.load["thresholds"])
    say(result.verdict)


def when_of(day: int, hours: str) -> "When":
    """The hours of a day as they are written."""
    from loadtests.drill.behaviour import When

    found = re.fullmatch(r"(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)", hours)
    if found is None or not float(found[1]) < float(found[2]) <= 24.0:
        raise typer.BadParameter(f"--hours {hours}: hours of a day such as 18..21")
    return When(day, float(found[1]), float(found[2]))


def keep(path: Path, values: dict[str, Any]) -> None:
    """Write a result, or say why it cannot be written, and leave."""
    from loadtests import jsonfile

    try:
        jsonfile.write(path, values)
    except OSError as error:
        leave(error)


def write_overlay(path: Path, journal: Path, when: "When", *, described: str) -> None:
    """Write the overlay that a journal leads to."""
    from loadtests.drill import behaviour

    found = behaviour.behaviour(journal)
    text = behaviour.overlay(found, when, described=described, sources=[f"replay in {journal}"])
    path.write_text(text, encoding="utf-8")
    typer.echo(f"overlay: {path}", err=True)


def _seconds(option: str, text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)", text)
    if found is None:
        raise typer.BadParameter(f"{option} {text}: no time such as 10s, 500ms or 2m")
    return float(found[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0}[found[2]]


def _timed(plan: "Plan", *, kill_s: float, freeze_s: float, length_s: float) -> "Plan":
    """Freezes come as often as kills, or every ten seconds where nothing is killed."""
    between_s = (kill_s or 10.0) if freeze_s else 0.0
    return replace(
        plan, duration_s=length_s, kill_every_s=kill_s, freeze_every_s=between_s, freeze_s=freeze_s
    )


def _plan(
    source: Path | None,
    folder: Path,
    *,
    store: str,
    spoil: str,
    processes_count: int,
    thresholds: tuple[str, ...],
) -> "Plan":
    """Trace and scenario of what was given. Raises TraceError, LoadError, ServiceFailed,
    ThresholdError."""
    from loadtests import trace
    from loadtests.drill.drill import Plan
    from loadtests.drill.load import LoadError, empty_folder
    from loadtests.drill.service import haproxy
    from loadtests.guarantee_api.spoils import SPOILS
    from loadtests.traffic.make import make
    from loadtests.traffic.rundata import open_run
    from loadtests.traffic.window import parse
    from scenarios import load as loads
    from scenarios.loader import load

    if spoil and spoil not in SPOILS:
        raise LoadError(f"--plant {spoil}: one of {', '.join(SPOILS)}")
    if store and not store.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise LoadError(f"--store {store}: sqlite:///FILE or postgresql://...")
    loads.parse(thresholds)
    if processes_count > 1:
        haproxy()
    if source is None:
        manifests = sorted(RESULTS.glob("*/manifest.json"), key=lambda one: one.stat().st_mtime)
        if not manifests:
            raise LoadError("there is no run in results: `springpeak peak` makes one")
        source = manifests[-1].parent
    if source.is_dir():
        scenario, path = open_run(source).scenario, folder / "trace.parquet"
        made = make(source, asked=parse(PEAK)).trace
        empty_folder(folder)
        trace.write(made, path)
    else:
        trace.read(source)
        scenario, path = load(BASE), source
        empty_folder(folder)
    return Plan(
        trace_path=path,
        folder=folder,
        scenario=scenario,
        store=store,
        spoil=spoil,
        processes_count=processes_count,
        thresholds=thresholds,
    )
