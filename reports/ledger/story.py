"""A claim's story: every row of a run that speaks of one claim, from the order to the recovery.

Decides which rows those are; computes nothing. Reads the run's own tables lazily, with the claim's
number as the predicate, so that a national run answers in a fraction of a second. Units are those
of the tables: fen, seconds from the horizon's start.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from reports.files import kept_rows
from scenarios.terms import Term
from sim.experiment.files import RunError
from sim.experiment.rundir import SCENARIO, RunDirectory

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """The rows behind one claim; None and empty where nothing of the kind exists or is kept."""

    scenario: Mapping[str, Any]
    fingerprint: str
    seed: int
    claim: Row
    term: Term
    incident: Row | None
    attempts: tuple[Row, ...]
    entries: tuple[Row, ...]
    pot: Row
    """The pot at the end of the tick in which the claim was decided, or paid if it was."""

    @property
    def term_key(self) -> str:
        """Where the term stands in the scenario."""
        return f"guarantees.{self.claim['guarantee']}.terms.{self.claim['trigger']}"

    def entries_of(self, kind: str) -> tuple[Row, ...]:
        """Entries of one kind; of a recovery the one by which the money came in."""
        rows = (row for row in self.entries if row["kind"] == kind)
        return tuple(row for row in rows if kind != "recovery" or row["debit"] == "platform")


def read_story(path: Path, claim_id: int) -> Story:
    """The story of a claim of a run.

    Raises RunError when the directory is no run, keeps no single claims, or has no such claim.
    """
    directory = RunDirectory(path)
    manifest = directory.manifest()
    claims = _rows(directory, "claims").filter(pl.col("claim_id") == claim_id).collect()
    if claims.is_empty():
        raise RunError(_unknown(directory, claim_id))
    claim = claims.row(0, named=True)
    scenario = tomllib.loads((path / SCENARIO).read_text(encoding="utf-8"))
    incident = _incident(directory, claim["incident_id"])
    attempts = _attempts(directory, incident)
    ledger = _rows(directory, "ledger").filter(pl.col("claim_id") == claim_id)
    entries = tuple(ledger.sort("entry_id").collect().iter_rows(named=True))
    return Story(
        scenario=scenario,
        fingerprint=manifest["fingerprint"],
        seed=manifest["seed"],
        claim=claim,
        term=_term(scenario, claim),
        incident=incident,
        attempts=attempts,
        entries=entries,
        pot=_pot(directory, claim, entries, tick_s=scenario["horizon"]["tick_s"]),
    )


def _rows(directory: RunDirectory, table: str) -> pl.LazyFrame:
    """A row table of the first replication. Raises RunError where the run has none."""
    file = directory.table(table)
    if not file.exists():
        raise RunError(
            f"{directory.path} keeps no single claims: it has no {file.name}; `springpeak run` "
            "keeps those of its first replication"
        )
    return kept_rows(directory, table)


def _unknown(directory: RunDirectory, claim_id: int) -> str:
    number = pl.col("claim_id")
    ends = _rows(directory, "claims").select(low=number.min(), high=number.max()).collect()
    low, high = ends.row(0)
    if low is None:
        return f"{directory.path} has no claim {claim_id}: no claim was decided in it"
    return f"{directory.path} has no claim {claim_id}: its claims are numbered {low} to {high}"


def _incident(directory: RunDirectory, incident_id: int | None) -> Row | None:
    if incident_id is None:
        return None
    rows = _rows(directory, "incidents").filter(pl.col("incident_id") == incident_id).collect()
    return None if rows.is_empty() else rows.row(0, named=True)


def _attempts(directory: RunDirectory, incident: Row | None) -> tuple[Row, ...]:
    """The contacts that led to the claim, in order."""
    if incident is None or incident["case_id"] is None:
        return ()
    rows = _rows(directory, "contacts").filter(pl.col("case_id") == incident["case_id"])
    return tuple(rows.sort("arrived_s").collect().iter_rows(named=True))


def _pot(directory: RunDirectory, claim: Row, entries: tuple[Row, ...], *, tick_s: int) -> Row:
    paid_s = [row["posted_s"] for row in entries if row["kind"] == "payout"]
    at_s = paid_s[0] if paid_s else claim["decided_s"]
    rows = _rows(directory, "pots").filter(
        pl.col("guarantee") == claim["guarantee"],
        pl.col("interval_start_s") == at_s // tick_s * tick_s,
    )
    return rows.collect().row(0, named=True)


def _term(scenario: Mapping[str, Any], claim: Row) -> Term:
    terms = scenario["guarantees"][claim["guarantee"]]["terms"]
    return Term.model_validate(terms[claim["trigger"]], strict=False)
