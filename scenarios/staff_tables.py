"""The third part of the dictionary: the tables that `springpeak staff` writes, as CSV.

Names, dtypes, units and meanings, as in scenarios/tables.py. A head's row of shifts is one line a
day; what a rest day does not have is empty.
"""

from typing import Final

from scenarios.tables import Column

_LUNAR_DAY = Column("lunar_day", "Int8", "d", "lunar day on which the shift or interval starts, 0 = 正月初一")
_START = Column("start_h", "Float64", "h", "hour of the day at which it starts; null on a rest day")

PAIRED: Final = ("service_level_phone", "service_level_im", "abandoned")
"""Ratios of a replication for which the table steps says what pairing plans saves."""


def _ends(what: str, unit: str) -> tuple[Column, ...]:
    """The two ends of a paired 95 % confidence interval."""
    said = {"low": "lower", "high": "upper"}
    return tuple(
        Column(f"{what}_{end}_{unit}", "Float64", unit, f"{word} end of its 95 % confidence interval")
        for end, word in said.items()
    )


STAFF_TABLES: Final[dict[str, tuple[Column, ...]]] = {
    "required": (
        _LUNAR_DAY,
        _START,
        Column("skill", "String", "", "group of queues with the same agents, as skill/channel"),
        Column("heads_count", "Int64", "agents", "heads that must be at their desks, cuts of the proof included"),
        Column("uncovered_count", "Float64", "agents", "of those, missing in the roster"),
        Column("held_ratio", "Float64", "ratio", "share of replications in which the target held; null in the warm-up"),
        Column("missed_because", "String", "", "why the target does not hold at the stated risk: heads (too few in the roster) or chance (all needed are there); null where it holds"),
    ),
    "cover": (
        _LUNAR_DAY,
        _START,
        Column("needed_count", "Int64", "agents", "heads that must be at their desks, all skills"),
        Column("rostered_count", "Int64", "agents", "heads that the roster has at their desks"),
        Column("uncovered_count", "Float64", "agents", "heads missing, skill by skill"),
    ),
    "roster": (
        _LUNAR_DAY,
        Column("team", "String", "", "team"),
        _START,
        Column("length_h", "Float64", "h", "hours from start to end, the break included, overtime excluded"),
        Column("break_start_h", "Float64", "h", "hours after the start at which the break begins"),
        Column("break_h", "Float64", "h", "length of the unpaid break"),
        Column("overtime_h", "Float64", "h", "overtime after the shift"),
        Column("heads_count", "Int64", "agents", "heads"),
    ),
    "lines": (
        Column("head", "String", "", "head, numbered from 1"),
        Column("team", "String", "", "team"),
        Column("kind", "String", "", "kind of shift the head is employed for"),
        _LUNAR_DAY,
        _START,
        Column("work_h", "Float64", "h", "paid hours, overtime excluded; null on a rest day"),
        Column("break_start_h", "Float64", "h", "hours after the start at which the break begins, 0 without a break; null on a rest day"),
        Column("break_h", "Float64", "h", "unpaid break; null on a rest day"),
        Column("overtime_h", "Float64", "h", "overtime; null on a rest day"),
    ),
    "curve": (
        Column("heads_count", "Int64", "agents", "headcount of the plan"),
        Column("metric", "String", "", "name of the metric, as in summary.json of a run; held_ratio (share of a season's intervals on target), good_intervals_ratio (share of intervals that hold at the stated risk)"),
        Column("mean", "Float64", "see unit", "mean over replications"),
        Column("low", "Float64", "see unit", "lower end of the 95 % confidence interval; null with one replication"),
        Column("high", "Float64", "see unit", "upper end of it; null with one replication"),
        Column("n", "Int32", "replications", "replications behind the estimate"),
        Column("band_low", "Float64", "see unit", "5 % quantile over replications"),
        Column("band_high", "Float64", "see unit", "95 % quantile over replications"),
    ),
    "steps": (
        Column("heads_from_count", "Int64", "agents", "a headcount of the curve"),
        Column("heads_to_count", "Int64", "agents", "the next larger one"),
        Column("wage_fen", "Float64", "fen", "wages by which the larger one is dearer, paired mean"),
        *_ends("wage", "fen"),
        Column("avoided_count", "Float64", "contacts", "abandoned contacts that it avoids, paired mean"),
        *_ends("avoided", "count"),
        Column("price_fen", "Float64", "fen", "wages for each abandoned contact avoided; NaN where none clearly is"),
        *_ends("price", "fen"),
        *(
            column
            for name in PAIRED
            for column in (
                Column(f"saved_{name}_ratio", "Float64", "ratio", f"times fewer replications through common random numbers, {name}_ratio"),
                *_ends(f"saved_{name}", "ratio"),
            )
        ),
    ),
}
