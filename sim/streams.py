"""Random streams: one per named decision, keyed by (root seed, replication, name), never by position.

Two scenarios with the same seed share every stream (common random numbers); asking for a new stream
moves no other one. Source of the construction: counter-based Philox (Salmon et al., SC 2011), keyed by
a BLAKE2b digest so that neighbouring seeds have nothing in common.
"""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of one replication. `rng(name)` always starts the named stream from its beginning."""

    seed: int
    replication: int

    def rng(self, name: str) -> np.random.Generator:
        """A generator for the decision `name`, e.g. "patience/d+2/hotel/no_room"."""
        text = f"{self.seed}/{self.replication}/{name}".encode()
        key = int.from_bytes(blake2b(text, digest_size=16).digest(), "little")
        return np.random.Generator(np.random.Philox(key=key))
