"""A day of the market: which orders go wrong, where and when.

Orders are Poisson given their expected number; an order at store s goes wrong in a given way with a
probability that the mechanisms set. Thinning is exact: for each (day, category, kind) the number of
incidents is one Poisson draw around the summed intensity, their times, regions and store types
follow the intensity by (tick, region, type), and their stores popularity; an order at a store that
was caught before is then spared with the complement of its multiple. Orders without an incident
stay a count. Draw i of each stream belongs to incident i of the block, so that scenarios with more
incidents share the first ones.
"""

from dataclasses import dataclass

import numpy as np

from scenarios.model import FIRST_OFFSET_D
from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES, INCIDENT_TYPES, REGIONS, STORE_TYPES
from sim.columns import Bools, Floats, Ints
from sim.market.conduct import DISSATISFACTION, Conduct
from sim.market.demand import Demand
from sim.market.fleet import Fleet
from sim.market.monitoring import CLOSED, Monitoring, Warnings
from sim.market.opening import Closures, closures
from sim.market.placing import Guide, find, guide, place, split_cumulated
from sim.market.shocks import ShockField
from sim.market.stock import HOTEL, RoomDay, room_day
from sim.streams import Streams, poisson_count

NO_ROOM = INCIDENT_TYPES.index("no_room")
NO_SHOW = INCIDENT_TYPES.index("service_no_show")
MISCONDUCT = tuple(
    INCIDENT_TYPES.index(name)
    for name in ("service_no_show", "false_advertising", "price_anomaly", "food_safety")
)


@dataclass(frozen=True, slots=True)
class Block:
    """The incidents of one day, category and kind; all arrays have one entry an incident."""

    name: str
    """Suffix of the streams of this block."""
    lunar_day: int
    category: int
    kind: int
    stores: Ints
    occurred_s: Floats
    alerted: Bools
    prevented: Bools
    spared: Bools
    """Went well after all, because the store was caught before."""

    @property
    def kept(self) -> Bools:
        """Which of them are incidents in the end."""
        return ~(self.prevented | self.spared)


@dataclass(frozen=True, slots=True)
class MarketDay:
    """One day of the market."""

    lunar_day: int
    blocks: tuple[Block, ...]
    closures: Closures
    rooms: RoomDay
    orders_count: Ints
    """Orders due, shape (categories, regions)."""
    speculator_share: Floats
    """Share of each category's orders that fall to speculators (ratio)."""
    selling_cum: tuple[Floats, ...]
    """Cumulated popularity of the stores that take orders, by category: to draw a store from."""


@dataclass(frozen=True, slots=True)
class _CategoryDay:
    """One category on one day; arrays by region unless said otherwise."""

    blocks: list[Block]
    orders_mean: Floats
    orders_count: Ints
    mass_by_region: Floats
    """Popularity of the stores that take orders."""
    speculator_share: float
    selling_cum: Floats
    """By store."""


def opportunism_multiple(share: float, generosity: float, elasticity: float) -> float:
    """Claims relative to the reference terms when refunds are `generosity` times as generous."""
    return float(1.0 - share + share * generosity**elasticity)


def pick_stores(cum: Floats, uniform: Floats) -> Ints:
    """Rows drawn with probability proportional to the increments of `cum`."""
    return np.asarray(np.minimum(find(cum, uniform * cum[-1]), cum.size - 1))


def cell_masses(cum: Floats, edges: Ints) -> Floats:
    """Mass of each (region, type) from a cumulated weight with a leading 0; shape (regions, types).
    """
    return np.asarray(np.diff(cum[edges]).reshape(len(REGIONS), len(STORE_TYPES)))


