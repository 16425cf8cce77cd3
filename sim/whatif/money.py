"""Expected payouts of a scenario and the chance that a pot runs dry, from its expected claims.

A claim's mean and second moment come from the terms' own arithmetic (scenarios/terms.py) over
quantiles of the price and of the severity. A day's sum is taken as normal: Poisson claims under the
levels that days and hours draw. Left out: the order of claims within a tick, deposits that run
empty, and that a refused claim keeps a smaller one out. Money in fen, as floats of expectations.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri

from scenarios.scenario import Scenario
from scenarios.terms import amounts
from scenarios.words import CATEGORIES, GUARANTEES, INCIDENT_TYPES, TRIGGERS
from sim.columns import Bools, Floats
from sim.consumers.fates import order_value_fen
from sim.money.pots import RESERVE_POLICY, REVIEW_POLICY, PotBook
from sim.whatif.floor import ROOT_2_PI
from sim.whatif.flows import day_sums

PRICE_NODES: Final = 41
SEVERITY_NODES: Final = 21


@dataclass(frozen=True, slots=True)
class Dues:
    """What claims are due by tick and guarantee, at a level of 1; shape (ticks, guarantees)."""

    mean_fen: Floats
    recoverable_fen: Floats
    """Of it, what merchants pay back before the horizon ends."""
    own_variance_fen2: Floats
    """Variance of Poisson claims, levels apart."""
    by_category_fen: Floats
    """Mean by category too; shape (ticks, categories, guarantees)."""


@dataclass(frozen=True, slots=True)
class Payouts:
    """The season's money; by guarantee unless said otherwise."""

    gross_fen: Floats
    recovered_fen: Floats
    exhausted_ratio: Floats
    """Chance that the pot refuses a claim on some day that counts."""


def expected_dues(scenario: Scenario, counts: Floats, *, escalated_ratio: float) -> Dues:
    """The dues of upheld claims, `counts` by (ticks, categories, triggers); of those with an
    incident a share is settled after escalation."""
    table = scenario.guarantees.table()
    ticks = len(counts)
    mean = np.zeros((ticks, len(CATEGORIES), len(GUARANTEES)))
    back, variance = np.zeros((2, ticks, len(GUARANTEES)))
    left_s = scenario.horizon.end_s - (np.arange(ticks) + 0.5) * scenario.horizon.tick_s
    for trigger in range(len(TRIGGERS)):
        raised = escalated_ratio if trigger < len(INCIDENT_TYPES) else 0.0
        for category in range(len(CATEGORIES)):
            row = int(table.row[trigger, category])
            if row < 0:
                continue
            first, second = _moments(scenario, row, category, escalated_ratio=raised)
            guarantee = int(table.guarantee[row])
            claims = counts[:, category, trigger]
            mean[:, category, guarantee] += claims * first
            variance[:, guarantee] += claims * second
            if scenario.recourse.enabled:
                won = table.recourse_ratio[row]
                if not table.merchant_advances[row]:
                    wait_s = np.maximum(left_s - scenario.recourse.contest_s, 0.0)
                    lag_s = max(float(table.recourse_lag_mean_s[row]), 1e-9)
                    won = won * -np.expm1(-wait_s / lag_s)
                back[:, guarantee] += claims * first * won
    return Dues(mean.sum(axis=1), back, variance, mean)


def _moments(
    scenario: Scenario, row: int, category: int, *, escalated_ratio: float
) -> tuple[float, float]:
    """Mean and mean square of one claim (fen)."""
    prices_fen = order_value_fen(
        scenario, category, ndtri((np.arange(PRICE_NODES) + 0.5) / PRICE_NODES)
    )
    terms = scenario.guarantees.table().columns
    drawn = SEVERITY_NODES if terms.exponential[row] else 1
    severity = (np.arange(drawn) + 0.5) / drawn
    # Each price meets each severity, with and without the law's minimum, escalated or not.
    legal = float(terms.legal_ratio[row])
    cells = [
        (weight * other, u, raised)
        for weight, u in ((legal, 0.0), (1.0 - legal, 1.0))
        for other, raised in ((escalated_ratio, True), (1.0 - escalated_ratio, False))
        if weight * other > 0.0
    ]
    values_fen = np.repeat(prices_fen, drawn)
    first = second = 0.0
    for weight, legal_u, raised in cells:
        owed = amounts(
            terms.take(np.full(values_fen.size, row)),
            order_value_fen=values_fen,
            severity_u=np.tile(severity, PRICE_NODES),
            legal_u=np.full(values_fen.size, legal_u),
            escalated=np.full(values_fen.size, raised),
        )
        due = (owed.refund_fen + owed.extra_fen).astype(np.float64)
        first += weight * float(due.mean())
        second += weight * float((due**2).mean())
    return first, second


