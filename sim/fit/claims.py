"""What claims cost and what comes back, from a log of payouts.

Decides severity (a share of zeros, a lognormal body, values at their cap counted as at least the
cap), the recovery ratio in money and its mean lag, censored where the log ends. Groups are
guarantee and incident (`guarantee.incident`), incidents where no guarantee is named, else
categories. Sources: censored likelihood as in sim/fit/survival.py; ratio estimator, W. G. Cochran,
Sampling Techniques (3rd ed.), 6.
"""

from collections.abc import Collection
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
import polars as pl
from scipy import stats
from scipy.special import expit

from sim.experiment.confidence import Estimate
from sim.fit.keys import Setting
from sim.fit.likelihood import Floats, Z, maximise
from sim.fit.survival import Waits, fit_law

FEWEST = 30


@dataclass(frozen=True, slots=True)
class Severity:
    """Claims of one group, in fen."""

    group: str
    count: int
    zero_ratio: Estimate
    capped_ratio: float
    """Share of positive payments at their cap."""
    mu: Estimate
    sigma: Estimate
    mean_fen: Estimate
    """Plain mean, zeros included."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """Recoveries of one group."""

    group: str
    ratio: Estimate
    """Recovered over paid, of claims old enough: what the lag law says is still coming is added."""
    recovered_share_ratio: Estimate
    """Share of claims that are ever recovered from."""
    lag_mean_s: Estimate


def severities(log: pl.DataFrame) -> list[Severity]:
    """By group, those with at least `FEWEST` payments that are neither zero nor at their cap."""
    found = []
    for group, rows in groups(log):
        paid = rows["paid_fen"].to_numpy().astype(np.float64)
        cap = rows["cap_fen"].cast(pl.Float64).fill_null(float("inf")).to_numpy()
        positive = paid > 0
        exact = positive & (paid < cap)
        if exact.sum() < FEWEST:
            continue
        law = fit_law("lognormal", Waits.of(paid[positive], exact[positive])).parameters
        n = len(paid)
        share = stats.binomtest(int((~positive).sum()), n).proportion_ci(method="wilson")
        half = Z * float(paid.std(ddof=1)) / sqrt(n)
        mean = float(paid.mean())
        found.append(
            Severity(
                group=group,
                count=n,
                zero_ratio=Estimate(float((~positive).mean()), share.low, share.high, n),
                capped_ratio=float(1.0 - exact.sum() / positive.sum()),
                mu=law["mu"],
                sigma=law["sigma"],
                mean_fen=Estimate(mean, mean - half, mean + half, n),
            )
        )
    return found


def recoveries(log: pl.DataFrame) -> list[Recovery]:
    """By group, those with at least `FEWEST` recoveries."""
    last_s = max(
        float(log["paid_s"].max() or 0.0),  # type: ignore[arg-type]
        float(log["recovered_s"].max() or 0.0),  # type: ignore[arg-type]
    )
    found = []
    for group, rows in groups(log.filter(pl.col("paid_fen") > 0)):
        back = rows["recovered_s"].is_not_null().to_numpy()
        if back.sum() < FEWEST:
            continue
        paid_s, paid = rows["paid_s"].to_numpy(), rows["paid_fen"].to_numpy().astype(np.float64)
        lag_s = rows["recovered_s"].to_numpy() - paid_s
        money = rows["recovered_fen"].fill_null(0).to_numpy().astype(np.float64)
        share, lag = _cure(lag_s[back], last_s - paid_s[~back])
        # Of what was paid, the share that had time to come back under the lag law.
        ripe = -np.expm1(-(last_s - paid_s) / lag.mean)
        exposed = paid * ripe
        ratio = float(money.sum() / exposed.sum())
        residual = money - ratio * exposed
        half = Z * sqrt(float((residual**2).sum())) / float(exposed.sum())
        found.append(
            Recovery(
                group=group,
                ratio=Estimate(ratio, max(ratio - half, 0.0), min(ratio + half, 1.0), len(paid)),
                recovered_share_ratio=share,
                lag_mean_s=lag,
            )
        )
    return found


def _cure(lag_s: Floats, watched_s: Floats) -> tuple[Estimate, Estimate]:
    """Share ever recovered and mean of the exponential lag, by likelihood."""
    count, total_s = len(lag_s), float(lag_s.sum())

    def likelihood(x: Floats) -> float:
        share, rate = expit(x[0]), exp(-x[1])
        waiting = np.log1p(share * np.expm1(-rate * watched_s)).sum()
        return float(count * (np.log(share) + log(rate)) - rate * total_s + waiting)

    found = maximise(likelihood, (0.5, log(total_s / count)), count + len(watched_s))
    return found.estimate(0, lambda v: float(expit(v))), found.estimate(1, exp)


def claim_settings(found: list[Recovery], known: Collection[str]) -> list[Setting]:
    """Recourse of the terms that a scenario knows, as `guarantee.trigger`."""
    made = []
    for one in found:
        if one.group not in known:
            continue
        guarantee, trigger = one.group.split(".")
        table = f"guarantees.{guarantee}.terms.{trigger}"
        said = f"{one.ratio.n} claims paid"
        for key, value in (("recourse_ratio", one.ratio), ("recourse_lag_mean_s", one.lag_mean_s)):
            made.append(Setting(f"{table}.{key}", value.mean, value.low, value.high, said))
    return made


def groups(log: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Claims by group, named as this module's first lines say."""
    terms = pl.concat_str("guarantee", "incident", separator=".")
    named = log.with_columns(pl.coalesce(terms, "incident", "category").alias("group"))
    return [(str(key), rows) for (key,), rows in named.group_by("group", maintain_order=True)]
