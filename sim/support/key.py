"""The key of an attempt: one integer for the case and for how far it has come.

key = case row x 256 + kind x 64 + abandonments so far x 8 + answers so far: bits 8 and up, 6 and 7,
3 to 5, 0 to 2. Every attempt of a replication has its own key; the functions work on integers and
on integer columns alike.
"""

from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from scenarios.words import ATTEMPT_KINDS

KeyOrKeys = TypeVar("KeyOrKeys", int, NDArray[np.int64])

CODES: Final = 256
KIND: Final = 64
ABANDONMENT: Final = 8
NO_KIND: Final = ~(3 * KIND)

FRESH: Final = ATTEMPT_KINDS.index("fresh")
REDIAL: Final = ATTEMPT_KINDS.index("redial")
RECONNECT: Final = ATTEMPT_KINDS.index("reconnect")
ESCALATION: Final = ATTEMPT_KINDS.index("escalation")


def row_of(key: KeyOrKeys) -> KeyOrKeys:
    """Row of the attempt's case."""
    return key >> 8


def kind_of(key: KeyOrKeys) -> KeyOrKeys:
    """Position of the attempt's kind in its vocabulary."""
    return key >> 6 & 3


def abandonments(key: KeyOrKeys) -> KeyOrKeys:
    """Abandonments of the case before the attempt."""
    return key >> 3 & 7


def answers(key: KeyOrKeys) -> KeyOrKeys:
    """Answers to the case before the attempt."""
    return key & 7


def redial_key(key: int) -> int:
    """The attempt after an abandoned one."""
    return (key & NO_KIND) + (REDIAL * KIND + ABANDONMENT)


def reconnect_key(key: int) -> int:
    """The attempt after an answered one."""
    return (key & NO_KIND) + (RECONNECT * KIND + 1)


def escalation_key(key: int) -> int:
    """The specialists' taking up of a case after its last abandonment."""
    return (key & NO_KIND) + (ESCALATION * KIND + ABANDONMENT)