def spreads(scenario: Scenario, dues: Dues) -> Floats:
    """Standard deviation of each day's dues; shape (days, guarantees)."""
    demand = scenario.demand
    by_category = day_sums(scenario, dues.by_category_fen)
    whole = by_category.sum(axis=1)
    shape = (scenario.horizon.days_count, 24, -1, *by_category.shape[1:])
    hours = dues.by_category_fen.reshape(shape).sum(axis=2)
    variance = day_sums(scenario, dues.own_variance_fen2)
    variance += demand.common_day_cv**2 * whole**2
    variance += demand.category_day_cv**2 * (by_category**2).sum(axis=1)
    variance += demand.common_hour_cv**2 * (hours.sum(axis=2) ** 2).sum(axis=1)
    variance += demand.category_hour_cv**2 * (hours**2).sum(axis=(1, 2))
    return np.sqrt(variance)


def dry(scenario: Scenario, dues: Dues, levels: Floats) -> Bools:
    """Whether each pot has run dry by the end of a tick when its day has a level; days before at
    level 1. Shape (ticks, guarantees, levels)."""
    horizon, pots = scenario.horizon, PotBook(scenario.pots)
    shape = (horizon.days_count, horizon.ticks_per_day, len(GUARANTEES))
    within = np.cumsum(dues.mean_fen.reshape(shape), axis=1)[..., None] * levels
    by_day = day_sums(scenario, dues.mean_fen)
    before = np.cumsum(by_day, axis=0) - by_day
    # At the end of the warm-up every pot is filled anew.
    before[horizon.warm_up_days :] -= before[horizon.warm_up_days]
    limit = np.minimum(pots.day_limit_fen, np.maximum(pots.total_limit_fen - before, 0.0))
    return np.asarray((within > limit[:, None, :, None]).reshape(-1, *within.shape[2:]))


def expected_payouts(scenario: Scenario, dues: Dues) -> Payouts:
    """What is paid over the days that count."""
    first = scenario.horizon.warm_up_days
    mean, spread = day_sums(scenario, dues.mean_fen)[first:], spreads(scenario, dues)[first:]
    pots = PotBook(scenario.pots)
    paid, refused, kept = np.zeros_like(mean), np.zeros_like(mean), np.ones(len(GUARANTEES))
    left, variance = pots.total_limit_fen.astype(np.float64), np.zeros(len(GUARANTEES))
    for day in range(len(mean)):
        # What earlier days took is uncertain where the balance, not the day's limit, binds.
        binds = left < pots.day_limit_fen
        limit = np.minimum(pots.day_limit_fen, np.maximum(left, 0.0))
        sd = np.sqrt(spread[day] ** 2 + np.where(binds, variance, 0.0))
        over = _excess(mean[day], sd, limit)
        paid[day], refused[day] = mean[day] - over, over
        kept *= 1.0 - _above(mean[day], sd, limit)
        left, variance = left - paid[day], variance + spread[day] ** 2
    later = np.where(pots.policy == RESERVE_POLICY, 1.0, 0.0)
    later[pots.policy == REVIEW_POLICY] = scenario.pots.review_approved_ratio
    from_reserve = refused.sum(axis=0) * later
    asked = from_reserve.sum()
    from_reserve *= min(1.0, scenario.pots.reserve_fen / asked) if asked > 0.0 else 0.0
    gross = paid.sum(axis=0) + from_reserve
    due = mean.sum(axis=0)
    back = day_sums(scenario, dues.recoverable_fen)[first:].sum(axis=0)
    share = np.divide(gross, due, out=np.zeros_like(gross), where=due > 0.0)
    return Payouts(gross_fen=gross, recovered_fen=back * share, exhausted_ratio=1.0 - kept)


def _above(mean: Floats, sd: Floats, limit: Floats) -> Floats:
    """P(N > limit); nothing due exhausts nothing."""
    z = (limit - mean) / np.maximum(sd, 1e-9)
    return np.where(mean > 0.0, ndtr(-z), 0.0)


def _excess(mean: Floats, sd: Floats, limit: Floats) -> Floats:
    """E (N - limit)+ of a normal, at most the mean."""
    sd = np.maximum(sd, 1e-9)
    z = (limit - mean) / sd
    over = sd * np.exp(-0.5 * np.minimum(z * z, 700.0)) / ROOT_2_PI - (limit - mean) * ndtr(-z)
    return np.clip(over, 0.0, mean)


def claimants(scenario: Scenario, by_self: Floats, by_person: Floats, others: Floats) -> Floats:
    """Upheld claims by (ticks, categories, triggers), from claims, heard contacts and the rest."""
    upheld = np.array(scenario.consumers.upheld_ratio.row())
    counts = others.copy()
    counts[:, :, : len(INCIDENT_TYPES)] += (by_self + by_person) * upheld
    return counts
