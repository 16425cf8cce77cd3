"""The second part of the dictionary: the tables that `springpeak payout` computes from a run.

Names, dtypes, units and meanings, as in scenarios/tables.py, which has the tables of a run itself.
Statistics are over replications; every figure has its 95 % confidence interval beside it.
"""

from typing import Final

from scenarios.study_tables import STUDY_TABLES
from scenarios.tables import TABLES, Column

_LUNAR_DAY = Column("lunar_day", "Int8", "d", "lunar offset of the day; null = the whole horizon")
_GUARANTEE = Column("guarantee", "enum:guarantee", "", "guarantee whose pot it is")
_VALUE = (
    Column("value_fen", "Float64", "fen", "the figure; null where it is withheld or does not exist"),
    Column("low_fen", "Float64", "fen", "lower end of its 95 % confidence interval; null where none can be said"),
    Column("high_fen", "Float64", "fen", "upper end of it; null where none can be said"),
    Column("n", "Int32", "replications", "replications behind the figure"),
    Column("withheld", "String", "", "why a figure or its interval is not given; null where it is"),
)
_STATISTIC = Column("statistic", "String", "", "mean, sd, p50, p75, p90, p95, p99 (quantiles), tvar95 or tvar99 (mean of the worst 5 % or 1 %)")

