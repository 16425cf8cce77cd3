"""`springpeak backtest`: it parses, calls, and prints. Exit status: 0 done, 2 wrong input."""

import json
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.progress import Progress
from rich.table import Table

from reports.command import Lang
from reports.folder import usable
from reports.language import say, speaking
from scenarios.command import stderr, stdout
from sim.experiment.command import run_errors
from sim.fit.options import (
    Abandoned,
    Answered,
    Columns,
    Form,
    Logs,
    Seed,
    Zone,
    log_errors,
    reading,
)

if TYPE_CHECKING:
    from sim.backtest.backtest import Backtest, Fitted
    from sim.fit.hours import Hours
    from sim.fit.logs import ContactLog

Fit = Annotated[
    Path, typer.Argument(metavar="FITTED", help="What `springpeak fit contacts` wrote.")
]
Roster = Annotated[
    Path | None,
    typer.Option(help="start_at, end_at, agents_count (else the presence that the log shows)."),
]
Folder = Annotated[Path, typer.Option("-o", "--out", help="Folder of backtest.json and page.")]
Threshold = Annotated[
    float, typer.Option(metavar="SECONDS", help="Wait up to which a contact is answered in time.")
]


def backtest(
    fitted: Fit,
    logs: Logs,
    roster: Roster = None,
    out: Folder = Path("results/backtest"),
    arrivals: Annotated[
        Literal["logged", "drawn"],
        typer.Option(help="Contacts as they came, or drawn from the fitted profile."),
    ] = "logged",
    replications: Annotated[int, typer.Option(min=10, help="Replays of each day.")] = 60,
    threshold: Threshold = 20.0,
    column: Columns = None,
    time_zone: Zone = None,
    time_format: Form = None,
    answered: Answered = "answered",
    abandoned: Abandoned = "abandoned",
    seed: Seed = 1,
    lang: Lang = "en",
) -> None:
    """Simulate a log's past days with the staffing that it shows, beside Erlang C and Erlang A."""
    from sim.backtest.backtest import backtest as replayed
    from sim.backtest.drawn import ArrivalLaw
    from sim.backtest.roster import read_roster
    from sim.fit.logs import read
    from sim.fit.problems import LogError

    with log_errors():
        if not (threshold >= 0.0 and isfinite(threshold)):
            raise LogError(f"--threshold {threshold:g}: should be seconds, 0 or more")
        said, floor = _floor(fitted)
        way = reading(column, time_zone, time_format, answered=answered, abandoned=abandoned)
        presence = read_roster(roster, way.clock) if roster else None
        with run_errors():
            usable(out)
        log = read(logs, way)
        law = ArrivalLaw.of(said) if arrivals == "drawn" else None
        if law is not None:
            law.check(log)
        if presence is None and not (log.agent >= 0).any():
            raise LogError(f"{log.name}: names no agents; give their numbers with --roster")
        if log.abandoned.all():
            raise LogError(
                f"{log.name}: no contact was answered, so that nothing tells how long they take"
            )
        with Progress(console=stderr()) as bar:
            task = bar.add_task("replaying", total=replications)
            found = replayed(
                log,
                floor,
                replications=replications,
                seed=seed,
                presence=presence,
                arrivals=law,
                threshold_s=threshold,
                progress=lambda done: bar.update(task, completed=done),
            )
        _check_hours(found.hours, log, roster)
    document = {
        **found.document(),
        "fitted_on": said["source"],
        "log": log.name,
        "arrivals": arrivals,
        "staffing": roster.name if roster else "as the log shows",
        "threshold_s": threshold,
        "set_aside": log.aside.lines(),
    }
    for line in (*log.aside.lines(), *_remarks(found, log, said, roster)):
        stderr().print(line, style="yellow", markup=False, soft_wrap=True)
    with speaking(lang):
        _say(document, out, contacts_count=len(log), aside_count=log.aside.total)


