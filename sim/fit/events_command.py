"""`springpeak fit orders | claims | festival`: they parse, call, and print.

Registered by sim/fit/command.py. Exit status: 0 done, 2 wrong input.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from scenarios.command import stderr, stdout
from sim.fit.options import Columns, Form, Logs, Output, Zone, clock, log_errors, mapping, writable

if TYPE_CHECKING:
    import polars as pl

    from sim.fit.keys import Setting
    from sim.fit.problems import SetAside

Years = Annotated[
    str, typer.Option("--anchor", metavar="YEARS", help="Years of the festivals, e.g. 2025,2026.")
]


def orders(
    logs: Logs, output: Output, column: Columns = None, time_zone: Zone = None,
    time_format: Form = None,
) -> None:
    """Incident ratios by category and day, prices and hour profiles from a log of orders.

    One row an order. Columns: category, due_at; and where they are known placed_at, value_fen (a
    whole number: 100 fen are one CNY), incident (empty if nothing went wrong) and order_id (tells
    repeated rows). Prices, lead times and profiles take 30 orders of a category.
    """
    from sim.fit.events import ORDERS
    from sim.fit.orders import incident_ratios, order_settings

    with log_errors():
        frame, aside = _read(logs, output, ORDERS, column, time_zone, time_format)
    ratios = incident_ratios(frame)
    document = {"kind": "orders", "ratios": [asdict(one) for one in ratios]}
    _write(output, order_settings(frame, ratios), document, logs, frame.height, aside)


def claims(
    logs: Logs, output: Output, column: Columns = None, time_zone: Zone = None,
    time_format: Form = None,
) -> None:
    """Severity, recovery ratio and lag from a log of payouts.

    One row a payout. Columns: category, paid_at, paid_fen (a whole number: 100 fen are one CNY);
    and where they are known guarantee, incident, cap_fen, recovered_fen with recovered_at, and
    claim_id (tells repeated rows). A group of guarantee and incident takes 30 payouts, its
    recoveries 30 of these.
    """
    from scenarios.command import BASE, resolve
    from sim.fit.claims import FEWEST, claim_settings, groups, recoveries, severities
    from sim.fit.events import CLAIMS

    with log_errors():
        frame, aside = _read(logs, output, CLAIMS, column, time_zone, time_format)
    guarantees = resolve(BASE, None, None).values["guarantees"]
    known = [f"{name}.{trigger}" for name, one in guarantees.items() for trigger in one["terms"]]
    costs, back = severities(frame), recoveries(frame)
    document = {
        "kind": "claims",
        "severities": [asdict(one) for one in costs],
        "recoveries": [asdict(one) for one in back],
    }
    _write(output, claim_settings(back, known), document, logs, frame.height, aside)
    heads = ("claims", "share zero", "share at cap", "mu of ln fen", "sigma", "mean, fen (95 %)")
    table = Table("severity", *heads)
    for one in costs:
        mean = one.mean_fen
        table.add_row(
            one.group,
            f"{one.count}",
            f"{one.zero_ratio.mean:.4f}",
            f"{one.capped_ratio:.4f}",
            f"{one.mu.mean:.4f}",
            f"{one.sigma.mean:.4f}",
            f"{mean.mean:.0f} ({mean.low:.0f} to {mean.high:.0f})",
        )
    if costs:
        stdout().print(table)
    told = {one.group for one in costs}
    thin = sorted({name for name, _ in groups(frame)} - told)
    if thin:
        typer.echo(f"fewer than {FEWEST} payments, no severity: {', '.join(thin)}")
    strange = [one.group for one in back if one.group not in known]
    if strange:
        typer.echo(f"no term of the scenario, in the .json only: {', '.join(strange)}")


def festival(
    logs: Logs, output: Output, anchor: Years, column: Columns = None, time_zone: Zone = None,
    time_format: Form = None,
) -> None:
    """Day multipliers and their spread from several years of orders, aligned by lunar day.

    Columns as of `springpeak fit orders`. A normal day is the mean of the same year's lunar days
    -35 to -8 and 9 to 28, of which each category needs 7.
    """
    from sim.fit.events import ORDERS
    from sim.fit.festival import FESTIVAL, season_settings, seasons
    from sim.fit.problems import LogError

    with log_errors():
        try:
            years = [int(year) for year in anchor.split(",")]
        except ValueError:
            raise LogError(f"--anchor {anchor}: should be years, e.g. 2025,2026") from None
        frame, aside = _read(logs, output, ORDERS, column, time_zone, time_format)
        found = seasons(frame, years)
    document = {"kind": "festival", "seasons": [asdict(one) for one in found]}
    _write(output, season_settings(found), document, logs, frame.height, aside)
    table = Table("category", "lunar day", "times a normal day", "next year, 95 %")
    for one in found:
        for day, middle, low, high in zip(FESTIVAL, one.multiplier, one.low, one.high, strict=True):
            band = f"{low:.3g} to {high:.3g}" if len(one.years) > 1 else "one year tells none"
            table.add_row(one.category, f"{day}", f"{middle:.3g}", band)
    stdout().print(table)


def _read(
    logs: list[Path], output: Path, names: tuple[tuple[str, ...], tuple[str, ...]],
    column: list[str] | None, time_zone: str | None, time_format: str | None,
) -> "tuple[pl.DataFrame, SetAside]":
    from sim.fit.events import read_events

    writable(output)
    columns = mapping(column, (*names[0], *names[1]))
    way = clock(time_zone, time_format)
    with stderr().status("reading"):
        return read_events(logs, names=names, columns=columns, clock=way)


def _write(
    output: Path, made: "list[Setting]", document: Mapping[str, Any], logs: list[Path],
    rows_count: int, aside: "SetAside",
) -> None:
    """Overlay and companion, what was set aside, and the values for people."""
    from sim.fit import keys, overlay

    source = " + ".join(path.name for path in logs)
    text = overlay.toml(made, kind=str(document["kind"]), source=source)
    more = {"source": source, "rows_count": rows_count, "set_aside": aside.lines()}
    with log_errors():
        overlay.write(output, text, {**document, **more, "overlay": keys.values(made)})
    for line in aside.lines():
        stderr().print(line, style="yellow", markup=False, soft_wrap=True)
    table = Table("key", "value", "95 % interval")
    for one in made:
        value = one.value
        said = f"{len(value)} values" if isinstance(value, list) else f"{value:.6g}"
        table.add_row(one.key, said, keys.interval(one))
    if made:
        stdout().print(table)
    typer.echo(f"{rows_count} rows used, {aside.total} rows set aside")
    if made:
        typer.echo(f"springpeak run SCENARIO --overlay {output}")
    else:
        typer.echo(f"{output} sets nothing: no key of a scenario has rows enough in this log")
