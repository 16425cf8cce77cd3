"""Statements of a run: the money tables and metrics, from the books alone.

Decides nothing about money. Rows of the warm-up stay out: claims decided in it, and every entry
about them, also later ones. Money int fen, times seconds from the horizon's start.

payouts stand on the day of the decision (so that shortfall = due - gross holds in every row),
except recovered_fen, which stands on the day it was received.
"""

import math

import numpy as np
import numpy.typing as npt

from scenarios.words import CATEGORIES, GUARANTEES, POSTING_KINDS
from sim.money import ledger as book
from sim.money.books import DAY_S, Books
from sim.money.columns import Array, sums_by
from sim.money.ledger import NONE
from sim.money.orders import order_of_claim

Table = dict[str, Array]
Ints = npt.NDArray[np.int64]


def tables(books: Books) -> dict[str, Table]:
    """The four money tables as in scenarios/tables.py; the caller adds `replication`."""
    claims = _claims(books)
    ledger = _ledger(books)
    return {
        "claims": claims,
        "ledger": ledger,
        "payouts": _payouts(books, claims, ledger),
        "pots": _pots(books, claims),
    }


def _lunar_day(books: Books, times_s: npt.NDArray[np.float64]) -> Array:
    first_day = books.horizon.first_day - books.horizon.warm_up_days
    days: Array = (times_s // DAY_S).astype(np.int8) + np.int8(first_day)
    return days


def _claims(books: Books) -> Table:
    first = books.first_claim
    narrow = {
        name: books.claims.column(name)[first:]
        for name in (
            "guarantee",
            "trigger",
            "category",
            "store_id",
            "extra_fen",
            "legal_fen",
            "paid_fen",
            "recovered_fen",
            "reviewed",
            "escalated",
            "opportunistic",
            "decided_s",
        )
    }
    wide = {
        name: books.claims.column(name)[first:].astype(np.int64)
        for name in ("incident_id", "order_value_fen", "refund_fen")
    }
    claim_id = np.arange(first, books.claims.claims_count, dtype=np.int64)
    return {
        **narrow,
        **wide,
        "claim_id": claim_id,
        "order_id": order_of_claim(claim_id, wide["incident_id"], narrow["trigger"]),
        "lunar_day": _lunar_day(books, narrow["decided_s"]),
        "due_fen": wide["refund_fen"] + narrow["extra_fen"],
    }


def _ledger(books: Books) -> Table:
    ledger, first = books.ledger, books.first_entry
    claim_id = ledger.column("claim_id")[first:]
    kept = np.flatnonzero((claim_id == NONE) | (claim_id >= books.first_claim))
    table: Table = {
        name: ledger.column(name)[first:].take(kept)
        for name in ("posted_s", "kind", "guarantee", "store_id", "debit", "credit", "amount_fen")
    }
    table["entry_id"] = kept.astype(np.int32) + np.int32(first)
    table["claim_id"] = claim_id.take(kept)
    table["lunar_day"] = _lunar_day(books, table["posted_s"])
    return table


def is_recovery(ledger: Table) -> npt.NDArray[np.bool_]:
    """The entries by which money came in; the other half of a recovery clears the receivable."""
    came_in: npt.NDArray[np.bool_] = (ledger["kind"] == book.RECOVERY) & (
        ledger["debit"] == book.PLATFORM
    )
    return came_in


def _payouts(books: Books, claims: Table, ledger: Table) -> Table:
    """Every day x every (guarantee, category) that is promised, also where nothing was claimed."""
    horizon = books.horizon
    days_count = horizon.last_day - horizon.first_day + 1
    shape = (days_count, len(GUARANTEES), len(CATEGORIES))

    def cells(day: Array, guarantee: Array, category: Array) -> npt.NDArray[np.int32]:
        day_number = day.astype(np.int32) - horizon.first_day
        flat: npt.NDArray[np.int32] = (day_number * len(GUARANTEES) + guarantee) * len(
            CATEGORIES
        ) + category
        return flat

    def cube(cell: npt.NDArray[np.int32], amount: Ints) -> Ints:
        return sums_by(cell, amount, codes_count=math.prod(shape)).reshape(shape)

    decided = cells(claims["lunar_day"], claims["guarantee"], claims["category"])
    came_in = is_recovery(ledger)
    category = books.claims.take("category", ledger["claim_id"][came_in])
    received = cells(ledger["lunar_day"][came_in], ledger["guarantee"][came_in], category)
    claims_count = np.bincount(decided, minlength=math.prod(shape)).reshape(shape)
    order_value_fen = cube(decided, claims["order_value_fen"])
    due_fen = cube(decided, claims["due_fen"])
    gross_fen = cube(decided, claims["paid_fen"])
    recovered_fen = cube(received, ledger["amount_fen"][came_in])
    promised = np.zeros(shape, dtype=np.bool_)
    for trigger_row in books.terms.row:
        for position, term in enumerate(trigger_row.tolist()):
            if term != NONE:
                promised[:, books.terms.guarantee[term], position] = True
    day, guarantee, category = np.nonzero(promised)
    return {
        "lunar_day": (day + horizon.first_day).astype(np.int8),
        "guarantee": guarantee.astype(np.int8),
        "category": category.astype(np.int8),
        "claims_count": claims_count[promised],
        "order_value_fen": order_value_fen[promised],
        "due_fen": due_fen[promised],
        "gross_fen": gross_fen[promised],
        "shortfall_fen": (due_fen - gross_fen)[promised],
        "recovered_fen": recovered_fen[promised],
        "net_fen": (gross_fen - recovered_fen)[promised],
    }


def _pots(books: Books, claims: Table) -> Table:
    trail, tick_s = books.trail, books.horizon.tick_s
    first, last = books.warm_up_s // tick_s, trail.ticks_closed_count
    ticks_count = max(last - first, 0)
    shortfall_fen = trail.shortfall_fen[first:last].copy()
    if ticks_count:
        # Reviews still open when the horizon ends are paid by nobody within it.
        shortfall_fen[-1] += _waiting_fen(books, claims)
    starts_s = np.arange(first, first + ticks_count) * float(tick_s)
    interval_start_s = np.repeat(starts_s, len(GUARANTEES))
    return {
        "interval_start_s": interval_start_s,
        "lunar_day": _lunar_day(books, interval_start_s),
        "guarantee": np.tile(np.arange(len(GUARANTEES), dtype=np.int8), ticks_count),
        "due_fen": trail.due_fen[first:last].ravel(),
        "paid_fen": trail.paid_fen[first:last].ravel(),
        "reserve_paid_fen": trail.reserve_paid_fen[first:last].ravel(),
        "shortfall_fen": shortfall_fen.ravel(),
        "day_left_fen": trail.day_left_fen[first:last].ravel(),
        "balance_fen": trail.balance_fen[first:last].ravel(),
        "exhausted": trail.exhausted[first:last].ravel(),
    }


def _waiting_fen(books: Books, claims: Table) -> Ints:
    """Due claims per guarantee whose review is still open."""
    waiting = books.reviews.waiting() - books.first_claim
    sums: Ints = np.zeros(len(GUARANTEES), dtype=np.int64)
    np.add.at(sums, claims["guarantee"][waiting], claims["due_fen"][waiting])
    return sums


def metrics(books: Books, statements: dict[str, Table]) -> dict[str, tuple[float, str]]:
    """Money metrics of the replication, name -> (value, unit)."""
    claims, ledger, pots = statements["claims"], statements["ledger"], statements["pots"]
    gross_fen = int(claims["paid_fen"].sum())
    recovered_fen = int(claims["recovered_fen"].sum())
    by_kind_fen: Ints = np.zeros(len(POSTING_KINDS), dtype=np.int64)
    np.add.at(by_kind_fen, ledger["kind"], ledger["amount_fen"])
    written_off_fen = int(by_kind_fen[book.WRITE_OFF])
    open_fen = int(by_kind_fen[book.CLAIM_BACK]) - recovered_fen - written_off_fen
    dry = np.zeros(len(GUARANTEES), dtype=np.bool_)
    np.logical_or.at(dry, pots["guarantee"], pots["exhausted"])
    legal_fen = int(claims["legal_fen"].sum())
    opportunistic_fen = int(claims["paid_fen"][claims["opportunistic"]].sum())
    return {
        "claims_count": (float(claims["paid_fen"].size), "claims"),
        "claims_uncovered_count": (float(books.claims.uncovered_count), "claims"),
        "claims_reviewed_count": (float(np.count_nonzero(claims["reviewed"])), "claims"),
        "payout_due_fen": (float(claims["due_fen"].sum()), "fen"),
        "payout_gross_fen": (float(gross_fen), "fen"),
        "payout_recovered_fen": (float(recovered_fen), "fen"),
        "payout_net_fen": (float(gross_fen - recovered_fen), "fen"),
        "payout_legal_fen": (float(legal_fen), "fen"),
        "payout_opportunistic_fen": (float(opportunistic_fen), "fen"),
        "payout_reserve_fen": (float(pots["reserve_paid_fen"].sum()), "fen"),
        "payout_shortfall_fen": (float(pots["shortfall_fen"].sum()), "fen"),
        "recourse_written_off_fen": (float(written_off_fen), "fen"),
        "recourse_open_fen": (float(open_fen), "fen"),
        "fines_fen": (float(by_kind_fen[book.FINE]), "fen"),
        "pots_exhausted_ratio": (float(dry.mean()), "ratio"),
    }
