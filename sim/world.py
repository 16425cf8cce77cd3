"""The world of one replication: SimPy's clock, and the order in which its parts act.

At midnight, in this order:
    1  the market plans its day: closures, bookings, conduct of each store, sweeps, patrol;
    2  the fates of everyone whom the day touches are drawn: claims, contacts, rights, reports.
At every tick (default 15 min), in this order:
    3  the pool learns how many agents are there and how much longer contacts take now
       (exhausted pots under review, slow API): loops 2 and 5 act here;
    4  the pool receives the contacts that arrive before the next tick;
    5  the clock runs: contacts queue, are answered, abandon, come back, event by event;
    6  what the pool resolved and what needed no person is settled: terms, pots, ledger, recourse.
At the day's end:
    7  violations become points, fines and delistings, merchants learn of catches (loop 4), and the
       day's books of the stores are closed.
The market never looks at the pool: staffing cannot move an arrival, a patience or a handle time.
"""

from collections.abc import Collection, Generator
from dataclasses import fields

import numpy as np
import simpy

from scenarios.scenario import Scenario
from scenarios.tables import TABLES
from scenarios.words import TOPICS
from sim.chronicle import Chronicle
from sim.columns import Agenda, Bools, Columns, Floats, Ints, distinct, pick, stack
from sim.consumers.contacts import topic_habits
from sim.consumers.daybook import (
    CONTACT_COLUMNS,
    ConsumerDay,
    consumer_day,
    established,
    generosity,
)
from sim.market.accounts import demand_day, merchant_day
from sim.market.demand import draw_demand
from sim.market.fleet import draw_fleet
from sim.market.incidents import Market, MarketDay
from sim.market.patrol import PatrolDay, patrol_day
from sim.market.shocks import shock_field
from sim.market.standing import close_day
from sim.money.claims import DueClaims
from sim.money.columns import GrowingColumns
from sim.money.settlement import Settlement
from sim.streams import Streams
from sim.support.cases import CASES_NATIONAL_COUNT, Cases
from sim.support.layout import Layout
from sim.support.pool import Pool
from sim.support.roster import Roster
from sim.support.tape import Tape

# What a case claims, as the settlement wants it.
_CLAIM_COLUMNS = tuple(field.name for field in fields(DueClaims) if field.name != "decided_s")


