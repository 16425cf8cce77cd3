"""`springpeak replay`: it parses, calls and prints. The front door registers it."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from loadtests.cluster.wire import DEFAULT_BIND
from scenarios.command import INTERRUPTED, leave, stderr

if TYPE_CHECKING:
    from loadtests.replay import Order
    from loadtests.summary import Summary

SHOWN = ("planned", "sent", "ok", "fail", "unknown", "dropped")
TIMES = ("p50_response_ms", "p99_response_ms", "p999_response_ms", "p99_service_ms")


Trace = Annotated[Path, typer.Argument(metavar="TRACE", help="Trace of `springpeak trace`.")]
HostUrl = Annotated[str, typer.Option(metavar="URL", help="Base URL of the API to load.")]
TokenFile = Annotated[Path, typer.Option(help="Tokens of `springpeak tokens`.")]
Speed = Annotated[float, typer.Option(min=1e-3, max=1e4, help="So many times as fast.")]
MappingFile = Annotated[
    Path | None, typer.Option(help="TOML file that points operations at another API.")
]
Thresholds = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help='What must hold: "[OPERATION.]p99_response_ms <= 250"; repeatable. If not given: what '
        "the scenario of the trace says.",
    ),
]
Connections = Annotated[int, typer.Option(min=1, help="Most connections at a time.")]
Timeout = Annotated[float, typer.Option(min=0.001, help="Wait so long, then give up.")]
Attempts = Annotated[
    int, typer.Option(min=1, help="Send so often, same key, until there is a clear answer.")
]
LagLimit = Annotated[
    float, typer.Option(min=0.0, help="The run is invalid if the send lag's p99 is above.")
]
UntilLag = Annotated[
    bool, typer.Option("--until-lag", help="Stop as soon as the send lag is above its limit.")
]
Web = Annotated[
    int | None,
    typer.Option(metavar="PORT", help="Locust's page until Ctrl-C, with /metrics for Prometheus."),
]
Otel = Annotated[bool, typer.Option("--otel", help="Export through Locust's OpenTelemetry hooks.")]
Out = Annotated[
    Path | None, typer.Option(help="Folder for the journal (else results/replay-<time>).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
Anywhere = Annotated[
    bool, typer.Option("--i-may-load-this-host", help="The host is not this machine; I may.")
]


Processes = Annotated[
    int, typer.Option(min=1, max=256, help="Workers that share the trace by its keys.")
]
ExpectWorkers = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=256,
        metavar="N",
        help="Share the trace over so many workers, started on their machines with `springpeak "
        "replay-worker`.",
    ),
]
Bind = Annotated[str, typer.Option(metavar="ADDRESS:PORT", help="Where those workers come to.")]
Trusted = Annotated[
    bool,
    typer.Option(
        "--i-trust-this-network",
        help="--bind is not loopback: whoever reaches it may have trace and tokens.",
    ),
]
WaitS = Annotated[float, typer.Option(min=0.0, help="Wait so long for each other.")]
ClockLimit = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        help="The run is invalid if a worker's clock may be further off its master's (else: the "
        "limit of the send lag).",
    ),
]
MasterAddress = Annotated[
    str, typer.Option(metavar="ADDRESS:PORT", help="What --bind of the replay says.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say only what goes wrong.")]


def replay(
    trace: Trace,
    host: HostUrl,
    token_file: TokenFile,
    speed: Speed = 1.0,
    mapping: MappingFile = None,
    threshold: Thresholds = None,
    connections: Connections = 4000,
    timeout_s: Timeout = 30.0,
    attempts: Attempts = 1,
    lag_limit_ms: LagLimit = 2.0,
    clock_limit_ms: ClockLimit = None,
    until_lag: UntilLag = False,
    processes: Processes = 1,
    expect_workers: ExpectWorkers = None,
    bind: Bind = DEFAULT_BIND,
    trusted: Trusted = False,
    wait_s: WaitS = 120.0,
    web: Web = None,
    otel: Otel = False,
    out: Out = None,
    as_json: AsJson = False,
    anywhere: Anywhere = False,
) -> None:
    """Replay a trace open-loop: every request leaves at its intended time.

    Exit status: 0 thresholds held, 1 broken, 2 wrong input, 3 the run is INVALID: it measured its
    own sender; 130 interrupted: the journal has what was sent until then.
    """
    from loadtests.replay import Order

    order = Order(
        trace=trace,
        url=host,
        token_file=token_file,
        out=out or Path("results") / time.strftime("replay-%Y%m%dT%H%M%S"),
        speed=speed,
        mapping=mapping,
        thresholds=tuple(threshold or ()),
        connections_count_max=connections,
        timeout_s=timeout_s,
        attempts_count_max=attempts,
        lag_limit_ms=lag_limit_ms,
        clock_limit_ms=clock_limit_ms,
        until_lag=until_lag,
        anywhere=anywhere,
        web_port=web,
        otel=otel,
        processes=processes,
        expected_count=expect_workers,
        bind=bind,
        trusted=trusted,
        wait_s=wait_s,
    )
    summary = _run(order)
    if as_json:
        typer.echo(json.dumps(summary.document(), ensure_ascii=False))
    else:
        _print(summary, order.out)
    raise typer.Exit(INTERRUPTED if "interrupted" in summary.reasons else summary.status)


def replay_worker(master: MasterAddress, wait_s: WaitS = 120.0, quiet: Quiet = False) -> None:
    """Send a share of a replay on another machine: `springpeak replay --expect-workers`.

    It is given trace, tokens and settings, and hands its journal over. Exit status: 0 all was sent,
    1 it was stopped early, 2 wrong input or no master, 130 interrupted.
    """
    from loadtests.cluster import follower
    from loadtests.cluster.wire import ClusterError, address

    say = (lambda _: None) if quiet else (lambda text: typer.echo(text, err=True))
    try:
        all_sent = follower.follow(address(master), wait_s=wait_s, say=say)
    except ClusterError as error:
        leave(error)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(0 if all_sent else 1)


def _run(order: "Order") -> "Summary":
    """Replay with a line of progress, or say what is wrong and leave."""
    from loadtests.replay import ReplayError, prepare
    from loadtests.replay import replay as run

    columns = (TextColumn("{task.description}"), TimeElapsedColumn())
    try:
        prepared = prepare(order)
        planned_count = prepared.trace.steps.height
        # Drawn once a second by hand: a thread that draws would make the sender late.
        with Progress(*columns, console=stderr(), auto_refresh=False) as progress:
            task = progress.add_task("starts")

            def watch(counts: dict[str, int], lag_ns: int) -> None:
                said = ", ".join(f"{counts[name]:,} {name}" for name in SHOWN[2:])
                text = f"{counts['sent']:,} of {planned_count:,} sent: {said}; "
                text += f"send lag p99 {lag_ns / 1e6:.2f} ms"
                progress.update(task, description=text, refresh=True)

            def say(text: str) -> None:
                progress.update(task, description=text, refresh=True)

            return run(prepared, watch, say)
    except ReplayError as error:
        leave(error)
    except KeyboardInterrupt:
        kept = order.out.is_dir() and any(order.out.iterdir())
        said = f"; what was sent is in {order.out}" if kept else " before anything was sent"
        leave(f"interrupted{said}", INTERRUPTED)


def _print(summary: "Summary", out: Path) -> None:
    table = Table("operation", *SHOWN, *(name.replace("_", " ") for name in TIMES))
    for name, figures in (*summary.operations.items(), ("all", summary.figures)):
        times = (figures[one] for one in TIMES)
        cells = ["-" if value is None else f"{value:,.2f}" for value in times]
        table.add_row(name, *(f"{figures[one]:,}" for one in SHOWN), *cells)
    Console(width=None if Console().is_terminal else 200).print(table)
    say_thresholds([asdict(one) for one in summary.thresholds])
    for reason in summary.reasons:
        typer.echo(f"INVALID: {reason}")
    if summary.clocks:
        off_ms = max(one["off_ms_max"] for one in summary.clocks)
        typer.echo(f"workers' clocks: at most {off_ms:.3f} ms off their master's")
    lag_ms = summary.figures["send_lag_p99_ms"]
    said = "nothing was sent" if lag_ms is None else f"send lag p99 {lag_ms:.3f} ms"
    typer.echo(f"{summary.verdict}, {said}; journal: {out}")


def say_thresholds(findings: Sequence[Mapping[str, Any]]) -> None:
    """Print each threshold, what was measured, and whether it holds."""
    for one in findings:
        value = "not measured" if one["value"] is None else f"{one['value']:.6g}"
        typer.echo(f"{'held  ' if one['held'] else 'BROKEN'} {one['text']}: {value}")
