"""What was sent and what was said about it: the journal's writes beside the trace's requests.

A refusal counts as one only if it was the only answer there could be: when an earlier attempt went
unanswered, that one may have been kept.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import polars as pl

from loadtests.trace import OPENING
from scenarios.load import WRITES

FOREVER_NS: Final = 2**62
COLUMNS: Final = (
    "step", "operation", "outcome", "attempts", "answer_id", "answer_state", "answer_fen",
    "sent_ns", "done_ns", "key", "body", "role", "target", "depends_on", "shard_key", "status",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Write:
    """One write of the trace, and what became of it."""

    step: int
    operation: str
    outcome: str
    """ok, no (certainly not there) or unknown."""
    answer_id: int
    """0 if none."""
    answer_state: str
    answer_fen: int | None
    sent_ns: int
    done_ns: int
    """FOREVER_NS if nobody knows when, or whether."""
    key: str
    body: bytes
    role: str
    target: str
    depends_on: int
    shard_key: int
    status: int
    asked: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"step {self.step} ({self.operation})"


@dataclass(frozen=True, slots=True)
class History:
    """Writes by what they are."""

    openings: list[Write]
    endings: dict[int, Write]
    """By the step that opened the claim."""
    statuses: list[Write]

    @property
    def writes(self) -> list[Write]:
        return [*self.openings, *self.endings.values(), *self.statuses]


def history(journal: pl.DataFrame, steps: pl.DataFrame) -> History:
    """The writes of a journal, with what the trace asked for."""
    asked = steps.select("step", "body", "role", "target", "depends_on", "shard_key")
    rows = (
        journal.filter(pl.col("operation").cast(pl.String).is_in(WRITES))
        .join(asked, on="step", how="left", maintain_order="left")
        .select(COLUMNS)
    )
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    openings, endings, statuses = [], {}, []
    for row in rows.iter_rows(named=True):
        write = _write(row, decode(row["body"]))
        if write.operation in OPENING:
            openings.append(write)
        elif write.operation == "resolve_claim":
            endings[write.depends_on] = write
        else:
            statuses.append(write)
    return History(openings, endings, statuses)


def _write(row: dict[str, Any], asked: dict[str, Any]) -> Write:
    outcome = row["outcome"]
    if outcome in ("fail", "dropped"):
        # A step that is dropped after an attempt may have got through, too.
        sure = row["attempts"] <= (1 if outcome == "fail" else 0)
        outcome = "no" if sure else "unknown"
    known = outcome != "unknown" and row["done_ns"] is not None
    text = row["answer_id"]
    return Write(
        step=row["step"],
        operation=row["operation"],
        outcome=outcome,
        answer_id=int(text) if text.isdecimal() else 0,
        answer_state=row["answer_state"],
        answer_fen=row["answer_fen"],
        sent_ns=row["sent_ns"] if row["sent_ns"] is not None else 0,
        done_ns=row["done_ns"] if known else FOREVER_NS,
        key=row["key"],
        body=row["body"],
        role=row["role"],
        target=row["target"],
        depends_on=row["depends_on"],
        shard_key=row["shard_key"],
        status=row["status"],
        asked=asked,
    )
