"""What of the payout tables must add up, as live formulas: attribution to TVaR, bridge to its end.

Decides which rows are added; the parts and the totals are the engine's.
"""

import polars as pl

from reports.language import say
from reports.workbook.block import Block, Cell, Field, Live
from reports.workbook.run import Run

_DIFFERENCE = Field("difference", "Difference", "CNY", "cny", 14, "must be 0.00")


def attribution(run: Run) -> Block:
    """Parts of the worst festivals against the TVaR of the total; withheld ones are left out."""
    keys = ("measure", "by", "level")
    table = run.scan("payout_attribution").filter(pl.col("cotvar_fen").is_not_null())
    sums = table.group_by(keys, maintain_order=True).agg(pl.col("cotvar_fen").sum()).collect()
    whole = pl.col("by") == "total"
    totals = run.scan("payout_distribution").filter(whole).collect()
    known = {
        (row["measure"], row["statistic"]): row["value_fen"]
        for row in totals.iter_rows(named=True)
    }
    rows: list[tuple[Cell, ...]] = []
    for row in sums.iter_rows(named=True):
        tvar = f"tvar{round(row['level'] * 100)}"
        kept, said = row["cotvar_fen"] / 100, known[row["measure"], tvar] / 100
        parts = ",".join(f"payout_attribution_{key},{{{key}}}{{row}}" for key in keys)
        rows.append(
            (
                *(row[key] for key in keys),
                Live(f"SUMIFS(payout_attribution_cotvar,{parts})", kept),
                Live(
                    "SUMIFS(payout_distribution_value,payout_distribution_measure,{measure}{row},"
                    f'payout_distribution_by,"total",payout_distribution_statistic,"{tvar}")',
                    said,
                ),
                Live("ROUND({parts}{row}-{tvar}{row},2)", round(kept - said, 2)),
            )
        )
    return Block(
        slug="attribution_check",
        heading=say("The parts add up to the whole"),
        note=say("Parts on this sheet, TVaR on sheet Distribution."),
        fields=(
            Field("measure", "Measure", "", "text", 22, "gross or net"),
            Field("by", "By", "", "text", 22, "what the parts are"),
            Field("level", "Level", "share", "ratio", 13, "level of the TVaR"),
            Field("parts", "Sum of parts", "CNY", "cny", 17, "sum of Cotvar"),
            Field("tvar", "TVaR of the total", "CNY", "cny", 17, "from sheet Distribution"),
            _DIFFERENCE,
        ),
        rows=rows,
    )


def bridge(run: Run) -> Block:
    """Start and parts against the end."""
    table = run.scan("payout_bridge").select("part", "amount_fen").collect()
    ends = int(table.filter(pl.col("part") == "end")["amount_fen"].sum())
    amounts, parts = "payout_bridge_amount", "payout_bridge_part"
    rest = int(table["amount_fen"].sum()) - ends
    return Block(
        slug="bridge_check",
        heading=say("Start and parts add up to the end"),
        note=say("All from this sheet."),
        fields=(
            Field("check", "Check", "", "text", 22, "what is added"),
            Field("parts", "Start and parts", "CNY", "cny", 22, "sum of the rows but the end"),
            Field("end", "End", "CNY", "cny", 17, "the last row"),
            _DIFFERENCE,
        ),
        rows=[
            (
                say("Bridge"),
                Live(f'SUMIFS({amounts},{parts},"<>end")', rest / 100),
                Live(f'SUMIFS({amounts},{parts},"end")', ends / 100),
                Live("ROUND({parts}{row}-{end}{row},2)", round((rest - ends) / 100, 2)),
            )
        ],
    )
