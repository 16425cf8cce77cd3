"""A claim's life: decided at once, held, then settled or released; both stores, one suite."""

import asyncio

import pytest

from loadtests.guarantee_api.schema import BudgetsShrunk
from tests.api_cases import MONEY_KEYS, claim_body, run, serving

POT = "pots.instant_compensation"


def test_an_approved_claim_holds_its_money(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            answer = await api.claim(1)
            assert answer.status_code == 201
            assert answer.headers["location"] == "/v1/claims/1"
            claim = answer.json()
            assert (claim["state"], claim["reason"]) == ("approved", "within_terms")
            # 20 % of the price, within 5 and 50 CNY, on top of the refund.
            assert (claim["refund_fen"], claim["extra_fen"], claim["legal_fen"]) == (
                10_000,
                2000,
                0,
            )
            pot = await api.pot()
            assert pot["held_fen"] == 12_000
            assert pot["available_fen"] == pot["funded_fen"] - 12_000
            assert pot["day_left_fen"] == pot["day_limit_fen"] - 12_000
            assert (await api.call("GET", "/v1/claims/1")).json() == claim

    run(test)


def test_settling_pays_and_takes_recourse_of_the_deposit(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url, "merchants.deposit_fen.catering=15000") as api:
            for order_id in (1, 2):
                await api.claim(order_id)
                settled = await api.resolve(order_id)
                assert settled.json()["state"] == "settled"
            flows = [
                (one["kind"], one["debit"], one["credit"], one["amount_fen"])
                for one in await api.ledger()
            ]
            assert flows == [
                ("hold", "hold", "pot", 12_000),
                ("payout", "consumer", "hold", 12_000),
                ("deposit", "merchant_deposit", "merchant", 15_000),
                ("claim_back", "receivable", "recourse_income", 12_000),
                ("recovery", "platform", "merchant_deposit", 12_000),
                ("recovery", "recourse_income", "receivable", 12_000),
                ("hold", "hold", "pot", 12_000),
                ("payout", "consumer", "hold", 12_000),
                ("claim_back", "receivable", "recourse_income", 12_000),
                # What the deposit still holds; the rest stays receivable.
                ("recovery", "platform", "merchant_deposit", 3000),
                ("recovery", "recourse_income", "receivable", 3000),
            ]

    run(test)


def test_releasing_gives_the_money_back_and_the_order_may_claim_again(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            before = await api.pot()
            await api.claim(1)
            assert (await api.claim(1)).json()["reason"] == "already_claimed"
            released = await api.resolve(1, "release", role="consumer")
            assert released.json()["state"] == "released"
            assert await api.pot() == before
            assert (await api.claim(1)).json()["state"] == "approved"

    run(test)


def test_a_claim_is_resolved_once(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            await api.claim(1)
            codes = [
                (await api.resolve(1, way)).status_code for way in ("settle", "settle", "release")
            ]
            assert codes == [200, 409, 409]
            assert (await api.resolve(99)).status_code == 404
            assert (await api.pot())["settled_fen"] == 12_000

    run(test)


def test_what_a_consumer_says_of_the_law_is_looked_at_by_a_person(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            body = claim_body(1, trigger="food_safety", statutory=True)
            asked = await api.call("POST", "/v1/claims", body, role="consumer")
            claim = asked.json()
            assert (claim["state"], claim["reason"]) == ("in_review", "needs_a_person")
            # Ten times the price, at least 1,000 CNY, on top of the refund.
            assert claim["extra_fen"] == 100_000
            assert (await api.resolve(1, role="consumer")).status_code == 403
            assert (await api.resolve(1)).json()["state"] == "settled"

    run(test)


def test_a_price_gap_is_paid_within_floor_and_cap(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            paid = {}
            for order_id, gap_fen in enumerate((1, 33_333, 500_000, None), start=1):
                body = claim_body(
                    order_id, trigger="no_room", category="hotel", price_gap_fen=gap_fen
                )
                paid[gap_fen] = (await api.call("POST", "/v1/claims", body)).json()["extra_fen"]
            # The last: 80 % of the price, raised to the floor.
            assert paid == {1: 10_000, 33_333: 33_333, 500_000: 129_000, None: 10_000}

    run(test)


def test_policies_of_an_exhausted_pot(store_url: str) -> None:
    """review and reserve draw on the reserve, stop does not; each claim is tried by itself."""
    sets = (
        f"{POT}.day_limit_fen=13000",
        "pots.second_booking.day_limit_fen=13000",
        "pots.alert_compensation.day_limit_fen=0",
        "pots.reserve_fen=24000",
    )

    async def test() -> None:
        async with serving(store_url, *sets) as api:
            found = []
            for order_id in (1, 2, 3):
                one = (await api.claim(order_id)).json()
                found.append((one["state"], one["reason"], one["paid_from"]))
            assert found == [
                ("approved", "within_terms", "pot"),
                ("in_review", "pot_exhausted", "reserve"),
                ("in_review", "pot_exhausted", "reserve"),
            ]
            assert (await api.claim(4)).json()["reason"] == "budget_exhausted"
            small = (await api.claim(5, order_value_fen=400)).json()
            assert (small["state"], small["extra_fen"]) == ("approved", 500)
            body = claim_body(6)
            del body["trigger"]
            alert = await api.call("POST", "/v1/alerts", body, role="operator")
            assert alert.json()["reason"] == "budget_exhausted"
            reserve = await api.pot(None)
            assert [reserve[key] for key in MONEY_KEYS] == [24_000, 0, 24_000, 0]

    run(test)


def test_a_new_day_has_a_new_limit(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url, f"{POT}.day_limit_fen=12000", f'{POT}.policy="stop"') as api:
            assert (await api.claim(1)).json()["state"] == "approved"
            assert (await api.claim(2)).json()["state"] == "rejected"
            api.clock.now_s += 12 * 3600 - 1
            assert (await api.claim(3)).json()["state"] == "rejected"
            api.clock.now_s += 1  # midnight in China
            assert (await api.pot())["day_left_fen"] == 12_000
            # Yesterday's money goes back to yesterday, not to today.
            await api.resolve(1, "release")
            assert (await api.pot())["day_left_fen"] == 12_000
            assert (await api.claim(4)).json()["state"] == "approved"

    run(test)


def test_cancellations_alerts_and_reports_are_claims_of_their_own_kind(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            body = claim_body(1, category="hotel")
            del body["trigger"]
            cancelled = (await api.call("POST", "/v1/cancellations", body, role="consumer")).json()
            assert (cancelled["guarantee"], cancelled["refund_fen"]) == (
                "no_reason_cancellation",
                5500,
            )
            warned = (await api.call("POST", "/v1/alerts", body, role="operator")).json()
            assert (warned["guarantee"], warned["state"]) == ("alert_compensation", "approved")
            report = claim_body(2)
            del report["trigger"], report["order_value_fen"]
            told = (await api.call("POST", "/v1/reports", report, role="consumer")).json()
            assert (told["guarantee"], told["state"]) == ("report_bounty", "in_review")
            assert told["extra_fen"] == 10_000

    run(test)


def test_what_nobody_promised_is_rejected(store_url: str) -> None:
    async def test() -> None:
        withdrawn = "guarantees.instant_compensation.granted=false"
        async with serving(store_url, withdrawn) as api:
            claim = (await api.claim(1)).json()
            assert (claim["state"], claim["reason"], claim["guarantee"]) == (
                "rejected",
                "not_promised",
                None,
            )
            assert await api.ledger() == []

    run(test)


def test_pages_hold_everything_once_and_in_order(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            await asyncio.gather(*(api.claim(order_id) for order_id in range(1, 26)))
            seen, cursor, pages = [], "0", 0
            while cursor is not None:
                path = f"/v1/claims?limit=10&cursor={cursor}"
                page = (await api.call("GET", path, role="operator")).json()
                seen += [one["claim_id"] for one in page["claims"]]
                cursor, pages = page["next_cursor"], pages + 1
            assert seen == list(range(1, 26))
            assert pages == 3

    run(test)


def test_money_survives_a_restart_and_budgets_only_grow(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            claim = (await api.claim(1, key="once")).json()
            pot = await api.pot()
        async with serving(store_url, f"{POT}.total_limit_fen=8800000001") as api:
            assert (await api.claim(1, key="once")).json() == claim
            assert (await api.pot())["available_fen"] == pot["available_fen"] + 1
        with pytest.raises(BudgetsShrunk, match="a store of its own"):
            async with serving(store_url):
                pass

    run(test)
