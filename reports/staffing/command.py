"""`springpeak staff`: from a scenario to a lawful roster that a simulation proves."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.progress import Progress, TimeElapsedColumn

from scenarios.command import BASE, Overlays, ScenarioName, Sets, refuse, resolve, stderr
from sim.experiment.command import INTERRUPTED, Seed, Workers
from sim.staffing.intraday_command import ActualsFile, AsJson, Now, replan_day

if TYPE_CHECKING:
    from scenarios.scenario import Scenario
    from sim.staffing.curve import Answers
    from sim.staffing.proof import Proof, Proven, Setting
    from sim.staffing.worth import Worth
    from sim.theory.targets import Target

ROUNDS: Final = 2


def staff(
    scenario: ScenarioName = BASE,
    overlay: Overlays = None,
    sets: Sets = None,
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="TARGET", help="80/20, p_abandon<=0.03, ...; repeatable."),
    ] = None,
    risk: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Share of days on which it must hold.")
    ] = 0.95,
    heads: Annotated[
        int | None, typer.Option(min=1, help="Headcount asked about (the scenario's if not given).")
    ] = None,
    replications: Annotated[int, typer.Option(min=2, help="Replications of each simulation.")] = 8,
    seed: Seed = 1,
    workers: Workers = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the plan (else results/staff-<scenario>).")
    ] = None,
    actuals: ActualsFile = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Find a lawful roster, prove it by simulation, and say whether the heads are enough.

    With --actuals and --now instead: the rest of that day anew, and what to do about it.
    """
    from scenarios.problems import Problem
    from sim.staffing.proof import Setting
    from sim.theory.question import parse_targets

    resolved = resolve(scenario, overlay, sets).scenario
    problems: list[Problem] = []
    asked = parse_targets(target or [], problems)
    folder = out or Path("results") / f"staff-{resolved.name}"
    if folder.exists() and not (folder.is_dir() and (folder / "summary.json").exists()):
        message = f"{folder} exists and is no staffing plan"
        problems.append(Problem(file="--out", message=message, hint="choose another one"))
    if problems:
        refuse(tuple(problems))
    workers = workers or os.cpu_count() or 1
    if actuals is not None or now is not None:
        replan_day(
            resolved,
            actuals=actuals,
            now=now,
            targets=asked,
            risk_ratio=risk,
            seed=seed,
            replications=replications,
            workers=workers,
            as_json=as_json,
        )
        return
    setting = Setting(seed=seed, replications=range(replications), workers=workers, risk_ratio=risk)
    _plan(_with_targets(resolved, asked), asked, heads, setting, folder)


def _plan(
    scenario: "Scenario",
    asked: "list[Target]",
    heads: int | None,
    setting: "Setting",
    folder: Path,
) -> None:
    """Find, prove and write the plan."""
    from sim.staffing.proof import Proof

    count = heads or scenario.support.heads_count
    columns = (*Progress.get_default_columns(), TimeElapsedColumn())
    with Progress(*columns, console=stderr()) as progress:
        bars: dict[str, object] = {}

        def say(what: str, done_count: int) -> None:
            if what not in bars:
                total = len(setting.replications) if "simulation" in what else 1
                bars[what] = progress.add_task(what, total=total)
            progress.advance(bars[what], done_count)  # type: ignore[arg-type]

        proof = Proof(scenario, setting, say)
        try:
            found, mine = _prove(proof, asked, count, setting, progress)
        except KeyboardInterrupt:
            stderr().print("interrupted; nothing was written")
            raise typer.Exit(INTERRUPTED) from None
    _write(folder, proof, found, mine)


