"""Claims of a run as traffic: by self-service, by agents, cancellations, alerts and reports.

What the rows say is taken from them (who claims, when it is decided, when an agent answers and ends
a contact, what is upheld); habits.toml says what they do not. A self-service claim that was not
upheld has no row of its own time: it is drawn by the scenario's law, as the simulation draws it. A
cinema ticket given back goes through the same route as any other cancellation.
"""

from typing import Final

import numpy as np
import polars as pl

from loadtests.traffic.habits import Claims
from loadtests.traffic.hours import within_days
from loadtests.traffic.parts import Part, part, stream
from loadtests.traffic.rundata import RunData
from scenarios.words import INCIDENT_TYPES

RIGHTS: Final = ("cancellation", "ticket_refund")
_NO_WORD: Final = pl.lit("").alias("word")


def self_service(run: RunData, habits: Claims, seed: int) -> Part:
    """Claims without a person: opened, looked at, accepted; or refused by an agent later."""
    upheld = run.table("claims").select("incident_id", "decided_s")
    rows = (
        run.table("incidents")
        .filter(pl.col("path").cast(pl.String) == "self_service")
        .join(upheld, on="incident_id", how="left")
        .sort("incident_id")
        .collect()
    )
    consumers = run.scenario.consumers
    kinds = rows["incident"].cast(pl.Enum(INCIDENT_TYPES)).to_physical().to_numpy()
    z = stream(seed, "claim.delay").standard_normal(rows.height)
    medians_s = np.array(consumers.claim_delay_median_s.row())[kinds]
    drawn_s = medians_s * np.exp(consumers.claim_delay_sigma_ratio * z)
    cases = _opened(rows, "open_claim", "consumer").with_columns(
        time_s=rows["decided_s"].fill_null(rows["occurred_s"] + drawn_s)
    )
    found_true = rows["decided_s"].is_not_null()
    accepted = _later(cases.filter(found_true), habits.accept_after_s, "consumer", "settle")
    refused = _later(cases.filter(~found_true), habits.review_after_s, "agent", "release")
    return part(cases=cases, following=[_looked_at(cases, "consumer", habits), accepted, refused])


def by_agents(run: RunData) -> Part:
    """Claims of those who reached a person: opened at the first answer, read at every further one,
    settled or refused when the contact that resolves the case ends."""
    answered = (
        run.table("contacts")
        .filter(pl.col("answered_s").is_not_null() & (pl.col("topic") != "inquiry"))
        .select("case_id", "kind", "answered_s", "ended_s", "resolved")
    )
    rows = (
        answered.join(run.table("incidents"), on="case_id", how="inner")
        .sort("case_id", "answered_s")
        .with_columns(first=pl.col("case_id").is_first_distinct())
        .collect()
    )
    firsts = rows.filter(pl.col("first"))
    cases = _opened(firsts, "open_claim", "agent").with_columns(
        case=firsts["case_id"],
        time_s=firsts["answered_s"],
        escalated=firsts["kind"] == "escalation",
    )
    again = rows.filter(~pl.col("first")).select(
        pl.col("case_id").alias("case"),
        pl.col("answered_s").alias("time_s"),
        pl.lit("read_claim").alias("operation"),
        pl.lit("agent").alias("role"),
        _NO_WORD,
    )
    ended = rows.filter(pl.col("resolved") & pl.col("ended_s").is_not_null()).select(
        pl.col("case_id").alias("case"),
        pl.col("ended_s").alias("time_s"),
        pl.lit("resolve_claim").alias("operation"),
        pl.lit("agent").alias("role"),
        pl.when("upheld").then(pl.lit("settle")).otherwise(pl.lit("release")).alias("word"),
    )
    return part(
        cases=cases, following=[again, ended.unique("case", keep="last", maintain_order=True)]
    )


def cancellations(run: RunData, habits: Claims) -> Part:
    """Bookings cancelled and tickets given back; the consumer accepts what is offered."""
    rows = run.table("claims").filter(pl.col("trigger").is_in(RIGHTS)).sort("claim_id").collect()
    cases = _opened(rows, "cancel", "consumer").with_columns(time_s=rows["decided_s"])
    return part(cases=cases, following=[_later(cases, habits.accept_after_s, "consumer", "settle")])


