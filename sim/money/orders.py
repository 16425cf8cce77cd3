"""The number of the order behind an incident or a claim.

Decides numbers only. Orders without an incident stay a count in the model, so an order gets its
number from what made an individual of it: even numbers from its incident, odd ones from the claim
of an order that nothing went wrong with (a cancellation, a returned ticket, a false alarm). A
reported violation has no order.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from scenarios.words import TRIGGERS
from sim.money.ledger import NONE

Ints = npt.NDArray[np.int64]

_VALID_REPORT: Final = TRIGGERS.index("valid_report")


def order_of_incident(incident_id: npt.NDArray[Any]) -> Ints:
    """Order number of each incident: every incident is an order of its own."""
    return 2 * incident_id.astype(np.int64)


def order_of_claim(claim_id: Ints, incident_id: Ints, trigger: npt.NDArray[np.int8]) -> Ints:
    """Order number of each claim; -1 for reports."""
    order_id = np.where(incident_id == NONE, 2 * claim_id + 1, 2 * incident_id)
    order_id[trigger == _VALID_REPORT] = NONE
    return order_id
