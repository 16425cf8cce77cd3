"""Words of the what-if page that stand for codes: categories, triggers, shifts, measures, overlays.
"""

from typing import Final

from reports.language import later

CATEGORY: Final = {
    "catering": later("Catering"),
    "hotel": later("Hotels"),
    "daytour_scenic": later("Day tours and sights"),
    "movie": later("Cinema"),
    "show": later("Shows"),
    "laundry_home": later("Laundry and home"),
    "beauty": later("Beauty"),
}
TRIGGER: Final = {
    "dissatisfaction": later("dissatisfied"),
    "cancellation": later("cancelled"),
    "closed_or_refused": later("closed or refused"),
    "no_room": later("no room"),
}
POLICY: Final = {
    "reserve": later("reserve"),
    "review": later("review"),
    "stop": later("stop"),
}
SHIFT: Final = {
    "night": later("night"),
    "early": later("early"),
    "day": later("day shift"),
    "noon": later("noon"),
    "late": later("late"),
}
OVERLAY: Final = {
    "agents-ill": later("Influenza on the floor"),
    "api-outage": later("The guarantee API is down"),
    "generous-terms": later("Generous terms"),
    "grew-by-2400": later("Grew by 2,400, not to 2,400"),
    "hotel-overselling": later("Hotels oversell"),
    "monitoring-off": later("Monitoring off"),
    "snowstorm": later("Snowstorm in central China"),
    "strict-terms": later("Strict terms"),
    "surge-20": later("Demand a fifth higher"),
    "viral-video": later("A complaint goes viral"),
}
# Measures of the tables: (metric, label); in the order in which they are shown.
MEASURES: Final = (
    ("orders_count", later("Orders")),
    ("incidents_count", later("Incidents")),
    ("alerts_count", later("Alerts")),
    ("contacts_offered_count", later("Contacts, repeats included")),
    ("redials_count", later("Redials")),
    ("abandoned_ratio", later("Abandoned")),
    ("service_level_phone_ratio", later("Phone answered in time")),
    ("service_level_im_ratio", later("IM answered in time")),
    ("occupancy_ratio", later("Agents busy")),
    ("payout_gross_fen", later("Paid to consumers")),
    ("payout_recovered_fen", later("Back from merchants by the end")),
    ("payout_net_fen", later("Net cost of the promises")),
    ("wage_fen", later("Wages")),
)
