"""The first two sheets: what this is and who bears what; what it costs and how sure that is.

Decides which figures come first. Formulas point to the sheets behind them by name.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

from reports import style
from reports.engine import retold
from reports.files import KEPT
from reports.language import later, say
from reports.payout.words import label
from reports.workbook import finance
from reports.workbook.block import Block, Cell, Field, Live, cny, value_of
from reports.workbook.run import Run
from sim.experiment import subjects

_TOTALS: Final = (
    (later("Claims decided"), "claims", subjects.CLAIMS),
    (later("Due by the terms"), "due", None),
    (later("Paid to consumers, gross"), "gross", subjects.PAYOUT_GROSS),
    (later("Due and not paid"), "shortfall", subjects.SHORTFALL),
    (later("Recovered from merchants"), "recovered", subjects.PAYOUT_RECOVERED),
    (later("Borne by the platform, net"), "net", subjects.PAYOUT_NET),
)
_STATISTICS: Final = ("p50", "p75", "p90", "p95", "p99", "tvar95", "tvar99")
_MOVERS: Final = 3
_STATES: Final = {
    "complete": later("complete"),
    "interrupted": later("interrupted"),
}


def identity(run: Run, sheets: Iterable[str]) -> Block:
    """What run this is, from which files, and what stands where."""
    manifest = run.manifest
    first, last = (_day(run, manifest[name]) for name in ("first_day", "last_day"))
    rows: list[tuple[Cell, ...]] = [
        (say("Scenario"), str(manifest["scenario"])),
        (say("What it stands for"), say(str(run.scenario["description"]))),
        (say("Days"), say("{first} to {last}", first=first, last=last)),
        (say("Fingerprint of the scenario"), str(manifest["fingerprint"])),
        (say("Seed"), str(manifest["seed"])),
        (say("Replications"), run.replications_count),
        (
            "springpeak",
            say(
                "version {version}, code {code}",
                version=manifest["packages"]["springpeak"],
                code=manifest["code"],
            ),
        ),
        (say("State of the run"), say(_STATES.get(manifest["status"], manifest["status"]))),
        (say("Claims ledger"), _ledger(run)),
        (
            say("Money"),
            say("CNY in every cell, from whole fen; ledger entries are exact to the fen"),
        ),
        (say("Colours"), say("blue: written by the engine; black: formula; shaded: assumed")),
        (say("Sheets"), say(", ").join(sheets)),
        (
            say("Not in this run"),
            say(", ").join(finance.missing(run)) or say("nothing is missing"),
        ),
        (say("Prepared by, date"), ""),
        (say("Checked by, date"), ""),
    ]
    return Block(
        slug="identity",
        heading=say(
            "{title}: payouts of the guarantee programme",
            title=style.title(str(manifest["scenario"])),
        ),
        note=say(
            "Simulated figures on stated assumptions; none of them is the platform's own data."
        ),
        fields=(
            Field("what", "This workbook", "", "text", 30, "what is said"),
            Field("value", "", "", "line", 34, "what it is"),
        ),
        rows=rows,
        names={5: "replications"},
    )


def bearers(run: Run, breakdown: Block) -> Block:
    """Who advances and who bears each guarantee, and how the mean payout falls on the two."""
    promises = run.guarantees.promises()
    columns = [field.key for field in breakdown.fields]
    rows: list[tuple[Cell, ...]] = []
    for cells in breakdown.rows:
        row = dict(zip(columns, cells, strict=True))
        terms = [term for guarantee, _, term in promises if guarantee == row["guarantee"]]
        rows.append(
            (
                " ".join(style.GUARANTEE_NAMES[str(row["guarantee"])]),
                _named(term.advanced_by for term in terms),
                _named(term.borne_by for term in terms),
                *(_looked_up(key, row) for key in ("gross", "recovered", "net")),
            )
        )
    totals = [sum(float(value_of(row[n]) or 0.0) for row in rows) for n in (3, 4, 5)]
    keys = ("gross", "recovered", "net")
    return Block(
        slug="bearers",
        heading=say("Who bears what"),
        note=say(
            "By the terms in force; amounts are means of a festival, as on sheet By guarantee."
        ),
        fields=(
            Field("guarantee", "Guarantee", "", "text", 42, "guarantee"),
            Field("advanced", "Advanced by", "", "text", 34, "who pays first, by its terms"),
            Field("borne", "Should be borne by", "", "text", 24, "who should bear it"),
            Field("gross", "Paid, gross", "CNY", "cny", 18, "mean paid to consumers"),
            Field("recovered", "Merchants paid back", "CNY", "cny", 18, "mean received"),
            Field("net", "Left to platform", "CNY", "cny", 18, "gross less recovered"),
        ),
        rows=rows,
        total=(
            say("Total"),
            "",
            "",
            *(
                Live(f"SUM({{{key}}}{{first}}:{{{key}}}{{last}})", value)
                for key, value in zip(keys, totals, strict=True)
            ),
        ),
    )


def totals(run: Run, breakdown: Block) -> Block:
    """The programme in six figures: formula, engine, interval, difference."""
    columns = [field.key for field in breakdown.fields]
    rows: list[tuple[Cell, ...]] = []
    for name, key, subject in _TOTALS:
        at = columns.index(key)
        value = sum(float(value_of(row[at]) or 0.0) for row in breakdown.rows)
        cells: list[Cell] = [say(name), say("claims") if key == "claims" else say("CNY")]
        cells.append(Live(f"SUM(by_guarantee_{key})", value))
        rows.append((*cells, *_engine(run, key, subject, value)))
    return Block(
        slug="summary",
        heading=say("What a festival costs, on average"),
        note=say("Black figures add sheet By guarantee, which adds sheet Payouts."),
        fields=(
            Field("figure", "Figure", "", "text", 34, "what is said"),
            Field("unit", "Unit", "", "text", 10, "unit of the row"),
            Field("mean", "Mean", "see unit", "cny", 20, "mean of a festival, by formula"),
            Field("engine", "Mean, engine", "see unit", "cny", 20, "the engine's own mean"),
            Field("low", "95 % from", "see unit", "cny", 20, "lower end of its interval"),
            Field("high", "to", "see unit", "cny", 20, "upper end of its interval"),
            Field("difference", "Difference", "see unit", "cny", 12, "must be 0.00"),
        ),
        rows=rows,
    )


def spread(run: Run) -> Block | None:
    """Quantiles and expected shortfall of the totals, looked up on sheet Distribution."""
    if not run.has("payout_distribution"):
        return None
    table = run.scan("payout_distribution").filter(pl.col("by") == "total").collect()
    known = {(row["measure"], row["statistic"]): row for row in table.iter_rows(named=True)}
    rows: list[tuple[Cell, ...]] = []
    for measure in ("gross", "recovered", "net"):
        cells: list[Cell] = [measure]
        for statistic in _STATISTICS:
            cells.append(_quantile(known.get((measure, statistic)), statistic))
        rows.append(tuple(cells))
    return Block(
        slug="spread",
        heading=say("How much one festival may differ from another"),
        note=say(
            "P95: nineteen festivals in twenty cost less. TVaR 95: mean of the worst 5 %. A figure "
            "that so few replications cannot give is withheld; sheet Distribution says why."
        ),
        fields=(
            Field("measure", "Total", "", "text", 34, "gross, recovered or net"),
            *(
                Field(
                    one,
                    _statistic_name(one),
                    "CNY",
                    "cny",
                    20,
                    say("{statistic} of the total", statistic=one),
                )
                for one in _STATISTICS
            ),
        ),
        rows=rows,
    )


def answers(run: Run) -> Block | None:
    """What to book and what to fund, in the engine's words."""
    if not run.has("payout_answers"):
        return None
    rows = run.scan("payout_answers").collect().iter_rows(named=True)
    return Block(
        slug="answers",
        heading=say("What to book and what to fund"),
        note=say(
            "Booked at the expected value, funded at a quantile: two questions, two figures."
        ),
        fields=(
            Field("figure", "Figure", "", "text", 34, "what is said"),
            Field("value", "Amount", "CNY", "cny", 20, "the figure"),
            Field("low", "95 % from", "CNY", "cny", 20, "lower end of its interval"),
            Field("high", "to", "CNY", "cny", 20, "upper end of its interval"),
            Field("meaning", "Meaning", "", "line", 20, "in a sentence, or why it is withheld"),
        ),
        rows=[
            (
                label(row["figure"]),
                say("withheld") if row["value_fen"] is None else cny(row["value_fen"]),
                cny(row["low_fen"]),
                cny(row["high_fen"]),
                _meaning(row["meaning"], row["withheld"]),
            )
            for row in rows
        ],
    )


