"""The names in column `subject` of the `estimates` table: their units, and at which grain each is.

Decides names and units only; sim/experiment/estimates.py computes them, `reports` looks them up.
Every subject is first taken for one replication (a ratio is the ratio of that replication's sums)
and then averaged over replications. Dimensions that a grain does not use are null in the table.
"""

from typing import Final

# Support floor.
CONTACTS_OFFERED: Final = "contacts_offered_count"
CONTACTS_FRESH: Final = "contacts_fresh_count"
AGENTS_AVAILABLE: Final = "agents_available"
AGENTS_BUSY: Final = "agents_busy"
SERVICE_LEVEL: Final = "service_level_ratio"
SERVICE_LEVEL_PHONE: Final = "service_level_phone_ratio"
SERVICE_LEVEL_IM: Final = "service_level_im_ratio"
ABANDONED_RATIO: Final = "abandoned_ratio"
QUEUE_LEN: Final = "queue_len_mean"
REDIALS: Final = "redials_count"
RECONNECTS: Final = "reconnects_count"
ESCALATIONS: Final = "escalations_count"
OCCUPANCY: Final = "occupancy_ratio"
TARGETS_HELD: Final = "targets_held_ratio"
WAGE: Final = "wage_fen"
# The world.
ORDERS: Final = "orders_count"
INCIDENTS: Final = "incidents_count"
# Money.
PAYOUT_GROSS: Final = "payout_gross_fen"
PAYOUT_RECOVERED: Final = "payout_recovered_fen"
PAYOUT_NET: Final = "payout_net_fen"
CLAIMS: Final = "claims_count"
SHORTFALL: Final = "shortfall_fen"
DAY_LEFT: Final = "day_left_fen"
EXHAUSTED: Final = "exhausted_ratio"
FIRST_EXHAUSTED_DAY: Final = "first_exhausted_day"
# Merchants by type.
MARGIN_PER_ORDER: Final = "margin_per_order_fen"
INCIDENTS_PER_ORDER: Final = "incidents_per_order_ratio"
DELISTED: Final = "delisted_count"
CLOSED_UNDECLARED: Final = "closed_undeclared_count"
# Alerts.
ALERTS: Final = "alerts_count"
FALSE_ALARMS: Final = "false_alarms_count"
CONTACTS_SAVED: Final = "contacts_saved_count"
ALERT_COST: Final = "alert_cost_fen"
ALERT_COMPENSATION: Final = "alert_compensation_fen"
PREVENTED: Final = "prevented_count"
# Season only; also metrics of every run, beside those that a replication reports itself.
HOURS_ON_TARGET: Final = "hours_on_target_ratio"
WORST_HOUR_PHONE: Final = "worst_hour_service_level_phone_ratio"
ENOUGH: Final = "enough_probability_ratio"

FLOOR: Final = (  # dims (lunar_day, hour) and (lunar_day)
    CONTACTS_OFFERED,
    CONTACTS_FRESH,
    AGENTS_AVAILABLE,
    AGENTS_BUSY,
    SERVICE_LEVEL_PHONE,
    SERVICE_LEVEL_IM,
    ABANDONED_RATIO,
    QUEUE_LEN,
    REDIALS,
    RECONNECTS,
    ESCALATIONS,
    OCCUPANCY,
    TARGETS_HELD,
)
BY_QUEUE: Final = (  # dims (lunar_day, hour, skill, channel)
    CONTACTS_OFFERED,
    SERVICE_LEVEL,
    ABANDONED_RATIO,
    AGENTS_AVAILABLE,
    AGENTS_BUSY,
    OCCUPANCY,
)
ALERTS_DAILY: Final = (  # dims (lunar_day)
    ALERTS,
    FALSE_ALARMS,
    CONTACTS_SAVED,
    ALERT_COST,
    ALERT_COMPENSATION,
    PREVENTED,
)
BY_GUARANTEE_DAILY: Final = (  # dims (lunar_day, guarantee)
    PAYOUT_GROSS,
    PAYOUT_NET,
    CLAIMS,
    SHORTFALL,
)
BY_GUARANTEE: Final = (*BY_GUARANTEE_DAILY, PAYOUT_RECOVERED)  # dims (guarantee)
BY_CATEGORY: Final = (PAYOUT_GROSS,)  # dims (category)
POTS_HOURLY: Final = (DAY_LEFT, EXHAUSTED)  # dims (lunar_day, hour, guarantee)
POTS: Final = (EXHAUSTED, FIRST_EXHAUSTED_DAY)  # dims (guarantee)
BY_STORE_TYPE: Final = (  # dims (lunar_day, store_type) and (store_type)
    MARGIN_PER_ORDER,
    INCIDENTS_PER_ORDER,
    DELISTED,
    CLOSED_UNDECLARED,
    ORDERS,
)

# Shares of replications: 0 or 1 in one replication, so their interval is binomial
# (Clopper-Pearson), never Student-t: twelve replications out of twelve do not prove a probability
# of exactly 1.
SHARES: Final = frozenset({TARGETS_HELD, EXHAUSTED, ENOUGH})

UNITS: Final[dict[str, str]] = {
    CONTACTS_OFFERED: "contacts",
    CONTACTS_FRESH: "contacts",
    AGENTS_AVAILABLE: "agents",
    AGENTS_BUSY: "agents",
    SERVICE_LEVEL: "ratio",
    SERVICE_LEVEL_PHONE: "ratio",
    SERVICE_LEVEL_IM: "ratio",
    ABANDONED_RATIO: "ratio",
    QUEUE_LEN: "contacts",
    REDIALS: "contacts",
    RECONNECTS: "contacts",
    ESCALATIONS: "contacts",
    OCCUPANCY: "ratio",
    TARGETS_HELD: "ratio",
    WAGE: "fen",
    ORDERS: "orders",
    INCIDENTS: "incidents",
    PAYOUT_GROSS: "fen",
    PAYOUT_RECOVERED: "fen",
    PAYOUT_NET: "fen",
    CLAIMS: "claims",
    SHORTFALL: "fen",
    DAY_LEFT: "fen",
    EXHAUSTED: "ratio",
    FIRST_EXHAUSTED_DAY: "d",
    MARGIN_PER_ORDER: "fen",
    INCIDENTS_PER_ORDER: "ratio",
    DELISTED: "stores",
    CLOSED_UNDECLARED: "stores",
    ALERTS: "alerts",
    FALSE_ALARMS: "alerts",
    CONTACTS_SAVED: "contacts",
    ALERT_COST: "fen",
    ALERT_COMPENSATION: "fen",
    PREVENTED: "orders",
    HOURS_ON_TARGET: "ratio",
    WORST_HOUR_PHONE: "ratio",
    ENOUGH: "ratio",
}