def _floor(fitted: Path) -> "tuple[dict[str, Any], Fitted]":
    """What stands beside an overlay, and its floor. Raises LogError where it knows none."""
    from sim.backtest.backtest import Fitted
    from sim.fit.overlay import read
    from sim.fit.problems import LogError

    said = read(fitted)
    if said.get("kind") != "contacts" or said.get("floor") is None:
        raise LogError(
            f"{fitted}: knows no floor; `springpeak fit contacts` finds one in a log that names "
            "agents"
        )
    try:
        return said, Fitted.of(said)
    except (KeyError, TypeError, ValueError) as error:
        raise LogError(
            f"{fitted}: the floor in the file beside it cannot be read ({error}): it was changed "
            "or is of another version; fit the log again"
        ) from None


def _check_hours(hours: "Hours", log: "ContactLog", roster: Path | None) -> None:
    """Raises LogError where nothing can be told by the hour."""
    from sim.fit.hours import FEWEST_AGENTS, FEWEST_CONTACTS
    from sim.fit.problems import LogError

    if not hours.used.any():
        raise LogError(
            f"{log.name}: no hour has {FEWEST_CONTACTS} contacts and {FEWEST_AGENTS:g} agents "
            "present, so that nothing can be told; give more days"
            + (f", or those of {roster}" if roster else "")
        )


def _remarks(
    found: "Backtest", log: "ContactLog", said: dict[str, Any], roster: Path | None
) -> Iterator[str]:
    """What of the log the fit or the roster does not cover, or the fit has seen."""
    if found.days_fitted_count:
        yield (
            f"{log.name}: {found.days_fitted_count} of its days were fitted on as well: a fit is "
            "nearer to days that it has seen than it will be to others"
        )
    nobody = found.hours.agents <= 0.0
    if roster and nobody.any():
        yield (
            f"{roster}: has no agents in {nobody.sum()} hours in which contacts came, "
            f"{found.observed.offered[nobody].sum():.0f} in all; the overall figures have them "
            "unanswered, the hourly ones leave them out"
        )
    known = {part["queue"] for part in said["floor"]["waiting"]}
    strange = [queue for queue in log.queues if queue and queue not in known]
    if strange:
        yield (
            f"{log.name}: nobody waited in {', '.join(strange)} when {said['source']} was fitted: "
            "contacts there are as ready to leave as those of all other queues together"
        )


def _say(document: dict[str, Any], out: Path, *, contacts_count: int, aside_count: int) -> None:
    """Write the files, print what came out and where the page is."""
    from reports.backtest.page import write
    from sim.experiment.files import replacing
    from sim.fit.overlay import finite

    document = finite(document)
    with run_errors():
        out.mkdir(parents=True, exist_ok=True)
        page = write(document, out)
        with replacing(out / "backtest.json") as unfinished:
            unfinished.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    stdout().print(_table(document))
    used = {"used": contacts_count, "aside": aside_count}
    told = {"told": document["intervals"], "left": document["intervals_left_out"]}
    typer.echo(say("{used} contacts used, {aside} rows set aside", **used))
    typer.echo(say("{told} hours told of, {left} left out", **told))
    typer.echo(say("page: {page}", page=page))


def _table(document: dict[str, Any]) -> Table:
    table = Table("figure", "observed", "simulated", "erlang_a", "erlang_c")
    for name in ("abandoned_ratio", "mean_wait_s", "service_level_ratio"):
        cells = [
            document["observed"][name],
            document["simulated"][name]["mean"],
            document["erlang_a"][name],
            document["erlang_c"][name],
        ]
        said = [f"{value:.4g}" for value in cells]
        wide = document["foretold"][name]
        if wide["low"] is not None:
            said[1] += f" ({wide['low']:.4g} to {wide['high']:.4g})"
        table.add_row(name, *said)
    for name in ("mae_abandoned_ratio_hourly", "mae_mean_wait_s_hourly"):
        said = document[name]
        table.add_row(
            name, "", *(f"{said[who]:.4g}" for who in ("simulated", "erlang_a", "erlang_c"))
        )
    for level, share in document["coverage"].items():
        # What a band should hold is in its name: nothing of it was observed.
        table.add_row(f"hours inside the {float(level):.0%} band", "", f"{share:.3f}", "", "")
    return table
