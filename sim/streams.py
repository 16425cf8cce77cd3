"""Random streams: one per named decision, keyed by (root seed, replication, name), never by
position.

Two scenarios with the same seed share every stream (common random numbers); asking for a new stream
moves no other one. A stream is a PCG64DXSM generator (NumPy's recommended PCG variant) whose
initial state is a BLAKE2b digest of the key, so that neighbouring seeds have nothing in common;
hashing the key straight into the state costs a tenth of NumPy's own seeding, and a run opens over
ten thousand streams.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import DTypeLike, NDArray
from scipy.special import pdtr, pdtrik


class _Digest(ISeedSequence):
    """Seed words for a bit generator: the digest of a key, 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._digest = blake2b(key, digest_size=32).digest()

    def generate_state(self, n_words: int, dtype: DTypeLike = np.uint32) -> NDArray[Any]:
        words = np.frombuffer(self._digest, dtype=dtype)
        assert n_words <= words.size, "the digest is shorter than the state asked for"
        return words[:n_words]


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of one replication. `rng(name)` always starts the named stream from its
    beginning."""

    seed: int
    replication: int

    def rng(self, name: str) -> np.random.Generator:
        """A generator for the decision `name`, e.g. "patience/d+2/hotel/no_room"."""
        key = f"{self.seed}/{self.replication}/{name}".encode()
        # NumPy documents ISeedSequence as the interface; its stubs only know their own class.
        return np.random.Generator(np.random.PCG64DXSM(_Digest(key)))  # type: ignore[arg-type]


def poisson_count(uniform: float, mean: float) -> int:
    """The Poisson count at a uniform draw, by inversion: a larger mean never gives fewer. What
    `scipy.stats.poisson.ppf` computes, without its handling of arguments, which costs more."""
    if mean <= 0.0:
        return 0
    count = max(int(np.ceil(pdtrik(uniform, mean))), 0)
    return count - 1 if count > 0 and pdtr(count - 1, mean) >= uniform else count