def alerts(run: RunData, habits: Claims, seed: int) -> Part:
    """Every warning, with compensation held: settled by those who cancel, released by the rest.

    Only those who cancel have a row with a time. The others were warned at the same times: theirs
    are drawn from the rows of the same day and category.
    """
    paid = run.table("claims").filter(pl.col("trigger") == "alert").sort("claim_id").collect()
    others = (
        run.table("alerts")
        .group_by("lunar_day", "category")
        .agg((pl.col("alerts_count") - pl.col("cancelled_count")).sum().alias("count"))
        .filter(pl.col("count") > 0)
        .sort("lunar_day", "category")
        .collect()
    )
    rng = stream(seed, "alert.others")
    drawn = []
    for day, category, count in others.iter_rows():
        of_day = paid.filter((pl.col("lunar_day") == day) & (pl.col("category") == category))
        if of_day.height:
            drawn.append(of_day[rng.integers(of_day.height, size=count)])
    early_s = habits.alert_answer_after_s
    rows = pl.concat([paid, *drawn])
    cases = _opened(rows, "alert", "operator").with_columns(time_s=rows["decided_s"] - early_s)
    jitter_s = rng.random(rows.height - paid.height) * run.scenario.horizon.tick_s
    cases = cases.with_columns(
        time_s=cases["time_s"] + pl.Series(np.concatenate([np.zeros(paid.height), jitter_s]))
    )
    cancelled = _later(cases[: paid.height], early_s, "consumer", "settle")
    going = _later(cases[paid.height :], early_s, "consumer", "release")
    return part(cases=cases, following=[cancelled, going])


def reports(run: RunData, seed: int) -> Part:
    """Rewarded reports, by the hours of orders; an agent decides each after the usual time."""
    daily = run.table("merchants_daily").group_by("lunar_day", "category")
    counts = daily.agg(pl.col("reports_count").sum().alias("count")).sort("lunar_day", "category")
    rng = stream(seed, "reports")
    rows = within_days(run.scenario, counts.collect(), rng).with_columns(order_value_fen=pl.lit(0))
    merchants = rng.integers(run.scenario.merchants.store_count, size=rows.height)
    rows = rows.with_columns(store_id=pl.Series(merchants))
    cases = _opened(rows, "report", "consumer").with_columns(time_s=rows["time_s"])
    patrol = run.scenario.patrol
    valid = pl.Series(rng.random(rows.height) < patrol.reports_valid_ratio)
    after_s = patrol.report_decision_median_s
    rewarded = _later(cases.filter(valid), after_s, "agent", "settle")
    refused = _later(cases.filter(~valid), after_s, "agent", "release")
    return part(cases=cases, following=[rewarded, refused])


def _opened(rows: pl.DataFrame, operation: str, role: str) -> pl.DataFrame:
    """Cases numbered by row, with what a body needs; the time is still to be set."""
    trigger = pl.col("incident") if "incident" in rows.columns else pl.lit("")
    return rows.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("case"),
        pl.lit(0.0).alias("time_s"),
        pl.lit(operation).alias("operation"),
        pl.lit(role).alias("role"),
        trigger.alias("trigger"),
        "category",
        # Stores are numbered from 0, merchants of the API from 1; some claims name no store.
        (pl.col("store_id").cast(pl.Int64).fill_null(0) + 1).alias("merchant_id"),
        "order_value_fen",
        pl.lit(False).alias("escalated"),
    )


def _later(cases: pl.DataFrame, after_s: float, role: str, outcome: str) -> pl.DataFrame:
    return cases.select(
        "case",
        pl.col("time_s") + after_s,
        pl.lit("resolve_claim").alias("operation"),
        pl.lit(role).alias("role"),
        pl.lit(outcome).alias("word"),
    )


def _looked_at(cases: pl.DataFrame, role: str, habits: Claims) -> pl.DataFrame:
    return cases.select(
        "case",
        pl.col("time_s") + habits.look_after_s,
        pl.lit("read_claim").alias("operation"),
        pl.lit(role).alias("role"),
        _NO_WORD,
    )
