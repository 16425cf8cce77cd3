"""`springpeak staff --actuals FILE --now TIME`: parses, replans the day, and prints.

Called by the `staff` command. Exit status: 0 done, 2 wrong input, 130 interrupted.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from scenarios.command import INTERRUPTED, refuse, stderr, stdout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.scenario import Scenario
    from sim.staffing.intraday import Replan
    from sim.theory.targets import Target

ActualsFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Counts of the day so far, as CSV: interval_start, skill, offered[, answered].",
    ),
]
Now = Annotated[str | None, typer.Option(metavar="TIME", help="The clock, e.g. 2026-02-18T14:00.")]
AsJson = Annotated[bool, typer.Option("--json", help="With --actuals: print JSON.")]


def replan_day(
    scenario: "Scenario",
    *,
    actuals: Path | None,
    now: str | None,
    targets: "Sequence[Target]",
    risk_ratio: float,
    seed: int,
    replications: int,
    workers: int,
    as_json: bool,
) -> None:
    """Prints what the rest of the day needs and what to do about it."""
    from rich.progress import Progress

    from scenarios.problems import Problem, ScenarioProblems
    from sim.staffing.actuals import clock, read_actuals
    from sim.staffing.intraday import replan
    from sim.theory.targets import contradictions

    if actuals is None or now is None:
        place, needs = ("--now", "--actuals FILE") if actuals is None else ("--actuals", "--now")
        refuse((Problem(file=place, message=f"needs {needs}", hint="give both, or neither"),))
    problems = [Problem(file="--target", message=said) for said in contradictions(targets)]
    try:
        told = clock(now, scenario)
        counted = read_actuals(actuals, told)
    except ScenarioProblems as error:
        refuse((*problems, *error.problems))
    if problems:
        refuse(tuple(problems))
    try:
        with Progress(console=stderr()) as bar:
            task = bar.add_task("forecast of the day", total=None)
            found = replan(
                scenario,
                counted,
                told,
                targets=targets,
                risk_ratio=risk_ratio,
                seed=seed,
                replications=replications,
                workers=workers,
                progress=lambda done, planned: bar.update(task, completed=done, total=planned),
            )
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except ValueError as error:
        refuse((Problem(file="--target", message=str(error)),))
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2, default=str))
    else:
        _print(found)


def _print(found: "Replan") -> None:
    for skill, (mean, low, high) in found.levels.items():
        band = f"{low:.3f} to {high:.3f}"
        typer.echo(f"{skill}: the day runs at {mean:.3f} of its forecast ({band})")
    heads = ("from", "skill", "forecast", "now expected", "90 % interval", "agents", "needed")
    outlook = Table(*heads)
    for one in found.outlook:
        outlook.add_row(
            f"{one.starts:%H:%M}",
            one.skill,
            f"{one.forecast_count:.0f}",
            f"{one.offered_count:.0f}",
            f"{one.offered_low:.0f} to {one.offered_high:.0f}",
            str(one.agents),
            str(one.required),
        )
    advice = Table("hour", "what", "agents", "from", "to", "service level", "abandoned")
    for step in found.advice:
        advice.add_row(
            f"{step.starts:%H:%M}",
            step.kind.replace("_", " "),
            str(step.agents),
            step.from_skill,
            step.to_skill,
            f"{step.service_level_before_ratio:.3f} -> {step.service_level_after_ratio:.3f}",
            f"{step.abandoned_before_count:.1f} -> {step.abandoned_after_count:.1f}",
        )
    console = stdout()
    console.print(outlook)
    console.print(advice)