# Written by `springpeak payout` beside a run's own tables, as Parquet and as CSV.
PAYOUT_TABLES: Final[dict[str, tuple[Column, ...]]] = {
    "payout_answers": (
        Column("figure", "String", "", "what is said: book_gross, book_recovery, book_net, book_opportunistic, fund_p95, fund_p99 (cash on the way), gross_p95, gross_p99 (payments), and both at a level asked for"),
        *_VALUE,
        Column("meaning", "String", "", "the figure in a sentence"),
    ),
    "payout_distribution": (
        Column("measure", "String", "", "gross (paid to consumers), recovered (received from merchants within the horizon) or net (gross minus recovered)"),
        Column("by", "String", "", "total, guarantee, category, lunar_day, region or bearer"),
        Column("key", "String", "", "which of them; a bearer is platform or merchant, by the terms; empty for the total"),
        _STATISTIC,
        *_VALUE,
    ),
    "payout_cash": (
        Column("flow", "String", "", "paid, recovered, net (on the day), cumulative_paid, cumulative_recovered, cumulative_net (by its end), peak_funding (highest point of cumulative_net on the way, quarter hour by quarter hour)"),
        Column("lunar_day", "Int8", "d", "lunar offset of the day; null for peak_funding, which is one figure a replication"),
        _STATISTIC,
        *_VALUE,
    ),
    "payout_pots": (
        _GUARANTEE,
        _LUNAR_DAY,
        Column("exhausted_ratio", "Float64", "ratio", "probability that by the end of the day a due payment could not be met in full from the pot"),
        Column("exhausted_low_ratio", "Float64", "ratio", "lower end of its 95 % confidence interval (Clopper-Pearson); null with one replication"),
        Column("exhausted_high_ratio", "Float64", "ratio", "upper end of it; null with one replication"),
        Column("half_exhausted_day", "Int8", "d", "first day by whose end half of the replications are exhausted; null = never, or not a row of the whole horizon"),
        Column("nine_tenths_exhausted_day", "Int8", "d", "the same for nine tenths; null = never, or not a row of the whole horizon"),
        Column("expected_shortfall_fen", "Float64", "fen", "mean of what was due and not paid, on the day or over the horizon"),
        Column("expected_shortfall_low_fen", "Float64", "fen", "lower end of its 95 % confidence interval; null with one replication"),
        Column("expected_shortfall_high_fen", "Float64", "fen", "upper end of it; null with one replication"),
        Column("n", "Int32", "replications", "replications behind the row"),
    ),
    "payout_pot_amounts": (
        _GUARANTEE,
        Column("limit", "String", "", "total (the pot over the horizon) or day (the largest day)"),
        Column("now_fen", "Int64", "fen", "the limit in the scenario"),
        Column("level", "Float64", "ratio", "probability with which the amount holds: 0.95 or 0.99"),
        *_VALUE,
    ),
    "payout_budgets": (
        _GUARANTEE,
        Column("budget_fen", "Int64", "fen", "the budget that was asked about"),
        Column("lunar_day", "Int8", "d", "lunar offset of the day"),
        Column("exhausted_ratio", "Float64", "ratio", "probability that what was due from the pot by the end of the day is above the budget"),
        Column("exhausted_low_ratio", "Float64", "ratio", "lower end of its 95 % confidence interval (Clopper-Pearson); null with one replication"),
        Column("exhausted_high_ratio", "Float64", "ratio", "upper end of it; null with one replication"),
        Column("n", "Int32", "replications", "replications behind the row"),
    ),
    "payout_attribution": (
        Column("measure", "String", "", "gross or net"),
        Column("by", "String", "", "guarantee, category or region"),
        Column("key", "String", "", "which of them; none for claims that concern no store"),
        Column("level", "Float64", "ratio", "0.95 or 0.99: the worst 5 % or 1 % of seasons"),
        Column("mean_fen", "Float64", "fen", "mean over all replications"),
        Column("cotvar_fen", "Float64", "fen", "mean over the worst replications of the total; these add up to the total's TVaR; null where withheld"),
        Column("share_ratio", "Float64", "ratio", "cotvar_fen over the total's TVaR; null where withheld"),
        Column("n", "Int32", "replications", "replications behind the row"),
        Column("withheld", "String", "", "why it is not given; null where it is"),
    ),
    "payout_recoveries": (
        Column("by", "String", "", "total, deposit (band of the store's deposit at the start), lag (days from payment to receipt) or store_rank (stores by what they owe, largest first)"),
        Column("key", "String", "", "which of them; empty for the total"),
        Column("measure", "String", "", "owed (claimed back), recovered, contested (recourse lost), defaulted (deposit empty), open (not due within the horizon), collectible (of the open, what won recourse would still draw from the deposits)"),
        Column("mean_fen", "Float64", "fen", "mean over replications"),
        Column("low_fen", "Float64", "fen", "lower end of its 95 % confidence interval; null with one replication"),
        Column("high_fen", "Float64", "fen", "upper end of it; null with one replication"),
        Column("share_ratio", "Float64", "ratio", "mean over the mean of the same measure in all; null where that is 0"),
        Column("n", "Int32", "replications", "replications behind the row"),
    ),
    "payout_tornado": (
        Column("rank", "Int32", "", "1 moves the expected net payout most"),
        Column("key", "String", "", "key of the scenario"),
        Column("low_value", "Float64", "see key", "its low case; of an array a multiple of the values"),
        Column("base_value", "Float64", "see key", "its value in the scenario; of an array 1"),
        Column("high_value", "Float64", "see key", "its high case; of an array a multiple of the values"),
        Column("source", "String", "", "what the scenario says of its origin"),
        Column("low_effect_fen", "Float64", "fen", "change of the expected net payout at the low case, paired under common random numbers; null where the key cannot be moved alone"),
        Column("low_effect_low_fen", "Float64", "fen", "lower end of its 95 % confidence interval; null with one replication"),
        Column("low_effect_high_fen", "Float64", "fen", "upper end of it; null with one replication"),
        Column("high_effect_fen", "Float64", "fen", "the same at the high case; null where the key cannot be moved alone"),
        Column("high_effect_low_fen", "Float64", "fen", "lower end of its 95 % confidence interval; null with one replication"),
        Column("high_effect_high_fen", "Float64", "fen", "upper end of it; null with one replication"),
        Column("n", "Int32", "replications", "paired replications behind the row"),
    ),
    "payout_bridge": (
        Column("position", "Int32", "", "order on the page, from 0"),
        Column("part", "String", "", "start, volume, mix, frequency, severity, terms, recovery or end"),
        Column("amount_fen", "Int64", "fen", "net payout at start and end, the part's Shapley value between; start + parts = end, to the fen"),
        Column("low_fen", "Float64", "fen", "lower end of its 95 % confidence interval; null with one replication"),
        Column("high_fen", "Float64", "fen", "upper end of it; null with one replication"),
        Column("n", "Int32", "replications", "paired replications behind the row"),
    ),
    "payout_lab": (
        Column("policy", "String", "", "overlay, or key=value, laid on the scenario"),
        Column("metric", "String", "", "name of the metric, as in summary.json"),
        Column("unit", "String", "", "unit of the metric"),
        Column("base", "Float64", "see unit", "mean without the policy; null where no replication has the metric"),
        Column("value", "Float64", "see unit", "mean with it; null where no replication has the metric"),
        Column("difference", "Float64", "see unit", "paired difference under common random numbers; null where no replication has the metric"),
        Column("low", "Float64", "see unit", "lower end of its 95 % confidence interval; null with one replication"),
        Column("high", "Float64", "see unit", "upper end of it; null with one replication"),
        Column("n", "Int32", "replications", "paired replications behind the row"),
    ),
}


def columns_of(table: str) -> tuple[Column, ...]:
    """The columns of a table of any kind. Raises KeyError if there is none of this name."""
    return {**TABLES, **STUDY_TABLES, **PAYOUT_TABLES}[table]
