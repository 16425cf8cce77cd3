"""Input uncertainty: the same run on parameters drawn from a fit's joint bootstrap.

Decides how the draws of the overlays become settings, and how the scatter of a metric splits into
what the parameters make and what chance makes: every draw has the same replications under common
random numbers, so draws and replications are the two ways of a table (two-way random effects,
H. Scheffe, The Analysis of Variance, 1959, 7.4). Their sum has Student-t intervals with the degrees
of freedom of F. E. Satterthwaite, Biometrics Bulletin 2 (1946). Does not run anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Final

import numpy as np
from scipy.special import stdtrit

from sim.experiment.confidence import TAIL
from sim.experiment.files import RunError
from sim.fit import overlay
from sim.fit.problems import LogError

FILE_NAME: Final = "input_uncertainty.json"
FOLDER: Final = "inputs"


@dataclass(frozen=True, slots=True)
class Split:
    """A metric: its mean, the standard error that replications leave, that of the parameters, and
    the 95 % interval of both together."""

    mean: float
    simulation_error: float
    input_error: float
    low: float
    high: float


def drawn_settings(overlays: Sequence[str], draws: int) -> list[list[str]]:
    """`key=value` settings of each draw. Raises RunError where no overlay has a bootstrap."""
    found: list[list[str]] = [[] for _ in range(draws)]
    for name in overlays:
        path = Path(name)
        if path.suffix != ".toml" or not overlay.beside(path).is_file():
            continue
        try:
            bootstrap = overlay.read(path).get("bootstrap") or []
        except LogError as error:
            raise RunError(str(error)) from None
        if bootstrap and draws > len(bootstrap):
            raise RunError(f"--input-uncertainty {draws}: {path} has {len(bootstrap)} draws")
        for settings, one in zip(found, bootstrap, strict=False):
            settings += [f"{key}={value!r}" for key, value in one.items()]
    if not any(found):
        raise RunError(
            "--input-uncertainty needs an --overlay FILE.toml that `springpeak fit contacts` "
            "wrote, with its .json beside it"
        )
    return found


def split(values: np.ndarray) -> Split | None:
    """From draws by replications, at least two of each; None where a value is missing."""
    draws, replications = values.shape
    if draws < 2 or replications < 2 or not np.isfinite(values).all():
        return None
    mean = float(values.mean())
    by_draw, by_replication = values.mean(axis=1) - mean, values.mean(axis=0) - mean
    rest = values - mean - by_draw[:, np.newaxis] - by_replication
    apart = float((rest**2).sum()) / ((draws - 1) * (replications - 1))
    input_variance = max(float(by_draw @ by_draw) / (draws - 1) - apart / replications, 0.0)
    chance = float(by_replication @ by_replication) / (replications - 1) / replications
    both = input_variance + chance
    half = 0.0
    if both > 0.0:  # a sum of mean squares has the freedom of Satterthwaite
        lost = input_variance**2 / (draws - 1) + chance**2 / (replications - 1)
        half = float(stdtrit(both**2 / lost, 1.0 - TAIL)) * sqrt(both)
    return Split(mean, sqrt(chance), sqrt(input_variance), mean - half, mean + half)


def split_all(runs: Sequence[Mapping[int, Mapping[str, float]]]) -> dict[str, Split]:
    """Every metric that all draws have, from each draw's replications."""
    numbers = sorted(set.intersection(*(set(run) for run in runs)))
    names = sorted(set.intersection(*(set(run[n]) for run in runs for n in numbers)))
    found = {}
    for name in names:
        one = split(np.array([[run[n][name] for n in numbers] for run in runs]))
        if one is not None:
            found[name] = one
    return found
