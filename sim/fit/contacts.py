"""Everything that a contact log says of a scenario, in one fit."""

from dataclasses import dataclass

import numpy as np

from sim.fit.arrivals import Arrivals, fit_arrivals
from sim.fit.availability import Availability, fit_availability
from sim.fit.handling import HandleTimes, handle_times
from sim.fit.logs import ContactLog
from sim.fit.mixture import Part, fit_mixture
from sim.fit.patience import PatienceFit, fit_patience
from sim.fit.presence import LONGEST_HANDLE_S
from sim.fit.problems import LogError
from sim.fit.returns import Links, Returns, fit_returns
from sim.fit.turns import Turns


@dataclass(frozen=True, slots=True)
class ContactsFit:
    """All estimates, with what they are of."""

    source: str
    rows_count: int
    arrivals: Arrivals
    handling: HandleTimes
    patience: PatienceFit
    returns: Returns
    mixture: list[Part]
    turns: Turns
    availability: Availability | None


def fit_contacts(log: ContactLog, *, seed: int = 1, match_floor: bool = True) -> ContactsFit:
    """Raises LogError where the log is too thin; `match_floor` replays days for availability."""
    handle_s = np.minimum(log.handle_s[~log.abandoned], LONGEST_HANDLE_S)
    turns = Turns.of(log)
    try:
        handling = handle_times(handle_s[handle_s > 0.0])
        patience = fit_patience(log)
    except ValueError as error:
        raise LogError(f"{log.name}: {error}") from None
    floor = None
    if match_floor:
        floor = fit_availability(log, patience, turns, seed=seed)
    return ContactsFit(
        source=log.name,
        rows_count=len(log),
        arrivals=fit_arrivals(log),
        handling=handling,
        patience=patience,
        returns=fit_returns(Links.of(log)),
        mixture=fit_mixture(log),
        turns=turns,
        availability=floor,
    )
