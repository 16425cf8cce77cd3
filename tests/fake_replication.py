"""A stand-in for the model: tables of national shape from closed formulas, in milliseconds.

For tests of the experiment and of the report, which must not wait for, or depend on, the model
itself. Deterministic in (scenario, seed, replication); the figures are plausible and mean
nothing. Row tables are small samples.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from scenarios import words
from scenarios.model import Model, PerCategory, Ratio
from scenarios.support import ChannelTarget, Targets
from scenarios.tables import TABLES, VOCABULARIES
from sim.streams import Streams

CONTACTS = np.array([95, 85, 88, 112, 127, 128, 119, 103, 83]) * 1000.0  # lunar days -2..6
NIGHT = [18.0, 11.0, 8.0, 6.0, 5.0, 6.0]
HOURS = np.array([*NIGHT, 10, 20, 33, 45, 54, 60, 64, 60, 56, 55, 58, 64, 72, 75, 72, 62, 50, 36])
AGENT_HOURS = 12_550.0
QUEUE_SHARES = np.array([0.16, 0.36, 0.07, 0.26, 0.06, 0.09])
HANDLE_S = np.array([430.0, 290.0, 300.0, 190.0, 520.0, 320.0])
ORDERS = np.array([15.8, 14.4, 14.3, 17.2, 19.9, 20.9, 20.8, 18.9, 15.6]) * 1e6
CATEGORY_SHARES = np.array([0.76, 0.06, 0.1, 0.08, 0.007, 0.009, 0.025])
GUARANTEE_FEN_PER_DAY = np.array([9, 3.2, 2.8, 1.6, 0.5, 1.1, 0.2, 0.1, 0.3, 0.02, 0.8]) * 1e8
Columns = dict[str, np.ndarray]


class FakeHorizon(Model):
    """The part of a horizon that the experiment reads."""

    first_day: int
    """First lunar day."""
    last_day: int
    """Last lunar day."""
    warm_up_days: int
    """Days before the first one."""


class FakeSupport(Model):
    """The part of the support floor that the experiment reads."""

    targets: Targets
    """What has to hold."""


class FakeScenario(Model):
    """The part of a scenario that the experiment reads, and two numbers that move the fake."""

    name: str
    """Name."""
    description: str
    """What it stands for."""
    horizon: FakeHorizon
    """Days."""
    support: FakeSupport
    """Targets."""
    share: PerCategory[Ratio]
    """A generic block, as real scenarios have them: such blocks cannot be pickled."""
    heads_count: int
    """Agents of the fake."""
    demand_multiple: float
    """Contacts of the fake, relative to its base."""

    @property
    def fingerprint(self) -> str:
        values = self.model_dump_json(exclude={"name", "description"})
        return blake2b(values.encode(), digest_size=16).hexdigest()


SCENARIO = FakeScenario(
    name="fake-festival",
    description="A stand-in.",
    horizon=FakeHorizon(first_day=-2, last_day=6, warm_up_days=1),
    support=FakeSupport(
        targets=Targets(
            phone=ChannelTarget(threshold_s=20.0, service_level_ratio=0.8),
            im=ChannelTarget(threshold_s=60.0, service_level_ratio=0.85),
            abandoned_ratio=0.05,
        )
    ),
    share=PerCategory[Ratio](**dict.fromkeys(words.CATEGORIES, 0.125)),
    heads_count=2400,
    demand_multiple=1.0,
)


@dataclass(frozen=True)
class FakeResult:
    """What sim.replication.simulate returns, in shape."""

    tables: dict[str, Columns]
    metrics: dict[str, tuple[float, str]]


def simulate(
    scenario: FakeScenario, *, seed: int, replication: int, **_asked: Any
) -> FakeResult:
    """One replication of the fake."""
    streams = Streams(seed, replication)
    horizon = scenario.horizon
    days = np.arange(horizon.first_day, horizon.last_day + 1)
    noise = 1.0 + 0.08 * streams.rng("fake/noise").standard_normal(9)
    load = scenario.demand_multiple * noise[days + 2]
    tables = {
        "intervals": _intervals(scenario, streams, days, load),
        "payouts": _payouts(days, load),
        "payouts_by_region": _by_region(days, load),
        "cash": _cash(horizon, days, load),
        "recourse": _recourse(load),
        "pots": _pots(horizon, days, load),
        "merchants_daily": _merchants(days, load),
        "alerts": _alerts(days, load),
        "staffing": _staffing(horizon, days, scenario.heads_count),
        "demand": _demand(days, load),
    }
    for name in ("contacts", "incidents", "ledger", "claims"):
        tables[name] = _sample(name, streams.rng(f"fake/{name}"), days)
    return FakeResult(tables, _metrics(tables))


def _grid(*axes: np.ndarray) -> list[np.ndarray]:
    return [part.ravel() for part in np.meshgrid(*axes, indexing="ij")]


def _intervals(
    scenario: FakeScenario, streams: Streams, days: np.ndarray, load: np.ndarray
) -> Columns:
    day, tick, queue = _grid(np.arange(len(days)), np.arange(96), np.arange(6))
    hour = tick // 4
    per_tick = HOURS / HOURS.sum() / 4.0
    mean = CONTACTS[days[day] + 2] * load[day] * per_tick[hour] * QUEUE_SHARES[queue]
    fresh = streams.rng("fake/fresh").poisson(mean)
    roster = 0.35 * np.full(24, 1 / 24) + 0.65 * HOURS / HOURS.sum()
    heads = scenario.heads_count / 2400.0
    agents = AGENT_HOURS * heads * roster[hour] * (QUEUE_SHARES * HANDLE_S)[queue]
    agents = agents / (QUEUE_SHARES * HANDLE_S).sum()
    rho = fresh * 1.15 * HANDLE_S[queue] / 900.0 / agents
    lost = np.clip(0.01 * rho + 0.9 * np.maximum(rho - 0.97, 0.0), 0.0, 0.6)
    redial = (fresh * lost * 0.45).astype(np.int64)
    reconnect = (fresh * 0.14).astype(np.int64)
    escalation = (fresh * lost * 0.05).astype(np.int64)
    offered = fresh + redial + reconnect + escalation
    abandoned = (offered * lost).astype(np.int64)
    answered = offered - abandoned
    within = answered * np.clip(0.98 - 6.0 * np.maximum(rho - 0.9, 0.0), 0.05, 1.0)
    wait = 240.0 * np.maximum(rho - 0.8, 0.0) ** 1.5
    return {
        "interval_start_s": (day + scenario.horizon.warm_up_days) * 86400.0 + tick * 900.0,
        "lunar_day": days[day],
        "skill": queue // 2,
        "channel": queue % 2,
        "fresh_count": fresh,
        "offered_count": offered,
        "answered_count": answered,
        "abandoned_count": abandoned,
        "in_system_count": np.zeros_like(fresh),
        "answered_within_threshold_count": within.astype(np.int64),
        "abandoned_within_threshold_count": abandoned // 4,
        "redial_count": redial,
        "reconnect_count": reconnect,
        "escalation_count": escalation,
        "wait_answered_s_sum": wait * answered,
        "wait_s_sum": wait * offered,
        "handle_s_sum": answered * HANDLE_S[queue],
        "queue_len_mean": wait * offered / 900.0,
        "agents_available": agents,
        "agents_busy": np.minimum(answered * HANDLE_S[queue] / 900.0, agents),
    }


def _payouts(days: np.ndarray, load: np.ndarray) -> Columns:
    day, guarantee, category = _grid(np.arange(len(days)), np.arange(11), np.arange(7))
    weight = CONTACTS[days[day] + 2] / CONTACTS.mean() * load[day] * CATEGORY_SHARES[category]
    due = (GUARANTEE_FEN_PER_DAY[guarantee] * weight).astype(np.int64)
    paid = np.where(guarantee == 0, np.minimum(due, 8 * 10**8), due)
    recovered = (0.4 * paid).astype(np.int64)
    return {
        "lunar_day": days[day],
        "guarantee": guarantee,
        "category": category,
        "claims_count": due // 15_000,
        "order_value_fen": due * 2,
        "due_fen": due,
        "gross_fen": paid,
        "shortfall_fen": due - paid,
        "recovered_fen": recovered,
        "net_fen": paid - recovered,
    }


def _pots(horizon: FakeHorizon, days: np.ndarray, load: np.ndarray) -> Columns:
    day, tick, guarantee = _grid(np.arange(len(days)), np.arange(96), np.arange(11))
    limit = (1.25 * GUARANTEE_FEN_PER_DAY).astype(np.int64)[guarantee]
    share = np.cumsum(np.repeat(HOURS, 4)) / HOURS.sum() / 4.0
    weight = GUARANTEE_FEN_PER_DAY[guarantee] * (CONTACTS[days + 2] / CONTACTS.mean() * load)[day]
    so_far = (weight * share[tick]).astype(np.int64)
    earlier = (weight * np.where(tick > 0, share[tick - 1], 0.0)).astype(np.int64)
    left = np.maximum(limit - so_far, 0)
    paid = np.minimum(so_far, limit) - np.minimum(earlier, limit)
    due = so_far - earlier
    return {
        "interval_start_s": (day + horizon.warm_up_days) * 86400.0 + tick * 900.0,
        "lunar_day": days[day],
        "guarantee": guarantee,
        "due_fen": due,
        "paid_fen": paid,
        "reserve_paid_fen": np.zeros_like(due),
        "shortfall_fen": due - paid,
        "day_left_fen": left,
        "balance_fen": limit * (len(days) - day) - (limit - left),
        "exhausted": so_far > limit,
    }


def _by_region(days: np.ndarray, load: np.ndarray) -> Columns:
    """Adds up to the payouts' total, whose days are shared out evenly but for the rounding."""
    day, region, bearer = _grid(np.arange(len(days)), np.arange(-1, 7), np.arange(2))
    rows = _payouts(days, load)
    of_day = {
        name: np.bincount(rows["lunar_day"] - days[0], rows[name]).astype(np.int64)
        for name in ("gross_fen", "recovered_fen")
    }
    first = (region == -1) & (bearer == 0)
    shared = {
        name: np.where(first, fen[day] - fen[day] // 16 * 15, fen[day] // 16)
        for name, fen in of_day.items()
    }
    net = {"net_fen": shared["gross_fen"] - shared["recovered_fen"]}
    return {"lunar_day": days[day], "region": region, "bearer": bearer, **shared, **net}


def _cash(horizon: FakeHorizon, days: np.ndarray, load: np.ndarray) -> Columns:
    day, tick = _grid(np.arange(len(days)), np.arange(96))
    rows = _by_region(days, load)
    cash = {}
    for name, source in (("paid_fen", "gross_fen"), ("recovered_fen", "recovered_fen")):
        total = np.bincount(rows["lunar_day"] - days[0], rows[source]).astype(np.int64)
        cash[name] = np.where(tick == 95, total[day] - total[day] // 96 * 95, total[day] // 96)
    start_s = (day + horizon.warm_up_days) * 86400.0 + tick * 900.0
    return {"interval_start_s": start_s, "lunar_day": days[day], **cash}


def _recourse(load: np.ndarray) -> Columns:
    """Ten parts of what is owed: five recovered, two contested, one in default, two open."""
    rows = [("total", "", 100), ("deposit", "below 1k", 60), ("deposit", "1k-5k", 40),
            ("lag", "1", 50), ("store_rank", "1-10", 30), ("store_rank", "11-100", 70)]  # fmt: skip
    part_fen = (np.array([row[2] for row in rows]) * load.sum() * 1e6).astype(np.int64)
    lag = np.array([row[0] == "lag" for row in rows])
    parts = {"recovered": 5, "contested": 2, "defaulted": 1, "open": 2, "collectible": 1}
    states = {
        f"{name}_fen": part_fen * np.where(lag & (name != "recovered"), 0, count)
        for name, count in parts.items()
    }
    return {
        "by": np.array([row[0] for row in rows], dtype=object),
        "key": np.array([row[1] for row in rows], dtype=object),
        "stores_count": part_fen // 1_000_000,
        "owed_fen": part_fen * np.where(lag, 5, 10),
        **states,
    }


def _merchants(days: np.ndarray, load: np.ndarray) -> Columns:
    day, category, kind = _grid(np.arange(len(days)), np.arange(7), np.arange(2))
    share = CATEGORY_SHARES[category] * np.array([0.86, 0.14])[kind]
    orders = (ORDERS[days[day] + 2] * load[day] * share).astype(np.int64)
    stores = (1_500_000 * share).astype(np.int64)
    margin_fen = np.array([620, 560])[kind] - 12 * (day * kind)
    counts = {
        "stores_count": stores,
        "closed_declared_count": (stores * np.array([0.3, 0.12])[kind]).astype(np.int64),
        "closed_undeclared_count": (stores * np.array([0.002, 0.05])[kind]).astype(np.int64),
        "marked_count": stores // 300,
        "false_alarms_count": stores // 4000,
        "stock_out_count": stores // 500,
        "turned_away_count": orders // 400,
        "oversold_count": orders // 900,
        "delisted_count": stores * kind // 900,
        "points_count": stores // 200,
        "patrol_visits_count": stores // 250,
        "patrol_caught_count": stores // 6000,
        "reports_count": stores // 500,
        "reports_valid_count": stores // 9000,
        "verification_work_s": stores * 1.2,
        "orders_count": orders,
        "incidents_count": (orders * np.array([0.0132, 0.027])[kind]).astype(np.int64),
        "fines_fen": orders * kind * 3,
        "recourse_fen": orders * 9,
        "margin_fen": orders * margin_fen,
        "deposit_fen": stores * 500_000,
        "conduct_ratio": 1.0 - 0.03 * day,
    }
    return {"lunar_day": days[day], "category": category, "store_type": kind, **counts}


def _alerts(days: np.ndarray, load: np.ndarray) -> Columns:
    day, category, incident = _grid(np.arange(len(days)), np.arange(7), np.arange(3))
    alerts = (30_000 * load[day] * CATEGORY_SHARES[category] / (1 + incident)).astype(np.int64)
    counts = {
        "alerts_count": alerts,
        "false_alarms_count": alerts // 12,
        "alternative_count": alerts // 2,
        "cancelled_count": alerts // 5,
        "went_anyway_count": alerts - alerts // 2 - alerts // 5,
        "prevented_count": alerts * 3,
        "contacts_saved_count": alerts // 3,
        "cost_fen": alerts * 20,
        "compensation_fen": alerts // 5 * 1000,
    }
    return {"lunar_day": days[day], "category": category, "incident": incident, **counts}


def _staffing(horizon: FakeHorizon, days: np.ndarray, heads_count: int) -> Columns:
    day, tick, team = _grid(np.arange(len(days)), np.arange(96), np.arange(6))
    present = (heads_count / 16.0 * HOURS[tick // 4] / 60.0).astype(np.int64)
    names = np.array([f"{skill} {channel}" for skill in words.SKILLS for channel in words.CHANNELS])
    return {
        "interval_start_s": (day + horizon.warm_up_days) * 86400.0 + tick * 900.0,
        "lunar_day": days[day],
        "team": names[team].astype(object),
        "heads_rostered_count": (present / 0.93).astype(np.int64),
        "heads_present_count": present,
        "overtime_count": present // 20,
        "agents_available": present * 0.82,
        "new_hire_ratio": np.full(len(day), 0.3),
        "wage_fen": present * 718,
    }


def _demand(days: np.ndarray, load: np.ndarray) -> Columns:
    day, category, region = _grid(np.arange(len(days)), np.arange(7), np.arange(7))
    orders = (ORDERS[days[day] + 2] * load[day] * CATEGORY_SHARES[category] / 7).astype(np.int64)
    return {
        "lunar_day": days[day],
        "category": category,
        "region": region,
        "orders_count": orders,
        "order_value_fen": orders * 10_200,
        "burst_orders_count": orders // 50,
    }


def _sample(table: str, rng: np.random.Generator, days: np.ndarray, count: int = 2000) -> Columns:
    """Rows that fit the dictionary and nothing else."""
    makers: dict[str, Callable[[], np.ndarray]] = {
        "Boolean": lambda: rng.random(count) < 0.5,
        "Float64": lambda: np.sort(rng.random(count) * 86400.0 * len(days)),
        "String": lambda: np.full(count, "general phone", dtype=object),
    }
    columns: Columns = {}
    for column in TABLES[table][1:]:
        if column.dtype.startswith("enum:"):
            codes = len(VOCABULARIES[column.dtype.removeprefix("enum:")])
            columns[column.name] = rng.integers(0, codes, count).astype(np.int8)
        elif column.name == "lunar_day":
            columns[column.name] = rng.choice(days, count)
        else:
            whole = lambda: rng.integers(1, 30_000, count)  # noqa: E731
            columns[column.name] = makers.get(column.dtype, whole)()
    return columns


def _metrics(tables: dict[str, Columns]) -> dict[str, tuple[float, str]]:
    queue, payouts = tables["intervals"], tables["payouts"]
    total = {name: float(values.sum()) for name, values in queue.items()}
    phone = queue["channel"] == 0
    within, offered = queue["answered_within_threshold_count"], queue["offered_count"]
    wait, answered = queue["wait_answered_s_sum"], queue["answered_count"]
    exhausted = {int(g) for g in tables["pots"]["guarantee"][tables["pots"]["exhausted"]]}
    merchants, alerts = tables["merchants_daily"], tables["alerts"]
    return {
        "orders_count": (float(tables["demand"]["orders_count"].sum()), "orders"),
        "incidents_count": (float(merchants["incidents_count"].sum()), "incidents"),
        "contacts_offered_count": (total["offered_count"], "contacts"),
        "contacts_answered_count": (total["answered_count"], "contacts"),
        "contacts_abandoned_count": (total["abandoned_count"], "contacts"),
        "abandoned_ratio": (total["abandoned_count"] / total["offered_count"], "ratio"),
        "service_level_phone_ratio": (within[phone].sum() / offered[phone].sum(), "ratio"),
        "service_level_im_ratio": (within[~phone].sum() / offered[~phone].sum(), "ratio"),
        "asa_phone_s": (wait[phone].sum() / answered[phone].sum(), "s"),
        "asa_im_s": (wait[~phone].sum() / answered[~phone].sum(), "s"),
        "occupancy_ratio": (total["agents_busy"] / total["agents_available"], "ratio"),
        "redials_count": (total["redial_count"], "contacts"),
        "reconnects_count": (total["reconnect_count"], "contacts"),
        "alerts_count": (float(alerts["alerts_count"].sum()), "alerts"),
        "self_service_claims_count": (0.3 * total["fresh_count"], "claims"),
        "payout_gross_fen": (float(payouts["gross_fen"].sum()), "fen"),
        "payout_recovered_fen": (float(payouts["recovered_fen"].sum()), "fen"),
        "payout_net_fen": (float(payouts["net_fen"].sum()), "fen"),
        "payout_opportunistic_fen": (0.05 * float(payouts["gross_fen"].sum()), "fen"),
        "pots_exhausted_ratio": (len(exhausted) / 11, "ratio"),
        "wage_fen": (float(tables["staffing"]["wage_fen"].sum()), "fen"),
        "delisted_merchants_count": (float(merchants["delisted_count"].sum()), "stores"),
    }
