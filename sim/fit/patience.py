"""How long contacts are willing to wait: all together, and those of each queue and priority.

Decides which waits are told of: those above zero, since a contact that is answered at once says
nothing. Everything else is censored data: laws for all (sim/fit/survival.py), which a scenario
takes, and rates by wait and place in line (sim/fit/leaving.py), which a replay takes.
"""

from dataclasses import dataclass

from sim.fit.leaving import LeavingLaw, fit_leaving
from sim.fit.logs import ContactLog
from sim.fit.survival import LAWS, Curve, Law, PatienceLaw, Waits, fit_law
from sim.fit.waiting import Waiting, fit_waiting


@dataclass(frozen=True, slots=True)
class PatienceFit:
    """The curve and every law, on all waits; what a replay draws from."""

    curve: Curve
    laws: dict[Law, PatienceLaw]
    waiting: Waiting
    leaving: LeavingLaw

    @property
    def best(self) -> Law:
        """The law with the smallest AIC."""
        return min(self.laws, key=lambda law: self.laws[law].optimum.aic)


def fit_patience(log: ContactLog) -> PatienceFit:
    """Raises ValueError where nobody abandoned."""
    wait_s, gone = log.wait_s, log.abandoned
    told = wait_s > 0.0
    waits = Waits.of(wait_s[told], gone[told])
    laws = {law: fit_law(law, waits) for law in LAWS}
    leaving, ratio = fit_leaving(log)
    return PatienceFit(Curve.of(waits), laws, fit_waiting(log, ratio), leaving)
