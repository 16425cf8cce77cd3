"""The metrics of a run in words, for tables that list them."""

from typing import Final

from reports import style
from reports.language import later, say

_NAMES: Final = {
    "enough_probability_ratio": later("Every target met on every day"),
    "hours_on_target_ratio": later("Hours on target"),
    "service_level_phone_ratio": later("Phone, answered in time"),
    "service_level_im_ratio": later("IM, answered in time"),
    "worst_hour_service_level_phone_ratio": later("Worst hour, phone in time"),
    "abandoned_ratio": later("Abandoned, of offered"),
    "asa_phone_s": later("Phone, mean wait of the answered"),
    "asa_im_s": later("IM, mean wait of the answered"),
    "occupancy_ratio": later("Occupancy of agents"),
    "contacts_offered_count": later("Contacts offered, all attempts"),
    "contacts_answered_count": later("Contacts answered"),
    "contacts_abandoned_count": later("Contacts abandoned"),
    "redials_count": later("Redials"),
    "reconnects_count": later("Reconnects"),
    "wage_fen": later("Wages of the support floor"),
    "payout_gross_fen": later("Paid to consumers (gross)"),
    "payout_recovered_fen": later("Recovered from merchants"),
    "payout_net_fen": later("Borne by the platform (net)"),
    "payout_opportunistic_fen": later("Paid to claims without a true grievance"),
    "pots_exhausted_ratio": later("Pots that run dry"),
    "orders_count": later("Orders due"),
    "incidents_count": later("Incidents"),
    "self_service_claims_count": later("Self-service claims"),
    "alerts_count": later("Alerts"),
    "contacts_saved_count": later("Human contacts saved"),
    "alert_cost_fen": later("Cost of sending alerts"),
    "alert_compensation_fen": later("Compensation with alerts"),
    "delisted_merchants_count": later("Merchants delisted"),
}
ORDER: Final = tuple(_NAMES)


def metric_name(code: str) -> str:
    """A metric's name in words; of one that has none, its code."""
    return say(_NAMES[code]) if code in _NAMES else style.words(code)
