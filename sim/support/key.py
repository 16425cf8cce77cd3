"""The key of an attempt: one integer for the case and for how far it has come.

key = case row x 256 + kind x 64 + abandonments so far x 8 + answers so far. Every attempt of a
replication has its own key; the functions work on integers and on integer columns alike.
"""

from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from scenarios.words import ATTEMPT_KINDS

KeyOrKeys = TypeVar("KeyOrKeys", int, NDArray[np.int64])

CODES: Final = 256
KIND: Final = 64
ABANDONMENT: Final = 8

FRESH: Final = ATTEMPT_KINDS.index("fresh")
REDIAL: Final = ATTEMPT_KINDS.index("redial")
RECONNECT: Final = ATTEMPT_KINDS.index("reconnect")
ESCALATION: Final = ATTEMPT_KINDS.index("escalation")


def kind_of(key: KeyOrKeys) -> KeyOrKeys:
    """Position of the attempt's kind in its vocabulary."""
    return key % CODES // KIND


def abandonments(key: KeyOrKeys) -> KeyOrKeys:
    """Abandonments of the case before the attempt."""
    return key % KIND // ABANDONMENT


def answers(key: KeyOrKeys) -> KeyOrKeys:
    """Answers to the case before the attempt."""
    return key % ABANDONMENT


def redial_key(key: int) -> int:
    """The attempt after an abandoned one."""
    return _with_kind(key, REDIAL) + ABANDONMENT


def reconnect_key(key: int) -> int:
    """The attempt after an answered one."""
    return _with_kind(key, RECONNECT) + 1


def escalation_key(key: int) -> int:
    """The specialists' taking up of a case after its last abandonment."""
    return _with_kind(key, ESCALATION) + ABANDONMENT


def _with_kind(key: int, kind: int) -> int:
    return key + (kind - kind_of(key)) * KIND
