"""The ledger as a state machine, held to a plain model: Hypothesis looks for where they differ.

Goal: no sequence of claims, settlements, releases, repetitions and new days makes the service say
or keep anything else than forty lines of plain Python do. The model knows the amounts of one kind
of claim by heart (refund = price, extra = 20 % within 5 and 50 CNY) and keeps pots as integers.
"""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from tests import api_postgres
from tests.api_cases import MONEY_KEYS, serving

POT_FEN, DAY_FEN, RESERVE_FEN, DEPOSIT_FEN = 60_000, 40_000, 30_000, 25_000
SETS = (
    f"pots.instant_compensation.total_limit_fen={POT_FEN}",
    f"pots.instant_compensation.day_limit_fen={DAY_FEN}",
    f"pots.reserve_fen={RESERVE_FEN}",
    f"merchants.deposit_fen.catering={DEPOSIT_FEN}",
)
# A history of many days: no key may run out in it.
LIMITS = {"key_lifetime_s": 400 * 86400.0}


class Model:
    """What should be, as plainly as can be."""

    def __init__(self) -> None:
        self.pot = {"available": POT_FEN, "held": 0, "settled": 0}
        self.reserve = {"available": RESERVE_FEN, "held": 0, "settled": 0}
        self.day = 0
        self.used_fen: dict[int, int] = {}
        self.claims: list[dict[str, Any]] = []
        self.deposits_fen: dict[int, int] = {}

    def open(self, order_id: int, merchant_id: int, price_fen: int) -> dict[str, Any]:
        due_fen = price_fen + min(max((price_fen * 20 + 50) // 100, 500), 5000)
        used_fen = self.used_fen.get(self.day, 0)
        claim = {"order": order_id, "merchant": merchant_id, "due": due_fen, "day": self.day}
        live = [c for c in self.claims if c["order"] == order_id and c["state"] in "ais"]
        if live:
            claim |= {"state": "r", "from": None}
        elif used_fen + due_fen <= DAY_FEN and due_fen <= self.pot["available"]:
            claim |= {"state": "a", "from": self.pot}
            self.used_fen[self.day] = used_fen + due_fen
        elif due_fen <= self.reserve["available"]:
            claim |= {"state": "i", "from": self.reserve}
        else:
            claim |= {"state": "r", "from": None}
        if claim["from"] is not None:
            claim["from"]["available"] -= due_fen
            claim["from"]["held"] += due_fen
        self.claims.append(claim)
        return claim

    def end(self, claim: dict[str, Any], outcome: str) -> int:
        """The status that the service should answer."""
        if claim["state"] not in "ai":
            return 409
        box, due_fen = claim["from"], claim["due"]
        box["held"] -= due_fen
        if outcome == "settle":
            box["settled"] += due_fen
            claim["state"] = "s"
            left_fen = self.deposits_fen.get(claim["merchant"], DEPOSIT_FEN)
            self.deposits_fen[claim["merchant"]] = max(0, left_fen - due_fen)
        else:
            box["available"] += due_fen
            claim["state"] = "x"
            if box is self.pot:
                self.used_fen[claim["day"]] -= due_fen
        return 200


STATES = {"a": "approved", "i": "in_review", "r": "rejected", "s": "settled", "x": "released"}


class Machine(RuleBasedStateMachine):
    """The service and the model, side by side."""

    url = ""
    names = Bundle("names")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.folder = tempfile.TemporaryDirectory()
        url = self.fresh_store()
        self.api = self.wait(self.stack.enter_async_context(serving(url, *SETS, **LIMITS)))
        self.model = Model()
        self.sent = 0

    def fresh_store(self) -> str:
        return f"sqlite:///{self.folder.name}/guarantee.db"

    def wait(self, what: Any) -> Any:
        return self.loop.run_until_complete(what)

    @rule(
        target=claims,
        order_id=st.integers(1, 6),
        merchant_id=st.integers(1, 2),
        price_fen=st.sampled_from([0, 1, 2499, 10_000, 25_000, 33_333]),
    )
    def open(self, order_id: int, merchant_id: int, price_fen: int) -> Any:
        self.sent += 1
        key = f"open-{self.sent}"
        how = {"merchant_id": merchant_id, "order_value_fen": price_fen, "key": key}
        answer = self.wait(self.api.claim(order_id, **how))
        claim = self.model.open(order_id, merchant_id, price_fen)
        said = answer.json()
        assert said["claim_id"] == len(self.model.claims)
        assert said["state"] == STATES[claim["state"]]
        assert said["refund_fen"] + said["extra_fen"] == claim["due"]
        return said["claim_id"], order_id, how, answer.content

    @rule(claim=claims, outcome=st.sampled_from(["settle", "release"]))
    def end(self, claim: Any, outcome: str) -> None:
        answer = self.wait(self.api.resolve(claim[0], outcome))
        assert answer.status_code == self.model.end(self.model.claims[claim[0] - 1], outcome)

    @rule(claim=consumes(claims))
    def repeat(self, claim: Any) -> None:
        """The same request again, with its key: the first answer, whatever happened since."""
        _, order_id, how, content = claim
        assert self.wait(self.api.claim(order_id, **how)).content == content

    @rule()
    def next_day(self) -> None:
        self.api.clock.now_s += 3600 * 24
        self.model.day += 1

    @invariant()
    def money_is_where_the_model_says(self) -> None:
        for guarantee, box, funded_fen in (
            ("instant_compensation", self.model.pot, POT_FEN),
            (None, self.model.reserve, RESERVE_FEN),
        ):
            said = self.wait(self.api.pot(guarantee))
            found = [said[key] for key in MONEY_KEYS]
            assert found == [funded_fen, box["available"], box["held"], box["settled"]]
            assert min(found) >= 0

    def teardown(self) -> None:
        try:
            entries = self.wait(self.api.ledger())
            for merchant_id, left_fen in self.model.deposits_fen.items():
                of_it = [one for one in entries if one["merchant_id"] == merchant_id]
                taken = [one for one in of_it if one["credit"] == "merchant_deposit"]
                assert DEPOSIT_FEN - sum(one["amount_fen"] for one in taken) == left_fen
            self.wait(self.stack.aclose())  # proves the books
        finally:
            self.loop.close()
            self.folder.cleanup()


class PostgresMachine(Machine):
    """The same on the other store."""

    def fresh_store(self) -> str:
        return api_postgres.fresh_database()


def run_machine(machine: type[Machine], examples: int) -> None:
    case = machine.TestCase
    case.settings = settings(max_examples=examples, stateful_step_count=25)
    case().runTest()


def test_ledger_follows_the_model_on_sqlite() -> None:
    run_machine(Machine, 25)


def test_ledger_follows_the_model_on_postgresql() -> None:
    if api_postgres.why_not():
        pytest.skip(f"PostgreSQL was not tested: {api_postgres.why_not()}")
    run_machine(PostgresMachine, 6)