class Market:
    """The market of one replication."""

    def __init__(
        self,
        scenario: Scenario,
        streams: Streams,
        *,
        fleet: Fleet,
        demand: Demand,
        shocks: ShockField,
        refund_generosity: Floats,
    ) -> None:
        """`refund_generosity`: refund share of dissatisfaction relative to the reference, by
        category."""
        self._scenario = scenario
        self._streams = streams
        self._fleet = fleet
        self._demand = demand
        self._shocks = shocks
        self.conduct = Conduct(scenario, fleet)
        self.monitoring = Monitoring(scenario)
        opportunism = scenario.consumers.opportunism
        self._dissatisfied_multiple = [
            opportunism_multiple(
                opportunism.dissatisfaction_ratio, float(g), opportunism.elasticity_ratio
            )
            for g in refund_generosity
        ]

    def day(self, lunar_day: int) -> MarketDay:
        """Plan a day, at midnight: nothing that happens before the next one changes it."""
        horizon = self._scenario.horizon
        fleet = self._fleet
        first = (lunar_day - horizon.start_day) * horizon.ticks_per_day
        ticks = slice(first, first + horizon.ticks_per_day)
        shut = closures(self._scenario, fleet, lunar_day=lunar_day)
        selling = fleet.weight * (fleet.listed & ~shut.declared)
        days = []
        for category in range(len(CATEGORIES)):
            rows = fleet.rows(category)
            days.append(
                self._category(
                    lunar_day, category, ticks, selling[rows], shut.undeclared[rows]
                )
            )
        hotels = fleet.rows(HOTEL)
        mean = days[HOTEL].orders_mean / days[HOTEL].mass_by_region
        rooms, no_rooms = self._rooms(
            lunar_day, mean[fleet.region[hotels]] * selling[hotels], ticks
        )
        orders_count = np.stack([day.orders_count for day in days])
        orders_count[HOTEL] -= np.bincount(
            fleet.region[hotels], weights=rooms.turned_away_count, minlength=len(REGIONS)
        ).astype(np.int64)
        return MarketDay(
            lunar_day=lunar_day,
            blocks=(*(block for day in days for block in day.blocks), no_rooms),
            closures=shut,
            rooms=rooms,
            orders_count=np.maximum(orders_count, 0),
            speculator_share=np.array([day.speculator_share for day in days]),
            selling_cum=tuple(day.selling_cum for day in days),
        )

    def _category(
        self, lunar_day: int, category: int, ticks: slice, selling: Floats, undeclared: Bools
    ) -> _CategoryDay:
        """All that goes wrong in a category, except for rooms; arrays over its stores."""
        edges = self._fleet.cell_edges(category)
        silent_cum, serving_cum, selling_cum = split_cumulated(selling, undeclared)
        silent, serving = (silent_cum, guide(silent_cum)), (serving_cum, guide(serving_cum))
        mass = cell_masses(selling_cum, edges)
        by_region = np.maximum(mass.sum(axis=1), 1e-300)
        orders = self._demand.orders[ticks, category, :]
        mean = orders.sum(axis=0)
        wrong_mean = np.zeros(len(REGIONS))
        wrong_count = np.zeros(len(REGIONS), dtype=np.int64)
        blocks = []
        for kind in range(len(INCIDENT_TYPES)):
            if kind == NO_ROOM:
                continue
            stores = silent if kind == CLOSED else serving
            share = cell_masses(stores[0], edges) / by_region[:, None]
            if kind != CLOSED:
                share *= self.conduct.type_ratio(category=category, kind=kind)
            factor = self._factor(category, kind, lunar_day, ticks)
            intensity = (orders * factor)[:, :, None] * share
            wrong_mean += intensity.sum(axis=(0, 2))
            block = self._block(lunar_day, category, kind, intensity=intensity, stores=stores)
            if block is not None:
                blocks.append(block)
                placed = self._fleet.region[block.stores[~block.prevented]]
                wrong_count += np.bincount(placed, minlength=len(REGIONS))
        uneventful = self._streams.rng(
            f"orders.uneventful/d{lunar_day:+d}/{CATEGORIES[category]}"
        ).poisson(np.maximum(mean - wrong_mean, 0.0))
        share_of_type = (mean * mass[:, 1] / by_region).sum() / max(float(mean.sum()), 1e-300)
        return _CategoryDay(
            blocks=blocks,
            orders_mean=mean,
            orders_count=uneventful + wrong_count,
            mass_by_region=by_region,
            speculator_share=float(share_of_type),
            selling_cum=selling_cum[1:],
        )

    def _factor(self, category: int, kind: int, lunar_day: int, ticks: slice) -> Floats:
        """Factor on the intensity by (tick, region): day factors, shocks, opportunism."""
        shape = (ticks.stop - ticks.start, len(REGIONS))
        if kind == CLOSED:
            return self._shocks.closure_multiple[ticks, category, :]
        day_factor = self._scenario.incidents.day_factor.row()[kind][lunar_day - FIRST_OFFSET_D]
        if kind == NO_SHOW:
            return day_factor * self._shocks.no_show_multiple[ticks, category, :]
        if kind == DISSATISFACTION:
            day_factor *= self._dissatisfied_multiple[category]
        return np.full(shape, day_factor)

    def _block(
        self,
        lunar_day: int,
        category: int,
        kind: int,
        *,
        intensity: Floats,
        stores: tuple[Floats, Guide],
    ) -> Block | None:
        """Draw the incidents behind an intensity by (tick, region, type), at stores by their
        cumulated weight, which comes with its guide."""
        mean = float(intensity.sum())
        if mean <= 0.0:
            return None
        name = f"d{lunar_day:+d}/{CATEGORIES[category]}/{INCIDENT_TYPES[kind]}"
        streams, fleet = self._streams, self._fleet
        count = poisson_count(streams.rng(f"incident.count/{name}").random(), mean)
        ticks, rows = place(
            np.cumsum(intensity.ravel()),
            *stores,
            fleet.cell_edges(category),
            streams.rng(f"incident.time/{name}").random(count),
            streams.rng(f"incident.store/{name}").random(count),
        )
        return self._warned(
            lunar_day,
            category,
            kind,
            name=name,
            stores=fleet.rows(category).start + rows,
            due_s=ticks * self._scenario.horizon.tick_s,
        )

    def _rooms(self, lunar_day: int, bookings: Floats, ticks: slice) -> tuple[RoomDay, Block]:
        """Oversold rooms as incidents, at check-in time."""
        fleet, streams = self._fleet, self._streams
        rows = fleet.rows(HOTEL)
        shock = self._shocks.oversell_multiple[ticks, HOTEL, :].mean(axis=0)
        rooms = room_day(
            self._scenario,
            fleet,
            streams,
            lunar_day=lunar_day,
            bookings_mean=bookings,
            oversell_multiple=shock[fleet.region[rows]],
        )
        stores = rows.start + np.repeat(np.arange(bookings.size), rooms.oversold_count)
        name = f"d{lunar_day:+d}/hotel/no_room"
        cum = np.cumsum(self._scenario.demand.hour_profile.hotel)
        target = streams.rng(f"incident.time/{name}").random(stores.size) * cum[-1]
        hour = np.minimum(np.searchsorted(cum, target, side="right"), 23)
        within = streams.rng(f"incident.minute/{name}").random(stores.size)
        return rooms, self._warned(
            lunar_day, HOTEL, NO_ROOM, name=name, stores=stores, due_s=(hour + within) * 3600.0
        )

    def _warned(
        self, lunar_day: int, category: int, kind: int, *, name: str, stores: Ints, due_s: Floats
    ) -> Block:
        """Attach what monitoring saw in time."""
        if kind == CLOSED:
            warned: Warnings = self.monitoring.closure_warnings(
                self._fleet,
                self._streams,
                stores=stores,
                due_in_day_s=due_s,
                category=category,
                lunar_day=lunar_day,
                block=name,
            )
        else:
            warned = self.monitoring.onset_warnings(
                self._fleet, self._streams, stores=stores, category=category, kind=kind, block=name
            )
        midnight_s = (lunar_day - self._scenario.horizon.start_day) * 86400.0
        spared = np.zeros(stores.size, dtype=np.bool_)
        if kind in MISCONDUCT:
            uniform = self._streams.rng(f"conduct.spared/{name}").random(stores.size)
            spared = self.conduct.spared(self._fleet.caught[stores], uniform, kind=kind)
        return Block(
            name=name,
            lunar_day=lunar_day,
            category=category,
            kind=kind,
            stores=stores,
            occurred_s=midnight_s + due_s,
            alerted=warned.alerted,
            prevented=warned.prevented,
            spared=spared,
        )
