"""How a queue becomes a command: the options that all calculators share, and the printing.

All take the same options, so that one line can be tried on every queue; what a queue has no use for
is named on stderr. Exit status: 0 done, 2 wrong input, with everything that is wrong with it.
"""

import inspect
import json
from collections.abc import Callable
from typing import Annotated, Final

import typer

from scenarios.command import refuse

Agents = Annotated[int | None, typer.Option(help="Agents available, after shrinkage.")]
Arrivals = Annotated[
    list[str], typer.Option(metavar="NUMBER", help="Contacts per hour; of classes: 60,140.")
]
Aht = Annotated[float, typer.Option(help="Mean handle time in seconds.")]
PatienceMean = Annotated[
    float | None, typer.Option(help="Mean of an exponential patience in seconds.")
]
Threshold = Annotated[
    float | None, typer.Option(help="Service level counts waits up to this, in seconds (20).")
]
Required = Annotated[bool, typer.Option("--required", help="Find the least agents for --target.")]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TARGET",
        help="80/20, p_abandon<=0.03, occupancy<=0.95, asa_answered_s<=15, ...; repeatable.",
    ),
]
Shrinkage = Annotated[float, typer.Option(help="Share of paid time that is not available.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
# What is named after a queue without use for it.
UNUSED: Final = {
    "erlang-c": "nobody abandons in Erlang C",
    "erlang-b": "nobody waits in Erlang B",
    "priority": "nobody abandons in this queue",
}


def command(name: str) -> Callable[..., None]:
    """The command of the queue in calculators.py that is called `name`, with - for _."""
    from sim.theory import calculators

    queue = getattr(calculators, name.replace("-", "_"))

    def calculate(
        *,
        arrivals_per_h: Arrivals,
        aht_s: Aht,
        agents: Agents = None,
        patience_s: PatienceMean = None,
        threshold_s: Threshold = None,
        required: Required = False,
        target: Targets = None,
        shrinkage_ratio: Shrinkage = 0.0,
        as_json: AsJson = False,
        **own: float | str | None,
    ) -> None:
        from sim.theory.question import Refusal, answer, ask

        if patience_s is not None and name in UNUSED:
            typer.echo(f"--patience-s is not used: {UNUSED[name]}", err=True)
        try:
            asked = ask(
                agents=agents,
                arrivals_per_h=arrivals_per_h,
                aht_s=aht_s,
                patience_s=patience_s,
                threshold_s=threshold_s,
                required=required,
                targets=target,
                shrinkage_ratio=shrinkage_ratio,
                own=own,
            )
            said = answer(asked, queue(asked, **own))
        except Refusal as error:
            refuse(error.problems)
        typer.echo(json.dumps(said, indent=2, allow_nan=False) if as_json else _lines(said))

    ours = inspect.signature(calculate).parameters
    theirs = inspect.signature(queue).parameters
    common = [one for one in ours.values() if one.kind is inspect.Parameter.KEYWORD_ONLY]
    special = [one for one in theirs.values() if one.kind is inspect.Parameter.KEYWORD_ONLY]
    calculate.__signature__ = inspect.Signature([*common, *special])  # type: ignore[attr-defined]
    calculate.__annotations__ = {one.name: one.annotation for one in (*common, *special)}
    calculate.__doc__ = queue.__doc__
    return calculate


def _lines(said: dict[str, object], indent: str = "") -> str:
    """The same for people, a measure a line."""
    lines = []
    for name, value in said.items():
        if isinstance(value, list):
            for number, row in enumerate(value, start=1):
                lines += [f"{indent}class {number}", _lines(row, indent + "  ")]
        else:
            shown = "endless" if value is None else f"{value:.12g}"
            lines.append(f"{indent}{name:<28} {shown}")
    return "\n".join(lines)
