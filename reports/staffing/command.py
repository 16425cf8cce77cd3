"""`springpeak staff`: from a scenario to a lawful roster that a simulation proves."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from reports.command import Lang
from reports.language import file_name, say, speaking
from scenarios.command import (
    BASE,
    INTERRUPTED,
    Overlays,
    ScenarioName,
    Sets,
    refuse,
    resolve,
    stderr,
)
from sim.experiment.command import (
    ClusterAddress,
    Seed,
    Workers,
    on_cluster,
    place,
    run_errors,
)
from sim.staffing.intraday_command import ActualsFile, AsJson, Now, replan_day

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from scenarios.problems import Problem
    from scenarios.scenario import Scenario
    from sim.staffing.study import Findings, Setting
    from sim.staffing.worth import Worth
    from sim.theory.targets import Target

RISK: Final = (0.5, 0.999)
Targets = Annotated[
    list[str] | None,
    typer.Option(metavar="TARGET", help="80/20, p_abandon<=0.03, ...; repeatable."),
]
PlanFolder = Annotated[
    str | None,
    typer.Option(
        metavar="PATH|URL",
        help="Folder of the plan (else results/staff-<scenario>); a URL gets a copy of that.",
    ),
]


def staff(
    scenario: ScenarioName = BASE,
    overlay: Overlays = None,
    sets: Sets = None,
    target: Targets = None,
    risk: Annotated[
        float, typer.Option(help="Share of days on which it must hold, 0.5 to 0.999.")
    ] = 0.95,
    heads: Annotated[
        int | None, typer.Option(min=1, help="Headcount asked about (the scenario's if not given).")
    ] = None,
    replications: Annotated[
        int, typer.Option(min=2, help="Replications that the need is found with.")
    ] = 12,
    proof_replications: Annotated[
        int, typer.Option(min=2, help="Others, on which everything is shown.")
    ] = 20,
    seed: Seed = 1,
    workers: Workers = None,
    out: PlanFolder = None,
    cluster: ClusterAddress = None,
    actuals: ActualsFile = None,
    now: Now = None,
    as_json: AsJson = False,
    lang: Lang = "en",
) -> None:
    """Find a lawful roster, prove it by simulation, and say whether the heads are enough.

    With --actuals and --now instead: the rest of that day anew, and what to do about it.
    """
    from scenarios.problems import Problem
    from sim.staffing.study import Setting
    from sim.theory.question import parse_targets

    resolved = resolve(scenario, overlay, sets).scenario
    problems: list[Problem] = []
    asked = parse_targets(target or [], problems)
    own, url = place(out)
    folder = own or Path("results") / f"staff-{resolved.name}"
    problems += _wrong(risk, folder)
    if problems:
        refuse(tuple(problems))
    if actuals is not None or now is not None:
        if cluster is not None:
            raise typer.BadParameter("--cluster plans a festival; a day's rest takes one machine")
        replan_day(
            resolved,
            actuals=actuals,
            now=now,
            targets=asked,
            risk_ratio=risk,
            seed=seed,
            replications=replications,
            workers=workers or os.cpu_count() or 1,
            as_json=as_json,
        )
        return
    setting = Setting(
        heads_count=heads or resolved.support.heads_count,
        targets=asked,
        risk_ratio=risk,
        fit=range(replications),
        proof=range(replications, replications + proof_replications),
    )
    with speaking(lang), on_cluster(cluster, workers) as (count, executor):
        planned = _with_targets(resolved, asked)
        _plan(planned, setting, folder, seed=seed, workers=count, executor=executor)
    if url:
        _copy(folder, url)


def _wrong(risk_ratio: float, folder: Path) -> "list[Problem]":
    """What is wrong with the risk and the folder."""
    from scenarios.problems import Problem

    problems = []
    low, high = RISK
    if not low <= risk_ratio <= high:
        message = f"{risk_ratio:g} is no share of days between {low:g} and {high:g}"
        problems.append(Problem(file="--risk", message=message, hint="0.95: 19 days in 20"))
    if folder.exists() and not (folder.is_dir() and (folder / "summary.json").exists()):
        message = f"{folder} exists and is no staffing plan"
        problems.append(Problem(file="--out", message=message, hint="choose another one"))
    return problems


def _plan(
    scenario: "Scenario",
    setting: "Setting",
    folder: Path,
    *,
    seed: int,
    workers: int,
    executor: "Executor | None",
) -> None:
    """Find, prove and write the plan."""
    from scenarios.problems import Problem
    from sim.staffing.floors import Tapes
    from sim.staffing.start import TargetError, asked_of
    from sim.staffing.study import Study
    from sim.staffing.worth import worths

    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr()) as progress:
        bars: dict[str, object] = {}

        def tell(what: str, done: int, planned: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=planned)
            progress.update(bars[what], completed=done, total=planned)  # type: ignore[arg-type]

        try:
            asked_of(scenario, setting.targets)
            folder.parent.mkdir(parents=True, exist_ok=True)
            with Tapes.open(
                scenario, seed=seed, workers=workers, executor=executor, beside=folder
            ) as tapes:
                found = Study(tapes, setting, tell).findings()
                worth = worths(found, tapes.pool, tell)
        except TargetError as error:
            refuse((Problem(file="--target", message=str(error)),))
        except KeyboardInterrupt:
            kept = f"; {folder} is as it was" if folder.exists() else ""
            stderr().print(f"interrupted: nothing was written{kept}")
            raise typer.Exit(INTERRUPTED) from None
    _write(folder, found, worth)


def _copy(folder: Path, url: str) -> None:
    """Put the plan to a URL."""
    from sim.experiment.rundir import RunDirectory
    from sim.experiment.runner import mirror_of

    with run_errors():
        mirror_of(url, RunDirectory(folder)).put_all()
    typer.echo(f"copied to {url}")


def _write(folder: Path, found: "Findings", worth: "list[Worth]") -> None:
    """Write the folder and print the answers."""
    from reports.staffing import page, workbook
    from reports.staffing.words import sentences
    from sim.staffing import files
    from sim.staffing.curve import answers

    with files.whole(folder) as part:
        files.write(part, found, said=answers(found), worth=worth)
        workbook.write(part)
        page.write(part)
    for sentence in sentences(folder):
        typer.echo(sentence)
    typer.echo(say("page: {page}", page=folder / file_name(page.FILE_NAME)))
    command = f"springpeak run --overlay {folder / files.OVERLAY}"
    typer.echo(say("plan: {folder}; {command} simulates it", folder=folder, command=command))


def _with_targets(scenario: "Scenario", asked: "list[Target]") -> "Scenario":
    """The scenario whose own targets are the ones asked for, where it knows such targets."""
    from scenarios.scenario import Scenario as Whole

    values = scenario.model_dump()
    own = values["support"]["targets"]
    for one in asked:
        if one.measure == "sl_of_offered" and one.at_least:
            for channel in ("phone", "im"):
                own[channel]["service_level_ratio"] = one.bound
                if one.threshold_s is not None:
                    own[channel]["threshold_s"] = one.threshold_s
        if one.measure == "p_abandon" and not one.at_least:
            own["abandoned_ratio"] = one.bound
    return Whole.model_validate(values)
