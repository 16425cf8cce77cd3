"""The closed vocabularies: every code that a table, a scenario key or a stream name may use.

The simulation works on the position of a word in its tuple (a small integer column); files carry
the word itself. Append only: a position, once published in a table, keeps its meaning.
"""

from typing import Final, Literal, get_args

Category = Literal[
    "catering", "hotel", "daytour_scenic", "movie", "show", "laundry_home", "beauty"
]
IncidentType = Literal[
    "closed_or_refused",
    "no_room",
    "service_no_show",
    "false_advertising",
    "dissatisfaction",
    "price_anomaly",
    "food_safety",
]
Guarantee = Literal[
    "instant_compensation",
    "advance_payout",
    "no_reason_cancellation",
    "free_if_dissatisfied",
    "ticket_refund_right",
    "second_booking",
    "ticket_assurance",
    "laundry_assurance",
    "beauty_assurance",
    "report_bounty",
    "alert_compensation",
]
Channel = Literal["phone", "im"]
Skill = Literal["instant_compensation", "general", "specialist"]
Priority = Literal["urgent", "incident", "inquiry"]
StoreType = Literal["compliant", "speculator"]
Surface = Literal["short_video", "live_room", "product_page"]
Region = Literal[
    "north", "northeast", "east", "central", "south", "southwest", "northwest"
]
AttemptKind = Literal["fresh", "redial", "reconnect", "escalation"]
Outcome = Literal["answered", "abandoned", "in_system"]
ClaimPath = Literal["silent", "self_service", "human"]
AlertResponse = Literal["none", "alternative", "cancelled", "went_anyway"]
ExhaustionPolicy = Literal["reserve", "review", "stop"]
Bearer = Literal["platform", "merchant"]
# What sets a payout off: an incident, or a right that needs none.
Trigger = Literal[
    IncidentType, "cancellation", "ticket_refund", "valid_report", "alert"
]

CATEGORIES: Final[tuple[Category, ...]] = get_args(Category)
INCIDENT_TYPES: Final[tuple[IncidentType, ...]] = get_args(IncidentType)
# What a contact is about: an incident, or a plain question.
TOPICS: Final[tuple[str, ...]] = (*INCIDENT_TYPES, "inquiry")
GUARANTEES: Final[tuple[Guarantee, ...]] = get_args(Guarantee)
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)
SKILLS: Final[tuple[Skill, ...]] = get_args(Skill)
PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)
STORE_TYPES: Final[tuple[StoreType, ...]] = get_args(StoreType)
SURFACES: Final[tuple[Surface, ...]] = get_args(Surface)
REGIONS: Final[tuple[Region, ...]] = get_args(Region)
ATTEMPT_KINDS: Final[tuple[AttemptKind, ...]] = get_args(AttemptKind)
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
CLAIM_PATHS: Final[tuple[ClaimPath, ...]] = get_args(ClaimPath)
ALERT_RESPONSES: Final[tuple[AlertResponse, ...]] = get_args(AlertResponse)
POLICIES: Final[tuple[ExhaustionPolicy, ...]] = get_args(ExhaustionPolicy)
BEARERS: Final[tuple[Bearer, ...]] = get_args(Bearer)
TRIGGERS: Final[tuple[Trigger, ...]] = get_args(Trigger)

ACCOUNTS: Final[tuple[str, ...]] = (
    "platform",  # the platform's own cash
    "pot",  # a guarantee's budget; which one stands in the column `guarantee`
    "reserve",  # what an exhausted pot with policy "reserve" or "review" draws on
    "consumer",
    "merchant_deposit",
    "receivable",  # claimed from merchants, not yet received
    "recourse_income",  # the platform's claim on merchants, contra of receivable
    "recourse_loss",  # written off: contested with success, or the deposit was empty
    "fines",
)
POSTING_KINDS: Final[tuple[str, ...]] = (
    "funding",  # platform -> pot, platform -> reserve
    "payout",  # pot or reserve -> consumer
    "claim_back",  # receivable against recourse_income, at payout
    "recovery",  # merchant_deposit -> platform, and receivable cleared, after the lag
    "write_off",  # receivable cleared into recourse_loss
    "fine",  # merchant_deposit -> fines
)
