"""Sheet Reconciliation: the claims' rows against payouts and ledger, in live formulas.

Decides what stands beside what; the engine's sums are exact, and checked before anything is written
(reports/workbook/reconcile.py).
"""

from collections.abc import Sequence
from typing import Final

from reports import style
from reports.files import KEPT
from reports.language import later, say
from reports.workbook.block import Block, Cell, Field, Live, cny, value_of
from reports.workbook.detail import Detail
from reports.workbook.reconcile import Sums
from reports.workbook.run import Run

_CHECKED: Final = ("difference_paid", "difference_recovered")
_RECONCILED: Final = later("reconciled")
_NOT: Final = later("NOT reconciled")


def by_guarantee(sums: Sums, claims: Detail, payouts: Detail) -> Block:
    """Claims, paid and recovered by guarantee: rows of claims, payouts and ledger."""
    criteria = {"guarantee": "$A{row}"}
    path = {"replication": str(KEPT), **criteria}
    rows: list[tuple[Cell, ...]] = [
        (
            row["guarantee"],
            Live(claims.countifs(**criteria), row["claims_count"]),
            Live(claims.sumifs("due", **criteria), row["due_claims_fen"] / 100),
            Live(claims.sumifs("paid", **criteria), row["paid_claims_fen"] / 100),
            Live(payouts.sumifs("gross", **path), row["paid_payouts_fen"] / 100),
            cny(row["paid_ledger_fen"]),
            _spread("paid", "paid_payouts", "paid_ledger"),
            Live(claims.sumifs("recovered", **criteria), row["recovered_claims_fen"] / 100),
            Live(payouts.sumifs("recovered", **path), row["recovered_payouts_fen"] / 100),
            cny(row["recovered_ledger_fen"]),
            _spread("recovered", "recovered_payouts", "recovered_ledger"),
        )
        for row in sums.by_guarantee.iter_rows(named=True)
    ]
    fields = (
        Field("guarantee", "Guarantee", "", "text", 24, "guarantee"),
        Field("claims", "Claims", "claims", "count", 12, "rows of sheet Claims"),
        Field("due", "Due", "CNY", "cny", 18, "sum over sheet Claims"),
        Field("paid", "Paid: claims", "CNY", "cny", 18, "sum over sheet Claims"),
        Field("paid_payouts", "Paid: payouts", "CNY", "cny", 18, "sum over sheet Payouts"),
        Field("paid_ledger", "Paid: ledger", "CNY", "cny", 18, "ledger entries of kind payout"),
        Field("difference_paid", "Difference", "CNY", "cny", 12, "largest, must be 0.00"),
        Field("recovered", "Recovered: claims", "CNY", "cny", 18, "sum over sheet Claims"),
        Field("recovered_payouts", "Recovered: payouts", "CNY", "cny", 18, "sheet Payouts"),
        Field("recovered_ledger", "Recovered: ledger", "CNY", "cny", 18, "entries of money"),
        Field("difference_recovered", "Difference", "CNY", "cny", 12, "largest, must be 0.00"),
    )
    return Block(
        slug="reconciliation",
        heading=say(
            "Replication {number} by guarantee: claims, payouts and ledger say the same",
            number=KEPT,
        ),
        note=say(
            "Payouts and claims stand on the day of the decision; recoveries on that of receipt."
        ),
        fields=fields,
        rows=rows,
        total=_total(fields, rows),
        named=True,
    )


def by_day(run: Run, sums: Sums, claims: Detail, payouts: Detail) -> Block:
    """Claims and payments by lunar day of the decision."""
    criteria = {"lunar_day": "$A{row}"}
    path = {"replication": str(KEPT), **criteria}
    rows: list[tuple[Cell, ...]] = [
        (
            row["lunar_day"],
            style.lunar_name(row["lunar_day"]),
            Live(claims.countifs(**criteria), row["claims_count"]),
            Live(claims.sumifs("due", **criteria), row["due_claims_fen"] / 100),
            Live(claims.sumifs("paid", **criteria), row["paid_claims_fen"] / 100),
            Live(payouts.sumifs("gross", **path), row["paid_payouts_fen"] / 100),
            Live("ROUND({paid}{row}-{paid_payouts}{row},2)", 0.0),
        )
        for row in sums.by_day.iter_rows(named=True)
    ]
    fields = (
        Field("lunar_day", "Lunar day", "0 = 初一", "count", 24, "offset from 正月初一"),
        Field("name", "Day", "", "text", 12, "lunar name"),
        Field("claims", "Claims", "claims", "count", 18, "rows of sheet Claims"),
        Field("due", "Due", "CNY", "cny", 18, "sum over sheet Claims"),
        Field("paid", "Paid: claims", "CNY", "cny", 18, "sum over sheet Claims"),
        Field("paid_payouts", "Paid: payouts", "CNY", "cny", 18, "sum over sheet Payouts"),
        Field("difference_paid", "Difference", "CNY", "cny", 12, "must be 0.00"),
    )
    return Block(
        slug="reconciliation_by_day",
        heading=say("Replication {number} by day of the decision", number=KEPT),
        note=say("First midnight of the run: {date}.", date=f"{run.clock.start:%Y-%m-%d}"),
        fields=fields,
        rows=rows,
        total=_total(fields, rows),
    )


def verdict(breakdowns: Sequence[Block]) -> Block:
    """Whether every difference is 0.00; of the claims that was checked before."""
    apart = any(value_of(row[-1]) for block in breakdowns for row in block.rows)
    return Block(
        slug="verdict",
        heading=say("Verdict"),
        note=say(
            "Every difference on this sheet and on the sheets by guarantee, day and category."
        ),
        fields=(
            Field("check", "Check", "", "text", 24, "what is checked"),
            Field("verdict", "Verdict", "", "text", 12, "reconciled, or not"),
        ),
        rows=[
            (
                say("Claims, payouts, ledger"),
                _verdict([f"reconciliation_{name}" for name in _CHECKED], said=_RECONCILED),
            ),
            (
                say("Formulas against engine"),
                _verdict(
                    [f"{block.slug}_difference" for block in breakdowns],
                    said=_NOT if apart else _RECONCILED,
                ),
            ),
        ],
    )


def _verdict(names: list[str], *, said: str) -> Live:
    apart = "+".join(f"SUMPRODUCT(ABS({name}))" for name in names)
    return Live(f'IF({apart}=0,"{say(_RECONCILED)}","{say(_NOT)}")', say(said))


def _spread(*keys: str) -> Live:
    cells = ",".join(f"{{{key}}}{{row}}" for key in keys)
    return Live(f"ROUND(MAX({cells})-MIN({cells}),2)", 0.0)


def _total(fields: tuple[Field, ...], rows: list[tuple[Cell, ...]]) -> tuple[Cell, ...]:
    """Sums of the columns of figures."""
    cells: list[Cell] = [say("Total")]
    for number, field in enumerate(fields[1:], start=1):
        if field.form == "text":
            cells.append("")
            continue
        values = [row[number] for row in rows]
        shown = [value.value if isinstance(value, Live) else value for value in values]
        sums = round(sum(float(value or 0.0) for value in shown), 2)
        cells.append(Live(f"SUM({{{field.key}}}{{first}}:{{{field.key}}}{{last}})", sums))
    return tuple(cells)
