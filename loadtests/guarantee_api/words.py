"""The closed vocabularies of the guarantee API. A word's position is what the store keeps.

Append only, as in scenarios/words.py, whose accounts and posting kinds come first here, so that one
audit reads the ledger of a simulated run and that of the service.
"""

from typing import Final, Literal, get_args

from scenarios.words import ACCOUNTS as SCENARIO_ACCOUNTS
from scenarios.words import POSTING_KINDS as SCENARIO_POSTING_KINDS

Role = Literal["consumer", "agent", "operator", "auditor"]
ClaimState = Literal["approved", "in_review", "rejected", "settled", "released"]
Reason = Literal[
    "within_terms",  # approved
    "needs_a_person",  # in review: said by the consumer, to be found true by somebody
    "pot_exhausted",  # in review: the pot is dry and its policy is a person's look at each claim
    "not_promised",  # rejected: no guarantee answers this trigger in this category
    "already_claimed",  # rejected: the order has a claim for this trigger that was not released
    "budget_exhausted",  # rejected: neither the pot nor, by its policy, the reserve can pay it
]
Source = Literal["none", "pot", "reserve"]
MerchantStatus = Literal["open", "closed", "sold_out", "delisted"]
ResolutionOutcome = Literal["settle", "release"]

# Faults in the books that a test plants, for its auditor to find.
Spoil = Literal[
    "lost_write",
    "doubled_payout",
    "overdrawn_pot",
    "wrong_amount",
    "unbalanced_entry",
    "changed_answer",
]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
STATES: Final[tuple[ClaimState, ...]] = get_args(ClaimState)
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
SOURCES: Final[tuple[Source, ...]] = get_args(Source)
STATUSES: Final[tuple[MerchantStatus, ...]] = get_args(MerchantStatus)
STATUS_CODES: Final = {word: position for position, word in enumerate(STATUSES)}

APPROVED, IN_REVIEW, REJECTED, SETTLED, RELEASED = range(len(STATES))
(
    WITHIN_TERMS,
    NEEDS_A_PERSON,
    POT_EXHAUSTED,
    NOT_PROMISED,
    ALREADY_CLAIMED,
    BUDGET_EXHAUSTED,
) = range(len(REASONS))
FROM_NOWHERE, FROM_POT, FROM_RESERVE = range(len(SOURCES))

ACCOUNTS: Final[tuple[str, ...]] = (
    *SCENARIO_ACCOUNTS,
    "hold",  # promised out of a pot or the reserve, not yet paid
    "merchant",  # where a deposit comes from
)
POSTING_KINDS: Final[tuple[str, ...]] = (
    *SCENARIO_POSTING_KINDS,
    "hold",  # pot or reserve -> hold, at the decision; "payout" then pays the consumer from it
    "release",  # hold -> pot or reserve: nothing is paid
    "deposit",  # merchant -> merchant_deposit, at the first recourse against the merchant
)