def movers(run: Run) -> Block | None:
    """The assumptions that move the expected net payout most, from the top of the tornado."""
    if not run.has("payout_tornado"):
        return None
    table = run.scan("payout_tornado").sort("rank").head(_MOVERS).collect()
    return Block(
        slug="movers",
        heading=say("What moves it most"),
        note=say(
            "Change of the expected net payout at the low and the high case; from sheet Tornado."
        ),
        fields=(
            Field("key", "Assumption", "", "text", 34, "key of the scenario"),
            Field("low_effect", "At its low case", "CNY", "cny", 20, "change of the net payout"),
            Field("high_effect", "At its high case", "CNY", "cny", 20, "change of the net payout"),
        ),
        rows=[
            (
                Live(f"INDEX(payout_tornado_key,{number})", row["key"]),
                *(
                    Live(f"INDEX(payout_tornado_{name},{number})", row[f"{name}_fen"] / 100)
                    for name in ("low_effect", "high_effect")
                ),
            )
            for number, row in enumerate(table.iter_rows(named=True), start=1)
        ],
    )


def _day(run: Run, lunar_day: int) -> str:
    date = run.clock.calendar.date_of(lunar_day)
    return f"{style.lunar_name(lunar_day)} ({date.isoformat()})"


def _ledger(run: Run) -> str:
    if not run.has_rows:
        return say("none: this run keeps no single claims")
    return say(
        "every claim of replication {number}, on the last sheets; checked on sheet Reconciliation",
        number=KEPT,
    )


