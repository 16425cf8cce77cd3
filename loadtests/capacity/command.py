"""`springpeak capacity`: it parses, calls and prints. The front door registers it."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from loadtests.drill.command import (
    RESULTS,
    Day,
    Hours,
    Thresholds,
    WrittenOverlay,
    keep,
    when_of,
    write_overlay,
)
from scenarios.command import INTERRUPTED, leave, stderr

if TYPE_CHECKING:
    from loadtests.capacity.plan import Capacity


Source = Annotated[
    Path,
    typer.Argument(metavar="RUN|TRACE", help="A run, whose busiest minutes are sent, or a trace."),
]
WorkerCounts = Annotated[str, typer.Option(help="Numbers of serving processes to measure.")]
Peak = Annotated[
    float | None,
    typer.Option(min=0.001, help="Requests per second needed (else the trace's own peak)."),
]
StepLength = Annotated[float, typer.Option(min=0.5, help="Seconds of each step.")]
Start = Annotated[float, typer.Option(min=1.0, help="Rate of the first step, per second.")]
AtMost = Annotated[float, typer.Option(min=1.0, help="Highest rate to try, per second.")]
Precision = Annotated[float, typer.Option(min=0.01, help="Width of the interval, as a ratio.")]
LagLimit = Annotated[
    float, typer.Option(min=0.0, help="A step whose send lag's p99 is above proves nothing.")
]
Out = Annotated[Path | None, typer.Option(help="Folder to write (else results/capacity-<time>).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def capacity(
    source: Source,
    *,
    threshold: Thresholds = None,
    workers: WorkerCounts = "1,2",
    peak: Peak = None,
    step: StepLength = 5.0,
    start: Start = 500.0,
    at_most: AtMost = 16_000.0,
    precision: Precision = 0.1,
    lag_limit_ms: LagLimit = 20.0,
    overlay: WrittenOverlay = None,
    day: Day = 2,
    hours: Hours = "18..21",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Find the load that the reference API carries, and how many workers the peak needs.

    Exit status: 0 done, 2 wrong input, 130 interrupted.
    """
    from loadtests.capacity.plan import Order, measure
    from loadtests.drill.load import LoadError
    from loadtests.drill.member import ServiceFailed
    from loadtests.trace import TraceError
    from scenarios.load import ThresholdError

    when = when_of(day, hours)
    folder = out or RESULTS / time.strftime("capacity-%Y%m%dT%H%M%S")
    order = Order(
        source=source,
        folder=folder,
        thresholds=tuple(threshold or ()),
        workers=_counts(workers),
        peak_per_s=peak,
        step_s=step,
        start_per_s=start,
        most_per_s=at_most,
        precision_ratio=precision,
        lag_limit_ms=lag_limit_ms,
    )
    try:
        with stderr().status("preparing") as status:
            found = measure(order, status.update)
        values = found.document()
    except (LoadError, ServiceFailed, ThresholdError, TraceError) as error:
        leave(error)
    except KeyboardInterrupt:
        leave(f"interrupted: what was measured so far is in {folder}", INTERRUPTED)
    keep(folder / "capacity.json", values)
    if overlay is not None:
        described = f"The guarantee API as measured at {found.peak_per_s:.0f} requests per second"
        write_overlay(overlay, found.at_peak, when, described=described)
    if as_json:
        typer.echo(json.dumps(values, ensure_ascii=False))
    else:
        _print(found)


def _counts(text: str) -> tuple[int, ...]:
    try:
        counts = tuple(sorted({int(one) for one in text.split(",")}))
    except ValueError:
        counts = ()
    if not counts or counts[0] < 1:
        raise typer.BadParameter(f"--workers {text}: numbers such as 1,2,4")
    return counts


def _print(found: "Capacity") -> None:
    from loadtests.capacity.scaling import plural

    table = Table("workers", "rate per s", "", "p99 response ms", "failed ratio", "send lag p99 ms")
    for workers, limit in found.limits.items():
        for step in limit.steps:
            keys = ("p99_response_ms", "failed_ratio", "send_lag_p99_ms")
            cells = [f"{step.figures[key] or 0:,.4g}" for key in keys]
            table.add_row(str(workers), f"{step.rate_per_s:,.0f}", step.word, *cells)
    Console(width=None if Console().is_terminal else 120).print(table)
    for workers, limit in found.limits.items():
        above = f"{limit.high_per_s:,.0f}" if limit.proven else "more: the load could not be made"
        carry = "carries" if workers == 1 else "carry"
        rates = f"{limit.low_per_s:,.0f} to {above} requests per second"
        typer.echo(f"{plural(workers)} {carry} {rates}")
    for line in concluded(found):
        typer.echo(line)


def concluded(found: "Capacity") -> list[str]:
    """What the measurements come to: the law, or why there is none, and the workers needed."""
    from loadtests.capacity.scaling import plural

    law, doubts, needed = found.laws()[0], found.doubts(), found.workers_needed()
    low, high = needed["low"], needed["high"]
    if doubts:
        said = [f"scalability law: does not fit what was measured: {'; '.join(doubts)}"]
    else:
        numbers = (
            f"contention {law.contention_ratio:.3f}, coherency {law.coherency_ratio:.4f}"
            if len(found.limits) > 1
            else "perfect scaling assumed, since one number of workers was measured"
        )
        said = [f"scalability law: {law.per_worker_per_s:,.0f} per worker and second, {numbers}"]
    peak = f"the peak of {found.peak_per_s:,.0f} requests per second"
    if low is None:
        return [*said, f"{peak}: no number of workers carries it"]
    if high is None:
        why = (
            "none of the measured numbers carried it" if doubts else "perhaps no number carries it"
        )
        return [*said, f"{peak} needs at least {plural(low)}; {why}"]
    between = plural(high) if low == high else f"{low} to {plural(high)}"
    return [*said, f"{peak} needs {between}{' (as measured, not by the law)' if doubts else ''}"]
