"""Sheets that break the payouts down, by guarantee, day and category, in live formulas.

Decides which sums stand where. Every figure adds rows of sheet Payouts and divides by the number of
replications; beside it stands what the engine's own estimates say, and the difference.
"""

from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

from reports import style
from reports.cells import Cell as Estimate
from reports.language import later, say
from reports.workbook.block import Block, Cell, Field, Live, cny
from reports.workbook.detail import Detail
from reports.workbook.run import Run
from scenarios.words import CATEGORIES, GUARANTEES
from sim.experiment import subjects

_MEASURES: Final = ("claims", "due", "gross", "shortfall", "recovered")
_LIVE: Final = (
    Field("claims", "Claims", "per festival", "count", 14, "mean number of claims decided"),
    Field("due", "Due", "CNY", "cny", 17, "mean due by the terms"),
    Field("gross", "Paid, gross", "CNY", "cny", 17, "mean paid to consumers"),
    Field("shortfall", "Shortfall", "CNY", "cny", 17, "mean due and not paid"),
    Field("recovered", "Recovered", "CNY", "cny", 17, "mean received from merchants"),
    Field("net", "Net", "CNY", "cny", 17, "gross less recovered: what the platform bears"),
)


def by_guarantee(run: Run, payouts: Detail) -> Block:
    """One row a guarantee, with the engine's net and its interval."""
    head = (
        Field("guarantee", "Guarantee", "", "text", 24, "as in the scenario"),
        Field("name", "Name", "", "text", 34, "in English and Chinese"),
    )
    labels = [(code, " ".join(style.GUARANTEE_NAMES[code])) for code in GUARANTEES]
    return _block(
        run,
        payouts,
        slug="by_guarantee",
        heading=say("By guarantee"),
        head=head,
        labels=labels,
        subject=subjects.PAYOUT_NET,
        engine=lambda code: run.book.cell(subjects.PAYOUT_NET, guarantee=str(code)),
    )


def by_day(run: Run, payouts: Detail) -> Block:
    """One row a lunar day; recoveries on the day of receipt."""
    head = (
        Field("lunar_day", "Lunar day", "0 = 初一", "count", 10, "offset from 正月初一"),
        Field("name", "Day", "", "text", 26, "lunar name and date"),
    )
    labels = [(day, _dated(run, day)) for day in run.payouts["lunar_day"].unique().sort()]
    return _block(
        run,
        payouts,
        slug="by_day",
        heading=say("By day"),
        head=head,
        labels=labels,
        subject=subjects.PAYOUT_NET,
        engine=lambda day: run.book.cell(subjects.PAYOUT_NET, lunar_day=day),
    )


def by_category(run: Run, payouts: Detail) -> Block:
    """One row a category of orders."""
    head = (
        Field("category", "Category", "", "text", 24, "as in the scenario"),
        Field("name", "Name", "", "text", 34, "in words"),
    )
    return _block(
        run,
        payouts,
        slug="by_category",
        heading=say("By category"),
        head=head,
        labels=[(code, style.words(code).capitalize()) for code in CATEGORIES],
        subject=subjects.PAYOUT_GROSS,
        engine=lambda code: run.book.cell(subjects.PAYOUT_GROSS, category=str(code)),
    )


def _dated(run: Run, day: int) -> str:
    return f"{style.lunar_name(day)}{say(', ')}{style.date_name(run.clock.calendar.date_of(day))}"


def _block(
    run: Run,
    payouts: Detail,
    *,
    slug: str,
    heading: str,
    head: tuple[Field, ...],
    labels: Sequence[tuple[str | int, str]],
    subject: str,
    engine: Callable[[str | int], Estimate],
) -> Block:
    """A row for every label: sums over the sheet Payouts against the engine's `subject`."""
    measure = "net" if subject == subjects.PAYOUT_NET else "gross"
    key = head[0].key
    sums = _means(run, key)
    rows = []
    for code, name in labels:
        means = sums.get(code, dict.fromkeys(_MEASURES, 0.0))
        live: list[Cell] = [
            Live(f"({payouts.sumifs(one, **{key: f'${{{key}}}{{row}}'})})/replications", means[one])
            for one in _MEASURES
        ]
        net = means["gross"] - means["recovered"]
        said = engine(code)
        mean = 0.0 if said.mean is None else said.mean / 100
        live.append(Live("{gross}{row}-{recovered}{row}", net))
        rows.append(
            (
                code,
                name,
                *live,
                mean,
                cny(said.low),
                cny(said.high),
                _difference(measure, net if measure == "net" else means["gross"], mean),
            )
        )
    total = [sum(_shown(row[2 + n]) for row in rows) for n in range(len(_LIVE))]
    engines = sum(_shown(row[8]) for row in rows)
    return Block(
        slug=slug,
        heading=heading,
        note=say(
            "Means over {count} replications. Black figures are formulas over sheet Payouts, blue "
            "ones the engine's own; the last column is their difference.",
            count=run.replications_count,
        ),
        fields=(*head, *_LIVE, *_engine_fields(measure)),
        rows=rows,
        total=(
            say("Total"),
            "",
            *(
                Live(f"SUM({{{one.key}}}{{first}}:{{{one.key}}}{{last}})", value)
                for one, value in zip(_LIVE, total, strict=True)
            ),
            Live("SUM({engine}{first}:{engine}{last})", engines),
            None,
            None,
            _difference(measure, total[5 if measure == "net" else 2], engines),
        ),
        named=True,
    )


def _engine_fields(measure: str) -> tuple[Field, ...]:
    words = later("Net, engine") if measure == "net" else later("Gross, engine")
    return (
        Field("engine", words, "CNY", "cny", 17, "the engine's mean"),
        Field("low", "95 % from", "CNY", "cny", 17, "lower end of the mean's interval"),
        Field("high", "to", "CNY", "cny", 17, "upper end of the mean's interval"),
        Field("difference", "Difference", "CNY", "cny", 12, "formula less engine, must be 0.00"),
    )


def _means(run: Run, key: str) -> dict[str | int, dict[str, float]]:
    """What the formulas give: means over replications, money in CNY."""
    columns = {"claims": "claims_count", **{m: f"{m}_fen" for m in _MEASURES[1:]}}
    sums = run.payouts.group_by(key).agg(
        **{name: pl.col(column).sum() for name, column in columns.items()}
    )
    n = run.replications_count
    return {
        row[key]: {
            name: row[name] / n if name == "claims" else row[name] / 100 / n for name in columns
        }
        for row in sums.iter_rows(named=True)
    }


def _difference(measure: str, formula: float, engine: float) -> Live:
    """The formula's figure less the engine's."""
    said = round(formula - engine, 2) + 0.0  # never -0.0
    return Live(f"ROUND({{{measure}}}{{row}}-{{engine}}{{row}},2)", said)


def _shown(cell: Cell) -> float:
    value = cell.value if isinstance(cell, Live) else cell
    return float(value or 0.0)
