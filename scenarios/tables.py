"""The one dictionary of every column of every table of a run directory: name, dtype, unit, meaning.

`sim` writes tables in this order with these dtypes, `reports` reads them, and a test holds every file
of a run against it. `enum:x` is a word of the vocabulary `VOCABULARIES["x"]`.
"""

from dataclasses import dataclass
from typing import Final

from scenarios import words


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `dtype` is a polars type name or `enum:<vocabulary>`; `unit` is "" for words and ids."""

    name: str
    dtype: str
    unit: str
    meaning: str


VOCABULARIES: Final[dict[str, tuple[str, ...]]] = {
    "category": words.CATEGORIES,
    "incident": words.INCIDENT_TYPES,
    "topic": words.TOPICS,
    "guarantee": words.GUARANTEES,
    "channel": words.CHANNELS,
    "skill": words.SKILLS,
    "priority": words.PRIORITIES,
    "store_type": words.STORE_TYPES,
    "surface": words.SURFACES,
    "region": words.REGIONS,
    "attempt_kind": words.ATTEMPT_KINDS,
    "outcome": words.OUTCOMES,
    "path": words.CLAIM_PATHS,
    "alert_response": words.ALERT_RESPONSES,
    "account": words.ACCOUNTS,
    "posting": words.POSTING_KINDS,
    "trigger": words.TRIGGERS,
    "bearer": words.BEARERS,
}

_REPLICATION = Column("replication", "Int32", "", "number of the replication, from 0")
_LUNAR_DAY = Column("lunar_day", "Int8", "d", "lunar offset of the day, 0 = 正月初一")
_INTERVAL_START = Column("interval_start_s", "Float64", "s", "start of the interval from the horizon's start")
_SKILL = Column("skill", "enum:skill", "", "skill group asked for")
_CHANNEL = Column("channel", "enum:channel", "", "phone or IM")
_CATEGORY = Column("category", "enum:category", "", "category of the order")
_GUARANTEE = Column("guarantee", "enum:guarantee", "", "guarantee whose terms apply")

TABLES: Final[dict[str, tuple[Column, ...]]] = {
    "intervals": (
        _REPLICATION,
        _INTERVAL_START,
        _LUNAR_DAY,
        _SKILL,
        _CHANNEL,
        Column("fresh_count", "Int32", "contacts", "first attempts that arrived in the interval"),
        Column("offered_count", "Int32", "contacts", "all attempts that arrived in the interval"),
        Column("answered_count", "Int32", "contacts", "of those, answered (whenever)"),
        Column("abandoned_count", "Int32", "contacts", "of those, abandoned (whenever)"),
        Column("in_system_count", "Int32", "contacts", "of those, still waiting at the horizon's end"),
        Column("answered_within_threshold_count", "Int32", "contacts", "of those, answered within the channel's service-level threshold"),
        Column("abandoned_within_threshold_count", "Int32", "contacts", "of those, abandoned within the threshold"),
        Column("redial_count", "Int32", "contacts", "attempts after an abandonment"),
        Column("reconnect_count", "Int32", "contacts", "attempts after an answer that did not resolve the case"),
        Column("escalation_count", "Int32", "contacts", "cases taken up by specialists after the consumer gave up"),
        Column("wait_answered_s_sum", "Float64", "s", "sum of waits of the answered"),
        Column("wait_s_sum", "Float64", "s", "sum of waits of all that left the queue"),
        Column("handle_s_sum", "Float64", "s", "sum of handle times of the answered, by arrival interval"),
        Column("queue_len_mean", "Float64", "contacts", "time-weighted mean queue length in the interval"),
        Column("agents_available", "Float64", "agents", "productive agents of the teams whose first queue this is, mean over the interval"),
        Column("agents_busy", "Float64", "agents", "agents busy in those teams, mean over the interval (IM: busy sessions / sessions per agent)"),
    ),
    "contacts": (
        _REPLICATION,
        Column("case_id", "Int64", "", "the consumer's case; several attempts share it"),
        Column("attempt_count", "Int16", "attempts", "number of this attempt within the case, from 1"),
        Column("kind", "enum:attempt_kind", "", "fresh, redial, reconnect or escalation"),
        Column("topic", "enum:topic", "", "what the contact is about"),
        _CATEGORY,
        _SKILL,
        _CHANNEL,
        Column("priority", "enum:priority", "", "priority class"),
        _LUNAR_DAY,
        Column("arrived_s", "Float64", "s", "arrival of the attempt"),
        Column("answered_s", "Float64", "s", "start of handling; null if never answered"),
        Column("ended_s", "Float64", "s", "end of handling or abandonment; null if still in the system"),
        Column("outcome", "enum:outcome", "", "answered, abandoned or in_system"),
        Column("team", "String", "", "team that answered; null if none"),
        Column("cross_answered", "Boolean", "", "answered by a team whose first queue is another one"),
        Column("patience_s", "Float64", "s", "time this attempt was willing to wait"),
        Column("resolved", "Boolean", "", "answered and the case needed no further attempt"),
    ),
    "incidents": (
        _REPLICATION,
        Column("incident_id", "Int64", "", "number of the incident within the replication"),
        Column("order_id", "Int64", "", "order that went wrong"),
        Column("case_id", "Int64", "", "case opened with the support pool; null if none"),
        Column("occurred_s", "Float64", "s", "time at which the order fell due"),
        _LUNAR_DAY,
        _CATEGORY,
        Column("region", "enum:region", "", "region of the store"),
        Column("incident", "enum:incident", "", "what went wrong"),
        Column("surface", "enum:surface", "", "where false advertising stood; null for other types"),
        Column("store_id", "Int32", "", "store"),
        Column("store_type", "enum:store_type", "", "compliant or speculator"),
        Column("order_value_fen", "Int64", "fen", "price of the order"),
        Column("alert_response", "enum:alert_response", "", "what the warned consumer did; none = not warned in time"),
        Column("path", "enum:path", "", "silent, self_service or human"),
        Column("upheld", "Boolean", "", "the claim is, or would be, upheld"),
        Column("opportunistic", "Boolean", "", "claimed without a true grievance"),
    ),
    "ledger": (
        _REPLICATION,
        Column("entry_id", "Int64", "", "number of the posting; never reused, never changed"),
        Column("posted_s", "Float64", "s", "time of the posting"),
        _LUNAR_DAY,
        Column("kind", "enum:posting", "", "what the posting is"),
        Column("guarantee", "enum:guarantee", "", "guarantee whose pot or terms are meant; null for fines and the reserve's funding"),
        Column("claim_id", "Int64", "", "claim; null for funding"),
        Column("store_id", "Int32", "", "store; null where none is meant"),
        Column("debit", "enum:account", "", "account debited"),
        Column("credit", "enum:account", "", "account credited"),
        Column("amount_fen", "Int64", "fen", "amount, always above 0"),
    ),
    "claims": (
        _REPLICATION,
        Column("claim_id", "Int64", "", "number of the claim within the replication"),
        Column("order_id", "Int64", "", "order behind it; null for reports"),
        Column("incident_id", "Int64", "", "incident behind it; null for rights, reports and false alarms"),
        Column("decided_s", "Float64", "s", "time of the decision"),
        _LUNAR_DAY,
        _GUARANTEE,
        Column("trigger", "enum:trigger", "", "what set it off"),
        _CATEGORY,
        Column("store_id", "Int32", "", "store; null where none is meant"),
        Column("order_value_fen", "Int64", "fen", "price of the order"),
        Column("refund_fen", "Int64", "fen", "refund part due"),
        Column("extra_fen", "Int64", "fen", "compensation above the refund, due"),
        Column("legal_fen", "Int64", "fen", "part of extra_fen that only the legal minimum explains"),
        Column("due_fen", "Int64", "fen", "refund + extra"),
        Column("paid_fen", "Int64", "fen", "paid; below due_fen when the pot stopped"),
        Column("recovered_fen", "Int64", "fen", "received from the merchant within the horizon"),
        Column("reviewed", "Boolean", "", "went through manual review because the pot was exhausted"),
        Column("escalated", "Boolean", "", "settled on the terms of an escalation: after one, or because the API had failed the claim"),
        Column("opportunistic", "Boolean", "", "claimed without a true grievance"),
    ),
    "payouts": (
        _REPLICATION,
        _LUNAR_DAY,
        _GUARANTEE,
        _CATEGORY,
        Column("claims_count", "Int64", "claims", "claims decided on the day and upheld"),
        Column("order_value_fen", "Int64", "fen", "price of their orders"),
        Column("due_fen", "Int64", "fen", "due by the terms"),
        Column("gross_fen", "Int64", "fen", "paid to consumers"),
        Column("shortfall_fen", "Int64", "fen", "due minus paid"),
        Column("recovered_fen", "Int64", "fen", "received from merchants on the day"),
        Column("net_fen", "Int64", "fen", "gross minus recovered"),
    ),
    "payouts_by_region": (
        _REPLICATION,
        _LUNAR_DAY,
        Column("region", "enum:region", "", "region of the store; null where a claim concerns no store"),
        Column("bearer", "enum:bearer", "", "who bears the claim by its terms"),
        Column("gross_fen", "Int64", "fen", "paid to consumers for claims decided on the day"),
        Column("recovered_fen", "Int64", "fen", "received from merchants on the day"),
        Column("net_fen", "Int64", "fen", "gross minus recovered"),
    ),
    "cash": (
        _REPLICATION,
        _INTERVAL_START,
        _LUNAR_DAY,
        Column("paid_fen", "Int64", "fen", "paid to consumers in the interval, from pots and reserve"),
        Column("recovered_fen", "Int64", "fen", "received from merchants in the interval"),
    ),
    "recourse": (
        _REPLICATION,
        Column("by", "String", "", "total, deposit (band of the store's deposit at the start), lag (whole days from payment to receipt) or store_rank (stores by what they owe, largest first)"),
        Column("key", "String", "", "which of them; null for the total"),
        Column("stores_count", "Int64", "stores", "stores that owe something; of a lag, those that paid"),
        Column("owed_fen", "Int64", "fen", "claimed back; recovered + contested + defaulted + open, but of a lag only what was received"),
        Column("recovered_fen", "Int64", "fen", "received within the horizon"),
        Column("contested_fen", "Int64", "fen", "written off because the merchant contested with success"),
        Column("defaulted_fen", "Int64", "fen", "written off because the deposit was empty"),
        Column("open_fen", "Int64", "fen", "not due within the horizon"),
        Column("collectible_fen", "Int64", "fen", "of the open, what won recourse would still draw from the deposits as they are"),
    ),
    "pots": (
        _REPLICATION,
        _INTERVAL_START,
        _LUNAR_DAY,
        _GUARANTEE,
        Column("due_fen", "Int64", "fen", "due from the pot in the interval"),
        Column("paid_fen", "Int64", "fen", "paid from the pot in the interval"),
        Column("reserve_paid_fen", "Int64", "fen", "paid from the reserve in its place"),
        Column("shortfall_fen", "Int64", "fen", "due and not paid"),
        Column("day_left_fen", "Int64", "fen", "left of the day's limit at the interval's end"),
        Column("balance_fen", "Int64", "fen", "left of the pot at the interval's end"),
        Column("exhausted", "Boolean", "", "a due payment could not be met in full from the pot today"),
    ),
    "merchants_daily": (
        _REPLICATION,
        _LUNAR_DAY,
        _CATEGORY,
        Column("store_type", "enum:store_type", "", "compliant or speculator"),
        Column("stores_count", "Int32", "stores", "stores of the fleet, delisted ones excluded"),
        Column("closed_declared_count", "Int32", "stores", "closed and said so"),
        Column("closed_undeclared_count", "Int32", "stores", "closed, still taking orders"),
        Column("marked_count", "Int32", "stores", "listing paused by monitoring on the day"),
        Column("false_alarms_count", "Int32", "stores", "listing paused though the store was open"),
        Column("stock_out_count", "Int32", "stores", "sold out on the day"),
        Column("turned_away_count", "Int64", "orders", "bookings refused because the listing said full"),
        Column("oversold_count", "Int64", "orders", "bookings taken beyond capacity"),
        Column("delisted_count", "Int32", "stores", "taken off the platform on the day"),
        Column("points_count", "Int64", "points", "violation points given on the day"),
        Column("patrol_visits_count", "Int32", "visits", "inspections of the patrol, on-line and on site"),
        Column("patrol_caught_count", "Int32", "visits", "inspections that found a violation"),
        Column("reports_count", "Int32", "reports", "reports by consumers"),
        Column("reports_valid_count", "Int32", "reports", "reports found valid, paid a bounty"),
        Column("verification_work_s", "Float64", "s", "work of checking reports"),
        Column("orders_count", "Int64", "orders", "orders due"),
        Column("incidents_count", "Int64", "incidents", "incidents"),
        Column("fines_fen", "Int64", "fen", "fines"),
        Column("recourse_fen", "Int64", "fen", "taken from deposits for claims"),
        Column("margin_fen", "Int64", "fen", "margin of the stores after fines, recourse and gains from misconduct"),
        Column("deposit_fen", "Int64", "fen", "deposits at the end of the day"),
        Column("conduct_ratio", "Float64", "ratio", "misconduct relative to its level without deterrence"),
    ),
    "alerts": (
        _REPLICATION,
        _LUNAR_DAY,
        _CATEGORY,
        Column("incident", "enum:incident", "", "what was foreseen"),
        Column("alerts_count", "Int64", "alerts", "consumers warned before their visit"),
        Column("false_alarms_count", "Int64", "alerts", "of those, warned of nothing"),
        Column("alternative_count", "Int64", "alerts", "took the alternative"),
        Column("cancelled_count", "Int64", "alerts", "cancelled with compensation"),
        Column("went_anyway_count", "Int64", "alerts", "went anyway"),
        Column("prevented_count", "Int64", "orders", "orders never placed because the listing was marked"),
        Column("contacts_saved_count", "Int64", "contacts", "human contacts that would have come without the alert, first attempts"),
        Column("cost_fen", "Int64", "fen", "cost of sending the alerts"),
        Column("compensation_fen", "Int64", "fen", "alert compensation due"),
    ),
    "staffing": (
        _REPLICATION,
        _INTERVAL_START,
        _LUNAR_DAY,
        Column("team", "String", "", "team"),
        Column("heads_rostered_count", "Int32", "agents", "paid heads of the team on a shift in the interval"),
        Column("heads_present_count", "Int32", "agents", "of those, attending"),
        Column("overtime_count", "Int32", "agents", "of those present, on overtime"),
        Column("agents_available", "Float64", "agents", "productive agents after breaks and shrinkage"),
        Column("new_hire_ratio", "Float64", "ratio", "share of new hires among the present"),
        Column("wage_fen", "Int64", "fen", "wages of the interval"),
    ),
    "demand": (
        _REPLICATION,
        _LUNAR_DAY,
        _CATEGORY,
        Column("region", "enum:region", "", "region"),
        Column("orders_count", "Int64", "orders", "orders due"),
        Column("order_value_fen", "Int64", "fen", "their price, expected value"),
        Column("burst_orders_count", "Int64", "orders", "of those, from live-room bursts"),
    ),
    "estimates": (
        Column("subject", "String", "", "what is estimated; the names stand in sim/experiment/subjects.py"),
        Column("lunar_day", "Int8", "d", "lunar day; null = whole horizon"),
        Column("hour", "Int8", "h", "hour of the day; null = whole day"),
        Column("skill", "enum:skill", "", "skill group; null = all"),
        Column("channel", "enum:channel", "", "channel; null = both"),
        Column("guarantee", "enum:guarantee", "", "guarantee; null = all"),
        Column("category", "enum:category", "", "category; null = all"),
        Column("store_type", "enum:store_type", "", "store type; null = both"),
        Column("mean", "Float64", "see unit", "mean over replications"),
        Column("low", "Float64", "see unit", "lower end of the 95 % confidence interval; null with one replication"),
        Column("high", "Float64", "see unit", "upper end of it"),
        Column("band_low", "Float64", "see unit", "5 % quantile over replications"),
        Column("band_high", "Float64", "see unit", "95 % quantile over replications"),
        Column("n", "Int32", "replications", "replications behind the estimate"),
        Column("unit", "String", "", "unit of the estimate"),
    ),
    "replications": (
        _REPLICATION,
        Column("metric", "String", "", "name of the metric, as in summary.json"),
        Column("value", "Float64", "see unit", "value in this replication"),
        Column("unit", "String", "", "unit of the metric"),
    ),
}


def column(table: str, name: str) -> Column:
    """The dictionary's entry. Raises KeyError if the table or the column does not exist."""
    for entry in TABLES[table]:
        if entry.name == name:
            return entry
    raise KeyError(f"table {table!r} has no column {name!r}")