def _prove(
    proof: "Proof", asked: "list[Target]", count: int, setting: "Setting", progress: Progress
) -> "tuple[list[Proven], Proven]":
    """The headcount asked about, and the fewest heads that its need asks for."""
    from scenarios.problems import Problem
    from sim.staffing.need import heads_for
    from sim.staffing.requirement import TargetError, required

    scenario = proof.planner.scenario
    task = progress.add_task("agents needed", total=None)
    try:
        requirement = required(
            scenario,
            targets=asked,
            risk_ratio=setting.risk_ratio,
            seed=setting.seed,
            replications=len(setting.replications),
            workers=setting.workers,
            progress=lambda done, planned: progress.update(task, completed=done, total=planned),
        )
    except TargetError as error:
        refuse((Problem(file="--target", message=str(error)),))
    mine, need = proof.prove(heads_for(requirement, scenario), heads_count=count, rounds=ROUNDS)
    found = [mine]
    fewest = proof.planner.fewest_heads(need)
    if fewest != count:
        found.append(proof.prove(need, heads_count=fewest, rounds=1)[0])
    return found, mine


def _write(folder: Path, proof: "Proof", found: "list[Proven]", mine: "Proven") -> None:
    """Write the folder and print the answers."""
    from reports.staffing import workbook
    from sim.staffing import files
    from sim.staffing.curve import answers
    from sim.staffing.worth import worths

    worth = worths(proof.planner, mine.plan)
    said = answers(found, mine.plan.heads_count)
    with files.whole(folder) as part:
        breaches_count = files.write(
            part, planner=proof.planner, proven=found, mine=mine, said=said, worth=worth
        )
        workbook.write(part)
    for sentence in _sentences(said, mine, breaches_count) + [_worth(one) for one in worth]:
        typer.echo(sentence)
    missed = json.loads((folder / files.SUMMARY).read_text(encoding="utf-8"))["missed_because"]
    typer.echo(
        f"half hours by skill that cannot be held: {missed['heads']:,} for want of heads, "
        f"{missed['chance']:,} by chance; required.csv names them"
    )
    typer.echo(f"plan: {folder}; springpeak run --overlay {folder / files.OVERLAY} simulates it")


def _sentences(said: "Answers", mine: "Proven", breaches_count: int) -> list[str]:
    """The answers in words."""
    verdict = "enough" if said.enough else "not enough"
    chance, roster = said.probability, mine.plan.roster
    sentences = [
        f"{said.heads_count:,} heads are {verdict}: the target holds at the stated risk in "
        f"{said.good_intervals_ratio:.1%} of intervals; a season keeps it in 95 % of its intervals "
        f"with probability {chance.mean:.0%} ({chance.low:.0%} to {chance.high:.0%}, "
        f"{chance.n} replications)"
    ]
    fails, holds = said.fewest
    if holds is not None:
        above = f", {fails:,} are not" if fails is not None else ""
        sentences.append(f"the smallest headcount tried that is enough: {holds:,}{above}")
    else:
        sentences.append(f"no headcount tried is enough; the largest was {fails:,}")
    if said.last_agent is not None:
        wage, saved = said.last_agent
        price = f"CNY {wage.mean / saved.mean / 100:,.2f}" if saved.mean > 0.0 else "nothing gained"
        sentences.append(
            f"between the headcounts tried, wages differ by CNY {wage.mean / 100:,.0f} and "
            f"{saved.mean:,.0f} fewer contacts are abandoned: {price} a contact"
        )
        times = ", ".join(f"{name} {value:.0f}x" for name, value in said.saved.items())
        sentences.append(f"replications saved by common random numbers: {times}")
    sentences.append(
        f"roster: CNY {roster.cost_fen / 100:,.0f}, {roster.gap_ratio:.2%} from its bound; "
        f"{mine.plan.uncovered.sum() / 2.0:,.1f} hours uncovered; {breaches_count} breaches of law"
    )
    return sentences


def _worth(one: "Worth") -> str:
    """What an option is worth, in words."""
    heads = f" and {one.heads_count:,} heads" if one.heads_count is not None else ""
    return f"without {one.option.replace('_', ' ')}: CNY {one.cost_fen / 100:,.0f}{heads} more"


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
