"""The two long sheets: payouts of all replications, and every claim of one festival.

Decides their columns. A claim's row leads from its order and incident to its term and version, to
its payout and to what came back; `springpeak ledger` tells the rest.
"""

from datetime import datetime
from typing import Final

import polars as pl

from reports.files import KEPT
from reports.language import say
from reports.workbook.block import Field
from reports.workbook.detail import ROWS_LIMIT, Detail
from reports.workbook.run import Run

PAYOUTS: Final = (
    Field("replication", "Replication", "", "count", 12, "number of the simulated festival"),
    Field("lunar_day", "Lunar day", "0 = 初一", "count", 10, "day of the decision"),
    Field("guarantee", "Guarantee", "", "text", 24, "guarantee whose terms apply"),
    Field("category", "Category", "", "text", 16, "category of the order"),
    Field("claims", "Claims", "claims", "count", 12, "decided on the day and upheld"),
    Field("due", "Due", "CNY", "cny", 16, "due by the terms"),
    Field("gross", "Paid, gross", "CNY", "cny", 16, "paid to consumers"),
    Field("shortfall", "Shortfall", "CNY", "cny", 16, "due and not paid"),
    Field("recovered", "Recovered", "CNY", "cny", 16, "received from merchants on the day"),
)
CLAIMS: Final = (
    Field("claim", "Claim", "id", "plain", 11, "number of the claim"),
    Field("order", "Order", "id", "plain", 11, "order behind it; empty for reports"),
    Field("incident", "Incident", "id", "plain", 11, "what went wrong; empty for rights"),
    Field("case", "Case", "id", "plain", 11, "contacts with a person; empty without"),
    Field("decided", "Decided", "date, time", "moment", 19, "moment of the decision"),
    Field("lunar_day", "Lunar day", "0 = 初一", "count", 10, "day of the decision"),
    Field("guarantee", "Guarantee", "", "text", 24, "guarantee whose terms apply"),
    Field("trigger", "Trigger", "", "text", 19, "what set it off"),
    Field("category", "Category", "", "text", 15, "category of the order"),
    Field("store", "Store", "id", "plain", 10, "store; empty where none is meant"),
    Field("version", "Term version", "", "text", 13, "version of the term, as on sheet Terms"),
    Field("price", "Order value", "CNY", "cny", 13, "price of the order"),
    Field("refund", "Refund", "CNY", "cny", 13, "refund part due"),
    Field("extra", "Extra", "CNY", "cny", 13, "compensation above the refund, due"),
    Field("legal", "Of it by law", "CNY", "cny", 13, "part that only the law explains"),
    Field("due", "Due", "CNY", "cny", 13, "refund + extra"),
    Field("paid", "Paid", "CNY", "cny", 13, "paid to the consumer"),
    Field("purse", "Paid from", "", "text", 10, "pot or reserve; empty if unpaid"),
    Field("recovered", "Recovered", "CNY", "cny", 13, "received from the merchant"),
    Field("marks", "Marks", "", "text", 26, "escalated, reviewed, opportunistic"),
)
_MARKS: Final = ("escalated", "reviewed", "opportunistic")


def payouts(run: Run) -> Detail:
    """All replications, as the engine wrote them; every total of the summary adds these rows."""
    renamed = {"claims_count": "claims", **{f"{k}_fen": k for k in ("due", "gross", "shortfall")}}
    frame = run.payouts.rename({**renamed, "recovered_fen": "recovered"})
    return Detail(
        slug="payouts",
        name=say("Payouts"),
        note=say("Each replication is one simulated festival. Written by the engine."),
        fields=PAYOUTS,
        frame=frame.select(field.key for field in PAYOUTS),
    )


def claims(run: Run, *, rows_limit: int = ROWS_LIMIT) -> Detail:
    """Every claim of the festival whose rows are kept, in the order of their numbers."""
    frame = (
        run.rows("claims")
        .join(_cases(run), on="incident_id", how="left")
        .join(_purses(run), on="claim_id", how="left")
        .join(_versions(run), on=("guarantee", "trigger"), how="left")
        .sort("claim_id")
        .with_columns(_marks().alias("marks"))
        .rename({"claim_id": "claim", "order_id": "order", "incident_id": "incident"})
        .rename({"case_id": "case", "decided_s": "decided", "store_id": "store"})
        .rename({"order_value_fen": "price", "credit": "purse"})
        .rename(lambda name: name.removesuffix("_fen"))
        .select(field.key for field in CLAIMS)
        .collect()
    )
    return Detail(
        slug="claims",
        name=say("Claims"),
        note=say(
            "Every claim of replication {number}. Filter by guarantee or day to see what a total "
            "consists of; `springpeak ledger RUN --claim ID` tells a claim's whole story.",
            number=KEPT,
        ),
        fields=CLAIMS,
        frame=frame,
        start_serial=_serial(run.clock.start),
        rows_limit=rows_limit,
    )


def _cases(run: Run) -> pl.LazyFrame:
    return run.rows("incidents").select("incident_id", "case_id")


def _purses(run: Run) -> pl.LazyFrame:
    return run.rows("ledger").filter(pl.col("kind") == "payout").select("claim_id", "credit")


def _versions(run: Run) -> pl.LazyFrame:
    schema = run.scan("claims").collect_schema()
    rows = [(name, trigger, term.version) for name, trigger, term in run.guarantees.promises()]
    return pl.LazyFrame(
        rows,
        schema={
            "guarantee": schema["guarantee"],
            "trigger": schema["trigger"],
            "version": pl.String(),
        },
        orient="row",
    )


def _marks() -> pl.Expr:
    """The flags of a claim in words; null where it has none."""
    words = [pl.when(pl.col(name)).then(pl.lit(name)) for name in _MARKS]
    said = pl.concat_str(words, separator=", ", ignore_nulls=True)
    return pl.when(said != "").then(said)


def _serial(moment: datetime) -> float:
    """The spreadsheet's number of a midnight: days since 1899-12-30."""
    return float((moment - datetime(1899, 12, 30)).days)
