"""How good predictions of hours are: errors, bands, PIT. Judges figures, makes none.

Predictions are replications by hours. Sources: probability integral transform for counts, drawn at
random among ties, Czado, Gneiting and Held, Biometrics 65 (2009); bands are central quantiles.
"""

from typing import Any, Final

import numpy as np

from sim.fit.likelihood import Floats

LEVELS: Final = (0.5, 0.8, 0.9)
BINS: Final = 10


def coverage(predicted: Floats, observed: Floats) -> dict[str, float]:
    """Share of hours whose observed value lies in the central band of each level."""
    found = {}
    for level in LEVELS:
        low, high = band(predicted, level)
        found[f"{level:g}"] = float(((observed >= low) & (observed <= high)).mean())
    return found


def band(predicted: Floats, level: float) -> tuple[Floats, Floats]:
    """Ends of the central band of a level, by hour."""
    tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    low, high = np.quantile(predicted, tails, axis=0)
    return low, high


def pit_histogram(predicted: Floats, observed: Floats, rng: np.random.Generator) -> list[float]:
    """Shares of hours by tenth of their predictive distribution; flat where it is right."""
    below = (predicted < observed).sum(axis=0)
    ties = (predicted == observed).sum(axis=0)
    pit = (below + rng.random(len(observed)) * (ties + 1.0)) / (len(predicted) + 1.0)
    counts, _ = np.histogram(pit, bins=BINS, range=(0.0, 1.0))
    return [float(share) for share in counts / max(len(observed), 1)]


def errors(predicted: Floats, observed: Floats) -> dict[str, float]:
    """Of a point prediction by hour: WAPE and bias over the sum observed, and the mean error."""
    miss = predicted - observed
    total = float(np.abs(observed).sum())
    return {
        "wape_ratio": float(np.abs(miss).sum()) / total if total else 0.0,
        "bias_ratio": float(miss.sum()) / total if total else 0.0,
        "mae": float(np.abs(miss).mean()) if len(miss) else 0.0,
    }


def judged(predicted: Floats, observed: Floats, rng: np.random.Generator) -> dict[str, Any]:
    """Everything about one figure, replications by hours against what was observed."""
    return {
        **errors(predicted.mean(axis=0), observed),
        "coverage": coverage(predicted, observed),
        "pit": pit_histogram(predicted, observed, rng),
    }
