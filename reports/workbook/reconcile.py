"""Claims, ledger and payouts of one festival held against each other, to the fen.

Decides whether a workbook may be written: where two files differ by a fen, it is not. Sums are
exact integers.
"""

from dataclasses import dataclass

import polars as pl

from reports.files import KEPT
from reports.workbook.run import Run
from scenarios.words import GUARANTEES
from sim.experiment.files import RunError

SOURCES = ("claims", "payouts", "ledger")


@dataclass(frozen=True, slots=True)
class Sums:
    """By guarantee and by lunar day: claims, due, paid and recovered fen in each source."""

    by_guarantee: pl.DataFrame
    by_day: pl.DataFrame

    @property
    def claims_count(self) -> int:
        return int(self.by_guarantee["claims_count"].sum())

    @property
    def paid_fen(self) -> int:
        return int(self.by_guarantee["paid_claims_fen"].sum())


def reconciled(run: Run) -> Sums:
    """The sums of the festival whose claims are kept. Raises RunError where two differ."""
    by_guarantee = _by_guarantee(run)
    by_day = _by_day(run)
    for sums, key in ((by_guarantee, "guarantee"), (by_day, "lunar_day")):
        for one, other in _pairs(sums):
            apart = sums.filter(pl.col(one) != pl.col(other))
            if not apart.is_empty():
                row = apart.row(0, named=True)
                raise RunError(
                    f"{run.path}: {one} is {row[one]} and {other} is {row[other]} for "
                    f"{key} {row[key]}: the files do not belong together, simulate the run again"
                )
    return Sums(by_guarantee, by_day)


def _pairs(sums: pl.DataFrame) -> list[tuple[str, str]]:
    """Columns that must be equal: the same measure from the claims and from another source."""
    pairs = [("claims_count", "claims_payouts_count")]
    for measure in ("due", "paid", "recovered"):
        names = [f"{measure}_{source}_fen" for source in SOURCES]
        there = [name for name in names if name in sums.columns]
        pairs += [(there[0], name) for name in there[1:]]
    return pairs


def _by_guarantee(run: Run) -> pl.DataFrame:
    every = pl.DataFrame({"guarantee": pl.Series(GUARANTEES, dtype=pl.Enum(GUARANTEES))})
    frames = (_claims(run, "guarantee"), _payouts(run, "guarantee"), _ledger(run))
    for frame in frames:
        every = every.join(frame.collect(), on="guarantee", how="left", maintain_order="left")
    recovered = _claims_recovered(run).collect()
    every = every.join(recovered, on="guarantee", how="left", maintain_order="left")
    received = run.payouts.filter(pl.col("replication") == KEPT).group_by("guarantee")
    by_receipt = received.agg(recovered_payouts_fen=pl.col("recovered_fen").sum())
    return every.join(
        by_receipt, on="guarantee", how="left", maintain_order="left"
    ).fill_null(0)


def _by_day(run: Run) -> pl.DataFrame:
    """Claims stand on the day of their decision in both; recoveries do not, and are left out."""
    claims = _claims(run, "lunar_day").collect()
    payouts = _payouts(run, "lunar_day").collect()
    return payouts.join(claims, on="lunar_day", how="left").fill_null(0).sort("lunar_day")


def _claims(run: Run, by: str) -> pl.LazyFrame:
    return run.rows("claims").group_by(by).agg(
        claims_count=pl.len().cast(pl.Int64),
        due_claims_fen=pl.col("due_fen").sum(),
        paid_claims_fen=pl.col("paid_fen").sum(),
    )


def _claims_recovered(run: Run) -> pl.LazyFrame:
    claims = run.rows("claims").group_by("guarantee")
    return claims.agg(recovered_claims_fen=pl.col("recovered_fen").sum())


def _payouts(run: Run, by: str) -> pl.LazyFrame:
    rows = run.payouts.lazy().filter(pl.col("replication") == KEPT)
    return rows.group_by(by).agg(
        claims_payouts_count=pl.col("claims_count").sum(),
        due_payouts_fen=pl.col("due_fen").sum(),
        paid_payouts_fen=pl.col("gross_fen").sum(),
    )


def _ledger(run: Run) -> pl.LazyFrame:
    """Money that left the purses, and money that came in from merchants."""
    amount, kind = pl.col("amount_fen"), pl.col("kind")
    came_in = (kind == "recovery") & (pl.col("debit") == "platform")
    rows = run.rows("ledger").filter(pl.col("guarantee").is_not_null())
    return rows.group_by("guarantee").agg(
        paid_ledger_fen=amount.filter(kind == "payout").sum(),
        recovered_ledger_fen=amount.filter(came_in).sum(),
    )
