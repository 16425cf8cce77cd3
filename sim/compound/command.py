"""`springpeak theory compound`: it parses, calls the exact engine, and prints.

Registered by sim/theory/command.py. Exit status: 0 done, 2 wrong input, with one line that names
the option, the value and what would be right, 130 interrupted.
"""

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from scenarios.command import INTERRUPTED, leave, stderr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.compound.frequency import Frequency
    from sim.compound.grid import Report
    from sim.compound.severity import Severity
    from sim.compound.total import Total

Law = Annotated[
    str,
    typer.Option(
        metavar="LAW",
        help="One claim: lognormal:mean=120,cv=0.8, gamma:mean=120,cv=0.8, exponential:mean=1 "
        "or discrete:1=0.5,2=0.3,5=0.2.",
    ),
]


def compound(
    severity: Law,
    *,
    claims: Annotated[
        float | None, typer.Option(metavar="MEAN", help="Mean number of claims (Poisson).")
    ] = None,
    days: Annotated[
        str | None,
        typer.Option(metavar="MEANS", help="Mean numbers by day instead, e.g. 800,950,1400."),
    ] = None,
    mixing_cv: Annotated[
        float, typer.Option(help="CV of each day's own gamma factor (negative binomial counts).")
    ] = 0.0,
    common_cv: Annotated[
        float, typer.Option(help="CV of one gamma factor on the means of all days.")
    ] = 0.0,
    deductible: Annotated[
        float, typer.Option(help="Taken off every claim first, in the claim's unit.")
    ] = 0.0,
    cap: Annotated[
        float | None, typer.Option(help="Most that is paid of what is left, in the claim's unit.")
    ] = None,
    recovered_ratio: Annotated[
        float, typer.Option(help="Share of claims recovered in full, whatever their size.")
    ] = 0.0,
    quantiles: Annotated[
        str, typer.Option(metavar="LEVELS", help="Levels of VaR and TVaR, each inside (0, 1).")
    ] = "0.5,0.9,0.95,0.99",
    exceeds: Annotated[
        str | None,
        typer.Option(metavar="AMOUNTS", help="Amounts whose exceedance probability is asked."),
    ] = None,
    step: Annotated[
        float | None, typer.Option(help="A grid of your own: its step. With --points.")
    ] = None,
    points: Annotated[
        int | None, typer.Option(help="A grid of your own: its number of nodes. With --step.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Exact distribution of a sum of claims: mean, sd, VaR and TVaR (expected shortfall)."""
    grid = f"--step {step:g} --points {points}" if step is not None else "grid"
    with _watched(grid) as report:
        from sim.compound import fourier, words
        from sim.compound.total import exhaustion

        frequency = _frequency(claims, days, mixing_cv=mixing_cv, common_cv=common_cv)
        paid = _paid(severity, deductible=deductible, cap=cap, recovered_ratio=recovered_ratio)
        levels = words.numbers(quantiles, name="quantiles")
        amounts = words.numbers(exceeds, name="exceeds") if exceeds is not None else {}
        _check_asked(levels, amounts)
        _check_grid(step, points)

        def total_of(law: "Frequency") -> "Total":
            return fourier.compound(law, paid, step=step, points=points or 0, report=report)

        total = total_of(frequency)
        said = _answers(total, levels, amounts)
        if days is not None and amounts:
            by_day = [total_of(frequency.until(day)) for day in range(1, len(frequency.days))]
            by_day.append(total)
            said["exhaustion"] = {text: exhaustion(by_day, amounts[text]) for text in amounts}
    typer.echo(json.dumps(said, indent=2) if as_json else _table(said))


@contextmanager
def _watched(grid: str) -> "Iterator[Report]":
    """A bar that leaves nothing behind; one line for what is refused, or for Ctrl-C."""
    from sim.compound.problems import CompoundError, GridError

    try:
        columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
        seen = stderr().is_terminal
        with Progress(*columns, console=stderr(), transient=True, disable=not seen) as bar:
            task = bar.add_task("grid points", total=None)
            yield lambda done, planned: bar.update(task, completed=done, total=planned)
    except CompoundError as error:
        option = "--" + error.name.replace("_", "-")
        leave(f"{option} {error.value}: {error.right}")
    except GridError as error:
        leave(f"{grid}: {error}")
    except KeyboardInterrupt:
        leave("interrupted: nothing is said of the total", INTERRUPTED)


def _frequency(
    claims: float | None, days: str | None, *, mixing_cv: float, common_cv: float
) -> "Frequency":
    from sim.compound import words
    from sim.compound.frequency import Frequency
    from sim.compound.problems import CompoundError, require

    if days is None:
        right = "give --claims 1000, or --days 800,950,1400"
        require(claims is not None, name="claims", value="(not given)", right=right)
        means: tuple[float, ...] = (claims or 0.0,)
    else:
        means = words.listed(days, name="days")
        right = f"--days adds up to {sum(means):g}; leave one of the two out"
        same = claims is None or abs(claims - sum(means)) <= 1e-9 * abs(claims)
        require(same, name="claims", value=claims, right=right)
    try:
        return Frequency(days=means, mixing_cv=mixing_cv, common_cv=common_cv)
    except CompoundError as error:
        if error.name == "claims" and days is not None:
            right = f"{error.value:g} is not {error.right}"
            raise CompoundError(name="days", value=days, right=right) from None
        raise


def _paid(text: str, *, deductible: float, cap: float | None, recovered_ratio: float) -> "Severity":
    from sim.compound import words
    from sim.compound.problems import require
    from sim.compound.terms import net_of_recovery, payable

    law = words.severity(text)
    right = "a ratio from 0 to 1"
    sound = 0.0 <= recovered_ratio <= 1.0
    require(sound, name="recovered_ratio", value=recovered_ratio, right=right)
    paid = payable(law, deductible=deductible, cap=cap)
    return net_of_recovery(paid, recovered_ratio=recovered_ratio) if recovered_ratio else paid


def _check_grid(step: float | None, points: int | None) -> None:
    from sim.compound.problems import require
    from sim.compound.severity import require_size

    together = (step is None) == (points is None)
    given = {"step": step, "points": points}
    name, value = next(((key, one) for key, one in given.items() if one is not None), ("", None))
    right = "--step and --points come together"
    require(together, name=name, value=value, right=right)
    if step is not None:
        require_size("step", step)


def _check_asked(levels: dict[str, float], amounts: dict[str, float]) -> None:
    from sim.compound.problems import require
    from sim.compound.total import LEVEL_MAX

    for text, level in levels.items():
        right = "a level inside (0, 1), at most 0.999999999"
        require(0.0 < level <= LEVEL_MAX, name="quantiles", value=text, right=right)
    for text, amount in amounts.items():
        right = "a finite amount, 0 or above"
        require(0.0 <= amount < float("inf"), name="exceeds", value=text, right=right)


def _answers(
    total: "Total", levels: dict[str, float], amounts: dict[str, float]
) -> dict[str, object]:
    return {
        "mean": total.mean,
        "sd": total.sd,
        "quantiles": {text: total.risk(level)._asdict() for text, level in levels.items()},
        "exceedance": {text: total.exceedance(amount) for text, amount in amounts.items()},
    }


def _table(said: dict[str, object]) -> str:
    """The same for people; what TVaR means is said beside it."""
    lines = [f"mean {_form(said['mean'])}", f"sd   {_form(said['sd'])}"]
    quantiles, exceedance, exhausted = (
        said.get(key, {}) for key in ("quantiles", "exceedance", "exhaustion")
    )
    assert isinstance(quantiles, dict)
    assert isinstance(exceedance, dict)
    assert isinstance(exhausted, dict)
    for level, risk in quantiles.items():
        lines.append(f"P = {level}: VaR {_form(risk['var'])}, TVaR {_form(risk['tvar'])}")
    for amount, chance in exceedance.items():
        lines.append(f"P(total > {amount}) = {chance:.9g}")
    for amount, chances in exhausted.items():
        shown = ", ".join(f"{chance:.6f}" for chance in chances)
        lines.append(f"P(budget {amount} exhausted by each day) = {shown}")
    lines.append("TVaR is the expected shortfall: the mean of the worst 1 - P of outcomes")
    return "\n".join(lines)


def _form(value: object) -> str:
    assert isinstance(value, float)
    return f"{value:.12g}"