class World:
    """Everything of one replication; `run()` once, then read its parts."""

    def __init__(
        self,
        scenario: Scenario,
        streams: Streams,
        *,
        agents: Ints | None = None,
        tape: Tape | None = None,
        tables: Collection[str] = tuple(TABLES),
    ) -> None:
        """With `agents` (ticks, teams) the floor is staffed so instead of by its shifts; `tape`
        takes down what the floor is given; `tables` names those that the days are noted for."""
        self.scenario = scenario
        self._streams = streams
        self.fleet = draw_fleet(scenario, streams)
        self._shocks = shock_field(scenario)
        self.demand = draw_demand(scenario, self._shocks, streams)
        self._terms = generosity(scenario)
        self._market = Market(
            scenario,
            streams,
            fleet=self.fleet,
            demand=self.demand,
            shocks=self._shocks,
            refund_generosity=self._terms.dissatisfaction,
        )
        self.money = Settlement(
            scenario.guarantees,
            scenario.pots,
            scenario.recourse,
            horizon=scenario.horizon,
            deposit_fen=self.fleet.deposit_fen,
        )
        self.layout = Layout.of(scenario.support)
        self.roster = self._roster(agents)
        self._tape = tape
        self._env = simpy.Environment()
        self.pool = Pool(self._env, self.layout)
        self._arrivals = Agenda("arrived_s")
        self._claims = Agenda("decided_s")
        self._unheard = Agenda("decided_s")
        self._case_claims: GrowingColumns | None = None
        self.chronicle = Chronicle(tables)
        self.case_category: list[np.ndarray] = []
        self.incident_kind: list[np.ndarray] = []
        self._incident_count = 0
        self._case_count = 0
        self._latency_multiple = self._latency()

    def _roster(self, agents: Ints | None) -> Roster:
        support, horizon = self.scenario.support, self.scenario.horizon
        calendar = self.scenario.calendar
        if agents is not None:
            return Roster.of_agents(agents, support, calendar=calendar, horizon=horizon)
        return Roster.draw(
            support,
            calendar=calendar,
            horizon=horizon,
            streams=self._streams,
            attendance_multiple_by_day=self._shocks.attendance_multiple,
        )

    def run(self) -> None:
        """Simulate the horizon; what only the run needed is given up at its end."""
        self._env.run(until=self._env.process(self._live()))
        del self._case_claims, self._arrivals, self._claims, self._unheard

    def dismiss_pool(self) -> None:
        """Give up the pool and the clock once their record was read."""
        del self.pool, self._env

    def _live(self) -> Generator[simpy.Event, None, None]:
        horizon = self.scenario.horizon
        for day in range(horizon.days_count):
            market, patrol, consumers = self._open_day(horizon.start_day + day)
            for tick in range(day * horizon.ticks_per_day, (day + 1) * horizon.ticks_per_day):
                start_s = tick * float(horizon.tick_s)
                end_s = start_s + horizon.tick_s
                self.pool.staff(
                    self.roster.slots[tick].tolist(), self.roster.pace[tick].tolist()
                )
                surcharge = self._surcharge(tick)
                cases = self._cases(self._arrivals.take_before(end_s))
                self.pool.surcharge(surcharge)
                self.pool.offer(cases)
                if self._tape is not None:
                    self._tape.take(cases, surcharge)
                yield self._env.timeout(horizon.tick_s)
                self._settle(start_s, end_s)
            self._close_day(market, patrol, consumers)

    def _open_day(self, lunar_day: int) -> tuple[MarketDay, PatrolDay, ConsumerDay]:
        market = self._market.day(lunar_day)
        patrol = patrol_day(self.scenario, self.fleet, self._streams, lunar_day=lunar_day)
        consumers = consumer_day(
            self.scenario,
            self._streams,
            market,
            fleet=self.fleet,
            demand=self.demand,
            shocks=self._shocks,
            patrol=patrol,
            terms=self._terms,
            first_incident_id=self._incident_count,
        )
        starts = self._case_count + np.cumsum([0] + [c["queue"].size for c in consumers.contacts])
        self._arrivals.add(
            *(
                {
                    **{name: batch[name] for name in CONTACT_COLUMNS},
                    "case_id": start + np.arange(batch["queue"].size),
                }
                for batch, start in zip(consumers.contacts, starts, strict=False)
            )
        )
        incident_id = self._note_claims(consumers.contact_claims)
        self.case_category += [batch["category"] for batch in consumers.contacts]
        case_of = np.full(consumers.incidents["incident_id"].size, -1, dtype=np.int64)
        claimed = np.flatnonzero(incident_id >= 0)
        case_of[incident_id[claimed] - self._incident_count] = self._case_count + claimed
        consumers.incidents["case_id"] = case_of
        self.incident_kind.append(consumers.incidents["incident"])
        self._claims.add(*consumers.claims)
        self._case_count = int(starts[-1])
        self._incident_count += case_of.size
        return market, patrol, consumers

    def _note_claims(self, batches: list[Columns]) -> Ints:
        """Keeps what the day's cases claim, by case_id; returns the incident of each, or -1."""
        if self._case_claims is None:
            dtypes = {name: values.dtype for name, values in batches[0].items()}
            self._case_claims = GrowingColumns(dtypes, capacity_count=CASES_NATIONAL_COUNT)
        for batch in batches:
            self._case_claims.append(batch["incident_id"].size, batch)
        return self._case_claims.view("incident_id")[self._case_count :]

    def _cases(self, rows: Columns) -> Cases:
        return Cases(**rows)

    def _surcharge(self, tick: int) -> tuple[float, ...]:
        """Handle time by topic relative to normal: manual review (loop 2) and a slow API (loop 5).
        """
        multiple = self._latency_multiple[tick]
        if self.scenario.loops.exhausted_pot_review:
            multiple = multiple * np.array(self.money.handle_multiple_by_topic())
        return tuple(multiple.tolist())

    def _latency(self) -> Floats:
        """1 + calls x added latency / mean handle time; shape (ticks, topics)."""
        added_s = self._shocks.api_added_latency_s
        if not self.scenario.loops.api_failover:
            added_s = np.zeros_like(added_s)
        handle_s = [
            topic_habits(self.scenario, topic).handle_phone_s for topic in range(len(TOPICS))
        ]
        waits_s = added_s * self.scenario.api.calls_per_contact_count
        return np.asarray(1.0 + waits_s[:, None] / np.maximum(np.array(handle_s), 1e-9))

    def _settle(self, start_s: float, end_s: float) -> None:
        """Step 6: the tick's claims, from people and without, in order of time."""
        outcomes = self.pool.collect()
        # A contact that ends with the tick to the last bit still belongs to it.
        resolved_s = np.minimum(outcomes.resolved_s, np.nextafter(end_s, start_s))
        assert self._case_claims is not None
        delay_s = self._case_claims.take("fallback_delay_s", outcomes.given_up_case_id)
        # Paying is how an escalation is ended: the specialist's call is work, not a condition.
        self._unheard.add(
            _decisions(outcomes.escalated_case_id, outcomes.escalated_s, escalated=True),
            _decisions(outcomes.given_up_case_id, outcomes.given_up_s + delay_s),
        )
        regular = ~outcomes.resolved_escalated
        by_person = _decisions(outcomes.resolved_case_id[regular], resolved_s[regular])
        heard = stack([by_person, self._unheard.take_before(end_s)])
        due = stack([self._claims.take_before(end_s), self._of_cases(heard)])
        due = pick(due, np.argsort(due["decided_s"], kind="stable"))
        self.money.settle(start_s, end_s, DueClaims(**due))

    def _of_cases(self, decisions: Columns) -> Columns:
        """The upheld claims among decided cases."""
        case_claims = self._case_claims
        assert case_claims is not None
        decisions = pick(decisions, case_claims.take("upheld", decisions["case_id"]))
        case_id, raised = decisions.pop("case_id"), decisions.pop("escalated")
        claims = {name: case_claims.take(name, case_id) for name in _CLAIM_COLUMNS}
        claims["escalated"] |= raised
        return {**decisions, **claims}

    def _close_day(self, market: MarketDay, patrol: PatrolDay, consumers: ConsumerDay) -> None:
        """Step 7."""
        stores, kinds = established(consumers.incidents)
        caught = distinct(np.concatenate((patrol.caught_stores, patrol.reported_stores)))
        standing = close_day(
            self.scenario, self.fleet, stores=stores, kinds=kinds, caught_stores=caught
        )
        fine_fen = np.array(self.scenario.conduct.fine_fen.row(), dtype=np.int64)
        self.money.fine(
            np.nextafter(self._env.now, 0.0),
            caught.astype(np.int32),
            fine_fen[self.fleet.category[caught]],
        )
        self._market.conduct.learn(patrol.caught_stores.size)
        counted = market.lunar_day >= self.scenario.horizon.first_day
        fined, taken = self.money.hand_over_fines(), self.money.hand_over_recourse()
        if not counted:
            return
        self.chronicle.note(
            "merchants_daily",
            lambda: merchant_day(
                self.scenario,
                self.fleet,
                market,
                monitoring=self._market.monitoring,
                conduct=self._market.conduct,
                incidents=consumers.incidents,
                patrol=patrol,
                standing=standing,
                false_alarms=consumers.false_alarms_by_type,
                fines=(fined[0].astype(np.int64), fined[1]),
                recourse=(taken[0].astype(np.int64), taken[1]),
            ),
        )
        self.chronicle.note("alerts", lambda: consumers.alerts)
        self.chronicle.note("demand", lambda: demand_day(self.scenario, market, self.demand))
        self.chronicle.note("incidents", lambda: _incident_rows(consumers.incidents))


def _incident_rows(incidents: Columns) -> Columns:
    """The day's rows of the table `incidents`."""
    names = [column.name for column in TABLES["incidents"] if column.name != "replication"]
    return {name: incidents[name] for name in names}


def _decisions(case_id: Ints, decided_s: Floats, *, escalated: bool = False) -> Columns:
    """Cases whose claims are decided at these times."""
    raised: Bools = np.full(case_id.size, escalated)
    return {"case_id": case_id, "decided_s": decided_s, "escalated": raised}
