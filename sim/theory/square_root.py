"""Square-root staffing: agents = load + beta sqrt(load), and the share that waits at a beta.

Halfin and Whitt, Operations Research 29 (1981), without abandonment; Garnett, Mandelbaum and
Reiman, M&SOM 4 (2002), with it; and the newsvendor's answer to a load that nobody knows.
"""

from math import ceil, log, sqrt

from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm


def halfin_whitt(beta: float) -> float:
    """Share that waits in M/M/n, beta > 0: 1 / (1 + beta Phi / phi)."""
    return float(expit(norm.logpdf(beta) - norm.logcdf(beta) - log(beta)))


def garnett(beta: float, patience_ratio: float) -> float:
    """Share that waits in M/M/n+M at any beta; patience_ratio = mean handle time / mean patience.
    """
    r = sqrt(1.0 / patience_ratio)
    return float(expit(log(r) + _log_hazard(-beta) - _log_hazard(beta * r)))


def beta_of(p_wait: float, patience_ratio: float | None) -> float:
    """The beta at which a share waits; without a patience ratio nobody abandons."""
    if patience_ratio is None:
        return float(brentq(lambda b: halfin_whitt(b) - p_wait, 1e-12, 38.0, xtol=1e-14))
    return float(brentq(lambda b: garnett(b, patience_ratio) - p_wait, -38.0, 38.0, xtol=1e-14))


def square_root_agents(load_erlang: float, beta: float) -> int:
    """Whole agents for a load."""
    return ceil(load_erlang + beta * sqrt(load_erlang))


def newsvendor_agents(
    *,
    load_erlang: float,
    load_sd_erlang: float,
    agent_per_h: float,
    lost_contact: float,
    handled_per_h: float,
) -> float:
    """Agents (not rounded) for a normal load that is known only as a forecast.

    One more agent costs `agent_per_h` and, where the load exceeds the agents, saves `handled_per_h`
    lost contacts: P(load <= n) = 1 - agent_per_h / (lost_contact x handled_per_h). Raises
    ValueError where an agent costs more than the contacts saved.
    """
    critical_ratio = 1.0 - agent_per_h / (lost_contact * handled_per_h)
    if critical_ratio <= 0.0:
        raise ValueError("an agent costs more than the contacts that it saves: staff none")
    return float(norm.ppf(critical_ratio, load_erlang, load_sd_erlang))


def _log_hazard(x: float) -> float:
    """ln of the normal hazard phi / (1 - Phi)."""
    return float(norm.logpdf(x) - norm.logsf(x))