def _named(bearers_of: Iterable[str]) -> str:
    return say(" or ").join(map(style.words, sorted(set(bearers_of)))) or say("not granted")


def _looked_up(key: str, row: dict[str, Cell]) -> Live:
    value = value_of(row[key])
    assert isinstance(value, float)
    number = list(style.GUARANTEE_NAMES).index(str(row["guarantee"])) + 1
    return Live(f"INDEX(by_guarantee_{key},{number})", value)


def _engine(run: Run, key: str, subject: str | None, formula: float) -> Sequence[Cell]:
    """The engine's mean, its interval and the difference; of a sum that has none, nothing."""
    if subject is None:
        return None, None, None, None
    metric = subject if subject in run.book.summary["metrics"] else f"payout_{subject}"
    said = run.book.metric(metric)
    scale = 1.0 if key == "claims" else 100.0
    figures = [None if one is None else one / scale for one in (said.mean, said.low, said.high)]
    apart = round(formula - (figures[0] or 0.0), 2) + 0.0
    return *figures, Live("ROUND({mean}{row}-{engine}{row},2)", apart)


def _quantile(row: dict[str, object] | None, statistic: str) -> Cell:
    value = row and row["value_fen"]
    if not isinstance(value, float):
        return say("withheld")
    return Live(
        "SUMIFS(payout_distribution_value,payout_distribution_measure,${measure}{row},"
        f'payout_distribution_by,"total",payout_distribution_statistic,"{statistic}")',
        value / 100,
    )


def _statistic_name(statistic: str) -> str:
    return statistic.replace("tvar", "TVaR ").replace("p", "P")


def _meaning(meaning: str, withheld: str | None) -> str:
    """What a figure means, and why it is withheld where it is."""
    if not withheld:
        return retold(meaning)
    return say("{meaning} ({reason})", meaning=retold(meaning), reason=retold(withheld))
